//! Replays and offline runs: a record is played, and nothing is done.

use super::*;

#[tokio::test]
async fn a_replay_ends_where_the_record_ends() {
    let story = Story::new(BOTH);
    let first = story.begin();
    let answers = make(&mut first.session(), &several()).await;
    first.killed();
    let before = story.records();
    let aside = story.aside(Mode::Replay);
    let mut session = aside.session();
    assert_eq!(make(&mut session, &several()).await, answers);
    let ended = session.call_json(Function::DockerPush, PUSH.to_owned()).await;
    let Err(Interrupt::RecordEnded(made)) = ended else { panic!("{ended:?}") };
    assert_eq!((made.call.ordinal, &*made.function, made.args.as_str()), (7, "docker.push", PUSH));
    assert!(matches!(session.strayed(), Some(Interrupt::RecordEnded(_))));
    drop(session);
    assert!(aside.killed().done.is_empty());
    assert_eq!(story.records(), before);
}

#[tokio::test]
async fn a_replay_ends_at_a_call_whose_end_is_not_known() {
    let story = Story::new(BOTH);
    let first = story.begin();
    call(&mut first.session(), Function::DockerCreate, CREATE).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    let aside = story.aside(Mode::Replay);
    let ended = aside.session().call_json(Function::DockerCreate, CREATE.to_owned()).await;
    assert!(matches!(ended, Err(Interrupt::RecordEnded(_))), "{ended:?}");
    assert!(aside.killed().done.is_empty());
}

#[tokio::test]
async fn an_offline_run_records_what_it_answers() {
    let story = Story::new(BOTH);
    let first = story.begin();
    let mut session = first.session();
    let answers = make(&mut session, &several()).await;
    session.log().line(Stream::Log, "made");
    drop(session);
    first.killed();
    let aside = story.aside(Mode::Offline);
    let mut session = aside.session();
    session.log().line(Stream::Log, "begun");
    assert_eq!(make(&mut session, &several()).await, answers);
    session.log().line(Stream::Log, "made");
    drop(session);
    let other = aside.killed();
    assert!(other.done.is_empty());
    assert_eq!(other.log, "begun\nmade\n");
    let calls: Vec<_> = other.recording.steps[&life::STEP]
        .tape
        .calls
        .iter()
        .map(|call| (&*call.function, call.answer.clone()))
        .collect();
    let wanted: Vec<_> =
        several().iter().zip(answers).map(|((function, _), answer)| (function.name(), Some(answer))).collect();
    assert_eq!(calls, wanted);
}

#[tokio::test]
async fn an_offline_run_denies_what_it_does_not_grant() {
    let story = Story::new(BOTH);
    let first = story.begin();
    make(&mut first.session(), &several()).await;
    first.killed();
    let aside = story
        .granting(
            r#"{ docker = { run = ["localhost:5000/shop"], push = ["localhost:5000/shop"], containers = ["gone"] } }"#,
        )
        .aside(Mode::Offline);
    let mut session = aside.session();
    let answers = make(&mut session, &several()).await;
    assert!(answers[3].contains(r#""denied""#), "{}", answers[3]);
    assert!(answers[6].contains(r#""ok""#), "the rest is answered from its place: {}", answers[6]);
    assert!(session.strayed().is_none() && session.unplayed().is_none());
    drop(session);
    assert!(aside.killed().done.is_empty());
}

#[tokio::test]
async fn an_offline_run_denies_what_was_denied() {
    let story = Story::new("{}");
    let first = story.begin();
    let mut session = first.session();
    let denied = call(&mut session, Function::DockerPush, PUSH).await;
    call(&mut session, Function::TimerSleep, SLEEP).await;
    drop(session);
    first.killed();
    let aside = story.aside(Mode::Offline);
    let mut session = aside.session();
    assert_eq!(call(&mut session, Function::DockerPush, PUSH).await, denied);
    assert_eq!(call(&mut session, Function::TimerSleep, SLEEP).await, json!({ "ok": null }));
    assert!(session.unplayed().is_none());
}
