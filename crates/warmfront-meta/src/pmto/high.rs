//! Boxes of tasks whose solutions have many coordinates, from fifty on.
//!
//! Two things break there. A process over solutions and tasks needs a factor that grows with the
//! square of the evaluations, and in so many dimensions it learns little more than a plane from a
//! few thousand of them; and the best evaluated solution of a task says next to nothing about any
//! single coordinate of the optimal one, so that a task model has nothing to learn from.
//!
//! [`HighDimensionalPmto`] therefore makes the task model part of the model of costs. Within a trust
//! region the cost of a task is a quadratic surface,
//! `f(x, θ) ≈ c_θ + Σ_j h_j (x_j − μ_j(θ))²`, whose minimiser `μ_j(θ)` is a Gaussian process over
//! tasks for each coordinate with its own lengthscales: the task model itself. All evaluations of
//! all tasks are evidence about every coordinate at once; a task needs no more of them than its
//! neighbours leave open, and fewer than it has coordinates.
//!
//! - **Inference** solves for the solutions of all tasks at once, one coordinate after the other and
//!   in turn until they settle: given the others, that is a regression over tasks with one row a
//!   task. Lengthscales are fitted to what the evaluations of a task say of a coordinate, its message,
//!   whose error counts all that is not known of the other coordinates yet. That keeps the fits
//!   honest while there are more unknowns than evaluations.
//! - **Cost**: O(nV) time and memory for `n` evaluations of `V` coordinates, and one factor for
//!   each coordinate of a size that is bounded ([`most_tasks`](HighDimensionalConfig::most_tasks)). A round is
//!   the longer the more evaluations there are, so that the whole run is linear in `n` too.
//! - **Evaluations** lie in the corners of a box around the predicted solution of a task, which
//!   measures all slopes at once with the largest signal. The box is as large as the quadratic
//!   surface can be trusted: where its own error outgrows that of an evaluation close by. Every
//!   tenth evaluation is of the prediction itself.
//! - **Tasks** are few at first, and join while the solutions of the known ones are known
//!   better than those between them: out of a handful of Sobol points the one whose solution is
//!   least known, weighted by the curvatures of the cost.
//! - Residuals have Student's t distribution, so that a few absurd costs do no harm.
//!
//! Ours; open question 2 of the published method. A cost whose coordinates interact strongly within
//! the trust region, or with several basins of equal depth, is not what this is made for.
//!
//! # References
//! Hastie, Tibshirani 1993, *Varying-coefficient models*: the surface and its solution in turns.
//! Rangan 2011, *Generalized approximate message passing*: the errors of messages. MacKay 1992,
//! *Bayesian interpolation*: the fixed point of the noise. Eriksson, Pearce, Gardner, Turner,
//! Poloczek 2019, *Scalable global optimization via local Bayesian optimization*: trust regions.

mod prior;
mod rows;
mod surface;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};

use super::archive::Archive;
use super::forward::Forward;
use super::parametric::{ParametricStrategy, PoolTask};
use super::plan::check_pending;
use super::rounds::{build_task_model, grid_tasks};
use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use crate::MetaError;
use surface::Surface;

/// Evaluations of a task, on average, before another one may join.
const EVALUATIONS_PER_TASK: usize = 8;
/// Tasks that join in one round, at most.
const MOST_NEW: usize = 4;
/// Sobol points that one of them is chosen from.
const CHOICES: usize = 16;
/// Sobol points at which the variance between tasks is averaged.
const BETWEEN: usize = 64;
/// Share of evaluations that are made at the predicted solution.
const AT_PREDICTION: f64 = 0.1;
/// Shortest side of a corner, over the longest.
const SHORTEST: f64 = 0.4;
/// Change of the trust region in one round, at most, as a factor.
const STEP: f64 = 1.2;
/// A round has at least the evaluations so far over this.
const ROUNDS: usize = 40;

