//! From shares of a service to the weights of its servers: whole numbers from 0 to 256.
//!
//! HAProxy's round robin goes through the servers in turns of as many requests as their weights add up
//! to. A split is exact over any 10,000 requests when that sum divides 10,000, and when no request of
//! a server is late (see [`Wheel`]). Where there is nothing exact (a third is no fraction of
//! 10,000), what is one request of them off will do, or half a percent of the smallest share.
//! Anything else is refused.

use super::wheel::Wheel;
use crate::api::Weight;
use std::collections::BTreeMap;

/// The highest weight that HAProxy knows.
const HIGHEST: u32 = 256;
const ALL: u32 = 10_000;
/// From so many on, a replica that has one more than the next is hardly any different.
const EVEN_ENOUGH: u32 = 10;
/// Longer turns are not tried where nothing is exact.
const LONGEST_NEAR: u32 = 400;

/// A revision's share, and how many replicas it has for it.
pub(super) type Shares = BTreeMap<String, (Weight, u32)>;
/// The weights of each revision's servers.
pub(super) type Spread = BTreeMap<String, Vec<u32>>;

/// How servers are weighed: the sum of the weights, and by how many percent of its middle a revision's first
/// replica gets more, and its last one less. A little of that keeps them out of each other's way.
#[derive(Clone, Copy)]
struct Scale {
    turn: u32,
    tilt: u32,
}

/// The weights of each revision's servers, highest first. `None`: no weights make this split.
pub(super) fn spread(shares: &Shares) -> Option<Spread> {
    let serving = serving(shares);
    let scale = match serving[..] {
        [] => Scale { turn: 1, tilt: 0 },
        // Alone: every turn is right.
        [(_, replicas)] => Scale { turn: replicas, tilt: 0 },
        _ => scale(&serving)?,
    };
    Some(over(shares, &serving, scale))
}

/// The same where no weights make this split: as near as can be.
pub(super) fn roughly(shares: &Shares) -> Spread {
    spread(shares).unwrap_or_else(|| {
        let serving = serving(shares);
        let of = |turn| Scale { turn, tilt: 0 };
        if let Some(turn) = (1..=longest(&serving)).rev().find(|turn| fits(&serving, of(*turn), ANY)) {
            return over(shares, &serving, of(turn));
        }
        // Not even that: whoever has hardly anything gets the least there is.
        let all = sum(&serving);
        let least = |(w, n): &(Weight, u32)| {
            let share = u32::from(w.as_units()).saturating_mul(HIGHEST) / all.max(1);
            vec![if *w == Weight::ZERO { 0 } else { share.clamp(1, HIGHEST) }; *n as usize]
        };
        shares.iter().map(|(name, share)| (name.clone(), least(share))).collect()
    })
}

/// A revision without replicas has nothing to give its share to: the others get it.
fn serving(shares: &Shares) -> Vec<(u32, u32)> {
    let serving = shares.values().filter(|(weight, replicas)| *weight > Weight::ZERO && *replicas > 0);
    serving.map(|(weight, replicas)| (u32::from(weight.as_units()), *replicas)).collect()
}

fn over(shares: &Shares, serving: &[(u32, u32)], scale: Scale) -> Spread {
    let all = sum(serving);
    let of = |(share, replicas): &(Weight, u32)| {
        parts(units(u32::from(share.as_units()), scale.turn, all.max(1)), *replicas, scale.tilt)
    };
    shares.iter().map(|(name, share)| (name.clone(), of(share))).collect()
}

/// What a revision gets of a turn, and how many replicas it has: may they be weighed like this?
type Kind = fn(u32, u32) -> bool;

const ANY: Kind = |_, _| true;
/// From best to worst, each with its tilt. First replicas get the same, then nearly, in the end some of them
/// nothing.
const KINDS: [(u32, Kind); 9] = [
    (0, |together, replicas| together.is_multiple_of(replicas)),
    (0, |together, replicas| together.is_multiple_of(replicas) || together / replicas >= EVEN_ENOUGH),
    (5, TILTED),
    (10, TILTED),
    (15, TILTED),
    (20, TILTED),
    (25, TILTED),
    (0, |together, replicas| together >= replicas),
    (0, ANY),
];
const TILTED: Kind = |together, replicas| replicas == 1 || together / replicas >= EVEN_ENOUGH / 2;

