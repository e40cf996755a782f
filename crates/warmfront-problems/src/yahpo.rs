//! YAHPO Gym surrogates: neural networks fitted to large tables of hyper-parameter evaluations.
//!
//! A scenario is read from the bytes of its files (`model.onnx`, `config_space.json`,
//! `encoding.json`, and optionally the global statistics of all scenarios) and shared by the
//! problems made from it, one per instance (data set). Predictions are deterministic.
//!
//! The runtime computes in single precision and picks its matrix product by the size of a batch: a
//! row predicted alone and the same row predicted in a batch agree to about 1e-6, not to the bit.
//!
//! # References
//! Pfisterer, Schneider, Moosbauer, Binder, Bischl 2022, *YAHPO Gym: an efficient multi-objective
//! multi-fidelity benchmark for hyperparameter optimization*.

mod layout;
mod model;
mod problem;
mod protobuf;
mod scenario;
mod space;
mod statistics;
mod suite;

pub use layout::{YahpoLayout, YahpoOutput};
pub use problem::{YahpoFamily, YahpoProblem};
pub use scenario::{YahpoFiles, YahpoScenario};
pub use suite::{PRIMO_LCBENCH, YahpoTask};
