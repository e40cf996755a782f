//! What all methods for a box of tasks have in common.

use warmfront_core::{Strategy, UnitPoint};

use super::task_gp::InverseFit;
use super::task_model::{InverseRecipe, TaskModel};
use crate::MetaError;

/// A strategy for a box of tasks whose evaluations a task model can be learnt from.
///
/// The recipe of the task model decides much of what is left of a method after its offline phase.
/// Methods are therefore compared with every recipe, which share the offline phase:
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{
///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
/// };
/// use warmfront_meta::pmto::{
///     InitialDesign, InverseFit, InverseRecipe, ParametricStrategy, PmtoConfig,
/// };
///
/// let config = PmtoConfig {
///     initial: InitialDesign::Joint { samples: 20 },
///     ..PmtoConfig::improved()
/// };
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let (space, objectives) = (SearchSpace::unit_cube(1), Objectives::minimize_all(1));
/// let mut method: Box<dyn ParametricStrategy> =
///     Box::new(config.build(&space, 1, &objectives, &mut rng)?);
/// for trial in 0..40 {
///     let candidate = method.ask(NonZeroUsize::MIN, &[], &mut rng)?.remove(0);
///     let theta = candidate.task.as_ref().map_or(0.0, |task| task.coords()[0]);
///     let cost = (candidate.point.coords()[0] - 0.2 - 0.5 * theta).powi(2);
///     let outcome = Outcome::Complete(Costs::from_values(vec![cost])?);
///     method.tell(&[Observation { trial: TrialId(trial), candidate, outcome }], &mut rng)?;
/// }
/// let map = InverseFit::Map { starts: 4, evaluations: 60 };
/// for recipe in [InverseRecipe::ArdAll, InverseRecipe::NoiseAware] {
///     let model = method.task_model_with(recipe, Some(&map))?;
///     let solution = model.solution(&UnitPoint::new([0.7])?);
///     assert!((solution.mean.coords()[0] - 0.55).abs() < 0.1);
/// }
/// assert!(method.pool().iter().any(|task| task.best.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ParametricStrategy: Strategy {
    /// The task model of everything told so far, from the rows of `recipe`, fitted by `fit` (`None`:
    /// the method's own fit).
    ///
    /// Asking for one changes nothing: the same run gives the same task model, asked for now or later. Forward models that a recipe needs are fitted to
    /// all evaluations first. A published fit, which knows one noise for all rows, is replaced by a
    /// [`Map`](InverseFit::Map) fit where the recipe gives every row its own.
    ///
    /// # Errors
    /// [`MetaError::NoSolvedTask`] if no evaluation has succeeded yet, [`MetaError::PmtoSetting`]
    /// for a recipe out of its range, and those of the fits.
    fn task_model_with(
        &self,
        recipe: InverseRecipe,
        fit: Option<&InverseFit>,
    ) -> Result<TaskModel, MetaError>;

    /// The pool: every task with its best solution and cost so far.
    fn pool(&self) -> Vec<PoolTask>;
}

/// A task of the pool of a [`ParametricStrategy`].
#[derive(Debug, Clone, PartialEq)]
pub struct PoolTask {
    /// The task.
    pub task: UnitPoint,
    /// Its best evaluated solution with its cost; `None` before an evaluation succeeded.
    pub best: Option<(UnitPoint, f64)>,
    /// Whether the method chose it, rather than its initial design or the caller.
    pub added: bool,
}

impl InverseRecipe {
    /// Whether a forward model has a say in it.
    pub(super) fn needs_forward(self) -> bool {
        self == Self::NoiseAware
    }

    /// Whether all parts are in their ranges.
    pub(super) fn check(self) -> Result<(), MetaError> {
        let what = match self {
            Self::ArdBest { share } if !(share > 0.0 && share <= 1.0) => {
                "the share of tasks is not in (0, 1]"
            }
            _ => return Ok(()),
        };
        Err(MetaError::PmtoSetting { what })
    }
}
