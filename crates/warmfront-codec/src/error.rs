//! Why bytes could not be written or read.

use std::error::Error;
use std::io;

use thiserror::Error as ThisError;

/// Why bytes could not be written or read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes are not one of our files.
    #[error("not a Warmfront file: it starts with {found:02x?}")]
    NotOurs {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The envelope has a version this build does not know.
    #[error("envelope version {found} is not supported, only {supported}")]
    UnsupportedVersion {
        /// Version of the file.
        found: u16,
        /// The version this build reads.
        supported: u16,
    },
    /// The file holds something else.
    #[error("the file holds `{found}`, expected `{expected}`")]
    WrongKind {
        /// The kind asked for.
        expected: String,
        /// The kind of the file.
        found: String,
    },
    /// The file holds the right thing in a version the caller does not know.
    #[error("`{kind}` version {found} is not supported, only {supported}")]
    UnsupportedKindVersion {
        /// The kind.
        kind: String,
        /// Version of the file.
        found: u16,
        /// The version asked for.
        supported: u16,
    },
    /// The file ends too early.
    #[error("the file ends after {found} of {expected} bytes")]
    Truncated {
        /// Bytes the file should have.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The file goes on after its payload.
    #[error("the file goes on after its {expected} bytes")]
    TooLong {
        /// Bytes the file should have.
        expected: u64,
    },
    /// The payload is larger than allowed.
    #[error("the payload has {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Size of the payload, as far as it is known.
        size: u64,
        /// Largest size allowed.
        limit: u64,
    },
    /// The file was damaged.
    #[error("checksum {found:08x} does not match {expected:08x}")]
    Checksum {
        /// Checksum the file states.
        expected: u32,
        /// Checksum of what was read.
        found: u32,
    },
    /// The payload is undamaged but is not what was asked for.
    #[error("the payload is malformed")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// The payload holds more than what was asked for.
    #[error("{unread} bytes of the payload were not read")]
    Unread {
        /// Bytes left over.
        unread: usize,
    },
    /// The value cannot be written.
    #[error("the value cannot be written")]
    Unwritable(#[source] Box<dyn Error + Send + Sync>),
    /// A matrix has a shape that does not fit its data.
    #[error("a {rows}×{cols} matrix cannot have {len} entries")]
    Shape {
        /// Stated number of rows.
        rows: u64,
        /// Stated number of columns.
        cols: u64,
        /// Number of entries.
        len: usize,
    },
    /// A matrix has an entry that is NaN or infinite.
    #[error("entry ({row}, {col}) of the matrix is {value}")]
    NonFinite {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        col: usize,
        /// The entry.
        value: f64,
    },
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}
