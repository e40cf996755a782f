//! Everything told so far, by task.

use std::collections::{BTreeSet, HashMap};

use warmfront_core::{
    Candidate, Fidelity, Observation, ObservationFault, SearchSpace, StrategyError, UnitPoint,
};
use warmfront_linalg::Mat;
use warmfront_pareto::{Points, non_dominated};

use super::parametric::PoolTask;

/// One task of the pool.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) at: UnitPoint,
    /// Rows of the archive that belong to it.
    pub(super) rows: Vec<usize>,
    /// Row and cost of its best evaluation, where there is one objective.
    pub(super) best: Option<(usize, f64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) point: UnitPoint,
    pub(super) task: usize,
    /// Of each objective; empty for a failed trial.
    pub(super) costs: Vec<Option<f64>>,
}

impl Row {
    /// The cost, where there is one objective.
    fn only_cost(&self) -> Option<f64> {
        self.costs.first().copied().flatten()
    }
}

/// Observations and the tasks they belong to, in the order of their first mention.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    dim: usize,
    task_dim: usize,
    objectives: usize,
    trials: BTreeSet<u64>,
    rows: Vec<Row>,
    tasks: Vec<Task>,
    index: HashMap<UnitPoint, usize>,
}

impl Archive {
    pub(super) fn new(dim: usize, task_dim: usize) -> Self {
        Self::of_objectives(dim, task_dim, 1)
    }

