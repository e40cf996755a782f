//! Asynchronous successive halving for the whole budget.

use warmfront_core::{Beliefs, Objectives, SearchSpace};

use super::{NewConfigurations, RungSearch};
use crate::MetaError;
use crate::multi_fidelity::{FrontOrder, PromotionRule, Rungs, SuccessiveHalving};

/// Multi-objective asynchronous successive halving, see [`MoAshaConfig`].
pub type MoAsha = RungSearch<SuccessiveHalving>;

/// The settings of MOASHA, which runs asynchronous successive halving for the whole budget.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Beliefs, Domain, FidelityRange, Objectives, SearchSpace, Strategy};
/// use warmfront_meta::baseline::MoAshaConfig;
///
/// let space = SearchSpace::builder()
///     .param("rate", Domain::log_real(1e-5, 1e-1))
///     .fidelity(FidelityRange::integer("epoch", 1, 81)?)
///     .build()?;
/// let objectives = Objectives::minimize_all(2);
/// let strategy = MoAshaConfig::default().build(&space, &objectives, Beliefs::none(2))?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let first = strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?;
/// assert_eq!(first[0].fidelity.map(|f| (f.value() * 81.0).round()), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Schmucker et al. 2021 (arXiv 2106.12639); Li et al. 2020 (ASHA); with beliefs: a baseline of
/// arXiv 2511.08371.
#[derive(Debug, Clone, PartialEq)]
pub struct MoAshaConfig {
    /// One in `eta` configurations is continued, each rung has `eta` times the budget of the last.
    pub eta: u32,
    /// How many configurations of a rung are continued.
    pub rule: PromotionRule,
    /// Which ones.
    pub order: FrontOrder,
    /// Whether objectives are scaled to their range in the rung before they are compared.
    pub normalize: bool,
    /// The share of new configurations that are drawn from the belief about a random objective;
    /// the others are uniform. No matter without beliefs.
    pub belief_share: f64,
}

impl Default for MoAshaConfig {
    /// `eta` 3, the promotion rule and order of [`SuccessiveHalving`], normalised objectives, and
    /// all new configurations from the beliefs, if there are any.
    fn default() -> Self {
        Self {
            eta: 3,
            rule: PromotionRule::DropPromoted,
            order: FrontOrder::EpsilonNet,
            normalize: true,
            belief_share: 1.0,
        }
    }
}

impl MoAshaConfig {
    /// As in the published runs: the order within a front that their code has, on raw objectives.
    #[must_use]
    pub fn as_run() -> Self {
        Self {
            order: FrontOrder::LegacyEpsilonNet,
            normalize: false,
            ..Self::default()
        }
    }

    /// Builds the strategy. `beliefs` may be [`Beliefs::none`].
    ///
    /// # Errors
    /// [`MetaError::Setting`] if `eta` is below 2, the share is no probability, or the beliefs are
    /// about another number of objectives.
    pub fn build(
        self,
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
    ) -> Result<MoAsha, MetaError> {
        let scheduler = SuccessiveHalving {
            rule: self.rule,
            order: self.order,
            normalize: self.normalize,
            ..SuccessiveHalving::new(Rungs::of(space, self.eta)?)
        };
        let name = if beliefs.is_empty() {
            "moasha"
        } else {
            "moasha-prior"
        };
        let source = NewConfigurations::Beliefs {
            share: self.belief_share,
        };
        RungSearch::new(name, space, objectives, beliefs, scheduler, source)
    }
}
