//! What a strategy has been told about its target task, and the view of it that models are fitted to.

use std::collections::BTreeSet;

use warmfront_core::{
    Candidate, Fidelity, Observation, ObservationFault, SearchSpace, StrategyError, UnitPoint,
};
use warmfront_linalg::Mat;

/// Complete observations of the target task, as models see them.
///
/// Rows are in the order in which they were told, so that the data of one fit is a prefix of the
/// data of the next (imputed costs of failed trials may change, inputs never do).
#[derive(Debug, Clone, PartialEq)]
pub struct TargetData {
    /// Inputs, `n×d`, in the unit cube and canonical (rounded as the space rounds them).
    pub x: Mat<f64>,
    /// Costs, `n×m`, all finite.
    pub y: Mat<f64>,
}

impl TargetData {
    /// No observation yet, of `d` inputs and `m` objectives.
    #[must_use]
    pub fn empty(d: usize, m: usize) -> Self {
        Self {
            x: Mat::zeros(0, d),
            y: Mat::zeros(0, m),
        }
    }

    /// Number of observations `n`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there is no observation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of objectives `m`.
    #[must_use]
    pub fn num_objectives(&self) -> usize {
        self.y.ncols()
    }
}

/// How a trial that failed, or whose costs are incomplete, enters the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailurePolicy {
    /// As the worst cost seen so far in each objective that it lacks, so that the region is avoided.
    #[default]
    ImputeWorst,
    /// As the median of the costs seen so far in each objective that it lacks.
    ImputeMedian,
    /// Not at all; its point is only never proposed again.
    Ignore,
}

/// Checks that every pending candidate is a point of `space`.
pub(crate) fn check_pending(
    space: &SearchSpace,
    pending: &[Candidate],
) -> Result<(), StrategyError> {
    for (index, candidate) in pending.iter().enumerate() {
        let (expected, found) = (space.dim(), candidate.point.dim());
        if found != expected {
            let fault = ObservationFault::Dimension { expected, found };
            return Err(StrategyError::InvalidPending { index, fault });
        }
    }
    Ok(())
}

/// Everything told so far.
#[derive(Debug, Clone)]
pub(crate) struct TrialLog {
    dim: usize,
    objectives: usize,
    policy: FailurePolicy,
    trials: BTreeSet<u64>,
    rows: Vec<(UnitPoint, Vec<Option<f64>>)>,
}

