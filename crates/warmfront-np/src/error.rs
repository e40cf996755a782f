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
    /// Bytes that are no policy file.
    #[error("not a policy file: {reason}")]
    NotOurs {
        /// How that shows.
        reason: String,
    },
    /// A policy file of another version.
    #[error("version {found} of the policy file is not supported, only {supported}")]
    FileVersion {
        /// Version of the file.
        found: u32,
        /// The version this build reads.
        supported: u32,
    },
    /// A policy file that ends too early.
    #[error("the file ends after {found} of {expected} bytes")]
    Truncated {
        /// Bytes the file should have, as far as it was read.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// A policy file that goes on after its end.
    #[error("the file goes on after its {expected} bytes")]
    FileTooLong {
        /// Bytes the file should have.
        expected: u64,
    },
    /// A policy file larger than what is read.
    #[error("the file has {size} bytes, at most {limit} are read")]
    FileTooLarge {
        /// Its size, as far as it is known.
        size: u64,
        /// Largest size allowed.
        limit: u64,
    },
    /// A policy file that was damaged.
    #[error("checksum {found:016x} does not match {expected:016x}: the file is damaged")]
    Checksum {
        /// Checksum the file states.
        expected: u64,
        /// Checksum of what was read.
        found: u64,
    },
    /// An undamaged policy file whose parts do not fit together.
    #[error("the policy does not fit together: {reason}")]
    Contents {
        /// Which parts.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io(#[from] std::io::Error),
    /// A policy for spaces of another dimension.
    #[error(
        "the policy is for {}{expected} coordinates, the space has {found}",
        if *padded { "at most " } else { "" }
    )]
    SpaceDimension {
        /// Coordinates of the policy.
        expected: usize,
        /// Coordinates of the space.
        found: usize,
        /// Whether the policy takes spaces of fewer coordinates.
        padded: bool,
    },
    /// A policy for spaces with another kind of coordinate.
    #[error("coordinate {coordinate} of the space is {found}, the policy is for {expected}")]
    SpaceColumn {
        /// Which coordinate, from 0.
        coordinate: usize,
        /// What the policy was trained on.
        expected: crate::policy::Column,
        /// What the space has.
        found: crate::policy::Column,
    },
    /// Several objectives.
    #[error("a policy has one objective, the problem {found}")]
    SingleObjective {
        /// Number of objectives.
        found: usize,
    },
    /// A history was to be cached for a network that does not allow it.
    #[error("the history can be cached only for a network that was trained with a causal one")]
    NotCausal,
    /// A training state that cannot be written or read.
    #[error("training state: {0}")]
    Checkpoint(#[from] warmfront_codec::CodecError),
}
