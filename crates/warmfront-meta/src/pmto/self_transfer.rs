//! SELF: fixed tasks, a multi-task surrogate with differential evolution, local searches, and transfers between tasks.

mod config;

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rand::{Rng, RngExt};
use warmfront_core::{Candidate, Observation, SearchSpace, Strategy, StrategyError, UnitPoint};
use warmfront_gp::{Dataset, ExactGp, KernelKind, Standardization, Surrogate};
use warmfront_linalg::Mat;
use warmfront_math::special::log_ei_helper;

use super::archive::Archive;
use super::config::ForwardFit;
use super::coregionalized::Coregionalized;
use super::forward::{Forward, published};
use super::parametric::{ParametricStrategy, PoolTask};
use super::plan::{Plan, check_pending};
use super::rounds::{build_task_model, forward_for};
use super::strategy::latin_hypercube;
use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use super::view::TaskView;
use crate::MetaError;

pub use config::{SelfTransferConfig, TransferCorrelation};

/// Trials whose deviations are computed together.
const CHUNK: usize = 256;

/// What the evaluations under way belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Design,
    Global,
    Local,
}

/// SELF, expensive multi-task optimisation over fixed tasks, as the authors of PMTO compared with it.
///
/// After a design whose solutions all tasks share, a generation has two phases. *Global*: a
/// coregionalisation model of rank 1 is fitted to all evaluations; for each task differential
/// evolution (rand/1/bin) makes 50 trials from every evaluated solution, and the trial of least lower
/// confidence bound is evaluated. *Local*: a process over the 50 evaluated solutions nearest to the
/// best of each task proposes the point of largest expected improvement in their box, which is
/// evaluated on its task and, with the probability of their correlation, on every other task.
/// All tasks of one sign of the loadings thus share all their proposals ([`TransferCorrelation`]),
/// and a generation of 20 tasks takes from 40 to 420 evaluations.
///
/// Evaluations of other tasks may be told as well: those tasks join. A failed evaluation counts as
/// the worst cost seen so far. Where a fit fails the phase evaluates uniform points.
/// Recipes with a forward model use a unified one fitted to all evaluations as in
/// [`PmtoConfig::improved`](super::PmtoConfig::improved).
///
/// The original method could not be consulted: the constants are those of the runs of PMTO's authors.
/// The bounds of trials are computed in the order of their means, and no further than where the
/// prior deviation could still make a difference, which changes nothing but the time it takes.
/// Expected improvement is compared by its logarithm.
///
/// # References
/// Tan et al. 2024, on expensive multi-task optimisation, IEEE TEVC, as compared with in Wei, Liu,
/// Gupta, Tan, Ong 2026 (arXiv 2503.08394). Storn, Price 1997, *Differential evolution*.
#[derive(Debug)]
pub struct SelfTransfer {
    config: SelfTransferConfig,
    space: SearchSpace,
    archive: Archive,
    plan: Plan<()>,
    phase: Phase,
    model: Option<Coregionalized>,
    last_error: Option<MetaError>,
    fitted: OnceLock<Forward>,
}

