//! Experiments over boxes of tasks: what `reproduce pmto` runs.
//!
//! A run spends its evaluations on solutions and tasks that the method chooses; then a task model
//! answers a dense sample of tasks that it has not seen, once with each recipe of how such a model
//! is made. What is kept of a run are named measures, above all quantiles over these answers.

pub mod checks;
pub mod claims;
pub mod fronts;
pub mod gains;
pub mod gallery;
pub mod lab;
#[cfg(test)]
mod made_up;
pub mod measure;
pub mod methods;
pub mod multi;
pub mod page;
pub mod problems;
mod quantile_page;
pub mod replication;
pub mod report;
pub mod study;
pub mod tables;
pub mod traces;
pub mod unrelated;
pub mod wins;
