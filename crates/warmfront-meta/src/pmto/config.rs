//! Every choice of the method, by name, and the named methods that are made of them.

use warmfront_core::{Objectives, SearchSpace, UnitPoint};

use super::evolution::EvolutionConfig;
use super::published::Optimizer;
use super::search::BoundSearch;
use super::strategy::{Pmto, latin_hypercube};
use super::task_gp::InverseFit;
use super::task_model::InverseRecipe;
use crate::MetaError;

/// No lengthscale of a forward model is longer.
pub(super) const LONGEST: f64 = 30.0;

/// What is evaluated before there is a model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InitialDesign {
    /// Tasks of a Latin hypercube, uniform solutions of each.
    Tasks {
        /// Number of tasks, at least 1.
        tasks: usize,
        /// Evaluations of each, at least 1.
        samples: usize,
    },
    /// Uniform solutions of these tasks.
    Given {
        /// Tasks in the unit box, at least one.
        tasks: Vec<UnitPoint>,
        /// Evaluations of each, at least 1.
        samples: usize,
    },
    /// Scrambled Sobol points over solutions and tasks together, every evaluation another task. Ours.
    Joint {
        /// Number of evaluations, at least 1.
        samples: usize,
    },
}

impl InitialDesign {
    /// Whether it evaluates anything, and tasks of this dimension.
    pub(super) fn check(&self, task_dim: usize) -> Result<(), MetaError> {
        let what = match self {
            Self::Tasks { tasks: 0, .. }
            | Self::Tasks { samples: 0, .. }
            | Self::Given { samples: 0, .. }
            | Self::Joint { samples: 0 } => "the initial design has no evaluation",
            Self::Given { tasks, .. } if tasks.is_empty() => "the initial design has no evaluation",
            Self::Given { tasks, .. } if tasks.iter().any(|task| task.dim() != task_dim) => {
                "a given task is of another dimension than the box"
            }
            _ => return Ok(()),
        };
        Err(MetaError::PmtoSetting { what })
    }

    /// Its tasks and the number of solutions of each; `None` where every evaluation has a task of its own.
    pub(super) fn tasks(
        &self,
        task_dim: usize,
        rng: &mut dyn rand::Rng,
    ) -> Option<(Vec<UnitPoint>, usize)> {
        match self {
            Self::Tasks { tasks, samples } => {
                let all = latin_hypercube(*tasks, task_dim, rng);
                let each = samples * (tasks / all.len());
                Some((all, each))
            }
            Self::Given { tasks, samples } => Some((tasks.clone(), *samples)),
            Self::Joint { .. } => None,
        }
    }
}

/// Which lengthscales of a unified forward model are tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengthscales {
    /// One for all coordinates of solutions and tasks, as published.
    Shared,
    /// One for each coordinate.
    Ard,
}

/// The model of costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardModel {
    /// One process over solutions and tasks.
    Unified(Lengthscales),
    /// An independent process over solutions for each task (ST), lengthscale shared by all coordinates.
    PerTask,
    /// An intrinsic coregionalisation model over solutions and the tasks of the pool (MT).
    Coregionalized {
        /// Rank of the part of the task covariance that tasks have in common.
        rank: usize,
    },
    /// None: solutions are drawn uniformly.
    Random,
}

/// How the forward model is fitted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ForwardFit {
    /// As in the published runs: raw outcomes, parameters from fixed defaults, once a round.
    Published {
        /// How the likelihood is climbed.
        optimizer: Optimizer,
        /// Start at the last round's parameters instead of the defaults.
        warm_start: bool,
        /// Growth of the number of evaluations until the next fit; at 1 every round fits. In
        /// between the factorisation grows by the new rows.
        growth: f64,
    },
    /// Maximum a posteriori on standardised outcomes. Ours.
    ///
    /// Refitted when the evaluations have grown by a factor, from the last fit and on a random
    /// subset if there are many; between fits the factorisation grows by the new rows.
    Map {
        /// Random starts besides the default and the last fit.
        restarts: usize,
        /// Growth of the number of evaluations until the next fit, above 1.
        growth: f64,
        /// Largest number of evaluations that hyperparameters are fitted to.
        subset: usize,
        /// Likelihoods evaluated from each start, at most.
        evaluations: usize,
        /// Least lengthscale of a solution coordinate: finer detail of the costs counts as noise.
        finest: f64,
        /// Fits also in coordinates relative to where the task model expects the best solution of
        /// each task, with this least lengthscale of a solution coordinate, and keeps the fit of
        /// larger likelihood: landscapes that look alike around their optima are then learnt from the
        /// evaluations of all tasks. `None`: never. Needs a unified model and a method that keeps
        /// a task model ([`TaskChoice::Determinantal`], [`TaskChoice::Regret`]).
        aligned: Option<f64>,
    },
}

