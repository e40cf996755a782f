//! The points of one `ask`, chosen one after the other, each in view of those before it.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use warmfront_core::{Candidate, SearchSpace, StrategyError, UnitPoint};

use crate::data::{TrialLog, check_pending};

/// What is no longer free while a batch is chosen.
pub(crate) struct Occupied {
    /// Pending, or chosen before in this batch: places without an outcome.
    pub(crate) busy: Vec<UnitPoint>,
    /// These and everything told, in order.
    pub(crate) known: Vec<UnitPoint>,
    /// The same as a set.
    pub(crate) taken: HashSet<UnitPoint>,
}

/// Chooses `q` different points with `next`, which gives `None` when nothing is left to choose.
///
/// # Errors
/// If a pending candidate is none of this space, or fewer than `q` points are left.
pub(crate) fn choose_batch(
    space: &SearchSpace,
    log: &TrialLog,
    q: NonZeroUsize,
    pending: &[Candidate],
    mut next: impl FnMut(&Occupied) -> Option<UnitPoint>,
) -> Result<Vec<Candidate>, StrategyError> {
    check_pending(space, pending)?;
    let busy: Vec<UnitPoint> = pending
        .iter()
        .map(|candidate| space.canonical(&candidate.point))
        .collect();
    let known: Vec<UnitPoint> = log.points().chain(&busy).cloned().collect();
    let taken = known.iter().cloned().collect();
    let mut occupied = Occupied { busy, known, taken };
    let mut picks = Vec::with_capacity(q.get());
    for _ in 0..q.get() {
        let Some(point) = next(&occupied) else {
            return Err(StrategyError::Exhausted {
                requested: q.get(),
                available: picks.len(),
            });
        };
        occupied.taken.insert(point.clone());
        occupied.known.push(point.clone());
        occupied.busy.push(point.clone());
        picks.push(Candidate::at(point));
    }
    Ok(picks)
}
