//! Errors of this crate.

/// What can go wrong numerically; shape mistakes of the caller panic instead.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// A matrix stayed indefinite up to the last jitter tried.
    #[error(
        "matrix of size {size} is not positive definite at pivot {index} even with jitter {jitter:e}"
    )]
    NotPositiveDefinite {
        /// Rows of the matrix.
        size: usize,
        /// Pivot at which the last attempt failed.
        index: usize,
        /// Largest jitter that was added to its diagonal.
        jitter: f64,
    },
    /// A matrix holds a NaN or an infinity.
    #[error("matrix of size {size} holds {value} at row {row}, column {column}")]
    NotFinite {
        /// Rows of the matrix.
        size: usize,
        /// Row of the bad entry.
        row: usize,
        /// Column of the bad entry.
        column: usize,
        /// The entry itself.
        value: f64,
    },
    /// An eigenvalue iteration did not converge.
    #[error("eigenvalues of a matrix of size {size} did not converge")]
    EigenvaluesDidNotConverge {
        /// Rows of the matrix.
        size: usize,
    },
}
