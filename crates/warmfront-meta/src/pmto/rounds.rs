//! What a round does: fit, choose tasks; and the task model that is left in the end.

use rand::Rng;
use warmfront_core::{Purpose, Seed, UnitPoint};
use warmfront_gp::{ExactGp, Surrogate};
use warmfront_linalg::Mat;

use super::archive::Archive;
use super::config::TaskChoice;
use super::criterion::DeterminantalCriterion;
use super::evolution::{EvolutionConfig, maximize_in_box};
use super::information::condition_on;
use super::search::{minimize_mean, space_filling};
use super::strategy::{Pmto, Slot, uniform_task};
use super::task_gp::InverseFit;
use super::task_model::{InverseData, InverseRecipe, TaskModel};
use super::view::{TaskView, UnifiedView};
use crate::MetaError;

/// Tasks that the model of a round is distilled from.
const ROUND_TASKS: usize = 128;
/// More tasks than this are thinned out, evenly in the order of their first evaluation.
const MOST_TASKS: usize = 400;
/// Points around a predicted solution at which its lower confidence bound is looked for.
const AROUND: usize = 8;

/// What the forward model says of one task.
#[derive(Debug, Clone)]
struct Prediction {
    x: Vec<f64>,
    /// By how much the best solution nearby may be better.
    gap: f64,
}

impl Pmto {
    /// Fits the models and fills the queue; the archive holds at least one cost.
    pub(super) fn plan_round(&mut self, rng: &mut dyn Rng) -> Result<(), MetaError> {
        let refitted = self.forward.update(
            &self.archive,
            self.config.forward,
            &self.config.fit,
            false,
            rng,
        )?;
        match self.config.tasks.clone() {
            TaskChoice::Determinantal(evolution) => {
                if self.archive.task_dim() > 0 {
                    let task = self.evolved_task(&evolution, rng)?;
                    self.join(task);
                }
                self.sweep();
            }
            TaskChoice::Random => {
                if self.archive.task_dim() > 0 {
                    let task = uniform_task(self.archive.task_dim(), rng);
                    self.join(task);
                }
                self.sweep();
            }
            TaskChoice::Fixed => self.sweep(),
            TaskChoice::VarianceReduction {
                grid,
                round,
                epsilon,
            } => self.plan_by_variance(grid, round, epsilon, refitted, rng)?,
        }
        Ok(())
    }

    fn join(&mut self, task: UnitPoint) {
        self.archive.task(&task);
        self.added.push(task);
    }

    /// The maximiser of the determinantal criterion under a task model of all solved tasks.
    fn evolved_task(
        &mut self,
        evolution: &EvolutionConfig,
        rng: &mut dyn Rng,
    ) -> Result<UnitPoint, MetaError> {
        let data = best_solutions(&self.archive, &self.archive.solved());
        let model = TaskModel::fit(
            data,
            false,
            &self.config.inverse,
            self.inverse.as_ref(),
            None,
        )?;
        let pool = self.archive.tasks();
        let d = self.archive.task_dim();
        let tasks = Mat::from_fn(pool.len(), d, |i, k| pool[i].at.coords()[k]);
        let criterion = DeterminantalCriterion::new(tasks.as_ref(), &model.lengthscales())?;
        let (task, _) = maximize_in_box(d, &|t| criterion.score(t), evolution, rng);
        self.inverse = Some(model);
        Ok(UnitPoint::clamped(task))
    }