/// Settings of [`HighDimensionalPmto`]; the default is meant for 20 to 200 solution coordinates.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{
///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
/// };
/// use warmfront_meta::pmto::HighDimensionalConfig;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let (space, objectives) = (SearchSpace::unit_cube(50), Objectives::minimize_all(1));
/// let mut method = HighDimensionalConfig::default().build(&space, 1, &objectives, &mut rng)?;
/// let target = |k: usize, theta: f64| 0.2 + 0.6 * theta * (k as f64 / 49.0);
/// for trial in 0..500 {
///     let candidate = method.ask(NonZeroUsize::MIN, &[], &mut rng)?.remove(0);
///     let theta = candidate.task.as_ref().map_or(0.0, |task| task.coords()[0]);
///     let x = candidate.point.coords().iter().enumerate();
///     let cost = x.map(|(k, x)| (x - target(k, theta)).powi(2)).sum();
///     let outcome = Outcome::Complete(Costs::from_values(vec![cost])?);
///     method.tell(&[Observation { trial: TrialId(trial), candidate, outcome }], &mut rng)?;
/// }
/// let model = method.task_model()?;
/// let solution = model.solution(&UnitPoint::new([0.7])?);
/// for (k, x) in solution.mean.coords().iter().enumerate() {
///     assert!((x - target(k, 0.7)).abs() < 0.05);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HighDimensionalConfig {
    /// Tasks of the initial design, at least 1.
    pub tasks: usize,
    /// Evaluations of each before the first model, at least 1.
    pub samples: usize,
    /// Tasks that are modelled, at most: what bounds time and memory. At least [`tasks`](Self::tasks).
    pub most_tasks: usize,
    /// Largest half-width of the trust region, in (0, 1].
    pub reach: f64,
    /// Least half-width, above 0.
    pub least_reach: f64,
    /// Growth of the evaluations until lengthscales are fitted again, above 1.
    pub growth: f64,
    /// A task joins when the solutions of the known tasks have less than this share of the variance
    /// of those between them, in [0, 1]; at 0 none does.
    pub joining: f64,
}

impl Default for HighDimensionalConfig {
    fn default() -> Self {
        Self {
            tasks: 20,
            samples: 5,
            most_tasks: 128,
            reach: 0.5,
            least_reach: 0.03,
            growth: 1.25,
            joining: 0.5,
        }
    }
}

impl HighDimensionalConfig {
    /// Builds the strategy for solutions in `space` and tasks in the unit box of `task_dim` coordinates.
    ///
    /// With `task_dim` 0 the box is one point, and the method optimises the one task there is.
    ///
    /// # Errors
    /// [`MetaError::SingleObjective`] for another number of objectives, [`MetaError::PmtoSetting`]
    /// for a setting out of its range.
    pub fn build(
        &self,
        space: &SearchSpace,
        task_dim: usize,
        objectives: &Objectives,
        rng: &mut dyn Rng,
    ) -> Result<HighDimensionalPmto, MetaError> {
        if objectives.len() != 1 {
            return Err(MetaError::SingleObjective {
                found: objectives.len(),
            });
        }
        self.check()?;
        Ok(HighDimensionalPmto::new(self.clone(), space, task_dim, rng))
    }

    fn check(&self) -> Result<(), MetaError> {
        let what = if self.tasks == 0 || self.samples == 0 {
            "the initial design has no evaluation"
        } else if self.most_tasks < self.tasks {
            "fewer tasks are modelled than the initial design has"
        } else if !(self.least_reach > 0.0 && self.least_reach <= self.reach && self.reach <= 1.0) {
            "the trust region is not in (0, 1] or its bounds are not in order"
        } else if !(self.growth.is_finite() && self.growth > 1.0) {
            "growth until the next fit is not above 1"
        } else if !(0.0..=1.0).contains(&self.joining) {
            "the share of variance at which tasks join is not in [0, 1]"
        } else {
            return Ok(());
        };
        Err(MetaError::PmtoSetting { what })
    }
}

/// One evaluation of the round.
#[derive(Debug, Clone)]
struct Visit {
    task: UnitPoint,
    /// Predicted solution.
    centre: Vec<f64>,
}

/// Parametric multi-task optimisation for solutions of many coordinates.
///
/// Within a trust region the cost of every task is a quadratic surface whose minimiser is a
/// Gaussian process over tasks for each coordinate, learnt from the evaluations of all tasks at once
/// in time and memory proportional to their number; evaluations lie in the corners of that region,
/// and tasks join while those known are solved better than those between them. A cost whose
/// coordinates interact strongly within the region, or that has several basins of equal depth, is not what
/// this is made for. As with [`Pmto`](super::Pmto), everything is
/// learnt in [`tell`](Strategy::tell) when the last evaluation of a round has come, tasks told from
/// outside join the pool, and a failed evaluation counts as the worst cost seen so far. Built by
/// [`HighDimensionalConfig::build`].
///
/// # References
/// Ours, for open question 2 of Wei, Liu, Gupta, Tan, Ong 2026 (arXiv 2503.08394). Hastie, Tibshirani
/// 1993, *Varying-coefficient models*; MacKay 1992, *Bayesian interpolation*; Rangan 2011,
/// *Generalized approximate message passing*; Eriksson, Pearce, Gardner, Turner, Poloczek 2019, *Scalable
/// global optimization via local Bayesian optimization*.
#[derive(Debug)]
pub struct HighDimensionalPmto {
    config: HighDimensionalConfig,
    space: SearchSpace,
    archive: Archive,
    queue: VecDeque<Visit>,
    surface: Surface,
    /// The task model of the last round.
    model: Option<TaskModel>,
    added: Vec<UnitPoint>,
    /// Half-width of the trust region.
    reach: f64,
    last_error: Option<MetaError>,
}

