//! Every constant of PriMO, and the three named variants.

use rand::{Rng, RngExt};
use warmfront_acq::{AcquisitionConfig, MaximizeConfig};
use warmfront_core::{Beliefs, Objectives, SearchSpace};
use warmfront_gp::ExactGpConfig;

use super::Primo;
use crate::multi_fidelity::{FrontOrder, PromotionRule, Rungs, SuccessiveHalving};
use crate::{FailurePolicy, MetaError};

/// How several objectives become what a Gaussian process is fitted to.
///
/// Weights are uniform numbers divided by their sum, except for Chebyshev, whose weights are uniform
/// on the simplex. A scalarised target is one output; its acquisition function is the logarithmic
/// noisy expected improvement unless the configuration says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalarization {
    /// Weighted sum of the costs as they are, with weights drawn once per run: the published runs.
    RawFixed,
    /// Weighted sum of the costs as they are, with new weights for each suggestion.
    RawRedrawn,
    /// Weighted sum of costs scaled to the range of the full evaluations, new weights each time.
    NormalizedRedrawn,
    /// Augmented Chebyshev function of costs scaled so, new weights each time.
    Chebyshev {
        /// Weight of the sum next to the maximum.
        rho: f64,
    },
    /// None: one model per objective, and hypervolume improvement
    /// ([`AcquisitionConfig::default_for`]).
    Hypervolume,
}

/// What the exponent of a belief does as the search goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DecayShape {
    /// The exponent is γ.
    Smooth,
    /// The exponent is 1 as long as γ is above the cut-off: what the published runs did.
    Cliff,
}

/// The exponent of a belief: γ = exp(−`rate` · n^`power` / d) after `n` full evaluations that
/// followed the initial design, in a space of `d` parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorDecay {
    /// Multiplies the exponent; 0 keeps beliefs at full strength for ever.
    pub rate: f64,
    /// 2 in PriMO, 1 in πBO.
    pub power: f64,
    /// Below this γ a belief is dropped.
    pub cutoff: f64,
    /// What γ does.
    pub shape: DecayShape,
}

impl Default for PriorDecay {
    fn default() -> Self {
        Self {
            rate: 1.0,
            power: 2.0,
            cutoff: 1e-4,
            shape: DecayShape::Smooth,
        }
    }
}

/// How far the data may change the strength of a belief.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PriorTrust {
    /// Not at all.
    Fixed,
    /// By the rank correlation (Goodman and Kruskal's γ, which is Kendall's τ without ties; here τ) of
    /// the believed density with the objective. Failed evaluations have no rank.
    ///
    /// Each pair of configurations is compared at the highest fidelity at which both were evaluated.
    /// With `n` configurations, t = (n·τ + `pseudo`·`full`)/(n + `pseudo`) is how well the belief
    /// agrees. Its exponent is multiplied with t/`full` between 0 and 1, and where t is above `full`
    /// the decay runs t/`full` times slower. A belief that disagrees (t ≤ 0) is not used.
    Evidence {
        /// The correlation at which a belief is trusted as it is.
        full: f64,
        /// As many configurations are thought to have agreed by `full` before any was evaluated.
        pseudo: f64,
    },
}

impl PriorTrust {
    /// Trusted at τ = 0.2, with the weight of ten configurations: the few of an initial design agree
    /// or disagree by chance, and what misleads shows within a few suggestions.
    #[must_use]
    pub fn evidence() -> Self {
        Self::Evidence {
            full: 0.2,
            pseudo: 10.0,
        }
    }
}

/// What the initial design consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialDesign {
    /// Partial evaluations, of which the promising are continued.
    Halving,
    /// Full evaluations only.
    Full,
}

/// Where the configurations of the initial design come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InitialSampling {
    /// Uniformly from the space.
    Uniform,
    /// With this probability from the belief about an objective chosen uniformly, else uniformly.
    PriorShare {
        /// The probability.
        share: f64,
    },
    /// First the mode of each belief, then uniformly.
    Modes,
    /// As [`Modes`](Self::Modes), the modes being evaluated in full at once.
    ModesInFull,
}

/// Which evaluations the surrogate learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowFidelity {
    /// Full ones only.
    Ignore,
    /// All: the fidelity, on its scale, is one more input of the Gaussian process, which is asked at
    /// full fidelity.
    Learn,
}

/// How the surrogate sees costs that are so bad that they cannot count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outliers {
    /// As they are.
    Keep,
    /// On a logarithmic scale beyond the reference point (with one objective, beyond the median),
    /// which changes neither front nor improvement.
    Compress,
}

