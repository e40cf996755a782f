//! Hyperparameters of a multi-output model by maximum a posteriori.
//!
//! # References
//! Priors, bounds and restarts follow P. Tighineanu et al., *Scalable Meta-Learning with Gaussian
//! Processes*, AISTATS 2024, for everything but ρ; Beta(2, 2) for ρ is that of SMOG
//! (arXiv 2601.22131). Departures: positive parameters are optimised as logs within their bounds
//! rather than through a sigmoid, which has the same stationary points because priors are taken of
//! the value without a Jacobian; and the noise may reach 1.

use rand::Rng;
use warmfront_linalg::{JitterPolicy, Mat};

use super::likelihood::Evaluator;
use super::{Coregion, MultiOutputData, MultiOutputGp, MultiOutputParams, OutcomeScaling};
use crate::{
    FitReport, GpError, HyperPrior, KernelKind, MapConfig, MapObjective, ParameterScale,
    ParameterSpec, fit_map,
};

/// How the correlation of an equicorrelated model is found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RhoConfig {
    /// Learned within (0, 1), with a Beta(2, 2) prior.
    #[default]
    Learned,
    /// Learned within the whole range (−1/(m − 1), 1) of valid correlations, with a Beta(2, 2)
    /// prior stretched over it.
    Signed,
    /// Kept at this value, in `[0, 1)`; 0 leaves the outputs uncorrelated.
    Fixed(f64),
}

impl RhoConfig {
    /// The position of ρ within its range, from 0 to 1, as a parameter; `None` if nothing is learned.
    ///
    /// It starts at the correlation 0.5.
    pub fn spec(self, outputs: usize) -> Option<ParameterSpec> {
        if outputs < 2 || matches!(self, Self::Fixed(_)) {
            return None;
        }
        Some(ParameterSpec {
            prior: Some(HyperPrior::Beta { a: 2.0, b: 2.0 }),
            lower: 1e-6,
            upper: 1.0 - 1e-6,
            initial: 1.0 - 0.5 / self.width(outputs),
            scale: ParameterScale::Linear,
        })
    }

    /// Length of the range of ρ: how it moves with its position.
    pub fn width(self, outputs: usize) -> f64 {
        match self {
            Self::Signed if outputs > 1 => 1.0 + 1.0 / (outputs - 1) as f64,
            _ => 1.0,
        }
    }

    /// The correlation at a position within the range; the fixed one if nothing is learned.
    pub fn value(self, outputs: usize, position: f64) -> f64 {
        match self {
            _ if outputs < 2 => 0.0,
            Self::Fixed(rho) => rho,
            Self::Learned | Self::Signed => 1.0 - (1.0 - position) * self.width(outputs),
        }
    }
}

/// Which covariance between outputs is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CoregionConfig {
    /// One correlation for all pairs, and one variance.
    Equicorrelated(RhoConfig),
    /// One correlation for all pairs, and one variance per output.
    EquicorrelatedScaled(RhoConfig),
    /// Any covariance, through its Cholesky factor: LogNormal(0, 1) priors on the diagonal of the
    /// factor, standard normal ones on the other entries.
    Full,
}

impl Default for CoregionConfig {
    fn default() -> Self {
        Self::Equicorrelated(RhoConfig::Learned)
    }
}

/// Whether outputs share their noise variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoiseConfig {
    /// One noise variance, in standardised units.
    #[default]
    Shared,
    /// One for each output.
    PerOutput,
}

/// How [`MultiOutputGp::fit`] fits.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiOutputConfig {
    /// Shape of the base kernel.
    pub kernel: KernelKind,
    /// Covariance between outputs.
    pub coregion: CoregionConfig,
    /// Shared or separate noise variances.
    pub noise_config: NoiseConfig,
    /// Each lengthscale: Gamma(3, 6) in [1e-4, 1e2] from 0.5.
    pub lengthscale: ParameterSpec,
    /// The variance: Gamma(2, 0.15) in [1e-4, 1e2] from 1.
    pub variance: ParameterSpec,
    /// Each noise variance: LogNormal(−8, 2) in [1e-8, 1] from 1e-3.
    pub noise: ParameterSpec,
    /// Standardise each output before fitting.
    pub standardize: bool,
    /// Searches and their limits; 5 searches from draws of the priors after the first.
    pub map: MapConfig,
}