/// With the shortest turn that will do: after a change HAProxy finishes what it has begun, and that takes
/// as long as sixteen turns.
fn scale(serving: &[(u32, u32)]) -> Option<Scale> {
    let all = sum(serving);
    let divides = |turn: u32| ALL.is_multiple_of(turn) && serving.iter().all(|(s, _)| (s * turn).is_multiple_of(all));
    let wanted: Vec<u64> = serving.iter().map(|(s, _)| u64::from(*s) * u64::from(ALL) / u64::from(all)).collect();
    let smallest = wanted.iter().min().copied().unwrap_or(0);
    let exact = |scale: Scale| {
        let of_turn: Vec<u64> = serving.iter().map(|(s, _)| u64::from(units(*s, scale.turn, all))).collect();
        orders(serving, scale).all(|mut wheel| wheel.off(&of_turn, u64::from(scale.turn)) == 0)
    };
    let near = |scale: Scale| {
        let worst = orders(serving, scale).map(|mut wheel| wheel.off(&wanted, u64::from(ALL))).max();
        worst.is_some_and(|off| off <= 1 || off * 200 <= smallest)
    };
    let first = |longest: u32, is_turn: &dyn Fn(u32) -> bool, is_good: &dyn Fn(Scale) -> bool| {
        let turns: Vec<u32> = (1..=longest).filter(|turn| is_turn(*turn)).collect();
        KINDS.into_iter().find_map(|(tilt, kind)| {
            let scales = turns.iter().map(|turn| Scale { turn: *turn, tilt });
            scales.filter(|scale| fits(serving, *scale, kind)).find(|scale| is_good(*scale))
        })
    };
    let longest = longest(serving);
    first(longest, &divides, &exact)
        .or_else(|| first(longest.min(LONGEST_NEAR), &|turn| is_close(serving, turn), &near))
}

/// Are there such weights at all?
fn fits(serving: &[(u32, u32)], scale: Scale, kind: Kind) -> bool {
    let all = sum(serving);
    serving.iter().all(|(share, replicas)| {
        let together = units(*share, scale.turn, all);
        // The first is the highest.
        let highest = together.div_ceil(*replicas) * (100 + scale.tilt) / 100 + u32::from(scale.tilt > 0);
        together > 0 && highest <= HIGHEST && kind(together, *replicas)
    })
}

/// Less than one request of 10,000 is between what is asked and the fraction.
fn is_close(serving: &[(u32, u32)], turn: u32) -> bool {
    let all = sum(serving);
    serving.iter().map(|(share, _)| units(*share, turn, all)).sum::<u32>() == turn
        && serving.iter().all(|(share, _)| {
            let off = (units(*share, turn, all) * all).abs_diff(share * turn);
            u64::from(off) * u64::from(ALL) < u64::from(turn) * u64::from(all)
        })
}

/// Servers of the same weight come in the order in which they ended the round before: in any.
fn orders(serving: &[(u32, u32)], scale: Scale) -> impl Iterator<Item = Wheel> {
    let all = sum(serving);
    let of = |(share, replicas): &(u32, u32)| parts(units(*share, scale.turn, all), *replicas, scale.tilt);
    let servers: Vec<(usize, u32)> =
        serving.iter().enumerate().flat_map(|(at, s)| of(s).into_iter().map(move |weight| (at, weight))).collect();
    [false, true].into_iter().map(move |backwards| {
        let servers = servers.iter().map(|(at, weight)| (*at, weight));
        if backwards { Wheel::new(servers.rev()) } else { Wheel::new(servers) }
    })
}

/// A sum in parts that fall from the first to the last.
fn parts(together: u32, replicas: u32, tilt: u32) -> Vec<u32> {
    if tilt == 0 || replicas < 2 {
        return (0..replicas).map(|at| together / replicas + u32::from(at < together % replicas)).collect();
    }
    let steps = u64::from(replicas - 1);
    let whole = 100 * steps * u64::from(replicas);
    // Sums are rounded, and not the parts, so nothing is lost.
    let up_to =
        |n: u64| (u64::from(together) * (100 * steps * n + u64::from(tilt) * n * (steps + 1 - n)) + whole / 2) / whole;
    let part = |at: u64| u32::try_from(up_to(at + 1) - up_to(at)).unwrap_or(u32::MAX);
    (0..u64::from(replicas)).map(part).collect()
}

fn sum(serving: &[(u32, u32)]) -> u32 {
    serving.iter().map(|(share, _)| share).sum()
}

/// Longer turns than these make nothing more exact, or have no weights.
fn longest(serving: &[(u32, u32)]) -> u32 {
    serving.iter().fold(0, |all: u32, (_, replicas)| all.saturating_add(replicas.saturating_mul(HIGHEST))).min(ALL)
}

/// Of a turn, rounded.
fn units(share: u32, turn: u32, all: u32) -> u32 {
    (share * turn + all / 2) / all
}