/// The hypervolume reference point, in cost space.
#[derive(Debug, Clone, PartialEq)]
pub enum ReferencePoint {
    /// A little beyond the observed front ([`warmfront_pareto::reference::infer`]).
    Front,
    /// A tenth of the range beyond the worst full evaluation in each objective.
    Worst,
    /// These costs.
    Given(Vec<f64>),
}

/// Every choice of PriMO.
///
/// ```
/// use warmfront_meta::primo::{PrimoConfig, Scalarization};
///
/// let config = PrimoConfig {
///     epsilon: 0.5,
///     ..PrimoConfig::default()
/// };
/// assert_eq!(config.scalarization, Scalarization::Hypervolume);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PrimoConfig {
    /// What the strategy calls itself.
    pub name: String,
    /// Of so many configurations of a rung one is continued; 3.
    pub eta: u32,
    /// The initial design ends when the fidelities told add up to so many full evaluations; 5.
    pub initial_budget: f64,
    /// What it consists of.
    pub initial_design: InitialDesign,
    /// How many configurations of a rung are promoted.
    pub promotion: PromotionRule,
    /// Which ones.
    pub order: FrontOrder,
    /// Whether objectives are scaled to their range in a rung before they are compared.
    pub normalize_rungs: bool,
    /// Where new configurations of the initial design come from.
    pub initial_sampling: InitialSampling,
    /// Probability of a suggestion without belief; 0.25.
    pub epsilon: f64,
    /// How the exponent of a belief falls.
    pub decay: PriorDecay,
    /// Whether evidence changes it.
    pub trust: PriorTrust,
    /// What the surrogate predicts.
    pub scalarization: Scalarization,
    /// Which evaluations it learns from.
    pub low_fidelity: LowFidelity,
    /// The surrogate.
    pub gp: ExactGpConfig,
    /// Acquisition function; `None`: as [`Scalarization`] says.
    pub acquisition: Option<AcquisitionConfig>,
    /// Reference point of [`Scalarization::Hypervolume`].
    pub reference: ReferencePoint,
    /// How the acquisition function is maximised.
    pub maximize: MaximizeConfig,
    /// How it sees very bad costs.
    pub outliers: Outliers,
    /// What a failed full evaluation means to the surrogate.
    pub failures: FailurePolicy,
    /// Whether the surrogate knows what is pending. Pending configurations are never proposed
    /// again, whether it does or not.
    pub respect_pending: bool,
}

impl Default for PrimoConfig {
    fn default() -> Self {
        Self::improved()
    }
}

impl PrimoConfig {
    /// What we recommend, and the default: a model per objective with hypervolume improvement,
    /// promotions from the first front, pending evaluations respected, partial evaluations that
    /// the surrogate learns from, costs beyond the reference point compressed, beliefs that are tried
    /// out cheaply (their modes start the initial design) and followed as far as the data agree.
    #[must_use]
    pub fn improved() -> Self {
        Self {
            name: "primo".to_owned(),
            eta: 3,
            initial_budget: 5.0,
            initial_design: InitialDesign::Halving,
            promotion: PromotionRule::DropPromoted,
            order: FrontOrder::EpsilonNet,
            normalize_rungs: true,
            initial_sampling: InitialSampling::Modes,
            epsilon: 0.25,
            decay: PriorDecay::default(),
            trust: PriorTrust::evidence(),
            scalarization: Scalarization::Hypervolume,
            low_fidelity: LowFidelity::Learn,
            gp: ExactGpConfig::default(),
            acquisition: None,
            reference: ReferencePoint::Front,
            maximize: MaximizeConfig {
                raw_samples: 256,
                around_best: 128,
                restarts: 5,
                max_iterations: 30,
                ..MaximizeConfig::default()
            },
            outliers: Outliers::Compress,
            failures: FailurePolicy::ImputeWorst,
            respect_pending: true,
        }
    }

