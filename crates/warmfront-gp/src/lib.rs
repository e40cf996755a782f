#![doc = include_str!("../README.md")]

mod error;
mod surrogate;

pub use error::GpError;
pub use surrogate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, JointPosterior, Marginals, Surrogate,
};
