//! Strategies to compare with: no model at all, or a model without SMOG's joint meta-learned prior.

mod ablr;
mod gp;
mod meta_columns;
mod nsga2;
mod prior_random;
mod random;
mod rgpe;
mod sobol;
mod variation;
mod weighted_sum;

pub use ablr::{AblrConfig, AblrModel};
pub use gp::IndependentGpModel;
pub use nsga2::{Nsga2, Nsga2Config};
pub use prior_random::PriorRandomSearch;
pub use random::RandomSearch;
pub use rgpe::{RgpeConfig, RgpeModel};
pub use sobol::SobolSearch;
