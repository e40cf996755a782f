//! HyperBand for several objectives.

use rand::{Rng, RngExt};
use warmfront_core::{Beliefs, Objectives, SearchSpace};

use super::{NewConfigurations, PriorBandConfig, RungSearch};
use crate::MetaError;
use crate::multi_fidelity::{FrontOrder, HyperBand, Rungs};

/// HyperBand for several objectives, see [`HyperBandConfig`].
pub type HyperBandSearch = RungSearch<HyperBand>;

/// By what configurations are continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionWeights {
    /// By the sum of costs with random weights, drawn once when the strategy is built (HB+RW).
    Random,
    /// By fronts and, within them, farthest points first (MO-HyperBand).
    EpsilonNet,
    /// The same with the order within a front that the published implementations have.
    LegacyEpsilonNet,
}

/// The settings of HyperBand with several objectives, and of what is made from it.
///
/// Brackets and their sizes are those of [`HyperBand`]: bracket `s` of `s_max + 1` rungs starts
/// `⌊(s_max + 1)/(s + 1)⌋ · eta^s` configurations at rung `s_max − s`.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Beliefs, Domain, FidelityRange, Objectives, SearchSpace};
/// use warmfront_meta::baseline::HyperBandConfig;
///
/// let space = SearchSpace::builder()
///     .param("rate", Domain::log_real(1e-5, 1e-1))
///     .fidelity(FidelityRange::integer("epoch", 1, 27)?)
///     .build()?;
/// let objectives = Objectives::minimize_all(2);
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let search =
///     HyperBandConfig::random_weights().build(&space, &objectives, Beliefs::none(2), &mut rng)?;
/// let sizes: Vec<usize> = search.scheduler().brackets().iter().map(|b| b.configurations).collect();
/// assert_eq!(sizes, [27, 9, 6, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Li et al. 2018 (HyperBand); Mallik et al. 2023 (PriorBand, arXiv 2306.12370); for several
/// objectives: the baselines of arXiv 2511.08371.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperBandConfig {
    /// One in `eta` configurations is continued, each rung has `eta` times the budget of the last.
    pub eta: u32,
    /// By what configurations are continued.
    pub promotion: PromotionWeights,
    /// Whether objectives are scaled to their range in the rung before they are compared.
    pub normalize: bool,
    /// Where new configurations come from.
    pub source: NewConfigurations,
}

impl HyperBandConfig {
    /// HB+RW on normalised objectives.
    #[must_use]
    pub fn random_weights() -> Self {
        Self {
            eta: 3,
            promotion: PromotionWeights::Random,
            normalize: true,
            source: NewConfigurations::Uniform,
        }
    }

    /// HB+RW as in the published runs: raw objectives.
    #[must_use]
    pub fn random_weights_as_run() -> Self {
        Self {
            normalize: false,
            ..Self::random_weights()
        }
    }

    /// MO-HyperBand.
    #[must_use]
    pub fn epsilon_net() -> Self {
        Self {
            promotion: PromotionWeights::EpsilonNet,
            ..Self::random_weights()
        }
    }

    /// MO-HyperBand as published: the legacy order within fronts, on raw objectives.
    #[must_use]
    pub fn epsilon_net_as_run() -> Self {
        Self {
            promotion: PromotionWeights::LegacyEpsilonNet,
            normalize: false,
            ..Self::random_weights()
        }
    }

    /// Multi-objective PriorBand: MO-HyperBand with new configurations from the beliefs and from
    /// around the incumbent.
    #[must_use]
    pub fn prior_band() -> Self {
        Self {
            source: NewConfigurations::PriorBand(PriorBandConfig::default()),
            ..Self::epsilon_net()
        }
    }

    /// Multi-objective PriorBand as published: as [`epsilon_net_as_run`](Self::epsilon_net_as_run).
    #[must_use]
    pub fn prior_band_as_run() -> Self {
        Self {
            source: NewConfigurations::PriorBand(PriorBandConfig {
                normalize: false,
                ..PriorBandConfig::default()
            }),
            ..Self::epsilon_net_as_run()
        }
    }

    /// Builds the strategy. `beliefs` may be [`Beliefs::none`]; `rng` draws weights.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if `eta` is below 2, a setting of the source is outside its range, or
    /// the beliefs are about another number of objectives.
    pub fn build(
        self,
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
        rng: &mut dyn Rng,
    ) -> Result<HyperBandSearch, MetaError> {
        let order = match self.promotion {
            // Not normalised to sum one: an order does not change when all weights are scaled.
            PromotionWeights::Random => {
                FrontOrder::Scalarized((0..objectives.len()).map(|_| rng.random()).collect())
            }
            PromotionWeights::EpsilonNet => FrontOrder::EpsilonNet,
            PromotionWeights::LegacyEpsilonNet => FrontOrder::LegacyEpsilonNet,
        };
        let name = match (&self.source, self.promotion) {
            (NewConfigurations::PriorBand(_), _) => "mo-priorband",
            (_, PromotionWeights::Random) => "hb-rw",
            _ => "mo-hyperband",
        };
        let scheduler = HyperBand {
            rungs: Rungs::of(space, self.eta)?,
            order,
            normalize: self.normalize,
        };
        RungSearch::new(name, space, objectives, beliefs, scheduler, self.source)
    }
}
