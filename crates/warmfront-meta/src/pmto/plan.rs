//! Evaluations that are decided before they are asked for, and what was noted about each.

use std::collections::VecDeque;

use warmfront_core::{Candidate, ObservationFault, SearchSpace, StrategyError, UnitPoint};

use super::archive::Archive;

/// A queue of planned candidates.
#[derive(Debug, Clone)]
pub(super) struct Plan<T> {
    slots: VecDeque<(Candidate, T)>,
}

impl<T> Default for Plan<T> {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
        }
    }
}

impl<T> Plan<T> {
    pub(super) fn push(&mut self, task: &UnitPoint, point: UnitPoint, note: T) {
        let candidate = Candidate::at(point).with_task(task.clone());
        self.slots.push_back((candidate, note));
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes an evaluated candidate off the queue, if it is on it.
    pub(super) fn told(&mut self, candidate: &Candidate) -> Option<T> {
        let same = |(planned, _): &(Candidate, T)| {
            planned.point == candidate.point && planned.task == candidate.task
        };
        let position = self.slots.iter().position(same)?;
        self.slots.remove(position).map(|(_, note)| note)
    }

    /// The first `q` planned candidates that are not being evaluated; fewer if there are not as many.
    pub(super) fn next(&self, q: usize, pending: &[Candidate]) -> Vec<Candidate> {
        let mut waiting: Vec<&Candidate> = pending.iter().collect();
        let mut picks = Vec::with_capacity(q);
        for (candidate, _) in &self.slots {
            if picks.len() == q {
                break;
            }
            let same =
                |other: &&Candidate| other.point == candidate.point && other.task == candidate.task;
            match waiting.iter().position(same) {
                Some(position) => {
                    waiting.swap_remove(position);
                }
                None => picks.push(candidate.clone()),
            }
        }
        picks
    }
}

/// Refuses pending candidates that do not fit the space or the box of tasks.
pub(super) fn check_pending(
    archive: &Archive,
    space: &SearchSpace,
    pending: &[Candidate],
) -> Result<(), StrategyError> {
    for (index, candidate) in pending.iter().enumerate() {
        let (expected, found) = (space.dim(), candidate.point.dim());
        let fault = if found != expected {
            Some(ObservationFault::Dimension { expected, found })
        } else {
            archive.fault(candidate)
        };
        if let Some(fault) = fault {
            return Err(StrategyError::InvalidPending { index, fault });
        }
    }
    Ok(())
}
