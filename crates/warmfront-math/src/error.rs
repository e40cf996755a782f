//! The errors of this crate.

/// What can be wrong with the data given to this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MathError {
    /// A parameter of a distribution is outside its range.
    #[error("{distribution}: {parameter} must be {expected}, got {value}")]
    InvalidParameter {
        /// The distribution.
        distribution: &'static str,
        /// The name of the parameter.
        parameter: &'static str,
        /// The range it must lie in, in words.
        expected: &'static str,
        /// The value given.
        value: f64,
    },
    /// The lower end of an interval is not below its upper end.
    #[error("{distribution}: expected low < high, got low {low} and high {high}")]
    EmptyInterval {
        /// The distribution.
        distribution: &'static str,
        /// The lower end given.
        low: f64,
        /// The upper end given.
        high: f64,
    },
    /// More Sobol dimensions were asked for than there are direction numbers.
    #[error("sobol dimension must be between 1 and {max}, got {dim}")]
    SobolDimension {
        /// The dimension asked for.
        dim: usize,
        /// The largest supported dimension.
        max: usize,
    },
}
