#![doc = include_str!("../README.md")]

pub mod bar;
pub mod config;
mod error;
mod layer;
pub mod layout;
pub mod network;
pub mod policy;
pub mod records;
pub mod scaling;
pub mod strategy;
pub mod task;
pub mod train;
pub mod weights;

pub use bar::{Bar, Improvement};
pub use config::{AcquisitionHead, Critic, HistoryAttention, Initialisation, NetworkConfig};
pub use error::NpError;
pub use layout::{Layout, Tensor};
pub use network::{Context, EncodedHistory, Heads, Network, Output, OutputGradient, Tape, Utility};
pub use policy::{About, Column, Columns, Policy};
pub use scaling::{Frame, Scaling, TaskScale};
pub use strategy::{History, MaximizeConfig, Nap, NapConfig};
pub use task::{Task, TaskSource};
pub use weights::Precision;