    /// Chooses the tasks of a round by integrated variance reduction weighted by predicted regret.
    fn plan_by_variance(
        &mut self,
        grid: usize,
        round: usize,
        epsilon: f64,
        refitted: bool,
        rng: &mut dyn Rng,
    ) -> Result<(), MetaError> {
        let Some(gp) = self.forward.unified() else {
            return Ok(());
        };
        if refitted {
            let tasks = grid_tasks(ROUND_TASKS, self.archive.task_dim(), rng);
            let data = distilled(gp, &self.archive, &tasks, self.inverse.as_ref(), rng);
            let model = TaskModel::fit(
                data,
                false,
                &self.config.inverse,
                self.inverse.as_ref(),
                None,
            );
            // Without a task model searches start from space-filling points.
            self.inverse = model.ok();
        }
        let tasks = grid_tasks(grid, self.archive.task_dim(), rng);
        let at = predictions(gp, &self.archive, &tasks, self.inverse.as_ref(), rng);
        let v = self.space.dim();
        let joint = Mat::from_fn(tasks.len(), v + self.archive.task_dim(), |i, k| {
            if k < v { at[i].x[k] } else { tasks[i][k - v] }
        });
        let mut covariance = gp.posterior(joint.as_ref())?.covariance;
        let noise = gp.noise_variance();
        let round = round.min(tasks.len());
        let spread = ((epsilon * round as f64).round() as usize).min(round);
        let mut chosen: Vec<usize> = Vec::with_capacity(round);
        // The first points of a scrambled sequence fill the box by themselves.
        for i in 0..spread {
            chosen.push(i);
            condition_on(&mut covariance, i, noise);
        }
        while chosen.len() < round {
            let gain = |i: usize| -> f64 {
                let reduced: f64 = (0..tasks.len())
                    .map(|j| at[j].gap * covariance[(j, i)] * covariance[(j, i)])
                    .sum();
                reduced / (covariance[(i, i)] + noise).max(f64::MIN_POSITIVE)
            };
            let mut best: Option<(usize, f64)> = None;
            for i in (0..tasks.len()).filter(|i| !chosen.contains(i)) {
                let value = gain(i);
                if best.is_none_or(|(_, b)| value > b) {
                    best = Some((i, value));
                }
            }
            let Some((i, _)) = best else { break };
            chosen.push(i);
            condition_on(&mut covariance, i, noise);
        }
        self.queue = chosen
            .into_iter()
            .map(|i| Slot {
                task: UnitPoint::clamped(tasks[i].as_slice()),
                point: None,
                known: vec![at[i].x.clone()],
            })
            .collect();
        Ok(())
    }

    /// The task model of everything told so far, with the recipe of the configuration.
    ///
    /// # Errors
    /// [`MetaError::NoSolvedTask`] if no evaluation has succeeded yet, and those of the fits.
    pub fn task_model(&self) -> Result<TaskModel, MetaError> {
        self.task_model_with(self.config.recipe)
    }

