//! Trained policies, their variants and what they are compared with.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context as _;
use rand::{Rng, RngExt};
use warmfront_acq::MaximizeConfig;
use warmfront_core::{
    Candidate, MetaDataset, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed, Strategy,
    StrategyError, TaskRecord, TrialId,
};
use warmfront_gp::{Dataset, DifferentiableSurrogate};
use warmfront_meta::baseline::{IndependentGpModel, RandomSearch};
use warmfront_meta::smog::{Smog, SmogConfig};
use warmfront_meta::{MetaError, ModelBased, ModelBasedConfig, TargetData, TargetModel};
use warmfront_np::Utility;
use warmfront_np::policy::Policy;
use warmfront_np::strategy::{History, NapConfig};

use super::families::{Hall, subset};
use super::portfolio::{self, Portfolio};
use super::recipes::Variant;
use super::sources::conditional::fit_shared;
use super::task::{Ground, Table};
pub use crate::methods::MethodSpec;
use crate::methods::method;

/// All methods that an experiment may name.
pub const METHODS: &[MethodSpec] = &[
    method("random", "Random", 1, "uniform random rows or points"),
    method(
        "gp-logei",
        "GP, LogEI",
        2,
        "a Gaussian process of the evaluations alone, fitted anew after each, and LogEI; one lengthscale \
         for all letters of sequences",
    ),
    method(
        "smog",
        "SMOG",
        2,
        "the training tables are its meta-tasks, 128 rows of each; with one objective SMOG is ScaML-GP; \
         left out of the antibodies except in the profile `paper`: each meta-model would have 220 lengthscales",
    ),
    method(
        "portfolio",
        "Portfolio",
        portfolio::VERSION,
        "a fixed list of points, chosen greedily on the training tasks, each as the nearest free row; \
         outcomes do not change it",
    ),
    method(
        "np-ei",
        "NP-EI",
        1,
        "the network after the supervised warm-up alone, candidates by expected improvement",
    ),
    method(
        "np-ei-long",
        "NP-EI, longer training",
        1,
        "supervised training alone, three times as long as the warm-up: a second phase is meant to cost twice \
         as much as a warm-up (see Training for what each did cost); candidates by expected improvement",
    ),
    method(
        "nap",
        "NAP",
        1,
        "warm-up, then reinforcement learning of the acquisition with the auxiliary loss, whose weight λ \
         is 1",
    ),
    method(
        "nap-ei",
        "NAP's network, EI",
        1,
        "the same trained network, but candidates by the expected improvement of its predictions",
    ),
    method(
        "nap-shuffled",
        "NAP, shuffled history",
        1,
        "the same policy, but before each proposal the outcomes of the history are exchanged at random",
    ),
    method(
        "nap-published",
        "NAP, published recipe (knows the range)",
        1,
        "no warm-up, outcomes scaled by the range of each task, which the published program knows and other \
         methods are not told, −log10 regret as reward at every step, a critic that sees no history; left \
         out of ranks and tests",
    ),
    method(
        "nap-again",
        "NAP, trained once more",
        1,
        "the same recipe from other random numbers, its warm-up included: what chance in training changes",
    ),
    method(
        "nap-top-32",
        "NAP, 32 evaluations shown",
        1,
        "the policy of NAP, shown 32 evaluations only, half of them the best, the others spread out",
    ),
    method(
        "nap-causal",
        "NAP, causal, cached",
        1,
        "a network whose evaluations see only earlier ones, trained as NAP, with a key/value cache",
    ),
    method(
        "nap-no-warmup",
        "NAP, no warm-up",
        1,
        "reinforcement learning from the first step, half as many iterations again as NAP",
    ),
    method("nap-lambda-0", "NAP, λ = 0", 1, "no auxiliary loss"),
    method(
        "nap-lambda-0.01",
        "NAP, λ = 0.01",
        1,
        "weight of the auxiliary loss",
    ),
    method(
        "nap-lambda-0.1",
        "NAP, λ = 0.1",
        1,
        "weight of the auxiliary loss",
    ),
    method(
        "nap-lambda-10",
        "NAP, λ = 10",
        1,
        "weight of the auxiliary loss",
    ),
    method(
        "nap-lambda-100",
        "NAP, λ = 100",
        1,
        "weight of the auxiliary loss",
    ),
];

/// The method with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().find(|m| m.name == name)
}

/// The policy that a method serves, if it serves one.
#[must_use]
pub fn variant(method: &str) -> Option<Variant> {
    Some(match method {
        // The weight of the auxiliary loss of NAP itself is 1.
        "nap" | "nap-ei" | "nap-shuffled" | "nap-top-32" => Variant::Full,
        "nap-again" => Variant::Again,
        "nap-causal" => Variant::Causal,
        "np-ei" => Variant::WarmUp,
        "np-ei-long" => Variant::WarmUpLong,
        "nap-published" => Variant::Published,
        "nap-no-warmup" => Variant::NoWarmUp,
        _ => Variant::Lambda(method.strip_prefix("nap-lambda-")?.parse().ok()?),
    })
}

/// Whether a method is told the range of a task's costs, which others do not know.
#[must_use]
pub fn knows_range(method: &str) -> bool {
    method == "nap-published"
}

/// A Gaussian process for one-hot inputs: one lengthscale for all of them, and the noise, by their
/// likelihood.
///
/// Two hundred lengthscales, with a prior for numbers that differ a little, say nothing about a hundred
/// sequences.
struct SharedLengthscale;

impl TargetModel for SharedLengthscale {
    fn name(&self) -> &str {
        "gp"
    }

    fn min_observations(&self) -> usize {
        1
    }

