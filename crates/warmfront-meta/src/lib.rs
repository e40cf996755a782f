#![doc = include_str!("../README.md")]

pub mod baseline;
mod batch;
mod data;
mod error;
mod initial_design;
mod model_based;
pub mod multi_fidelity;
pub mod pmto;
pub mod primo;
pub mod smog;
mod target_model;

pub use data::{FailurePolicy, TargetData};
pub use error::MetaError;
pub use initial_design::initial_design;
pub use model_based::{ModelBased, ModelBasedConfig};
pub use smog::{IndependentScaml, Smog, SmogConfig};
pub use target_model::TargetModel;
