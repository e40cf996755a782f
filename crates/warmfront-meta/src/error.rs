//! Errors of this crate.

use warmfront_core::StrategyError;

/// What can go wrong when a strategy is built or its model fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// A Gaussian process could not be fitted or evaluated.
    #[error("the surrogate model failed")]
    Gp(#[from] warmfront_gp::GpError),
    /// An acquisition function could not be built.
    #[error("the acquisition function could not be built")]
    Acquisition(#[from] warmfront_acq::AcqError),
    /// A numerical routine refused its arguments.
    #[error("a numerical routine refused its arguments")]
    Math(#[from] warmfront_math::MathError),
    /// Saved bytes could not be read back.
    #[error("the saved meta-models could not be read")]
    Codec(#[from] warmfront_codec::CodecError),
    /// A strategy rejected what it was told.
    #[error("the strategy refused the data")]
    Strategy(#[from] StrategyError),
    /// A method that needs meta-data was given none that it can use.
    #[error("none of the {tasks} meta-tasks has {needed} or more usable observations")]
    NoUsableMetaData {
        /// How many meta-tasks there were.
        tasks: usize,
        /// How many observations one of them needs.
        needed: usize,
    },
    /// A reference point of the wrong length, or with a value that is not finite.
    #[error("the reference point has {found} finite values, expected {expected}")]
    ReferencePoint {
        /// Number of objectives.
        expected: usize,
        /// Finite values in the reference point.
        found: usize,
    },
    /// A setting of the ranking-weighted ensemble is outside its range.
    #[error("expected at least one sample and a quantile in [0, 1], got {samples} and {quantile}")]
    RankingConfig {
        /// Number of posterior samples.
        samples: usize,
        /// Quantile at which meta-models are dropped.
        quantile: f64,
    },
    /// A setting is outside its range.
    #[error("{what} is {value}, expected {expected}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it may be, in words.
        expected: &'static str,
    },
    /// Beliefs about another number of objectives.
    #[error("the beliefs are about {found} objectives, expected {expected}")]
    BeliefCount {
        /// Number of objectives.
        expected: usize,
        /// Number of objectives with or without a belief.
        found: usize,
    },
    /// A belief about another search space.
    #[error("the belief about objective {objective} is about another search space")]
    BeliefSpace {
        /// The objective.
        objective: usize,
    },
    /// Saved meta-models belong to other data or another configuration.
    #[error(
        "the saved meta-models were fitted to other data or with another configuration (fingerprint {found:016x}, expected {expected:016x})"
    )]
    StaleCache {
        /// Fingerprint of the data and configuration at hand.
        expected: u64,
        /// Fingerprint in the file.
        found: u64,
    },
    /// Parametric multi-task optimisation was asked for another number of objectives than one.
    #[error("parametric multi-task optimisation has one objective, the problem {found}")]
    SingleObjective {
        /// Number of objectives.
        found: usize,
    },
    /// A setting of parametric multi-task optimisation is outside its range.
    #[error("the configuration is not usable: {what}")]
    PmtoSetting {
        /// What is wrong.
        what: &'static str,
    },
    /// A task model was asked for before any evaluation succeeded.
    #[error("no task has a successful evaluation yet")]
    NoSolvedTask,
    /// Undamaged bytes of a task model whose parts do not fit together.
    #[error("the saved task model has parts that do not fit together")]
    TaskModelShape,
}

impl From<MetaError> for StrategyError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Strategy(inner) => inner,
            other => Self::model(other),
        }
    }
}
