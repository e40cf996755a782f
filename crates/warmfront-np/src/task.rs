//! Training tasks and where they come from.

use rand::Rng;

use crate::{NpError, TaskScale};

/// One black box on a finite set of candidates: encoded points and their costs.
///
/// ```
/// use warmfront_np::Task;
///
/// let task = Task::new(2, vec![0.0, 0.5, 1.0, 0.25], vec![3.0, 1.0])?;
/// assert_eq!(task.row(1), [1.0, 0.25]);
/// assert_eq!(task.regret(3.0), 1.0);
/// assert!(Task::new(2, vec![0.0, 0.5], vec![f64::NAN]).is_err());
/// # Ok::<(), warmfront_np::NpError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    dim: usize,
    x: Vec<f32>,
    costs: Vec<f64>,
    scale: TaskScale,
}

impl Task {
    /// `costs.len()` candidates; `x` is `N×dim`, row after row, in the unit cube as the space encodes
    /// points. Smaller costs are better.
    ///
    /// # Errors
    /// [`NpError::TaskShape`] if there is no candidate or `x` has another number of entries,
    /// [`NpError::TaskValue`] with the row of a value that is not finite.
    pub fn new(dim: usize, x: Vec<f32>, costs: Vec<f64>) -> Result<Self, NpError> {
        if costs.is_empty() || dim == 0 || x.len() != dim * costs.len() {
            return Err(NpError::TaskShape {
                rows: costs.len(),
                dim,
                len: x.len(),
            });
        }
        let wrong = (0..costs.len()).find(|&i| {
            !costs[i].is_finite() || x[i * dim..(i + 1) * dim].iter().any(|v| !v.is_finite())
        });
        if let Some(row) = wrong {
            return Err(NpError::TaskValue {
                row,
                cost: costs[row],
            });
        }
        let scale = TaskScale::of(&costs);
        Ok(Self {
            dim,
            x,
            costs,
            scale,
        })
    }

    /// The encoded dimension `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of candidates `N`; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a task has a candidate")]
    pub fn len(&self) -> usize {
        self.costs.len()
    }

    /// All candidates, `N×d`, row after row.
    #[must_use]
    pub fn x(&self) -> &[f32] {
        &self.x
    }

    /// One candidate.
    ///
    /// # Panics
    /// If there is none of this index.
    #[must_use]
    #[track_caller]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.x[index * self.dim..(index + 1) * self.dim]
    }

    /// The candidates of these indices, row after row.
    ///
    /// # Panics
    /// If one does not exist.
    #[must_use]
    #[track_caller]
    pub fn rows(&self, indices: &[usize]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(indices.len() * self.dim);
        for &index in indices {
            rows.extend_from_slice(self.row(index));
        }
        rows
    }

    /// The costs of all candidates.
    #[must_use]
    pub fn costs(&self) -> &[f64] {
        &self.costs
    }

    /// Mean, spread and range of the costs.
    #[must_use]
    pub fn scale(&self) -> &TaskScale {
        &self.scale
    }

    /// The normalised simple regret of a best cost: 0 at the lowest of the task, 1 at the highest.
    ///
    /// 0 on a task whose costs are all equal.
    #[must_use]
    pub fn regret(&self, best: f64) -> f64 {
        let TaskScale {
            lowest, highest, ..
        } = self.scale;
        let size = lowest.abs().max(highest.abs());
        let span = highest / size - lowest / size;
        // Also false for the NaN of costs that are all zero.
        if span > 0.0 {
            (best / size - lowest / size) / span
        } else {
            0.0
        }
    }
}

/// A distribution of tasks to train on.
///
/// Training calls it from several threads at once, each call with a stream of its own.
pub trait TaskSource: Sync {
    /// The encoded dimension of its tasks.
    fn dim(&self) -> usize;

    /// A task with `candidates` candidates, or with fewer (at least 2) where there are not so many.
    fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task;

    /// What to call it in records.
    fn name(&self) -> &str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_of_ugly_costs() {
        let check = |costs: Vec<f64>, best: f64, expected: f64| {
            let task = Task::new(1, vec![0.5; costs.len()], costs).unwrap();
            assert!((task.regret(best) - expected).abs() < 1e-12);
        };
        check(vec![1.0, 3.0, 2.0], 2.0, 0.5);
        check(vec![-1e308, 1e308], 0.0, 0.5);
        check(vec![2.0; 3], 2.0, 0.0);
        check(vec![0.0; 3], 0.0, 0.0);
    }

    #[test]
    fn bad_tasks_name_the_row() {
        let shape = Task::new(2, vec![0.0; 5], vec![0.0; 2]);
        assert!(matches!(shape, Err(NpError::TaskShape { len: 5, .. })));
        assert!(Task::new(1, vec![], vec![]).is_err());
        let value = Task::new(1, vec![0.0, f32::NAN], vec![0.0; 2]);
        assert!(matches!(value, Err(NpError::TaskValue { row: 1, .. })));
    }
}
