#![doc = include_str!("../README.md")]

mod contributions;
mod dominance;
mod error;
mod front;
mod hypervolume;
mod indicator;
mod order;
mod partition;
mod points;
pub mod reference;
mod scalarize;
mod sort;

pub use contributions::{contributions, hypervolume_improvement};
pub use dominance::{dominates, strictly_dominates, weakly_dominates};
pub use error::ParetoError;
pub use front::{Duplicates, Front, non_dominated, non_dominated_mask};
pub use hypervolume::{HypervolumeWorkspace, hypervolume};
pub use indicator::{additive_epsilon, igd, igd_plus};
pub use partition::BoxDecomposition;
pub use points::Points;
pub use scalarize::{
    AugmentedChebyshev, augmented_chebyshev, simplex_lattice, simplex_weights, weighted_sum,
};
pub use sort::non_dominated_sort;
