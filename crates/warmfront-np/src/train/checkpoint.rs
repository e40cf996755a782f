//! Training states as bytes.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warmfront_codec::{Kind, load, save};
use warmfront_core::Seed;

use super::adam::Adam;
use super::lambda::Multiplier;
use super::trainer::reaches;
use super::workers::Workers;
use super::{Phase, Progress, TrainConfig, Trainer};
use crate::{Network, NetworkConfig, NpError};

const KIND: Kind = Kind::new("np-training", 1);

#[derive(Serialize, Deserialize)]
struct TrainingV1 {
    config: TrainConfig,
    network: NetworkConfig,
    parameters: Vec<f32>,
    first_moments: Vec<f32>,
    second_moments: Vec<f32>,
    adam_steps: u64,
    seed: u64,
    phase: Phase,
    step: u64,
    multiplier: f64,
    bound: Option<f64>,
    curve: Vec<Progress>,
}

impl Trainer {
    /// Writes all that training needs to go on.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn save(&self, writer: impl Write) -> Result<(), NpError> {
        let state = TrainingV1 {
            config: self.config.clone(),
            network: self.network.config().clone(),
            parameters: self.network.parameters().to_vec(),
            first_moments: self.adam.first.clone(),
            second_moments: self.adam.second.clone(),
            adam_steps: self.adam.steps,
            seed: self.seed.0,
            phase: self.phase,
            step: self.step,
            multiplier: self.multiplier.value,
            bound: self.multiplier.bound,
            curve: self.curve.clone(),
        };
        Ok(save(writer, KIND, &state)?)
    }

    /// Reads what [`save`](Self::save) wrote; with the same source, training goes on bit for bit.
    ///
    /// # Errors
    /// If the reader fails, or its bytes are not such a state.
    pub fn load(reader: impl Read) -> Result<Self, NpError> {
        let state: TrainingV1 = load(reader, KIND)?;
        state.config.check()?;
        reaches(&state.network, state.config.scaling)?;
        let network = Network::from_parameters(state.network, state.parameters)?;
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
            config: state.config,
            network,
            seed: Seed(state.seed),
            phase: state.phase,
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
            curve: state.curve,
            workers: Workers::default(),
        })
    }
}
