//! Log-densities with derivatives and samplers: priors of hyper-parameters and beliefs about
//! optima.
//!
//! Samples are drawn by our own portable algorithms, so that they do not change with a release of
//! the generator's crate, and are pinned by tests.
//!
//! # References
//! G. Marsaglia, W. W. Tsang, *A simple method for generating gamma variables*, ACM TOMS 26
//! (2000), for [`Gamma`] and [`Beta`]; all others by the inverse distribution function.

mod bounded;
mod normal;
mod positive;
#[cfg(test)]
mod tests;

use rand::Rng;

use crate::MathError;
use crate::special::ndtri;
pub use bounded::{Beta, Uniform};
pub use normal::{Normal, TruncatedNormal};
pub use positive::{Gamma, LogNormal};

/// A probability density on the real line.
pub trait Density: Send + Sync {
    /// Returns the logarithm of the density at `x`; −∞ outside the support, NaN for NaN.
    fn ln_pdf(&self, x: f64) -> f64;

    /// Returns d/dx of [`ln_pdf`](Self::ln_pdf); 0 outside the support, where it is constant.
    fn d_ln_pdf(&self, x: f64) -> f64;

    /// Returns the lower and the upper end of the support, which may be infinite.
    fn support(&self) -> (f64, f64);

    /// Returns the mean.
    fn mean(&self) -> f64;

    /// Returns the variance.
    fn variance(&self) -> f64;

    /// Returns where the density is largest, or tends to infinity; of several such points the
    /// middle one.
    fn mode(&self) -> f64;

    /// Draws one value, which lies in the support.
    fn sample(&self, rng: &mut dyn Rng) -> f64;
}

/// Draws uniformly from the open interval (0, 1), on the odd multiples of 2⁻⁵³.
pub fn open_uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// Draws a standard normal value, by the inverse distribution function from one uniform.
pub fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    ndtri(open_uniform(rng))
}

/// Fills a slice with independent standard normal values.
pub fn fill_standard_normal<R: Rng + ?Sized>(out: &mut [f64], rng: &mut R) {
    for z in out {
        *z = standard_normal(rng);
    }
}

fn finite(
    distribution: &'static str,
    parameter: &'static str,
    value: f64,
) -> Result<f64, MathError> {
    let expected = "finite";
    if value.is_finite() {
        Ok(value)
    } else {
        Err(MathError::InvalidParameter {
            distribution,
            parameter,
            expected,
            value,
        })
    }
}

fn positive(
    distribution: &'static str,
    parameter: &'static str,
    value: f64,
) -> Result<f64, MathError> {
    let expected = "positive and finite";
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(MathError::InvalidParameter {
            distribution,
            parameter,
            expected,
            value,
        })
    }
}
