//! From shares of a service to the weights of its servers: whole numbers from 0 to 256.
//!
//! HAProxy's round robin takes every server as often as its weight says in each turn of as many
//! requests as the weights add up to. So a split is exact over any 10,000 requests when that sum
//! divides 10,000. Where no such sum does (a third is no fraction of 10,000 either), one that is
//! less than a hundredth of a percent away from what is asked will do: that is one request of
//! 10,000. What is further away is refused.

use crate::api::Weight;
use std::collections::BTreeMap;

/// The highest weight that HAProxy knows.
const HIGHEST: u32 = 256;
const ALL: u32 = 10_000;
/// From so many on, a replica that has one more than the next is hardly any different.
const EVEN_ENOUGH: u32 = 20;

/// A revision's share, and how many replicas it has for it.
pub(super) type Shares = BTreeMap<String, (Weight, u32)>;
/// The weights of each revision's servers.
pub(super) type Spread = BTreeMap<String, Vec<u32>>;

/// The weights of each revision's servers, highest first. `None`: no weights make this split.
pub(super) fn spread(shares: &Shares) -> Option<Spread> {
    let serving = serving(shares);
    let turn = match serving[..] {
        [] => 1,
        // Alone: every turn is right.
        [(_, replicas)] => replicas,
        _ => turn(&serving)?,
    };
    Some(over(shares, &serving, turn))
}

/// The same where no weights make this split: as near as can be.
pub(super) fn roughly(shares: &Shares) -> Spread {
    spread(shares).unwrap_or_else(|| {
        let serving = serving(shares);
        let all = sum(&serving);
        let fits = |turn: &u32| serving.iter().all(|(s, n)| (1..=HIGHEST * n).contains(&units(*s, *turn, all)));
        let turn = (1..=longest(&serving)).filter(fits).last();
        // Not even that: whoever has hardly anything gets the least there is.
        turn.map_or_else(
            || {
                let least = |(w, n): &(Weight, u32)| {
                    let share = u32::from(w.as_units()).saturating_mul(HIGHEST) / all.max(1);
                    vec![if *w == Weight::ZERO { 0 } else { share.max(1) }; *n as usize]
                };
                shares.iter().map(|(name, share)| (name.clone(), least(share))).collect()
            },
            |turn| over(shares, &serving, turn),
        )
    })
}

/// A revision without replicas has nothing to give its share to: the others get it.
fn serving(shares: &Shares) -> Vec<(u32, u32)> {
    let serving = shares.values().filter(|(weight, replicas)| *weight > Weight::ZERO && *replicas > 0);
    serving.map(|(weight, replicas)| (u32::from(weight.as_units()), *replicas)).collect()
}

fn over(shares: &Shares, serving: &[(u32, u32)], turn: u32) -> Spread {
    let all = sum(serving);
    let of = |(share, replicas): &(Weight, u32)| {
        let together = units(u32::from(share.as_units()), turn, all.max(1));
        (0..*replicas).map(|at| together / replicas + u32::from(at < together % replicas)).collect()
    };
    shares.iter().map(|(name, share)| (name.clone(), of(share))).collect()
}

/// The shortest turn that will do: after a change HAProxy finishes what it has begun, and that takes
/// as long as sixteen turns.
fn turn(serving: &[(u32, u32)]) -> Option<u32> {
    let all = sum(serving);
    let divides = |turn: u32| ALL.is_multiple_of(turn) && serving.iter().all(|(s, _)| (s * turn).is_multiple_of(all));
    let close = |turn: u32| {
        serving.iter().map(|(share, _)| units(*share, turn, all)).sum::<u32>() == turn
            && serving.iter().all(|(share, _)| {
                let off = (units(*share, turn, all) * all).abs_diff(share * turn);
                u64::from(off) * u64::from(ALL) < u64::from(turn) * u64::from(all)
            })
    };
    let fits = |turn: u32, how: fn(u32, u32) -> bool| {
        serving.iter().all(|(share, replicas)| {
            let together = units(*share, turn, all);
            together > 0 && together.div_ceil(*replicas) <= HIGHEST && how(together, *replicas)
        })
    };
    // Replicas of a revision get the same, or each gets something, or some of them nothing.
    let even = |together: u32, replicas: u32| together.is_multiple_of(replicas) || together / replicas >= EVEN_ENOUGH;
    let each = |together: u32, replicas: u32| together >= replicas;
    let any = |_: u32, _: u32| true;
    let longest = longest(serving);
    let exact = || (1..=longest).filter(|turn| divides(*turn));
    let near = || (1..=longest).filter(|turn| close(*turn));
    exact()
        .find(|turn| fits(*turn, even))
        .or_else(|| exact().filter(|turn| fits(*turn, each)).last())
        .or_else(|| exact().filter(|turn| fits(*turn, any)).last())
        .or_else(|| near().find(|turn| fits(*turn, even)))
        .or_else(|| near().filter(|turn| fits(*turn, any)).last())
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
    let serving = || shares.iter().filter(|(_, (w, _))| *w > Weight::ZERO);
    let (Some((small, (less, _))), Some((large, (more, _)))) =
        (serving().min_by_key(|(_, (w, _))| *w), serving().max_by_key(|(_, (w, _))| *w))
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
        assert_eq!(spread_of(&[(9_900, 2), (100, 1)]), [vec![99, 99], vec![2]]);
        assert_eq!(spread_of(&[(9_500, 3), (500, 1)]), [vec![32, 32, 31], vec![5]]);
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
        assert_eq!(roughly(&fine).into_values().collect::<Vec<_>>(), [[256], [1]]);
        // More replicas make finer ones.
        assert!(spread(&shares(&[(9_990, 4), (10, 1)])).is_some());
    }

    proptest! {
        #[test]
        fn every_split_adds_up_and_is_as_exact_as_it_says(
            small in 1u16..5_000, one in 1u32..6, other in 1u32..6
        ) {
            let asked = shares(&[(10_000 - small, one), (small, other)]);
            let Some(got) = spread(&asked) else { return Ok(()) };
            let all: u32 = got.values().flatten().sum();
            for (name, weights) in &got {
                prop_assert!(weights.iter().all(|w| *w <= HIGHEST), "{got:?}");
                prop_assert_eq!(weights.len(), asked[name].1 as usize);
                let together: u32 = weights.iter().sum();
                let share = u32::from(asked[name].0.as_units());
                prop_assert!((together * ALL).abs_diff(share * all) < all, "{got:?}");
            }
        }

        #[test]
        fn whole_percents_are_always_exact(percent in 1u16..100, one in 1u32..9, other in 1u32..9) {
            let asked = shares(&[(10_000 - percent * 100, one), (percent * 100, other)]);
            let got = spread(&asked);
            prop_assert!(got.is_some());
            let got = got.unwrap_or_default();
            let all: u32 = got.values().flatten().sum();
            prop_assert!(ALL.is_multiple_of(all), "{got:?}");
            prop_assert_eq!(got["v1"].iter().sum::<u32>() * ALL, u32::from(percent) * 100 * all);
        }
    }
}
