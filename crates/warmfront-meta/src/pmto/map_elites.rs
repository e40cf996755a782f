//! Parametric-Task MAP-Elites: another task with every evaluation, an elite for each cell of the box.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat};
use warmfront_math::distribution::standard_normal;

use super::archive::Archive;
use super::cells::Cells;
use super::evolution::{EvolutionConfig, simulated_binary_crossover};
use super::forward::Forward;
use super::parametric::{ParametricStrategy, PoolTask};
use super::plan::{Plan, check_pending};
use super::rounds::{build_task_model, forward_for};
use super::strategy::uniform_task;
use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use crate::MetaError;

/// Settings of [`MapElites`].
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{
///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
/// };
/// use warmfront_meta::pmto::{InverseRecipe, MapElitesConfig, ParametricStrategy};
///
/// let config = MapElitesConfig { cells: 20, ..MapElitesConfig::published() };
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let (space, objectives) = (SearchSpace::unit_cube(1), Objectives::minimize_all(1));
/// let mut method = config.build(&space, 1, &objectives, &mut rng)?;
/// for trial in 0..400 {
///     let candidate = method.ask(NonZeroUsize::MIN, &[], &mut rng)?.remove(0);
///     let theta = candidate.task.as_ref().map_or(0.0, |task| task.coords()[0]);
///     let cost = (candidate.point.coords()[0] - 0.2 - 0.5 * theta).powi(2);
///     let outcome = Outcome::Complete(Costs::from_values(vec![cost])?);
///     method.tell(&[Observation { trial: TrialId(trial), candidate, outcome }], &mut rng)?;
/// }
/// let model = method.task_model_with(InverseRecipe::ArdAll, None)?;
/// let solution = model.solution(&UnitPoint::new([0.7])?);
/// assert!((solution.mean.coords()[0] - 0.55).abs() < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MapElitesConfig {
    /// Short name of the method, as reports show it.
    pub name: String,
    /// Cells of the task box, each with one elite; as many evaluations come before the first variation.
    pub cells: usize,
    /// Probability that a solution comes from the local regression rather than from crossover.
    pub regression: f64,
    /// Distribution index of the crossover.
    pub crossover_index: f64,
    /// Sizes of the tournament among tasks, of which a bandit learns the best.
    pub tournaments: Vec<usize>,
    /// How task models are fitted where the caller does not say.
    pub inverse: InverseFit,
}

impl Default for MapElitesConfig {
    fn default() -> Self {
        Self::published()
    }
}

impl MapElitesConfig {
    /// The published constants.
    #[must_use]
    pub fn published() -> Self {
        Self {
            name: "PT-ME".into(),
            cells: 200,
            regression: 0.5,
            crossover_index: 10.0,
            tournaments: vec![1, 5, 10, 50, 100, 500],
            inverse: InverseFit::Map {
                starts: 4,
                evaluations: 60,
            },
        }
    }

    /// Builds the strategy for solutions in `space` and tasks in the unit box of `task_dim` coordinates.
    ///
    /// # Errors
    /// If there is not exactly one objective, or a setting is out of its range.
    pub fn build(
        &self,
        space: &SearchSpace,
        task_dim: usize,
        objectives: &Objectives,
        rng: &mut dyn Rng,
    ) -> Result<MapElites, MetaError> {
        if objectives.len() != 1 {
            return Err(MetaError::SingleObjective {
                found: objectives.len(),
            });
        }
        let bad = if self.cells == 0 {
            Some("there is no cell")
        } else if !(0.0..=1.0).contains(&self.regression) {
            Some("the share of regressions is not in [0, 1]")
        } else if !(self.crossover_index.is_finite() && self.crossover_index >= 0.0) {
            Some("the crossover index is not finite and at least 0")
        } else if self.tournaments.is_empty() || self.tournaments.contains(&0) {
            Some("there is no tournament, or an empty one")
        } else {
            None
        };
        match bad {
            Some(what) => Err(MetaError::PmtoSetting { what }),
            None => Ok(MapElites::new(self.clone(), space, task_dim, rng)),
        }
    }
}

#[derive(Debug, Clone)]
struct Elite {
    task: UnitPoint,
    point: UnitPoint,
    cost: f64,
}

/// Successes of one size of the tournament.
#[derive(Debug, Clone, Copy, Default)]
struct Arm {
    pulls: usize,
    improvements: usize,
}

