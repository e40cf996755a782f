//! Exact Gaussian process regression of one output.
//!
//! Outcomes are standardised, their mean is a constant (or zero) and their noise is one
//! inferred variance. Everything that queries need is computed once: the Cholesky factor of
//! the covariance, its inverse and the weights of the data.
//!
//! # References
//! Rasmussen, Williams 2006, *Gaussian Processes for Machine Learning*, algorithm 2.1 and
//! equations 5.8–5.12. Defaults follow Hvarfner, Hellsten, Nardi 2024 as adopted by BoTorch.

use rand::Rng;
use rayon::prelude::*;
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatRef, ScaledPoints, dot, lower_matvec,
    lower_transpose_matvec,
};

use crate::fit::draw_starts;
use crate::{
    ArdKernel, Dataset, FitReport, GpError, HyperPrior, Independent, KernelKind, MapConfig,
    Marginals, ParameterSpec, Standardization,
};

mod anchor;
mod batch;
mod grow;
mod likelihood;
mod predict;
#[cfg(test)]
mod tests;

pub use batch::{LaggedPosterior, PointGradients};
pub use likelihood::{ExactLikelihood, LikelihoodWorkspace};

/// The prior mean of standardised outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MeanKind {
    /// A constant at its most likely value given the other hyper-parameters, in closed form.
    #[default]
    Constant,
    /// Zero.
    Zero,
}

/// How to fit an [`ExactGp`].
///
/// The default is what BoTorch's `SingleTaskGP` does: squared-exponential kernel of variance 1
/// on standardised outcomes, lengthscale prior growing with the dimension, noise LogNormal(−4, 1)
/// not below 1e-4, constant mean, a single start at the modes of the priors.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactGpConfig {
    /// Covariance function.
    pub kernel: KernelKind,
    /// Every lengthscale; `None` takes [`HyperPrior::dimension_scaled_lengthscale`] within [0.025, 1e4].
    pub lengthscale: Option<ParameterSpec>,
    /// Kernel variance; `None` fixes it at 1.
    pub outputscale: Option<ParameterSpec>,
    /// Noise variance, of standardised outcomes.
    pub noise: ParameterSpec,
    /// Prior mean.
    pub mean: MeanKind,
    /// Whether to standardise the outcomes; otherwise priors refer to raw outcomes.
    pub standardize: bool,
    /// Starts and optimiser.
    pub map: MapConfig,
    /// What to do about a covariance that cannot be factorised.
    pub jitter: JitterPolicy,
}

impl Default for ExactGpConfig {
    fn default() -> Self {
        Self {
            kernel: KernelKind::Rbf,
            lengthscale: None,
            outputscale: None,
            noise: ParameterSpec::positive(HyperPrior::standardized_noise(), 1e-4, 10.0),
            mean: MeanKind::Constant,
            standardize: true,
            map: MapConfig::default(),
            jitter: JitterPolicy::default(),
        }
    }
}

impl ExactGpConfig {
    /// For outcomes with little noise or none, as those of most simulations: Matérn-5/2, and a noise
    /// variance of LogNormal(−8, 2) from 1e-6 on, where the default expects LogNormal(−4, 1) from 1e-4 on.
    ///
    /// With noise of a tenth of the outcomes' spread and more, the default searches as well or better.
    #[must_use]
    pub fn low_noise() -> Self {
        let prior = HyperPrior::LogNormal {
            mu: -8.0,
            sigma: 2.0,
        };
        Self {
            kernel: KernelKind::Matern52,
            noise: ParameterSpec::positive(prior, 1e-6, 10.0),
            ..Self::default()
        }
    }

    fn parameters(&self, d: usize) -> Vec<ParameterSpec> {
        let lengthscale = self.lengthscale.unwrap_or_else(|| {
            ParameterSpec::positive(HyperPrior::dimension_scaled_lengthscale(d), 0.025, 1e4)
        });
        let mut parameters = vec![lengthscale; d];
        parameters.extend(self.outputscale);
        parameters.push(self.noise);
        parameters
    }

