//! Distributions on a bounded interval.

use core::cmp::Ordering;

use rand::Rng;

use super::positive::ln_gamma_variate;
use super::{Density, finite, open_uniform, positive};
use crate::MathError;
use crate::special::{lbeta, sigmoid};

/// The beta distribution on \[0, 1\] with density ∝ x^(α−1) (1−x)^(β−1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    alpha: f64,
    beta: f64,
}

impl Beta {
    /// Makes the distribution with these two shapes.
    ///
    /// # Errors
    /// When either is not positive and finite.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, MathError> {
        Ok(Self {
            alpha: positive("beta", "alpha", alpha)?,
            beta: positive("beta", "beta", beta)?,
        })
    }

    /// Returns the first shape.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Returns the second shape.
    pub fn beta(&self) -> f64 {
        self.beta
    }
}

impl Density for Beta {
    fn ln_pdf(&self, x: f64) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return if x.is_nan() {
                f64::NAN
            } else {
                f64::NEG_INFINITY
            };
        }
        // 0·ln 0 is 0 where the density neither vanishes nor explodes at the end.
        let term = |shape: f64, ln: f64| {
            if (shape - 1.0).abs() > 0.0 {
                (shape - 1.0) * ln
            } else {
                0.0
            }
        };
        term(self.alpha, libm::log(x)) + term(self.beta, libm::log1p(-x))
            - lbeta(self.alpha, self.beta)
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return if x.is_nan() { f64::NAN } else { 0.0 };
        }
        let term = |shape: f64, distance: f64| {
            if (shape - 1.0).abs() > 0.0 {
                (shape - 1.0) / distance
            } else {
                0.0
            }
        };
        term(self.alpha, x) - term(self.beta, 1.0 - x)
    }

    fn support(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn mean(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        mean * (1.0 - mean) / (self.alpha + self.beta + 1.0)
    }

    fn mode(&self) -> f64 {
        let (a, b) = (self.alpha - 1.0, self.beta - 1.0);
        if a > 0.0 && b > 0.0 {
            a / (a + b)
        } else if (a - b).abs() <= 0.0 {
            0.5
        } else if a > b {
            1.0
        } else {
            0.0
        }
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        let ln_x = ln_gamma_variate(self.alpha, rng);
        let ln_y = ln_gamma_variate(self.beta, rng);
        // x/(x + y), where both may underflow.
        sigmoid(ln_x - ln_y)
    }
}

/// The uniform distribution on an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// Makes the uniform distribution on \[`low`, `high`\].
    ///
    /// # Errors
    /// When an end or the width is not finite, or `low < high` is false.
    pub fn new(low: f64, high: f64) -> Result<Self, MathError> {
        let name = "uniform";
        let (low, high) = (finite(name, "low", low)?, finite(name, "high", high)?);
        finite(name, "width", high - low)?;
        if low.partial_cmp(&high) != Some(Ordering::Less) {
            return Err(MathError::EmptyInterval {
                distribution: name,
                low,
                high,
            });
        }
        Ok(Self { low, high })
    }
}

impl Density for Uniform {
    fn ln_pdf(&self, x: f64) -> f64 {
        if x.is_nan() {
            f64::NAN
        } else if x < self.low || x > self.high {
            f64::NEG_INFINITY
        } else {
            -libm::log(self.high - self.low)
        }
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        if x.is_nan() { f64::NAN } else { 0.0 }
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn mean(&self) -> f64 {
        self.low + 0.5 * (self.high - self.low)
    }

    fn variance(&self) -> f64 {
        (self.high - self.low) * (self.high - self.low) / 12.0
    }

    fn mode(&self) -> f64 {
        self.mean()
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        (self.low + open_uniform(rng) * (self.high - self.low)).clamp(self.low, self.high)
    }
}
