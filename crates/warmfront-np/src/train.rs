//! Training: a supervised warm-up, then PPO with an auxiliary likelihood.
//!
//! [`Trainer`] runs both phases one optimiser iteration at a time; [`TrainConfig::two_phase`] is the
//! recommended recipe, [`TrainConfig::published`] that of the paper. All randomness follows from the
//! seed by phase, step and index, sums are taken in a fixed order, and a checkpoint continues bit for
//! bit, for any number of threads.
//!
//! # References
//! Maraval et al. 2023 (arXiv 2305.15930), section 4; Schulman et al. 2017 (arXiv 1707.06347, PPO).

mod adam;
mod advantage;
mod checkpoint;
mod episode;
mod evaluate;
mod lambda;
mod ppo;
mod record;
mod supervised;
mod trainer;
mod workers;

#[cfg(test)]
mod tests;

pub use adam::{Adam, clip_norm};
pub use advantage::{discounted, explain_by, gae, standardise_groups};
pub use evaluate::{Evaluation, mean_regret, regret_curves};
pub use record::{Phase, PolicyProgress, Progress, curve_csv};
pub use supervised::sample_targets;
pub use trainer::Trainer;

use crate::{NpError, Scaling};

/// How a network is trained.
///
/// ```
/// use warmfront_np::train::{Advantage, TrainConfig};
///
/// let mut config = TrainConfig::two_phase();
/// config.warm_up.as_mut().expect("two phases").steps = 500;
/// config.policy.as_mut().expect("two phases").advantage = Advantage::Gae;
/// assert!(config.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// What the network sees of costs; a policy is served with the same.
    pub scaling: Scaling,
    /// The largest norm of a gradient; a longer one is shortened to it.
    pub clip_norm: f64,
    /// The first phase: prediction only.
    pub warm_up: Option<SupervisedConfig>,
    /// The second phase: the policy.
    pub policy: Option<PpoConfig>,
}

/// The supervised phase: predict the costs of queries from a history, by likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct SupervisedConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Contexts in a step, each of a task of its own.
    pub batch: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises from 0.
    pub ramp: u64,
    /// How it falls afterwards.
    pub decay: Decay,
    /// The smallest and largest history. Half of the histories are uniform between them, half are
    /// uniform in the logarithm, so that small ones are common.
    pub history: (usize, usize),
    /// Queries of a context.
    pub queries: usize,
    /// The share of histories that come from a simulated local search instead of an even draw.
    ///
    /// Evaluations of an optimiser cluster around the best of them, and a network that has seen only
    /// even designs predicts badly there. The search chooses by what it has seen, never by the cost
    /// of a row that is not yet in the history, so what the queries' costs are given the history
    /// stays the same.
    pub clustered: f64,
}

/// How a learning rate falls to 0 by the end of its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Not at all.
    None,
    /// In a straight line.
    Linear,
    /// As a half cosine.
    Cosine,
}

/// The second phase: proximal policy optimisation over whole runs on drawn tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct PpoConfig {
    /// Rounds of rollouts and updates.
    pub iterations: u64,
    /// Tasks drawn in an iteration.
    pub tasks: usize,
    /// Runs on each task, from the same initial design and with the same horizon.
    pub trajectories: usize,
    /// The fewest and most random evaluations before the policy's first decision.
    pub initial: (usize, usize),
    /// The fewest and most decisions of a run.
    pub horizon: (usize, usize),
    /// Candidates of a task.
    pub candidates: usize,
    /// Only this many candidates of the highest scores can be drawn in a rollout. The set is kept with
    /// the state and applied again in the update, which needs the scores of no other candidate.
    pub top_k: Option<usize>,
    /// The ratio of probabilities counts up to this far from 1.
    pub clip: f64,
    /// Discount `γ` of rewards.
    pub discount: f64,
    /// Decay `λ` of generalised advantage estimation.
    pub gae: f64,
    /// Weight of the entropy of the policy.
    pub entropy: f64,
    /// Weight of the squared error of the value head, with [`Advantage::Gae`].
    pub value: f64,
    /// States in an optimiser step.
    pub minibatch: usize,
    /// States of an iteration that are trained on, drawn evenly; all without a limit.
    pub states: Option<usize>,
    /// Passes over the states of an iteration.
    pub epochs: usize,
    /// An iteration ends early once a minibatch's approximate divergence from the policy that acted
    /// is above this.
    pub divergence_limit: Option<f64>,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Iterations over which it rises from 0.
    pub ramp: u64,
    /// How it falls afterwards.
    pub decay: Decay,
    /// What an evaluation is worth.
    pub reward: Reward,
    /// What a decision is judged against.
    pub advantage: Advantage,
    /// Contexts of the auxiliary likelihood.
    pub auxiliary: Auxiliary,
    /// Weight `λ` of the auxiliary likelihood.
    pub lambda: Lambda,
}

