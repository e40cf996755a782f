//! The normal distribution, whole and cut to an interval.

use core::cmp::Ordering;

use rand::Rng;

use super::{Density, finite, open_uniform, positive, standard_normal};
use crate::MathError;
use crate::special::{
    HALF_LN_2PI, log_add_exp, log_ndtr, log_norm_pdf, log_sub_exp, log1mexp, ndtri_exp,
};

/// The normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    mean: f64,
    sd: f64,
}

impl Normal {
    /// Makes the distribution with this mean and standard deviation.
    ///
    /// # Errors
    /// When the mean is not finite or the standard deviation not positive and finite.
    pub fn new(mean: f64, sd: f64) -> Result<Self, MathError> {
        Ok(Self {
            mean: finite("normal", "mean", mean)?,
            sd: positive("normal", "sd", sd)?,
        })
    }

    /// Returns the standard deviation.
    pub fn sd(&self) -> f64 {
        self.sd
    }
}

impl Density for Normal {
    fn ln_pdf(&self, x: f64) -> f64 {
        log_norm_pdf((x - self.mean) / self.sd) - libm::log(self.sd)
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        (self.mean - x) / self.sd / self.sd
    }

    fn support(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.sd * self.sd
    }

    fn mode(&self) -> f64 {
        self.mean
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        self.mean + self.sd * standard_normal(rng)
    }
}

/// The normal distribution conditioned on an interval, also one far out in a tail.
///
/// Everything is computed from logarithms of tail probabilities on the side where they are small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruncatedNormal {
    location: f64,
    scale: f64,
    low: f64,
    high: f64,
    /// Standardised ends, mirrored at zero when both would be positive.
    a: f64,
    b: f64,
    mirrored: bool,
    /// ln (Φ(b) − Φ(a)).
    ln_mass: f64,
}

impl TruncatedNormal {
    /// Makes the normal distribution with mean `location` and standard deviation `scale` before
    /// it is cut to \[`low`, `high`\]; either end may be infinite.
    ///
    /// # Errors
    /// When `location` is not finite, `scale` not positive and finite, or `low < high` is false.
    pub fn new(location: f64, scale: f64, low: f64, high: f64) -> Result<Self, MathError> {
        let name = "truncated normal";
        let location = finite(name, "location", location)?;
        let scale = positive(name, "scale", scale)?;
        if low.partial_cmp(&high) != Some(Ordering::Less) {
            return Err(MathError::EmptyInterval {
                distribution: name,
                low,
                high,
            });
        }
        let (left, right) = ((low - location) / scale, (high - location) / scale);
        let mirrored = left > 0.0;
        let (a, b) = if mirrored {
            (-right, -left)
        } else {
            (left, right)
        };
        let ln_mass = if b > 0.0 {
            // Both tails are cut off: 1 − Φ(a) − Φ(−b).
            log1mexp(log_add_exp(log_ndtr(a), log_ndtr(-b)).min(0.0))
        } else {
            log_sub_exp(log_ndtr(b), log_ndtr(a))
        };
        // An interval so narrow that its ends have one tail probability is uniform in effect.
        let ln_mass = if ln_mass.is_finite() {
            ln_mass
        } else {
            log_norm_pdf(0.5 * (a + b)) + libm::log(b - a)
        };
        Ok(Self {
            location,
            scale,
            low,
            high,
            a,
            b,
            mirrored,
            ln_mass,
        })
    }

    /// Returns the standardised mean and variance, mirrored like `a` and `b`.
    fn standard_moments(&self) -> (f64, f64) {
        if self.b < -2.0 || self.b - self.a < 1.0 {
            self.moments_by_quadrature()
        } else {
            let edge = |z: f64| {
                if z.is_finite() {
                    libm::exp(log_norm_pdf(z) - self.ln_mass)
                } else {
                    0.0
                }
            };
            let (pa, pb) = (edge(self.a), edge(self.b));
            let slope = |z: f64, p: f64| if p > 0.0 { z * p } else { 0.0 };
            let mean = pa - pb;
            (
                mean,
                1.0 + slope(self.a, pa) - slope(self.b, pb) - mean * mean,
            )
        }
    }

    /// The closed form cancels in a tail and on a narrow interval; there the integrals over the
    /// distance s from the right end, of density ∝ exp(bs − s²/2), are smooth and short.
    fn moments_by_quadrature(&self) -> (f64, f64) {
        // Five-point Gauss–Legendre rule on [−1, 1].
        const NODES: [(f64, f64); 5] = [
            (0.0, 0.568_888_888_888_888_9),
            (0.538_469_310_105_683, 0.478_628_670_499_366_47),
            (-0.538_469_310_105_683, 0.478_628_670_499_366_47),
            (0.906_179_845_938_664, 0.236_926_885_056_189_08),
            (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
        ];
        let panels = 64;
        // Beyond 40 decay lengths nothing is left.
        let decay = if self.b < -1.0 {
            40.0 / -self.b
        } else {
            f64::INFINITY
        };
        let length = (self.b - self.a).min(decay);
        let half = 0.5 * length / f64::from(panels);
        let mut moments = [0.0; 3];
        for panel in 0..panels {
            for (node, weight) in NODES {
                let s = half * (2.0 * f64::from(panel) + 1.0 + node);
                let density = weight * libm::exp(self.b * s - 0.5 * s * s);
                for (k, moment) in moments.iter_mut().enumerate() {
                    *moment += density * [1.0, s, s * s][k];
                }
            }
        }
        let mean = moments[1] / moments[0];
        (self.b - mean, moments[2] / moments[0] - mean * mean)
    }
}

impl Density for TruncatedNormal {
    fn ln_pdf(&self, x: f64) -> f64 {
        if x < self.low || x > self.high {
            return f64::NEG_INFINITY;
        }
        let z = (x - self.location) / self.scale;
        -0.5 * z * z - HALF_LN_2PI - libm::log(self.scale) - self.ln_mass
    }

    fn d_ln_pdf(&self, x: f64) -> f64 {
        if x < self.low || x > self.high {
            return 0.0;
        }
        (self.location - x) / self.scale / self.scale
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn mean(&self) -> f64 {
        let (mean, _) = self.standard_moments();
        let z = if self.mirrored { -mean } else { mean };
        (self.location + self.scale * z).clamp(self.low, self.high)
    }

    fn variance(&self) -> f64 {
        self.scale * self.scale * self.standard_moments().1
    }

    fn mode(&self) -> f64 {
        self.location.clamp(self.low, self.high)
    }

    fn sample(&self, rng: &mut dyn Rng) -> f64 {
        let ln_u = libm::log(open_uniform(rng));
        let ln_p = log_add_exp(log_ndtr(self.a), ln_u + self.ln_mass).min(0.0);
        let z = ndtri_exp(ln_p).clamp(self.a, self.b);
        let z = if self.mirrored { -z } else { z };
        (self.location + self.scale * z).clamp(self.low, self.high)
    }
}
