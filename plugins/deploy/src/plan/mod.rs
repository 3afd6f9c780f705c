//! How a deploy goes, as data: from what is asked for and what is there to a list of moves. Pure, so that every
//! strategy can be looked at without a container.

mod blue_green;
mod canary;
mod recreate;
mod rolling;

use windlass_plugin::traffic::FULL;

use crate::order::{Order, Way};
use crate::with::Pause;

/// What serves when a deploy begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    /// How many of the previous revision's containers are ready.
    pub(crate) ready: u32,
    /// How many of them carry all of the traffic.
    pub(crate) carry: u32,
}

/// One thing to do. If it fails, the deploy is aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// So many of the new revision's containers run, are healthy, pass the first smoke tests, and may get traffic.
    Grow(u32),
    /// The new revision gets this weight, the previous one the rest.
    Shift(u32),
    /// Only so many of the previous revision's containers go on; the others finish what they do and are stopped.
    Withdraw(u32),
    /// Nothing serves, and the previous revision's containers are stopped.
    TakeDown,
    /// New requests wait, for so many milliseconds at most.
    Hold(u64),
    /// They go on.
    Release,
    /// The second smoke tests.
    SmokeAfter,
    /// Time in which the new revision is judged, or a person is asked.
    Wait(Wait),
}

/// A pause and why it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// How long.
    pub(crate) pause: Pause,
    /// Why.
    pub(crate) why: Why,
}

/// Why a pause is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The new revision can be seen at its preview, and has no traffic yet.
    Preview,
    /// The step of a canary with this weight.
    Step(u32),
    /// The new revision serves everything.
    Bake,
}

/// The moves of a deploy up to its commit. `before` is what serves now; none if nothing does.
pub(crate) fn plan(order: &Order, before: Option<Before>) -> Vec<Move> {
    let mut moves = match (&order.way, before) {
        (Way::Recreate, Some(_)) => recreate::moves(order),
        // Nothing that could serve beside it: it comes up, and gets everything.
        (_, None | Some(Before { ready: 0, .. })) | (Way::BlueGreen, _) => blue_green::moves(order),
        (Way::Canary(stages), Some(_)) => canary::moves(order, stages),
        (Way::Rolling(rolling), Some(before)) => rolling::moves(order, *rolling, before),
    };
    if !order.smoke_after.is_empty() {
        moves.push(Move::SmokeAfter);
    }
    if order.bake_ms > 0 {
        let pause = Pause::For(windlass_plugin::with::Duration::from_millis(order.bake_ms));
        moves.push(Move::Wait(Wait { pause, why: Why::Bake }));
    }
    moves
}

/// All of the traffic to the new revision, while requests wait if they shall.
fn switch(order: &Order) -> Vec<Move> {
    match order.hold_ms {
        0 => vec![Move::Shift(FULL)],
        limit => vec![Move::Hold(limit), Move::Shift(FULL), Move::Release],
    }
}

/// The time in which there is only a preview.
fn preview(order: &Order) -> Option<Move> {
    let pause = order.preview.as_ref()?.pause?;
    Some(Move::Wait(Wait { pause, why: Why::Preview }))
}

#[cfg(test)]
mod tests;
