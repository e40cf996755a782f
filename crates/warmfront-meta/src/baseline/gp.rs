//! Gaussian processes fitted to the target alone: what meta-data is compared with.

use rand::Rng;
use warmfront_gp::{
    Dataset, DifferentiableSurrogate, ExactGp, ExactGpConfig, Hyperparameters, Independent,
};

use crate::{MetaError, TargetData, TargetModel};

/// The usual GP, searched from as many starts as the models that have meta-data: a comparison
/// must not be decided by the effort of the search.
pub(super) fn searched_config() -> ExactGpConfig {
    let mut config = ExactGpConfig::default();
    config.map.restarts = 5;
    config
}

/// One exact GP per objective, refitted at every observation from the last hyper-parameters and
/// from draws of their priors.
#[derive(Debug, Clone)]
pub struct IndependentGpModel {
    config: ExactGpConfig,
    last: Vec<Hyperparameters>,
}

impl IndependentGpModel {
    /// A model with the given kernel, priors and restarts for each objective.
    #[must_use]
    pub fn new(config: ExactGpConfig) -> Self {
        Self {
            config,
            last: Vec::new(),
        }
    }

    /// For outcomes with little noise or none: [`ExactGpConfig::low_noise`], with one start beside the
    /// last hyper-parameters, which are enough from one observation to the next.
    ///
    /// Choose [`AcquisitionConfig::LogEhvi`](warmfront_acq::AcquisitionConfig::LogEhvi) with it for two to
    /// four objectives: it has no noise to integrate out, and is several times faster than the default.
    #[must_use]
    pub fn low_noise() -> Self {
        let mut config = ExactGpConfig::low_noise();
        config.map.restarts = 1;
        Self::new(config)
    }
}

impl Default for IndependentGpModel {
    fn default() -> Self {
        Self::new(searched_config())
    }
}

impl TargetModel for IndependentGpModel {
    fn name(&self) -> &str {
        "ind-gp"
    }

    fn min_observations(&self) -> usize {
        1
    }

    fn fit(
        &mut self,
        data: &TargetData,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        let dataset = Dataset::new(data.x.clone(), data.y.clone())?;
        let fitted = Independent::<ExactGp>::fit(&dataset, &self.config, &self.last, rng)?;
        self.last = fitted
            .models()
            .iter()
            .map(ExactGp::hyperparameters)
            .collect();
        Ok(Box::new(fitted))
    }
}
