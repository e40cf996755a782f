//! Experiments and benchmarks of Warmfront: what `cargo xtask reproduce` runs.
//!
//! A *cell* is one method on one task with one seed. [`profile`] says which cells an experiment
//! has, [`runner`] runs them on several threads, [`store`] keeps each that has finished, [`results`]
//! and [`claims`] compare methods, [`report`] writes the folder that people read.
//! [`system`] is what the experiments of a paper are to the program: [`lab`] for SMOG, [`primo`] for PriMO,
//! [`pmto`] for PMTO, [`nap`] for NAP.
//! [`inputs`] are those of the benchmarks of speed; [`peer`] measures the optimisers of others.

pub mod cell;
pub mod claims;
mod clock;
pub mod data;
pub mod figures;
pub mod inputs;
pub mod lab;
mod memory;
pub mod methods;
pub mod nap;
pub mod peer;
pub mod pmto;
pub mod primo;
pub mod problems;
pub mod profile;
pub mod report;
pub mod results;
pub mod runner;
pub mod score;
pub mod setup;
pub mod stats;
pub mod store;
mod suggest;
pub mod system;