    /// The task model of everything told so far, with any recipe: recipes share the offline phase.
    ///
    /// The forward model is fitted to all evaluations first. The result depends on nothing but
    /// what was told. Pools of more than 400 tasks are thinned out evenly.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use warmfront_core::{
    ///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
    /// };
    /// use warmfront_meta::pmto::{InitialDesign, PmtoConfig};
    ///
    /// let config = PmtoConfig {
    ///     initial: InitialDesign::Joint { samples: 20 },
    ///     ..PmtoConfig::improved()
    /// };
    /// let mut rng = ChaCha8Rng::seed_from_u64(0);
    /// let (space, objectives) = (SearchSpace::unit_cube(1), Objectives::minimize_all(1));
    /// let mut pmto = config.build(&space, 1, &objectives, &mut rng)?;
    /// for trial in 0..40 {
    ///     let candidate = pmto.ask(NonZeroUsize::MIN, &[], &mut rng)?.remove(0);
    ///     let theta = candidate.task.as_ref().map_or(0.0, |task| task.coords()[0]);
    ///     let cost = (candidate.point.coords()[0] - 0.2 - 0.5 * theta).powi(2);
    ///     let outcome = Outcome::Complete(Costs::from_values(vec![cost])?);
    ///     pmto.tell(&[Observation { trial: TrialId(trial), candidate, outcome }], &mut rng)?;
    /// }
    /// let model = pmto.task_model()?;
    /// let solution = model.solution(&UnitPoint::new([0.7])?);
    /// assert!((solution.mean.coords()[0] - 0.55).abs() < 0.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`task_model`](Self::task_model).
    pub fn task_model_with(&self, recipe: InverseRecipe) -> Result<TaskModel, MetaError> {
        if !self.archive.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        let mut rng = Seed(0x0070_6d74_6f00).stream(Purpose::Init, self.archive.len() as u64);
        let mut forward = self.forward.clone();
        forward.update(
            &self.archive,
            self.config.forward,
            &self.config.fit,
            true,
            &mut rng,
        )?;
        let gp = forward.unified();
        let solved = thinned(self.archive.solved());
        let data = match recipe {
            InverseRecipe::IsoAll | InverseRecipe::ArdAll => best_solutions(&self.archive, &solved),
            InverseRecipe::ArdBest { share } => {
                best_solutions(&self.archive, &thinned(best_share(&self.archive, share)))
            }
            InverseRecipe::Distilled { tasks } if self.config.forward.is_unified() => match gp {
                Some(gp) => {
                    let tasks = grid_tasks(tasks, self.archive.task_dim(), &mut rng);
                    distilled(gp, &self.archive, &tasks, self.inverse.as_ref(), &mut rng)
                }
                None => best_solutions(&self.archive, &solved),
            },
            InverseRecipe::NoiseAware | InverseRecipe::Distilled { .. } => {
                let view = |t: usize| forward.view(Some(t), self.archive.tasks()[t].at.coords());
                noise_aware(&self.archive, &solved, &view, &mut rng)
            }
        };
        let fit = match (&self.config.inverse, data.slack.is_empty()) {
            // The published fit knows one noise for all rows.
            (InverseFit::Published(_), false) => InverseFit::Map {
                starts: 4,
                evaluations: 100,
            },
            (own, _) => own.clone(),
        };
        let isotropic = recipe == InverseRecipe::IsoAll;
        let gp = gp.cloned();
        Ok(TaskModel::fit(data, isotropic, &fit, None, gp)?)
    }
}

/// `count` scrambled Sobol tasks; one for a box of one point.
fn grid_tasks(count: usize, task_dim: usize, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
    if task_dim == 0 {
        vec![Vec::new()]
    } else {
        space_filling(count, task_dim, rng)
    }
}

fn thinned(tasks: Vec<usize>) -> Vec<usize> {
    let n = tasks.len();
    if n <= MOST_TASKS {
        return tasks;
    }
    (0..MOST_TASKS).map(|i| tasks[i * n / MOST_TASKS]).collect()
}

/// The `max(1, ⌊share·n⌋)` solved tasks of least best cost, in the order of the pool.
fn best_share(archive: &Archive, share: f64) -> Vec<usize> {
    let cost = |&t: &usize| archive.tasks()[t].best.map_or(f64::INFINITY, |(_, y)| y);
    let mut tasks = archive.solved();
    let keep = ((share * tasks.len() as f64) as usize).max(1);
    tasks.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    tasks.truncate(keep);
    tasks.sort_unstable();
    tasks
}

fn task_matrix(archive: &Archive, tasks: &[usize]) -> Mat<f64> {
    Mat::from_fn(tasks.len(), archive.task_dim(), |i, k| {
        archive.tasks()[tasks[i]].at.coords()[k]
    })
}

fn columns(solutions: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let v = solutions.first().map_or(0, Vec::len);
    (0..v)
        .map(|k| solutions.iter().map(|x| x[k]).collect())
        .collect()
}

fn best_solutions(archive: &Archive, tasks: &[usize]) -> InverseData {
    let solutions: Vec<Vec<f64>> = tasks
        .iter()
        .filter_map(|&t| archive.best_point(t).map(|x| x.coords().to_vec()))
        .collect();
    InverseData {
        tasks: task_matrix(archive, tasks),
        solutions: columns(&solutions),
        slack: Vec::new(),
    }
}

