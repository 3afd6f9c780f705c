//! The call that was under way when the runner died.

use super::*;

#[tokio::test]
async fn what_may_be_made_twice_is_made_again_under_the_same_identity_and_begins_once() {
    for (function, args) in [(Function::DockerCreate, CREATE), (Function::DockerPush, PUSH), (Function::HttpSend, PUT)]
    {
        let story = Story::new(BOTH);
        let first = story.begin();
        let undisturbed = call(&mut first.session(), function, args).await;
        let before = first.killed();

        let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
        assert!(story.questions().is_empty());
        let again = story.resume();
        assert_eq!(call(&mut again.session(), function, args).await, undisturbed, "{}", function.name());
        let after = again.killed();
        assert_eq!(after.identities(), before.identities());
        assert!(after.done[0].began_before > Duration::ZERO);
        let records = story.records();
        let starts = records.iter().filter(|record| matches!(record, Record::CallStarted { .. })).count();
        let ends = records.iter().filter(|record| matches!(record, Record::CallEnded { .. })).count();
        assert_eq!((starts, ends), (1, 1), "{records:#?}");
    }
}

#[tokio::test]
async fn what_a_cancelled_run_was_making_is_made_before_it_is_cleaned_up() {
    let story = Story::new(BOTH);
    let first = story.begin();
    let mut session = first.session();
    call(&mut session, Function::DockerPush, PUSH).await;
    call(&mut session, Function::DockerCreate, CREATE).await;
    drop(session);
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    let recording = story.recording();
    let record = &recording.steps[&life::STEP];
    let (ordinal, open) = record.tape.in_doubt().expect("one");
    let again = story.resume();
    let id = windlass_journal::CallId { step: life::STEP, attempt: record.attempt, ordinal };
    windlass_gate::Session::settle(again.session().gate().clone(), id, open.clone()).await.expect("settled");
    let after = again.killed();
    assert_eq!(after.done.len(), 1, "the container and nothing else");
    assert!(after.identities()[0].ends_with(&format!("-{ordinal}")));
}

#[tokio::test]
async fn a_wait_goes_on_with_what_is_left_of_it() {
    let story = Story::new("{}");
    let first = story.begin();
    call(&mut first.session(), Function::TimerSleep, SLEEP).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    let began = story.recording().steps[&life::STEP].tape.calls[0].began;
    let again = story.resume();
    call(&mut again.session(), Function::TimerSleep, SLEEP).await;
    let after = again.killed();
    let away = windlass_journal::now_micros() - began;
    let before = after.done[0].began_before;
    assert!(before > Duration::ZERO && before <= Duration::from_micros(away), "{before:?}");
    let starts = story.records().iter().filter(|record| matches!(record, Record::CallStarted { .. })).count();
    assert_eq!(starts, 1);
}

#[tokio::test]
async fn what_must_not_be_made_twice_waits_for_a_person() {
    for (function, args) in [(Function::ProcessRun, RUN), (Function::HttpSend, POST)] {
        let story = Story::new(BOTH);
        let first = story.begin();
        call(&mut first.session(), function, args).await;
        first.killed();
        let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
        let before = story.records();

        let [question] = &story.questions()[..] else { panic!("{}", function.name()) };
        assert_eq!((question.call.ordinal, &*question.recorded.function), (0, function.name()));
        let again = story.resume();
        let stopped = again.session().call_json(function, args.to_owned()).await;
        assert!(matches!(stopped, Err(Interrupt::InDoubt { .. })), "{stopped:?}");
        assert!(again.killed().done.is_empty());
        assert_eq!(story.records(), before);
    }
}

#[tokio::test]
async fn a_step_that_says_so_makes_it_again_without_asking() {
    let story = Story::new(BOTH);
    let first = story.begin();
    call(&mut first.session(), Function::ProcessRun, RUN).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    assert!(story.recording().questions(|_| true, |_| false).is_empty());
    let again = story.resume();
    let answer = call(&mut again.session_that_repeats(), Function::ProcessRun, RUN).await;
    assert_eq!(answer["ok"]["code"], 0);
    assert_eq!(again.killed().identities(), ["testr0n123-0-1-0"]);
    let starts = story.records().iter().filter(|record| matches!(record, Record::CallStarted { .. })).count();
    assert_eq!(starts, 1);
}

