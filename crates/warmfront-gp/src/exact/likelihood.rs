//! The log marginal likelihood of an exact Gaussian process, with its gradient.
//!
//! One evaluation is one Cholesky factorisation, one inverse and one pass over the lower
//! triangle: `∂L/∂θ = ½ tr[(αα^T − C⁻¹) ∂C/∂θ]` with `C = K + noise·I`.

use warmfront_linalg::{JitterPolicy, JitteredCholesky, LARGE, Mat, MatRef, axpy, dot};

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
    weights: Weights,
}

/// The weights of the outcomes, K⁻¹(y − mean), and what they are made of.
#[derive(Debug, Clone)]
struct Weights {
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

    fn factorize(
        &self,
        kernel: &ArdKernel,
        noise: f64,
        w: &mut LikelihoodWorkspace,
    ) -> Result<(), GpError> {
        w.gram.update(kernel, self.x);
        w.gram.add_to_diagonal(noise);
        Ok(w.factor.refactorize(w.gram.value(), self.jitter)?)
    }

    /// Solves for the weights, at the given or the best mean.
    fn solve(&self, factor: &JitteredCholesky, mean: Option<f64>, w: &mut Weights) {
        if mean.is_none() && self.mean == MeanKind::Constant && self.y.len() >= LARGE {
            return self.solve_with_constant(factor, w);
        }
        w.mean = match (mean, self.mean) {
            (Some(mean), _) => mean,
            (None, MeanKind::Zero) => 0.0,
            (None, MeanKind::Constant) => {
                w.ones.fill(1.0);
                factor.solve_slice_in_place(&mut w.ones);
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
        factor.solve_slice_in_place(&mut w.alpha);
    }

    /// Mean and weights for large factors, which are read half as often: with u = L⁻¹1 and v = L⁻¹y the mean
    /// is uᵀv/uᵀu and the weights are L⁻ᵀ(v − mean·u).
    fn solve_with_constant(&self, factor: &JitteredCholesky, w: &mut Weights) {
        w.ones.fill(1.0);
        w.alpha.copy_from_slice(self.y);
        factor.solve_lower_slices_in_place(&mut w.ones, &mut w.alpha);
        let total = dot(&w.ones, &w.ones);
        w.mean = if total > 0.0 {
            dot(&w.ones, &w.alpha) / total
        } else {
            0.0
        };
        axpy(-w.mean, &w.ones, &mut w.alpha);
        factor.solve_upper_slice_in_place(&mut w.alpha);
        for (r, &y) in w.residual.iter_mut().zip(self.y) {
            *r = y - w.mean;
        }
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
        self.factorize(&kernel, noise, &mut workspace)?;
        self.solve(&workspace.factor, None, &mut workspace.weights);
        Ok(workspace.weights.mean)
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
        self.factorize(kernel, noise, w)?;
        let LikelihoodWorkspace {
            gram,
            factor,
            inverse,
            inverse_factor,
            weights,
        } = w;
        let mut solve = || self.solve(factor, mean, weights);
        let mut invert = || factor.inverse_lower_into(inverse.as_mut(), inverse_factor);
        if n < LARGE {
            solve();
            invert();
        } else {
            rayon::join(solve, invert);
        }
        let Weights {
            alpha, residual, ..
        } = weights;
        let fit = dot(residual, alpha);
        let value = -0.5 * (fit + factor.log_det() + n as f64 * (2.0 * std::f64::consts::PI).ln());
        gram.add_likelihood_gradient(alpha, inverse, gradient);
        let trace: f64 = (0..n).map(|i| inverse[(i, i)]).sum();
        let half_trace = 0.5 * (dot(alpha, alpha) - trace);
        // tr[(αα^T − C⁻¹)K] needs no pass of its own, since K = C − (noise + jitter)·I.
        let by_outputscale = 0.5 * (fit - n as f64) - (noise + factor.jitter()) * half_trace;
        Ok((
            value,
            [by_outputscale, noise * half_trace, alpha.iter().sum()],
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
            weights: Weights {
                alpha: vec![0.0; n],
                residual: vec![0.0; n],
                ones: vec![0.0; n],
                mean: 0.0,
            },
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