/// The splits nearest to one that cannot be: a little more for the smallest share, and a little less.
pub(super) fn nearest(shares: &Shares) -> Vec<BTreeMap<String, Weight>> {
    let named = || shares.iter().filter(|(_, (w, _))| *w > Weight::ZERO);
    let (Some((small, (less, _))), Some((large, (more, _)))) =
        (named().min_by_key(|(_, (w, _))| *w), named().max_by_key(|(_, (w, _))| *w))
    else {
        return Vec::new();
    };
    if small == large {
        return Vec::new();
    }
    let (less, more) = (i32::from(less.as_units()), i32::from(more.as_units()));
    let moved = |by: i32| {
        let (less, more) = (u16::try_from(less + by).ok()?, u16::try_from(more - by).ok()?);
        let mut other = shares.clone();
        other.get_mut(small)?.0 = Weight::units(less);
        other.get_mut(large)?.0 = Weight::units(more);
        // Most of them are out of the question at a glance.
        let serving = serving(&other);
        let fits = |turn| is_close(&serving, turn) && fits(&serving, Scale { turn, tilt: 0 }, ANY);
        if serving.len() > 1 && !(1..=longest(&serving)).any(fits) {
            return None;
        }
        spread(&other).map(|_| other.into_iter().map(|(name, (weight, _))| (name, weight)).collect())
    };
    [(1..=more).find_map(moved), (1..=less).map(|by| -by).find_map(moved)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(of: &[(u16, u32)]) -> Shares {
        of.iter().enumerate().map(|(at, (w, n))| (format!("v{at}"), (Weight::units(*w), *n))).collect()
    }

    fn spread_of(of: &[(u16, u32)]) -> Vec<Vec<u32>> {
        spread(&shares(of)).map(|s| s.into_values().collect()).unwrap_or_default()
    }

    #[test]
    fn the_weights_that_everybody_uses() {
        assert_eq!(spread_of(&[(9_900, 1), (100, 1)]), [[99], [1]]);
        assert_eq!(spread_of(&[(9_500, 1), (500, 1)]), [[19], [1]]);
        assert_eq!(spread_of(&[(7_500, 1), (2_500, 1)]), [[3], [1]]);
        assert_eq!(spread_of(&[(5_000, 1), (5_000, 1)]), [[1], [1]]);
        assert_eq!(spread_of(&[(10_000, 3), (0, 1)]), [vec![1, 1, 1], vec![0]]);
        assert_eq!(spread_of(&[(9_950, 1), (50, 1)]), [[199], [1]]);
        assert_eq!(spread_of(&[(9_900, 2), (100, 1)]), [vec![50, 49], vec![1]]);
        assert_eq!(spread_of(&[(9_500, 3), (500, 1)]), [vec![13, 13, 12], vec![2]]);
        // 3, 3 and 2 are 75 and 25 %, but HAProxy makes 75.6 and 24.4 of it.
        assert_eq!(spread_of(&[(7_500, 2), (2_500, 1)]), [vec![7, 5], vec![4]]);
        assert_eq!(spread_of(&[(0, 2), (0, 1)]), [vec![0, 0], vec![0]]);
    }

    #[test]
    fn thirds_are_within_one_request_of_ten_thousand() {
        assert_eq!(spread_of(&[(6_666, 2), (3_334, 1)]), [vec![1, 1], vec![1]]);
        assert_eq!(spread_of(&[(3_333, 1), (3_333, 1), (3_334, 1)]), [[1], [1], [1]]);
    }

    #[test]
    fn what_an_abort_brought_back_without_replicas_leaves_its_share_to_the_others() {
        assert_eq!(spread_of(&[(10_000, 0), (0, 1)]), [vec![], vec![0]]);
        assert_eq!(spread_of(&[(5_000, 0), (3_000, 1), (2_000, 1)]), [vec![], vec![3], vec![2]]);
    }

    #[test]
    fn what_cannot_be_is_told_with_what_can() {
        let fine = shares(&[(9_990, 1), (10, 1)]);
        assert_eq!(spread(&fine), None);
        let told: Vec<Vec<f64>> =
            nearest(&fine).into_iter().map(|s| s.into_values().map(Weight::as_percent).collect()).collect();
        assert_eq!(told, [[99.62, 0.38], [100.0, 0.0]]);
        assert_eq!(roughly(&fine).into_values().collect::<Vec<_>>(), [[255], [1]]);
        // More replicas make finer ones.
        assert!(spread(&shares(&[(9_990, 4), (10, 1)])).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn every_split_is_as_exact_as_it_says(small in 1u16..5_000, one in 1u32..4, other in 1u32..4) {
            let asked = shares(&[(10_000 - small, one), (small, other)]);
            let Some(got) = spread(&asked) else { return Ok(()) };
            prop_assert!(got.values().flatten().all(|w| *w <= HIGHEST), "{got:?}");
            prop_assert!(got.iter().all(|(name, weights)| weights.len() == asked[name].1 as usize));
            let servers = got.values().enumerate().flat_map(|(at, weights)| weights.iter().map(move |w| (at, w)));
            let off = Wheel::new(servers).off(&[10_000 - u64::from(small), u64::from(small)], 10_000);
            prop_assert!(off <= 1 || off * 200 <= u64::from(small), "{got:?}: {off}");
        }
    }

    #[test]
    fn the_usual_percents_are_exact_for_some_replicas_each() {
        for percent in [1, 5, 10, 20, 25, 50] {
            for (one, other) in [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (3, 2), (3, 3), (4, 2), (4, 4), (5, 5)] {
                let asked = shares(&[(10_000 - percent * 100, one), (percent * 100, other)]);
                let got = spread(&asked).unwrap_or_default();
                let servers = got.values().enumerate().flat_map(|(at, weights)| weights.iter().map(move |w| (at, w)));
                let wanted = u64::from(percent) * 100;
                let off = Wheel::new(servers).off(&[10_000 - wanted, wanted], 10_000);
                assert_eq!(off, 0, "{percent} % with {one} and {other}: {got:?}");
            }
        }
    }
}
