//! The task model: from any task of the box to its solution, without an evaluation.

use rand::Rng;
use warmfront_core::UnitPoint;
use warmfront_gp::GpError;
use warmfront_linalg::Mat;

use super::alignment::UnifiedGp;
use super::search::descend_mean;
use super::task_gp::{InverseFit, Scratch, TaskGp, TaskHyper};
use super::view::{TaskView, UnifiedView};

/// From which rows the task model learns, and with which kernel.
///
/// The first three are found in the published runs; which of them a figure used decides much of
/// its outcome, so that every method is to be compared under every recipe.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InverseRecipe {
    /// All tasks at their best evaluated solutions, one lengthscale for all task coordinates.
    IsoAll,
    /// All tasks at their best evaluated solutions, one lengthscale for each task coordinate.
    ArdAll,
    /// The share of tasks with the least cost, as [`ArdAll`](Self::ArdAll): published with 0.7.
    ///
    /// The cost is not comparable between tasks whose optima differ.
    ArdBest {
        /// Share of the tasks, in (0, 1]; at least one is kept.
        share: f64,
    },
    /// The 85 % of the tasks with the least estimated regret, at their best evaluated solutions,
    /// with noise that grows with it. The regret of a task is how far its best cost lies above what
    /// those of all other tasks predict for it (a process over the task box, the task left out), so that it
    /// does not matter how costly the optima of that part of the box are. Ours.
    NoiseAware,
}

/// The predicted solution of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSolution {
    /// Mean of each coordinate, clamped to the unit cube.
    pub mean: UnitPoint,
    /// Standard deviation of each coordinate, clamped to [0, 1]; length `V`.
    pub sd: Vec<f64>,
}

/// Rows to learn from: tasks (`n×D`), solutions (`V` columns of length `n`), and how little is
/// known of each row (empty: equally much).
#[derive(Debug, Clone)]
pub(super) struct InverseData {
    pub(super) tasks: Mat<f64>,
    pub(super) solutions: Vec<Vec<f64>>,
    pub(super) slack: Vec<f64>,
}

/// A map from tasks to solutions with its uncertainty: `V` independent Gaussian processes over the
/// task box, and the forward model of the offline phase for refinement, if it had a unified one.
///
/// A query costs O(V·n²) for `n` training tasks: microseconds. See
/// [`Pmto::task_model`](super::Pmto::task_model); models are saved and loaded by
/// [`save`](Self::save) and [`load`](Self::load).
///
/// # References
/// Wei, Liu, Gupta, Tan, Ong 2026 (arXiv 2503.08394), the task model.
#[derive(Debug, Clone)]
pub struct TaskModel {
    pub(super) data: InverseData,
    pub(super) outputs: Vec<TaskGp>,
    pub(super) forward: Option<UnifiedGp>,
}

impl TaskModel {
    /// Fits every output on its own.
    pub(super) fn fit(
        data: InverseData,
        isotropic: bool,
        fit: &InverseFit,
        warm: Option<&Self>,
        forward: Option<UnifiedGp>,
    ) -> Result<Self, GpError> {
        let outputs = data
            .solutions
            .iter()
            .enumerate()
            .map(|(d, values)| {
                let warm = warm
                    .and_then(|model| model.outputs.get(d))
                    .map(|o| &o.hyper);
                TaskGp::fit(
                    data.tasks.as_ref(),
                    values,
                    &data.slack,
                    isotropic,
                    fit,
                    warm,
                )
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            data,
            outputs,
            forward,
        })
    }

    /// Conditions on rows with given hyperparameters.
    pub(super) fn condition(
        data: InverseData,
        hyper: Vec<TaskHyper>,
        forward: Option<UnifiedGp>,
    ) -> Result<Self, GpError> {
        let outputs = data
            .solutions
            .iter()
            .zip(hyper)
            .map(|(values, hyper)| {
                TaskGp::condition(data.tasks.as_ref(), values, &data.slack, hyper)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            data,
            outputs,
            forward,
        })
    }

    /// Number of task coordinates `D`.
    #[must_use]
    pub fn task_dim(&self) -> usize {
        self.data.tasks.ncols()
    }

