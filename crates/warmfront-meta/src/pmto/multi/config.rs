//! Every choice of multi-objective PMTO, by name.

use warmfront_acq::{AcquisitionConfig, MaximizeConfig};
use warmfront_core::{Objectives, SearchSpace, UnitPoint};

use super::MultiPmto;
use crate::MetaError;
use crate::pmto::config::{ForwardFit, InitialDesign, LONGEST};
use crate::pmto::task_gp::InverseFit;

/// Which tasks [`MultiPmto`] evaluates.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MultiTasks {
    /// These tasks only.
    Given {
        /// The tasks, at least one.
        tasks: Vec<UnitPoint>,
        /// Uniform solutions of each that are evaluated before there is a model, at least 1.
        samples: usize,
    },
    /// Tasks of the box: every evaluation may be of another one.
    Evolved {
        /// What is evaluated before there is a model.
        initial: InitialDesign,
        /// Share of a round that goes to new pairs of task and preference, chosen to lower the
        /// integrated variance of the map from both to solutions; the rest goes to the tasks of
        /// the pool whose hypervolume may grow most. In [0, 1].
        new: f64,
        /// Pairs that the new ones are chosen from.
        grid: usize,
        /// Share of the new pairs that is not chosen but the next of the grid, in [0, 1].
        epsilon: f64,
    },
}

/// How a box of tasks with several objectives is optimised.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Objectives, SearchSpace, Strategy};
/// use warmfront_meta::pmto::MultiPmtoConfig;
///
/// let (space, objectives) = (SearchSpace::unit_cube(2), Objectives::minimize_all(2));
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let pmto = MultiPmtoConfig::default().build(&space, 3, &objectives, &mut rng)?;
/// let first = pmto.ask(NonZeroUsize::MIN, &[], &mut rng)?;
/// assert_eq!(first[0].task.as_ref().map(|task| task.dim()), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MultiPmtoConfig {
    /// Short name of the method, as reports show it.
    pub name: String,
    /// Which tasks are evaluated.
    pub tasks: MultiTasks,
    /// Evaluations between two updates of the models, at least 1.
    pub round: usize,
    /// How the models of the objectives are fitted; every coordinate has its own lengthscale, and
    /// none is aligned.
    pub fit: ForwardFit,
    /// What is maximised for a task of the pool, in view of its own evaluations.
    pub acquisition: AcquisitionConfig,
    /// Weight of the standard deviation in the lower confidence bounds of new pairs.
    pub beta: f64,
    /// How acquisition functions are maximised.
    pub maximize: MaximizeConfig,
    /// Upper bounds in cost space that hypervolumes are measured against, for all tasks;
    /// `None` infers them for each task.
    pub reference_point: Option<Vec<f64>>,
    /// How maps from tasks and preferences to solutions are fitted.
    pub inverse: InverseFit,
    /// Pairs of task and preference that the final map learns from, at least 1.
    pub distilled: usize,
}

impl Default for MultiPmtoConfig {
    fn default() -> Self {
        Self {
            name: "multi-PMTO".into(),
            tasks: MultiTasks::Evolved {
                initial: InitialDesign::Joint { samples: 64 },
                new: 0.75,
                grid: 128,
                epsilon: 0.25,
            },
            round: 16,
            fit: ForwardFit::Map {
                restarts: 0,
                growth: 1.3,
                subset: 500,
                evaluations: 40,
                finest: 0.1,
                aligned: None,
            },
            acquisition: AcquisitionConfig::LogEhvi,
            beta: 0.5,
            maximize: MaximizeConfig {
                raw_samples: 128,
                around_best: 128,
                restarts: 4,
                max_iterations: 30,
                parallel: false,
            },
            reference_point: None,
            inverse: InverseFit::Map {
                starts: 2,
                evaluations: 40,
            },
            distilled: 160,
        }
    }
}

impl MultiPmtoConfig {
    /// The method restricted to `tasks`, with `samples` uniform solutions of each to begin with.
    #[must_use]
    pub fn fixed_tasks(tasks: Vec<UnitPoint>, samples: usize) -> Self {
        Self {
            name: "multi-PMTO-FT".into(),
            round: tasks.len().max(1),
            tasks: MultiTasks::Given { tasks, samples },
            ..Self::default()
        }
    }

    /// Builds the strategy for solutions in `space` and tasks in the unit box of `task_dim` coordinates.
    ///
    /// With `task_dim` 0 the box is one point, and the method seeks the front of the one task there is.
    ///
    /// # Errors
    /// If there is no objective, or a setting is out of its range or does not fit the others.
    pub fn build(
        &self,
        space: &SearchSpace,
        task_dim: usize,
        objectives: &Objectives,
        rng: &mut dyn rand::Rng,
    ) -> Result<MultiPmto, MetaError> {
        self.check(task_dim, objectives.len())?;
        Ok(MultiPmto::new(
            self.clone(),
            space,
            task_dim,
            objectives.len(),
            rng,
        ))
    }

    fn check(&self, task_dim: usize, objectives: usize) -> Result<(), MetaError> {
        let need = |good: bool, what: &'static str| {
            if good {
                Ok(())
            } else {
                Err(MetaError::PmtoSetting { what })
            }
        };
        need(objectives > 0, "there is no objective")?;
        need(
            self.beta.is_finite() && self.beta >= 0.0,
            "beta is not finite and at least 0",
        )?;
        need(self.round > 0, "a round is empty")?;
        need(self.distilled > 0, "nothing is distilled")?;
        match &self.tasks {
            MultiTasks::Given { tasks, samples } => {
                need(
                    !tasks.is_empty() && *samples > 0,
                    "the initial design has no evaluation",
                )?;
                need(
                    tasks.iter().all(|task| task.dim() == task_dim),
                    "a given task is of another dimension than the box",
                )?;
            }
            MultiTasks::Evolved {
                initial,
                new,
                grid,
                epsilon,
            } => {
                initial.check(task_dim)?;
                need(*grid > 0, "the grid is empty")?;
                need(
                    (0.0..=1.0).contains(new) && (0.0..=1.0).contains(epsilon),
                    "a share is not in [0, 1]",
                )?;
            }
        }
        if let ForwardFit::Map {
            growth,
            subset,
            finest,
            ..
        } = self.fit
        {
            need(
                finest > 0.0 && finest < LONGEST,
                "the least lengthscale is not in (0, 30)",
            )?;
            need(
                growth.is_finite() && growth > 1.0,
                "growth until the next fit is not above 1",
            )?;
            need(subset > 0, "hyperparameters are fitted to nothing")?;
        }
        if let Some(reference) = &self.reference_point {
            let found = reference.iter().filter(|r| r.is_finite()).count();
            if found != objectives || reference.len() != objectives {
                return Err(MetaError::ReferencePoint {
                    expected: objectives,
                    found,
                });
            }
        }
        Ok(())
    }
}
