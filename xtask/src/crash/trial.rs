//! One trial: the runner dies, somebody resumes, and the world is compared.

use super::Harness;
use super::options::Mode;
use super::place::{End, Place};
use super::point::{Listing, Point};
use super::world::World;
use crate::failure::{Failure, Result};
use std::collections::BTreeMap;

/// `windlass resume` stops with this code where a person has to answer.
const ASKS: i32 = 5;

/// What an undisturbed run of a pipeline is like.
pub(super) struct Reference {
    pub(super) pipeline: &'static str,
    pub(super) listing: Listing,
    pub(super) world: World,
}

impl Reference {
    /// Runs it undisturbed, twice: what differs between those two cannot tell anything.
    pub(super) fn find(harness: &Harness, pipeline: &'static str) -> Result<Self> {
        let one = Self::run(harness, pipeline)?;
        let other = Self::run(harness, pipeline)?;
        let mut differences = other.world.differs(&one.world);
        let places = |reference: &Self| {
            let mut places: Vec<String> = reference.listing.points.iter().map(|point| point.place.clone()).collect();
            places.sort();
            places
        };
        if places(&one) != places(&other) {
            differences.push("the points themselves".to_owned());
        }
        if differences.is_empty() {
            return Ok(one);
        }
        Err(Failure::new(format!(
            "two undisturbed runs of tests/crash/{pipeline}.toml differ:\n{}",
            differences.join("\n")
        )))
    }

    fn run(harness: &Harness, pipeline: &'static str) -> Result<Self> {
        let place = Place::new(harness, pipeline, false)?;
        let (end, listing) = place.listed()?;
        if end != End::Exited(0) {
            return Err(Failure::new(format!(
                "an undisturbed run of tests/crash/{pipeline}.toml does not succeed:\n{}",
                crate::proc::tail(&place.said(), 40)
            )));
        }
        Ok(Self { pipeline, listing: Listing::parse(&listing)?, world: World::take(&place, 0)? })
    }
}

/// What to try.
pub(super) struct Trial<'a> {
    pub(super) reference: &'a Reference,
    pub(super) mode: Mode,
    /// Where to die; the second one during the resume.
    pub(super) at: Vec<&'a Point>,
    /// What a person answers who is asked.
    pub(super) answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    Repeat,
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeat => "repeat",
        }
    }
}

