//! Any sequence of records comes back as it was written, in order, with its pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use windlass_journal::*;

use crate::tools::*;

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Succeeded), Just(Status::Failed), Just(Status::Skipped), Just(Status::Cancelled)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{0,20}", any::<String>(), Just("a\0b\n\u{1F680}\"\\".to_owned())]
}

fn name() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Arc::from)
}

fn step() -> impl Strategy<Value = StepIndex> {
    prop_oneof![(0..4_u32).prop_map(StepIndex), Just(StepIndex::HOST)]
}

fn stage() -> impl Strategy<Value = StageIndex> {
    any::<u32>().prop_map(StageIndex)
}

fn call_id() -> impl Strategy<Value = CallId> {
    (step(), 1..4_u32, any::<u32>()).prop_map(|(step, attempt, ordinal)| CallId { step, attempt, ordinal })
}

fn failure() -> impl Strategy<Value = Failure> {
    let kind = prop_oneof![
        Just(FailureKind::Failed),
        Just(FailureKind::Denied),
        Just(FailureKind::Unavailable),
        Just(FailureKind::Plugin),
        Just(FailureKind::TimedOut),
        Just(FailureKind::Host)
    ];
    (kind, text(), proptest::option::of(text())).prop_map(|(kind, message, hint)| Failure { kind, message, hint })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            btree_map(text(), inner, 0..4).prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
        ]
    })
}

fn folder() -> impl Strategy<Value = FolderInput> {
    (text(), text(), any::<u64>(), any::<u64>(), any::<bool>())
        .prop_map(|(folder, digest, files, bytes, kept)| FolderInput { folder, digest, files, bytes, kept })
}

fn record() -> impl Strategy<Value = Record> {
    let grant = || proptest::option::of(text());
    let number =
        prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(-0.0)].prop_filter("is equal to itself", |n| !n.is_nan());
    let stream = prop_oneof![Just(Stream::Log), Just(Stream::Stdout), Just(Stream::Stderr), Just(Stream::Progress)];
    prop_oneof![
        (stage(), name()).prop_map(|(stage, name)| Record::StageStarted { stage, name }),
        (stage(), name(), status()).prop_map(|(stage, name, status)| Record::StageEnded { stage, name, status }),
        (step(), 1..4_u32, stage(), name()).prop_map(|(step, attempt, stage, name)| Record::StepStarted {
            step,
            attempt,
            stage,
            name
        }),
        (step(), 1..4_u32, status(), proptest::option::of(failure()), btree_map(text(), json(), 0..3)).prop_map(
            |(step, attempt, status, failure, outputs)| Record::StepEnded { step, attempt, status, failure, outputs }
        ),
        (call_id(), name(), text(), grant()).prop_map(|(call, function, args, grant)| Record::CallStarted {
            call,
            function,
            args,
            grant
        }),
        (call_id(), text()).prop_map(|(call, answer)| Record::CallEnded { call, answer }),
        (call_id(), name(), text(), grant(), text(), 0..u64::MAX / 2).prop_map(
            |(call, function, args, grant, answer, took)| Record::CallRecorded {
                call,
                function,
                args,
                grant,
                answer,
                took
            }
        ),
        (step(), 1..4_u32, btree_map(text(), text(), 0..3), vec(folder(), 0..3))
            .prop_map(|(step, attempt, env, folders)| Record::StepInputs { step, attempt, env, folders }),
        (call_id(), any::<bool>(), text()).prop_map(|(call, done, by)| Record::InDoubtAnswered {
            call,
            answer: if done { InDoubtAnswer::Done } else { InDoubtAnswer::Repeat },
            by
        }),
        (text(), text()).prop_map(|(name, check)| Record::SecretRead { name, check }),
        (btree_map(text(), text(), 0..3), vec(step(), 0..3)).prop_map(|(versions, restarted)| Record::RunResumed(
            Box::new(RunResumed { versions, plugins: Vec::new(), restarted })
        )),
        (step(), any::<u32>(), stream, any::<u64>(), any::<u64>())
            .prop_map(|(step, attempt, stream, offset, len)| Record::Log { step, attempt, stream, offset, len }),
        (step(), 1..4_u32, any::<u64>()).prop_map(|(step, attempt, limit)| Record::LogCut { step, attempt, limit }),
        (call_id(), text(), number, text(), btree_map(text(), text(), 0..3))
            .prop_map(|(call, name, value, unit, labels)| Record::Metric { call, name, value, unit, labels }),
        (proptest::option::of(step()), text()).prop_map(|(step, message)| Record::Notice { step, message }),
        text().prop_map(|by| Record::CancelRequested { by }),
        Just(Record::RunStarted(Box::new(started("aaaaaaaaaa")))),
    ]
}

#[test]
fn records_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    proptest!(ProptestConfig::with_cases(96), |(
        records in vec((record(), proptest::bool::weighted(0.1)), 0..40),
        ended in (status(), any::<u8>()),
    )| {
        let run = new_run_id();
        let seen = Seen::default();
        let writer = start_with(folder.path(), &run, seen.options());
        let mut expected = vec![Record::RunStarted(Box::new(started(&run)))];
        wait(async {
            for (record, durable) in records {
                expected.push(record.clone());
                if durable {
                    writer.append_durable(record).await.unwrap();
                } else {
                    writer.append(record);
                }
            }
            let ended = Record::RunEnded { status: ended.0, exit_code: ended.1 };
            expected.push(ended.clone());
            writer.close(ended).await.unwrap();
        });
        let entries = read(folder.path(), &run);
        let records: Vec<_> = entries.iter().map(|entry| entry.record.clone()).collect();
        prop_assert_eq!(&records, &expected);
        prop_assert!(entries.iter().map(|entry| entry.seq).eq(1..=expected.len() as u64));
        prop_assert!(entries.is_sorted_by_key(|entry| entry.at));
        let seen: Vec<_> = seen.all().into_iter().map(|(entry, _)| entry).collect();
        prop_assert_eq!(seen, entries);
    });
}

#[test]
fn a_measurement_may_be_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    let (name, unit, labels) = ("p99".to_owned(), "ms".to_owned(), BTreeMap::new());
    writer.append(Record::Metric { call: call(0, 0), name, value: f64::NAN, unit, labels });
    wait(writer.close(well())).unwrap();
    let entries = read(folder.path(), &run);
    assert!(matches!(&entries[1].record, Record::Metric { value, .. } if value.is_nan()), "{entries:?}");
}

#[test]
fn a_pipeline_is_stored_once_per_content() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Vec::new();
    for source in ["a = 1", "a = 2", "a = 1"] {
        let run = new_run_id();
        let started = RunStarted { source: source.into(), ..started(&run) };
        let writer = Journal::open_or_create(folder.path()).unwrap().start_run(WriterOptions::default(), started);
        wait(writer.unwrap().close(well())).unwrap();
        runs.push((run, source));
    }
    let reader = Journal::open(folder.path()).unwrap();
    for (run, source) in runs {
        assert_eq!(reader.source(&reader.resolve(Some(&run)).unwrap()).unwrap(), source);
    }
    let conn = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    let stored: u32 = conn.query_row("SELECT count(*) FROM source", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
}
