//! A live problem: training on real data at every evaluation.

mod boosting;
mod data;
mod network;

use rand::Rng;
use warmfront_core::{
    Candidate, Config, Costs, Domain, Fidelity, FidelityRange, Objectives, Outcome, SearchSpace,
    Seed,
};

use self::boosting::Boosting;
use self::data::{Data, FEATURES};
use self::network::{Network, Optimizer};
use crate::ProblemError;
use crate::problem::{Known, Problem, Provenance};
use crate::synthetic::minimise;

const EPOCHS: u32 = 27;
/// About what predicting the same score for all wines errs, and more than the largest model takes.
const REFERENCE: [f64; 2] = [0.7, 3.2];

/// Tuning a model that predicts the quality of red wines from eleven measurements: each evaluation
/// trains one, on data that ships with the program.
///
/// Both objectives are minimised:
/// - `error`: mean absolute error on the validation third, in points of the score (which goes from
///   3 to 8; always predicting the training mean errs by about 0.7). It moves with every
///   prediction, while the rate of wrongly classified wines would move in steps of one wine, mostly
///   noise between good configurations.
/// - `operations`: decimal logarithm of what one prediction takes: multiply-adds of a network,
///   comparisons and additions of trees.
///
/// The budget is 1 to 27 epochs: passes over the training part for a network, rounds of
/// `trees_per_epoch` trees for boosting. What came of `z` epochs does not depend on whether training
/// went on, so a configuration can be continued ([`curve`](Self::curve) does).
///
/// | parameter | values | counts for |
/// |---|---|---|
/// | `learner` | network, boosting | |
/// | `learning_rate` | 0.001 to 1, log | both |
/// | `measurements` | 1 to 11, those first that correlate most with the score | both |
/// | `width` | 2 to 32, log | network |
/// | `layers` | 1 or 2 | network |
/// | `batch_size` | 8 to 256, log | network |
/// | `weight_decay` | 1e-5 to 1, log | network |
/// | `optimizer` | sgd, adam | network |
/// | `momentum` | 0 to 0.99 | network with sgd |
/// | `depth` | 1 to 5 | boosting |
/// | `trees_per_epoch` | 1 to 8, log | boosting |
/// | `subsample` | 0.3 to 1 | boosting |
///
/// An outcome is a function of configuration, budget and the problem's seed, which chooses the
/// split, first weights and orders; there is no noise, and [`Problem::noise_free`] is the same. A
/// training whose weights overflow is [`Outcome::Failed`], with the epoch in its reason: it has no
/// model to use, and a number in its place would be made up.
///
/// ```
/// use warmfront_core::{Candidate, Config, Seed};
/// use warmfront_problems::{Problem, WineTuning};
///
/// let problem = WineTuning::new(Seed(1));
/// let trees = Config::new()
///     .with("learner", "boosting")
///     .with("learning_rate", 0.2)
///     .with("measurements", 8)
///     .with("depth", 3)
///     .with("trees_per_epoch", 2)
///     .with("subsample", 0.7);
/// let candidate = Candidate::at(problem.space().encode(&trees)?);
/// let outcome = problem.noise_free(&candidate).expect("training is deterministic");
/// let costs = outcome.costs().and_then(|costs| costs.complete()).expect("trees do not diverge");
/// assert!(costs[0] < 0.6);
/// assert_eq!(costs[1], (27.0 * 2.0 * 4.0_f64).log10());
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
///
/// # References
/// Cortez, Cerdeira, Almeida, Matos, Reis 2009, *Modeling wine preferences by data mining from
/// physicochemical properties* (the data). Kingma, Ba 2015 (Adam); Loshchilov, Hutter 2019
/// (decoupled weight decay); Friedman 2001 and 2002 (gradient boosting, with subsamples).
pub struct WineTuning {
    space: SearchSpace,
    objectives: Objectives,
    data: Data,
    seed: Seed,
}

impl WineTuning {
    /// The problem with the split, first weights and orders of this seed.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self {
            space: space(),
            objectives: minimise(&["error", "operations"]),
            data: Data::split(seed),
            seed,
        }
    }

    /// The error of always predicting the mean of the training scores: what any model should beat.
    #[must_use]
    pub fn constant_error(&self) -> f64 {
        let mean = vec![0.0; self.data.validation.rows()];
        self.data.error(&mean).expect("zeros are finite")
    }

    /// The outcomes after each of the first `epochs` epochs, by one training that goes on.
    ///
    /// # Panics
    /// If the candidate's point does not have the space's dimension.
    #[must_use]
    pub fn curve(&self, candidate: &Candidate, epochs: u32) -> Vec<Outcome> {
        let mut training = self.start(candidate);
        (1..=epochs)
            .map(|epoch| {
                training.epoch(&self.data, epoch);
                training.outcome(&self.data)
            })
            .collect()
    }

    fn start(&self, candidate: &Candidate) -> Training {
        let config = self.space.decode(&candidate.point);
        let learner = match config.text("learner") {
            Some("network") => Learner::Network(Network::new(network_settings(&config), self.seed)),
            _ => {
                let settings = boosting_settings(&config);
                Learner::Boosting(Boosting::new(settings, &self.data, self.seed))
            }
        };
        Training {
            learner,
            diverged: None,
        }
    }

    fn outcome(&self, candidate: &Candidate) -> Outcome {
        let epochs = match (candidate.fidelity, self.space.fidelity()) {
            (Some(fidelity), Some(range)) => range.budget(fidelity) as u32,
            _ => EPOCHS,
        };
        let mut training = self.start(candidate);
        for epoch in 1..=epochs {
            training.epoch(&self.data, epoch);
        }
        training.outcome(&self.data)
    }
}

