//! Go: its own compiler makes a library for WASI's first version, and Windlass a component of that.

use super::programs::{ask, find, program, run};
use super::{Language, Need, core_module};
use crate::error::CliError;
use crate::files;
use crate::project::Project;

/// The first version that exports functions of a library for `wasip1`.
const OLDEST: (u32, u32) = (1, 24);

/// Go.
pub(super) struct Go;

impl Language for Go {
    fn parts(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("go/templates/project", ""),
            ("go/sdk", "windlass"),
            ("go/README.md", "windlass/README.md"),
            ("wit", "windlass/wit"),
        ]
    }

    fn taken(&self) -> &'static [&'static str] {
        &["windlass"]
    }

    fn needs(&self, project: &Project) -> Vec<Need> {
        let version = find("go").and_then(|go| {
            let mut asked = program(go, &project.folder);
            asked.args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local");
            ask(asked).filter(|version| new_enough(version))
        });
        let (major, minor) = OLDEST;
        vec![Need::new("Go 1.24 or newer", version, format!("install Go {major}.{minor} or newer: https://go.dev/dl"))]
    }

    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError> {
        let aside = files::aside()?;
        let core = aside.path().join("core.wasm");
        let mut go = program("go", &project.folder);
        go.args(["build", "-buildmode=c-shared", "-trimpath"]);
        // The SDK hands out memory before Go's runtime has started, for which it needs the runtime's own function.
        go.arg("-ldflags=-checklinkname=0 -s -w").arg("-o").arg(&core);
        go.arg(project.sources.first().map_or(".", String::as_str));
        // Everything that the SDK needs is in the project, and the compiler is the one that is installed.
        go.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0")]);
        run(go)?;
        core_module::component(project, &core)
    }
}

/// Whether this is a version that will do, as in `go1.27.3`.
fn new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches("go").split(['.', '-', ' ']).map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or(0)
    });
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn versions() {
        assert!(new_enough("go1.24") && new_enough("go1.27.3") && new_enough("go2.0"));
        assert!(new_enough("go1.25rc1"));
        assert!(!new_enough("go1.19.8") && !new_enough("go1.9") && !new_enough(""));
    }
}
