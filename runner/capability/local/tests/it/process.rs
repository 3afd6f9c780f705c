//! `process.run`: what a program gets, and what comes back of it.

use windlass_capability_local::Process;
use windlass_capability_testing::{Setup, World, error};
use windlass_gate::api::process::{Command, Run};
use windlass_gate::api::{NamedValue, Value};
use windlass_gate::{CallError, Session};
use windlass_journal::{Record, Stream};

const GRANTS: &str = r#"{ process = ["sh", "env", "cat", "pwd", "printf", "no-such-program"], env = ["GRANTED_*"], secrets = ["token"] }"#;

/// Host processes, kept by the keeper that was built beside this test.
pub(crate) fn processes() -> Process {
    Process::new(std::env::var_os("PATH").expect("a PATH")).kept_by(env!("CARGO_BIN_EXE_windlass-keeper"))
}

pub(crate) fn world() -> World {
    let setup = Setup { secrets: &[("token", "s3cr3t-t0ken")], env: &[("GRANTED_ONE", "1"), ("HIDDEN", "2")] };
    World::with(&setup, |gate| gate.with(processes()))
}

pub(crate) fn run(program: &str, args: &[&str]) -> Run {
    Run {
        command: Command {
            program: program.to_owned(),
            args: args.iter().map(|argument| (*argument).to_owned()).collect(),
            env: Vec::new(),
            working_directory: None,
            stdin: None,
            timeout_ms: Some(60_000),
        },
    }
}

pub(crate) fn sh(script: &str) -> Run {
    run("sh", &["-c", script])
}

fn step(world: &World) -> Session {
    world.step(&["process"], GRANTS)
}

#[tokio::test]
async fn output_goes_into_the_log_and_its_end_into_the_answer() {
    let world = world();
    let exit = step(&world).call(&sh("echo out; echo err >&2; exit 3")).await.expect("it ran");
    assert_eq!((exit.code, &*exit.stdout_tail, &*exit.stderr_tail), (3, "out\n", "err\n"));
    assert_eq!(world.log(Stream::Stdout).await, "out\n");
    assert_eq!(world.log(Stream::Stderr).await, "err\n");
}

#[tokio::test]
async fn a_signal_is_128_and_its_number() {
    let world = world();
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("ABRT", 134)] {
        assert_eq!(step(&world).call(&sh(&format!("kill -{signal} $$"))).await.expect("it ran").code, code);
    }
}

#[tokio::test]
async fn arguments_are_not_read_by_a_shell() {
    let world = world();
    let exit = step(&world).call(&run("printf", &["%s|", "$HOME", "a b", "*", "", "ä\n;"])).await.expect("it ran");
    assert_eq!(exit.stdout_tail, "$HOME|a b|*||ä\n;|");
}

#[tokio::test]
async fn the_environment_is_what_is_granted_and_given() {
    let world = world();
    let mut command = run("env", &[]);
    command.command.env = vec![
        NamedValue { name: "GIVEN".to_owned(), value: Value::Plain("3".to_owned()) },
        NamedValue { name: "TOKEN".to_owned(), value: Value::Secret("token".to_owned()) },
    ];
    let exit = step(&world).call(&command).await.expect("it ran");
    let mut lines: Vec<_> = exit.stdout_tail.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["GIVEN=3", "GRANTED_ONE=1", "TOKEN=***"]);

    command.command.env = vec![NamedValue { name: "GRANTED_ONE".to_owned(), value: Value::Plain("other".to_owned()) }];
    assert_eq!(step(&world).call(&command).await.expect("it ran").stdout_tail, "GRANTED_ONE=other\n");
    assert_eq!(world.host().call(&run("env", &[])).await.expect("it ran").stdout_tail, "");
}

#[tokio::test]
async fn a_secret_reaches_the_program_and_nobody_else() {
    let world = world();
    let mut command = sh("printf %s \"$TOKEN\" | wc -c; echo $TOKEN; echo $TOKEN >&2");
    command.command.env = vec![
        NamedValue { name: "TOKEN".to_owned(), value: Value::Secret("token".to_owned()) },
        NamedValue { name: "PATH".to_owned(), value: Value::Plain(std::env::var("PATH").expect("a PATH")) },
    ];
    let exit = step(&world).call(&command).await.expect("it ran");
    assert_eq!((&*exit.stdout_tail, &*exit.stderr_tail), ("12\n***\n", "***\n"));
    let everything =
        format!("{:?}{}{}", world.entries().await, world.log(Stream::Stdout).await, world.log(Stream::Stderr).await);
    assert!(!everything.contains("s3cr3t"), "{everything}");
}