    /// Number of solution coordinates `V`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.outputs.len()
    }

    /// Number of tasks the model was fitted to.
    #[must_use]
    pub fn num_tasks(&self) -> usize {
        self.data.tasks.nrows()
    }

    /// Lengthscales of each output over the task coordinates.
    #[must_use]
    pub fn lengthscales(&self) -> Vec<Vec<f64>> {
        self.outputs
            .iter()
            .map(|output| output.hyper.lengthscales.clone())
            .collect()
    }

    /// Whether [`refined`](Self::refined) has a forward model to descend.
    #[must_use]
    pub fn can_refine(&self) -> bool {
        self.forward.is_some()
    }

    /// The predicted solution of a task.
    ///
    /// A task outside the box cannot be stated: [`UnitPoint`] refuses it.
    ///
    /// # Panics
    /// If the task does not have [`task_dim`](Self::task_dim) coordinates.
    #[must_use]
    #[track_caller]
    pub fn solution(&self, task: &UnitPoint) -> TaskSolution {
        self.check(task);
        let mut scratch = Scratch::default();
        let (mean, sd): (Vec<f64>, Vec<f64>) = self
            .outputs
            .iter()
            .map(|output| output.predict(task.coords(), &mut scratch))
            .unzip();
        TaskSolution {
            mean: UnitPoint::clamped(mean),
            sd: sd.into_iter().map(|s| s.min(1.0)).collect(),
        }
    }

    /// The predicted solution without its uncertainty, in O(V·n).
    ///
    /// # Panics
    /// As [`solution`](Self::solution).
    #[must_use]
    #[track_caller]
    pub fn point(&self, task: &UnitPoint) -> UnitPoint {
        self.check(task);
        UnitPoint::clamped(self.raw_mean(task.coords()))
    }

    pub(super) fn raw_mean(&self, task: &[f64]) -> Vec<f64> {
        let mut scratch = Scratch::default();
        self.outputs
            .iter()
            .map(|output| output.mean(task, &mut scratch))
            .collect()
    }

    /// The predicted solution, improved where the forward model sees something better nearby.
    ///
    /// Descends the mean of the forward model from [`solution`](Self::solution) without leaving two
    /// standard deviations of each coordinate; no evaluation is spent. Without a
    /// unified forward model it is the unrefined solution. Ours.
    ///
    /// It takes up to 40 gradients of a process of all evaluations, where [`solution`](Self::solution)
    /// takes microseconds. It is worth that where many solutions of a task are equally good: evaluated tasks
    /// then have theirs here and there, and the task model answers with their average. Where each task
    /// has one optimum that moves with it, the solution is as good or better.
    ///
    /// # Panics
    /// As [`solution`](Self::solution).
    #[must_use]
    #[track_caller]
    pub fn refined(&self, task: &UnitPoint) -> UnitPoint {
        let start = self.solution(task);
        let Some(forward) = &self.forward else {
            return start.mean;
        };
        let view = UnifiedView::new(forward, task.coords());
        let radius: Vec<f64> = start.sd.iter().map(|s| 2.0 * s).collect();
        UnitPoint::clamped(descend_mean(&view, start.mean.coords(), &radius, 40).0)
    }

    /// Improves the solution of one task by a few evaluations of it: few-shot refinement. Ours.
    ///
    /// Begins with [`refined`](Self::refined); each further evaluation is that of least lower confidence
    /// bound (β = 0.5), searched from there and from the best so far, under the forward model conditioned
    /// on those before. A cost that is not finite counts as the worst known. Returns the best evaluated point with its cost; `None` without a forward model or
    /// without a finite cost.
    ///
    /// # Errors
    /// If the forward model cannot be conditioned on an evaluation.
    ///
    /// # Panics
    /// As [`solution`](Self::solution).
    #[track_caller]
    pub fn refine_by_evaluations(
        &self,
        task: &UnitPoint,
        evaluations: usize,
        evaluate: &mut dyn FnMut(&UnitPoint) -> f64,
        rng: &mut dyn Rng,
    ) -> Result<Option<(UnitPoint, f64)>, crate::MetaError> {
        use super::search::{Bound, BoundSearch, minimize_bound};

        let start = self.refined(task);
        let Some(forward) = &self.forward else {
            return Ok(None);
        };
        let mut own = forward.clone();
        let mut best: Option<(UnitPoint, f64)> = None;
        let bound = Bound {
            beta: 0.5,
            with_noise: false,
        };
        let search = BoundSearch::Screened {
            points: 32,
            searches: 1,
            evaluations: 20,
        };
        for step in 0..evaluations {
            let point = if step == 0 {
                start.clone()
            } else {
                let view = UnifiedView::new(&own, task.coords());
                let mut known = vec![start.coords().to_vec()];
                known.extend(best.iter().map(|(x, _)| x.coords().to_vec()));
                UnitPoint::clamped(minimize_bound(&view, bound, &search, &known, rng))
            };
            let cost = evaluate(&point);
            let x = Mat::from_fn(1, point.dim(), |_, k| point.coords()[k]);
            let row = UnifiedView::new(&own, task.coords()).joint(x.as_ref());
            if !cost.is_finite() {
                let known = own.gp.standardized_y().iter().copied();
                let worst = known.fold(f64::NEG_INFINITY, f64::max);
                let worst = own.gp.standardization().restore(worst);
                own.gp = own.gp.condition_on(row.as_ref(), &[worst])?;
                continue;
            }
            own.gp = own.gp.condition_on(row.as_ref(), &[cost])?;
            if best.as_ref().is_none_or(|(_, value)| cost < *value) {
                best = Some((point, cost));
            }
        }
        Ok(best)
    }

    /// Predicted cost and its standard deviation at the predicted solution of a task, if there is
    /// a unified forward model.
    ///
    /// # Panics
    /// As [`solution`](Self::solution).
    #[must_use]
    #[track_caller]
    pub fn predicted_cost(&self, task: &UnitPoint) -> Option<(f64, f64)> {
        let point = self.refined(task);
        let view = UnifiedView::new(self.forward.as_ref()?, task.coords());
        let at = Mat::from_fn(1, point.dim(), |_, k| point.coords()[k]);
        let (mean, variance) = view.marginals(at.as_ref());
        Some((mean[0], variance[0].sqrt()))
    }

    #[track_caller]
    fn check(&self, task: &UnitPoint) {
        assert!(
            task.dim() == self.task_dim(),
            "the task has {} coordinates, the model's tasks {}",
            task.dim(),
            self.task_dim()
        );
    }
}
