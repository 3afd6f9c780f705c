//! Commands in containers that run.

use windlass_gate::CallError;
use windlass_gate::api::docker::{Exec, ExecSpec, Stop};
use windlass_journal::Stream;

use crate::common::{ALL, SECRET, engine, error, plain, secret};

fn exec(command: &[&str]) -> ExecSpec {
    ExecSpec {
        container: "db".into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        env: Vec::new(),
        user: None,
        working_directory: None,
        timeout_ms: None,
    }
}

#[test]
fn output_and_exit_code_come_back() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let spec = ExecSpec {
            env: vec![plain("A", "1"), secret("T", "token")],
            user: Some("1000:1000".into()),
            working_directory: Some("/bin".into()),
            ..exec(&["sh", "-c", "echo $A $(id -u) $PWD $T; echo err >&2; exit 3"])
        };
        let exit = step.call(&Exec { spec }).await.expect("it ran");
        assert_eq!(
            (exit.code, exit.stdout_tail.as_str(), exit.stderr_tail.as_str()),
            (3, "1 1000 /bin ***\n", "err\n")
        );
        assert_eq!(world.log(Stream::Stdout).await, "1 1000 /bin ***\n");
        assert!(!world.log(Stream::Stdout).await.contains(SECRET.1));
        let calls = world.calls().await;
        assert_eq!(calls[calls.len() - 2..], ["docker.exec-create", "docker.exec-start"]);
    });
}

#[test]
fn a_command_that_is_not_there_ends_with_its_code_and_says_so() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let exit = step.call(&Exec { spec: exec(&["no-such-program"]) }).await.expect("an exit");
        assert!(exit.code == 126 || exit.code == 127, "{exit:?}");
        assert!(format!("{}{}", exit.stdout_tail, exit.stderr_tail).contains("no-such-program"), "{exit:?}");
    });
}

#[test]
fn a_command_that_takes_too_long_is_not_waited_for() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let error =
            error(step.call(&Exec { spec: ExecSpec { timeout_ms: Some(300), ..exec(&["sleep", "600"]) } }).await);
        assert!(
            matches!(&error, CallError::TimedOut(text) if text.contains("300ms") && text.contains("goes on")),
            "{error:?}"
        );
    });
}

#[test]
fn long_output_comes_whole() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let exit = step.call(&Exec { spec: exec(&["seq", "1", "50000"]) }).await.expect("it ran");
        assert!(exit.stdout_tail.ends_with("49999\n50000\n") && exit.stdout_tail.len() <= 64 * 1024);
        assert_eq!(world.log(Stream::Stdout).await.lines().count(), 50_000);
    });
}

#[test]
fn it_needs_a_container_that_runs() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        assert!(matches!(error(step.call(&Exec { spec: exec(&["true"]) }).await), CallError::NotFound(_)));
        world.running(&mut step, "db").await;
        step.call(&Stop { container: "db".into(), grace_ms: 1_000 }).await.expect("stopped");
        let error = error(step.call(&Exec { spec: exec(&["true"]) }).await);
        assert!(matches!(&error, CallError::Conflict(text) if text.contains("not running")), "{error:?}");
    });
}

#[test]
fn an_empty_command_is_refused() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        assert!(matches!(error(step.call(&Exec { spec: exec(&[]) }).await), CallError::Invalid(_)));
    });
}
