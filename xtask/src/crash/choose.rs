//! Which trials there are.

use super::options::{Mode, Options};
use super::point::Point;
use super::trial::{Answer, Reference, Trial};

/// Of this many points one is tried with a second death during the resume.
const AGAIN: usize = 2;
/// How many trials a sample has in each mode, spread over all; and one more about which a person is asked.
const SAMPLE: usize = 4;

/// What to try in this mode.
pub(super) fn trials<'a>(references: &'a [Reference], mode: Mode, options: &Options) -> Vec<Trial<'a>> {
    let mut trials = Vec::new();
    for reference in references {
        let points = &reference.listing.points;
        for (number, point) in points.iter().enumerate() {
            let at = match mode {
                Mode::Kill | Mode::Power => vec![point],
                Mode::Again if number % AGAIN == 0 => match later(points, point, number) {
                    Some(second) => vec![point, second],
                    None => continue,
                },
                Mode::Again => continue,
            };
            let answer = if number % 2 == 0 { Answer::Done } else { Answer::Repeat };
            trials.push(Trial { reference, mode, at, answer });
        }
    }
    if let Some(only) = &options.only {
        trials.retain(|trial| trial.title().contains(only));
    }
    if options.sample && trials.len() > SAMPLE {
        let asked = trials.iter().position(|trial| trial.at.iter().any(|point| point.asks()));
        let (step, offset) = (trials.len() / SAMPLE, mode as usize * 7);
        let mut number = 0;
        trials.retain(|_| {
            number += 1;
            (number - 1 + offset).is_multiple_of(step) || Some(number - 1) == asked
        });
    }
    trials
}

/// A point that a resume from `first` certainly reaches: a later one of the same stage, or one of the host's.
fn later<'a>(points: &'a [Point], first: &Point, number: usize) -> Option<&'a Point> {
    let at = points.iter().position(|point| point == first)?;
    let rest: Vec<&Point> = points[at + 1..]
        .iter()
        .filter(|point| point.stage() == first.stage() || point.stage() == "host")
        .filter(|point| (point.step(), point.ordinal()) != (first.step(), first.ordinal()))
        .collect();
    (!rest.is_empty()).then(|| rest[(number * 7) % rest.len()])
}

#[cfg(test)]
mod tests {
    use super::super::point::point;
    use super::*;

    #[test]
    fn a_second_point_is_one_that_is_surely_reached() {
        let points = [
            point("a/one/1/0/end-queued", "Record"),
            point("b/two/1/0/end-queued", "Record"),
            point("a/one/1/0/end-durable", "Record"),
            point("a/one/1/1/end-queued", "Record"),
        ];
        assert_eq!(later(&points, &points[0], 0), Some(&points[3]), "of the same stage, and of another call");
        assert_eq!(later(&points, &points[1], 0), None, "another stage may be over before");
    }
}
