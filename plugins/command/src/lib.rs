//! Runs a command: in a container, or on the host.

mod container;
mod host;
mod with;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::prelude::{Capability, Context, Failure, Plugin, Use};
use windlass_plugin_parts::{last_lines, shell_words, tail_of};

use with::With;

/// What a step gives.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Outputs {
    /// The exit code.
    exit_code: i64,
    /// The end of its standard output, without white space around it; 16 KiB at most. All of it is in the step's log.
    stdout: String,
}

/// How much output goes to later steps: outputs are for values, artifacts for more.
const STDOUT: usize = 16 << 10;

/// How a command ended.
#[derive(Debug, Default)]
struct Ended {
    code: i64,
    oom_killed: bool,
    stdout: String,
    stderr: String,
}

struct Command;

impl Plugin for Command {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[
        Use::optional(Capability::Docker, "to run the command in a container, if `image` is given"),
        Use::optional(Capability::Process, "to run the program on the host, if `image` is not given"),
    ];

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        let ended = match &with.image {
            Some(image) => container::run(&with, image)?,
            None => host::run(&with)?,
        };
        let outputs = judge(&with, ended)?;
        context.summarize(format!("{} exited with code {}", name(&with), outputs.exit_code));
        Ok(outputs)
    }
}

windlass_plugin::export!(Command);

fn name(with: &With) -> String {
    match (&with.run, &with.image) {
        (Some(words), _) => format!("`{}`", shell_words(words)),
        (None, image) => format!("`{}`", image.as_deref().unwrap_or_default()),
    }
}

/// Whether that exit is a success, and what later steps get of it.
fn judge(with: &With, ended: Ended) -> Result<Outputs, Failure> {
    if with.allow_exit.contains(&ended.code) && !ended.oom_killed {
        return Ok(Outputs { exit_code: ended.code, stdout: tail_of(ended.stdout.trim(), STDOUT).to_owned() });
    }
    let how = match ended.oom_killed {
        true => format!("was ended because it took too much memory (exit code {})", ended.code),
        false => format!("exited with code {}", ended.code),
    };
    let failure = Failure::new(format!("{} {how}{}", name(with), last_lines(&ended.stderr, &ended.stdout)));
    Err(match ended.oom_killed {
        true => failure.hint("give it more memory: `memory = \"2GiB\"`"),
        false => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(with: &str, ended: Ended) -> Result<Outputs, Failure> {
        judge(&serde_json::from_str(with).unwrap(), ended)
    }

    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<Command>(), [""; 0]);
    }

    #[test]
    fn a_failing_command_tells_its_code_and_its_last_lines() {
        let ended =
            Ended { code: 101, stdout: "running\n".to_owned(), stderr: "it broke\n".to_owned(), ..Ended::default() };
        let failure = judged(r#"{"run":["cargo","test"]}"#, ended).unwrap_err();
        assert_eq!(failure.message(), "`cargo test` exited with code 101\nthe last of its standard error:\n  it broke");
        let ended = Ended { code: 137, oom_killed: true, ..Ended::default() };
        let failure = judged(r#"{"image":"i"}"#, ended).unwrap_err();
        assert!(failure.message().starts_with("`i` was ended because it took too much memory"));
        assert!(failure.what_next().is_some());
    }

    #[test]
    fn allowed_codes_succeed_and_output_is_trimmed() {
        let ended = Ended { code: 1, stdout: "\n 1.2.3\n".to_owned(), ..Ended::default() };
        let outputs = judged(r#"{"run":["x"],"allow-exit":[0,1]}"#, ended).unwrap();
        assert_eq!(outputs, Outputs { exit_code: 1, stdout: "1.2.3".to_owned() });
        assert!(judged(r#"{"run":["x"],"allow-exit":[1]}"#, Ended::default()).is_err());
        let long = Ended { stdout: "x".repeat(STDOUT + 1), ..Ended::default() };
        assert_eq!(judged(r#"{"run":["x"]}"#, long).unwrap().stdout.len(), STDOUT);
    }
}
