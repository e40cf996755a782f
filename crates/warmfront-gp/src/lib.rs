#![doc = include_str!("../README.md")]

mod error;
mod independent;
mod surrogate;

pub use error::GpError;
pub use independent::Independent;
pub use surrogate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, JointPosterior, Marginals, Surrogate,
};
