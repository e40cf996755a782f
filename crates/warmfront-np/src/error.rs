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
    /// Borders of a bar distribution that do not increase.
    #[error(
        "border {index} of the bar distribution is {value}, expected at least two that increase"
    )]
    Borders {
        /// The first border that is wrong, or their number if there are too few.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A sample of outcomes that gives no buckets.
    #[error("{len} outcomes without two different finite values give no buckets")]
    Sample {
        /// Outcomes given.
        len: usize,
    },
    /// A training task whose candidates and costs do not fit together.
    #[error("a task of {rows} costs in {dim} dimensions has {len} coordinates")]
    TaskShape {
        /// Costs.
        rows: usize,
        /// Encoded dimension.
        dim: usize,
        /// Coordinates.
        len: usize,
    },
    /// A candidate or cost of a training task that is not finite.
    #[error("row {row} of a task is not finite (cost {cost})")]
    TaskValue {
        /// Which row.
        row: usize,
        /// Its cost.
        cost: f64,
    },
}