impl Default for MultiOutputConfig {
    fn default() -> Self {
        let positive = |prior, lower, upper, initial| {
            ParameterSpec::positive(prior, lower, upper).starting_at(initial)
        };
        Self {
            kernel: KernelKind::Rbf,
            coregion: CoregionConfig::default(),
            noise_config: NoiseConfig::Shared,
            lengthscale: positive(
                HyperPrior::Gamma {
                    shape: 3.0,
                    rate: 6.0,
                },
                1e-4,
                1e2,
                0.5,
            ),
            variance: positive(
                HyperPrior::Gamma {
                    shape: 2.0,
                    rate: 0.15,
                },
                1e-4,
                1e2,
                1.0,
            ),
            noise: positive(
                HyperPrior::LogNormal {
                    mu: -8.0,
                    sigma: 2.0,
                },
                1e-8,
                1.0,
                1e-3,
            ),
            standardize: true,
            map: MapConfig {
                restarts: 5,
                ..MapConfig::default()
            },
        }
    }
}

/// Which hyperparameter sits where in the vector that is optimised:
/// lengthscales, then those of the coregionalisation, then noise variances.
pub(super) struct Layout<'a> {
    config: &'a MultiOutputConfig,
    evaluator: Evaluator<'a>,
    outcomes: usize,
    d: usize,
    m: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(
        config: &'a MultiOutputConfig,
        data: &'a MultiOutputData,
        scaling: &OutcomeScaling,
    ) -> Self {
        Self {
            config,
            evaluator: Evaluator::new(data, scaling),
            outcomes: data.num_outcomes(),
            d: data.input_dim(),
            m: data.num_outputs(),
        }
    }

    pub(super) fn specs(&self) -> Vec<ParameterSpec> {
        let mut specs = vec![self.config.lengthscale; self.d];
        match self.config.coregion {
            CoregionConfig::Equicorrelated(rho) => {
                specs.extend(rho.spec(self.m));
                specs.push(self.config.variance);
            }
            CoregionConfig::EquicorrelatedScaled(rho) => {
                specs.extend(rho.spec(self.m));
                specs.extend(vec![self.config.variance; self.m]);
            }
            CoregionConfig::Full => specs.extend(lower_entries(self.m).map(|(i, j)| {
                if i == j {
                    let prior = HyperPrior::LogNormal {
                        mu: 0.0,
                        sigma: 1.0,
                    };
                    ParameterSpec::positive(prior, 1e-2, 1e2).starting_at(1.0)
                } else {
                    ParameterSpec::flat(0.0, -10.0, 10.0)
                }
            })),
        }
        let noises = if self.config.noise_config == NoiseConfig::Shared {
            1
        } else {
            self.m
        };
        specs.extend(vec![self.config.noise; noises]);
        specs
    }

    fn rho_len(&self, rho: RhoConfig) -> usize {
        usize::from(rho.spec(self.m).is_some())
    }

    fn noise_at(&self) -> usize {
        self.d
            + match self.config.coregion {
                CoregionConfig::Equicorrelated(rho) => self.rho_len(rho) + 1,
                CoregionConfig::EquicorrelatedScaled(rho) => self.rho_len(rho) + self.m,
                CoregionConfig::Full => self.m * (self.m + 1) / 2,
            }
    }

    pub(super) fn params(&self, values: &[f64]) -> MultiOutputParams {
        let (d, m) = (self.d, self.m);
        let middle = &values[d..self.noise_at()];
        let rho_of = |rho: RhoConfig| rho.value(m, middle[0]);
        let (coregion, variance) = match self.config.coregion {
            CoregionConfig::Equicorrelated(rho) => (
                Coregion::Equicorrelated { rho: rho_of(rho) },
                middle[self.rho_len(rho)],
            ),
            CoregionConfig::EquicorrelatedScaled(rho) => {
                let variances = middle[self.rho_len(rho)..].to_vec();
                (
                    Coregion::EquicorrelatedScaled {
                        rho: rho_of(rho),
                        variances,
                    },
                    1.0,
                )
            }
            CoregionConfig::Full => {
                let mut factor = Mat::zeros(m, m);
                for ((i, j), &value) in lower_entries(m).zip(middle) {
                    factor[(i, j)] = value;
                }
                (Coregion::Full { factor }, 1.0)
            }
        };
        MultiOutputParams {
            kind: self.config.kernel,
            lengthscales: values[..d].to_vec(),
            variance,
            coregion,
            noise: values[self.noise_at()..].to_vec(),
        }
    }
}

