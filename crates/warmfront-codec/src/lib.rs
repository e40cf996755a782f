#![doc = include_str!("../README.md")]

mod envelope;
mod error;
mod wire;

pub use envelope::{Envelope, Kind, MAX_PAYLOAD, load, load_within, save};
pub use error::CodecError;
pub use wire::WireMatrix;
