//! The smooth weighted wheel: who gets the next request.
//!
//! All turns are worked out beforehand, in hundredths of a percent, so a request takes one atomic
//! step, and any 10,000 requests in a row are split exactly as the shares say, however many
//! connections they come from.

use std::sync::atomic::{AtomicU64, Ordering};

/// Nobody can serve this turn.
const NOBODY: u8 = u8::MAX;

/// A finished wheel.
#[derive(Debug)]
pub(crate) struct Wheel {
    shares: Vec<u16>,
    turns: Vec<u8>,
    at: AtomicU64,
}

impl Wheel {
    /// Shares in hundredths of a percent, at most 10,000 together; what is missing is nobody's.
    pub(crate) fn new(shares: Vec<u16>) -> Self {
        let sum: u32 = shares.iter().map(|s| u32::from(*s)).sum();
        let nobody = 10_000_u32.saturating_sub(sum);
        let all: Vec<u32> = shares.iter().map(|s| u32::from(*s)).chain([nobody]).collect();
        let divisor = all.iter().copied().fold(0, gcd).max(1);
        let total = all.iter().sum::<u32>() / divisor;
        let mut current = vec![0_i64; all.len()];
        let mut turns = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        for _ in 0..total {
            for (credit, share) in current.iter_mut().zip(&all) {
                *credit += i64::from(share / divisor);
            }
            let best = (0..all.len()).max_by_key(|i| (current[*i], std::cmp::Reverse(*i))).unwrap_or(0);
            current[best] -= i64::from(total);
            let last = best == shares.len();
            turns.push(if last { NOBODY } else { u8::try_from(best).unwrap_or(NOBODY) });
        }
        Self { shares, turns, at: AtomicU64::new(0) }
    }

    /// Whose turn it is, as the place of its share.
    pub(crate) fn next(&self) -> Option<usize> {
        let at = self.at.fetch_add(1, Ordering::Relaxed) % self.turns.len() as u64;
        let turn = self.turns.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or(NOBODY);
        (turn != NOBODY).then_some(usize::from(turn))
    }

    pub(crate) fn shares(&self) -> &[u16] {
        &self.shares
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What a revision stands for in [`shares`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    /// Declared, in hundredths of a percent.
    pub(crate) weight: u16,
    /// The cap of the replicas that are ready now.
    pub(crate) cap: u16,
}

/// Turns declared weights into shares, as replicas are ready now. A revision without any gets
/// nothing. Its part goes to the others that have a weight, up to their caps, the strongest first;
/// what they cannot take is nobody's. A revision that lost some of its replicas keeps its weight: the
/// loss of a replica must not become the loss of requests.
pub(crate) fn shares(stands: &[Stand]) -> Vec<u16> {
    let mut shares: Vec<u16> = stands.iter().map(|s| if s.cap == 0 { 0 } else { s.weight }).collect();
    let wanted: u32 = stands.iter().map(|s| u32::from(s.weight)).sum();
    let mut left = wanted - shares.iter().map(|s| u32::from(*s)).sum::<u32>();
    let mut order: Vec<usize> = (0..stands.len()).filter(|i| shares[*i] > 0).collect();
    order.sort_by_key(|i| std::cmp::Reverse(shares[*i]));
    for i in order {
        let room = u32::from(stands[i].cap.saturating_sub(shares[i])).min(left);
        shares[i] += u16::try_from(room).unwrap_or(0);
        left -= room;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stand(weight: u16, cap: u16) -> Stand {
        Stand { weight, cap }
    }

    #[test]
    fn an_unready_revision_hands_its_part_on_as_far_as_there_is_room() {
        assert_eq!(shares(&[stand(9_500, 10_000), stand(500, 0)]), [10_000, 0]);
        assert_eq!(shares(&[stand(9_500, 0), stand(500, 1_000)]), [0, 1_000]);
        assert_eq!(shares(&[stand(10_000, 5_000), stand(0, 10_000)]), [10_000, 0]);
        assert_eq!(shares(&[stand(10_000, 0), stand(0, 10_000)]), [0, 0]);
    }

    #[test]
    fn turns_of_a_small_share_are_spread() {
        let wheel = Wheel::new(vec![9_900, 100]);
        let small: Vec<usize> = (0..1_000).filter(|_| wheel.next() == Some(1)).collect();
        assert_eq!(small.len(), 10);
        assert!(small.windows(2).all(|w| w[1] - w[0] == 100), "{small:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_ten_thousand_turns_are_split_exactly(cuts in proptest::collection::vec(0u16..=10_000, 0..5), skip in 0usize..10_000) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut last = 0;
            let shares: Vec<u16> = cuts.iter().map(|c| { let s = c - last; last = *c; s }).collect();
            let wheel = Wheel::new(shares.clone());
            for _ in 0..skip { wheel.next(); }
            let mut got = vec![0u16; shares.len()];
            for _ in 0..10_000 { if let Some(i) = wheel.next() { got[i] += 1; } }
            prop_assert_eq!(got, shares);
        }
    }
}
