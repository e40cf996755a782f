//! Strategies to compare with: no model, a model of the target alone or one without SMOG's joint
//! meta-learned prior, and methods that know beliefs or fidelities but not both as PriMO does.
//!
//! | method | how to get it |
//! |---|---|
//! | random, quasi-random | [`RandomSearch`], [`SobolSearch`] |
//! | random search from beliefs | [`PriorRandomSearch`] |
//! | NSGA-II | [`Nsga2`] |
//! | BO+RW, πBO+RW, ParEGO of one model | [`ScalarizedBo`] |
//! | qLogNEHVI-BO | [`ModelBased`](crate::ModelBased) of an [`IndependentGpModel`] with [`AcquisitionConfig::QLogNehvi`](warmfront_acq::AcquisitionConfig::QLogNehvi), its default for two to four objectives |
//! | ParEGO of one model per objective | the same with [`AcquisitionConfig::ParEgo`](warmfront_acq::AcquisitionConfig::ParEgo) |
//! | RGPE, ABLR | [`RgpeModel`], [`AblrModel`] |
//! | MOASHA, with beliefs for all or some new configurations | [`MoAshaConfig`] |
//! | HB+RW, MO-HyperBand, multi-objective PriorBand | [`HyperBandConfig`] |
//!
//! Where the runs published with PriMO (arXiv 2511.08371) differ from the method they are named
//! after, a constructor ending in `as_run` does what they did.

mod ablr;
mod gp;
mod meta_columns;
mod nsga2;
mod prior_random;
mod random;
mod rgpe;
mod rung_search;
mod scalarized_bo;
mod sobol;
mod variation;
mod weighted_sum;

pub use ablr::{AblrConfig, AblrModel};
pub use gp::IndependentGpModel;
pub use nsga2::{Nsga2, Nsga2Config};
pub use prior_random::PriorRandomSearch;
pub use random::RandomSearch;
pub use rgpe::{RgpeConfig, RgpeModel};
pub use rung_search::{
    HyperBandConfig, HyperBandSearch, MoAsha, MoAshaConfig, NewConfigurations, PriorBandConfig,
    PriorBandShares, PromotionWeights, RungSearch,
};
pub use scalarized_bo::{BeliefDecay, ScalarWeights, ScalarizedBo, ScalarizedBoConfig};
pub use sobol::SobolSearch;
