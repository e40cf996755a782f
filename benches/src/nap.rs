//! Experiments with policies that were trained on families of tasks: what `reproduce nap` runs.
//!
//! [`families`] holds the tasks, [`sources`] draws training tasks from them, [`recipes`] says how each
//! policy is trained and [`policies`] does it; [`lab`] runs methods on held-out tasks.

pub mod analytic;
pub mod claims;
pub mod controls;
pub mod curves;
pub mod families;
pub mod lab;
pub mod methods;
pub mod page;
pub mod policies;
pub mod portfolio;
pub mod recipes;
pub mod report;
pub mod sources;
pub mod study;
pub mod task;
pub mod training;
