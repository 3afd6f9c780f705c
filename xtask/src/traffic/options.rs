//! What `cargo xtask traffic` is told to do.

use crate::failure::{Failure, Result};

/// What moves the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    /// `windlass router`.
    Router,
    /// HAProxy, by its runtime API.
    Haproxy,
}

impl Driver {
    pub(super) const BOTH: [Self; 2] = [Self::Router, Self::Haproxy];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Haproxy => "haproxy",
        }
    }
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(super) sample: bool,
    pub(super) drivers: Vec<Driver>,
    /// Only scenarios whose name has this text.
    pub(super) only: Option<String>,
    /// This process is alone in its network, where it may end a Docker daemon.
    pub(super) apart: bool,
}

/// How this program is told that it is the one in a network of its own.
pub(super) const APART: &str = "--apart";

impl Options {
    /// From the command line.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { sample: false, drivers: Driver::BOTH.to_vec(), only: None, apart: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value =
                |next: Option<&String>| next.cloned().ok_or_else(|| Failure::new(format!("`{arg}` needs a value")));
            match arg.as_str() {
                "--sample" => options.sample = true,
                APART => options.apart = true,
                "--only" => options.only = Some(value(args.next())?),
                "--driver" => {
                    options.drivers = match value(args.next())?.as_str() {
                        "both" => Driver::BOTH.to_vec(),
                        name => match Driver::BOTH.into_iter().find(|driver| driver.name() == name) {
                            Some(driver) => vec![driver],
                            None => {
                                return Err(Failure::new(format!(
                                    "there is no driver `{name}`: router, haproxy or both"
                                )));
                            }
                        },
                    };
                }
                odd => return Err(Failure::new(format!("`cargo xtask traffic` takes no `{odd}`"))),
            }
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
        assert_eq!(parse(&[])?.drivers, Driver::BOTH);
        let some = parse(&["--driver", "haproxy", "--only", "canary", "--sample"])?;
        let drivers = vec![Driver::Haproxy];
        assert_eq!(some, Options { sample: true, drivers, only: Some("canary".to_owned()), apart: false });
        assert!(parse(&["--driver", "x"]).is_err() && parse(&["--only"]).is_err() && parse(&["--all"]).is_err());
        Ok(())
    }
}
