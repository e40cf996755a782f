#![doc = include_str!("../README.md")]

mod acquisition;
mod error;
mod maximize;

pub use acquisition::{AcquisitionConfig, AcquisitionContext, AcquisitionFunction};
pub use error::AcqError;
pub use maximize::{MaximizeConfig, Maximum, maximize};
