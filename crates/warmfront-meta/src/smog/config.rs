//! Every choice of the method, by name.

use warmfront_gp::{
    CoregionConfig, HyperPrior, KernelKind, MapConfig, MultiOutputConfig, NoiseConfig,
    ParameterSpec, RhoConfig,
};
use warmfront_math::lbfgsb::LbfgsbConfig;

/// How many weights each meta-task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightScope {
    /// One for each objective.
    #[default]
    PerObjective,
    /// One for all objectives.
    Shared,
}

/// Which weights are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightSign {
    /// Not below zero, with an exponential prior of mean one.
    #[default]
    NonNegative,
    /// Any, with a standard normal prior: a meta-task may be anti-correlated with the target.
    Signed,
}

/// What the weights multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightSpace {
    /// The functions of the meta-tasks in their own units, so that their levels are transferred.
    #[default]
    Raw,
    /// The functions after each was standardised by its own data, so that only shapes are.
    Standardized,
}

/// How SMOG models its meta-tasks and its target.
///
/// The defaults are those of the method as far as they are known, else those of ScaML-GP; the noise
/// bound is 1 instead of its 1e-2, which is below the noise of common problems.
#[derive(Debug, Clone, PartialEq)]
pub struct SmogConfig {
    /// Kernel of the meta-tasks and of the residual.
    pub kernel: KernelKind,
    /// Correlation of the objectives, in each meta-task and in the residual, each with its own ρ.
    pub rho: RhoConfig,
    /// One weight per objective, or one for all.
    pub weights: WeightScope,
    /// Whether weights may be negative.
    pub sign: WeightSign,
    /// What the weights multiply.
    pub weight_space: WeightSpace,
    /// Whether the target may deviate from the weighted sum.
    pub residual: bool,
    /// Whether meta-tasks are used at all; without, this is a multi-output model of the target.
    pub use_meta: bool,
    /// At prediction, weights whose share `M·wσ / Σwσ` is below this are left out.
    pub pruning_threshold: f64,
    /// Each lengthscale of a meta-task: Gamma(3, 6) in [1e-4, 1e2] from 0.5.
    pub meta_lengthscale: ParameterSpec,
    /// The variance of a meta-task: Gamma(2, 0.15) in [1e-4, 1e2] from 1.
    pub meta_variance: ParameterSpec,
    /// Each lengthscale of the residual: LogNormal(0.5, 1.5) in [1e-4, 1e2] from 1.
    pub residual_lengthscale: ParameterSpec,
    /// The variance of the residual: LogNormal(−2, 3) in [1e-4, 1e2] from 0.1.
    pub residual_variance: ParameterSpec,
    /// Noise variance of meta-tasks and target, standardised: LogNormal(−8, 2) in [1e-8, 1] from 1e-3.
    pub noise: ParameterSpec,
    /// Searches for the hyperparameters of a meta-task; 5 from draws of the priors after the first.
    pub meta_fit: MapConfig,
    /// Searches for those of the target, likewise.
    pub target_fit: MapConfig,
}

impl Default for SmogConfig {
    fn default() -> Self {
        let meta = MultiOutputConfig::default();
        let positive = |mu, sigma, initial| {
            let prior = HyperPrior::LogNormal { mu, sigma };
            ParameterSpec::positive(prior, 1e-4, 1e2).starting_at(initial)
        };
        Self {
            kernel: KernelKind::Rbf,
            rho: RhoConfig::Learned,
            weights: WeightScope::PerObjective,
            sign: WeightSign::NonNegative,
            weight_space: WeightSpace::Raw,
            residual: true,
            use_meta: true,
            pruning_threshold: 1e-3,
            meta_lengthscale: meta.lengthscale,
            meta_variance: meta.variance,
            residual_lengthscale: positive(0.5, 1.5, 1.0),
            residual_variance: positive(-2.0, 3.0, 0.1),
            noise: meta.noise,
            target_fit: MapConfig {
                // Per outcome: an error far below what the next observation changes.
                restarts: meta.map.restarts,
                lbfgsb: LbfgsbConfig {
                    f_tolerance: 1e-6,
                    ..meta.map.lbfgsb.clone()
                },
            },
            meta_fit: meta.map,
        }
    }
}

impl SmogConfig {
    /// The same with the largest noise variance of meta-tasks and target set.
    #[must_use]
    pub fn with_noise_bound(mut self, upper: f64) -> Self {
        self.noise.upper = upper;
        self.noise.initial = self.noise.initial.min(upper);
        self
    }

    /// The same with the prior of the residual's variance read as a density of its logarithm, see
    /// [`HyperPrior::of_logarithm`]: its mode moves from the lower bound to e⁻² ≈ 0.14.
    ///
    /// With the published prior the most likely residual vanishes until data contradict the weighted
    /// sum. An experiment, not a recommendation: no gain over the default is established.
    #[must_use]
    pub fn with_open_residual(mut self) -> Self {
        self.residual_variance.prior = self.residual_variance.prior.map(HyperPrior::of_logarithm);
        self
    }

    /// The same with every prior of a lengthscale, variance or noise read as a density of its
    /// logarithm, see [`HyperPrior::of_logarithm`].
    ///
    /// The published priors are densities of the value. Their most likely noise is e⁻¹² and their
    /// most likely residual variance 2e-5, so that meta-tasks of noisy data take the noise for
    /// signal in the runs that were traced. An experiment: no gain over the default is established.
    #[must_use]
    pub fn with_log_space_priors(mut self) -> Self {
        for spec in [
            &mut self.meta_lengthscale,
            &mut self.meta_variance,
            &mut self.residual_lengthscale,
            &mut self.residual_variance,
            &mut self.noise,
        ] {
            spec.prior = spec.prior.map(HyperPrior::of_logarithm);
        }
        self
    }

    /// How each meta-task is fitted.
    pub(super) fn meta_config(&self) -> MultiOutputConfig {
        MultiOutputConfig {
            kernel: self.kernel,
            coregion: CoregionConfig::Equicorrelated(self.rho),
            noise_config: NoiseConfig::Shared,
            lengthscale: self.meta_lengthscale,
            variance: self.meta_variance,
            noise: self.noise,
            standardize: true,
            map: self.meta_fit.clone(),
        }
    }
}
