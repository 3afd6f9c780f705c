//! What a person sees: headings, notes and timings, plain enough for a CI log.

use crate::failure::{Failure, Result};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

fn bold(text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    if plain { text.to_owned() } else { format!("\x1b[1m{text}\x1b[0m") }
}

/// The start of a part.
pub(crate) fn heading(text: &str) {
    eprintln!("\n{}", bold(&format!("==> {text}")));
}

/// A line under the heading.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

/// The failure that ends the command.
pub(crate) fn error(why: &Failure) {
    eprintln!("\n{} {why}", bold("error:"));
}

/// Something that went wrong without ending the command.
pub(crate) fn warn(text: &str) {
    eprintln!("{} {text}", bold("warning:"));
}

/// Runs one part under its heading and says how long it took.
pub(crate) fn part<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    heading(name);
    let start = Instant::now();
    let done = work();
    let word = if done.is_ok() { "done" } else { "failed" };
    note(&format!("{name}: {word} in {}", took(start.elapsed())));
    done
}

/// A duration as people read it.
pub(crate) fn took(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(took(Duration::from_millis(40)), "40 ms");
        assert_eq!(took(Duration::from_millis(2_340)), "2.3 s");
        assert_eq!(took(Duration::from_secs(725)), "12 min 5 s");
    }
}
