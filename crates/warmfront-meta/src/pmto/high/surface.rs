//! Quadratic cost surfaces of all tasks at once, whose minimisers move smoothly with the task.

use rayon::prelude::*;
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef, axpy, dot, gram};

use super::prior::{self, Smoother};
use super::rows::{Columns, Rows};
use crate::MetaError;
use crate::pmto::archive::Archive;
use crate::pmto::task_gp::{TaskGp, TaskHyper};
use crate::pmto::task_model::{InverseData, TaskModel};

/// Rounds of weights, curvatures, messages and noise in one update.
const ROUNDS: usize = 6;
/// Sweeps over all coordinates in each, at most.
const SWEEPS: usize = 30;
/// A sweep that moves no solution further is the last.
const SETTLED: f64 = 1e-4;
/// Degrees of freedom of Student's t distribution of the residuals.
const TAILS: f64 = 6.0;
/// Least noise variance of standardised costs.
const NOISE_FLOOR: f64 = 1e-7;
/// Least information of a task's rows about a coordinate: a standard deviation of 3 says nothing.
const LEAST_INFORMATION: f64 = 0.1;
/// Change of the noise in one round, at most, as a factor.
const CHANGE: f64 = 4.0;
/// Messages lie no further outside the unit box than this.
const OUTSIDE: f64 = 1.0;
/// Likelihoods for each start of a fit of hyperparameters.
const FIT_EVALUATIONS: usize = 30;

/// `y = c_t + Σ_j h_j (x_j − μ_j(θ_t))² + ε` for the tasks `t`, with a Gaussian process for each `μ_j`.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    dim: usize,
    /// Indices in the archive of the tasks that are modelled.
    pub(super) tasks: Vec<usize>,
    /// Posterior means of the solutions, `V` columns over the tasks; they may leave the box.
    pub(super) solutions: Vec<Vec<f64>>,
    messages: Vec<Vec<f64>>,
    slack: Vec<f64>,
    pub(super) curvatures: Vec<f64>,
    /// Variance of the curvatures over their squared mean.
    spread: f64,
    /// Noise variance at a solution, and its growth with the fourth power of the distance from it.
    pub(super) noise: (f64, f64),
    hyper: Vec<TaskHyper>,
    /// Fitted over stated noise of the messages.
    factors: Vec<f64>,
    /// Evaluations at the last fit of hyperparameters.
    fitted_at: usize,
    /// Curvature-weighted variance of the solutions of the known tasks.
    pub(super) within: f64,
    /// Mean variance of the surfaces at the evaluations.
    belief: f64,
}

/// Expected squares of the noise, where the surface is known up to variances `beliefs`.
fn expected_squares(residual: &[f64], variances: &[f64], beliefs: &[f64]) -> Vec<f64> {
    (0..residual.len())
        .map(|i| {
            let unknown = variances[i] * beliefs[i] / (variances[i] + beliefs[i]);
            residual[i] * residual[i] + unknown
        })
        .collect()
}

/// Precisions of rows where the surface is known up to variances `beliefs` only.
fn doubted(weights: &[f64], beliefs: &[f64]) -> Vec<f64> {
    let each = weights.iter().zip(beliefs);
    each.map(|(w, belief)| 1.0 / (1.0 / w + belief)).collect()
}

impl Surface {
    pub(super) fn new(dim: usize) -> Self {
        Self {
            dim,
            tasks: Vec::new(),
            solutions: vec![Vec::new(); dim],
            messages: vec![Vec::new(); dim],
            slack: Vec::new(),
            curvatures: vec![1.0 / (dim as f64).sqrt(); dim],
            spread: 0.05,
            noise: (1.0, 0.0),
            hyper: Vec::new(),
            factors: vec![1.0; dim],
            fitted_at: 0,
            within: f64::INFINITY,
            belief: 1.0,
        }
    }

