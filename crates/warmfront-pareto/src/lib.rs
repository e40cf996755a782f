#![doc = include_str!("../README.md")]

mod dominance;
mod error;
mod hypervolume;
mod partition;
mod points;

pub use dominance::{dominates, strictly_dominates, weakly_dominates};
pub use error::ParetoError;
pub use hypervolume::{HypervolumeWorkspace, hypervolume};
pub use partition::BoxDecomposition;
pub use points::Points;
