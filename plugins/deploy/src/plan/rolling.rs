//! Rolling: container by container. The weights follow the containers that are ready, and a container of the previous
//! revision goes only when the others carry what is left for it.

use windlass_plugin::traffic::FULL;

use super::{Before, Move};
use crate::order::Order;
use crate::with::Rolling;

pub(super) fn moves(order: &Order, rolling: Rolling, before: Before) -> Vec<Move> {
    let carry = order.serving.carry;
    let mut moves = Vec::new();
    let (mut new, mut old, mut weight) = (0, before.ready, 0);
    let ceiling = order.replicas.max(old).saturating_add(rolling.max_surge);
    while new < order.replicas || weight < FULL {
        // What the containers of the previous revision need not carry any more.
        let enough = needed(FULL - weight, before.carry);
        let goes = old.saturating_sub(enough).min(old);
        // With nothing ready beyond what is needed, only a new one can come first.
        if goes > 0 && (weight > 0 || rolling.max_unavailable > 0) {
            old -= goes;
            moves.push(Move::Withdraw(old));
        }
        let room = ceiling.saturating_sub(new + old);
        // A previous revision that may spare none, and no surge: then one more than allowed, or it would never begin.
        let comes = room.max(1).min(order.replicas - new);
        if comes > 0 {
            new += comes;
            moves.push(Move::Grow(new));
        }
        let more = share(new, carry);
        if more > weight {
            weight = more;
            moves.push(Move::Shift(weight));
        }
    }
    if old > 0 {
        moves.push(Move::Withdraw(0));
    }
    moves
}

/// The weight that so many ready containers carry, as the router reckons: up to the next hundredth.
fn share(ready: u32, carry: u32) -> u32 {
    let share = (u64::from(FULL) * u64::from(ready)).div_ceil(u64::from(carry.max(1)));
    u32::try_from(share).unwrap_or(FULL).min(FULL)
}

/// How many ready containers carry a weight.
fn needed(weight: u32, carry: u32) -> u32 {
    (0..carry).find(|ready| share(*ready, carry) >= weight).unwrap_or(carry)
}
