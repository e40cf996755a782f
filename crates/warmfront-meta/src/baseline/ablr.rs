//! Adaptive Bayesian linear regression: features shared by all tasks, a Bayesian linear head per task.
//!
//! A small tanh network maps inputs to features; every task regresses its own standardised costs
//! linearly on them, with its own prior precision α and noise precision β, integrated out in closed
//! form. Network and precisions are found together by maximising the sum of the tasks' log
//! evidences. One network per objective ("Ind.-ABLR").
//!
//! # References
//! *Perrone et al. 2018*, "Scalable hyperparameter transfer learning", sections 3.1–3.3.
//!
//! # Departures
//! The network is trained once, on the meta-data, and stays fixed while the target is observed;
//! α and β of the target are refitted at every observation under a log-normal prior around the
//! meta-tasks' values, and two observations come first. A weight decay keeps the network from
//! fitting the noise of the meta-data. Meta-observations that lack an objective are left out.

mod head;
mod network;
mod train;

use rand::Rng;
use rayon::prelude::*;
use warmfront_core::{MetaDataset, Seed};
use warmfront_gp::{DifferentiableSurrogate, Independent};

use self::head::{Head, HeadPrior};
use self::network::Network;
use crate::baseline::meta_columns::MetaColumns;
use crate::{MetaError, TargetData, TargetModel};

/// Sizes and training of the shared network.
#[derive(Debug, Clone, PartialEq)]
pub struct AblrConfig {
    /// Units in each hidden layer; the last layer is the feature vector. As published: three of 50.
    pub layers: Vec<usize>,
    /// L-BFGS iterations of the training at most.
    pub iterations: usize,
    /// Factor of half the squared network weights in the objective, per observation. Smaller values
    /// let the network fit the noise of the meta-data.
    pub weight_decay: f64,
    /// Standard deviation of the log-normal prior on the target's α and β around the meta-tasks'.
    pub precision_spread: f64,
}

impl Default for AblrConfig {
    fn default() -> Self {
        Self {
            layers: vec![50, 50, 50],
            iterations: 200,
            weight_decay: 3e-3,
            precision_spread: 1.0,
        }
    }
}

/// Independent ABLR models, one per objective, trained on meta-data.
#[derive(Debug, Clone)]
pub struct AblrModel {
    config: AblrConfig,
    objectives: Vec<Trained>,
}

#[derive(Debug, Clone)]
struct Trained {
    network: Network,
    prior: HeadPrior,
}

impl AblrModel {
    /// Trains one network per objective on the complete observations of `meta` (`d` inputs,
    /// `objectives` costs).
    ///
    /// # Errors
    /// If a shape of the meta-data does not fit, or no task has two usable observations.
    pub fn train(
        meta: &MetaDataset,
        dim: usize,
        objectives: usize,
        config: AblrConfig,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetaError> {
        let columns = MetaColumns::new(meta, dim, objectives, 2)?;
        // One sub-stream per objective, drawn before anything runs in parallel.
        let seeds: Vec<Seed> = (0..objectives).map(|_| Seed(rng.next_u64())).collect();
        let objectives = seeds
            .into_par_iter()
            .enumerate()
            .map(|(o, seed)| {
                let mut rng = seed.stream(warmfront_core::Purpose::Init, 0);
                let network = Network::random(dim, &config.layers, &mut rng);
                let (network, prior) = train::train(network, &columns.objective(o), &config);
                Trained { network, prior }
            })
            .collect();
        Ok(Self { config, objectives })
    }
}

impl TargetModel for AblrModel {
    fn name(&self) -> &str {
        "ind-ablr"
    }

    fn min_observations(&self) -> usize {
        // The heads' prior mean is zero: with fewer there is no cost to tell two points apart.
        2
    }

    fn fit(
        &mut self,
        data: &TargetData,
        _rng: &mut dyn Rng,
    ) -> Result<Box<dyn DifferentiableSurrogate>, MetaError> {
        assert!(
            data.num_objectives() == self.objectives.len(),
            "trained for {} objectives, got {}",
            self.objectives.len(),
            data.num_objectives()
        );
        let heads = self
            .objectives
            .iter()
            .enumerate()
            .map(|(o, trained)| {
                let y: Vec<f64> = (0..data.len()).map(|i| data.y[(i, o)]).collect();
                Head::fit(
                    trained.network.clone(),
                    &trained.prior,
                    self.config.precision_spread,
                    data.x.as_ref(),
                    &y,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(Independent::new(heads)))
    }
}