/// What an evaluation is worth, by the normalised simple regret `g` before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reward {
    /// `−log₁₀ max(1e−20, g)` at every step, as published: having found the best pays 20 a step.
    Published,
    /// The decrease of `log₁₀ max(1e−3, g)`: 0 where nothing improved. Without a discount the sum
    /// telescopes to the decrease over the whole run; with one, early improvements count more.
    Incremental,
    /// `−g`: the sum is the area under the curve of regret.
    Regret,
    /// `−ln r / ln N`, where `r` is the rank of the incumbent among the `N` candidates.
    Rank,
}

/// What a decision is judged against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advantage {
    /// Generalised advantage estimation on the value head, standardised in each minibatch.
    Gae,
    /// The return to go, standardised over the runs on the same task at the same time. Needs several
    /// trajectories of a task and no value head.
    Group,
    /// The same after taking from the returns what the incumbent before the decision explains of them:
    /// a run that was lucky early is not rewarded for whatever it does later.
    GroupGivenIncumbent,
}

/// Contexts of the auxiliary likelihood in the second phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auxiliary {
    /// Where they come from.
    pub contexts: AuxiliaryContexts,
    /// Queries in each.
    pub queries: usize,
    /// Drawn contexts for each minibatch, from its iteration's tasks.
    pub drawn: usize,
}

/// Where the contexts of the auxiliary likelihood come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuxiliaryContexts {
    /// None.
    Off,
    /// Histories drawn evenly from a task.
    Iid,
    /// The histories of the policy's own runs, in the forward pass that its update needs anyway. Their
    /// queries are drawn evenly from the candidates left, whatever the policy could choose.
    OnPolicy,
    /// Both, half the weight each; drawn histories as in the warm-up.
    Mixed,
}

/// Weight of the auxiliary likelihood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lambda {
    /// Always the same.
    Fixed(f64),
    /// From the first to the last iteration in a straight line.
    Schedule {
        /// In the first iteration.
        from: f64,
        /// In the last.
        to: f64,
    },
    /// The multiplier of the constraint that the auxiliary loss stays within `slack` of that of the
    /// first iteration, by dual ascent.
    Constraint {
        /// The multiplier of the first iteration.
        start: f64,
        /// By how much the loss may exceed that of the first iteration.
        slack: f64,
        /// By how much the multiplier moves in an iteration for a loss 1 above the bound.
        rate: f64,
    },
}

impl SupervisedConfig {
    /// For networks of the compact size.
    #[must_use]
    pub fn compact() -> Self {
        Self {
            steps: 4000,
            batch: 16,
            learning_rate: 1e-3,
            ramp: 200,
            decay: Decay::Cosine,
            history: (0, 100),
            queries: 100,
            clustered: 0.5,
        }
    }
}

impl PpoConfig {
    /// For a network that was trained to predict.
    #[must_use]
    pub fn compact() -> Self {
        Self {
            iterations: 100,
            tasks: 8,
            trajectories: 8,
            initial: (2, 8),
            horizon: (20, 60),
            candidates: 200,
            top_k: Some(5),
            clip: 0.15,
            discount: 0.98,
            gae: 0.98,
            entropy: 0.0,
            value: 1.0,
            minibatch: 256,
            states: Some(1536),
            epochs: 1,
            divergence_limit: Some(0.05),
            learning_rate: 1e-4,
            ramp: 5,
            decay: Decay::Linear,
            reward: Reward::Incremental,
            advantage: Advantage::GroupGivenIncumbent,
            auxiliary: Auxiliary {
                contexts: AuxiliaryContexts::Mixed,
                queries: 32,
                drawn: 16,
            },
            lambda: Lambda::Fixed(1.0),
        }
    }

    /// With the constants of the paper's published code.
    ///
    /// The code adds up the gradients of four parts of a minibatch, each a mean; here a gradient is the
    /// mean over the whole one. Adam takes the same step once the norm is cut at a quarter of the
    /// code's 0.5, as in [`TrainConfig::published`].
    #[must_use]
    pub fn published() -> Self {
        Self {
            iterations: 2000,
            tasks: 60,
            trajectories: 1,
            initial: (0, 0),
            horizon: (24, 24),
            candidates: 1000,
            top_k: Some(5),
            clip: 0.15,
            discount: 0.98,
            gae: 0.98,
            entropy: 0.0,
            value: 1.0,
            minibatch: 32,
            states: None,
            epochs: 1,
            divergence_limit: None,
            learning_rate: 3e-5,
            ramp: 20,
            decay: Decay::Linear,
            reward: Reward::Published,
            advantage: Advantage::Gae,
            auxiliary: Auxiliary {
                contexts: AuxiliaryContexts::Iid,
                queries: 1000,
                drawn: 32,
            },
            lambda: Lambda::Fixed(1.0),
        }
    }
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self::two_phase()
    }
}

impl TrainConfig {
    /// Supervised warm-up, then PPO with returns standardised over the runs on a task.
    #[must_use]
    pub fn two_phase() -> Self {
        Self {
            scaling: Scaling::History,
            clip_norm: 1.0,
            warm_up: Some(SupervisedConfig::compact()),
            policy: Some(PpoConfig::compact()),
        }
    }

