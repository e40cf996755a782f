//! Constants of the comparator.

use rand::Rng;
use warmfront_core::{Objectives, SearchSpace};

use super::SelfTransfer;
use crate::MetaError;
use crate::pmto::differential::Differential;
use crate::pmto::published::Optimizer;
use crate::pmto::task_gp::InverseFit;

/// Which correlation of two tasks is the probability of a transfer between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferCorrelation {
    /// Of the part `LLᵀ` that tasks have in common, as in the published runs: with rank 1 it is
    /// always 1 or −1, so that a transfer is certain or excluded. A quirk, not a recommendation.
    Shared,
    /// Of the whole task covariance `LLᵀ + diag(v)`.
    Full,
}

/// Settings of [`SelfTransfer`].
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{
///     Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId, UnitPoint,
/// };
/// use warmfront_meta::pmto::{InverseRecipe, ParametricStrategy, SelfTransferConfig};
///
/// let config = SelfTransferConfig { tasks: 5, samples: 4, ..SelfTransferConfig::as_run() };
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let (space, objectives) = (SearchSpace::unit_cube(1), Objectives::minimize_all(1));
/// let mut method = config.build(&space, 1, &objectives, &mut rng)?;
/// for trial in 0..60 {
///     let candidate = method.ask(NonZeroUsize::MIN, &[], &mut rng)?.remove(0);
///     let theta = candidate.task.as_ref().map_or(0.0, |task| task.coords()[0]);
///     let cost = (candidate.point.coords()[0] - 0.2 - 0.5 * theta).powi(2);
///     let outcome = Outcome::Complete(Costs::from_values(vec![cost])?);
///     method.tell(&[Observation { trial: TrialId(trial), candidate, outcome }], &mut rng)?;
/// }
/// let model = method.task_model_with(InverseRecipe::ArdAll, None)?;
/// let solution = model.solution(&UnitPoint::new([0.6])?);
/// assert!((solution.mean.coords()[0] - 0.5).abs() < 0.15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SelfTransferConfig {
    /// Short name of the method, as reports show it.
    pub name: String,
    /// Tasks of the Latin hypercube, at least 1.
    pub tasks: usize,
    /// Solutions of another Latin hypercube that every task is evaluated at first, at least 1.
    pub samples: usize,
    /// Weight of the standard deviation in the lower confidence bound `μ − β·σ`.
    pub beta: f64,
    /// Whether standard deviations include the noise of an evaluation.
    pub with_noise: bool,
    /// Trials of differential evolution for each evaluated solution of a task, at least 1.
    pub trials: usize,
    /// Weight of the difference in differential evolution.
    pub scale: f64,
    /// Probability of its crossover.
    pub crossover: f64,
    /// Evaluated solutions nearest to the best that the local model learns from, at least 1.
    pub neighbours: usize,
    /// By how much the box of the local search exceeds that of the neighbours, in unit coordinates.
    pub margin: f64,
    /// Individuals of the local search, at least 1.
    pub population: usize,
    /// Generations of the local search.
    pub generations: usize,
    /// How the likelihood of the multi-task model is climbed.
    pub optimizer: Optimizer,
    /// Random evaluations that its hyperparameters are fitted to, at most; at least 1.
    pub subset: usize,
    /// How the likelihood of a local model is climbed.
    pub local_optimizer: Optimizer,
    /// What decides on a transfer.
    pub correlation: TransferCorrelation,
    /// How task models are fitted where the caller does not say.
    pub inverse: InverseFit,
}

impl Default for SelfTransferConfig {
    fn default() -> Self {
        Self::as_run()
    }
}

impl SelfTransferConfig {
    /// The comparator with the constants of the published runs, β = 1 among them.
    ///
    /// To save time, most of Adam's gradients are extrapolated ([`Optimizer`]) and hyperparameters of the
    /// multi-task model are fitted to 500 random evaluations at most before all are conditioned on:
    /// the likelihood is climbed over the number of evaluations, so that its steps depend little on
    /// how many there are. `subset: usize::MAX` is the literal fit.
    #[must_use]
    pub fn as_run() -> Self {
        Self {
            name: "SELF".into(),
            tasks: 20,
            samples: 10,
            beta: 1.0,
            with_noise: true,
            trials: 50,
            scale: 0.6,
            crossover: 0.7,
            neighbours: 50,
            margin: 0.01,
            population: 20,
            generations: 50,
            optimizer: Optimizer::thrifty_adam(500, 10),
            subset: 500,
            local_optimizer: Optimizer::Adam {
                learning_rate: 0.1,
                steps: 100,
                reuse: 1,
            },
            correlation: TransferCorrelation::Shared,
            inverse: InverseFit::Published(Optimizer::thrifty_adam(1500, 10)),
        }
    }

    /// The same configuration with another confidence weight.
    #[must_use]
    pub fn with_beta(self, beta: f64) -> Self {
        Self { beta, ..self }
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
    ) -> Result<SelfTransfer, MetaError> {
        if objectives.len() != 1 {
            return Err(MetaError::SingleObjective {
                found: objectives.len(),
            });
        }
        let at_least_0 = |value: f64| value.is_finite() && value >= 0.0;
        let bad = if self.tasks == 0 || self.samples == 0 {
            Some("the initial design has no evaluation")
        } else if !at_least_0(self.beta) {
            Some("beta is not finite and at least 0")
        } else if self.trials == 0 || self.population == 0 {
            Some("a search has no individuals")
        } else if !at_least_0(self.scale) || !(0.0..=1.0).contains(&self.crossover) {
            Some("differential evolution has a weight below 0 or a probability outside [0, 1]")
        } else if self.neighbours == 0 || self.subset == 0 {
            Some("a model learns from nothing")
        } else if !at_least_0(self.margin) {
            Some("the margin of the local box is not finite and at least 0")
        } else {
            None
        };
        match bad {
            Some(what) => Err(MetaError::PmtoSetting { what }),
            None => Ok(SelfTransfer::new(self.clone(), space, task_dim, rng)),
        }
    }

    pub(super) fn differential(&self) -> Differential {
        Differential {
            scale: self.scale,
            crossover: self.crossover,
        }
    }
}
