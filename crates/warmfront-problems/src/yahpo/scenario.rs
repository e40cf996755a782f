//! A loaded scenario: spaces, encodings and the network.

use std::collections::HashMap;
use std::fmt;

use serde_json::Value as Json;
use warmfront_core::{Config, SearchSpace, UnitPoint};

use super::layout::YahpoLayout;
use super::model::{Batch, Network};
use super::space::{self, ScenarioSpace};
use super::statistics::Statistics;
use crate::ProblemError;

/// The category that stands for an inactive parameter.
const INACTIVE: &str = "#na#";

/// The bytes of a scenario's files.
#[derive(Clone, Default)]
pub struct YahpoFiles {
    /// `model.onnx`.
    pub model: Vec<u8>,
    /// `config_space.json`.
    pub config_space: Vec<u8>,
    /// `encoding.json`.
    pub encoding: Vec<u8>,
    /// `instance_target_statistics.csv`, for reference points; without it they are taken from a
    /// dense sample.
    pub statistics: Option<Vec<u8>>,
}

/// A scenario's surrogate, ready to predict from any number of threads.
pub struct YahpoScenario {
    layout: YahpoLayout,
    space: SearchSpace,
    instances: Vec<String>,
    // Looked up only, never iterated: its order is random.
    codes: HashMap<(&'static str, String), i32>,
    statistics: Statistics,
    network: Network,
}

impl fmt::Debug for YahpoScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YahpoScenario")
            .field("name", &self.layout.name)
            .field("instances", &self.instances.len())
            .field("dim", &self.space.dim())
            .finish_non_exhaustive()
    }
}

impl YahpoScenario {
    /// Reads a scenario's files.
    ///
    /// # Errors
    /// If a file cannot be read, does not fit the layout, or the model does not predict.
    pub fn new(layout: YahpoLayout, files: YahpoFiles) -> Result<Self, ProblemError> {
        let ScenarioSpace { space, instances } = space::read(&files.config_space, &layout)?;
        let codes = read_codes(&files.encoding, &layout)?;
        let statistics = match &files.statistics {
            Some(bytes) => Statistics::read(bytes, layout.name)?,
            None => Statistics::default(),
        };
        let middle = UnitPoint::clamped(vec![0.5; space.dim()]);
        let mut probe = Batch::default();
        let config = complete(&layout, &space, space.decode(&middle), &instances[0], None);
        encode(&layout, &space, &codes, &config, &mut probe)?;
        let network = Network::load(files.model, &probe, layout.outputs.len())?;
        Ok(Self {
            layout,
            space,
            instances,
            codes,
            statistics,
            network,
        })
    }

    /// The order of inputs and outputs.
    #[must_use]
    pub fn layout(&self) -> &YahpoLayout {
        &self.layout
    }

    /// The space of hyper-parameters, in natural units, without instance and fixed inputs; its
    /// fidelity range is the scenario's.
    #[must_use]
    pub fn space(&self) -> &SearchSpace {
        &self.space
    }

    /// The instances in the order of the configuration space.
    #[must_use]
    pub fn instances(&self) -> &[String] {
        &self.instances
    }

    /// Smallest and largest value of an output in the statistics of an instance.
    #[must_use]
    pub fn range(&self, instance: &str, output: &str) -> Option<(f64, f64)> {
        self.statistics.range(instance, output)
    }

    /// A configuration of [`space`](Self::space) with the inputs that the space leaves out: the
    /// instance, the budget (the fidelity's unit; `None` is the largest) and the fixed inputs.
    #[must_use]
    pub fn complete(&self, config: Config, instance: &str, budget: Option<f64>) -> Config {
        complete(&self.layout, &self.space, config, instance, budget)
    }

    /// Predicts all outputs (in the layout's order) of complete configurations in natural units.
    ///
    /// # Errors
    /// If a configuration lacks a parameter that is not conditional or has an unknown category, or
    /// the model fails.
    pub fn predict(&self, configs: &[Config]) -> Result<Vec<Vec<f64>>, ProblemError> {
        let mut batch = Batch::default();
        for config in configs {
            encode(&self.layout, &self.space, &self.codes, config, &mut batch)?;
        }
        let values = self.network.predict(&batch)?;
        Ok(values
            .chunks(self.layout.outputs.len())
            .map(<[f64]>::to_vec)
            .collect())
    }
}

fn complete(
    layout: &YahpoLayout,
    space: &SearchSpace,
    mut config: Config,
    instance: &str,
    budget: Option<f64>,
) -> Config {
    let largest = || space.fidelity().map_or(1.0, |range| range.high());
    config.set(layout.instance, instance);
    config.set(layout.fidelity, budget.unwrap_or_else(largest));
    for &(name, value) in layout.fixed {
        config.set(name, value);
    }
    config
}

/// Appends a configuration in the model's order: an inactive number is 0, an inactive category has
/// its own code.
fn encode(
    layout: &YahpoLayout,
    space: &SearchSpace,
    codes: &HashMap<(&'static str, String), i32>,
    config: &Config,
    batch: &mut Batch,
) -> Result<(), ProblemError> {
    let may_be_absent = |name: &str| {
        space
            .parameter(name)
            .is_some_and(|found| !found.conditions().is_empty())
    };
    let error = |name: &str, problem| ProblemError::Layout {
        what: "a configuration",
        name: name.to_owned(),
        problem,
    };
    for &name in layout.categorical {
        let text = match config.get(name) {
            Some(value) => value
                .as_text()
                .ok_or_else(|| error(name, "not a category"))?,
            None if may_be_absent(name) => INACTIVE,
            None => return Err(error(name, "missing")),
        };
        let code = codes.get(&(name, text.to_owned()));
        batch
            .categorical
            .push(*code.ok_or_else(|| error(name, "an unknown category"))?);
    }
    for &name in layout.numeric {
        let number = match config.get(name) {
            Some(value) => value.as_f64().ok_or_else(|| error(name, "not a number"))?,
            None if may_be_absent(name) => 0.0,
            None => return Err(error(name, "missing")),
        };
        if !number.is_finite() {
            return Err(error(name, "not finite"));
        }
        batch.numeric.push(number as f32);
    }
    batch.rows += 1;
    Ok(())
}

fn read_codes(
    bytes: &[u8],
    layout: &YahpoLayout,
) -> Result<HashMap<(&'static str, String), i32>, ProblemError> {
    const WHAT: &str = "encoding.json";
    let raw: HashMap<String, HashMap<String, Json>> = serde_json::from_slice(bytes)
        .map_err(|source| ProblemError::Json { what: WHAT, source })?;
    let error = |name: &str, problem| ProblemError::Layout {
        what: WHAT,
        name: name.to_owned(),
        problem,
    };
    let mut codes = HashMap::new();
    for &name in layout.categorical {
        let categories = raw.get(name).ok_or_else(|| error(name, "missing"))?;
        for (text, code) in categories {
            let code = code.as_i64().and_then(|code| i32::try_from(code).ok());
            let code = code.ok_or_else(|| error(name, "encoded by something else than numbers"))?;
            codes.insert((name, text.clone()), code);
        }
    }
    Ok(codes)
}
