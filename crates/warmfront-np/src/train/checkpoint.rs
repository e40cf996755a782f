//! Training states as bytes.

mod wire;

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warmfront_codec::{Kind, load, save};
use warmfront_core::Seed;

use super::adam::Adam;
use super::lambda::Multiplier;
use super::trainer::reaches;
use super::workers::Workers;
use super::{TrainConfig, Trainer};
use crate::policy::wire::{WireNetwork, WireScaling};
use crate::{Network, NpError};
use wire::{KeptPhase, KeptPpo, KeptProgress, KeptWarmUp};

const KIND: Kind = Kind::new("np-training", 2);

#[derive(Serialize, Deserialize)]
struct TrainingV2 {
    scaling: WireScaling,
    clip_norm: f64,
    warm_up: Option<KeptWarmUp>,
    policy: Option<KeptPpo>,
    network: WireNetwork,
    borders: Vec<f32>,
    parameters: Vec<f32>,
    first_moments: Vec<f32>,
    second_moments: Vec<f32>,
    adam_steps: u64,
    seed: u64,
    phase: KeptPhase,
    step: u64,
    multiplier: f64,
    bound: Option<f64>,
    curve: Vec<KeptProgress>,
}

impl Trainer {
    /// Writes all that training needs to go on.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn save(&self, writer: impl Write) -> Result<(), NpError> {
        let (config, network) = (self.config.clone(), self.network.config());
        let state = TrainingV2 {
            scaling: config.scaling.into(),
            clip_norm: config.clip_norm,
            warm_up: config.warm_up.map(KeptWarmUp),
            policy: config.policy.map(KeptPpo),
            network: network.into(),
            borders: network.bar.borders().to_vec(),
            parameters: self.network.parameters().to_vec(),
            first_moments: self.adam.first.clone(),
            second_moments: self.adam.second.clone(),
            adam_steps: self.adam.steps,
            seed: self.seed.0,
            phase: KeptPhase(self.phase),
            step: self.step,
            multiplier: self.multiplier.value,
            bound: self.multiplier.bound,
            curve: self.curve.iter().cloned().map(KeptProgress).collect(),
        };
        Ok(save(writer, KIND, &state)?)
    }

    /// Reads what [`save`](Self::save) wrote; with the same source, training goes on bit for bit.
    ///
    /// # Errors
    /// If the reader fails, or its bytes are not such a state.
    pub fn load(reader: impl Read) -> Result<Self, NpError> {
        let state: TrainingV2 = load(reader, KIND)?;
        let config = TrainConfig {
            scaling: state.scaling.into(),
            clip_norm: state.clip_norm,
            warm_up: state.warm_up.map(|kept| kept.0),
            policy: state.policy.map(|kept| kept.0),
        };
        config.check()?;
        let network = state.network.config(state.borders)?;
        reaches(&network, config.scaling)?;
        let network = Network::from_parameters(network, state.parameters)?;
        let expected = network.parameters().len();
        for moments in [&state.first_moments, &state.second_moments] {
            if moments.len() != expected {
                return Err(NpError::ParameterCount {
                    expected,
                    found: moments.len(),
                });
            }
        }
        Ok(Self {
            config,
            network,
            seed: Seed(state.seed),
            phase: state.phase.0,
            step: state.step,
            adam: Adam {
                first: state.first_moments,
                second: state.second_moments,
                steps: state.adam_steps,
            },
            multiplier: Multiplier {
                value: state.multiplier,
                bound: state.bound,
            },
            curve: state.curve.into_iter().map(|kept| kept.0).collect(),
            workers: Workers::default(),
        })
    }
}
