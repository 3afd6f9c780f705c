//! Points: a call and a phase of it, as the test build of the runner lists them.

use crate::failure::{Failure, Result};
use std::collections::BTreeSet;

/// A step whose name begins so says `on-crash = "repeat"`.
const REPEATS: &str = "repeats";

/// A place to die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    /// `STAGE/STEP/ATTEMPT/ORDINAL/PHASE`, or `host/ATTEMPT/ORDINAL/PHASE`.
    pub(super) place: String,
    /// The function, as `docker.push`.
    pub(super) function: String,
    /// How the gate treats this call of it, as `Effect(Adopt)`.
    kind: String,
}

impl Point {
    fn parts(&self) -> Vec<&str> {
        self.place.split('/').collect()
    }

    /// The phase, as `start-durable`.
    pub(super) fn phase(&self) -> &str {
        self.parts().last().copied().unwrap_or_default()
    }

    /// The step's name; `host` for the host's own calls.
    pub(super) fn step(&self) -> &str {
        match self.parts()[..] {
            [_, step, _, _, _] => step,
            _ => "host",
        }
    }

    /// The stage's name; `host` for the host's own calls.
    pub(super) fn stage(&self) -> &str {
        self.parts().first().copied().unwrap_or_default()
    }

    /// The call's place in its step.
    pub(super) fn ordinal(&self) -> u32 {
        let parts = self.parts();
        parts.len().checked_sub(2).and_then(|at| parts[at].parse().ok()).unwrap_or(0)
    }

    pub(super) fn is_effect(&self) -> bool {
        self.kind.starts_with("Effect")
    }

    /// Whether dying here leaves a `Start` without an `End`.
    pub(super) fn in_doubt(&self) -> bool {
        self.is_effect() && matches!(self.phase(), "start-durable" | "effect-done" | "end-queued")
    }

    /// Whether the effect is done when the runner dies here.
    pub(super) fn done(&self) -> bool {
        matches!(self.phase(), "effect-done" | "end-queued" | "end-durable")
    }

    /// Whether nobody but a person can tell how to go on after dying here.
    pub(super) fn asks(&self) -> bool {
        self.in_doubt() && self.kind == "Effect(Fail)" && !self.step().starts_with(REPEATS)
    }
}

/// What a run listed: the table's rows, and the points in the order in which they were reached.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Functions that are effects.
    pub(super) effects: BTreeSet<String>,
    /// Functions that are recorded in another way, as far as there is a record of them.
    pub(super) others: BTreeSet<String>,
    pub(super) points: Vec<Point>,
}

/// `log.log` goes straight to the step's log, and no call of it is recorded.
const UNRECORDED: &str = "log.log";

impl Listing {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut listing = Self::default();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["row", function, kind] if kind.starts_with("Effect") => {
                    listing.effects.insert(function.to_owned());
                }
                ["row", _, "Composite"] | ["row", UNRECORDED, _] => {}
                ["row", function, _] => {
                    listing.others.insert(function.to_owned());
                }
                ["point", place, function, kind] => listing.points.push(Point {
                    place: place.to_owned(),
                    function: function.to_owned(),
                    kind: kind.to_owned(),
                }),
                _ => return Err(Failure::new(format!("the list of points has a line that is none: `{line}`"))),
            }
        }
        Ok(listing)
    }
}

/// The effects, and the other functions, that none of these points is of.
pub(super) fn unreached(listings: &[&Listing]) -> (BTreeSet<String>, BTreeSet<String>) {
    let reached: BTreeSet<&str> =
        listings.iter().flat_map(|listing| &listing.points).map(|point| point.function.as_str()).collect();
    let missing = |rows: fn(&Listing) -> &BTreeSet<String>| {
        let rows = listings.iter().flat_map(|listing| rows(listing));
        rows.filter(|function| !reached.contains(function.as_str())).cloned().collect()
    };
    (missing(|listing| &listing.effects), missing(|listing| &listing.others))
}

#[cfg(test)]
pub(super) fn point(place: &str, kind: &str) -> Point {
    Point { place: place.to_owned(), function: "f".to_owned(), kind: kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_asked_only_where_nobody_else_can_tell() {
        let asks = |step: &str, phase: &str, kind: &str| point(&format!("s/{step}/1/0/{phase}"), kind).asks();
        assert!(asks("run", "start-durable", "Effect(Fail)") && asks("run", "end-queued", "Effect(Fail)"));
        assert!(!asks("run", "start-queued", "Effect(Fail)"), "it has not begun");
        assert!(!asks("run", "end-durable", "Effect(Fail)"), "its end is known");
        assert!(!asks("run", "effect-done", "Effect(Repeat)"));
        assert!(!asks("repeats-run", "effect-done", "Effect(Fail)"), "the step says what to do");
    }

    #[test]
    fn parts_of_a_point() {
        let call = point("stage/step/2/17/end-durable", "Record");
        assert_eq!((call.stage(), call.step(), call.ordinal(), call.phase()), ("stage", "step", 17, "end-durable"));
        let host = point("host/1/3/effect-done", "Effect(Repeat)");
        assert_eq!((host.stage(), host.step(), host.ordinal(), host.in_doubt()), ("host", "host", 3, true));
    }

    #[test]
    fn a_row_without_a_point_is_found() -> Result<()> {
        let listing = Listing::parse(
            "row docker.tag Effect(Repeat)\nrow docker.push Effect(Repeat)\nrow docker.run Composite\n\
             row docker.wait Record\nrow log.log Record\npoint a/b/1/0/end-queued docker.tag Effect(Repeat)\n",
        )?;
        let (effects, others) = unreached(&[&listing]);
        assert_eq!((effects, others), (["docker.push".to_owned()].into(), ["docker.wait".to_owned()].into()));
        assert!(Listing::parse("nonsense").is_err());
        Ok(())
    }
}
