#![doc = include_str!("../README.md")]

mod acquisition;
mod analytic;
mod base_samples;
mod belief_weighted;
mod believer;
mod cells;
mod ehvi;
mod error;
mod frame;
mod hypervolume_improvement;
mod maximize;
mod noisy_hypervolume;
mod prune;
mod root;
mod sampled;
mod sampler;
mod scalarized;

pub use acquisition::{AcquisitionConfig, AcquisitionContext, AcquisitionFunction};
pub use analytic::{ConfidenceBound, ExpectedImprovement, Incumbent, LogExpectedImprovement};
pub use belief_weighted::BeliefWeighted;
pub use ehvi::LogExpectedHypervolumeImprovement;
pub use error::AcqError;
pub use hypervolume_improvement::QLogExpectedHypervolumeImprovement;
pub use maximize::{MaximizeConfig, Maximum, maximize};
pub use noisy_hypervolume::QLogNoisyExpectedHypervolumeImprovement;
pub use scalarized::ScalarizedImprovement;
