//! Where the improved method spends its evaluations: on solving known tasks, or on new ones.

use rand::{Rng, RngExt};
use warmfront_core::UnitPoint;
use warmfront_gp::Surrogate;
use warmfront_linalg::Mat;

use super::alignment::UnifiedGp;
use super::archive::Archive;
use super::information::condition_on;
use super::rounds::grid_tasks;
use super::rows::{Trusted, least_regrets};
use super::search::{descend_mean, space_filling};
use super::strategy::{Pmto, Slot};
use super::task_model::TaskModel;
use super::view::{TaskView, UnifiedView};
use crate::MetaError;

/// Points around a predicted solution at which its lower confidence bound is looked for.
const AROUND: usize = 8;
/// Side of the box of these points.
const SIDE: f64 = 0.2;
/// New tasks a round at most.
const MOST_NEW: usize = 4;
/// A task is not tried again after so many evaluations that all failed.
const MOST_FAILURES: usize = 2;
/// Tasks with less than this share of the largest gap wait for another round.
const SMALLEST_SHARE: f64 = 0.1;
/// An evaluation this near in every coordinate has tried a solution.
const NEAR: f64 = 0.03;
/// Tasks whose curvatures are averaged.
const CURVED: usize = 16;

/// What the forward model says of one task.
#[derive(Debug, Clone)]
pub(super) struct Prediction {
    /// Where its mean is least.
    pub(super) x: Vec<f64>,
    /// By how much the best solution nearby may be better than the one at hand.
    pub(super) gap: f64,
}

impl Pmto {
    /// Evaluates the tasks of the pool with the largest gaps, and new tasks while the task model
    /// loses more between tasks than they have gaps.
    pub(super) fn plan_by_regret(
        &mut self,
        grid: usize,
        round: usize,
        epsilon: f64,
        evaluations_per_task: (f64, f64),
        refitted: bool,
        rng: &mut dyn Rng,
    ) -> Result<(), MetaError> {
        let Some(gp) = self.forward.unified() else {
            return Ok(());
        };
        let solved = self.archive.solved();
        let states = pool_predictions(gp, &self.archive, &solved, self.inverse.as_ref(), rng);
        let gaps: Vec<f64> = states.iter().map(|s| s.gap).collect();
        let trusted = least_regrets(&self.archive, &solved)?;
        let data = trusted.data.clone();
        let model = match &self.inverse {
            Some(last) if !refitted => {
                let hyper = last.outputs.iter().map(|o| o.hyper.clone()).collect();
                TaskModel::condition(data, hyper, None)
            }
            last => TaskModel::fit(data, false, &self.config.inverse, last.as_ref(), None),
        }?;

        let mut slots = Vec::with_capacity(round);
        if self.archive.task_dim() > 0 {
            let curvatures = mean_curvatures(gp, &self.archive, &solved, &states);
            let candidates = grid_tasks(grid, self.archive.task_dim(), rng);
            let mut choice = NewTasks::new(&model, &curvatures, &candidates);
            let between = choice.mean_loss();
            let within = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
            let (n, tasks) = (self.archive.len() as f64, self.archive.tasks().len() as f64);
            let most = (n / evaluations_per_task.0 - tasks).max(0.0) as usize;
            let least = (n / evaluations_per_task.1 - tasks).max(0.0) as usize;
            let wanted = if between > within { MOST_NEW } else { 0 };
            for _ in 0..wanted.clamp(least.min(MOST_NEW), most.max(least).min(MOST_NEW)) {
                let index = if rng.random::<f64>() < epsilon {
                    choice.next_of_grid()
                } else {
                    choice.best()
                };
                let Some(index) = index else { break };
                choice.take(index);
                let task = &candidates[index];
                slots.push(Slot {
                    task: UnitPoint::clamped(task.as_slice()),
                    point: None,
                    known: vec![model.raw_mean(task).into_iter().map(unit).collect()],
                });
            }
        }
        for slot in &slots {
            self.archive.task(&slot.task);
            self.added.push(slot.task.clone());
        }
        let expected = expected_solutions(&model, &self.archive, &solved, &trusted);
        let mut by_regret: Vec<usize> = (0..solved.len()).collect();
        by_regret.sort_by(|&a, &b| trusted.regrets[b].total_cmp(&trusted.regrets[a]));
        let caught = by_regret
            .into_iter()
            .filter(|&i| !self.archive.has_near(solved[i], &expected[i], NEAR))
            .take(round / 4);
        for i in caught {
            let point = UnitPoint::clamped(expected[i].as_slice());
            slots.push(Slot {
                task: self.archive.tasks()[solved[i]].at.clone(),
                point: Some(self.space.canonical(&point)),
                known: Vec::new(),
            });
        }
        // A task without a successful evaluation has no gap that would bring it back.
        let unlucky = (0..self.archive.tasks().len())
            .filter(|&t| {
                let task = &self.archive.tasks()[t];
                task.best.is_none() && (1..=MOST_FAILURES).contains(&task.rows.len())
            })
            .take(round / 4);
        for t in unlucky {
            let task = self.archive.tasks()[t].at.clone();
            slots.push(Slot {
                known: vec![
                    model
                        .raw_mean(task.coords())
                        .into_iter()
                        .map(unit)
                        .collect(),
                ],
                task,
                point: None,
            });
        }
        let mut order: Vec<usize> = (0..solved.len()).collect();
        order.sort_by(|&a, &b| gaps[b].total_cmp(&gaps[a]));
        // Few tasks that need it get the model's next update sooner than many that do not.
        let worth = SMALLEST_SHARE * order.first().map_or(0.0, |&first| gaps[first]);
        let needy = gaps.iter().filter(|&&gap| gap >= worth).count();
        let count = needy.clamp(round.div_ceil(4), round);
        for index in order.into_iter().take(count.saturating_sub(slots.len())) {
            let at = &self.archive.tasks()[solved[index]].at;
            slots.push(Slot {
                task: at.clone(),
                point: None,
                known: vec![
                    states[index].x.clone(),
                    model.raw_mean(at.coords()).into_iter().map(unit).collect(),
                    expected[index].clone(),
                ],
            });
        }
        self.inverse = Some(model);
        self.queue = slots.into();
        Ok(())
    }
}