/// Parametric-Task MAP-Elites (PT-ME): the outside reference that evolves solutions over the box.
///
/// The box of tasks is cut into cells by k-means. First a uniform solution is evaluated at each
/// centroid. Then every evaluation has a task of its own: with probability ½ a uniform one, for
/// which a linear regression of the elites of its cell and the neighbouring cells predicts a
/// solution, spread by one normal number times the elites' standard deviations; else the child of
/// two uniform elites by simulated binary crossover, at that of `k` uniform tasks whose cell has its
/// elite nearest to the first parent's task. `k` is an arm of a UCB1 bandit, rewarded when the child
/// becomes an elite. A solution replaces the elite of its cell if it costs no more.
///
/// Task models learn from the elites, one task a cell. Recipes with a forward model use a unified
/// one fitted to all evaluations as in [`PmtoConfig::improved`](super::PmtoConfig::improved).
/// Failed evaluations become no elite.
///
/// Departures: neighbours are found by sampling instead of an exact Delaunay triangulation, which is
/// too large in five dimensions; of candidates asked for beyond the plan (as many as were told last,
/// at least one) the bandit learns nothing; with a single cell solutions are uniform. Published with 10⁵ evaluations, a budget of a few
/// thousand is not what it was made for.
///
/// # References
/// Anne, Mouret 2024, *Parametric-Task MAP-Elites*, GECCO (arXiv 2402.01275). Auer, Cesa-Bianchi,
/// Fischer 2002, *Finite-time analysis of the multiarmed bandit problem*, for UCB1.
#[derive(Debug)]
pub struct MapElites {
    config: MapElitesConfig,
    space: SearchSpace,
    archive: Archive,
    cells: Cells,
    elites: Vec<Option<Elite>>,
    arms: Vec<Arm>,
    /// What is planned, with the arm that chose the task.
    plan: Plan<Option<usize>>,
    fitted: OnceLock<Forward>,
}

