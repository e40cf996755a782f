//! The logarithm of a mean over posterior samples as an acquisition function.

use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::AcquisitionFunction;
use crate::sampler::Sampler;

/// A positive gain of sampled outcomes. Samples are `qm×S`, one row a variable, objective-major.
pub(crate) trait Gain: Sync {
    /// Logarithm of the mean gain over the samples.
    fn log_mean(&self, f: &[f64], q: usize) -> f64;

    /// The same, and its derivatives with respect to every sample, in the layout of `f`.
    fn log_mean_gradient(&self, f: &[f64], q: usize, f_bar: &mut [f64]) -> f64;

    /// A quicker approximation of [`log_mean`](Self::log_mean) for one point.
    fn log_mean_quick(&self, f: &[f64]) -> f64 {
        self.log_mean(f, 1)
    }
}

/// Samples with a gain.
pub(crate) struct Sampled<'a, G> {
    pub(crate) sampler: Sampler<'a>,
    pub(crate) gain: G,
    pub(crate) incumbents: Mat<f64>,
}

impl<G: Gain> AcquisitionFunction for Sampled<'_, G> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.sampler
            .draw(x)
            .map_or(f64::NAN, |draw| self.gain.log_mean(&draw.f, x.nrows()))
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        assert!(
            gradient.nrows() == x.nrows() && gradient.ncols() == x.ncols(),
            "x is {}×{}, its gradient {}×{}",
            x.nrows(),
            x.ncols(),
            gradient.nrows(),
            gradient.ncols()
        );
        let Some(draw) = self.sampler.draw(x) else {
            gradient.fill(0.0);
            return Some(f64::NAN);
        };
        let mut f_bar = vec![0.0; draw.f.len()];
        let value = self.gain.log_mean_gradient(&draw.f, x.nrows(), &mut f_bar);
        if !value.is_finite() {
            gradient.fill(0.0);
            return Some(value);
        }
        self.sampler.pullback(x, draw, &f_bar, gradient);
        Some(value)
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        (0..x.nrows())
            .map(|i| {
                self.sampler
                    .draw(x.subrows(i, 1))
                    .map_or(f64::NAN, |draw| self.gain.log_mean_quick(&draw.f))
            })
            .collect()
    }

    fn incumbents(&self) -> Mat<f64> {
        self.incumbents.clone()
    }
}