impl Trial<'_> {
    /// The trial in words.
    pub(super) fn title(&self) -> String {
        let at: Vec<String> = self.at.iter().map(|point| format!("{} ({})", point.place, point.function)).collect();
        let answer = if self.at.iter().any(|point| point.asks()) {
            format!(", answered {}", self.answer.word())
        } else {
            String::new()
        };
        format!("{} {}: {}{answer}", self.mode.name(), self.reference.pipeline, at.join(", then "))
    }

    /// Does it, and says what differs, with the evidence.
    pub(super) fn run(&self, harness: &Harness) -> Result<Option<String>> {
        let mut place = Place::new(harness, self.reference.pipeline, self.mode == Mode::Power)?;
        let mut differences = Vec::new();
        if let Some(code) = self.drive(&mut place, &mut differences)? {
            let expected = self.expected();
            let mut world = World::take(&place, code)?;
            if world.made != expected.made {
                // The engine tells of things a moment after they are made.
                std::thread::sleep(std::time::Duration::from_millis(300));
                world = World::take(&place, code)?;
            }
            self.forgive(&mut world, &expected);
            differences.extend(world.differs(&expected));
        }
        if differences.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!("{}\n\n---- what was said\n{}", differences.join("\n"), place.evidence())))
    }

    /// Lets it die, resumes until it ends, and gives the last exit code; none if it came to no end.
    fn drive(&self, place: &mut Place<'_>, differences: &mut Vec<String>) -> Result<Option<i32>> {
        let mut ahead = self.at.iter().copied();
        let first = ahead.next();
        let end = place.windlass(&["run"], first)?;
        if end != End::Killed {
            differences.push(format!("the point was not reached: {end:?}"));
            return Ok(None);
        }
        place.cut()?;
        let mut next = ahead.next();
        let mut to_ask = first.filter(|point| point.asks());
        let mut answer: Option<&str> = None;
        for _ in 0..6 {
            let mut args = vec!["resume"];
            args.extend(answer.into_iter().flat_map(|answer| ["--answer", answer]));
            if !place.has_run() {
                // Not even the run's first record was durable: nothing has happened, and there is nothing to resume.
                args = vec!["run"];
            }
            let before = place.said().len();
            match place.windlass(&args, next)? {
                End::Killed => {
                    place.cut()?;
                    to_ask = next.filter(|point| point.asks());
                    (next, answer) = (None, None);
                }
                End::Exited(ASKS) => {
                    let said = place.said().split_off(before);
                    match to_ask.take() {
                        Some(point) if !said.contains(&point.function) || !said.contains(point.step()) => differences
                            .push(format!("it asks, but names neither {} nor step {}", point.function, point.step())),
                        Some(_) => {}
                        None => {
                            differences.push("it asks, where it can know".to_owned());
                            return Ok(None);
                        }
                    }
                    answer = Some(self.answer.word());
                }
                End::Exited(code) => {
                    differences.extend(to_ask.map(|point| format!("it goes on after {} without asking", point.place)));
                    differences.extend(next.map(|point| format!("the second point {} was not reached", point.place)));
                    return Ok(Some(code));
                }
            }
        }
        differences.push("it was resumed six times and came to no end".to_owned());
        Ok(None)
    }

    /// A network that the daemon was just making when the runner died of something else may come late, and then be
    /// there twice until one goes: the daemon of API 1.41 refuses no double. At points of its own call there is none.
    fn forgive(&self, world: &mut World, expected: &World) {
        if self.at.iter().any(|point| point.function == "docker.create-network") {
            return;
        }
        for (what, count) in &mut world.made {
            let once = expected.made.get(what);
            if what.starts_with("create network") && once.is_some_and(|once| *count == once + 1) {
                *count -= 1;
            }
        }
    }

    /// The world that is expected: that of the undisturbed run, but for what was done before it died and is done
    /// again by right, or is not done at all, as somebody said.
    fn expected(&self) -> World {
        let mut world = self.reference.world.clone();
        world.performed = performed(&world.performed, &self.at, self.answer);
        world
    }
}

/// How often the effects of each step are performed when the runner dies at these points.
fn performed(undisturbed: &BTreeMap<String, u64>, at: &[&Point], answer: Answer) -> BTreeMap<String, u64> {
    let mut performed = undisturbed.clone();
    for (step, count) in &mut performed {
        for point in at.iter().filter(|point| point.is_effect() && point.step() == step) {
            if point.in_doubt() {
                let again = u64::from(!point.asks() || answer == Answer::Repeat);
                *count = *count - 1 + u64::from(point.done()) + again;
            }
        }
    }
    performed.retain(|_, count| *count > 0);
    performed
}

#[cfg(test)]
mod tests {
    use super::super::point::point;
    use super::*;

    #[test]
    fn what_is_done_again_by_right() {
        let once: BTreeMap<String, u64> = [("run".to_owned(), 1), ("repeats-run".to_owned(), 1)].into();
        let count = |place: &str, answer| {
            let point = point(place, "Effect(Fail)");
            let performed = performed(&once, &[&point], answer);
            performed.get(point.step()).copied().unwrap_or(0)
        };
        assert_eq!(count("s/run/1/0/start-queued", Answer::Done), 1);
        assert_eq!(count("s/run/1/0/start-durable", Answer::Done), 0, "somebody said it was done");
        assert_eq!(count("s/run/1/0/start-durable", Answer::Repeat), 1);
        assert_eq!(count("s/run/1/0/effect-done", Answer::Done), 1);
        assert_eq!(count("s/run/1/0/effect-done", Answer::Repeat), 2);
        assert_eq!(count("s/run/1/0/end-durable", Answer::Repeat), 1);
        assert_eq!(count("s/repeats-run/1/0/effect-done", Answer::Done), 2, "nobody is asked");
    }
}
