//! What `cargo xtask crash` is told to do.

use crate::failure::{Failure, Result};

/// What is done to the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is killed: what it had told the system is there.
    Kill,
    /// It is killed, and what was not yet on the disk is gone.
    Power,
    /// It is killed, and killed again while it resumes.
    Again,
}

impl Mode {
    pub(super) const ALL: [Self; 3] = [Self::Kill, Self::Power, Self::Again];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Power => "power",
            Self::Again => "again",
        }
    }
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(super) sample: bool,
    pub(super) modes: Vec<Mode>,
    /// Only trials whose title has this text.
    pub(super) only: Option<String>,
}

impl Options {
    /// From the command line.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { sample: false, modes: Vec::new(), only: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value =
                |next: Option<&String>| next.cloned().ok_or_else(|| Failure::new(format!("`{arg}` needs a value")));
            match arg.as_str() {
                "--sample" => options.sample = true,
                "--only" => options.only = Some(value(args.next())?),
                "--mode" => {
                    let name = value(args.next())?;
                    let mode = Mode::ALL.into_iter().find(|mode| mode.name() == name);
                    let mode =
                        mode.ok_or_else(|| Failure::new(format!("there is no mode `{name}`: kill, power or again")))?;
                    options.modes.push(mode);
                }
                odd => return Err(Failure::new(format!("`cargo xtask crash` takes no `{odd}`"))),
            }
        }
        if options.modes.is_empty() {
            options.modes = Mode::ALL.to_vec();
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() -> Result<()> {
        let parse = |args: &[&str]| Options::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&[])?.modes, Mode::ALL);
        let some = parse(&["--mode", "power", "--only", "docker.push", "--sample"])?;
        assert_eq!(some, Options { sample: true, modes: vec![Mode::Power], only: Some("docker.push".to_owned()) });
        assert!(parse(&["--mode", "x"]).is_err() && parse(&["--only"]).is_err() && parse(&["--all"]).is_err());
        Ok(())
    }
}
