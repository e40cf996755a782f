//! Constants of the method.

use rand::Rng;
use warmfront_core::{Objectives, SearchSpace};

use super::IntegratedOptimum;
use crate::MetaError;
use crate::pmto::config::{ForwardFit, InitialDesign, PmtoConfig};
use crate::pmto::task_gp::InverseFit;

/// Settings of [`IntegratedOptimum`].
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{
///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
/// };
/// use warmfront_meta::pmto::{
///     InitialDesign, IntegratedOptimumConfig, InverseRecipe, ParametricStrategy,
/// };
///
/// let config = IntegratedOptimumConfig {
///     initial: InitialDesign::Joint { samples: 16 },
///     round: 4,
///     ..IntegratedOptimumConfig::revi()
/// };
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let (space, objectives) = (SearchSpace::unit_cube(1), Objectives::minimize_all(1));
/// let mut method = config.build(&space, 1, &objectives, &mut rng)?;
/// for trial in 0..32 {
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
pub struct IntegratedOptimumConfig {
    /// Short name of the method, as reports show it.
    pub name: String,
    /// What is evaluated before there is a model.
    pub initial: InitialDesign,
    /// How the model is fitted.
    pub fit: ForwardFit,
    /// Evaluations between two updates of the model, at least 1.
    pub round: usize,
    /// Tasks whose mean stands for the integral, at least 1.
    pub tasks: usize,
    /// Candidates of each kind and of each refinement, at least 1.
    pub candidates: usize,
    /// Passes that search around the best candidates, each half as far as the one before.
    pub refinements: usize,
    /// Tasks whose recommended solutions the task model learns from, at least 1.
    pub recommendations: usize,
    /// How task models are fitted where the caller does not say.
    pub inverse: InverseFit,
}

impl Default for IntegratedOptimumConfig {
    fn default() -> Self {
        Self::revi()
    }
}

impl IntegratedOptimumConfig {
    /// REVI with the model of [`PmtoConfig::improved`] and 100 initial evaluations.
    ///
    /// Hyperparameters are fitted to up to 1000 evaluations instead of 500: with no two of the same task
    /// a small random part of them says too little, and fits to 500 of more than 1300 were seen to
    /// end far off.
    #[must_use]
    pub fn revi() -> Self {
        let improved = PmtoConfig::improved();
        let fit = match improved.fit {
            ForwardFit::Map {
                restarts,
                growth,
                evaluations,
                finest,
                ..
            } => ForwardFit::Map {
                restarts,
                growth,
                subset: 1000,
                evaluations,
                finest,
                aligned: None,
            },
            other @ ForwardFit::Published { .. } => other,
        };
        Self {
            name: "REVI".into(),
            initial: InitialDesign::Joint { samples: 100 },
            fit,
            round: 20,
            tasks: 128,
            candidates: 64,
            refinements: 2,
            recommendations: 128,
            inverse: improved.inverse,
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
    ) -> Result<IntegratedOptimum, MetaError> {
        if objectives.len() != 1 {
            return Err(MetaError::SingleObjective {
                found: objectives.len(),
            });
        }
        if self.round == 0 || self.tasks == 0 || self.candidates == 0 || self.recommendations == 0 {
            return Err(MetaError::PmtoSetting {
                what: "a round, its tasks, candidates or recommendations are none",
            });
        }
        let shared = PmtoConfig {
            initial: self.initial.clone(),
            fit: self.fit.clone(),
            ..PmtoConfig::improved()
        };
        shared.check(task_dim)?;
        Ok(IntegratedOptimum::new(self.clone(), space, task_dim, rng))
    }
}
