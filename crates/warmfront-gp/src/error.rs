//! Errors of this crate.

use warmfront_linalg::LinalgError;

/// What can go wrong with data or numerics; shape mistakes of the caller panic instead.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GpError {
    /// A covariance matrix stayed indefinite up to the last jitter tried.
    #[error(
        "covariance matrix of size {size} is not positive definite even with jitter {jitter:e}"
    )]
    NotPositiveDefinite {
        /// Rows of the matrix.
        size: usize,
        /// Largest jitter that was added to its diagonal.
        jitter: f64,
    },
    /// An input or an outcome is NaN or infinite.
    #[error("row {row}, column {column} of the {what} is {value}, expected a finite number")]
    NotFinite {
        /// Which matrix: inputs or outcomes.
        what: &'static str,
        /// Row of the bad value.
        row: usize,
        /// Column of the bad value.
        column: usize,
        /// The value itself.
        value: f64,
    },
    /// Inputs and outcomes have different numbers of rows.
    #[error("there are {inputs} rows of inputs but {outcomes} rows of outcomes")]
    RowCount {
        /// Rows of the inputs.
        inputs: usize,
        /// Rows of the outcomes.
        outcomes: usize,
    },
    /// Every start of a fit failed.
    #[error("none of {starts} starting points has a finite posterior density")]
    FitFailed {
        /// Starting points tried.
        starts: usize,
    },
    /// A matrix decomposition failed for another reason.
    #[error("a matrix decomposition failed")]
    Linalg(#[source] LinalgError),
}

impl From<LinalgError> for GpError {
    fn from(error: LinalgError) -> Self {
        match error {
            LinalgError::NotPositiveDefinite { size, jitter, .. } => {
                Self::NotPositiveDefinite { size, jitter }
            }
            other => Self::Linalg(other),
        }
    }
}
