//! Errors of this crate.

/// What can go wrong when a network is built, trained, stored or served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpError {
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
    /// Parameters of a network of another size.
    #[error("{found} parameters, the network has {expected}")]
    ParameterCount {
        /// Parameters of the configuration.
        expected: usize,
        /// Parameters given.
        found: usize,
    },
    /// A parameter that is NaN or infinite.
    #[error("parameter {index} of `{tensor}` is not finite")]
    ParameterNotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Index in the tensor.
        index: usize,
    },
}