    /// The documented formula: exponent γ, weights drawn for each suggestion, costs as they are,
    /// the correct order of fronts.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            name: "primo-paper".to_owned(),
            initial_sampling: InitialSampling::Uniform,
            trust: PriorTrust::Fixed,
            scalarization: Scalarization::RawRedrawn,
            normalize_rungs: false,
            low_fidelity: LowFidelity::Ignore,
            outliers: Outliers::Keep,
            failures: FailurePolicy::ImputeMedian,
            respect_pending: false,
            ..Self::improved()
        }
    }

    /// The published runs: as [`paper`](Self::paper), but weights drawn once, beliefs at full
    /// strength until γ < 1e-4, and the inverse permutation for the order within fronts.
    #[must_use]
    pub fn as_run() -> Self {
        let paper = Self::paper();
        Self {
            name: "primo-as-run".to_owned(),
            order: FrontOrder::LegacyEpsilonNet,
            scalarization: Scalarization::RawFixed,
            decay: PriorDecay {
                shape: DecayShape::Cliff,
                ..paper.decay
            },
            ..paper
        }
    }

    /// Builds the strategy for a problem and what is believed about it.
    ///
    /// A space without fidelities gets `initial_budget` full evaluations (rounded up) as its initial
    /// design.
    ///
    /// # Errors
    /// [`MetaError::Setting`] for a constant outside its range, [`MetaError::BeliefCount`] and
    /// [`MetaError::BeliefSpace`] for beliefs of another problem, [`MetaError::ReferencePoint`] for a
    /// reference point that does not fit.
    pub fn build(
        self,
        space: &SearchSpace,
        objectives: &Objectives,
        beliefs: Beliefs,
        rng: &mut dyn Rng,
    ) -> Result<Primo, MetaError> {
        let m = objectives.len();
        self.check(m)?;
        if beliefs.len() != m {
            return Err(MetaError::BeliefCount {
                expected: m,
                found: beliefs.len(),
            });
        }
        // A belief may ignore the table or the fidelities that the space has.
        let stranger =
            |belief: &&warmfront_core::Belief| belief.space().parameters() != space.parameters();
        if let Some(belief) = beliefs.iter().find(stranger) {
            return Err(MetaError::BeliefSpace {
                objective: belief.objective(),
            });
        }
        let halving = SuccessiveHalving {
            rungs: match self.initial_design {
                InitialDesign::Halving => Rungs::of(space, self.eta)?,
                InitialDesign::Full => Rungs::full_only(self.eta)?,
            },
            rule: self.promotion,
            order: self.order.clone(),
            normalize: self.normalize_rungs,
            start: 0,
        };
        let weights = weighted_uniforms(m, rng);
        Ok(Primo::assemble(self, space, m, beliefs, halving, weights))
    }

    fn check(&self, m: usize) -> Result<(), MetaError> {
        let setting = |what, value: f64, valid: bool, expected| {
            if valid {
                Ok(())
            } else {
                Err(MetaError::Setting {
                    what,
                    value,
                    expected,
                })
            }
        };
        let chance = |value: f64| (0.0..=1.0).contains(&value);
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let (in_unit, from_zero, above) = ("a number in [0, 1]", "at least 0", "above 0");
        let budget = self.initial_budget;
        setting(
            "the initial budget",
            budget,
            not_negative(budget),
            from_zero,
        )?;
        setting("epsilon", self.epsilon, chance(self.epsilon), in_unit)?;
        let PriorDecay {
            rate,
            power,
            cutoff,
            ..
        } = self.decay;
        setting("the decay's rate", rate, not_negative(rate), from_zero)?;
        setting("the decay's power", power, positive(power), above)?;
        setting("the decay's cut-off", cutoff, chance(cutoff), in_unit)?;
        if let PriorTrust::Evidence { full, pseudo } = self.trust {
            setting("the full trust", full, positive(full), above)?;
            setting(
                "the pseudo-evidence",
                pseudo,
                not_negative(pseudo),
                from_zero,
            )?;
        }
        if let InitialSampling::PriorShare { share } = self.initial_sampling {
            setting("the prior's share", share, chance(share), in_unit)?;
        }
        if let Scalarization::Chebyshev { rho } = self.scalarization {
            setting("rho", rho, not_negative(rho), from_zero)?;
        }
        if let ReferencePoint::Given(reference) = &self.reference {
            let finite = reference.iter().filter(|value| value.is_finite()).count();
            if reference.len() != m || finite != m {
                return Err(MetaError::ReferencePoint {
                    expected: m,
                    found: finite,
                });
            }
        }
        if let FrontOrder::Scalarized(weights) = &self.order {
            let found = weights.len() as f64;
            let expected = "one weight per objective";
            setting("the number of weights", found, weights.len() == m, expected)?;
        }
        Ok(())
    }
}

/// `m` uniform numbers divided by their sum.
pub(super) fn weighted_uniforms(m: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let uniforms: Vec<f64> = (0..m).map(|_| rng.random::<f64>()).collect();
    let sum: f64 = uniforms.iter().sum();
    if sum > 0.0 {
        uniforms.iter().map(|u| u / sum).collect()
    } else {
        vec![1.0 / m as f64; m]
    }
}
