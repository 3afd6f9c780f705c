//! Blue-green: the new revision comes up beside the previous one, and then gets all of the traffic at once. Until it is
//! committed, the previous one runs on, so that going back is one change of weights.

use super::{Move, preview, switch};
use crate::order::Order;

pub(super) fn moves(order: &Order) -> Vec<Move> {
    let mut moves = vec![Move::Grow(order.replicas)];
    moves.extend(preview(order));
    moves.extend(switch(order));
    moves
}
