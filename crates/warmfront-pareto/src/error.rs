//! The error type of the crate.

/// What can be wrong with the data given to this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParetoError {
    /// A coordinate of a point is not a number.
    #[error("point {row} has no number in objective {objective}")]
    NanPoint {
        /// Row of the point.
        row: usize,
        /// Objective in which the value is missing.
        objective: usize,
    },
    /// A coordinate of the reference point is not a number.
    #[error("the reference point has no number in objective {objective}")]
    NanReference {
        /// Objective in which the value is missing.
        objective: usize,
    },
    /// A weight is negative, infinite or not a number.
    #[error("weight {index} is {value}, but weights are finite and at least zero")]
    InvalidWeight {
        /// Position of the weight.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// The computation needs at least one point and got none.
    #[error("at least one point is needed")]
    NoPoints,
}

/// Fails if a coordinate of the reference point is not a number.
pub(crate) fn check_reference(reference: &[f64]) -> Result<(), ParetoError> {
    match reference.iter().position(|r| r.is_nan()) {
        Some(objective) => Err(ParetoError::NanReference { objective }),
        None => Ok(()),
    }
}
