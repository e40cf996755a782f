//! What a round does: fit, choose tasks; and the task model that is left in the end.

use std::sync::OnceLock;

use rand::Rng;
use warmfront_core::{Purpose, Seed, UnitPoint};
use warmfront_linalg::Mat;

use super::archive::Archive;
use super::config::{ForwardModel, PmtoConfig, TaskChoice};
use super::criterion::DeterminantalCriterion;
use super::evolution::{EvolutionConfig, maximize_in_box};
use super::forward::Forward;
use super::parametric::{ParametricStrategy, PoolTask};
use super::rows::{best_share, best_solutions, least_regrets, thinned};
use super::search::{BoundSearch, adam_for_tasks, space_filling};
use super::strategy::{Pmto, Slot, uniform_task};
use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use crate::MetaError;

impl Pmto {
    /// Fits the models and fills the queue; the archive holds at least one cost.
    pub(super) fn plan_round(&mut self, rng: &mut dyn Rng) -> Result<(), MetaError> {
        let refitted = self.forward.update(
            &self.archive,
            self.config.forward,
            &self.config.fit,
            self.inverse.as_ref(),
            false,
            rng,
        )?;
        match self.config.tasks.clone() {
            TaskChoice::Determinantal {
                evolution,
                single_precision,
            } => {
                if self.archive.task_dim() > 0 {
                    let task = self.evolved_task(&evolution, single_precision, rng)?;
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
            TaskChoice::Regret {
                grid,
                round,
                epsilon,
                evaluations_per_task,
            } => {
                self.plan_by_regret(grid, round, epsilon, evaluations_per_task, refitted, rng)?;
            }
        }
        self.settle_sweep(rng);
        Ok(())
    }

    /// Solutions of all tasks of a sweep at once, where the search is the published one.
    fn settle_sweep(&mut self, rng: &mut dyn Rng) {
        let (
            Some(gp),
            BoundSearch::Adam {
                restarts,
                updates,
                learning_rate,
                reuse,
            },
        ) = (self.forward.unified(), &self.config.search)
        else {
            return;
        };
        let schedule = (*restarts, *updates, *learning_rate, *reuse);
        let open = |slot: &&mut Slot| slot.point.is_none();
        let tasks: Vec<&[f64]> = self
            .queue
            .iter()
            .filter(|slot| slot.point.is_none())
            .map(|slot| slot.task.coords())
            .collect();
        if gp.alignment.is_some() {
            return;
        }
        let found = adam_for_tasks(&gp.gp, &tasks, self.bound(), schedule, rng);
        for (slot, x) in self.queue.iter_mut().filter(open).zip(found) {
            slot.point = Some(self.space.canonical(&UnitPoint::clamped(x)));
        }
    }

    fn join(&mut self, task: UnitPoint) {
        self.archive.task(&task);
        self.added.push(task);
    }

    /// The maximiser of the determinantal criterion under a task model of all solved tasks.
    fn evolved_task(
        &mut self,
        evolution: &EvolutionConfig,
        single_precision: bool,
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
        let score = |t: &[f64]| {
            if single_precision {
                f64::from(criterion.log_value(t).exp() as f32)
            } else {
                criterion.score(t)
            }
        };
        let (task, _) = maximize_in_box(d, &score, evolution, rng);
        self.inverse = Some(model);
        Ok(UnitPoint::clamped(task))
    }

    /// The task model of everything told so far, with the recipe and fit of the configuration;
    /// [`task_model_with`](ParametricStrategy::task_model_with) takes any other.
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
    /// [`MetaError::NoSolvedTask`] if no evaluation has succeeded yet, and those of the fits.
    pub fn task_model(&self) -> Result<TaskModel, MetaError> {
        self.task_model_with(self.config.recipe, None)
    }

    /// The forward model fitted to all evaluations, kept until the next one is told.
    fn final_forward(&self) -> Result<&Forward, MetaError> {
        if let Some(fitted) = self.fitted.get() {
            return Ok(fitted);
        }
        let mut rng = recipe_stream(&self.archive, Purpose::Tell);
        let mut forward = self.forward.clone();
        forward.update(
            &self.archive,
            self.config.forward,
            &self.config.fit,
            self.inverse.as_ref(),
            true,
            &mut rng,
        )?;
        Ok(self.fitted.get_or_init(|| forward))
    }
}

impl ParametricStrategy for Pmto {
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError> {
        if !self.archive.has_costs() {
            return Err(MetaError::NoSolvedTask);
        }
        let forward = match self.config.forward {
            ForwardModel::Random => forward_for(recipe, &self.archive, &self.fitted)?,
            _ => self.final_forward()?,
        };
        build_task_model(
            &self.archive,
            forward,
            recipe,
            fit.unwrap_or(&self.config.inverse),
        )
    }

    fn pool(&self) -> Vec<PoolTask> {
        self.archive.pool(&|task| self.added.contains(task))
    }
}

/// Random numbers for a task model: they depend on the number of evaluations only.
pub(super) fn recipe_stream(archive: &Archive, purpose: Purpose) -> impl Rng + use<> {
    Seed(0x0070_6d74_6f00).stream(purpose, archive.len() as u64)
}

/// The forward model that a recipe needs for a method that has none of its own: unified, fitted
/// to all evaluations as the improved method does, and kept in `fitted`.
pub(super) fn forward_for<'a>(
    recipe: InverseRecipe,
    archive: &Archive,
    fitted: &'a OnceLock<Forward>,
) -> Result<&'a Forward, MetaError> {
    if !recipe.needs_forward() {
        return Ok(&Forward::Nothing);
    }
    if let Some(forward) = fitted.get() {
        return Ok(forward);
    }
    let config = PmtoConfig::improved();
    let mut rng = recipe_stream(archive, Purpose::Tell);
    let mut forward = Forward::Nothing;
    forward.update(archive, config.forward, &config.fit, None, true, &mut rng)?;
    Ok(fitted.get_or_init(|| forward))
}

/// The task model of an archive with at least one cost, by any recipe.
///
/// It keeps `forward` to refine its answers with. Archives of more than 400 solved tasks are thinned out
/// evenly.
pub(super) fn build_task_model(
    archive: &Archive,
    forward: &Forward,
    recipe: InverseRecipe,
    fit: &InverseFit,
) -> Result<TaskModel, MetaError> {
    recipe.check()?;
    let solved = thinned(archive.solved());
    let data = match recipe {
        InverseRecipe::IsoAll | InverseRecipe::ArdAll => best_solutions(archive, &solved),
        InverseRecipe::ArdBest { share } => {
            best_solutions(archive, &thinned(best_share(archive, share)))
        }
        InverseRecipe::NoiseAware => least_regrets(archive, &solved)?.data,
    };
    let several_noises = InverseFit::Map {
        starts: 4,
        evaluations: 100,
    };
    let fit = match fit {
        InverseFit::Published(_) if !data.slack.is_empty() => &several_noises,
        own => own,
    };
    let isotropic = recipe == InverseRecipe::IsoAll;
    let gp = forward.unified().cloned();
    Ok(TaskModel::fit(data, isotropic, fit, None, gp)?)
}

/// `count` scrambled Sobol tasks; one for a box of one point.
pub(super) fn grid_tasks(count: usize, task_dim: usize, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
    if task_dim == 0 {
        vec![Vec::new()]
    } else {
        space_filling(count, task_dim, rng)
    }
}
