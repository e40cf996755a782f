//! REVI: solutions and tasks chosen together by what an evaluation is expected to add to the integrated optimum.

mod config;
mod gain;

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Observation, Purpose, SearchSpace, Strategy, StrategyError, UnitPoint,
};
use warmfront_gp::{ExactGp, Hyperparameters, Surrogate};
use warmfront_linalg::Mat;
use warmfront_math::distribution::standard_normal;

use self::gain::Gains;
use super::alignment::UnifiedGp;
use super::archive::Archive;
use super::config::{ForwardModel, Lengthscales};
use super::forward::Forward;
use super::parametric::{ParametricStrategy, PoolTask};
use super::plan::{Plan, check_pending};
use super::rounds::{build_task_model, grid_tasks, recipe_stream};
use super::search::{descend_mean, space_filling};
use super::strategy::{initial_queue, uniform_task};
use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use super::view::{TaskView, UnifiedView};
use crate::MetaError;

pub use config::IntegratedOptimumConfig;

/// Solutions of each task that may be recommended: ends of as many descents.
const SOLUTIONS: usize = 3;
/// Space-filling solutions of a task that are screened for starts.
const SCREENED: usize = 24;
/// Evaluations of the mean in one descent.
const DESCENT: usize = 20;
/// Largest standard deviation of the steps around good candidates, in unit coordinates.
const REACH: f64 = 0.2;
/// Candidates that each refinement searches around.
const CENTRES: usize = 8;

/// A task with the solution recommended for it.
#[derive(Debug, Clone)]
struct Recommended {
    task: Vec<f64>,
    /// Solutions in the order of their means, best first.
    solutions: Vec<Vec<f64>>,
    mean: f64,
}

/// REVI, regional expected value of improvement: the principled competitor over a box of tasks.
///
/// One Gaussian process over solutions and tasks. What is learnt is the map from a task to the
/// solution of least posterior mean; an evaluation of `x` at `θ` is worth the expected decrease of the
/// integrated optimum
///
/// `REVI(x, θ) = ∫ E[ min_x' μ(x', θ') − min_x' μ⁺(x', θ') ] dθ'`
///
/// where `μ⁺` is the mean after it. The integral is a mean over 128 scrambled Sobol tasks, other ones
/// in every round; the solutions `x'` of each are those in which descents of the mean end, and `x`
/// itself. The expectation is then in closed form, that of a minimum of straight lines. Candidates are
/// the recommended solutions at their tasks, points around them, and points of a Sobol sequence over
/// both, refined by two passes around the best.
///
/// The model is updated every 20 evaluations, which are chosen one after the other, each under the
/// belief that the earlier ones return their means: covariances change, means do not. A candidate
/// is valued again only when it leads with an older value, as values rarely grow with more
/// data. Hyperparameters are fitted as in [`PmtoConfig::improved`](super::PmtoConfig::improved).
///
/// No task is evaluated twice, so that there are no best evaluated solutions to learn a task model
/// from: all recipes learn from the recommended solutions of 128 Sobol tasks at their posterior means.
/// A failed evaluation counts as the worst cost seen so far.
///
/// Departures from the paper: several evaluations an update; solution sets that adapt instead of
/// a random discretisation; a search over candidates instead of Nelder–Mead runs.
///
/// # References
/// Pearce, Branke 2018, *Continuous multi-task Bayesian optimisation with correlation*, European Journal of
/// Operational Research 270(3). Frazier, Powell, Dayanik 2009, *The knowledge-gradient policy for
/// correlated normal beliefs*, for the expectation.
#[derive(Debug)]
pub struct IntegratedOptimum {
    config: IntegratedOptimumConfig,
    space: SearchSpace,
    archive: Archive,
    plan: Plan<()>,
    forward: Forward,
    recommended: Vec<Recommended>,
    designed: usize,
    last_error: Option<MetaError>,
    fitted: OnceLock<Forward>,
}