    /// Least curvature: a smaller one could not tell slopes from solutions far outside the box.
    fn least_curvature(&self) -> f64 {
        0.1 / (self.dim.max(1) as f64).sqrt()
    }

    /// The tasks to model: at most `most`, those with the most evaluations.
    fn choose(archive: &Archive, most: usize) -> Vec<usize> {
        let mut tasks = archive.solved();
        if tasks.len() > most {
            let rows = |t: &usize| std::cmp::Reverse(archive.tasks()[*t].rows.len());
            tasks.sort_by_key(rows);
            tasks.truncate(most);
            tasks.sort_unstable();
        }
        tasks
    }

    /// Learns from everything told so far; the archive holds at least one cost.
    ///
    /// # Errors
    /// If a process cannot be fitted.
    pub(super) fn update(
        &mut self,
        archive: &Archive,
        most_tasks: usize,
        growth: f64,
    ) -> Result<(), MetaError> {
        let tasks = Self::choose(archive, most_tasks);
        self.adopt(archive, tasks)?;
        let at = self.task_matrix(archive);
        let rows = Rows::of(archive, &self.tasks, self.dim);
        if self.hyper.is_empty() {
            self.hyper = vec![prior::vague(archive.task_dim()); self.dim];
        }
        let refit = rows.len() as f64 >= growth * self.fitted_at as f64;
        let mut residual = self.residual(&rows);
        rows.centre_robustly(&mut residual);
        let mut beliefs = vec![self.belief; rows.len()];
        for round in 0..ROUNDS {
            let variances = self.noise_variances(&rows);
            let squares = expected_squares(&residual, &variances, &beliefs);
            let weights: Vec<f64> = squares
                .iter()
                .zip(&variances)
                .map(|(square, variance)| (TAILS + 1.0) / (TAILS * variance + square))
                .collect();
            if round % 2 == 0 {
                self.fit_curvatures(&rows, &doubted(&weights, &beliefs))?;
            }
            self.solve(&rows, &weights, at.as_ref(), &mut residual, &mut beliefs)?;
            if refit && round == ROUNDS / 2 {
                self.fit_hyperparameters(at.as_ref())?;
                self.fitted_at = rows.len();
            }
            self.fit_noise(&rows, &residual, &beliefs);
        }
        Ok(())
    }

    /// Moves what is known to the new list of tasks; new ones start at the prediction.
    fn adopt(&mut self, archive: &Archive, tasks: Vec<usize>) -> Result<(), MetaError> {
        if tasks == self.tasks {
            return Ok(());
        }
        let model = if self.tasks.is_empty() {
            None
        } else {
            Some(self.task_model(archive)?)
        };
        let old = std::mem::take(&mut self.solutions);
        self.solutions = vec![Vec::with_capacity(tasks.len()); self.dim];
        for &t in &tasks {
            if let Ok(known) = self.tasks.binary_search(&t) {
                for (new, old) in self.solutions.iter_mut().zip(&old) {
                    new.push(old[known]);
                }
            } else {
                let at = archive.tasks()[t].at.coords();
                let start = model
                    .as_ref()
                    .map_or_else(|| vec![0.5; self.dim], |model| model.raw_mean(at));
                for (new, x) in self.solutions.iter_mut().zip(start) {
                    new.push(x);
                }
            }
        }
        self.tasks = tasks;
        Ok(())
    }

    fn task_matrix(&self, archive: &Archive) -> Mat<f64> {
        Mat::from_fn(self.tasks.len(), archive.task_dim(), |i, k| {
            archive.tasks()[self.tasks[i]].at.coords()[k]
        })
    }

    /// Costs less their surface, without intercepts.
    fn residual(&self, rows: &Rows) -> Vec<f64> {
        let mut residual = rows.y.clone();
        for j in 0..self.dim {
            let column = rows.x.column(j);
            for (t, segment) in rows.segments.iter().enumerate() {
                let (mu, h) = (self.solutions[j][t], self.curvatures[j]);
                for i in segment.clone() {
                    residual[i] -= h * (column[i] - mu).powi(2);
                }
            }
        }
        residual
    }

