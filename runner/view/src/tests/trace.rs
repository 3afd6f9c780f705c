//! Traces are what viewers of the Trace Event Format take.

use std::collections::BTreeMap;

use serde_json::Value;

use super::story::{Story, cancelled, failure, resumed, success};
use crate::trace::Trace;

fn traced(story: &Story) -> String {
    let model = story.model();
    let mut trace = Trace::new(&model);
    story.entries.iter().for_each(|entry| trace.record(entry));
    trace.finish("succeeded")
}

/// The events, checked against what viewers ask of them: known phases, slices that end in the reverse
/// order of their beginning and under the same name, complete ones that lie within what is around
/// them.
fn events(text: &str) -> Vec<Value> {
    let trace: Value = serde_json::from_str(text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().clone();
    let mut open: BTreeMap<u64, Vec<(String, u64)>> = BTreeMap::new();
    let mut ended: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &events {
        let (track, at) = (event["tid"].as_u64().unwrap(), event["ts"].as_u64().unwrap());
        let name = event["name"].as_str().unwrap().to_owned();
        assert!(event["pid"] == 1 && track > 0 && event["cat"].is_string(), "{event}");
        let open = open.entry(track).or_default();
        let ended = ended.entry(track).or_default();
        match event["ph"].as_str().unwrap() {
            "B" => open.push((name, at)),
            "E" => {
                let (begun, from) = open.pop().unwrap();
                assert!(begun == name && from <= at, "{event}");
                *ended = at;
            }
            "X" => {
                let from = open.last().map_or(0, |(_, from)| *from).max(*ended);
                assert!(at >= from, "{event} lies over what was before it");
                *ended = at + event["dur"].as_u64().unwrap();
            }
            "i" => assert!(["t", "p"].contains(&event["s"].as_str().unwrap()), "{event}"),
            "C" => assert!(event["args"]["value"].is_number(), "{event}"),
            "M" => assert!(["process_name", "thread_name", "thread_sort_index"].contains(&&*name), "{event}"),
            other => panic!("{other}"),
        }
    }
    assert!(open.values().all(Vec::is_empty), "{open:?}");
    events
}

#[test]
fn every_story_is_a_trace() {
    for story in [success(), failure(), resumed(), cancelled()] {
        let whole = events(&traced(&story)).len();
        assert!(whole > 10, "{whole}");
        // Also of what a crash left at any moment.
        for cut in 0..story.entries.len() {
            let mut part = Story::new(1, 1);
            part.entries = story.entries[..cut].to_vec();
            events(&traced(&part));
        }
    }
}

#[test]
fn a_trace_of_a_failure() {
    insta::assert_snapshot!(traced(&failure()));
}

#[test]
fn a_trace_of_a_resumed_run() {
    let text = traced(&resumed());
    let events = events(&text);
    let down = events.iter().find(|event| event["name"] == "down").unwrap();
    assert_eq!(down["dur"], 90_000_000);
    insta::assert_snapshot!(text);
}
