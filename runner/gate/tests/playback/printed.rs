//! What a step printed before a crash is in the log once; secrets never are.

use super::*;

#[tokio::test]
async fn what_was_printed_is_not_printed_again() {
    // The last thing that is known: a call's end; prints after it; a call that was under way.
    for (cut, under_way) in [(0, false), (1, false), (2, true)] {
        let story = Story::new(BOTH);
        let text = |session: &windlass_gate::Session, number: u32| {
            session.log().write(Stream::Stdout, format!("out {number}\n").as_bytes());
            session.log().line(Stream::Log, &format!("log {number}"));
        };
        let first = story.begin();
        let mut session = first.session();
        text(&session, 0);
        call(&mut session, Function::DockerPull, PULL).await;
        if cut > 0 {
            text(&session, 1);
        }
        if under_way {
            call(&mut session, Function::DockerPush, PUSH).await;
        }
        drop(session);
        first.killed();
        let story = if under_way {
            story.cut_before(|record| matches!(record, Record::CallEnded { call, .. } if call.ordinal == 1))
        } else {
            story
        };
        let again = story.resume();
        let mut session = again.session();
        text(&session, 0);
        call(&mut session, Function::DockerPull, PULL).await;
        text(&session, 1);
        call(&mut session, Function::DockerPush, PUSH).await;
        text(&session, 2);
        drop(session);
        again.killed();
        assert_eq!(story.log_of(Stream::Stdout), "out 0\nout 1\nout 2\n", "cut {cut}");
        assert_eq!(story.log_of(Stream::Log), "log 0\nlog 1\nlog 2\n", "cut {cut}");
    }
}

#[tokio::test]
async fn a_print_that_was_cut_short_goes_on_where_it_was_cut() {
    let story = Story::new("{}");
    let first = story.begin();
    first.session().log().write(Stream::Stdout, b"one, tw");
    first.killed();
    let again = story.resume();
    again.session().log().write(Stream::Stdout, b"one, two, three\n");
    again.killed();
    assert_eq!(story.log(), "one, two, three\n");
}

#[tokio::test]
async fn what_was_held_back_because_it_may_be_a_secret_is_printed_once() {
    let grants = r#"{ docker = { push = ["localhost:5000/shop"] }, secrets = ["token"] }"#;
    let story = Story::new(grants);
    let first = story.begin();
    let mut session = first.session();
    call(&mut session, Function::DockerPush, PUSH_SECRET).await;
    session.log().write(Stream::Stdout, b"it is value-of");
    call(&mut session, Function::TimerSleep, SLEEP).await;
    session.log().write(Stream::Stdout, b"-nothing, ");
    drop(session);
    first.killed();
    assert_eq!(story.log(), "it is value-of-nothing, ");

    let again = story.resume();
    let mut session = again.session();
    call(&mut session, Function::DockerPush, PUSH_SECRET).await;
    session.log().write(Stream::Stdout, b"it is value-of");
    call(&mut session, Function::TimerSleep, SLEEP).await;
    session.log().write(Stream::Stdout, b"-nothing, and value-of-token\n");
    session.log().finish();
    drop(session);
    again.killed();
    assert_eq!(story.log(), "it is value-of-nothing, and ***\n");
}

#[tokio::test]
async fn a_secret_that_was_given_away_before_the_crash_is_still_taken_out() {
    let story = Story::new(
        r#"{ docker = { push = ["localhost:5000/shop"], run = ["localhost:5000/shop"] }, secrets = ["token"] }"#,
    );
    let first = story.begin();
    call(&mut first.session(), Function::DockerPush, PUSH_SECRET).await;
    first.killed();
    let again = story.resume();
    let mut session = again.session();
    call(&mut session, Function::DockerPush, PUSH_SECRET).await;
    // Whoever was given it may print it now.
    session.log().write(Stream::Stdout, b"leaked value-of-token\n");
    session.log().finish();
    drop(session);
    again.killed();
    let all = format!("{}{}", story.log(), serde_json::to_string(&story.records()).unwrap());
    assert!(!all.contains("value-of-token"), "{all}");
    assert_eq!(story.log(), "leaked ***\n");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_any_more_is_pointed_out() {
    let story = Story::new(r#"{ docker = { push = ["localhost:5000/shop"] }, secrets = ["token"] }"#);
    let first = story.begin();
    call(&mut first.session(), Function::DockerPush, PUSH_SECRET).await;
    first.killed();
    let story = story.without_secrets();
    story.resume().killed();
    let records = story.records();
    let Some(Record::Notice { message, .. }) = records.last() else { panic!("{records:#?}") };
    assert!(message.contains("`token`") && message.contains("taken out"), "{message}");
}

#[tokio::test]
async fn that_a_secret_was_read_is_recorded_once_and_before_anybody_has_it() {
    let story = Story::new(r#"{ docker = { push = ["localhost:5000/shop"] }, secrets = ["token"] }"#);
    let first = story.begin();
    call(&mut first.session(), Function::DockerPush, PUSH_SECRET).await;
    first.killed();
    story.resume().killed();
    let records = story.records();
    let at = |wanted: fn(&Record) -> bool| records.iter().enumerate().filter(move |(_, record)| wanted(record));
    let read: Vec<_> = at(|record| matches!(record, Record::SecretRead { .. })).map(|(index, _)| index).collect();
    let started = at(|record| matches!(record, Record::CallStarted { .. })).map(|(index, _)| index).next().unwrap();
    assert!(read.len() == 1 && read[0] < started, "{records:#?}");
}

#[tokio::test]
async fn what_is_waited_for_again_is_not_heard_twice() {
    let story = Story::new("{}");
    let first = story.begin();
    let mut session = first.session();
    session.log().write(Stream::Stdout, b"waiting\n");
    call(&mut session, Function::TimerSleep, TALK).await;
    drop(session);
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    assert_eq!(story.log(), "waiting\nwhat is waited for says this\n");
    let again = story.resume();
    let mut session = again.session();
    session.log().write(Stream::Stdout, b"waiting\n");
    call(&mut session, Function::TimerSleep, TALK).await;
    session.log().write(Stream::Stdout, b"over\n");
    drop(session);
    again.killed();
    assert_eq!(story.log(), "waiting\nwhat is waited for says this\nover\n");
}
