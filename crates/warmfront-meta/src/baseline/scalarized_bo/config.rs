//! Which scalarisation, which weights, how long beliefs last.

use warmfront_acq::MaximizeConfig;
use warmfront_gp::ExactGpConfig;

use crate::baseline::gp::searched_config;
use crate::{FailurePolicy, MetaError};

/// Below this exponent a belief says nothing any more.
const NEGLIGIBLE: f64 = 1e-4;

/// When the weights of a scalarisation are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarWeights {
    /// Once for the whole run: uniform numbers divided by their sum.
    Fixed,
    /// For every candidate, uniformly from the simplex; all trials are scalarised anew.
    Redrawn,
    /// Whenever trials are told, which keep the weights they were told under. The values that the
    /// model is fitted to are then of different functions: this is how πBO+RW was run in the
    /// PriMO study, and a handicap.
    PerObservation,
}

/// How the exponent of a belief falls with the number of candidates since the initial design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeliefDecay {
    /// `exp(−n / d)` after `n` candidates in `d` encoded dimensions, as documented.
    Exponential,
    /// 1 as long as `exp(−n / d)` is at least 1e-4, then nothing: what the published runs did.
    Cliff,
}

impl BeliefDecay {
    /// The exponent after `n` candidates in `d` dimensions; `None` once it is negligible.
    pub(super) fn exponent(self, n: usize, d: usize) -> Option<f64> {
        let decayed = (-(n as f64) / d as f64).exp();
        (decayed >= NEGLIGIBLE).then_some(match self {
            Self::Exponential => decayed,
            Self::Cliff => 1.0,
        })
    }
}

/// The settings of [`ScalarizedBo`](super::ScalarizedBo).
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarizedBoConfig {
    /// When weights are drawn.
    pub weights: ScalarWeights,
    /// Whether each objective is first scaled to the range of its costs told so far.
    pub normalize: bool,
    /// `None`: weighted sum. Otherwise the augmented Chebyshev scalarisation, with this share of
    /// the sum in addition to the largest term.
    pub chebyshev: Option<f64>,
    /// Trials before the model proposes, drawn from the beliefs (uniformly without). `None`: as
    /// many as there are encoded dimensions.
    pub initial_trials: Option<usize>,
    /// How beliefs fade.
    pub decay: BeliefDecay,
    /// The Gaussian process.
    pub gp: ExactGpConfig,
    /// How the acquisition function is maximised.
    pub maximize: MaximizeConfig,
    /// What a failed trial means to the model.
    pub failures: FailurePolicy,
}

impl ScalarizedBoConfig {
    /// BO+RW and, with beliefs, πBO+RW as they should be: normalised objectives, new weights for
    /// every candidate, exponents `exp(−n / d)`.
    #[must_use]
    pub fn random_weights() -> Self {
        Self {
            weights: ScalarWeights::Redrawn,
            normalize: true,
            chebyshev: None,
            initial_trials: None,
            decay: BeliefDecay::Exponential,
            gp: searched_config(),
            maximize: MaximizeConfig::default(),
            failures: FailurePolicy::ImputeWorst,
        }
    }

    /// BO+RW as run in the PriMO study: raw objectives, so that the one with the largest numbers
    /// decides, and one draw of weights per run.
    #[must_use]
    pub fn random_weights_as_run() -> Self {
        Self {
            weights: ScalarWeights::Fixed,
            normalize: false,
            ..Self::random_weights()
        }
    }

    /// πBO+RW as run in the PriMO study: raw objectives, each trial scalarised with the weights of
    /// its own moment, beliefs at full strength and then not at all.
    #[must_use]
    pub fn belief_weighted_as_run() -> Self {
        Self {
            weights: ScalarWeights::PerObservation,
            normalize: false,
            decay: BeliefDecay::Cliff,
            ..Self::random_weights()
        }
    }

    /// ParEGO with one model of the scalarised costs, as it was proposed. (With one model per
    /// objective it is [`AcquisitionConfig::ParEgo`](warmfront_acq::AcquisitionConfig::ParEgo).)
    #[must_use]
    pub fn parego() -> Self {
        Self {
            chebyshev: Some(0.05),
            ..Self::random_weights()
        }
    }

    pub(super) fn check(&self) -> Result<(), MetaError> {
        match self.chebyshev {
            Some(rho) if !(0.0..f64::INFINITY).contains(&rho) => Err(MetaError::Setting {
                what: "rho",
                value: rho,
                expected: "a finite number of at least 0",
            }),
            _ => Ok(()),
        }
    }
}

impl Default for ScalarizedBoConfig {
    fn default() -> Self {
        Self::random_weights()
    }
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn beliefs_fade_or_fall() {
        let at = |decay: BeliefDecay, n| decay.exponent(n, 4).unwrap_or(0.0);
        assert_close(at(BeliefDecay::Exponential, 0), 1.0, 0.0, 0.0, "start");
        let quarter = at(BeliefDecay::Exponential, 4);
        assert_close(quarter, (-1.0_f64).exp(), 1e-15, 0.0, "after d");
        // ln 1e4 = 9.21, so the last step with a belief is ⌊9.21 · 4⌋ = 36.
        assert_close(
            at(BeliefDecay::Cliff, 36),
            1.0,
            0.0,
            0.0,
            "before the cliff",
        );
        assert_eq!(BeliefDecay::Cliff.exponent(37, 4), None);
        assert_eq!(BeliefDecay::Exponential.exponent(37, 4), None);
    }
}