impl SelfTransfer {
    fn new(
        config: SelfTransferConfig,
        space: &SearchSpace,
        task_dim: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let mut archive = Archive::new(space.dim(), task_dim);
        for task in latin_hypercube(config.tasks, task_dim, rng) {
            archive.task(&task);
        }
        let mut built = Self {
            space: space.clone(),
            archive,
            plan: Plan::default(),
            phase: Phase::Design,
            model: None,
            last_error: None,
            fitted: OnceLock::new(),
            config,
        };
        built.plan_design(rng);
        built
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &SelfTransferConfig {
        &self.config
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    /// Why the last model could not be fitted, if it could not; proposals are then uniform.
    pub fn last_error(&self) -> Option<&MetaError> {
        self.last_error.as_ref()
    }

    fn plan_design(&mut self, rng: &mut dyn Rng) {
        let points = latin_hypercube(self.config.samples, self.space.dim(), rng);
        for task in self.archive.tasks() {
            for point in &points {
                self.plan.push(&task.at, self.space.canonical(point), ());
            }
        }
    }

    fn plan_phase(&mut self, rng: &mut dyn Rng) {
        if !self.archive.has_costs() {
            self.plan_design(rng);
            return;
        }
        self.phase = match self.phase {
            Phase::Design | Phase::Local => Phase::Global,
            Phase::Global => Phase::Local,
        };
        let planned = match self.phase {
            Phase::Local => self.plan_local(rng),
            _ => self.plan_global(rng),
        };
        match planned {
            Ok(picks) => {
                self.last_error = None;
                for (task, x) in picks {
                    let point = self.space.canonical(&UnitPoint::clamped(x));
                    self.plan.push(&self.archive.tasks()[task].at, point, ());
                }
            }
            // An expensive loop must not end because one fit did: explore until the next one.
            Err(error) => {
                tracing::warn!(method = self.config.name, %error, "fit failed, exploring instead");
                self.model = None;
                self.last_error = Some(error);
                for task in self.archive.tasks() {
                    self.plan.push(&task.at, self.space.sample(rng), ());
                }
            }
        }
    }

    fn plan_global(&mut self, rng: &mut dyn Rng) -> Result<Vec<(usize, Vec<f64>)>, MetaError> {
        let rows: Vec<usize> = (0..self.archive.len()).collect();
        let of: Vec<usize> = self.archive.rows().iter().map(|row| row.task).collect();
        let fit = ForwardFit::Published {
            optimizer: self.config.optimizer.clone(),
            warm_start: false,
            growth: 1.0,
        };
        let model = Coregionalized::fit(
            self.archive.solutions(&rows),
            &self.archive.costs(),
            &of,
            (self.archive.tasks().len(), 1),
            &fit,
            self.config.subset,
            None,
            rng,
        )?;
        let picks = (0..self.archive.tasks().len())
            .map(|task| {
                let each = self.config.trials;
                (task, self.best_trial(&model, task, usize::MAX, each, rng))
            })
            .collect();
        self.model = Some(model);
        Ok(picks)
    }

    /// The trial of least bound among `each` for `individuals` evaluated solutions of a task.
    fn best_trial(
        &self,
        model: &Coregionalized,
        task: usize,
        individuals: usize,
        each: usize,
        rng: &mut dyn Rng,
    ) -> Vec<f64> {
        let rows = &self.archive.tasks()[task].rows;
        if rows.is_empty() || task >= model.num_tasks() {
            return self.space.sample(rng).coords().to_vec();
        }
        let population: Vec<Vec<f64>> = rows
            .iter()
            .map(|&row| self.archive.rows()[row].point.coords().to_vec())
            .collect();
        let v = self.space.dim();
        let (low, high) = (vec![0.0; v], vec![1.0; v]);
        let differential = self.config.differential();
        let mut trials = Vec::with_capacity(population.len().min(individuals) * each);
        for i in 0..population.len().min(individuals) {
            let target = if individuals < population.len() {
                rng.random_range(0..population.len() as u64) as usize
            } else {
                i
            };
            for _ in 0..each {
                trials.push(differential.trial(&population, target, (&low, &high), rng));
            }
        }
        let view = model.view(task);
        let prior = view.largest_variance();
        let index = least_bound(
            &view,
            &trials,
            self.config.beta,
            self.config.with_noise,
            prior,
        );
        trials.swap_remove(index)
    }

    fn plan_local(&self, rng: &mut dyn Rng) -> Result<Vec<(usize, Vec<f64>)>, MetaError> {
        let costs = self.archive.costs();
        let tasks = self.archive.tasks().len();
        let mut picks = Vec::with_capacity(tasks);
        for task in 0..tasks {
            let point = match self.archive.best_point(task) {
                Some(best) => self.local_pick(task, best.coords(), &costs, rng)?,
                None => self.space.sample(rng).coords().to_vec(),
            };
            picks.push((task, point));
        }
        let Some(model) = &self.model else {
            return Ok(picks);
        };
        for donor in 0..tasks.min(model.num_tasks()) {
            for receiver in 0..tasks.min(model.num_tasks()) {
                let chance = self.correlation(model, donor, receiver);
                if donor != receiver && rng.random::<f64>() < chance {
                    picks.push((receiver, picks[donor].1.clone()));
                }
            }
        }
        Ok(picks)
    }

    fn correlation(&self, model: &Coregionalized, a: usize, b: usize) -> f64 {
        let covariance = |a, b| match self.config.correlation {
            TransferCorrelation::Shared => model.shared(a, b),
            TransferCorrelation::Full => model.between(a, b),
        };
        let scale = (covariance(a, a) * covariance(b, b)).sqrt();
        if scale > 0.0 {
            (covariance(a, b) / scale).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The point of largest expected improvement around the best of a task.
    fn local_pick(
        &self,
        task: usize,
        best: &[f64],
        costs: &[f64],
        rng: &mut dyn Rng,
    ) -> Result<Vec<f64>, MetaError> {
        let mut rows = self.archive.tasks()[task].rows.clone();
        let distance = |row: usize| -> f64 {
            let x = self.archive.rows()[row].point.coords();
            x.iter().zip(best).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        rows.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        rows.truncate(self.config.neighbours);
        let x = self.archive.solutions(&rows);
        let y: Vec<f64> = rows.iter().map(|&row| costs[row]).collect();
        let side = |start: f64, pick: fn(f64, f64) -> f64, margin: f64| -> Vec<f64> {
            (0..x.ncols())
                .map(|k| {
                    let column = (0..x.nrows()).map(|i| x[(i, k)]);
                    (column.fold(start, pick) + margin).clamp(0.0, 1.0)
                })
                .collect()
        };
        let low = side(1.0, f64::min, -self.config.margin);
        let high = side(0.0, f64::max, self.config.margin);
        let groups = vec![0; x.ncols()];
        let (hyper, _) = published(&x, &y, &groups, &self.config.local_optimizer, None)?;
        let outcomes = Mat::from_fn(y.len(), 1, |i, _| y[i]);
        let data = Dataset::new(x, outcomes)?;
        let identity = Standardization::IDENTITY;
        let gp = ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &hyper, identity)?;
        let least = y.iter().copied().fold(f64::INFINITY, f64::min);
        let extra = if self.config.with_noise {
            gp.noise_variance()
        } else {
            0.0
        };
        let scores = |points: &[Vec<f64>]| -> Vec<f64> {
            let at = gp.predict(matrix(points).as_ref());
            (0..points.len())
                .map(|i| {
                    let sd = (at.variance[(i, 0)] + extra).sqrt().max(f64::MIN_POSITIVE);
                    sd.ln() + log_ei_helper((least - at.mean[(i, 0)]) / sd)
                })
                .collect()
        };
        Ok(self.config.differential().maximize(
            (&low, &high),
            self.config.population,
            self.config.generations,
            &scores,
            rng,
        ))
    }
}

fn matrix(points: &[Vec<f64>]) -> Mat<f64> {
    let dim = points.first().map_or(0, Vec::len);
    Mat::from_fn(points.len(), dim, |i, k| points[i][k])
}

/// The index of the point of least `μ − β·σ`, where no latent variance exceeds `prior`.
///
/// Means are cheap: points are taken in their order, until even the prior deviation would not make
/// the next one the best.
fn least_bound(
    view: &dyn TaskView,
    points: &[Vec<f64>],
    beta: f64,
    with_noise: bool,
    prior: f64,
) -> usize {
    let means: Vec<f64> = points
        .chunks(CHUNK)
        .flat_map(|chunk| view.means(matrix(chunk).as_ref()))
        .collect();
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
    let extra = if with_noise {
        view.noise_variance()
    } else {
        0.0
    };
    let reach = beta * (prior + extra).sqrt();
    let mut best = (order[0], f64::INFINITY);
    for chunk in order.chunks(CHUNK / 4) {
        if means[chunk[0]] - reach >= best.1 {
            break;
        }
        let own: Vec<Vec<f64>> = chunk.iter().map(|&i| points[i].clone()).collect();
        let (mean, variance) = view.marginals(matrix(&own).as_ref());
        for ((&i, m), v) in chunk.iter().zip(mean).zip(variance) {
            let value = m - beta * (v + extra).sqrt();
            if value < best.1 {
                best = (i, value);
            }
        }
    }
    best.0
}

impl Strategy for SelfTransfer {
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
            self.plan_phase(rng);
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
            // Beyond the plan: a few trials from one solution of any task.
            let task = rng.random_range(0..self.archive.tasks().len() as u64) as usize;
            let point = match &self.model {
                Some(model) => {
                    let x = self.best_trial(model, task, 1, self.config.trials, rng);
                    self.space.canonical(&UnitPoint::clamped(x))
                }
                None => self.space.sample(rng),
            };
            picks.push(Candidate::at(point).with_task(self.archive.tasks()[task].at.clone()));
        }
        Ok(picks)
    }
}

impl ParametricStrategy for SelfTransfer {
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError> {
        if !self.archive.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        let forward = forward_for(recipe, &self.archive, &self.fitted)?;
        let fit = fit.unwrap_or(&self.config.inverse);
        build_task_model(&self.archive, forward, recipe, fit)
    }

    fn pool(&self) -> Vec<PoolTask> {
        self.archive.pool(&|_| false)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::pmto::Optimizer;

    fn model() -> Coregionalized {
        let n = 40;
        let x = Mat::from_fn(n, 2, |i, k| ((i * (k + 2)) as f64 * 0.31).fract());
        let of: Vec<usize> = (0..n).map(|i| i % 2).collect();
        let y: Vec<f64> = (0..n)
            .map(|i| (5.0 * x[(i, 0)]).sin() + x[(i, 1)] * of[i] as f64)
            .collect();
        let fit = ForwardFit::Published {
            optimizer: Optimizer::thrifty_adam(300, 10),
            warm_start: false,
            growth: 1.0,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Coregionalized::fit(x, &y, &of, (2, 1), &fit, 30, None, &mut rng).expect("regular")
    }

    #[test]
    fn skipping_what_cannot_win_finds_the_same_trial() {
        let model = model();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let points: Vec<Vec<f64>> = (0..700).map(|_| vec![rng.random(), rng.random()]).collect();
        for (task, beta) in [(0, 0.0), (1, 0.5), (0, 1.0), (1, 50.0)] {
            let view = model.view(task);
            let pruned = least_bound(&view, &points, beta, true, view.largest_variance());
            let all = least_bound(&view, &points, beta, true, 1e300);
            assert_eq!(pruned, all, "β = {beta}");
        }
    }

    #[test]
    fn shared_correlations_of_rank_1_are_all_or_nothing() {
        let model = model();
        let correlation = model.shared(0, 1) / (model.shared(0, 0) * model.shared(1, 1)).sqrt();
        assert!((correlation.abs() - 1.0).abs() < 1e-9, "{correlation}");
        let full = model.between(0, 1) / (model.between(0, 0) * model.between(1, 1)).sqrt();
        assert!(full.abs() < 0.999, "{full}");
    }
}
