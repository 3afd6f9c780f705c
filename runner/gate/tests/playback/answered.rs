//! Calls that are in the record: answered from it, or not the ones that were recorded.

use super::*;

#[tokio::test]
async fn what_is_recorded_is_answered_and_neither_done_nor_written_again_and_then_it_goes_on() {
    let story = Story::new(BOTH);
    let first = story.begin();
    let answers = make(&mut first.session(), &several()).await;
    let before = first.killed();
    assert_eq!(before.done.len(), 5, "{:?}", before.done);

    let again = story.resume();
    let mut session = again.session();
    assert!(session.is_playing());
    assert_eq!(make(&mut session, &several()).await, answers);
    assert!(!session.is_playing() && session.unplayed().is_none() && session.strayed().is_none());
    let sleep = call(&mut session, Function::TimerSleep, r#"{"milliseconds":7}"#).await;
    assert_eq!(sleep, json!({ "ok": null }));
    drop(session);
    let after = again.killed();
    assert_eq!(after.done.iter().map(|done| done.identity.as_str()).collect::<Vec<_>>(), ["testr0n123-0-1-7"]);
    let records = story.records();
    assert_eq!(&records[..before.records.len()], &before.records[..], "what was there is there");
    let new = &records[before.records.len()..];
    assert!(
        matches!(new, [Record::CallStarted { call, .. }, Record::CallEnded { .. }] if call.ordinal == 7),
        "{new:#?}"
    );
}

#[tokio::test]
async fn errors_and_denials_are_answered_as_they_were_and_say_why_a_step_fails() {
    let story = Story::new(r#"{ docker = { containers = ["gone"] } }"#);
    let first = story.begin();
    let mut session = first.session();
    let missing = call(&mut session, Function::DockerRemove, GONE).await;
    let denied = call(&mut session, Function::DockerPush, PUSH).await;
    assert!(missing["err"]["not-found"].is_string() && denied["err"]["denied"].is_string());
    drop(session);
    first.killed();

    let again = story.resume();
    let mut session = again.session();
    assert_eq!(call(&mut session, Function::DockerRemove, GONE).await, missing);
    assert!(matches!(session.last_error(), Some(CallError::NotFound(_))), "{:?}", session.last_error());
    assert_eq!(call(&mut session, Function::DockerPush, PUSH).await, denied);
    assert!(matches!(session.last_error(), Some(CallError::Denied(_))), "{:?}", session.last_error());
    drop(session);
    assert!(again.killed().done.is_empty());
}

#[tokio::test]
async fn what_was_made_before_the_crash_may_be_touched_after_it() {
    let story = Story::new(r#"{ docker = { run = ["localhost:5000/shop"] } }"#);
    let first = story.begin();
    let id = call(&mut first.session(), Function::DockerCreate, CREATE).await["ok"]["id"].as_str().unwrap().to_owned();
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    let inspect = call(&mut session, Function::DockerCreate, CREATE).await;
    assert_eq!(inspect["ok"]["id"], *id);
    assert!(call(&mut session, Function::DockerInspect, INSPECT).await["ok"].is_object());
    let start = format!(r#"{{"id":"{id}"}}"#);
    assert!(call(&mut session, Function::DockerStartCreated, &start).await["ok"].is_object());
    let other = call(&mut session, Function::DockerStartCreated, r#"{"id":"other"}"#).await;
    assert!(other["err"]["denied"].is_string(), "{other}");
}

#[tokio::test]
async fn a_call_that_differs_stops_the_step_and_nothing_is_done() {
    let story = Story::new(BOTH);
    let first = story.begin();
    make(&mut first.session(), &several()).await;
    let before = first.killed();

    let cases = [
        (Function::DockerCreate, CREATE.replace(r#""user":null"#, r#""user":"root""#), Some("spec.user")),
        (Function::DockerCreate, CREATE.replace(r#""ports":[]"#, r#""ports":[{"container":1}]"#), Some("spec.ports.0")),
        (Function::DockerPull, PULL.to_owned(), None),
    ];
    for (function, args, place) in cases {
        let again = story.resume();
        let mut session = again.session();
        let error = session.call_json(function, args.clone()).await.expect_err("it differs");
        let Interrupt::Diverged(divergence) = &error else { panic!("{error}") };
        assert_eq!((divergence.call.ordinal, divergence.place().as_deref()), (0, place));
        assert_eq!(
            divergence.recorded.as_ref().map(|(name, args)| (&**name, args.as_str())),
            Some(("docker.create", CREATE))
        );
        assert_eq!(
            divergence.actual.as_ref().map(|(name, args)| (&**name, args.as_str())),
            Some((function.name(), args.as_str()))
        );
        assert!(matches!(session.strayed(), Some(Interrupt::Diverged(_))));
        let text = error.to_string();
        assert!(text.contains(CREATE) && text.contains(&args) && text.contains("call 1"), "{text}");
        drop(session);
        assert!(again.killed().done.is_empty());
    }
    assert_eq!(story.records(), before.records, "and nothing is written");
}

#[tokio::test]
async fn recorded_calls_that_are_not_made_are_told() {
    let story = Story::new(BOTH);
    let first = story.begin();
    make(&mut first.session(), &several()).await;
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    make(&mut session, &several()[..4]).await;
    let missing = session.unplayed().expect("three are left");
    assert_eq!((missing.call.ordinal, missing.actual.is_none()), (4, true));
    assert!(missing.to_string().contains("no further call"), "{missing}");
}

#[tokio::test]
async fn what_the_sandbox_sees_is_seen_once() {
    let story = Story::new("{}");
    let first = story.begin();
    let mut session = first.session();
    assert_eq!(session.played(Function::WasiRandomSeed).expect("nothing is recorded"), None);
    assert_eq!(session.observe(Function::WasiRandomSeed, || json!(4)).expect("seen"), json!(4));
    drop(session);
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    assert_eq!(session.observe(Function::WasiRandomSeed, || panic!("it is known")).expect("known"), json!(4));
    assert_eq!(session.observe(Function::WasiRandomSeed, || json!(5)).expect("seen"), json!(5));
    drop(session);
    again.killed();
    assert_eq!(story.recording().steps[&life::STEP].tape.calls.len(), 2);
    let again = story.resume();
    let strayed = again.session().played(Function::WasiWallClock);
    assert!(matches!(strayed, Err(Interrupt::Diverged(_))), "{strayed:?}");
}

#[tokio::test]
async fn the_limit_of_calls_is_the_same_when_they_are_answered() {
    let story = Story::new("{}").with_calls(2);
    let first = story.begin();
    let mut session = first.session();
    call(&mut session, Function::TimerSleep, SLEEP).await;
    call(&mut session, Function::TimerSleep, SLEEP).await;
    drop(session);
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    call(&mut session, Function::TimerSleep, SLEEP).await;
    call(&mut session, Function::TimerSleep, SLEEP).await;
    let third = session.call_json(Function::TimerSleep, SLEEP.to_owned()).await;
    assert!(matches!(third, Err(Interrupt::TooManyCalls { limit: 2 })), "{third:?}");
}

#[tokio::test]
async fn what_was_made_is_known_by_name_and_by_id() {
    // What was made and is asked for by id is known from the record alone.
    let story = Story::new(r#"{ docker = { run = ["localhost:5000/shop"] } }"#);
    let first = story.begin();
    let mut session = first.session();
    call(&mut session, Function::DockerCreate, CREATE).await;
    let exec = call(&mut session, Function::DockerExecCreate, EXEC).await;
    drop(session);
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    call(&mut session, Function::DockerCreate, CREATE).await;
    assert_eq!(call(&mut session, Function::DockerExecCreate, EXEC).await, exec);
    let id = exec["ok"]["id"].as_str().unwrap();
    let start = format!(r#"{{"id":"{id}","container":"web","timeout-ms":null}}"#);
    assert!(call(&mut session, Function::DockerExecStart, &start).await["ok"].is_object());
    let remove = call(&mut session, Function::DockerRemove, REMOVE).await;
    assert!(remove["ok"].is_object(), "{remove}");
}
