#![doc = include_str!("../README.md")]

mod data;
mod error;
mod target_model;

pub use data::{FailurePolicy, TargetData};
pub use error::MetaError;
pub use target_model::TargetModel;