/// Gaps over the largest of them.
fn relative(gaps: Vec<f64>) -> Vec<f64> {
    let largest = gaps.iter().copied().fold(0.0, f64::max);
    gaps.into_iter()
        .map(|gap| if largest > 0.0 { gap / largest } else { 0.0 })
        .collect()
}

/// Solved tasks at the minimisers of the forward mean near their best solutions, with the gaps
/// between the cost there and the lower confidence bound as slack.
fn noise_aware<'a>(
    archive: &Archive,
    tasks: &[usize],
    view: &dyn Fn(usize) -> Option<Box<dyn TaskView + 'a>>,
    rng: &mut dyn Rng,
) -> InverseData {
    let mut solutions = Vec::with_capacity(tasks.len());
    let mut gaps = Vec::with_capacity(tasks.len());
    for &t in tasks {
        let Some(best) = archive.best_point(t) else {
            continue;
        };
        let Some(view) = view(t) else {
            solutions.push(best.coords().to_vec());
            gaps.push(0.0);
            continue;
        };
        let (x, _) = minimize_mean(view.as_ref(), &[best.coords().to_vec()], 0, 30, rng);
        let (mean, variance) = view.marginals(Mat::from_fn(1, x.len(), |_, k| x[k]).as_ref());
        let cost = archive.tasks()[t].best.map_or(mean[0], |(_, y)| y);
        gaps.push((cost - mean[0] + variance[0].sqrt()).max(0.0));
        solutions.push(x);
    }
    InverseData {
        tasks: task_matrix(archive, tasks),
        solutions: columns(&solutions),
        slack: relative(gaps),
    }
}

/// Any tasks at the minimisers of the forward mean, with their gaps as slack.
fn distilled(
    gp: &ExactGp,
    archive: &Archive,
    tasks: &[Vec<f64>],
    last: Option<&TaskModel>,
    rng: &mut dyn Rng,
) -> InverseData {
    let at = predictions(gp, archive, tasks, last, rng);
    let d = archive.task_dim();
    let solutions: Vec<Vec<f64>> = at.iter().map(|p| p.x.clone()).collect();
    InverseData {
        tasks: Mat::from_fn(tasks.len(), d, |i, k| tasks[i][k]),
        solutions: columns(&solutions),
        slack: relative(at.iter().map(|p| p.gap).collect()),
    }
}

/// Predicted solutions of tasks and how much better the best ones nearby may be.
fn predictions(
    gp: &ExactGp,
    archive: &Archive,
    tasks: &[Vec<f64>],
    last: Option<&TaskModel>,
    rng: &mut dyn Rng,
) -> Vec<Prediction> {
    let v = gp.input_dim() - archive.task_dim();
    let offsets = space_filling(AROUND, v, rng);
    let mut found = Vec::with_capacity(tasks.len());
    for task in tasks {
        let view = UnifiedView { gp, task };
        let starts: Vec<Vec<f64>> = last
            .iter()
            .map(|model| {
                let mean = model.raw_mean(task);
                mean.into_iter().map(|x| x.clamp(0.0, 1.0)).collect()
            })
            .collect();
        found.push(minimize_mean(&view, &starts, 24, 25, rng));
    }
    let each = AROUND + 1;
    let joint = Mat::from_fn(each * tasks.len(), gp.input_dim(), |row, k| {
        let (i, candidate) = (row / each, row % each);
        if k >= v {
            return tasks[i][k - v];
        }
        let x = found[i].0[k];
        if candidate == 0 {
            x
        } else {
            (x + 0.2 * (offsets[candidate - 1][k] - 0.5)).clamp(0.0, 1.0)
        }
    });
    let at = gp.predict(joint.as_ref());
    found
        .into_iter()
        .enumerate()
        .map(|(i, (x, mean))| {
            let least = (i * each..(i + 1) * each)
                .map(|row| at.mean[(row, 0)] - at.variance[(row, 0)].sqrt())
                .fold(f64::INFINITY, f64::min);
            Prediction {
                x,
                gap: (mean - least).max(0.0),
            }
        })
        .collect()
}