impl MapObjective for Layout<'_> {
    type Workspace = ();

    fn workspace(&self) -> Self::Workspace {}

    fn evaluate(
        &self,
        values: &[f64],
        gradient: &mut [f64],
        (): &mut Self::Workspace,
    ) -> Result<f64, GpError> {
        let params = self.params(values);
        // Without jitter: a search must not creep into a region that only jitter makes definite.
        let likelihood = self.evaluator.evaluate(&params, JitterPolicy::NONE)?;
        let (d, m) = (self.d, self.m);
        let mut value = likelihood.value;
        gradient[..d].copy_from_slice(&likelihood.log_lengthscales);
        gradient[self.noise_at()..].copy_from_slice(&likelihood.log_noise);
        let middle = &mut gradient[d..self.noise_at()];
        match self.config.coregion {
            CoregionConfig::Equicorrelated(rho) => {
                middle[self.rho_len(rho)] = likelihood.log_variance;
            }
            CoregionConfig::EquicorrelatedScaled(rho) => {
                let b = params.coregion.matrix(m);
                for o in 0..m {
                    middle[self.rho_len(rho) + o] = (0..m)
                        .map(|p| likelihood.coregion[(o, p)] * b[(o, p)])
                        .sum();
                }
            }
            CoregionConfig::Full => {
                if let Coregion::Full { factor } = &params.coregion {
                    for (slot, (i, j)) in lower_entries(m).enumerate() {
                        let by_entry: f64 = (0..m)
                            .map(|p| 2.0 * likelihood.coregion[(i, p)] * factor[(p, j)])
                            .sum();
                        let entry = factor[(i, j)];
                        if i == j {
                            middle[slot] = by_entry * entry;
                        } else {
                            // The normal prior, which positive parameters cannot have.
                            value -= 0.5 * entry * entry;
                            middle[slot] = by_entry - entry;
                        }
                    }
                }
            }
        }
        if let CoregionConfig::Equicorrelated(rho) | CoregionConfig::EquicorrelatedScaled(rho) =
            self.config.coregion
            && self.rho_len(rho) == 1
        {
            middle[0] = likelihood.rho * rho.width(m);
        }
        Ok(value)
    }

    fn observations(&self) -> usize {
        self.outcomes.max(1)
    }
}

/// Row and column of the entries of a lower triangle, row by row.
fn lower_entries(m: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..m).flat_map(|i| (0..=i).map(move |j| (i, j)))
}

impl MultiOutputGp {
    /// Fits the hyperparameters to `data` by maximum a posteriori and conditions on it.
    ///
    /// The first search starts at the configured initial values, the others at draws from the
    /// priors. Without data the initial values are kept, and also if every search fails; the report
    /// then says that it did not converge.
    ///
    /// # Errors
    /// [`GpError::NotPositiveDefinite`] if the final covariance resists the largest jitter.
    pub fn fit(
        data: &MultiOutputData,
        config: &MultiOutputConfig,
        rng: &mut dyn Rng,
    ) -> Result<(Self, FitReport), GpError> {
        let scaling = if config.standardize {
            OutcomeScaling::standardize(data)
        } else {
            OutcomeScaling::identity(data.num_outputs())
        };
        let layout = Layout::new(config, data, &scaling);
        let specs = layout.specs();
        let initial = || specs.iter().map(|spec| spec.initial).collect::<Vec<f64>>();
        let (values, mut report) = if data.num_outcomes() == 0 {
            (initial(), FitReport::without_data())
        } else {
            match fit_map(&specs, &layout, None, &config.map, rng) {
                Ok(fit) => (fit.values, fit.report),
                Err(error) => {
                    tracing::warn!(%error, "initial hyperparameters kept");
                    (initial(), FitReport::default())
                }
            }
        };
        let params = layout.params(&values);
        let gp = Self::condition(data, scaling, params)?;
        report.log_marginal_likelihood = gp.log_marginal_likelihood();
        report.jitter = gp.jitter();
        Ok((gp, report))
    }
}
