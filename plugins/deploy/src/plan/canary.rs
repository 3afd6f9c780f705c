//! Canary: more and more of the traffic, with time to judge between. The previous revision keeps all of its containers,
//! so that it can take everything back at any moment.

use windlass_plugin::traffic::FULL;

use super::{Move, Wait, Why, preview, switch};
use crate::order::{Order, Stage};

pub(super) fn moves(order: &Order, stages: &[Stage]) -> Vec<Move> {
    let mut moves = Vec::new();
    let (mut running, mut weight) = (0, 0);
    for (at, stage) in stages.iter().enumerate() {
        if stage.replicas > running {
            moves.push(Move::Grow(stage.replicas));
            running = stage.replicas;
        }
        if at == 0 {
            moves.extend(preview(order));
        }
        weight = stage.weight;
        moves.push(Move::Shift(weight));
        moves.extend(stage.pause.map(|pause| Move::Wait(Wait { pause, why: Why::Step(weight) })));
    }
    if running < order.replicas {
        moves.push(Move::Grow(order.replicas));
    }
    if weight < FULL {
        moves.extend(switch(order));
    }
    moves
}
