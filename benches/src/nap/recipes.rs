//! How each policy is trained, in one place: family and variant give network, training and tasks.
//!
//! Sizes are for two processor cores; what a training did cost stands in its record.

use std::sync::Arc;

use warmfront_core::Seed;
use warmfront_np::train::{
    Advantage, Auxiliary, AuxiliaryContexts, Lambda, PpoConfig, SupervisedConfig, TrainConfig,
    sample_targets,
};
use warmfront_np::{
    AcquisitionHead, Bar, Critic, HistoryAttention, Initialisation, NetworkConfig, Scaling,
};

use super::families::{FamilySpec, Hall};
use super::sources::Source;
use super::sources::conditional::{self, Augmentation};
use super::sources::prior::GpPrior;
use crate::cell::fnv1a;

/// Raised when a change of sources makes policies different.
const VERSION: u32 = 3;

/// Raised when `warmfront-np` makes different policies of the same settings, or serves them differently.
const TRAINING: u32 = 2;

/// Which way of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variant {
    /// Warm-up and reinforcement learning.
    Full,
    /// The first phase alone.
    WarmUp,
    /// The first phase alone, three times as long.
    WarmUpLong,
    /// As published, at the size of the others.
    Published,
    /// The second phase alone, longer.
    NoWarmUp,
    /// Another weight of the auxiliary loss.
    Lambda(f64),
    /// Evaluations see only earlier ones: what a key/value cache needs.
    Causal,
    /// The first phase of that alone.
    CausalWarmUp,
    /// As [`Full`](Self::Full), from other random numbers.
    Again,
    /// The first phase of that alone.
    AgainWarmUp,
}

impl Variant {
    /// Part of file names.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Full => "nap".into(),
            Self::WarmUp => "np".into(),
            Self::WarmUpLong => "np-long".into(),
            Self::Published => "published".into(),
            Self::NoWarmUp => "no-warmup".into(),
            Self::Lambda(value) => format!("lambda-{value}"),
            Self::Causal => "causal".into(),
            Self::CausalWarmUp => "np-causal".into(),
            Self::Again => "again".into(),
            Self::AgainWarmUp => "np-again".into(),
        }
    }

    /// The variant whose network this one begins with, if it has a first phase.
    fn first(self) -> Self {
        match self {
            Self::Causal | Self::CausalWarmUp => Self::CausalWarmUp,
            Self::Again | Self::AgainWarmUp => Self::AgainWarmUp,
            _ => Self::WarmUp,
        }
    }

    /// Whether it is trained to predict only.
    #[must_use]
    pub fn predicts_only(self) -> bool {
        matches!(
            self,
            Self::WarmUp | Self::WarmUpLong | Self::CausalWarmUp | Self::AgainWarmUp
        )
    }
}

/// Everything that determines a policy, its tasks' data aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The family.
    pub family: &'static str,
    /// Version of the family.
    version: u32,
    /// Which way of training.
    pub variant: Variant,
    /// The network.
    pub network: NetworkConfig,
    /// Both phases.
    pub train: TrainConfig,
    /// Parts of the tasks: drawn near tables, rows of tables, Gaussian process, formulas (in the general
    /// family: its own mixture).
    tasks: [f64; 4],
    /// Of first parameters, tasks and rollouts.
    pub seed: u64,
    /// Checksum of the data that its tasks are made of.
    data: u32,
}

/// Size of a family's networks and length of its training.
struct Size {
    layers: usize,
    width: usize,
    buckets: usize,
    steps: u64,
    iterations: u64,
    tasks: usize,
    trajectories: usize,
    history: usize,
    queries: usize,
    horizon: (usize, usize),
    candidates: usize,
    rate: f64,
}

/// For families with a budget of a hundred evaluations.
const STANDARD: Size = Size {
    layers: 3,
    width: 64,
    buckets: 100,
    steps: 4000,
    iterations: 40,
    tasks: 12,
    trajectories: 16,
    history: 100,
    queries: 100,
    horizon: (15, 95),
    candidates: 200,
    rate: 1e-4,
};

/// For the quick profile: a budget of thirty.
const SMALL: Size = Size {
    layers: 2,
    width: 48,
    buckets: 64,
    steps: 3000,
    iterations: 40,
    tasks: 6,
    trajectories: 6,
    history: 30,
    queries: 50,
    horizon: (10, 25),
    candidates: 120,
    // A minute's training with less ends where the warm-up did.
    rate: 5e-4,
};

/// For tests of the program.
const TINY: Size = Size {
    layers: 1,
    width: 16,
    buckets: 16,
    steps: 12,
    iterations: 2,
    tasks: 2,
    trajectories: 2,
    history: 6,
    queries: 8,
    horizon: (2, 4),
    candidates: 20,
    rate: 5e-4,
};

/// For the policy that comes with warmfront-np.
const LARGE: Size = Size {
    layers: 4,
    width: 96,
    buckets: 160,
    steps: 12_000,
    ..STANDARD
};

