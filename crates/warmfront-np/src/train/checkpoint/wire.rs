//! What is kept of settings and curves, field by field: the layout of a checkpoint changes only here.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::train::{
    Advantage, Auxiliary, AuxiliaryContexts, Decay, Lambda, Phase, PolicyProgress, PpoConfig,
    Progress, Reward, SupervisedConfig,
};

/// The first phase.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptWarmUp(#[serde(with = "WireWarmUp")] pub(super) SupervisedConfig);

/// The second phase.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptPpo(#[serde(with = "WirePpo")] pub(super) PpoConfig);

/// An iteration.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptProgress(#[serde(with = "WireProgress")] pub(super) Progress);

/// In which phase training is.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptPhase(#[serde(with = "WirePhase")] pub(super) Phase);

#[derive(Serialize, Deserialize)]
#[serde(remote = "SupervisedConfig")]
struct WireWarmUp {
    steps: u64,
    batch: usize,
    learning_rate: f64,
    ramp: u64,
    #[serde(with = "WireDecay")]
    decay: Decay,
    history: (usize, usize),
    queries: usize,
    clustered: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PpoConfig")]
struct WirePpo {
    iterations: u64,
    tasks: usize,
    trajectories: usize,
    initial: (usize, usize),
    horizon: (usize, usize),
    candidates: usize,
    top_k: Option<usize>,
    clip: f64,
    discount: f64,
    gae: f64,
    entropy: f64,
    value: f64,
    minibatch: usize,
    states: Option<usize>,
    epochs: usize,
    divergence_limit: Option<f64>,
    learning_rate: f64,
    ramp: u64,
    #[serde(with = "WireDecay")]
    decay: Decay,
    #[serde(with = "WireReward")]
    reward: Reward,
    #[serde(with = "WireAdvantage")]
    advantage: Advantage,
    #[serde(with = "WireAuxiliary")]
    auxiliary: Auxiliary,
    #[serde(with = "WireLambda")]
    lambda: Lambda,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Decay")]
enum WireDecay {
    None,
    Linear,
    Cosine,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reward")]
enum WireReward {
    Published,
    Incremental,
    Regret,
    Rank,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Advantage")]
enum WireAdvantage {
    Gae,
    Group,
    GroupGivenIncumbent,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Auxiliary")]
struct WireAuxiliary {
    #[serde(with = "WireContexts")]
    contexts: AuxiliaryContexts,
    queries: usize,
    drawn: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AuxiliaryContexts")]
enum WireContexts {
    Off,
    Iid,
    OnPolicy,
    Mixed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Lambda")]
enum WireLambda {
    Fixed(f64),
    Schedule { from: f64, to: f64 },
    Constraint { start: f64, slack: f64, rate: f64 },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Phase")]
enum WirePhase {
    WarmUp,
    Policy,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Progress")]
struct WireProgress {
    #[serde(with = "WirePhase")]
    phase: Phase,
    step: u64,
    of: u64,
    learning_rate: f64,
    nll: Option<f64>,
    gradient_norm: f64,
    #[serde(with = "optional")]
    policy: Option<PolicyProgress>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PolicyProgress")]
struct WirePolicyProgress {
    decisions: u64,
    states: u64,
    returns: f64,
    regret: f64,
    policy_loss: f64,
    value_loss: Option<f64>,
    explained_variance: Option<f64>,
    entropy: f64,
    clipped: f64,
    divergence: f64,
    first_ratio_error: f64,
    lambda: f64,
}

/// What only iterations of the second phase have.
mod optional {
    use super::{
        Deserialize, Deserializer, PolicyProgress, Serialize, Serializer, WirePolicyProgress,
    };

    #[derive(Serialize)]
    struct Shown<'a>(#[serde(with = "WirePolicyProgress")] &'a PolicyProgress);

    #[derive(Deserialize)]
    struct Kept(#[serde(with = "WirePolicyProgress")] PolicyProgress);

    pub(super) fn serialize<S: Serializer>(
        value: &Option<PolicyProgress>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Shown).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PolicyProgress>, D::Error> {
        let kept = Option::<Kept>::deserialize(deserializer)?;
        Ok(kept.map(|kept| kept.0))
    }
}