    fn fit(
        &mut self,
        data: &TargetData,
        _: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        let data = Dataset::new(data.x.clone(), data.y.clone())?;
        Ok(Box::new(fit_shared(&data)?))
    }
}

/// Everything that a method may know of a task.
pub struct Stage<'a> {
    /// The family, with its training tasks.
    pub hall: &'a Hall,
    /// The task.
    pub ground: &'a Ground,
    /// Streams of this run.
    pub seed: Seed,
    /// Evaluations of this run, those of the start included.
    pub horizon: usize,
    /// The policy that the method serves, if it serves one.
    pub policy: Option<Arc<Policy>>,
}

/// Builds a method for a task.
///
/// # Errors
/// If the name is unknown or a model cannot be fitted to the training tasks.
pub fn build(name: &str, stage: &Stage<'_>) -> anyhow::Result<Box<dyn Strategy>> {
    let (space, objectives) = (&stage.ground.space, Objectives::minimize_all(1));
    let mut rng = stage.seed.child(3).stream(Purpose::Init, 0);
    match name {
        "random" => Ok(Box::new(RandomSearch::new(space, &objectives))),
        "gp-logei" if stage.hall.categories().is_empty() => {
            start(IndependentGpModel::default(), space, &mut rng)
        }
        "gp-logei" => start(SharedLengthscale, space, &mut rng),
        "smog" => {
            let smog = Smog::new(stage.hall.meta_models()?, SmogConfig::default());
            start(smog, space, &mut rng)
        }
        "portfolio" => {
            // The same list for all runs: it belongs to the family.
            let points = stage.hall.portfolio()?;
            Ok(Box::new(Portfolio::new(space, points)))
        }
        _ => {
            let policy = stage.policy.clone().context("the policy is not trained")?;
            let acquisition = match name {
                "np-ei" | "nap-ei" => Utility::LogEi,
                _ => Utility::Acquisition,
            };
            let history = match name {
                "nap-top-32" => History::TopK(32),
                "nap-causal" => History::Cached,
                _ => History::Exact,
            };
            let config = NapConfig {
                history,
                horizon: Some(stage.horizon),
                acquisition: Some(acquisition),
                range: knows_range(name).then_some((stage.ground.best, stage.ground.worst)),
                maximize: warmfront_np::strategy::MaximizeConfig {
                    raw_samples: 512,
                    around_best: 128,
                    restarts: 8,
                    steps: 16,
                    screening: None,
                },
                ..NapConfig::default()
            };
            if name == "nap-shuffled" {
                return Ok(Box::new(Shuffled {
                    policy,
                    config,
                    space: space.clone(),
                    told: Vec::new(),
                }));
            }
            Ok(Box::new(config.build(policy, space, &objectives)?))
        }
    }
}

/// The common loop of models; all runs begin with the same points, which are told.
fn start<M: TargetModel + 'static>(
    model: M,
    space: &SearchSpace,
    rng: &mut dyn Rng,
) -> anyhow::Result<Box<dyn Strategy>> {
    let config = ModelBasedConfig {
        initial_trials: Some(model.min_observations()),
        // Fixed here, so that a change of the default does not make recorded results stale.
        maximize: MaximizeConfig {
            raw_samples: 512,
            around_best: 256,
            restarts: 24,
            max_iterations: 60,
            parallel: false,
        },
        ..ModelBasedConfig::default()
    };
    let objectives = Objectives::minimize_all(1);
    Ok(Box::new(ModelBased::new(
        model,
        space,
        &objectives,
        config,
        rng,
    )?))
}

/// Some rows of each training table.
pub(super) fn meta_tasks(hall: &Hall, rows: usize, rng: &mut dyn Rng) -> MetaDataset {
    let record = |table: &Table, rng: &mut dyn Rng| {
        let rows = subset(table.len(), rows, rng);
        let points = table.select(&rows).points();
        let observations = (0..).zip(points).zip(&rows).map(|((trial, point), &row)| {
            let costs = warmfront_core::Costs::from_values(vec![table.costs[row]]);
            Observation {
                trial: TrialId(trial),
                candidate: Candidate::at(point),
                outcome: match costs {
                    Ok(costs) => Outcome::Complete(costs),
                    Err(error) => Outcome::failed(error.to_string()),
                },
            }
        });
        TaskRecord::new(observations.collect())
    };
    MetaDataset::new(hall.train.iter().map(|table| record(table, rng)).collect())
}

/// A policy that is shown the right points with the wrong outcomes.
struct Shuffled {
    policy: Arc<Policy>,
    config: NapConfig,
    space: SearchSpace,
    told: Vec<Observation>,
}

impl Strategy for Shuffled {
    fn name(&self) -> &str {
        "nap-shuffled"
    }

    fn tell(&mut self, batch: &[Observation], _: &mut dyn Rng) -> Result<(), StrategyError> {
        self.told.extend_from_slice(batch);
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        let mut outcomes: Vec<Outcome> = self.told.iter().map(|o| o.outcome.clone()).collect();
        for i in (1..outcomes.len()).rev() {
            outcomes.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        let history: Vec<Observation> = self
            .told
            .iter()
            .zip(outcomes)
            .map(|(observation, outcome)| Observation {
                outcome,
                ..observation.clone()
            })
            .collect();
        let objectives = Objectives::minimize_all(1);
        let built = self
            .config
            .clone()
            .build(Arc::clone(&self.policy), &self.space, &objectives);
        let mut nap = built.map_err(|error| StrategyError::Model(Box::new(error)))?;
        nap.tell(&history, rng)?;
        nap.ask(q, pending, rng)
    }
}
