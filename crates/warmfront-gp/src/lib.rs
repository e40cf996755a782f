#![doc = include_str!("../README.md")]

mod dataset;
mod error;
mod exact;
mod fit;
mod hyperprior;
mod independent;
mod kernel;
mod multi_output;
mod posterior;
mod standardize;
mod surrogate;

pub use dataset::Dataset;
pub use error::GpError;
pub use exact::{
    ExactGp, ExactGpConfig, ExactLikelihood, Hyperparameters, IndependentGps, LaggedPosterior,
    LikelihoodWorkspace, MeanKind, PointGradients,
};
pub use fit::{
    FitReport, MapConfig, MapFit, MapObjective, ParameterScale, ParameterSpec, draw_starts,
    fit_map, fit_map_from,
};
pub use hyperprior::HyperPrior;
pub use independent::Independent;
pub use kernel::{ArdKernel, KernelGram, KernelKind};
pub use multi_output::{
    BlockMatrix, Coregion, CoregionConfig, Marginal, MultiOutputConfig, MultiOutputData,
    MultiOutputGp, MultiOutputGradient, MultiOutputParams, NoiseConfig, OutcomeScaling,
    PreparedAnchors, QueryKernels, RhoConfig, StandardizedMarginals, StandardizedQuery,
    log_marginal_likelihood_gradient, marginal_gradients,
};
pub use standardize::Standardization;
pub use surrogate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, JointPosterior, Marginals, Surrogate,
};