impl Problem for WineTuning {
    fn name(&self) -> &str {
        "wine_tuning"
    }

    fn space(&self) -> &SearchSpace {
        &self.space
    }

    fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    fn evaluate(&self, candidate: &Candidate, _: &mut dyn Rng) -> Result<Outcome, ProblemError> {
        Ok(self.outcome(candidate))
    }

    fn noise_free(&self, candidate: &Candidate) -> Option<Outcome> {
        Some(self.outcome(candidate))
    }

    fn cost(&self, fidelity: Option<&Fidelity>) -> f64 {
        match (fidelity, self.space.fidelity()) {
            (Some(fidelity), Some(range)) => range.budget(*fidelity) / range.high(),
            _ => 1.0,
        }
    }

    fn reference_point(&self) -> Known<&[f64]> {
        let method = "the error of a constant prediction, more operations than the largest model";
        Known::new(&REFERENCE, Provenance::Approximated { method })
    }
}

enum Learner {
    Network(Network),
    Boosting(Boosting),
}

/// A training that can go on.
struct Training {
    learner: Learner,
    diverged: Option<u32>,
}

impl Training {
    fn epoch(&mut self, data: &Data, epoch: u32) {
        if self.diverged.is_some() {
            return;
        }
        match &mut self.learner {
            Learner::Network(network) => {
                network.train_epoch(data, epoch.into());
                if !network.is_finite() {
                    self.diverged = Some(epoch);
                }
            }
            Learner::Boosting(boosting) => boosting.train_epoch(),
        }
    }

    fn outcome(&mut self, data: &Data) -> Outcome {
        let (error, operations) = match &mut self.learner {
            Learner::Network(network) => {
                let predictions = network.predict(&data.validation);
                (data.error(&predictions), network.operations())
            }
            Learner::Boosting(boosting) => {
                (data.error(boosting.predictions()), boosting.operations())
            }
        };
        match (self.diverged, error) {
            (Some(epoch), _) => Outcome::failed(format!("the training diverged in epoch {epoch}")),
            (None, None) => Outcome::failed("the predictions overflow"),
            (None, Some(error)) => {
                let costs = Costs::from_values(vec![error, (operations as f64).log10()]);
                Outcome::Complete(costs.expect("checked to be finite, and models have operations"))
            }
        }
    }
}

fn space() -> SearchSpace {
    let network = || ["network"];
    let boosting = || ["boosting"];
    let epochs = FidelityRange::integer("epochs", 1, EPOCHS).expect("0 < 1 < 27");
    SearchSpace::builder()
        .param("learner", Domain::categorical(["network", "boosting"]))
        .param("learning_rate", Domain::log_real(1e-3, 1.0))
        .param("measurements", Domain::integer(1, FEATURES as i64))
        .param("width", Domain::log_integer(2, 32))
        .when("learner", network())
        .param("layers", Domain::integer(1, 2))
        .when("learner", network())
        .param("batch_size", Domain::log_integer(8, 256))
        .when("learner", network())
        .param("weight_decay", Domain::log_real(1e-5, 1.0))
        .when("learner", network())
        .param("optimizer", Domain::categorical(["sgd", "adam"]))
        .when("learner", network())
        .param("momentum", Domain::real(0.0, 0.99))
        .when("optimizer", ["sgd"])
        .param("depth", Domain::integer(1, 5))
        .when("learner", boosting())
        .param("trees_per_epoch", Domain::log_integer(1, 8))
        .when("learner", boosting())
        .param("subsample", Domain::real(0.3, 1.0))
        .when("learner", boosting())
        .fidelity(epochs)
        .build()
        .expect("parents come first and ranges are not empty")
}

// Decoded configurations have all active parameters.
fn number(config: &Config, name: &str) -> f64 {
    config.number(name).expect("active in this branch")
}

fn network_settings(config: &Config) -> network::Settings {
    let optimizer = match config.number("momentum") {
        Some(momentum) => Optimizer::Sgd {
            momentum: momentum as f32,
        },
        None => Optimizer::Adam,
    };
    network::Settings {
        inputs: number(config, "measurements") as usize,
        learning_rate: number(config, "learning_rate") as f32,
        weight_decay: number(config, "weight_decay") as f32,
        batch: number(config, "batch_size") as usize,
        width: number(config, "width") as usize,
        hidden: number(config, "layers") as usize,
        optimizer,
    }
}

fn boosting_settings(config: &Config) -> boosting::Settings {
    boosting::Settings {
        inputs: number(config, "measurements") as usize,
        learning_rate: number(config, "learning_rate") as f32,
        depth: number(config, "depth") as usize,
        trees_per_epoch: number(config, "trees_per_epoch") as usize,
        subsample: number(config, "subsample"),
    }
}

#[cfg(test)]
mod tests;