/// Which tasks are evaluated.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TaskChoice {
    /// Every round evaluates each task of the pool once, newest first, after one joined it that
    /// maximises the determinantal criterion: the published task evolution.
    Determinantal {
        /// The search for the maximum.
        evolution: EvolutionConfig,
        /// Whether the criterion is rounded to single precision, in which the published runs computed
        /// it: under long lengthscales all determinants are then 0, and the search returns the first
        /// of its equals.
        single_precision: bool,
    },
    /// As [`Determinantal`](Self::Determinantal) with a uniformly drawn task (PMTO-RT).
    Random,
    /// The tasks of the initial design only, each once a round (PMTO-FT).
    Fixed,
    /// Every round evaluates the tasks of the pool whose best solution may be improved most, by the
    /// gap between the forward mean there and the least lower confidence bound nearby. New tasks
    /// join while the task model is expected to lose more between tasks than the pool has gaps:
    /// those of a Sobol grid that lower this loss most. Ours. Needs a unified forward model.
    Regret {
        /// Tasks of the grid.
        grid: usize,
        /// Evaluations between two updates of the model.
        round: usize,
        /// Share of the new tasks that is not chosen but the next of the grid, in [0, 1].
        epsilon: f64,
        /// Least and largest number of evaluations per task of the pool, on average.
        evaluations_per_task: (f64, f64),
    },
}

/// How a box of tasks is optimised: [`improved`](Self::improved) is the default,
/// [`as_run`](Self::as_run) the published method.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Objectives, SearchSpace, Strategy};
/// use warmfront_meta::pmto::PmtoConfig;
///
/// let (space, objectives) = (SearchSpace::unit_cube(2), Objectives::minimize_all(1));
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let pmto = PmtoConfig::improved().build(&space, 3, &objectives, &mut rng)?;
/// let first = pmto.ask(NonZeroUsize::MIN, &[], &mut rng)?;
/// assert_eq!(first[0].task.as_ref().map(|task| task.dim()), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PmtoConfig {
    /// Short name of the method, as reports show it.
    pub name: String,
    /// What is evaluated before there is a model.
    pub initial: InitialDesign,
    /// The model of costs.
    pub forward: ForwardModel,
    /// How it is fitted.
    pub fit: ForwardFit,
    /// Which tasks are evaluated.
    pub tasks: TaskChoice,
    /// Weight of the standard deviation in the lower confidence bound `μ − β·σ`.
    pub beta: f64,
    /// Whether σ includes the noise of an evaluation, as in the published runs.
    pub bound_with_noise: bool,
    /// How the bound of a task is minimised.
    pub search: BoundSearch,
    /// From which rows the final task model learns.
    pub recipe: InverseRecipe,
    /// How task models are fitted.
    pub inverse: InverseFit,
}

impl Default for PmtoConfig {
    fn default() -> Self {
        Self::improved()
    }
}

impl PmtoConfig {
    /// The method with fits, task choice and budget of our own; see the module page for what differs.
    #[must_use]
    pub fn improved() -> Self {
        Self {
            name: "PMTO-improved".into(),
            initial: InitialDesign::Tasks {
                tasks: 20,
                samples: 5,
            },
            forward: ForwardModel::Unified(Lengthscales::Ard),
            fit: ForwardFit::Map {
                restarts: 0,
                growth: 1.3,
                subset: 500,
                evaluations: 40,
                finest: 0.3,
                aligned: Some(0.05),
            },
            tasks: TaskChoice::Regret {
                grid: 128,
                round: 20,
                epsilon: 0.25,
                evaluations_per_task: (20.0, 50.0),
            },
            beta: 0.5,
            bound_with_noise: false,
            search: BoundSearch::Screened {
                points: 48,
                searches: 1,
                evaluations: 10,
            },
            recipe: InverseRecipe::NoiseAware,
            inverse: InverseFit::Map {
                starts: 4,
                evaluations: 60,
            },
        }
    }

    /// The published method with every constant as it was run; only, what takes most of its time is
    /// thinned out: Adam extrapolates most gradients, which ends in the same likelihoods; the
    /// forward model is fitted when the evaluations have grown by 10 % instead of every round; and
    /// the search of the bound keeps `K⁻¹k` for five steps. For the literal schedule set
    /// the optimisers to [`Optimizer::adam`] of 500 and 1500 steps, `growth` and `reuse` to 1.
    #[must_use]
    pub fn as_run() -> Self {
        Self {
            name: "PMTO".into(),
            initial: InitialDesign::Tasks {
                tasks: 20,
                samples: 10,
            },
            forward: ForwardModel::Unified(Lengthscales::Shared),
            fit: ForwardFit::Published {
                optimizer: Optimizer::thrifty_adam(500, 25),
                warm_start: false,
                growth: 1.1,
            },
            tasks: TaskChoice::Determinantal {
                evolution: EvolutionConfig::default(),
                single_precision: true,
            },
            beta: 0.5,
            bound_with_noise: true,
            search: BoundSearch::Adam {
                restarts: 8,
                updates: 49,
                learning_rate: 0.01,
                reuse: 5,
            },
            recipe: InverseRecipe::ArdBest { share: 0.7 },
            inverse: InverseFit::Published(Optimizer::thrifty_adam(1500, 25)),
        }
    }

