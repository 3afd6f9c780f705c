//! All the mistakes of a compose file at once, each with its line and its place.

use std::fmt::Display;

use windlass_plugin::Failure;

/// Mistakes as they are found.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Line, place, what is wrong.
    found: Vec<(usize, String, String)>,
}

impl Problems {
    /// Takes note of a mistake at a place as `services.web.build`.
    pub(crate) fn add(&mut self, line: usize, place: impl Display, what: impl Display) {
        self.found.push((line, place.to_string(), what.to_string()));
    }

    /// A value, or the mistake that there is none.
    pub(crate) fn or_add<T>(&mut self, line: usize, place: impl Display, value: Result<T, impl Display>) -> Option<T> {
        value.map_err(|what| self.add(line, place, what)).ok()
    }

    /// Fails if there was a mistake.
    ///
    /// # Errors
    /// All of them, in the order of their lines.
    pub(crate) fn finish(mut self, source: &str) -> Result<(), Failure> {
        self.found.sort_by_key(|(line, ..)| *line);
        match &*self.found {
            [] => Ok(()),
            [(line, place, what)] => Err(Failure::new(format!("{source}:{line}: {place}: {what}"))),
            several => {
                let lines: Vec<_> =
                    several.iter().map(|(line, place, what)| format!("\n  {source}:{line}: {place}: {what}")).collect();
                Err(Failure::new(format!("{source} has {} mistakes:{}", several.len(), lines.concat())))
            }
        }
    }
}