impl IntegratedOptimum {
    fn new(
        config: IntegratedOptimumConfig,
        space: &SearchSpace,
        task_dim: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let mut built = Self {
            space: space.clone(),
            archive: Archive::new(space.dim(), task_dim),
            plan: Plan::default(),
            forward: Forward::Nothing,
            recommended: Vec::new(),
            designed: 0,
            last_error: None,
            fitted: OnceLock::new(),
            config,
        };
        built.plan_design(rng);
        built
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &IntegratedOptimumConfig {
        &self.config
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    /// Hyperparameters of the last model: solutions' lengthscales first, then tasks'.
    pub fn forward_hyperparameters(&self) -> Option<Hyperparameters> {
        self.forward
            .unified()
            .map(|unified| unified.gp.hyperparameters())
    }

    /// Why the last model could not be fitted, if it could not; proposals are then uniform.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    fn plan_design(&mut self, rng: &mut dyn Rng) {
        let task_dim = self.archive.task_dim();
        for slot in initial_queue(&self.config.initial, &self.space, task_dim, rng) {
            let point = slot.point.unwrap_or_else(|| self.space.sample(rng));
            self.plan.push(&slot.task, point, ());
        }
        self.designed += self.plan.len();
    }

    fn plan_round(&mut self, rng: &mut dyn Rng) {
        if !self.archive.has_costs() {
            self.plan_design(rng);
            return;
        }
        let picks = match self.choose(rng) {
            Ok(picks) => {
                self.last_error = None;
                picks
            }
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(method = self.config.name, %error, "fit failed, exploring instead");
                self.forward = Forward::Nothing;
                self.last_error = Some(error);
                let dim = self.space.dim() + self.archive.task_dim();
                space_filling(self.config.round, dim, rng)
            }
        };
        for z in picks {
            let (x, theta) = z.split_at(self.space.dim());
            let point = self.space.canonical(&UnitPoint::clamped(x));
            self.plan.push(&UnitPoint::clamped(theta), point, ());
        }
    }

    /// The evaluations of a round, `(x, θ)` each.
    fn choose(&mut self, rng: &mut dyn Rng) -> Result<Vec<Vec<f64>>, MetaError> {
        let model = ForwardModel::Unified(Lengthscales::Ard);
        self.forward
            .update(&self.archive, model, &self.config.fit, None, false, rng)?;
        let Some(UnifiedGp { gp, .. }) = self.forward.unified() else {
            return Ok(Vec::new());
        };
        let tasks = grid_tasks(self.config.tasks, self.archive.task_dim(), rng);
        let recommended = recommend(gp, &tasks, &self.recommended, rng);
        let mut gains = Gains::new(gp, &recommended);
        gains.add(self.first_candidates(&recommended, rng));
        for pass in 1..=self.config.refinements {
            let reach = REACH * 0.5_f64.powi(pass as i32);
            let centres = gains.best(CENTRES);
            let near = (0..self.config.candidates)
                .map(|i| self.moved(&centres[i % centres.len()], reach, rng))
                .collect();
            gains.add(near);
        }
        let picks = gains.greedy(self.config.round);
        self.recommended = recommended;
        Ok(picks)
    }

    fn first_candidates(&self, recommended: &[Recommended], rng: &mut dyn Rng) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for (i, at) in recommended.iter().enumerate() {
            let mut z = at.solutions[i % at.solutions.len()].clone();
            z.extend_from_slice(&at.task);
            all.push(z);
        }
        for i in 0..self.config.candidates {
            let at = &recommended[i % recommended.len()];
            let mut z = at.solutions[0].clone();
            z.extend_from_slice(&at.task);
            all.push(self.moved(&z, REACH, rng));
        }
        let dim = self.space.dim() + self.archive.task_dim();
        all.extend(space_filling(self.config.candidates, dim, rng));
        for z in &mut all {
            self.make_canonical(z);
        }
        all
    }

    /// A point around another, at a distance of any scale up to `reach`.
    fn moved(&self, z: &[f64], reach: f64, rng: &mut dyn Rng) -> Vec<f64> {
        let step = reach * 0.05_f64.powf(rng.random());
        let mut moved: Vec<f64> = z
            .iter()
            .map(|c| (c + step * standard_normal(rng)).clamp(0.0, 1.0))
            .collect();
        self.make_canonical(&mut moved);
        moved
    }

    /// What is valued is what will be evaluated.
    fn make_canonical(&self, z: &mut [f64]) {
        let x = &mut z[..self.space.dim()];
        let point = self.space.canonical(&UnitPoint::clamped(&*x));
        x.copy_from_slice(point.coords());
    }

    /// The model fitted to all evaluations, kept until the next one is told.
    fn final_forward(&self) -> Result<&Forward, MetaError> {
        if let Some(fitted) = self.fitted.get() {
            return Ok(fitted);
        }
        let mut rng = recipe_stream(&self.archive, Purpose::Tell);
        let mut forward = self.forward.clone();
        let model = ForwardModel::Unified(Lengthscales::Ard);
        forward.update(&self.archive, model, &self.config.fit, None, true, &mut rng)?;
        Ok(self.fitted.get_or_init(|| forward))
    }

    /// Recommended solutions as an archive of tasks with one evaluation each.
    fn recommendations(&self, gp: &ExactGp) -> Archive {
        let mut rng = recipe_stream(&self.archive, Purpose::Ask);
        let task_dim = self.archive.task_dim();
        let tasks = grid_tasks(self.config.recommendations, task_dim, &mut rng);
        let mut archive = Archive::new(self.archive.dim(), task_dim);
        for at in recommend(gp, &tasks, &self.recommended, &mut rng) {
            let point = self
                .space
                .canonical(&UnitPoint::clamped(at.solutions[0].as_slice()));
            let task = UnitPoint::clamped(at.task);
            archive.insert(&task, point, Some(at.mean));
        }
        archive
    }
}