    /// Mean squared distance of each row from its task's solution.
    fn distances(&self, rows: &Rows) -> Vec<f64> {
        let mut distances = vec![0.0; rows.len()];
        let share = 1.0 / self.dim.max(1) as f64;
        for (j, mu) in self.solutions.iter().enumerate() {
            let column = rows.x.column(j);
            for (segment, mu) in rows.segments.iter().zip(mu) {
                let mu = mu.clamp(0.0, 1.0);
                for i in segment.clone() {
                    distances[i] += share * (column[i] - mu).powi(2);
                }
            }
        }
        distances
    }

    fn noise_variances(&self, rows: &Rows) -> Vec<f64> {
        let distances = self.distances(rows);
        let at = |d: &f64| self.noise.0 + self.noise.1 * d * d;
        distances.iter().map(at).collect()
    }

    /// Curvatures at given solutions: a ridge towards their mean, as strong as they differ.
    fn fit_curvatures(&mut self, rows: &Rows, weights: &[f64]) -> Result<(), MetaError> {
        let (n, v) = (rows.len(), self.dim);
        let mut y = rows.y.clone();
        rows.centre(weights, &mut y);
        let roots: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
        let mut features = Columns::from_fn(n, v, |i, j| rows.x.column(j)[i]);
        let mut sum = vec![0.0; n];
        for j in 0..v {
            let column = features.column_mut(j);
            for (segment, mu) in rows.segments.iter().zip(&self.solutions[j]) {
                for x in &mut column[segment.clone()] {
                    *x = (*x - mu).powi(2);
                }
            }
            rows.centre(weights, column);
            for (c, root) in column.iter_mut().zip(&roots) {
                *c *= root;
            }
            axpy(1.0, column, &mut sum);
        }
        for (y, root) in y.iter_mut().zip(&roots) {
            *y *= root;
        }
        let least = self.least_curvature();
        let mean = (dot(&sum, &y) / dot(&sum, &sum).max(f64::MIN_POSITIVE)).max(2.0 * least);
        axpy(-mean, &sum, &mut y);
        let mut normal = gram(features.as_ref());
        let prior = 1.0 / (self.spread * mean * mean);
        for j in 0..v {
            normal[(j, j)] += prior;
        }
        let factor = JitteredCholesky::factorize(normal.as_ref(), JitterPolicy::default())
            .map_err(warmfront_gp::GpError::from)?;
        let mut deviations: Vec<f64> = (0..v).map(|j| dot(features.column(j), &y)).collect();
        factor.solve_slice_in_place(&mut deviations);
        let inverse = factor.inverse();
        let moment: f64 = (0..v)
            .map(|j| deviations[j].powi(2) + inverse[(j, j)])
            .sum::<f64>()
            / v.max(1) as f64;
        self.spread = (moment / (mean * mean)).clamp(1e-3, 1.0);
        for (h, deviation) in self.curvatures.iter_mut().zip(&deviations) {
            *h = (mean + deviation).max(least);
        }
        Ok(())
    }