impl HighDimensionalPmto {
    fn new(
        config: HighDimensionalConfig,
        space: &SearchSpace,
        task_dim: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let mut archive = Archive::new(space.dim(), task_dim);
        for task in grid_tasks(config.tasks, task_dim, rng) {
            archive.task(&UnitPoint::clamped(task));
        }
        let mut strategy = Self {
            space: space.clone(),
            archive,
            queue: VecDeque::new(),
            surface: Surface::new(space.dim()),
            model: None,
            added: Vec::new(),
            reach: config.reach,
            last_error: None,
            config,
        };
        strategy.fill_queue(strategy.config.tasks * strategy.config.samples);
        strategy
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &HighDimensionalConfig {
        &self.config
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    /// Half-width of the trust region around predicted solutions.
    pub fn reach(&self) -> f64 {
        self.reach
    }

    /// Curvature of the cost along each solution coordinate, in the scale of the standardised costs.
    pub fn curvatures(&self) -> &[f64] {
        &self.surface.curvatures
    }

    /// Why the last model could not be fitted, if it could not; the one before is then kept.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    /// The task model of everything told so far, from the surfaces of all tasks.
    ///
    /// # Errors
    /// [`MetaError::NoSolvedTask`] if no evaluation has succeeded yet, and those of the fits.
    pub fn task_model(&self) -> Result<TaskModel, MetaError> {
        self.task_model_with(InverseRecipe::NoiseAware, None)
    }

    /// Each task of the pool equally often, newest first, `least` evaluations or somewhat more.
    fn fill_queue(&mut self, least: usize) {
        let modelled = &self.surface.tasks;
        let tasks = self.archive.tasks().iter().enumerate().rev();
        let visits: Vec<Visit> = tasks
            .filter(|(t, task)| {
                // Tasks without a success are tried again, those beyond the bound are not.
                task.best.is_none() || modelled.is_empty() || modelled.binary_search(t).is_ok()
            })
            .map(|(_, task)| Visit {
                centre: self.centre(&task.at),
                task: task.at.clone(),
            })
            .take(self.config.most_tasks)
            .collect();
        let times = least.div_ceil(visits.len().max(1)).max(1);
        self.queue = (0..times).flat_map(|_| visits.iter().cloned()).collect();
    }

    /// The predicted solution of a task.
    fn centre(&self, task: &UnitPoint) -> Vec<f64> {
        let known = self
            .archive
            .find(task)
            .and_then(|t| self.surface.tasks.binary_search(&t).ok());
        let centre = match (known, &self.model) {
            (Some(t), _) => self.surface.solutions.iter().map(|own| own[t]).collect(),
            (None, Some(model)) => model.raw_mean(task.coords()),
            (None, None) => vec![0.5; self.space.dim()],
        };
        centre.into_iter().map(|x: f64| x.clamp(0.0, 1.0)).collect()
    }

    fn start_round(&mut self, rng: &mut dyn Rng) {
        if self.archive.has_costs() {
            match self.learn(rng) {
                Ok(()) => self.last_error = None,
                // An expensive loop must not end because one fit did.
                Err(error) => {
                    tracing::warn!(%error, "fit failed, keeping the last model");
                    self.last_error = Some(error);
                }
            }
        }
        self.fill_queue(self.archive.len() / ROUNDS);
    }

    fn learn(&mut self, rng: &mut dyn Rng) -> Result<(), MetaError> {
        let mut surface = self.surface.clone();
        surface.update(&self.archive, self.config.most_tasks, self.config.growth)?;
        let model = surface.task_model(&self.archive)?;
        self.surface = surface;
        let trusted = self
            .surface
            .trusted()
            .clamp(self.config.least_reach, self.config.reach);
        self.reach = trusted.clamp(self.reach / STEP, self.reach * STEP);
        self.add_tasks(&model, rng);
        self.model = Some(model);
        Ok(())
    }

    /// Lets tasks join while those known are solved well enough.
    fn add_tasks(&mut self, model: &TaskModel, rng: &mut dyn Rng) {
        let pool = self.archive.tasks().len();
        let room = (self.archive.len() / EVALUATIONS_PER_TASK)
            .min(self.config.most_tasks)
            .saturating_sub(pool)
            .min(MOST_NEW);
        if self.archive.task_dim() == 0 || room == 0 {
            return;
        }
        let grid = grid_tasks(BETWEEN, self.archive.task_dim(), rng);
        let unknown: Vec<f64> = grid.iter().map(|task| self.unknown(model, task)).collect();
        let between = unknown.iter().sum::<f64>() / grid.len() as f64;
        if self.surface.within >= self.config.joining * between {
            return;
        }
        for (own, values) in grid.chunks(CHOICES).zip(unknown.chunks(CHOICES)).take(room) {
            let best = (0..own.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]));
            if let Some(best) = best {
                let task = UnitPoint::clamped(own[best].as_slice());
                self.archive.task(&task);
                self.added.push(task);
            }
        }
    }