    /// Hybrid task sampling: the published models and search, with the improved method's choice of
    /// tasks and evaluations ([`TaskChoice::Regret`]). Ours: an answer to the paper's open question
    /// of a sampling that balances diversity with local relevance.
    ///
    /// Of the new tasks a quarter are the next of a Sobol sequence (diversity), the others those
    /// that lower the expected loss between tasks most (relevance); there are none while the tasks
    /// at hand lose more, so that easy boxes are left with few tasks, solved well.
    #[must_use]
    pub fn hybrid() -> Self {
        let Self {
            initial,
            tasks,
            recipe,
            inverse,
            ..
        } = Self::improved();
        Self {
            name: "PMTO-hybrid".into(),
            initial,
            tasks,
            recipe,
            inverse,
            ..Self::as_run()
        }
    }

    /// PMTO-RT: as published, with a random task in place of the evolved one.
    #[must_use]
    pub fn random_tasks() -> Self {
        Self {
            name: "PMTO-RT".into(),
            tasks: TaskChoice::Random,
            ..Self::as_run()
        }
    }

    /// PMTO-FT: as published, with the tasks of the initial design only.
    ///
    /// The published comparison uses β = 1 here; set [`beta`](Self::beta) alike for all methods compared.
    #[must_use]
    pub fn fixed_tasks() -> Self {
        Self {
            name: "PMTO-FT".into(),
            tasks: TaskChoice::Fixed,
            beta: 1.0,
            recipe: InverseRecipe::ArdAll,
            ..Self::as_run()
        }
    }

    /// ST: an independent process for each of the fixed tasks.
    #[must_use]
    pub fn single_tasks() -> Self {
        Self {
            name: "ST".into(),
            forward: ForwardModel::PerTask,
            ..Self::fixed_tasks()
        }
    }

    /// MT: an intrinsic coregionalisation model of rank 1 over the fixed tasks.
    #[must_use]
    pub fn coregionalized() -> Self {
        Self {
            name: "MT".into(),
            forward: ForwardModel::Coregionalized { rank: 1 },
            ..Self::fixed_tasks()
        }
    }

    /// Uniform solutions of the fixed tasks.
    #[must_use]
    pub fn random() -> Self {
        Self {
            name: "random".into(),
            forward: ForwardModel::Random,
            ..Self::fixed_tasks()
        }
    }

    /// The same configuration with another confidence weight.
    #[must_use]
    pub fn with_beta(self, beta: f64) -> Self {
        Self { beta, ..self }
    }

    /// Builds the strategy for solutions in `space` and tasks in the unit box of `task_dim` coordinates.
    ///
    /// With `task_dim` 0 the box is one point, and the method optimises the one task there is.
    ///
    /// # Errors
    /// If there is not exactly one objective, or a setting is out of its range or does not fit the
    /// others.
    pub fn build(
        &self,
        space: &SearchSpace,
        task_dim: usize,
        objectives: &Objectives,
        rng: &mut dyn rand::Rng,
    ) -> Result<Pmto, MetaError> {
        if objectives.len() != 1 {
            return Err(MetaError::SingleObjective {
                found: objectives.len(),
            });
        }
        self.check(task_dim)?;
        Ok(Pmto::new(self.clone(), space, task_dim, rng))
    }

    pub(super) fn check(&self, task_dim: usize) -> Result<(), MetaError> {
        let need = |good: bool, what: &'static str| {
            if good {
                Ok(())
            } else {
                Err(MetaError::PmtoSetting { what })
            }
        };
        need(
            self.beta.is_finite() && self.beta >= 0.0,
            "beta is not finite and at least 0",
        )?;
        self.initial.check(task_dim)?;
        if let ForwardFit::Map {
            growth,
            subset,
            finest,
            aligned,
            ..
        } = self.fit
        {
            need(
                aligned.is_none_or(|l| l > 0.0 && l < LONGEST),
                "the least aligned lengthscale is not in (0, 30)",
            )?;
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
        if let ForwardModel::Coregionalized { rank } = self.forward {
            need(rank > 0, "the task covariance has rank 0")?;
        }
        self.recipe.check()?;
        if let TaskChoice::Regret {
            grid,
            round,
            epsilon,
            evaluations_per_task: (least, most),
        } = self.tasks
        {
            need(
                matches!(self.forward, ForwardModel::Unified(_)),
                "allocation by regret needs a unified forward model",
            )?;
            need(round > 0 && grid > 0, "a round or its grid is empty")?;
            need(
                least >= 1.0 && most >= least,
                "evaluations per task are not at least 1 and in order",
            )?;
            need(
                (0.0..=1.0).contains(&epsilon),
                "the share of unchosen tasks is not in [0, 1]",
            )?;
        }
        Ok(())
    }
}