    pub(super) fn of_objectives(dim: usize, task_dim: usize, objectives: usize) -> Self {
        Self {
            dim,
            task_dim,
            objectives,
            trials: BTreeSet::new(),
            rows: Vec::new(),
            tasks: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Adds a batch: all of it or, on an error, none of it.
    ///
    /// # Errors
    /// For a wrong shape, a missing task, a trial told before and an evaluation below the full budget.
    pub(super) fn extend(
        &mut self,
        space: &SearchSpace,
        batch: &[Observation],
    ) -> Result<(), StrategyError> {
        let mut fresh = BTreeSet::new();
        for observation in batch {
            observation.check(self.dim, self.objectives)?;
            let trial = observation.trial;
            let invalid = |fault| Err(StrategyError::InvalidObservation { trial, fault });
            if let Some(fault) = self.fault(&observation.candidate) {
                return invalid(fault);
            }
            if self.trials.contains(&trial.0) || !fresh.insert(trial.0) {
                return invalid(ObservationFault::Repeated);
            }
        }
        for observation in batch {
            let Some(at) = &observation.candidate.task else {
                continue;
            };
            let costs = observation.outcome.costs();
            let costs = costs.map_or_else(Vec::new, |costs| costs.values().to_vec());
            self.insert_costs(at, space.canonical(&observation.candidate.point), costs);
        }
        self.trials.append(&mut fresh);
        Ok(())
    }

    /// Adds one evaluation of the only objective without a trial.
    pub(super) fn insert(&mut self, at: &UnitPoint, point: UnitPoint, cost: Option<f64>) {
        self.insert_costs(at, point, vec![cost]);
    }

    /// Adds one evaluation, without costs if it failed.
    fn insert_costs(&mut self, at: &UnitPoint, point: UnitPoint, costs: Vec<Option<f64>>) {
        let best = match costs.as_slice() {
            [only] => *only,
            _ => None,
        };
        let task = self.task(at);
        let row = self.rows.len();
        self.rows.push(Row { point, task, costs });
        let task = &mut self.tasks[task];
        task.rows.push(row);
        if let Some(cost) = best
            && task.best.is_none_or(|(_, best)| cost < best)
        {
            task.best = Some((row, cost));
        }
    }

    /// What is wrong with the task or the budget of a candidate.
    pub(super) fn fault(&self, candidate: &Candidate) -> Option<ObservationFault> {
        let Some(task) = &candidate.task else {
            return Some(ObservationFault::MissingTask);
        };
        if task.dim() != self.task_dim {
            return Some(ObservationFault::TaskDimension {
                expected: self.task_dim,
                found: task.dim(),
            });
        }
        let partial = candidate.fidelity.filter(|&f| f < Fidelity::FULL);
        partial.map(|fidelity| ObservationFault::Fidelity {
            found: fidelity.value(),
        })
    }

    /// The index of a task, which joins the pool if it is new.
    pub(super) fn task(&mut self, at: &UnitPoint) -> usize {
        if let Some(&index) = self.index.get(at) {
            return index;
        }
        let index = self.tasks.len();
        self.tasks.push(Task {
            at: at.clone(),
            rows: Vec::new(),
            best: None,
        });
        self.index.insert(at.clone(), index);
        index
    }

    pub(super) fn find(&self, at: &UnitPoint) -> Option<usize> {
        self.index.get(at).copied()
    }

    pub(super) fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn task_dim(&self) -> usize {
        self.task_dim
    }

    pub(super) fn objectives(&self) -> usize {
        self.objectives
    }

    /// Whether any evaluation succeeded.
    pub(super) fn has_costs(&self) -> bool {
        self.tasks.iter().any(|task| task.best.is_some())
    }

    /// Costs of all rows; a failed trial counts as the worst cost seen so far, of any task.
    pub(super) fn costs(&self) -> Vec<f64> {
        let worst = self
            .rows
            .iter()
            .filter_map(Row::only_cost)
            .fold(f64::NEG_INFINITY, f64::max);
        self.rows
            .iter()
            .map(|row| row.only_cost().unwrap_or(worst))
            .collect()
    }

    /// Rows of a task with all their costs, in order.
    pub(super) fn complete(&self, task: usize) -> Vec<(usize, Vec<f64>)> {
        let rows = self.tasks[task].rows.iter();
        rows.filter_map(|&row| {
            let costs: Option<Vec<f64>> = self.rows[row].costs.iter().copied().collect();
            costs.filter(|c| !c.is_empty()).map(|costs| (row, costs))
        })
        .collect()
    }

    /// The non-dominated of the [`complete`](Self::complete) rows of a task.
    pub(super) fn front(&self, task: usize) -> Vec<(usize, Vec<f64>)> {
        let all = self.complete(task);
        let flat: Vec<f64> = all.iter().flat_map(|(_, costs)| costs.clone()).collect();
        let Ok(points) = Points::new(&flat, self.objectives) else {
            return Vec::new();
        };
        non_dominated(points)
            .into_iter()
            .map(|i| all[i].clone())
            .collect()
    }

    /// Inputs `(x, θ)` of the given rows, `n×(V + D)`.
    pub(super) fn joint(&self, rows: &[usize]) -> Mat<f64> {
        Mat::from_fn(rows.len(), self.dim + self.task_dim, |i, k| {
            let row = &self.rows[rows[i]];
            if k < self.dim {
                row.point.coords()[k]
            } else {
                self.tasks[row.task].at.coords()[k - self.dim]
            }
        })
    }

    /// Solutions of the given rows, `n×V`.
    pub(super) fn solutions(&self, rows: &[usize]) -> Mat<f64> {
        Mat::from_fn(rows.len(), self.dim, |i, k| {
            self.rows[rows[i]].point.coords()[k]
        })
    }

    /// Indices of the tasks with a successful evaluation.
    pub(super) fn solved(&self) -> Vec<usize> {
        (0..self.tasks.len())
            .filter(|&t| self.tasks[t].best.is_some())
            .collect()
    }

    /// Whether a task has been evaluated within `distance` of a solution in every coordinate.
    pub(super) fn has_near(&self, task: usize, x: &[f64], distance: f64) -> bool {
        self.tasks[task].rows.iter().any(|&row| {
            let own = self.rows[row].point.coords();
            own.iter().zip(x).all(|(a, b)| (a - b).abs() <= distance)
        })
    }

    /// The best solution evaluated for a task.
    pub(super) fn best_point(&self, task: usize) -> Option<&UnitPoint> {
        self.tasks[task].best.map(|(row, _)| &self.rows[row].point)
    }

    /// All tasks as the caller sees them; `added` says which of them the method chose.
    pub(super) fn pool(&self, added: &dyn Fn(&UnitPoint) -> bool) -> Vec<PoolTask> {
        let tasks = self.tasks.iter().enumerate();
        tasks
            .map(|(t, task)| PoolTask {
                task: task.at.clone(),
                best: task
                    .best
                    .and_then(|(_, cost)| Some((self.best_point(t)?.clone(), cost))),
                added: added(&task.at),
            })
            .collect()
    }
}
