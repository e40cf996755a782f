//! What an acquisition function is, and how one is built from a configuration.

use rand::Rng;
use warmfront_gp::DifferentiableSurrogate;
use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::{
    AcqError, ConfidenceBound, Incumbent, LogExpectedHypervolumeImprovement,
    LogExpectedImprovement, QLogExpectedHypervolumeImprovement,
    QLogNoisyExpectedHypervolumeImprovement, ScalarizedImprovement,
};

/// Samples of [`AcquisitionConfig::ParEgo`].
const PAREGO_SAMPLES: usize = 128;

/// How promising a batch of points is; larger is better.
///
/// An acquisition function is deterministic: random base samples are drawn when it is built. Only
/// differences of utilities of one function mean something (most are logarithms).
pub trait AcquisitionFunction: Sync {
    /// The utility of the rows of `x` (`q×d`) evaluated together.
    ///
    /// NaN where the model's posterior is not finite; [`maximize`](crate::maximize) skips such points.
    ///
    /// # Panics
    /// If `x` has the wrong number of columns, no rows, or more rows than the function can judge
    /// jointly.
    fn utility(&self, x: MatRef<'_, f64>) -> f64;

    /// Returns the [`utility`](Self::utility) of `x` (`q×d`) and writes its gradient (`q×d`), or
    /// returns `None` if this function has no gradient.
    ///
    /// # Panics
    /// As [`utility`](Self::utility), and if `gradient` is not `q×d`.
    fn utility_gradient(&self, x: MatRef<'_, f64>, gradient: MatMut<'_, f64>) -> Option<f64> {
        let _ = (x, gradient);
        None
    }

    /// The utilities of the rows of `x` (`n×d`), each evaluated alone.
    ///
    /// Equal to [`utility`](Self::utility) row by row up to a relative 1e-6, and faster where a
    /// function has a way to judge many points at once.
    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        (0..x.nrows())
            .map(|i| self.utility(x.subrows(i, 1)))
            .collect()
    }

    /// Observed points around which good candidates are likely (`k×d`, possibly no rows).
    fn incumbents(&self) -> Mat<f64> {
        Mat::new()
    }
}

/// Everything an acquisition function may be built from.
#[derive(Clone, Copy)]
pub struct AcquisitionContext<'a> {
    /// A fitted model that predicts costs.
    pub model: &'a dyn DifferentiableSurrogate,
    /// Evaluated points, `n×d`; `n` may be zero.
    pub observed: MatRef<'a, f64>,
    /// Their costs, `n×m`, all finite.
    pub costs: MatRef<'a, f64>,
    /// Points whose evaluation has not finished, `p×d`.
    pub pending: MatRef<'a, f64>,
    /// Upper bounds of the costs that count, length `m`. `None`: inferred from the observed front
    /// ([`warmfront_pareto::reference::infer`]), or from the range of the model's mean over a Sobol
    /// sample while nothing is observed.
    pub reference: Option<&'a [f64]>,
}

/// Which acquisition function to use.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AcquisitionConfig {
    /// Logarithm of the expected improvement on the lowest observed cost; one objective.
    LogEi,
    /// The same on the lowest posterior mean among the observed points, for noisy observations.
    NoisyLogEi,
    /// −mean + √`beta` · standard deviation; one objective.
    Ucb {
        /// Multiplier of the posterior *variance*: 9 means three standard deviations.
        beta: f64,
    },
    /// Logarithm of the expected hypervolume improvement in closed form, as if the outputs were
    /// independent; any number of objectives.
    LogEhvi,
    /// Logarithm of the expected hypervolume improvement on the observed front by Monte Carlo,
    /// correlations included; one to six objectives.
    QLogEhvi {
        /// Number of samples.
        samples: usize,
    },
    /// The same on the *uncertain* front of the latent costs at the observed points; right for
    /// noisy and noise-free observations; one to six objectives.
    QLogNehvi {
        /// Number of samples.
        samples: usize,
    },
    /// Noisy expected improvement of a randomly weighted augmented Chebyshev scalarisation; any
    /// number of objectives.
    ParEgo {
        /// Weight of the sum of the costs next to their maximum.
        rho: f64,
    },
}

impl AcquisitionConfig {
    /// The usual choice: [`LogEi`](Self::LogEi) for one objective,
    /// [`QLogNehvi`](Self::QLogNehvi) with 128 samples for two to four, and
    /// [`ParEgo`](Self::ParEgo) beyond, where the boxes of the hypervolume become too many.
    #[must_use]
    pub fn default_for(objectives: usize) -> Self {
        match objectives {
            0 | 1 => Self::LogEi,
            2..=4 => Self::QLogNehvi { samples: 128 },
            _ => Self::ParEgo { rho: 0.05 },
        }
    }

    /// Builds the acquisition function for one suggestion.
    ///
    /// # Errors
    /// If the number of objectives does not fit, an input is not finite, a setting is outside its
    /// range, or the model's posterior at the observed points is unusable.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn build<'a>(
        &self,
        context: AcquisitionContext<'a>,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn AcquisitionFunction + 'a>, AcqError> {
        Ok(match *self {
            Self::LogEi => Box::new(LogExpectedImprovement::new(
                context,
                Incumbent::Observed,
                rng,
            )?),
            Self::NoisyLogEi => Box::new(LogExpectedImprovement::new(
                context,
                Incumbent::PosteriorMean,
                rng,
            )?),
            Self::Ucb { beta } => Box::new(ConfidenceBound::new(context, beta, rng)?),
            Self::LogEhvi => Box::new(LogExpectedHypervolumeImprovement::new(context, rng)?),
            Self::QLogEhvi { samples } => Box::new(QLogExpectedHypervolumeImprovement::new(
                context, samples, rng,
            )?),
            Self::QLogNehvi { samples } => Box::new(QLogNoisyExpectedHypervolumeImprovement::new(
                context, samples, rng,
            )?),
            Self::ParEgo { rho } => Box::new(ScalarizedImprovement::new(
                context,
                rho,
                PAREGO_SAMPLES,
                rng,
            )?),
        })
    }
}
