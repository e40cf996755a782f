//! Prior densities of positive hyper-parameters.

use rand::Rng;
use warmfront_math::distribution::{Beta, Density, Gamma, LogNormal};

/// The density of a hyper-parameter, taken of its value and not of its logarithm.
///
/// A fit that works with logarithms adds no Jacobian: the mode meant is the mode of the value,
/// as in GPyTorch and BoTorch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HyperPrior {
    /// The logarithm is normal.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma distribution.
    Gamma {
        /// Shape, positive.
        shape: f64,
        /// Rate (inverse scale), positive.
        rate: f64,
    },
    /// Beta distribution, of a value in (0, 1).
    Beta {
        /// First exponent plus one.
        a: f64,
        /// Second exponent plus one.
        b: f64,
    },
}

impl HyperPrior {
    /// The same belief stated as a density of the value's logarithm: this density times the value.
    ///
    /// A most likely value depends on what the density is of. LogNormal(μ, σ) of a variance is
    /// densest at `exp(μ − σ²)`, which for a wide belief is next to zero; as a density of the
    /// logarithm it is densest at `exp(μ)`. Both forms are of the same family: LogNormal(μ + σ², σ),
    /// Gamma(shape + 1, rate) and Beta(a + 1, b).
    ///
    /// ```
    /// use warmfront_gp::HyperPrior;
    ///
    /// let wide = HyperPrior::LogNormal { mu: -8.0, sigma: 2.0 };
    /// assert!((wide.mode() - (-12.0_f64).exp()).abs() < 1e-12);
    /// assert!((wide.of_logarithm().mode() - (-8.0_f64).exp()).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn of_logarithm(self) -> Self {
        match self {
            Self::LogNormal { mu, sigma } => Self::LogNormal {
                mu: mu + sigma * sigma,
                sigma,
            },
            Self::Gamma { shape, rate } => Self::Gamma {
                shape: shape + 1.0,
                rate,
            },
            Self::Beta { a, b } => Self::Beta { a: a + 1.0, b },
        }
    }

    /// The prior for lengthscales over `d` inputs in the unit cube: LogNormal(√2 + ln(d)/2, √3).
    ///
    /// # References
    /// Hvarfner, Hellsten, Nardi 2024, *Vanilla Bayesian Optimization Performs Great in High Dimensions*.
    pub fn dimension_scaled_lengthscale(d: usize) -> Self {
        Self::LogNormal {
            mu: std::f64::consts::SQRT_2 + 0.5 * (d.max(1) as f64).ln(),
            sigma: 3.0_f64.sqrt(),
        }
    }

    /// The prior for the noise variance of standardised outcomes: LogNormal(−4, 1).
    pub fn standardized_noise() -> Self {
        Self::LogNormal {
            mu: -4.0,
            sigma: 1.0,
        }
    }

    /// Applies `f` to the distribution; `None` if its parameters are not positive and finite.
    fn with<T>(&self, f: impl FnOnce(&dyn Density) -> T) -> Option<T> {
        match *self {
            Self::LogNormal { mu, sigma } => LogNormal::new(mu, sigma).ok().map(|p| f(&p)),
            Self::Gamma { shape, rate } => Gamma::new(shape, rate).ok().map(|p| f(&p)),
            Self::Beta { a, b } => Beta::new(a, b).ok().map(|p| f(&p)),
        }
    }

    /// Logarithm of the density at `value`; −∞ outside the support, and for parameters that define no density.
    pub fn ln_pdf(&self, value: f64) -> f64 {
        self.with(|p| p.ln_pdf(value)).unwrap_or(f64::NEG_INFINITY)
    }

    /// Derivative of [`ln_pdf`](Self::ln_pdf) by the value.
    pub fn d_ln_pdf(&self, value: f64) -> f64 {
        self.with(|p| p.d_ln_pdf(value)).unwrap_or(0.0)
    }

    /// A draw; NaN for parameters that define no density.
    pub fn sample(&self, rng: &mut dyn Rng) -> f64 {
        self.with(|p| p.sample(rng)).unwrap_or(f64::NAN)
    }

    /// The most likely value; for a density without an inner mode, its mean.
    pub fn mode(&self) -> f64 {
        match *self {
            Self::LogNormal { mu, sigma } => (mu - sigma * sigma).exp(),
            Self::Gamma { shape, rate } => {
                if shape > 1.0 {
                    (shape - 1.0) / rate
                } else {
                    shape / rate
                }
            }
            Self::Beta { a, b } => {
                if a > 1.0 && b > 1.0 {
                    (a - 1.0) / (a + b - 2.0)
                } else {
                    a / (a + b)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_testkit::check_gradient;

    use super::*;

    #[test]
    fn densities_integrate_to_one_and_have_their_derivative() {
        let priors = [
            HyperPrior::LogNormal {
                mu: 0.5,
                sigma: 0.7,
            },
            HyperPrior::Gamma {
                shape: 3.0,
                rate: 6.0,
            },
            HyperPrior::Beta { a: 2.0, b: 2.0 },
        ];
        for prior in priors {
            let upper = if matches!(prior, HyperPrior::Beta { .. }) {
                1.0
            } else {
                60.0
            };
            let steps = 200_000;
            let width = upper / f64::from(steps);
            let mass: f64 = (0..steps)
                .map(|i| prior.ln_pdf((f64::from(i) + 0.5) * width).exp() * width)
                .sum();
            assert!((mass - 1.0).abs() < 1e-3, "{prior:?} has mass {mass}");
            for value in [0.2, 0.8] {
                check_gradient(
                    |v| prior.ln_pdf(v[0]),
                    &[prior.d_ln_pdf(value)],
                    &[value],
                    1e-7,
                );
            }
            assert!(prior.d_ln_pdf(prior.mode()).abs() < 1e-9);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let inside = (0..500).all(|_| {
                let value = prior.sample(&mut rng);
                value > 0.0 && value <= 1e4 && prior.ln_pdf(value).is_finite()
            });
            assert!(inside);
        }
        assert!(
            HyperPrior::Gamma {
                shape: -1.0,
                rate: 1.0
            }
            .ln_pdf(1.0)
                < -1e300
        );
    }

    #[test]
    fn lengthscale_prior_follows_the_square_root_of_the_dimension() {
        let ratio = HyperPrior::dimension_scaled_lengthscale(16).mode()
            / HyperPrior::dimension_scaled_lengthscale(4).mode();
        assert!((ratio - 2.0).abs() < 1e-12);
        assert!((HyperPrior::standardized_noise().mode() - (-5.0_f64).exp()).abs() < 1e-15);
    }
}
