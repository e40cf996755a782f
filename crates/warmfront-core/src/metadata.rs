//! Evaluations of earlier, related tasks.

use crate::{Observation, StrategyError, UnitPoint};

/// Everything known about one earlier task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskRecord {
    /// Where the task lies in the space of tasks, if that is known.
    pub descriptor: Option<UnitPoint>,
    /// Its evaluations, in the order they were made.
    pub observations: Vec<Observation>,
}

impl TaskRecord {
    /// A task without a descriptor.
    #[must_use]
    pub fn new(observations: Vec<Observation>) -> Self {
        Self {
            descriptor: None,
            observations,
        }
    }

    /// The points whose costs are all known, with those costs, in order.
    ///
    /// Neither fidelities nor tasks of the candidates are looked at: an evaluation at a part of the
    /// budget counts like a full one. Leave such observations out of a record whose reader does
    /// not model fidelities.
    pub fn complete(&self) -> impl Iterator<Item = (&UnitPoint, Vec<f64>)> {
        self.observations.iter().filter_map(|observation| {
            let costs = observation.outcome.costs()?.complete()?;
            Some((&observation.candidate.point, costs))
        })
    }
}

/// The earlier tasks a strategy may learn from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetaDataset {
    /// The tasks; their order is part of the data.
    pub tasks: Vec<TaskRecord>,
}

impl MetaDataset {
    /// A collection of tasks.
    #[must_use]
    pub fn new(tasks: Vec<TaskRecord>) -> Self {
        Self { tasks }
    }

    /// Number of tasks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there are no tasks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Checks the shape of every observation, see [`Observation::check`].
    ///
    /// # Errors
    /// The first observation that does not fit.
    pub fn check(&self, dim: usize, objectives: usize) -> Result<(), StrategyError> {
        self.tasks
            .iter()
            .flat_map(|task| &task.observations)
            .try_for_each(|observation| observation.check(dim, objectives))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Candidate, Costs, Fidelity, Outcome, TrialId};

    #[test]
    fn complete_skips_failures_and_missing_costs() {
        let observe = |trial, outcome| Observation {
            trial: TrialId(trial),
            candidate: Candidate::at(UnitPoint::new([trial as f64 / 10.0]).expect("inside")),
            outcome,
        };
        let missing = Costs::new(vec![Some(1.0), None]).expect("finite");
        let whole = Costs::from_values(vec![1.0, 2.0]).expect("finite");
        let task = TaskRecord::new(vec![
            observe(0, Outcome::failed("crash")),
            observe(1, Outcome::Complete(missing)),
            observe(2, Outcome::Complete(whole)),
        ]);
        let kept: Vec<_> = task.complete().collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.coords(), [0.2]);
        assert_eq!(kept[0].1, [1.0, 2.0]);

        let mut cheap = task.clone();
        for observation in &mut cheap.observations {
            observation.candidate.fidelity = Some(Fidelity::new(0.1).expect("in range"));
        }
        assert!(cheap.complete().eq(task.complete()));

        let meta = MetaDataset::new(vec![task, TaskRecord::default()]);
        assert_eq!(meta.len(), 2);
        assert!(meta.check(1, 2).is_ok());
        assert!(meta.check(2, 2).is_err());
    }
}
