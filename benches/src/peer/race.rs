//! The libraries that one would otherwise use, beside ours: the same inputs, the same number of threads, in
//! turns.
//!
//! [`rows`] is the table of what is measured with its goals, [`contest`] measures it, [`quality`] checks
//! that the faster result is also as good, [`report`] writes what came out. Both sides are processes that
//! speak the [`protocol`]; [`ours`] is our side. [`loops`] compares whole optimisations.

pub mod contest;
pub mod loops;
pub mod ours;
pub mod protocol;
pub mod quality;
mod reals;
pub mod report;
pub mod rows;
pub mod sides;
