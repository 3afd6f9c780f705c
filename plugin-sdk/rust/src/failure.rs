//! Why a step failed, in words for people.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Display};

use crate::{approval, artifacts, docker, health, http, process, query, traffic};

/// What a plugin comes to: nothing by itself, or a [`Failure`].
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why a step failed.
///
/// Every error converts into it, so `?` works throughout; [`OrFail`] says what was being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with its message: what failed and why.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Says what to do next. Replaces an earlier hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done: `context: message`.
    #[must_use]
    pub fn context(mut self, context: impl Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What failed and why.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub fn what_next(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn from_parts(message: String, hint: Option<String>) -> Self {
        Self { message, hint }
    }

    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        // The Display of generated errors is that of Debug, which is not for people.
        known(&error).unwrap_or_else(|| {
            let mut message = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            Self::new(message)
        })
    }
}

macro_rules! known {
    ($error:ident: $($module:ident { $($case:ident $($hint:literal)?),* })*) => {$(
        if let Some(error) = $error.downcast_ref::<$module::Error>() {
            let (message, hint): (&String, Option<&str>) = match error {
                $($module::Error::$case(message) => (message, known!(@ $($hint)?)),)*
            };
            // A variant without text would make an empty failure.
            let message = if message.is_empty() { stringify!($module).to_owned() } else { message.clone() };
            return Some(Failure { message, hint: hint.map(str::to_owned) });
        }
    )*};
    (@) => { None };
    (@ $hint:literal) => { Some($hint) };
}

/// The hosts' messages say what failed; which capability it was says what to do about it. A denial names the
/// grant that is missing itself.
fn known(error: &dyn Any) -> Option<Failure> {
    known! { error:
        docker {
            Denied, NotFound, Conflict, Invalid, Other, TimedOut, BuildFailed,
            Unavailable "is Docker running? `windlass doctor` looks",
            RegistryUnavailable "is the registry's name right, and is it running?",
            Unauthorized "check the credentials of the step, or log in at the registry",
            PortInUse "choose another port on the host, or leave it out to get one that is free",
            DiskFull "`docker system prune` frees what is not used"
        }
        health { Denied, NotFound, Invalid, Other, Unavailable "is Docker running? `windlass doctor` looks" }
        http { Denied, Invalid, Unavailable, TimedOut, TooLarge, Other }
        process { Denied, NotFound, Invalid, TimedOut, Other }
        artifacts { Denied, NotFound, Invalid, Other }
        approval { Denied, Other }
        query { Denied, Invalid, Other, Unavailable "is Prometheus running, and is its URL right?" }
        traffic {
            Denied, NotFound, Conflict, Unsafe, Invalid, Unsupported, Other,
            Unavailable "`windlass router status` says whether the router answers, and what it takes"
        }
    }
    None
}

/// Turns an error or an absence into a [`Failure`] that says what was being done.
pub trait OrFail<T> {
    /// Says what was being done: `context: error`.
    ///
    /// # Errors
    /// The error as a failure.
    fn or_fail(self, context: impl Display) -> Result<T, Failure>;

    /// The same, with the text made only when it is needed.
    ///
    /// # Errors
    /// The error as a failure.
    fn or_fail_with<C: Display>(self, context: impl FnOnce() -> C) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> OrFail<T> for Result<T, E> {
    fn or_fail(self, context: impl Display) -> Result<T, Failure> {
        self.map_err(|error| error.into().context(context))
    }

    fn or_fail_with<C: Display>(self, context: impl FnOnce() -> C) -> Result<T, Failure> {
        self.map_err(|error| error.into().context(context()))
    }
}

impl<T> OrFail<T> for Option<T> {
    fn or_fail(self, context: impl Display) -> Result<T, Failure> {
        self.ok_or_else(|| Failure::new(context.to_string()))
    }

    fn or_fail_with<C: Display>(self, context: impl FnOnce() -> C) -> Result<T, Failure> {
        self.ok_or_else(|| Failure::new(context().to_string()))
    }
}

/// Returns a [`Failure`] with a formatted message.
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => { return ::core::result::Result::Err($crate::Failure::new(::std::format!($($message)+))) };
}

/// Returns a [`Failure`] with a formatted message unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => { if !$condition { $crate::bail!($($message)+) } };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push() -> Result<(), Failure> {
        Err(docker::Error::Unauthorized("localhost:5000 does not accept `ci`".to_owned()))?
    }

    #[test]
    fn errors_of_capabilities_become_readable() {
        let failure = push().or_fail("push").unwrap_err();
        assert_eq!(failure.message(), "push: localhost:5000 does not accept `ci`");
        assert_eq!(failure.what_next(), Some("check the credentials of the step, or log in at the registry"));
    }

    #[test]
    fn other_errors_and_absences_convert() {
        let number = "x".parse::<u8>().or_fail_with(|| "port").unwrap_err();
        assert_eq!(number.message(), "port: invalid digit found in string");
        assert_eq!(None::<u8>.or_fail("nothing there").unwrap_err().message(), "nothing there");
        assert_eq!((|| -> Result<(), Failure> { bail!("no {}", 1) })().unwrap_err(), Failure::new("no 1"));
    }

    #[test]
    fn sources_are_told() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outer")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let inner = "".parse::<u8>().unwrap_err();
        assert_eq!(Failure::from(Outer(inner)).message(), "outer: cannot parse integer from empty string");
    }
}