impl MapElites {
    fn new(
        config: MapElitesConfig,
        space: &SearchSpace,
        task_dim: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let cells = Cells::new(config.cells, task_dim, rng);
        let mut plan = Plan::default();
        for centroid in cells.centroids() {
            let task = UnitPoint::clamped(centroid.as_slice());
            plan.push(&task, space.sample(rng), None);
        }
        Self {
            space: space.clone(),
            archive: Archive::new(space.dim(), task_dim),
            elites: vec![None; cells.centroids().len()],
            arms: vec![Arm::default(); config.tournaments.len()],
            plan,
            cells,
            config,
            fitted: OnceLock::new(),
        }
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &MapElitesConfig {
        &self.config
    }

    /// Number of evaluations told.
    pub fn evaluations(&self) -> usize {
        self.archive.len()
    }

    fn some_elite(&self, rng: &mut dyn Rng) -> Option<&Elite> {
        let known: Vec<&Elite> = self.elites.iter().flatten().collect();
        if known.is_empty() {
            return None;
        }
        Some(known[rng.random_range(0..known.len() as u64) as usize])
    }

    /// A new task with a solution, and the arm that chose the task.
    fn vary(&self, rng: &mut dyn Rng) -> (UnitPoint, UnitPoint, Option<usize>) {
        let regress = rng.random::<f64>() < self.config.regression;
        // A single elite has nothing to be crossed with or to regress on.
        if self.elites.len() == 1 {
            let task = uniform_task(self.archive.task_dim(), rng);
            return (task, self.space.sample(rng), None);
        }
        let (Some(mother), Some(father)) = (self.some_elite(rng), self.some_elite(rng)) else {
            let task = uniform_task(self.archive.task_dim(), rng);
            return (task, self.space.sample(rng), None);
        };
        let (task, coords, arm) = if regress {
            let task = uniform_task(self.archive.task_dim(), rng);
            let coords = self
                .regressed(task.coords(), rng)
                .unwrap_or_else(|| mother.point.coords().to_vec());
            (task, coords, None)
        } else {
            let arm = self.best_arm(rng);
            let task = self.tournament(mother, self.config.tournaments[arm], rng);
            let config = EvolutionConfig {
                crossover: 1.0,
                crossover_index: self.config.crossover_index,
                crossover_coordinate: 1.0,
                ..EvolutionConfig::default()
            };
            let (mother, father) = (mother.point.coords(), father.point.coords());
            let (child, _) = simulated_binary_crossover(mother, father, &config, rng);
            (task, child, Some(arm))
        };
        let point = self.space.canonical(&UnitPoint::clamped(coords));
        (task, point, arm)
    }

    /// The solution that the elites around a task suggest.
    fn regressed(&self, task: &[f64], rng: &mut dyn Rng) -> Option<Vec<f64>> {
        let cell = self.cells.of(task);
        let near = std::iter::once(&cell).chain(self.cells.neighbours(cell));
        let elites: Vec<&Elite> = near.filter_map(|&c| self.elites[c].as_ref()).collect();
        if elites.is_empty() {
            return None;
        }
        let (mut x, spread) = linear_prediction(&elites, task)?;
        let step: f64 = standard_normal(rng);
        for (value, sd) in x.iter_mut().zip(spread) {
            *value = (*value + step * sd).clamp(0.0, 1.0);
        }
        Some(x)
    }

    /// The arm of largest upper confidence bound; any until all have been tried.
    fn best_arm(&self, rng: &mut dyn Rng) -> usize {
        let untried: Vec<usize> = (0..self.arms.len())
            .filter(|&a| self.arms[a].pulls == 0)
            .collect();
        if !untried.is_empty() {
            return untried[rng.random_range(0..untried.len() as u64) as usize];
        }
        let pulls: usize = self.arms.iter().map(|arm| arm.pulls).sum();
        let bound = |arm: &Arm| {
            let n = arm.pulls as f64;
            arm.improvements as f64 / n + (2.0 * (pulls as f64).ln() / n).sqrt()
        };
        let mut best = 0;
        for (a, arm) in self.arms.iter().enumerate() {
            if bound(arm) > bound(&self.arms[best]) {
                best = a;
            }
        }
        best
    }

    fn tournament(&self, parent: &Elite, size: usize, rng: &mut dyn Rng) -> UnitPoint {
        let mut best: Option<(UnitPoint, f64)> = None;
        for _ in 0..size {
            let task = uniform_task(self.archive.task_dim(), rng);
            let cell = self.cells.of(task.coords());
            let at = self.elites[cell]
                .as_ref()
                .map_or(self.cells.centroids()[cell].as_slice(), |e| e.task.coords());
            let own = parent.task.coords();
            let distance: f64 = at.iter().zip(own).map(|(a, b)| (a - b) * (a - b)).sum();
            if best.as_ref().is_none_or(|(_, least)| distance < *least) {
                best = Some((task, distance));
            }
        }
        best.map_or_else(
            || uniform_task(self.archive.task_dim(), rng),
            |(task, _)| task,
        )
    }

    /// Whether an evaluation became the elite of its cell.
    fn enter(&mut self, task: &UnitPoint, point: &UnitPoint, cost: f64) -> bool {
        let cell = self.cells.of(task.coords());
        let elite = &mut self.elites[cell];
        if elite.as_ref().is_some_and(|old| cost > old.cost) {
            return false;
        }
        *elite = Some(Elite {
            task: task.clone(),
            point: self.space.canonical(point),
            cost,
        });
        true
    }

    /// The elites as tasks with one evaluation each.
    fn elite_archive(&self) -> Archive {
        let mut archive = Archive::new(self.archive.dim(), self.archive.task_dim());
        for elite in self.elites.iter().flatten() {
            archive.insert(&elite.task, elite.point.clone(), Some(elite.cost));
        }
        archive
    }
}

/// The least-squares prediction at a task and the standard deviation of each solution coordinate.
fn linear_prediction(elites: &[&Elite], task: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let (n, d) = (elites.len() as f64, task.len());
    let v = elites.first()?.point.dim();
    let mean = |of: &dyn Fn(&Elite) -> f64| elites.iter().map(|e| of(e)).sum::<f64>() / n;
    let centre: Vec<f64> = (0..d).map(|k| mean(&|e| e.task.coords()[k])).collect();
    let level: Vec<f64> = (0..v).map(|k| mean(&|e| e.point.coords()[k])).collect();
    let spread = (0..v)
        .map(|k| mean(&|e| (e.point.coords()[k] - level[k]).powi(2)).sqrt())
        .collect();
    let moment = |a: usize, b: usize| {
        mean(&|e| (e.task.coords()[a] - centre[a]) * (e.task.coords()[b] - centre[b]))
    };
    let mut normal = Mat::from_fn(d, d, moment);
    // Fewer elites than coordinates leave directions without a slope: a trace of ridge keeps those
    // near zero, as the solution of least norm does.
    let ridge = 1e-9 * (0..d).map(|k| normal[(k, k)]).sum::<f64>() + f64::MIN_POSITIVE;
    for k in 0..d {
        normal[(k, k)] += ridge;
    }
    let mut weights: Vec<f64> = task.iter().zip(&centre).map(|(t, c)| t - c).collect();
    if d > 0 {
        let factor = JitteredCholesky::factorize(normal.as_ref(), JitterPolicy::default()).ok()?;
        factor.solve_slice_in_place(&mut weights);
    }
    let x = (0..v)
        .map(|k| {
            let slope = |j: usize| {
                mean(&|e| (e.task.coords()[j] - centre[j]) * (e.point.coords()[k] - level[k]))
            };
            level[k] + (0..d).map(|j| weights[j] * slope(j)).sum::<f64>()
        })
        .collect();
    Some((x, spread))
}

impl Strategy for MapElites {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn tell(&mut self, batch: &[Observation], rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.archive.extend(&self.space, batch)?;
        self.fitted = OnceLock::new();
        for observation in batch {
            let candidate = &observation.candidate;
            let arm = self.plan.told(candidate).flatten();
            let cost = observation.outcome.costs().and_then(|c| c.values()[0]);
            let improved = match (&candidate.task, cost) {
                (Some(task), Some(cost)) => self.enter(task, &candidate.point, cost),
                _ => false,
            };
            if let Some(arm) = arm {
                self.arms[arm].pulls += 1;
                self.arms[arm].improvements += usize::from(improved);
            }
        }
        while !batch.is_empty() && self.plan.len() < batch.len() {
            let (task, point, arm) = self.vary(rng);
            self.plan.push(&task, point, arm);
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
            let (task, point, _) = self.vary(rng);
            picks.push(Candidate::at(point).with_task(task));
        }
        Ok(picks)
    }
}

impl ParametricStrategy for MapElites {
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError> {
        let elites = self.elite_archive();
        if !elites.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        let forward = forward_for(recipe, &self.archive, &self.fitted)?;
        let fit = fit.unwrap_or(&self.config.inverse);
        build_task_model(&elites, forward, recipe, fit)
    }

