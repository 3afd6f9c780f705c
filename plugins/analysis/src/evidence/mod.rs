//! Evidence that the canary is worse than the baseline beside it, which may be looked at as often as one likes.
//!
//! Source: Turner, Ly, Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
//! stopping" (JSPI 230, 2024; arXiv:2106.02693); nulls with a minimum effect: Turner, Grünwald (arXiv:2203.09785).
//!
//! An *e-variable* is a number that comes out as 1 or less on average if the canary is no worse. Multiplied over
//! intervals it is a wealth that a gambler against the canary can hardly make grow: the chance that it *ever* reaches
//! 1/alpha is at most alpha, whatever the moment of looking (Ville's inequality). What the gambler bets on may depend
//! on everything seen before the interval, and on the interval's numbers of requests, but not on its outcomes.
//!
//! Since every interval compares the two revisions with each other only, an error rate that goes up and down for both
//! does no harm.

mod block;
mod latency;
mod process;

pub use block::{Alternative, Side, Table, ln_e_value};
pub use latency::{LatencyEvidence, Threshold};
pub use process::Evidence;

/// ln of the mean of what is given as ln; of nothing it is ln 1.
fn ln_mean(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() || !most.is_finite() {
        return if values.is_empty() { 0.0 } else { most };
    }
    let sum: f64 = values.iter().map(|v| (v - most).exp()).sum();
    most + (sum / values.len() as f64).ln()
}
