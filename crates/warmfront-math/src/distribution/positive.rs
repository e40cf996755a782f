//! Distributions of positive numbers.

use rand::Rng;

use super::{Density, finite, open_uniform, positive, standard_normal};
use crate::MathError;
use crate::special::{HALF_LN_2PI, lgamma};

/// The gamma distribution with density ∝ x^(shape−1) exp(−rate·x).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    shape: f64,
    rate: f64,
}

impl Gamma {
    /// Makes the distribution with this shape and rate, the inverse of the scale.
    ///
    /// # Errors
    /// When either is not positive and finite.
    pub fn new(shape: f64, rate: f64) -> Result<Self, MathError> {
        Ok(Self {
            shape: positive("gamma", "shape", shape)?,
            rate: positive("gamma", "rate", rate)?,
        })
    }

    /// Returns the shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// Returns the rate.
    pub fn rate(&self) -> f64 {
        self.rate
    }
}

impl Density for Gamma {
    fn ln_pdf(&self, x: f64) -> f64 {
        if x < 0.0 {
            return f64::NEG_INFINITY;
        }
        // 0·ln 0 is 0 for the exponential distribution.
        let power = if (self.shape - 1.0).abs() > 0.0 {
            (self.shape - 1.0) * libm::log(x)
        } else {
            0.0
        };
        self.shape * libm::log(self.rate) - lgamma(self.shape) + power - self.rate * x
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        if x < 0.0 {
            return 0.0;
        }
        let power = if (self.shape - 1.0).abs() > 0.0 {
            (self.shape - 1.0) / x
        } else {
            0.0
        };
        power - self.rate
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> f64 {
        self.shape / self.rate
    }

    fn variance(&self) -> f64 {
        self.shape / self.rate / self.rate
    }

    fn mode(&self) -> f64 {
        ((self.shape - 1.0) / self.rate).max(0.0)
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        // Zero is no member of an open support; it can only come from underflow.
        (libm::exp(ln_gamma_variate(self.shape, rng)) / self.rate).max(f64::MIN_POSITIVE)
    }
}

/// Draws the logarithm of a gamma variate of unit rate; tiny shapes do not underflow.
pub(super) fn ln_gamma_variate(shape: f64, rng: &mut dyn Rng) -> f64 {
    // Below one, G(a) = G(a + 1)·U^(1/a).
    let (boosted, boost) = if shape < 1.0 {
        (shape + 1.0, libm::log(open_uniform(rng)) / shape)
    } else {
        (shape, 0.0)
    };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = standard_normal(rng);
        let root = 1.0 + c * z;
        if root <= 0.0 {
            continue;
        }
        let ln_v = 3.0 * libm::log(root);
        let v = root * root * root;
        if libm::log(open_uniform(rng)) < 0.5 * z * z + d * (1.0 - v + ln_v) {
            return libm::log(d) + ln_v + boost;
        }
    }
}

/// The log-normal distribution: its logarithm is normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    mu: f64,
    sigma: f64,
}

impl LogNormal {
    /// Makes the distribution whose logarithm has mean `mu` and standard deviation `sigma`.
    ///
    /// # Errors
    /// When `mu` is not finite or `sigma` not positive and finite.
    pub fn new(mu: f64, sigma: f64) -> Result<Self, MathError> {
        Ok(Self {
            mu: finite("log-normal", "mu", mu)?,
            sigma: positive("log-normal", "sigma", sigma)?,
        })
    }

    /// Returns the mean of the logarithm.
    pub fn mu(&self) -> f64 {
        self.mu
    }

    /// Returns the standard deviation of the logarithm.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }
}

impl Density for LogNormal {
    fn ln_pdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let ln_x = libm::log(x);
        let z = (ln_x - self.mu) / self.sigma;
        -0.5 * z * z - HALF_LN_2PI - libm::log(self.sigma) - ln_x
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let z = (libm::log(x) - self.mu) / self.sigma;
        -(1.0 + z / self.sigma) / x
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> f64 {
        libm::exp(self.mu + 0.5 * self.sigma * self.sigma)
    }

    fn variance(&self) -> f64 {
        let s2 = self.sigma * self.sigma;
        libm::expm1(s2) * libm::exp(2.0 * self.mu + s2)
    }

    fn mode(&self) -> f64 {
        libm::exp(self.mu - self.sigma * self.sigma)
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        libm::exp(self.mu + self.sigma * standard_normal(rng)).clamp(f64::MIN_POSITIVE, f64::MAX)
    }
}