    /// The paper's: no warm-up, its reward, its critic's advantages.
    #[must_use]
    pub fn published() -> Self {
        Self {
            scaling: Scaling::Range,
            clip_norm: 0.125,
            warm_up: None,
            policy: Some(PpoConfig::published()),
        }
    }

    /// Checks that the settings make sense.
    ///
    /// # Errors
    /// [`NpError::Setting`] names the first that does not.
    pub fn check(&self) -> Result<(), NpError> {
        positive("clip_norm", self.clip_norm)?;
        if let Some(warm_up) = &self.warm_up {
            at_least("batch", warm_up.batch, 1)?;
            at_least("queries", warm_up.queries, 1)?;
            positive("learning_rate", warm_up.learning_rate)?;
            ordered("history", warm_up.history)?;
            share("clustered", warm_up.clustered)?;
        }
        if let Some(policy) = &self.policy {
            policy.check()?;
        }
        Ok(())
    }
}

impl PpoConfig {
    fn check(&self) -> Result<(), NpError> {
        at_least("tasks", self.tasks, 1)?;
        let fewest = match self.advantage {
            Advantage::Gae => 1,
            Advantage::Group | Advantage::GroupGivenIncumbent => 2,
        };
        at_least("trajectories", self.trajectories, fewest)?;
        ordered("initial", self.initial)?;
        ordered("horizon", self.horizon)?;
        at_least("horizon", self.horizon.0, 1)?;
        at_least("candidates", self.candidates, self.initial.1 + 2)?;
        at_least("top_k", self.top_k.unwrap_or(1), 1)?;
        at_least("minibatch", self.minibatch, 1)?;
        at_least("states", self.states.unwrap_or(1), 1)?;
        at_least("epochs", self.epochs, 1)?;
        positive("clip", self.clip)?;
        share("discount", self.discount)?;
        share("gae", self.gae)?;
        positive("learning_rate", self.learning_rate)?;
        not_negative("entropy", self.entropy)?;
        not_negative("value", self.value)?;
        positive("divergence_limit", self.divergence_limit.unwrap_or(1.0))?;
        let (first, second) = match self.lambda {
            Lambda::Fixed(value) => (value, value),
            Lambda::Schedule { from, to } => (from, to),
            Lambda::Constraint { start, rate, .. } => (start, rate),
        };
        not_negative("lambda", first)?;
        not_negative("lambda", second)?;
        let slack = match self.lambda {
            Lambda::Constraint { slack, .. } => slack,
            Lambda::Fixed(_) | Lambda::Schedule { .. } => 0.0,
        };
        not_negative("slack", slack)?;
        let constrained = matches!(self.lambda, Lambda::Constraint { .. });
        let auxiliary = &self.auxiliary;
        match auxiliary.contexts {
            AuxiliaryContexts::Off if constrained => Err(NpError::Setting {
                what: "auxiliary.queries",
                value: 0.0,
                expected: "a likelihood that the constraint is about",
            }),
            AuxiliaryContexts::Off => Ok(()),
            AuxiliaryContexts::OnPolicy => at_least("auxiliary.queries", auxiliary.queries, 1),
            AuxiliaryContexts::Iid | AuxiliaryContexts::Mixed => {
                at_least("auxiliary.queries", auxiliary.queries, 1)?;
                at_least("auxiliary.drawn", auxiliary.drawn, 1)
            }
        }
    }
}

fn setting(
    what: &'static str,
    value: f64,
    fits: bool,
    expected: &'static str,
) -> Result<(), NpError> {
    if fits {
        Ok(())
    } else {
        Err(NpError::Setting {
            what,
            value,
            expected,
        })
    }
}

fn positive(what: &'static str, value: f64) -> Result<(), NpError> {
    let fits = value.is_finite() && value > 0.0;
    setting(what, value, fits, "a positive number")
}

fn not_negative(what: &'static str, value: f64) -> Result<(), NpError> {
    let fits = value.is_finite() && value >= 0.0;
    setting(what, value, fits, "a number that is not negative")
}

fn share(what: &'static str, value: f64) -> Result<(), NpError> {
    let fits = (0.0..=1.0).contains(&value);
    setting(what, value, fits, "a number from 0 to 1")
}

fn at_least(what: &'static str, value: usize, least: usize) -> Result<(), NpError> {
    setting(what, value as f64, value >= least, "a larger number")
}

fn ordered(what: &'static str, (low, high): (usize, usize)) -> Result<(), NpError> {
    setting(what, high as f64, low <= high, "at least the lower end")
}

impl Decay {
    /// The learning rate of a step of `of`.
    fn rate(self, highest: f64, ramp: u64, step: u64, of: u64) -> f64 {
        if step < ramp {
            return highest * (step + 1) as f64 / ramp as f64;
        }
        let left = (of - step) as f64 / (of - ramp).max(1) as f64;
        highest
            * match self {
                Self::None => 1.0,
                Self::Linear => left,
                Self::Cosine => 0.5 - 0.5 * (std::f64::consts::PI * left).cos(),
            }
    }
}
