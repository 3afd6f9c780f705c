//! The short way to write a plugin, and the host for its tests.

use serde_json::json;
use windlass_plugin::docker::{self, ContainerSpec};
use windlass_plugin::prelude::*;
use windlass_plugin::{describe, metrics, mock, timer, undocumented};

/// How a command is run.
#[with]
enum Mode {
    /// Once.
    Once,
    /// Over and over.
    AtEachChange,
}

#[with]
struct With {
    /// What to run.
    image_name: String,
    /// How.
    mode: Option<Mode>,
}

#[outputs]
struct Outputs {
    /// What it printed last.
    last_line: String,
    /// Where it is kept, if it is.
    kept_at: Option<String>,
}

/// Runs an image.
///
/// At length.
#[plugin(requires(docker = "to run it"), can_use(http = "to tell", files = "to keep it"))]
fn run_image(with: With, context: &Context) -> Result<Outputs> {
    let mode = with.mode.unwrap_or(Mode::Once);
    ensure!(matches!(mode, Mode::Once), "nothing changes here");
    info!("attempt {}", context.attempt);
    timer::sleep(std::time::Duration::from_secs(3));
    let exit = docker::run(&ContainerSpec::new(with.image_name), None)?;
    metrics::Metric::new("exit-code", exit.code as f64, "1").emit();
    let last = exit.stdout_tail.lines().last().or_fail("it printed nothing")?;
    Ok(Outputs { last_line: last.to_owned(), kept_at: None })
}

mod takes_nothing {
    use windlass_plugin::prelude::*;

    /// Does nothing.
    #[plugin]
    fn idle() {}

    #[test]
    fn a_function_of_nothing_is_a_plugin() {
        let described = windlass_plugin::describe::<Idle>("idle", "1.0.0");
        assert_eq!(described.documentation, "Does nothing.");
        assert_eq!(windlass_plugin::mock::run::<Idle>("{}").unwrap(), serde_json::json!({}));
        let told = windlass_plugin::mock::run::<Idle>(r#"{"a": 1}"#).unwrap_err();
        assert!(told.message().contains("unknown field `a`"), "{told}");
    }
}

fn printed(text: &str) -> docker::Exit {
    docker::Exit { code: 0, oom_killed: false, stdout_tail: text.to_owned(), stderr_tail: String::new() }
}

#[test]
fn the_attributes_describe_the_plugin() {
    let described = describe::<RunImage>("run-image", "1.2.3");
    assert_eq!(described.documentation, "Runs an image.\n\nAt length.");
    let uses: Vec<_> = described.capabilities.iter().map(|used| (used.name.as_str(), used.required)).collect();
    assert_eq!(uses, [("docker", true), ("http", false), ("files", false)]);
    let names: Vec<_> = described.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["kept-at", "last-line"], "in the order of their names");
    let schema: serde_json::Value = serde_json::from_str(&described.with_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["image-name"]));
    assert_eq!(schema["properties"]["mode"]["enum"], json!(["once", "at-each-change"]));
    assert_eq!(undocumented::<RunImage>(), [""; 0]);
}

#[test]
fn the_mock_host_answers_and_keeps_what_was_asked() {
    let host = mock::Host::new();
    host.when(docker::run).answers(Ok(printed("one\ntwo\n"))).answers(Err(docker::Error::Denied("no".to_owned())));
    let outputs = mock::run::<RunImage>(r#"{"image-name": "a:1"}"#).unwrap();
    assert_eq!(outputs, json!({ "last-line": "two" }), "an output that is not there is left out");
    let failure = mock::run::<RunImage>(r#"{"image-name": "a:2"}"#).unwrap_err();
    assert_eq!(failure.message(), "no");
    let calls = host.calls();
    assert_eq!(calls[0], "timer.sleep(3000)");
    assert!(calls[1].starts_with("docker.run(ContainerSpec { image: \"a:1\""), "{calls:?}");
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(host.log(), ["info: attempt 1", "info: attempt 1"]);
}

#[test]
fn a_function_of_a_plugin_can_be_called_as_it_is() {
    let with = With { image_name: "a".to_owned(), mode: Some(Mode::AtEachChange) };
    let failure = run_image(with, &Context::default()).err().unwrap();
    assert_eq!(failure.message(), "nothing changes here");
}

#[test]
#[should_panic(expected = "nothing answers docker.list()")]
fn a_call_that_nothing_answers_ends_the_test() {
    let _host = mock::Host::new();
    let _ = docker::list();
}

#[test]
#[should_panic(expected = "nobody asked for these answers: windlass_plugin::docker::run")]
fn so_does_an_answer_that_nobody_asks_for() {
    let host = mock::Host::new();
    host.when(docker::run).answers(Ok(printed("")));
}
