//! The log marginal likelihood of an exact Gaussian process, with its gradient.
//!
//! One evaluation is one Cholesky factorisation, one inverse and one pass over the lower
//! triangle: `∂L/∂θ = ½ tr[(αα^T − C⁻¹) ∂C/∂θ]` with `C = K + noise·I`.

use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatRef, dot};

use crate::exact::{ExactGpConfig, MeanKind};
use crate::{ArdKernel, GpError, KernelGram, KernelKind, MapObjective};

/// The likelihood of standardised outcomes as a function of (lengthscales, output scale if learned, noise).
#[derive(Debug, Clone)]
pub struct ExactLikelihood<'a> {
    x: MatRef<'a, f64>,
    y: &'a [f64],
    kernel: KernelKind,
    learn_outputscale: bool,
    mean: MeanKind,
    jitter: JitterPolicy,
}

/// Storage of an [`ExactLikelihood`], reused between evaluations.
#[derive(Debug, Clone)]
pub struct LikelihoodWorkspace {
    gram: KernelGram,
    factor: JitteredCholesky,
    inverse: Mat<f64>,
    inverse_factor: Mat<f64>,
    alpha: Vec<f64>,
    residual: Vec<f64>,
    ones: Vec<f64>,
    /// The constant mean of the latest evaluation.
    mean: f64,
}

impl<'a> ExactLikelihood<'a> {
    /// The likelihood of outcomes `y` (length `n`) at inputs `x` (`n×d`).
    ///
    /// # Panics
    /// If the numbers of rows differ.
    #[track_caller]
    pub fn new(x: MatRef<'a, f64>, y: &'a [f64], config: &ExactGpConfig) -> Self {
        assert!(
            x.nrows() == y.len(),
            "{} inputs with {} outcomes",
            x.nrows(),
            y.len()
        );
        Self {
            x,
            y,
            kernel: config.kernel,
            learn_outputscale: config.outputscale.is_some(),
            mean: config.mean,
            jitter: config.jitter,
        }
    }

    fn unpack(&self, values: &[f64]) -> (ArdKernel, f64) {
        let d = self.x.ncols();
        let outputscale = if self.learn_outputscale {
            values[d]
        } else {
            1.0
        };
        (
            ArdKernel::new(self.kernel, values[..d].to_vec(), outputscale),
            values[values.len() - 1],
        )
    }

    /// Factorises the covariance and solves for the weights, at the given or the best mean.
    fn solve(
        &self,
        kernel: &ArdKernel,
        noise: f64,
        mean: Option<f64>,
        w: &mut LikelihoodWorkspace,
    ) -> Result<(), GpError> {
        w.gram.update(kernel, self.x);
        w.gram.add_to_diagonal(noise);
        w.factor.refactorize(w.gram.value(), self.jitter)?;
        w.mean = match (mean, self.mean) {
            (Some(mean), _) => mean,
            (None, MeanKind::Zero) => 0.0,
            (None, MeanKind::Constant) => {
                w.ones.fill(1.0);
                w.factor.solve_slice_in_place(&mut w.ones);
                let total: f64 = w.ones.iter().sum();
                if total > 0.0 {
                    dot(&w.ones, self.y) / total
                } else {
                    0.0
                }
            }
        };
        for (r, &y) in w.residual.iter_mut().zip(self.y) {
            *r = y - w.mean;
        }
        w.alpha.copy_from_slice(&w.residual);
        w.factor.solve_slice_in_place(&mut w.alpha);
        Ok(())
    }

    /// The constant mean that is used at `values`.
    ///
    /// # Errors
    /// If the covariance matrix cannot be factorised.
    pub fn best_mean(&self, values: &[f64]) -> Result<f64, GpError> {
        if self.y.is_empty() || self.mean == MeanKind::Zero {
            return Ok(0.0);
        }
        let mut workspace = self.workspace();
        let (kernel, noise) = self.unpack(values);
        self.solve(&kernel, noise, None, &mut workspace)?;
        Ok(workspace.mean)
    }

    /// The log likelihood, adding to `gradient` the derivatives by the log lengthscales (first
    /// `d` entries), and returning those by log output scale, log noise and mean.
    ///
    /// `mean = None` uses the most likely constant (or zero), whose derivative is then zero.
    ///
    /// # Errors
    /// If the covariance matrix cannot be factorised.
    pub fn value_and_gradient(
        &self,
        kernel: &ArdKernel,
        noise: f64,
        mean: Option<f64>,
        gradient: &mut [f64],
        w: &mut LikelihoodWorkspace,
    ) -> Result<(f64, [f64; 3]), GpError> {
        let n = self.y.len();
        self.solve(kernel, noise, mean, w)?;
        w.factor
            .inverse_lower_into(w.inverse.as_mut(), &mut w.inverse_factor);
        let fit = dot(&w.residual, &w.alpha);
        let value =
            -0.5 * (fit + w.factor.log_det() + n as f64 * (2.0 * std::f64::consts::PI).ln());
        w.gram
            .add_likelihood_gradient(&w.alpha, &w.inverse, gradient);
        let trace: f64 = (0..n).map(|i| w.inverse[(i, i)]).sum();
        let half_trace = 0.5 * (dot(&w.alpha, &w.alpha) - trace);
        // tr[(αα^T − C⁻¹)K] needs no pass of its own, since K = C − (noise + jitter)·I.
        let by_outputscale = 0.5 * (fit - n as f64) - (noise + w.factor.jitter()) * half_trace;
        Ok((
            value,
            [by_outputscale, noise * half_trace, w.alpha.iter().sum()],
        ))
    }
}

impl MapObjective for ExactLikelihood<'_> {
    type Workspace = LikelihoodWorkspace;

    fn workspace(&self) -> LikelihoodWorkspace {
        let n = self.y.len();
        LikelihoodWorkspace {
            gram: KernelGram::new(self.kernel, n, self.x.ncols()),
            factor: JitteredCholesky::from_lower(Mat::identity(n, n), 0.0),
            inverse: Mat::zeros(n, n),
            inverse_factor: Mat::zeros(n, n),
            alpha: vec![0.0; n],
            residual: vec![0.0; n],
            ones: vec![0.0; n],
            mean: 0.0,
        }
    }

    fn evaluate(
        &self,
        values: &[f64],
        gradient: &mut [f64],
        workspace: &mut LikelihoodWorkspace,
    ) -> Result<f64, GpError> {
        let (kernel, noise) = self.unpack(values);
        let d = kernel.dim();
        let (value, [by_outputscale, by_noise, _]) =
            self.value_and_gradient(&kernel, noise, None, &mut gradient[..d], workspace)?;
        if self.learn_outputscale {
            gradient[d] = by_outputscale;
        }
        gradient[values.len() - 1] = by_noise;
        Ok(value)
    }

    fn observations(&self) -> usize {
        self.y.len()
    }
}