/// Solutions of tasks as their neighbours suggest them: what the task model predicts without the
/// task's own row.
fn expected_solutions(
    model: &TaskModel,
    archive: &Archive,
    tasks: &[usize],
    trusted: &Trusted,
) -> Vec<Vec<f64>> {
    let mut expected: Vec<Vec<f64>> = tasks
        .iter()
        .map(|&t| model.raw_mean(archive.tasks()[t].at.coords()))
        .collect();
    for (k, (output, values)) in model.outputs.iter().zip(&model.data.solutions).enumerate() {
        for (&row, (mean, _)) in trusted.rows.iter().zip(output.leave_one_out(values)) {
            expected[row][k] = mean;
        }
    }
    for x in expected.iter_mut().flatten() {
        *x = unit(*x);
    }
    expected
}

fn unit(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

/// Least means of tasks of the pool near their best solutions and the task model's, with gaps.
pub(super) fn pool_predictions(
    gp: &UnifiedGp,
    archive: &Archive,
    tasks: &[usize],
    model: Option<&TaskModel>,
    rng: &mut dyn Rng,
) -> Vec<Prediction> {
    let v = gp.solution_dim(archive.task_dim());
    let everywhere = vec![1.0; v];
    let mut found = Vec::with_capacity(tasks.len());
    for &t in tasks {
        let task = archive.tasks()[t].at.coords();
        let view = UnifiedView::new(gp, task);
        let best = archive
            .best_point(t)
            .map_or_else(|| vec![0.5; v], |x| x.coords().to_vec());
        let mut least = descend_mean(&view, &best, &everywhere, 20);
        if let Some(model) = model {
            let start: Vec<f64> = model.raw_mean(task).into_iter().map(unit).collect();
            let other = descend_mean(&view, &start, &everywhere, 20);
            if other.1 < least.1 {
                least = other;
            }
        }
        found.push(least);
    }
    let solutions: Vec<&[f64]> = found.iter().map(|f| f.0.as_slice()).collect();
    let coords: Vec<&[f64]> = tasks
        .iter()
        .map(|&t| archive.tasks()[t].at.coords())
        .collect();
    let bounds = least_bounds(gp, &solutions, &coords, rng);
    found
        .into_iter()
        .zip(bounds)
        .zip(tasks)
        .map(|(((x, mean), bound), &t)| {
            let at_hand = archive.tasks()[t].best.map_or(mean, |(_, cost)| cost);
            Prediction {
                x,
                gap: (at_hand - bound).max(0.0),
            }
        })
        .collect()
}

/// The least `μ − σ` at and around one solution of each task.
pub(super) fn least_bounds(
    gp: &UnifiedGp,
    solutions: &[&[f64]],
    tasks: &[&[f64]],
    rng: &mut dyn Rng,
) -> Vec<f64> {
    let v = solutions.first().map_or(1, |x| x.len());
    let offsets = space_filling(AROUND, v, rng);
    let each = AROUND + 1;
    let shifts: Vec<Vec<f64>> = tasks.iter().map(|task| gp.shift(task)).collect();
    let joint = Mat::from_fn(each * tasks.len(), gp.gp.input_dim(), |row, k| {
        let (i, candidate) = (row / each, row % each);
        if k >= v {
            return tasks[i][k - v];
        }
        let x = solutions[i][k];
        let near = if candidate == 0 {
            x
        } else {
            unit(x + SIDE * (offsets[candidate - 1][k] - 0.5))
        };
        near - shifts[i].get(k).unwrap_or(&0.0)
    });
    let at = gp.gp.predict(joint.as_ref());
    (0..tasks.len())
        .map(|i| {
            (i * each..(i + 1) * each)
                .map(|row| at.mean[(row, 0)] - at.variance[(row, 0)].sqrt())
                .fold(f64::INFINITY, f64::min)
        })
        .collect()
}

/// Second derivatives of the forward mean by each solution coordinate, averaged over some tasks;
/// negative ones count as zero.
fn mean_curvatures(
    gp: &UnifiedGp,
    archive: &Archive,
    tasks: &[usize],
    states: &[Prediction],
) -> Vec<f64> {
    const STEP: f64 = 0.02;
    let v = gp.solution_dim(archive.task_dim());
    let count = tasks.len().min(CURVED);
    let mut sums = vec![0.0; v];
    let mut gradient = vec![0.0; v];
    for i in 0..count {
        // Evenly over the pool.
        let index = i * tasks.len() / count;
        let task = archive.tasks()[tasks[index]].at.coords();
        let view = UnifiedView::new(gp, task);
        for k in 0..v {
            let mut slope_at = |side: f64| {
                let mut x = states[index].x.clone();
                x[k] += side * STEP;
                view.mean_gradient(&x, &mut gradient);
                gradient[k]
            };
            let curvature = (slope_at(1.0) - slope_at(-1.0)) / (2.0 * STEP);
            sums[k] += curvature.max(0.0) / count as f64;
        }
    }
    sums
}

/// Greedy choice of new tasks: what would lower the expected loss between tasks most.
///
/// The loss at a task is `½ Σ_d h_d s_d²(θ)`, the second-order loss of a solution that is off by
/// the standard deviations of the task model where the cost has curvatures `h_d`.
pub(super) struct NewTasks {
    /// Of each output: posterior covariance on the grid, noise, half the curvature.
    outputs: Vec<(Mat<f64>, f64, f64)>,
    taken: Vec<bool>,
}

impl NewTasks {
    pub(super) fn new(model: &TaskModel, curvatures: &[f64], candidates: &[Vec<f64>]) -> Self {
        let outputs = model
            .outputs
            .iter()
            .zip(curvatures)
            .map(|(output, curvature)| {
                let covariance = output.covariance(candidates);
                (covariance, output.hyper.noise, 0.5 * curvature)
            })
            .collect();
        Self {
            outputs,
            taken: vec![false; candidates.len()],
        }
    }

    pub(super) fn mean_loss(&self) -> f64 {
        let n = self.taken.len().max(1) as f64;
        self.outputs
            .iter()
            .map(|(c, _, half)| half * (0..c.nrows()).map(|i| c[(i, i)].max(0.0)).sum::<f64>() / n)
            .sum()
    }

    pub(super) fn next_of_grid(&self) -> Option<usize> {
        self.taken.iter().position(|taken| !taken)
    }

    pub(super) fn best(&self) -> Option<usize> {
        let gain = |i: usize| -> f64 {
            self.outputs
                .iter()
                .map(|(c, noise, half)| {
                    let column = c.col_as_slice(i);
                    half * warmfront_linalg::dot(column, column)
                        / (column[i].max(0.0) + noise).max(f64::MIN_POSITIVE)
                })
                .sum()
        };
        let mut best: Option<(usize, f64)> = None;
        for i in (0..self.taken.len()).filter(|&i| !self.taken[i]) {
            let value = gain(i);
            if best.is_none_or(|(_, b)| value > b) {
                best = Some((i, value));
            }
        }
        best.map(|(i, _)| i)
    }

    pub(super) fn take(&mut self, index: usize) {
        self.taken[index] = true;
        for (covariance, noise, _) in &mut self.outputs {
            condition_on(covariance, index, *noise);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmto::task_gp::TaskHyper;
    use crate::pmto::task_model::InverseData;

    #[test]
    fn new_tasks_lie_where_the_task_model_knows_least() {
        // Known tasks fill the left half.
        let data = InverseData {
            tasks: Mat::from_fn(6, 1, |i, _| 0.1 * i as f64),
            solutions: vec![vec![0.5; 6]; 2],
            slack: Vec::new(),
        };
        let hyper = TaskHyper {
            lengthscales: vec![0.2],
            variance: 0.1,
            mean: 0.5,
            noise: 1e-6,
            noise_slope: 0.0,
        };
        let model = TaskModel::condition(data, vec![hyper.clone(), hyper], None).expect("regular");
        let grid: Vec<Vec<f64>> = (0..21).map(|i| vec![f64::from(i) / 20.0]).collect();
        let mut choice = NewTasks::new(&model, &[1.0, 0.0], &grid);
        let before = choice.mean_loss();
        let first = choice.best().expect("a task is left");
        // Inside the unknown half rather than at its end: what counts is the whole box.
        assert!((0.65..0.95).contains(&grid[first][0]), "{first}");
        choice.take(first);
        assert!(choice.mean_loss() < 0.5 * before);
        assert_ne!(choice.best(), Some(first));
        assert_eq!(choice.next_of_grid(), Some(0));
        // Outputs that do not matter add nothing to the loss.
        assert!(NewTasks::new(&model, &[0.0, 0.0], &grid).mean_loss() < 1e-12);
    }
}
