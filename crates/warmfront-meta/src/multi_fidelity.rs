//! Evaluations of partial budget: rungs, what was told at which fidelity, who is continued, what it costs.
//!
//! Everything here is stateless: the next action is computed from the [`FidelityLog`] and the list
//! of pending candidates alone, so that a strategy built on it can be asked twice, resumed from a
//! log, and served by workers that finish out of order.
//!
//! [`SuccessiveHalving`] is asynchronous (ASHA, MO-ASHA); [`HyperBand`] runs its synchronous
//! brackets, whose position follows from the log as well. Both say what to do
//! ([`Action`]): continue a configuration one rung higher, or start a new one, which the caller
//! draws as its method wants ([`fresh_point`](FidelityLog::fresh_point) avoids repeats).
//!
//! # References
//! Li et al. 2018 (HyperBand); Li et al. 2020 (ASHA); Schmucker et al. 2021 (arXiv 2106.12639,
//! MO-ASHA).

mod budget;
mod halving;
mod hyperband;
mod log;
mod order;
mod rungs;

use rand::Rng;
use warmfront_core::{Candidate, UnitPoint};

pub use budget::FidelityBudget;
pub use halving::{PromotionRule, SuccessiveHalving};
pub use hyperband::{Bracket, HyperBand};
pub use log::{FidelityLog, LogEntry};
pub use order::FrontOrder;
pub use rungs::Rungs;

/// What to evaluate next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Continue this configuration at the fidelity of this rung.
    Promote {
        /// The configuration, canonical.
        point: UnitPoint,
        /// The rung to evaluate it at.
        rung: usize,
    },
    /// Evaluate a new configuration at the fidelity of this rung.
    Start {
        /// The rung to evaluate it at.
        rung: usize,
    },
}

impl Action {
    /// The rung of the evaluation.
    #[must_use]
    pub fn rung(&self) -> usize {
        match self {
            Self::Promote { rung, .. } | Self::Start { rung } => *rung,
        }
    }
}

/// Decides which configuration gets how much budget.
///
/// Implementors keep no state; whoever asks for several actions appends each to `pending`.
pub trait Scheduler {
    /// The rungs it works on.
    fn rungs(&self) -> &Rungs;

    /// The next action, given everything told and everything still running.
    fn next(&self, log: &FidelityLog, pending: &[Candidate], rng: &mut dyn Rng) -> Action;
}
