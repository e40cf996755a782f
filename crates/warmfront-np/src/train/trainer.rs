//! The trainer: both phases, one iteration at a time.

use rand::Rng;
use warmfront_core::{Purpose, Seed};

use super::adam::{Adam, clip_norm};
use super::lambda::Multiplier;
use super::ppo::{Setting, iterate};
use super::record::{Phase, Progress};
use super::supervised::{self, Histories};
use super::workers::Workers;
use super::{AuxiliaryContexts, PpoConfig, SupervisedConfig, TrainConfig};
use crate::{About, Network, NetworkConfig, NpError, Policy, Scaling, TaskSource};

/// Trains a network through the phases of a [`TrainConfig`].
///
/// ```
/// use rand::{Rng, RngExt};
/// use warmfront_core::{SearchSpace, Seed};
/// use warmfront_np::train::{TrainConfig, Trainer};
/// use warmfront_np::{About, NetworkConfig, Task, TaskSource, Utility};
///
/// /// Distances to a random point of the unit interval.
/// struct Distances;
///
/// impl TaskSource for Distances {
///     fn dim(&self) -> usize {
///         1
///     }
///
///     fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task {
///         let best = rng.random::<f32>();
///         let x: Vec<f32> = (0..candidates).map(|_| rng.random()).collect();
///         let costs = x.iter().map(|&x| f64::from((x - best).abs())).collect();
///         Task::new(1, x, costs).expect("finite")
///     }
///
///     fn name(&self) -> &str {
///         "distances"
///     }
/// }
///
/// let mut config = TrainConfig::two_phase();
/// config.policy = None;
/// let warm_up = config.warm_up.as_mut().expect("two phases");
/// (warm_up.steps, warm_up.batch, warm_up.history, warm_up.queries) = (3, 2, (0, 8), 8);
/// let mut network = NetworkConfig::compact(1);
/// (network.layers, network.width, network.feed_forward) = (1, 16, 32);
///
/// let mut trainer = Trainer::new(config, network, Seed(1))?;
/// while let Some(progress) = trainer.advance(&Distances) {
///     assert!(progress.nll.is_some());
/// }
/// assert_eq!(trainer.curve().len(), 3);
/// let space = SearchSpace::unit_cube(1);
/// let about = About { acquisition: Utility::LogEi, ..About::new(&space, 8) };
/// let policy = trainer.finish(about)?;
/// # Ok::<(), warmfront_np::NpError>(())
/// ```
#[derive(Debug)]
pub struct Trainer {
    pub(super) config: TrainConfig,
    pub(super) network: Network,
    pub(super) seed: Seed,
    pub(super) phase: Phase,
    /// Iterations done in the phase.
    pub(super) step: u64,
    pub(super) adam: Adam,
    pub(super) multiplier: Multiplier,
    pub(super) curve: Vec<Progress>,
    pub(super) workers: Workers,
}

impl Trainer {
    /// A trainer of a new network.
    ///
    /// # Errors
    /// If a setting makes no sense, the sizes of the network do not fit together, or its buckets have no
    /// tails and do not reach all outcomes of the scaling.
    pub fn new(config: TrainConfig, network: NetworkConfig, seed: Seed) -> Result<Self, NpError> {
        let mut rng = seed.child(0).stream(Purpose::Init, 0);
        let network = Network::new(network, &mut rng as &mut dyn Rng)?;
        Self::from_network(config, network, seed)
    }

