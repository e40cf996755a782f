//! Strategies to compare with: no model at all, or a model without SMOG's joint meta-learned prior.

mod ablr;
mod gp;
mod meta_columns;
mod random;
mod rgpe;
mod sobol;
mod weighted_sum;

pub use ablr::{AblrConfig, AblrModel};
pub use gp::IndependentGpModel;
pub use random::RandomSearch;
pub use rgpe::{RgpeConfig, RgpeModel};
pub use sobol::SobolSearch;