#[tokio::test]
async fn a_call_that_a_person_says_was_made_is_answered() {
    for (function, args) in [(Function::ProcessRun, RUN), (Function::HttpSend, POST)] {
        let story = Story::new(BOTH);
        let first = story.begin();
        let mut session = first.session();
        session.log().write(Stream::Stdout, b"about to\n");
        call(&mut session, function, args).await;
        drop(session);
        first.killed();
        let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
        let again = story.resume_told(InDoubtAnswer::Done);
        let mut session = again.session();
        session.log().write(Stream::Stdout, b"about to\n");
        let answer = call(&mut session, function, args).await;
        match function {
            Function::ProcessRun => assert_eq!(answer["ok"]["code"], 0),
            _ => assert_eq!(
                (&answer["ok"]["status"], &answer["ok"]["url"]),
                (&json!(200), &json!("https://api.example/x"))
            ),
        }
        session.log().write(Stream::Stdout, b"and it was\n");
        drop(session);
        assert!(again.killed().done.is_empty());
        assert_eq!(story.log(), "about to\nand it was\n");
        assert!(story.questions().is_empty(), "it is known now");
    }
}

#[tokio::test]
async fn an_answer_whose_call_did_not_get_its_end_is_asked_for_again() {
    let story = Story::new(BOTH);
    let first = story.begin();
    call(&mut first.session(), Function::ProcessRun, RUN).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    story.resume_told(InDoubtAnswer::Done).killed();
    let ends = std::cell::Cell::new(0);
    let story = story.cut_before(|record| {
        ends.set(ends.get() + u32::from(matches!(record, Record::CallEnded { .. })));
        ends.get() == 1
    });
    assert!(matches!(story.records().last(), Some(Record::InDoubtAnswered { .. })));
    assert_eq!(story.questions().len(), 1);
}

#[tokio::test]
async fn a_call_that_a_person_lets_be_made_again_begins_again_and_is_asked_about_again_if_that_fails_too() {
    let story = Story::new(BOTH);
    let first = story.begin();
    call(&mut first.session(), Function::ProcessRun, RUN).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));

    let again = story.resume_told(InDoubtAnswer::Repeat);
    assert_eq!(call(&mut again.session(), Function::ProcessRun, RUN).await["ok"]["code"], 0);
    assert_eq!(again.killed().identities(), ["testr0n123-0-1-0"]);
    assert!(story.questions().is_empty());
    let starts = story.records().iter().filter(|record| matches!(record, Record::CallStarted { .. })).count();
    assert_eq!(starts, 2);

    // Killed before it began again: what was said still holds.
    let answered = story.cut_after(|record| matches!(record, Record::InDoubtAnswered { .. }));
    assert!(answered.questions().is_empty());
    let again = answered.resume();
    assert_eq!(call(&mut again.session(), Function::ProcessRun, RUN).await["ok"]["code"], 0);
    drop(again);

    // Killed after it began again: it may have been made.
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. }));
    assert_eq!(story.questions().len(), 1);
    let again = story.resume();
    let stopped = again.session().call_json(Function::ProcessRun, RUN.to_owned()).await;
    assert!(matches!(stopped, Err(Interrupt::InDoubt { .. })), "{stopped:?}");
}

#[tokio::test]
async fn a_guard_is_asked_again_about_what_is_made_again() {
    let story = Story::new(BOTH);
    let first = story.begin();
    call(&mut first.session(), Function::DockerPush, PUSH).await;
    first.killed();
    let story = story.cut_before(|record| matches!(record, Record::CallEnded { .. })).guarded();
    let again = story.resume();
    assert_eq!(call(&mut again.session(), Function::DockerPush, PUSH).await["err"]["denied"], "not now");
    assert!(again.killed().done.is_empty());
    assert!(matches!(story.records().last(), Some(Record::CallEnded { .. })));
}