impl TrialLog {
    pub(crate) fn new(dim: usize, objectives: usize, policy: FailurePolicy) -> Self {
        Self {
            dim,
            objectives,
            policy,
            trials: BTreeSet::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a batch: all of it or, on an error, none of it.
    ///
    /// # Errors
    /// [`StrategyError::InvalidObservation`] for a wrong shape, a trial told before, an evaluation
    /// below the full budget and one of another task: no model here knows fidelities or tasks.
    pub(crate) fn extend(
        &mut self,
        space: &SearchSpace,
        batch: &[Observation],
    ) -> Result<(), StrategyError> {
        let mut fresh = BTreeSet::new();
        for observation in batch {
            observation.check(self.dim, self.objectives)?;
            let trial = observation.trial;
            let repeated = self.trials.contains(&trial.0) || !fresh.insert(trial.0);
            let partial = observation.candidate.fidelity;
            let fault = match partial.filter(|&fidelity| fidelity < Fidelity::FULL) {
                _ if repeated => ObservationFault::Repeated,
                _ if observation.candidate.task.is_some() => ObservationFault::Task,
                Some(fidelity) => ObservationFault::Fidelity {
                    found: fidelity.value(),
                },
                None => continue,
            };
            return Err(StrategyError::InvalidObservation { trial, fault });
        }
        for observation in batch {
            let costs = match observation.outcome.costs() {
                Some(costs) => costs.values().to_vec(),
                None => vec![None; self.objectives],
            };
            self.rows
                .push((space.canonical(&observation.candidate.point), costs));
        }
        self.trials.append(&mut fresh);
        Ok(())
    }

    /// Number of trials told, failed ones included.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All points told, in order.
    pub(crate) fn points(&self) -> impl Iterator<Item = &UnitPoint> {
        self.rows.iter().map(|(point, _)| point)
    }

    /// All trials told, in order: where, and the costs that are known (none if it failed).
    pub(crate) fn rows(&self) -> &[(UnitPoint, Vec<Option<f64>>)] {
        &self.rows
    }

    /// The trials that a model is fitted to, by their position in the log, with missing costs
    /// treated as the policy says.
    pub(crate) fn usable(&self) -> Vec<(usize, Vec<f64>)> {
        let costs: Vec<&[Option<f64>]> = self.rows.iter().map(|row| row.1.as_slice()).collect();
        impute(&costs, self.policy)
            .into_iter()
            .enumerate()
            .filter_map(|(at, costs)| Some((at, costs?)))
            .collect()
    }

    /// The rows that a model is fitted to, with missing costs treated as the policy says.
    pub(crate) fn target_data(&self) -> TargetData {
        let rows = self.usable();
        let point = |i: usize| self.rows[rows[i].0].0.coords();
        TargetData {
            x: Mat::from_fn(rows.len(), self.dim, |i, k| point(i)[k]),
            y: Mat::from_fn(rows.len(), self.objectives, |i, o| rows[i].1[o]),
        }
    }
}

/// Fills missing values of each row as the policy says; `None` for a row that stays incomplete.
pub(crate) fn impute(rows: &[&[Option<f64>]], policy: FailurePolicy) -> Vec<Option<Vec<f64>>> {
    let m = rows.first().map_or(0, |row| row.len());
    let stand_in = |o: usize| {
        let mut known: Vec<f64> = rows.iter().filter_map(|row| row[o]).collect();
        known.sort_by(f64::total_cmp);
        match policy {
            FailurePolicy::ImputeWorst => known.last().copied(),
            // Halved before they are added, which could overflow.
            FailurePolicy::ImputeMedian => known
                .get(known.len() / 2)
                .map(|upper| 0.5 * upper + 0.5 * known[(known.len() - 1) / 2]),
            FailurePolicy::Ignore => None,
        }
    };
    let stand_ins: Vec<Option<f64>> = (0..m).map(stand_in).collect();
    rows.iter()
        .map(|row| {
            row.iter()
                .zip(&stand_ins)
                .map(|(cost, other)| cost.or(*other))
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use warmfront_core::{Costs, Outcome, TrialId};

    use super::*;

    fn observation(trial: u64, x: f64, outcome: Outcome) -> Observation {
        let point = UnitPoint::new([x]).expect("inside the unit cube");
        Observation {
            trial: TrialId(trial),
            candidate: Candidate::at(point),
            outcome,
        }
    }

    fn complete(costs: &[f64]) -> Outcome {
        Outcome::Complete(Costs::from_values(costs.to_vec()).expect("finite"))
    }

    #[test]
    fn failed_trials_count_as_the_worst_cost_seen() {
        let space = SearchSpace::unit_cube(1);
        let mut log = TrialLog::new(1, 2, FailurePolicy::ImputeWorst);
        let failed = || Outcome::failed("crashed");
        log.extend(&space, &[observation(0, 0.1, failed())])
            .unwrap();
        assert!(
            log.target_data().is_empty(),
            "nothing is known to impute from"
        );
        log.extend(
            &space,
            &[
                observation(1, 0.2, complete(&[1.0, 5.0])),
                observation(2, 0.3, complete(&[3.0, 4.0])),
            ],
        )
        .unwrap();
        let data = log.target_data();
        assert_eq!(
            data.y,
            warmfront_linalg::Mat::from_fn(3, 2, |i, o| [[3.0, 5.0], [1.0, 5.0], [3.0, 4.0]][i][o])
        );
        assert_eq!(log.len(), 3);
    }

    #[test]
    fn a_bad_batch_changes_nothing_and_names_the_trial() {
        let space = SearchSpace::unit_cube(1);
        let mut log = TrialLog::new(1, 2, FailurePolicy::Ignore);
        let error = log
            .extend(
                &space,
                &[
                    observation(7, 0.1, complete(&[1.0, 2.0])),
                    observation(8, 0.2, complete(&[1.0])),
                ],
            )
            .unwrap_err();
        assert!(error.to_string().contains('8'), "{error}");
        assert_eq!(log.len(), 0);
        log.extend(&space, &[observation(7, 0.1, complete(&[1.0, 2.0]))])
            .unwrap();
        assert!(
            log.extend(&space, &[observation(7, 0.5, complete(&[1.0, 2.0]))])
                .is_err()
        );
        assert_eq!(log.len(), 1);
    }
    #[test]
    fn evaluations_that_no_model_understands_are_refused() {
        let space = SearchSpace::unit_cube(1);
        let mut log = TrialLog::new(1, 1, FailurePolicy::default());
        let good = observation(0, 0.1, complete(&[1.0]));
        let with = |trial, change: fn(Candidate) -> Candidate| {
            let plain = observation(trial, 0.5, complete(&[2.0]));
            Observation {
                candidate: change(plain.candidate.clone()),
                ..plain
            }
        };
        let cheap = with(1, |candidate| {
            candidate.with_fidelity(Fidelity::new(0.25).expect("in range"))
        });
        let elsewhere = with(2, |candidate| {
            candidate.with_task(UnitPoint::new([0.5]).expect("inside"))
        });
        let full = with(3, |candidate| candidate.with_fidelity(Fidelity::FULL));
        let mut fault_of = |bad: Observation| match log.extend(&space, &[good.clone(), bad]) {
            Err(StrategyError::InvalidObservation { trial, fault }) => Some((trial.0, fault)),
            _ => None,
        };
        let partial = ObservationFault::Fidelity { found: 0.25 };
        assert_eq!(fault_of(cheap), Some((1, partial)));
        assert_eq!(fault_of(elsewhere), Some((2, ObservationFault::Task)));
        assert_eq!(log.len(), 0);
        log.extend(&space, &[good, full]).unwrap();
        assert_eq!(log.len(), 2);
    }
}