    /// Curvature-weighted variance of the predicted solution of a task.
    fn unknown(&self, model: &TaskModel, task: &[f64]) -> f64 {
        let mut scratch = Default::default();
        let outputs = model.outputs.iter().zip(&self.surface.curvatures);
        outputs
            .map(|(output, h)| h * output.predict(task, &mut scratch).1.powi(2))
            .sum()
    }

    /// A corner of the trust region around a solution, or the solution itself.
    fn propose(&self, centre: &[f64], rng: &mut dyn Rng) -> UnitPoint {
        let at_prediction = rng.random::<f64>() < AT_PREDICTION;
        // Boxes of several sizes tell curvatures from intercepts, and sides of several lengths tell
        // curvatures from each other; neither hits a period of the cost.
        let reach = self.reach * (0.4 + 0.6 * rng.random::<f64>());
        let corner: Vec<f64> = centre
            .iter()
            .map(|x| {
                let low: bool = rng.random();
                let side = reach * (SHORTEST + (1.0 - SHORTEST) * rng.random::<f64>());
                (if low { x - side } else { x + side }).clamp(0.0, 1.0)
            })
            .collect();
        let point = if at_prediction && self.model.is_some() {
            UnitPoint::clamped(centre)
        } else {
            UnitPoint::clamped(corner)
        };
        self.space.canonical(&point)
    }
}

impl Strategy for HighDimensionalPmto {
    fn name(&self) -> &'static str {
        "PMTO-high"
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.archive.extend(&self.space, batch)?;
        for observation in batch {
            let task = observation.candidate.task.as_ref();
            let told = self
                .queue
                .iter()
                .position(|visit| Some(&visit.task) == task);
            if let Some(position) = told {
                self.queue.remove(position);
            }
        }
        if !batch.is_empty() && self.queue.is_empty() {
            self.start_round(rng);
        }
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.archive, &self.space, pending)?;
        let mut waiting: Vec<&UnitPoint> = pending.iter().filter_map(|c| c.task.as_ref()).collect();
        let mut picks = Vec::with_capacity(q.get());
        for visit in &self.queue {
            if picks.len() == q.get() {
                break;
            }
            if let Some(position) = waiting.iter().position(|&task| *task == visit.task) {
                waiting.swap_remove(position);
                continue;
            }
            let point = self.propose(&visit.centre, rng);
            picks.push(Candidate::at(point).with_task(visit.task.clone()));
        }
        let tasks = self.archive.tasks();
        while picks.len() < q.get() {
            let task = &tasks[rng.random_range(0..tasks.len() as u64) as usize].at;
            let point = self.propose(&self.centre(task), rng);
            picks.push(Candidate::at(point).with_task(task.clone()));
        }
        Ok(picks)
    }
}

impl ParametricStrategy for HighDimensionalPmto {
    /// With [`NoiseAware`](InverseRecipe::NoiseAware) the processes of the surfaces: they are fitted
    /// along with the surfaces, and `fit` is not used.
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError> {
        if !self.archive.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        recipe.check()?;
        let several = InverseFit::Map {
            starts: 2,
            evaluations: 40,
        };
        match recipe {
            InverseRecipe::NoiseAware => {
                let mut surface = self.surface.clone();
                surface.update(&self.archive, self.config.most_tasks, self.config.growth)?;
                surface.task_model(&self.archive)
            }
            _ => build_task_model(
                &self.archive,
                &Forward::Nothing,
                recipe,
                fit.unwrap_or(&several),
            ),
        }
    }

    fn pool(&self) -> Vec<PoolTask> {
        self.archive.pool(&|task| self.added.contains(task))
    }
}