    /// The elites; a cell without one is there with its centroid.
    fn pool(&self) -> Vec<PoolTask> {
        let cells = self.cells.centroids().iter().zip(&self.elites);
        cells
            .map(|(centroid, elite)| {
                let centroid = UnitPoint::clamped(centroid.as_slice());
                match elite {
                    Some(elite) => PoolTask {
                        added: elite.task != centroid,
                        task: elite.task.clone(),
                        best: Some((elite.point.clone(), elite.cost)),
                    },
                    None => PoolTask {
                        task: centroid,
                        best: None,
                        added: false,
                    },
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regression_is_exact_where_solutions_are_linear() {
        let solution = |t: &[f64]| vec![0.1 + 0.5 * t[0], 0.8 - 0.3 * t[1] + 0.1 * t[0]];
        let elites: Vec<Elite> = [[0.1, 0.2], [0.7, 0.3], [0.4, 0.9], [0.6, 0.6]]
            .iter()
            .map(|t| Elite {
                task: UnitPoint::clamped(t.as_slice()),
                point: UnitPoint::clamped(solution(t)),
                cost: 0.0,
            })
            .collect();
        let all: Vec<&Elite> = elites.iter().collect();
        let (x, spread) = linear_prediction(&all, &[0.9, 0.1]).expect("regular");
        for (a, b) in x.iter().zip(solution(&[0.9, 0.1])) {
            assert!((a - b).abs() < 1e-6, "{x:?}");
        }
        assert!(spread.iter().all(|s| (0.05..0.2).contains(s)), "{spread:?}");
        // One elite predicts itself, without any spread.
        let (x, spread) = linear_prediction(&all[..1], &[0.9, 0.1]).expect("regular");
        assert!((x[0] - 0.15).abs() < 1e-12 && spread[0] < 1e-12);
    }
}
