//! Recreate: the previous revision is stopped before the new one starts, for what cannot run twice. Nothing serves
//! meanwhile; with `hold`, requests wait for a time instead of being refused.

use windlass_plugin::traffic::FULL;

use super::Move;
use crate::order::Order;

pub(super) fn moves(order: &Order) -> Vec<Move> {
    let mut moves = Vec::new();
    if order.hold_ms > 0 {
        moves.push(Move::Hold(order.hold_ms));
    }
    moves.extend([Move::TakeDown, Move::Grow(order.replicas), Move::Shift(FULL)]);
    if order.hold_ms > 0 {
        moves.push(Move::Release);
    }
    moves
}