/// Seeds of that policy: of its first parameters and tasks, and of the sample behind its buckets. There is
/// one such policy, whatever the seed of an experiment.
const LARGE_SEEDS: (Seed, Seed) = (Seed(7), Seed(5));

/// Batches of tasks in that sample.
const SAMPLED: usize = 400;

fn size(family: &str) -> &'static Size {
    match family {
        "gp-1" => &TINY,
        "gp-2" => &SMALL,
        "general" => &LARGE,
        _ => &STANDARD,
    }
}

/// The recipe of a policy.
#[must_use]
pub fn recipe(family: &FamilySpec, variant: Variant, base: u64) -> Recipe {
    let size = size(family.name);
    let mut network = NetworkConfig {
        layers: size.layers,
        width: size.width,
        feed_forward: 2 * size.width,
        head_hidden: 2 * size.width,
        bar: Bar::uniform(-4.0, 4.0, size.buckets).with_tails(),
        ..NetworkConfig::compact(family.inputs())
    };
    let warm_up = SupervisedConfig {
        steps: size.steps,
        history: (0, size.history),
        queries: size.queries,
        ..SupervisedConfig::compact()
    };
    let policy = PpoConfig {
        iterations: size.iterations,
        tasks: size.tasks,
        trajectories: size.trajectories,
        horizon: size.horizon,
        candidates: size.candidates,
        // With more, what the warm-up has learned is lost faster than anything is gained; with only the
        // five best to choose from, runs on a task differ too little to learn from.
        learning_rate: size.rate,
        top_k: Some(20),
        minibatch: 64,
        states: Some(2048),
        ..PpoConfig::compact()
    };
    let mut train = TrainConfig {
        warm_up: Some(warm_up),
        policy: Some(policy.clone()),
        ..TrainConfig::two_phase()
    };
    if family.is_general() {
        // The scale of the bad half of a box says nothing of that around the best.
        train.scaling = Scaling::BetterHalf;
    }
    match variant {
        Variant::Full | Variant::Again => {}
        Variant::WarmUp | Variant::AgainWarmUp => train.policy = None,
        Variant::Causal => network.attention = HistoryAttention::Causal,
        Variant::CausalWarmUp => {
            network.attention = HistoryAttention::Causal;
            train.policy = None;
        }
        Variant::WarmUpLong => {
            train.policy = None;
            if let Some(warm_up) = &mut train.warm_up {
                // The second phase is meant to cost twice as much as the first.
                warm_up.steps *= 3;
            }
        }
        Variant::NoWarmUp => {
            train.warm_up = None;
            train.policy = Some(PpoConfig {
                // The warm-up is meant to cost half as much as the second phase.
                iterations: size.iterations * 3 / 2,
                ..policy
            });
        }
        Variant::Lambda(lambda) => {
            let off = lambda <= 0.0;
            train.policy = Some(PpoConfig {
                lambda: Lambda::Fixed(lambda),
                auxiliary: Auxiliary {
                    contexts: if off {
                        AuxiliaryContexts::Off
                    } else {
                        policy.auxiliary.contexts
                    },
                    ..policy.auxiliary
                },
                ..policy
            });
        }
        Variant::Published => {
            network = NetworkConfig {
                bar: Bar::uniform(-0.1, 1.1, size.buckets),
                acquisition: AcquisitionHead::published(),
                critic: Critic::Scalars,
                initialisation: Initialisation::Published,
                ..network
            };
            train = TrainConfig {
                scaling: Scaling::Range,
                warm_up: None,
                policy: Some(PpoConfig {
                    iterations: size.iterations * 3 / 2,
                    tasks: size.tasks * size.trajectories,
                    trajectories: 1,
                    candidates: size.candidates,
                    // Ten times as high for a fiftieth of the steps.
                    learning_rate: 3e-4,
                    ramp: 3,
                    states: policy.states,
                    auxiliary: Auxiliary {
                        contexts: AuxiliaryContexts::Iid,
                        queries: size.queries,
                        drawn: policy.auxiliary.drawn,
                    },
                    advantage: Advantage::Gae,
                    ..PpoConfig::published()
                }),
                ..TrainConfig::published()
            };
        }
    }
    Recipe {
        family: family.name,
        version: family.version,
        variant,
        network,
        train,
        tasks: match family.name {
            "xgb" | "xgb-published" | "lcbench" | "antbo" if variant == Variant::Published => {
                [1.0, 0.0, 0.0, 0.0]
            }
            "xgb" | "xgb-published" | "lcbench" => [0.7, 0.1, 0.2, 0.0],
            "antbo" => [0.7, 0.3, 0.0, 0.0],
            "general" => [0.0, 0.0, 0.0, 1.0],
            "analytic" => [0.0, 0.0, 0.3, 0.7],
            _ => [0.0, 0.0, 1.0, 0.0],
        },
        seed: base,
        data: 0,
    }
}