    fn pack(&self, h: &Hyperparameters) -> Vec<f64> {
        let mut values = h.lengthscales.clone();
        if self.outputscale.is_some() {
            values.push(h.outputscale);
        }
        values.push(h.noise);
        values
    }

    fn unpack(&self, values: &[f64], mean: f64) -> Hyperparameters {
        let d = values.len() - 1 - usize::from(self.outputscale.is_some());
        Hyperparameters {
            lengthscales: values[..d].to_vec(),
            outputscale: if self.outputscale.is_some() {
                values[d]
            } else {
                1.0
            },
            noise: values[values.len() - 1],
            mean,
        }
    }

    fn starts(&self, d: usize, warm: Option<&Hyperparameters>, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
        let warm = warm.map(|h| self.pack(h));
        draw_starts(&self.parameters(d), warm.as_deref(), self.map.restarts, rng)
    }
}

/// Hyper-parameters of an [`ExactGp`], in standardised units.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperparameters {
    /// Lengthscales, length `d`.
    pub lengthscales: Vec<f64>,
    /// Kernel variance.
    pub outputscale: f64,
    /// Noise variance.
    pub noise: f64,
    /// Constant prior mean.
    pub mean: f64,
}

/// A Gaussian process conditioned on data, with fixed hyper-parameters.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_gp::{Dataset, ExactGp, ExactGpConfig, Surrogate};
/// use warmfront_linalg::Mat;
///
/// let x = Mat::from_fn(12, 1, |i, _| i as f64 / 11.0);
/// let y = Mat::from_fn(12, 1, |i, _| (6.0 * x[(i, 0)]).sin());
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let gp = ExactGp::fit(&Dataset::new(x, y)?, &ExactGpConfig::default(), &mut rng)?;
/// let at = gp.predict(Mat::from_fn(1, 1, |_, _| 0.31).as_ref());
/// assert!((at.mean[(0, 0)] - (6.0_f64 * 0.31).sin()).abs() < 0.05);
/// assert!(gp.report().converged);
/// # Ok::<(), warmfront_gp::GpError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExactGp {
    kernel: ArdKernel,
    noise: f64,
    mean: f64,
    standardization: Standardization,
    jitter: JitterPolicy,
    x: Mat<f64>,
    points: ScaledPoints,
    /// Standardised outcomes.
    y: Vec<f64>,
    factor: JitteredCholesky,
    /// L⁻¹: products with it are faster than solves for the few right-hand sides of a query.
    inverse_factor: Mat<f64>,
    /// K⁻¹(y − mean).
    alpha: Vec<f64>,
    report: FitReport,
}

impl ExactGp {
    /// Fits hyper-parameters to one output and conditions on the data.
    ///
    /// Without observations the hyper-parameters are the modes of their priors.
    ///
    /// # Errors
    /// If no start of the fit has a finite posterior density.
    ///
    /// # Panics
    /// If `data` does not have exactly one output.
    #[track_caller]
    pub fn fit(data: &Dataset, config: &ExactGpConfig, rng: &mut dyn Rng) -> Result<Self, GpError> {
        Self::fit_warm(data, config, None, rng)
    }

    /// Like [`fit`](Self::fit), starting also at the hyper-parameters of an earlier fit if given.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    ///
    /// # Panics
    /// If `data` does not have exactly one output, or `warm` another number of inputs.
    #[track_caller]
    pub fn fit_warm(
        data: &Dataset,
        config: &ExactGpConfig,
        warm: Option<&Hyperparameters>,
        rng: &mut dyn Rng,
    ) -> Result<Self, GpError> {
        assert!(
            data.num_outputs() == 1,
            "expected one output, got {}; use IndependentGps for several",
            data.num_outputs()
        );
        let starts = config.starts(data.dim(), warm, rng);
        Self::fit_column(data.x(), data.output(0), config, &starts)
    }

