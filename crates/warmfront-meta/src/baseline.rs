//! Strategies to compare with: no model at all, or a model without SMOG's joint meta-learned prior.

mod random;
mod sobol;

pub use random::RandomSearch;
pub use sobol::SobolSearch;
