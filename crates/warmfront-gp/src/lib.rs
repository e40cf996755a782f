#![doc = include_str!("../README.md")]

mod dataset;
mod error;
mod fit;
mod hyperprior;
mod independent;
mod kernel;
mod standardize;
mod surrogate;

pub use dataset::Dataset;
pub use error::GpError;
pub use fit::{FitReport, MapConfig, MapFit, MapObjective, ParameterScale, ParameterSpec, fit_map};
pub use hyperprior::HyperPrior;
pub use independent::Independent;
pub use kernel::{ArdKernel, KernelGram, KernelKind};
pub use standardize::Standardization;
pub use surrogate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, JointPosterior, Marginals, Surrogate,
};