    fn fit_column(
        x: MatRef<'_, f64>,
        y: &[f64],
        config: &ExactGpConfig,
        starts: &[Vec<f64>],
    ) -> Result<Self, GpError> {
        let standardization = if config.standardize {
            Standardization::of(y)
        } else {
            Standardization::IDENTITY
        };
        let z: Vec<f64> = y.iter().map(|&v| standardization.apply(v)).collect();
        let objective = ExactLikelihood::new(x, &z, config);
        let (values, mut report) = if y.is_empty() {
            (starts[0].clone(), FitReport::without_data())
        } else {
            let fit = crate::fit::fit_map_from(
                &config.parameters(x.ncols()),
                &objective,
                starts,
                &config.map,
            )?;
            (fit.values, fit.report)
        };
        let mean = objective.best_mean(&values)?;
        let h = config.unpack(&values, mean);
        let mut this = Self::condition(x, z, config.kernel, &h, standardization, config.jitter)?;
        report.jitter = this.factor.jitter();
        this.report = report;
        Ok(this)
    }

    /// Conditions on data with given hyper-parameters (in units of `standardization`).
    ///
    /// # Errors
    /// If the covariance matrix cannot be factorised.
    ///
    /// # Panics
    /// If `data` does not have exactly one output, the number of lengthscales is not that of
    /// inputs, or a lengthscale or the output scale is not positive.
    #[track_caller]
    pub fn with_hyperparameters(
        data: &Dataset,
        kernel: KernelKind,
        hyperparameters: &Hyperparameters,
        standardization: Standardization,
    ) -> Result<Self, GpError> {
        assert!(
            data.num_outputs() == 1,
            "expected one output, got {}",
            data.num_outputs()
        );
        let z = data
            .output(0)
            .iter()
            .map(|&v| standardization.apply(v))
            .collect();
        let jitter = JitterPolicy::default();
        Self::condition(
            data.x(),
            z,
            kernel,
            hyperparameters,
            standardization,
            jitter,
        )
    }

    fn condition(
        x: MatRef<'_, f64>,
        y: Vec<f64>,
        kind: KernelKind,
        h: &Hyperparameters,
        standardization: Standardization,
        jitter: JitterPolicy,
    ) -> Result<Self, GpError> {
        let kernel = ArdKernel::new(kind, h.lengthscales.clone(), h.outputscale);
        let mut covariance = kernel.gram(x);
        for i in 0..x.nrows() {
            covariance[(i, i)] += h.noise;
        }
        let factor = JitteredCholesky::factorize(covariance.as_ref(), jitter)?;
        let points = kernel.scale(x);
        Ok(Self::assemble(Self {
            noise: h.noise,
            mean: h.mean,
            standardization,
            jitter,
            x: x.to_owned(),
            points,
            y,
            factor,
            inverse_factor: Mat::zeros(0, 0),
            alpha: Vec::new(),
            report: FitReport::default(),
            kernel,
        }))
    }

    /// Computes what follows from the factor.
    fn assemble(mut self) -> Self {
        self.inverse_factor = self.factor.inverse_factor();
        self.finish()
    }

    /// Computes what follows from the factor and its inverse.
    fn finish(mut self) -> Self {
        let residual: Vec<f64> = self.y.iter().map(|v| v - self.mean).collect();
        self.alpha = residual.clone();
        self.factor.solve_slice_in_place(&mut self.alpha);
        let n = self.y.len() as f64;
        self.report.log_marginal_likelihood = -0.5 * dot(&residual, &self.alpha)
            - 0.5 * self.factor.log_det()
            - 0.5 * n * (2.0 * std::f64::consts::PI).ln();
        self.report.jitter = self.factor.jitter();
        self
    }

