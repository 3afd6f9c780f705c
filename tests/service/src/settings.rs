//! What the environment tells the service to be.

use std::str::FromStr;
use std::time::Duration;

/// How it behaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// `VERSION`: what it says of itself.
    pub(crate) version: String,
    /// `PORT`.
    pub(crate) port: u16,
    /// `FAIL_PERCENT`: of so many requests in a hundred the answer is 500.
    pub(crate) fail_percent: u64,
    /// `DELAY_MS`: every answer is so late.
    pub(crate) delay: Duration,
    /// `CRASH_AT_START=1`: it ends at once.
    pub(crate) crash_at_start: bool,
    /// `FAIL_AFTER_S`: so long after its first request every answer is 500; its health stays good.
    pub(crate) fail_after: Option<Duration>,
    /// `UNHEALTHY=1`: its health is bad, and nothing else.
    pub(crate) unhealthy: bool,
}

impl Settings {
    /// From variables by their names.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let settings = Self {
            version: variable("VERSION").unwrap_or_else(|| "unknown".to_owned()),
            port: number(&variable, "PORT")?.unwrap_or(8080),
            fail_percent: number(&variable, "FAIL_PERCENT")?.unwrap_or(0),
            delay: Duration::from_millis(number(&variable, "DELAY_MS")?.unwrap_or(0)),
            crash_at_start: flag(&variable, "CRASH_AT_START")?,
            fail_after: number(&variable, "FAIL_AFTER_S")?.map(Duration::from_secs),
            unhealthy: flag(&variable, "UNHEALTHY")?,
        };
        if settings.fail_percent > 100 {
            return Err(format!("FAIL_PERCENT={} is over 100", settings.fail_percent));
        }
        Ok(settings)
    }
}

fn number<T: FromStr>(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>, String> {
    let Some(value) = variable(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("{name}={value} is no number that fits"))
}

fn flag(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<bool, String> {
    match variable(name).as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(value) => Err(format!("{name}={value} is neither 0 nor 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_is_not_said_is_well_behaved() {
        let settings = read(&[("VERSION", "v7"), ("FAIL_AFTER_S", "")]).unwrap();
        assert_eq!((settings.version.as_str(), settings.port), ("v7", 8080));
        assert!(!settings.crash_at_start && !settings.unhealthy && settings.fail_after.is_none());
        assert_eq!((settings.fail_percent, settings.delay), (0, Duration::ZERO));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(read(&[("FAIL_PERCENT", "101")]).is_err());
        assert!(read(&[("PORT", "70000")]).is_err());
        assert!(read(&[("UNHEALTHY", "yes")]).is_err());
        assert_eq!(read(&[("FAIL_AFTER_S", "5")]).unwrap().fail_after, Some(Duration::from_secs(5)));
    }
}
