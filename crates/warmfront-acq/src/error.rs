//! Errors of this crate.

use warmfront_pareto::ParetoError;

/// What can go wrong when an acquisition function is built; shape mistakes of the caller panic
/// instead, and a model that misbehaves later only makes a utility NaN.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AcqError {
    /// The acquisition function does not exist for this number of objectives.
    #[error("{name} works for {expected}, the model has {found} outputs")]
    ObjectiveCount {
        /// The acquisition function.
        name: &'static str,
        /// What it can do, in words.
        expected: &'static str,
        /// Outputs of the model.
        found: usize,
    },
    /// An observed or pending point, a cost or the reference point is NaN or infinite.
    #[error("row {row}, column {column} of the {what} is {value}, expected a finite number")]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Row of the bad value.
        row: usize,
        /// Column of the bad value.
        column: usize,
        /// The value itself.
        value: f64,
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
    /// The model predicts NaN or infinite values at the points it is asked about.
    #[error("the model's posterior at the {at} is not finite")]
    ModelNotFinite {
        /// Which points.
        at: &'static str,
    },
    /// The front or the reference point is not usable.
    #[error("the observed front cannot be used")]
    Pareto(#[from] ParetoError),
}