    /// For each observation, the prediction from all others (hyper-parameters kept), both `n×1`.
    ///
    /// Variances are of the latent function, like every prediction; a new observation there has
    /// the noise on top.
    ///
    /// # References
    /// Rasmussen, Williams 2006, equation 5.12.
    pub fn leave_one_out(&self) -> Marginals {
        let n = self.y.len();
        let mut out = Marginals {
            mean: Mat::zeros(n, 1),
            variance: Mat::zeros(n, 1),
        };
        let noise = self.noise + self.factor.jitter();
        for i in 0..n {
            let column = &self.inverse_factor.col_as_slice(i)[i..];
            let precision = dot(column, column);
            let mean = self.y[i] - self.alpha[i] / precision;
            let variance = (1.0 / precision - noise).max(0.0);
            out.mean[(i, 0)] = self.standardization.restore(mean);
            out.variance[(i, 0)] = variance * self.standardization.variance_factor();
        }
        out
    }

    /// The kernel, in standardised units.
    pub fn kernel(&self) -> &ArdKernel {
        &self.kernel
    }

    /// The hyper-parameters, in standardised units.
    pub fn hyperparameters(&self) -> Hyperparameters {
        Hyperparameters {
            lengthscales: self.kernel.lengthscales().to_vec(),
            outputscale: self.kernel.variance(),
            noise: self.noise,
            mean: self.mean,
        }
    }

    /// How outcomes were standardised.
    pub fn standardization(&self) -> Standardization {
        self.standardization
    }

    /// The same model of outcomes in other units: what was `z` standardised becomes `shift + scale·z`.
    #[must_use]
    pub fn with_standardization(mut self, standardization: Standardization) -> Self {
        self.standardization = standardization;
        self
    }

    /// What happened in the fit. Without a fit only the likelihood and the jitter are meaningful.
    pub fn report(&self) -> &FitReport {
        &self.report
    }

    /// Inputs, `n×d`.
    pub fn x(&self) -> MatRef<'_, f64> {
        self.x.as_ref()
    }

    /// Standardised outcomes, length `n`.
    pub fn standardized_y(&self) -> &[f64] {
        &self.y
    }

    /// The factor of kernel matrix plus noise.
    pub fn factor(&self) -> &JitteredCholesky {
        &self.factor
    }

    /// The noise variance of an observation, in data units.
    pub fn noise_variance(&self) -> f64 {
        self.noise * self.standardization.variance_factor()
    }

    /// `L⁻¹k` of a kernel column.
    fn whiten(&self, k: &[f64]) -> Vec<f64> {
        let mut v = vec![0.0; k.len()];
        lower_matvec(self.inverse_factor.as_ref(), k, &mut v);
        v
    }

    /// `L⁻ᵀv`, so that `K⁻¹k` is this of [`whiten`](Self::whiten).
    fn unwhiten(&self, v: &[f64]) -> Vec<f64> {
        let mut w = vec![0.0; v.len()];
        lower_transpose_matvec(self.inverse_factor.as_ref(), v, &mut w);
        w
    }
}

/// One [`ExactGp`] for each output: a list of models without correlation between outputs.
pub type IndependentGps = Independent<ExactGp>;

impl Independent<ExactGp> {
    /// Fits every output of `data` on its own, in parallel.
    ///
    /// `warm` holds the hyper-parameters of an earlier fit for each output, or nothing. The
    /// result does not depend on the number of threads: random starts are drawn beforehand.
    ///
    /// # Errors
    /// If the fit of an output fails.
    ///
    /// # Panics
    /// If `data` has no output, or `warm` is neither empty nor as long as there are outputs.
    #[track_caller]
    pub fn fit(
        data: &Dataset,
        config: &ExactGpConfig,
        warm: &[Hyperparameters],
        rng: &mut dyn Rng,
    ) -> Result<Self, GpError> {
        let m = data.num_outputs();
        assert!(
            warm.is_empty() || warm.len() == m,
            "{} warm starts for {m} outputs",
            warm.len()
        );
        let starts: Vec<_> = (0..m)
            .map(|o| config.starts(data.dim(), warm.get(o), rng))
            .collect();
        let models: Result<Vec<ExactGp>, GpError> = starts
            .par_iter()
            .enumerate()
            .map(|(o, starts)| ExactGp::fit_column(data.x(), data.output(o), config, starts))
            .collect();
        Ok(Self::new(models?))
    }
}
