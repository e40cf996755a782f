//! What a strategy was told.

use std::collections::HashSet;

use warmfront_core::{
    Candidate, Fidelity, Observation, ObservationFault, SearchSpace, StrategyError, UnitPoint,
};

/// Everything told, in order; the cost is missing where a trial failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    trials: HashSet<u64>,
    rows: Vec<(UnitPoint, Option<f64>)>,
}

impl Log {
    /// Adds a batch: all of it or, on an error, none of it.
    pub(super) fn extend(
        &mut self,
        space: &SearchSpace,
        batch: &[Observation],
    ) -> Result<(), StrategyError> {
        let mut fresh = HashSet::new();
        for observation in batch {
            observation.check(space.dim(), 1)?;
            let trial = observation.trial;
            let partial = observation.candidate.fidelity;
            let fault = match partial.filter(|&fidelity| fidelity < Fidelity::FULL) {
                _ if self.trials.contains(&trial.0) || !fresh.insert(trial.0) => {
                    ObservationFault::Repeated
                }
                _ if observation.candidate.task.is_some() => ObservationFault::Task,
                Some(fidelity) => ObservationFault::Fidelity {
                    found: fidelity.value(),
                },
                None => continue,
            };
            return Err(StrategyError::InvalidObservation { trial, fault });
        }
        for observation in batch {
            let cost = observation.outcome.costs().and_then(|c| c.values()[0]);
            let point = space.canonical(&observation.candidate.point);
            self.rows.push((point, cost));
        }
        self.trials.extend(fresh);
        Ok(())
    }

    /// Number of trials told, failed ones included.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All points told, failed trials included.
    pub(super) fn points(&self) -> impl Iterator<Item = &UnitPoint> {
        self.rows.iter().map(|(point, _)| point)
    }

    /// The trials that did not fail, in order.
    pub(super) fn complete(&self) -> impl Iterator<Item = (&UnitPoint, f64)> {
        self.newest(self.rows.len())
    }

    /// Of the last `count` trials those that did not fail, in order.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = (&UnitPoint, f64)> {
        let rows = self.rows[self.rows.len() - count..].iter();
        rows.filter_map(|(point, cost)| Some((point, (*cost)?)))
    }

    /// The points of the lowest costs, best first, at most a few.
    pub(super) fn best(&self) -> Vec<&UnitPoint> {
        let mut all: Vec<_> = self.complete().collect();
        all.sort_by(|a, b| a.1.total_cmp(&b.1));
        all.into_iter().take(4).map(|(point, _)| point).collect()
    }
}

/// Checks that every pending candidate is a point of `space`.
pub(super) fn check_pending(
    space: &SearchSpace,
    pending: &[Candidate],
) -> Result<(), StrategyError> {
    let expected = space.dim();
    match pending.iter().position(|c| c.point.dim() != expected) {
        Some(index) => Err(StrategyError::InvalidPending {
            index,
            fault: ObservationFault::Dimension {
                expected,
                found: pending[index].point.dim(),
            },
        }),
        None => Ok(()),
    }
}