    /// Solves for the solutions of all tasks, coordinate by coordinate in turn until they settle.
    ///
    /// Leaves in `residual` the costs less the surfaces, and in `beliefs` the variances of the
    /// surfaces at the rows.
    fn solve(
        &mut self,
        rows: &Rows,
        weights: &[f64],
        at: MatRef<'_, f64>,
        residual: &mut [f64],
        beliefs: &mut [f64],
    ) -> Result<(), MetaError> {
        let (v, tasks) = (self.dim, self.tasks.len());
        // Slopes of the surfaces by the solutions, and the same times their weights.
        let mut slopes = Columns::from_fn(rows.len(), v, |i, j| {
            -2.0 * self.curvatures[j] * (rows.x.column(j)[i] - 0.5)
        });
        for j in 0..v {
            rows.centre(weights, slopes.column_mut(j));
        }
        let weigh = |weights: &[f64]| {
            Columns::from_fn(rows.len(), v, |i, j| slopes.column(j)[i] * weights[i])
        };
        let smoothers = |weighted: &Columns| -> Result<(Vec<Vec<f64>>, Vec<Smoother>), MetaError> {
            let all = (0..v)
                .into_par_iter()
                .map(|j| {
                    let noise: Vec<f64> = rows
                        .segments
                        .iter()
                        .map(|own| {
                            let slopes = &slopes.column(j)[own.clone()];
                            let information = dot(slopes, &weighted.column(j)[own.clone()]);
                            1.0 / information.max(LEAST_INFORMATION)
                        })
                        .collect();
                    Smoother::new(at, &self.hyper[j], &noise).map(|smoother| (noise, smoother))
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(all.into_iter().unzip())
        };
        let weighted = weigh(weights);
        let (noise, own) = smoothers(&weighted)?;
        residual.copy_from_slice(&self.residual(rows));
        rows.centre(weights, residual);
        let (mut message, mut scratch) = (vec![0.0; tasks], Vec::new());
        let mut new = vec![0.0; tasks];
        for _ in 0..SWEEPS {
            let mut furthest = 0.0_f64;
            for j in 0..v {
                for (t, segment) in rows.segments.iter().enumerate() {
                    let pull = dot(
                        &weighted.column(j)[segment.clone()],
                        &residual[segment.clone()],
                    );
                    message[t] = self.solutions[j][t] + noise[j][t] * pull;
                }
                own[j].smooth(&message, &mut scratch, &mut new);
                for (t, segment) in rows.segments.iter().enumerate() {
                    let change = new[t] - self.solutions[j][t];
                    furthest = furthest.max(change.abs());
                    self.solutions[j][t] = new[t];
                    let slope = &slopes.column(j)[segment.clone()];
                    axpy(-change, slope, &mut residual[segment.clone()]);
                }
            }
            if furthest < SETTLED {
                break;
            }
        }

        // What a row says of one coordinate is uncertain by all that is not known of the others.
        let known = doubted(weights, beliefs);
        let (noise, others) = smoothers(&weigh(&known))?;
        beliefs.fill(0.0);
        for (j, smoother) in others.iter().enumerate() {
            let slope = slopes.column(j);
            for (segment, variance) in rows.segments.iter().zip(smoother.variances()) {
                for i in segment.clone() {
                    beliefs[i] += slope[i] * slope[i] * variance;
                }
            }
        }
        let scales = self.set_slack(&noise);
        self.within = 0.0;
        self.messages = vec![vec![0.0; tasks]; v];
        for j in 0..v {
            let hyper = &mut self.hyper[j];
            hyper.noise_slope = (scales[j] * self.factors[j]).clamp(1e-10, 1e3);
            for (t, segment) in rows.segments.iter().enumerate() {
                let pull = dot(
                    &weighted.column(j)[segment.clone()],
                    &residual[segment.clone()],
                );
                let message = self.solutions[j][t] + hyper.noise_slope * self.slack[t] * pull;
                self.messages[j][t] = message.clamp(-OUTSIDE, 1.0 + OUTSIDE);
            }
            hyper.mean = others[j].mean(&self.messages[j]);
            self.within += self.curvatures[j] * others[j].mean_variance();
        }
        Ok(())
    }

    /// Splits variances of messages into one part by task and one by coordinate, which is returned.
    fn set_slack(&mut self, variances: &[Vec<f64>]) -> Vec<f64> {
        let tasks = self.tasks.len();
        let v = self.dim.max(1) as f64;
        let logs: Vec<f64> = (0..tasks)
            .map(|t| variances.iter().map(|own| own[t].ln()).sum::<f64>() / v)
            .collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.slack = logs.iter().map(|l| (l - largest).exp()).collect();
        variances
            .iter()
            .map(|own| {
                let each = own.iter().zip(&self.slack).map(|(x, s)| (x / s).ln());
                (each.sum::<f64>() / tasks.max(1) as f64).exp()
            })
            .collect()
    }

    fn fit_hyperparameters(&mut self, at: MatRef<'_, f64>) -> Result<(), MetaError> {
        let warm = self.fitted_at > 0;
        let jobs: Vec<usize> = (0..self.dim).collect();
        let fitted: Vec<TaskHyper> = jobs
            .par_iter()
            .map(|&j| {
                let stated = self.hyper[j].noise_slope / self.factors[j];
                let last = Some(&self.hyper[j]).filter(|_| warm);
                let messages = &self.messages[j];
                prior::fit(at, messages, &self.slack, stated, last, FIT_EVALUATIONS)
            })
            .collect::<Result<_, _>>()?;
        for (j, mut new) in fitted.into_iter().enumerate() {
            self.factors[j] *= new.noise_slope / self.hyper[j].noise_slope;
            new.mean = self.hyper[j].mean;
            self.hyper[j] = new;
        }
        Ok(())
    }

    /// Noise near and far from the solutions, by weighted least squares on squared residuals over
    /// the share of them that the surface has left.
    ///
    /// MacKay's fixed point: subtracting what the surface does not know yet from the squares of
    /// unseen residuals instead would call costs noise-free as soon as it is stated a little too large.
    fn fit_noise(&mut self, rows: &Rows, residual: &[f64], beliefs: &[f64]) {
        let distances = self.distances(rows);
        let variances = self.noise_variances(rows);
        let squares: Vec<f64> = (0..rows.len())
            .map(|i| residual[i] * residual[i] * (1.0 + beliefs[i] / variances[i]))
            .collect();
        let (mut s0, mut s1, mut s2, mut r0, mut r1) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((square, variance), d) in squares.iter().zip(&variances).zip(&distances) {
            let square = square * (TAILS + 1.0) / (TAILS + square / variance);
            let (w, q) = (variance.powi(-2), d * d);
            s0 += w;
            s1 += w * q;
            s2 += w * q * q;
            r0 += w * square;
            r1 += w * q * square;
        }
        let determinant = s0 * s2 - s1 * s1;
        let mut pair = if determinant > 1e-12 * s0 * s2 {
            (
                (s2 * r0 - s1 * r1) / determinant,
                (s0 * r1 - s1 * r0) / determinant,
            )
        } else {
            (r0 / s0, 0.0)
        };
        if pair.1 <= 0.0 {
            pair = (r0 / s0, 0.0);
        } else if pair.0 <= 0.0 {
            pair = (0.0, (r1 / s2.max(f64::MIN_POSITIVE)).max(0.0));
        }
        if pair.0.is_finite() && pair.1.is_finite() {
            let near = pair.0.clamp(self.noise.0 / CHANGE, self.noise.0 * CHANGE);
            self.noise = (near.max(NOISE_FLOOR), pair.1);
        }
        self.belief = beliefs.iter().sum::<f64>() / beliefs.len().max(1) as f64;
    }

    /// Distance (root mean square over the coordinates) at which the surface errs as much as the
    /// evaluations near a solution.
    pub(super) fn trusted(&self) -> f64 {
        ((self.noise.0 + 0.05 * self.belief) / self.noise.1.max(1e-12)).powf(0.25)
    }

    /// The processes as a task model.
    pub(super) fn task_model(&self, archive: &Archive) -> Result<TaskModel, MetaError> {
        let data = InverseData {
            tasks: self.task_matrix(archive),
            solutions: self.messages.clone(),
            slack: self.slack.clone(),
        };
        let outputs = data
            .solutions
            .par_iter()
            .zip(&self.hyper)
            .map(|(values, hyper)| {
                TaskGp::condition(data.tasks.as_ref(), values, &data.slack, hyper.clone())
            })
            .collect::<Result<_, _>>()?;
        Ok(TaskModel {
            data,
            outputs,
            forward: None,
        })
    }
}