    /// A trainer that goes on with a network: one warm-up can serve several second phases.
    ///
    /// # Errors
    /// If a setting makes no sense, or the network's buckets have no tails and do not reach all outcomes
    /// of the scaling.
    pub fn from_network(
        config: TrainConfig,
        network: Network,
        seed: Seed,
    ) -> Result<Self, NpError> {
        config.check()?;
        reaches(network.config(), config.scaling)?;
        let adam = Adam::new(network.parameters().len());
        let multiplier = Multiplier::new(config.policy.as_ref().map(|policy| policy.lambda));
        Ok(Self {
            config,
            network,
            seed,
            phase: Phase::WarmUp,
            step: 0,
            adam,
            multiplier,
            curve: Vec::new(),
            workers: Workers::default(),
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// All iterations so far.
    #[must_use]
    pub fn curve(&self) -> &[Progress] {
        &self.curve
    }

    /// The network as a policy: served with the scaling it was trained with, after no fewer random
    /// evaluations than its runs began with. The rest of `about` stays.
    ///
    /// # Errors
    /// If the network and `about` are of different dimensions, or the horizon is 0.
    pub fn finish(self, about: About) -> Result<Policy, NpError> {
        let initial = self.config.policy.as_ref().map_or(0, |p| p.initial.0);
        let about = About {
            scaling: self.config.scaling,
            initial,
            ..about
        };
        Policy::new(self.network, about)
    }

    /// One optimiser step of the warm-up or one iteration of PPO; `None` once both phases are done.
    ///
    /// # Panics
    /// If the tasks are not of the network's dimension.
    #[track_caller]
    pub fn advance(&mut self, source: &dyn TaskSource) -> Option<Progress> {
        assert_eq!(
            source.dim(),
            self.network.config().inputs,
            "tasks of {} dimensions for a network of {}",
            source.dim(),
            self.network.config().inputs
        );
        if self.phase == Phase::WarmUp {
            let steps = self.config.warm_up.as_ref().map_or(0, |w| w.steps);
            if self.step >= steps {
                self.phase = Phase::Policy;
                self.step = 0;
                self.adam = Adam::new(self.network.parameters().len());
            }
        }
        let progress = match self.phase {
            Phase::WarmUp => {
                let warm_up = self.config.warm_up.clone()?;
                self.predict(&warm_up, source)
            }
            Phase::Policy => {
                let policy = self.config.policy.clone()?;
                if self.step >= policy.iterations {
                    return None;
                }
                self.improve(&policy, source)
            }
        };
        self.step += 1;
        tracing::debug!(?progress, "training");
        self.curve.push(progress.clone());
        Some(progress)
    }

    fn predict(&mut self, warm_up: &SupervisedConfig, source: &dyn TaskSource) -> Progress {
        let (step, of) = (self.step, warm_up.steps);
        let learning_rate = warm_up
            .decay
            .rate(warm_up.learning_rate, warm_up.ramp, step, of);
        let (gradient, nll) = supervised::gradient(
            &self.network,
            warm_up,
            self.config.scaling,
            source,
            self.seed.child(1).child(step),
            &mut self.workers,
        );
        let gradient_norm = clip_norm(gradient, self.config.clip_norm);
        self.adam
            .step(self.network.parameters_mut(), gradient, learning_rate);
        Progress {
            phase: Phase::WarmUp,
            step: step + 1,
            of,
            learning_rate,
            nll: Some(nll),
            gradient_norm,
            policy: None,
        }
    }

    fn improve(&mut self, policy: &PpoConfig, source: &dyn TaskSource) -> Progress {
        let (step, of) = (self.step, policy.iterations);
        let learning_rate = policy
            .decay
            .rate(policy.learning_rate, policy.ramp, step, of);
        let setting = Setting {
            config: policy,
            scaling: self.config.scaling,
            clip_norm: self.config.clip_norm,
            histories: self.histories(policy),
            learning_rate,
            lambda: self.multiplier.weight(policy.lambda, step, of),
            source,
            seed: self.seed.child(2).child(step),
        };
        let outcome = iterate(
            &mut self.network,
            &mut self.adam,
            &mut self.workers,
            &setting,
        );
        if let Some(nll) = outcome.nll {
            self.multiplier.observe(policy.lambda, nll);
        }
        Progress {
            phase: Phase::Policy,
            step: step + 1,
            of,
            learning_rate,
            nll: outcome.nll,
            gradient_norm: outcome.gradient_norm,
            policy: Some(outcome.progress),
        }
    }

    /// Of the auxiliary contexts: as in the warm-up, or as long as a run without one.
    fn histories(&self, policy: &PpoConfig) -> Histories {
        let warm_up = self.config.warm_up.as_ref();
        let longest = policy.initial.1 + policy.horizon.1 - 1;
        let clustered = match policy.auxiliary.contexts {
            AuxiliaryContexts::Mixed => warm_up.map_or(0.0, |w| w.clustered),
            _ => 0.0,
        };
        Histories {
            sizes: warm_up.map_or((1.min(longest), longest), |w| w.history),
            queries: policy.auxiliary.queries,
            clustered,
            scaling: self.config.scaling,
        }
    }
}

/// Checks that no outcome is beyond the buckets: all of them would count as one.
pub(super) fn reaches(network: &NetworkConfig, scaling: Scaling) -> Result<(), NpError> {
    let borders = network.bar.borders();
    let (lowest, highest) = (borders[0], borders[borders.len() - 1]);
    let (least, largest) = scaling.outcomes();
    let (what, value) = match (network.bar.tails(), lowest <= least, highest >= largest) {
        (true, ..) | (_, true, true) => return Ok(()),
        (_, false, _) => ("the lowest border of buckets without tails", lowest),
        (_, true, false) => ("the highest border of buckets without tails", highest),
    };
    Err(NpError::Setting {
        what,
        value: value.into(),
        expected: "one that reaches all outcomes of the scaling",
    })
}
