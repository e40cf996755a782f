#![doc = include_str!("../README.md")]

pub mod distribution;
pub mod error;
pub mod lbfgsb;
pub mod sobol;
pub mod special;

pub use error::MathError;