#[tokio::test]
async fn it_reads_what_it_is_given_and_nothing_otherwise() {
    let world = world();
    let mut command = run("cat", &[]);
    assert_eq!(step(&world).call(&command).await.expect("it ran").stdout_tail, "");
    let text = "line\n".repeat(100_000);
    command.command.stdin = Some(text.clone());
    let exit = step(&world).call(&command).await.expect("it ran");
    assert!(text.ends_with(&exit.stdout_tail) && exit.stdout_tail.len() > 60_000);
    // A program need not read it.
    let mut command = sh("exit 0");
    command.command.stdin = Some(text);
    assert_eq!(step(&world).call(&command).await.expect("it ran").code, 0);
}

#[tokio::test]
async fn it_runs_inside_the_workspace() {
    let world = world();
    std::fs::create_dir_all(world.workspace().join("src/deep")).expect("made");
    let mut command = run("pwd", &[]);
    let line = |folder: &str| format!("{}\n", world.workspace().join(folder).display());
    assert_eq!(step(&world).call(&command).await.expect("it ran").stdout_tail, line("").replace("/\n", "\n"));
    command.command.working_directory = Some("src/deep".to_owned());
    assert_eq!(step(&world).call(&command).await.expect("it ran").stdout_tail, line("src/deep"));
    for (folder, denied) in [("..", true), ("/", true), (".windlass", true), ("nowhere", false)] {
        command.command.working_directory = Some(folder.to_owned());
        let refused = error(step(&world).call(&command).await);
        assert_eq!(
            (matches!(refused, CallError::Denied(_)), matches!(refused, CallError::NotFound(_))),
            (denied, !denied),
            "{folder}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn output_beyond_the_log_is_drained_and_the_program_goes_on() {
    let world = world();
    // The log of the world takes 4 MiB.
    let exit = step(&world)
        .call(&sh("/usr/bin/yes 'a line of output' | /usr/bin/head -n 400000; echo end"))
        .await
        .expect("it ran");
    assert_eq!(exit.code, 0);
    assert!(exit.stdout_tail.ends_with("a line of output\nend\n") && exit.stdout_tail.starts_with("a line"));
    assert!(exit.stdout_tail.len() <= 64 << 10);
    assert_eq!(world.log(Stream::Stdout).await.len(), 4 << 20);
    assert!(world.entries().await.iter().any(|entry| matches!(entry.record, Record::LogCut { .. })));
}

#[tokio::test]
async fn what_cannot_be_started_is_said_in_words() {
    let world = world();
    let CallError::NotFound(message) = error(step(&world).call(&run("no-such-program", &[])).await) else {
        panic!("found")
    };
    assert!(message.contains("`no-such-program`") && message.contains("PATH"), "{message}");

    let mut session = world.host();
    let script = world.workspace().join("script");
    let place = script.to_str().expect("text").to_owned();
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(&script, text).expect("written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
    };
    write("#!/no/such/interpreter\n");
    let CallError::NotFound(message) = error(session.call(&run(&place, &[])).await) else { panic!("started") };
    assert!(message.contains("interpreter"), "{message}");
    write("\0\0 no program\n");
    let CallError::Invalid(message) = error(session.call(&run(&place, &[])).await) else { panic!("started") };
    assert!(message.contains("neither a program"), "{message}");
    let CallError::Invalid(message) = error(session.call(&run("cat", &[&"x".repeat(3 << 20)])).await) else {
        panic!("started")
    };
    assert!(message.contains("too large"), "{message}");
    let mut no_time = run("cat", &[]);
    no_time.command.timeout_ms = Some(0);
    for bad in [run("./script", &[]), run("", &[]), run("cat", &["a\0b"]), no_time] {
        assert!(matches!(error(session.call(&bad).await), CallError::Invalid(_)), "{bad:?}");
    }
}

#[tokio::test]
async fn without_a_keeper_nothing_is_started() {
    let world = World::new(|gate| gate.with(Process::new(std::env::var_os("PATH").expect("a PATH"))));
    let CallError::Other(message) = error(world.host().call(&sh("touch made")).await) else { panic!("it ran") };
    assert!(message.contains("take_over_if_asked"), "{message}");
    assert!(!world.workspace().join("made").exists());
}

/// The keeper blocks signals for itself alone; that there is no terminal holds for both.
#[tokio::test]
async fn a_program_begins_without_blocked_signals_and_without_a_terminal() {
    let world = world();
    let script =
        "while read -r line; do case $line in SigBlk*) echo $line;; esac; done < /proc/self/status; : < /dev/tty";
    let exit = step(&world).call(&sh(script)).await.expect("it ran");
    assert_eq!(exit.stdout_tail.split_whitespace().collect::<Vec<_>>(), ["SigBlk:", "0000000000000000"]);
    assert_ne!(exit.code, 0, "there is no terminal to ask for a password: {exit:?}");
}
