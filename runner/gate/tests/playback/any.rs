//! Wherever the runner dies, a resumed attempt gives the same answers and leaves the same record.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Act {
    Call(Function, &'static str),
    Print(Stream, u8),
    See,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::sample::select(vec![
            Act::Call(Function::DockerCreate, CREATE),
            Act::Call(Function::DockerInspect, INSPECT),
            Act::Call(Function::DockerRemove, GONE),
            Act::Call(Function::DockerPush, PUSH),
            Act::Call(Function::DockerPull, PULL),
            Act::Call(Function::ProcessRun, RUN),
            Act::Call(Function::HttpSend, POST),
            Act::Call(Function::HttpSend, PUT),
            Act::Call(Function::TimerSleep, SLEEP),
            Act::Call(Function::MetricsEmit, METRIC),
        ]),
        2 => (prop::sample::select(vec![Stream::Stdout, Stream::Stderr, Stream::Log]), any::<u8>())
            .prop_map(|(stream, number)| Act::Print(stream, number)),
        1 => Just(Act::See),
    ]
}

async fn play(session: &mut windlass_gate::Session, acts: &[Act]) -> Vec<String> {
    let mut answers = Vec::new();
    for act in acts {
        match act {
            Act::Call(function, args) => {
                answers.push(session.call_json(*function, (*args).to_owned()).await.expect("an answer"));
            }
            Act::Print(stream, number) => session.log().line(*stream, &format!("line {number}")),
            Act::See => {
                let seen = session.observe(Function::WasiWallClock, || json!(1)).expect("seen");
                answers.push(seen.to_string());
            }
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn cut_leaves_the_same(acts in prop::collection::vec(act(), 0..12), cut in any::<prop::sample::Index>(), twice in any::<prop::sample::Index>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let story = Story::new(BOTH);
            let first = story.begin();
            let answers = play(&mut first.session(), &acts).await;
            let undisturbed = first.killed();

            let mut story = story;
            let mut done = Vec::new();
            for cut in [cut, twice] {
                let records = story.records();
                // The run's first record is there as soon as there is a run.
                let keep = 1 + cut.index(records.len());
                story = story.first(keep);
                let known: Vec<_> = story.recording().steps.get(&life::STEP).map(|step| step.tape.calls.clone()).unwrap_or_default();
                let again = story.resume_told(InDoubtAnswer::Repeat);
                let resumed = play(&mut again.session(), &acts).await;
                prop_assert_eq!(&resumed, &answers);
                let again = again.killed();
                for call in &again.done {
                    let known = known.get(call.ordinal as usize);
                    prop_assert!(known.is_none_or(|known| known.answer.is_none()), "{:?} was done again", call);
                }
                let once: std::collections::BTreeSet<_> = again.identities().into_iter().collect();
                prop_assert_eq!(once.len(), again.done.len(), "nothing is done twice");
                done.push(again);
                let now = story.recording();
                let calls = |recording: &windlass_gate::Recording| {
                    let calls = recording.steps.get(&life::STEP).map(|step| step.tape.calls.clone()).unwrap_or_default();
                    calls.into_iter().map(|call| (call.function, call.args, call.answer)).collect::<Vec<_>>()
                };
                prop_assert_eq!(calls(&now), calls(&undisturbed.recording));
                for stream in [Stream::Stdout, Stream::Stderr, Stream::Log] {
                    prop_assert_eq!(story.log_of(stream), undisturbed.log_of(stream));
                }
            }
            Ok(())
        })?;
    }
}
