//! Experiments with expert priors and cheap fidelities: what `reproduce primo` runs.
//!
//! A run spends a budget counted in evaluations at full fidelity; continuing a configuration at a
//! higher fidelity costs the difference. A method that is told expert priors is named with the
//! condition of these priors, `METHOD@CONDITION`.

pub mod claims;
pub mod counting;
pub mod curves;
pub mod lab;
pub mod methods;
pub mod page;
pub mod priors;
pub mod problems;
pub mod ranks;
pub mod replication;
pub mod report;
pub mod speedup;
pub mod study;