impl Recipe {
    /// The same with tasks from this data.
    #[must_use]
    pub fn with_data(self, checksum: u32) -> Self {
        Self {
            data: checksum,
            ..self
        }
    }

    /// Name of the policy's files.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.family, self.variant.name())
    }

    /// Sixteen hexadecimal digits that change when anything changes that determines the policy.
    #[must_use]
    pub fn key(&self) -> String {
        let mut text = format!(
            "recipe {VERSION}, training {TRAINING}, surrogates {}, {self:?}",
            conditional::VERSION
        );
        if self.is_general() {
            text += &format!(", {LARGE_SEEDS:?}, {SAMPLED}");
        }
        format!("{:016x}", fnv1a(text.as_bytes()))
    }

    /// The seed of its training: that of the family, so that variants share what they can.
    #[must_use]
    pub fn training_seed(&self) -> Seed {
        let again = matches!(self.variant, Variant::Again | Variant::AgainWarmUp);
        if self.is_general() && !again {
            return LARGE_SEEDS.0;
        }
        Seed(self.seed)
            .child(fnv1a(self.family.as_bytes()))
            .child(if again { 78 } else { 77 })
    }

    /// The recipe whose network this one begins with.
    #[must_use]
    pub fn begins_with(&self) -> Option<Self> {
        let second = self.train.policy.is_some();
        (second && self.train.warm_up.is_some()).then(|| Self {
            variant: self.variant.first(),
            train: TrainConfig {
                policy: None,
                ..self.train.clone()
            },
            ..self.clone()
        })
    }

    fn is_general(&self) -> bool {
        self.family == "general"
    }

    /// The network to begin with: of the general family with buckets between quantiles of what its tasks'
    /// costs are scaled to, elsewhere [`network`](Self::network) as it is.
    ///
    /// # Errors
    /// If the tasks' costs have too few values.
    pub fn first_network(&self, source: &Source) -> anyhow::Result<NetworkConfig> {
        let mut network = self.network.clone();
        if self.is_general() && self.variant != Variant::Published {
            let sample = sample_targets(&self.train, source, SAMPLED, LARGE_SEEDS.1);
            network.bar = Bar::quantiles(&sample, LARGE.buckets)?.with_tails();
        }
        Ok(network)
    }

    /// Its training tasks.
    ///
    /// # Errors
    /// If a surrogate of a training table cannot be fitted.
    pub fn source(&self, hall: &Arc<Hall>) -> anyhow::Result<Source> {
        let mut parts = Vec::new();
        for (index, weight) in self.tasks.into_iter().enumerate() {
            if weight > 0.0 {
                let source = match index {
                    0 if self.variant == Variant::Published => {
                        Source::conditional(hall, Augmentation::published())?
                    }
                    0 => Source::conditional(hall, Augmentation::default())?,
                    1 => Source::Rows(Arc::clone(hall)),
                    2 => Source::Prior(GpPrior::new(hall.dim()), 0.1),
                    _ if hall.spec.is_general() => Source::General(0.1),
                    _ => Source::Analytic(hall.dim()),
                };
                parts.push((weight, source));
            }
        }
        Ok(match parts.len() {
            1 => parts.remove(0).1,
            _ => Source::Mixture(parts),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nap::families::FAMILIES;

    #[test]
    fn recipes_are_valid_and_have_different_keys() {
        let mut keys = Vec::new();
        for family in FAMILIES {
            for variant in [
                Variant::Full,
                Variant::WarmUp,
                Variant::WarmUpLong,
                Variant::Published,
                Variant::NoWarmUp,
                Variant::Lambda(0.0),
                Variant::Lambda(10.0),
                Variant::Causal,
                Variant::CausalWarmUp,
                Variant::Again,
                Variant::AgainWarmUp,
            ] {
                let recipe = recipe(family, variant, 1);
                recipe.network.check().expect("a network");
                recipe.train.check().expect("a training");
                let key = recipe.key();
                assert!(!keys.contains(&key), "{}", recipe.name());
                keys.push(key);
            }
            for (whole, first) in [
                (Variant::Full, Variant::WarmUp),
                (Variant::Lambda(10.0), Variant::WarmUp),
                (Variant::Causal, Variant::CausalWarmUp),
                (Variant::Again, Variant::AgainWarmUp),
            ] {
                assert_eq!(
                    recipe(family, whole, 1).begins_with().map(|r| r.key()),
                    Some(recipe(family, first, 1).key())
                );
            }
            let full = recipe(family, Variant::Full, 1);
            assert_ne!(full.key(), recipe(family, Variant::Full, 2).key());
            assert_ne!(full.key(), full.clone().with_data(1).key());
        }
    }

    #[test]
    fn networks_fit_their_families() {
        let halls = crate::nap::families::Halls::new(None, 1);
        for family in FAMILIES.iter().filter(|f| f.drawn()) {
            let hall = halls.get(family).expect("no data needed");
            assert_eq!(hall.dim(), family.inputs(), "{}", family.name);
        }
    }
}