/// Solutions of least mean of some tasks, from those of `known` tasks nearby and from screened ones.
fn recommend(
    gp: &ExactGp,
    tasks: &[Vec<f64>],
    known: &[Recommended],
    rng: &mut dyn Rng,
) -> Vec<Recommended> {
    let v = gp.input_dim() - tasks.first().map_or(0, Vec::len);
    let everywhere = vec![1.0; v];
    let screened = space_filling(SCREENED, v, rng);
    let screen = Mat::from_fn(SCREENED, v, |i, k| screened[i][k]);
    tasks
        .iter()
        .map(|task| {
            let view = UnifiedView::plain(gp, task);
            let mut starts: Vec<Vec<f64>> = nearest_two(known, task)
                .map(|at| at.solutions[0].clone())
                .collect();
            let means = view.means(screen.as_ref());
            let mut order: Vec<usize> = (0..SCREENED).collect();
            order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
            let missing = SOLUTIONS - starts.len();
            starts.extend(order[..missing].iter().map(|&i| screened[i].clone()));
            let mut ends: Vec<(Vec<f64>, f64)> = starts
                .iter()
                .map(|start| descend_mean(&view, start, &everywhere, DESCENT))
                .collect();
            ends.sort_by(|a, b| a.1.total_cmp(&b.1));
            Recommended {
                task: task.clone(),
                mean: ends[0].1,
                solutions: ends.into_iter().map(|(x, _)| x).collect(),
            }
        })
        .collect()
}

/// The two known tasks nearest to a task, as far as there are any.
fn nearest_two<'a>(
    known: &'a [Recommended],
    task: &[f64],
) -> impl Iterator<Item = &'a Recommended> + use<'a> {
    let distance = |at: &Recommended| -> f64 {
        at.task
            .iter()
            .zip(task)
            .map(|(a, b)| (a - b) * (a - b))
            .sum()
    };
    let mut two: [Option<(&Recommended, f64)>; 2] = [None, None];
    for at in known {
        let own = distance(at);
        if two[0].is_none_or(|(_, d)| own < d) {
            two = [Some((at, own)), two[0]];
        } else if two[1].is_none_or(|(_, d)| own < d) {
            two[1] = Some((at, own));
        }
    }
    two.into_iter().flatten().map(|(at, _)| at)
}

impl Strategy for IntegratedOptimum {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.archive.extend(&self.space, batch)?;
        self.fitted = OnceLock::new();
        for observation in batch {
            self.plan.told(&observation.candidate);
        }
        if !batch.is_empty() && self.plan.is_empty() {
            self.plan_round(rng);
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
        let mut picks = self.plan.next(q.get(), pending);
        while picks.len() < q.get() {
            // Beyond the plan: the recommended solution of any task.
            let task = uniform_task(self.archive.task_dim(), rng);
            let point = match self.forward.unified() {
                Some(UnifiedGp { gp, .. }) => {
                    let tasks = [task.coords().to_vec()];
                    let at = recommend(gp, &tasks, &self.recommended, rng).remove(0);
                    let x = UnitPoint::clamped(at.solutions[0].as_slice());
                    self.space.canonical(&x)
                }
                None => self.space.sample(rng),
            };
            picks.push(Candidate::at(point).with_task(task));
        }
        Ok(picks)
    }
}

impl ParametricStrategy for IntegratedOptimum {
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError> {
        if !self.archive.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        let forward = self.final_forward()?;
        let Some(UnifiedGp { gp, .. }) = forward.unified() else {
            return Err(MetaError::NoSolvedTask);
        };
        let fit = fit.unwrap_or(&self.config.inverse);
        build_task_model(&self.recommendations(gp), forward, recipe, fit)
    }

    fn pool(&self) -> Vec<PoolTask> {
        let mut pool = self.archive.pool(&|_| true);
        for task in pool.iter_mut().take(self.designed) {
            task.added = false;
        }
        pool
    }
}
