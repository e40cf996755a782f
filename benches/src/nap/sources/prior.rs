//! Functions of a Gaussian process whose kernel and lengthscales are drawn, too.

use rand::{Rng, RngExt};
use warmfront_gp::{ArdKernel, KernelKind};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, lower_matvec};
use warmfront_math::distribution::{fill_standard_normal, open_uniform, standard_normal};

use crate::nap::task::Table;

/// Up to so many points are drawn jointly; more by random features.
const EXACT: usize = 512;
const FEATURES: usize = 500;

/// The prior: squared exponential or Matérn-5/2, lengthscales log-uniform.
#[derive(Debug, Clone, PartialEq)]
pub struct GpPrior {
    dim: usize,
    /// Smallest and largest lengthscale.
    pub lengthscales: (f64, f64),
}

impl GpPrior {
    /// Lengthscales from 0.2 to 1.5 times √(d/3), so that a function of many inputs is no noise.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        let scale = (dim as f64 / 3.0).sqrt();
        Self {
            dim,
            lengthscales: (0.2 * scale, 1.5 * scale),
        }
    }

    /// Number of inputs.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// A kernel of variance 1.
    pub fn kernel(&self, rng: &mut dyn Rng) -> ArdKernel {
        let kind = if rng.random_bool(0.5) {
            KernelKind::Rbf
        } else {
            KernelKind::Matern52
        };
        let (low, high) = self.lengthscales;
        // A common level and some spread around it: a function is smooth or rough as a whole.
        let level = open_uniform(rng);
        let one = |rng: &mut dyn Rng| {
            let part = (level + 0.5 * (open_uniform(rng) - 0.5)).clamp(0.0, 1.0);
            low * (high / low).powf(part)
        };
        let lengthscales = (0..self.dim).map(|_| one(rng)).collect();
        ArdKernel::new(kind, lengthscales, 1.0)
    }

    /// A function at uniform points, with noise of this standard deviation.
    pub fn table(&self, rows: usize, noise: f64, rng: &mut dyn Rng) -> Table {
        let kernel = self.kernel(rng);
        let x: Vec<f64> = (0..rows * self.dim).map(|_| open_uniform(rng)).collect();
        let mut costs = draw(&kernel, &x, rng);
        for cost in &mut costs {
            *cost += noise * standard_normal(rng);
        }
        Table {
            name: "gp".into(),
            dim: self.dim,
            x,
            costs,
        }
    }
}

/// One function of a Gaussian process at the rows of `x` (row-major).
pub fn draw(kernel: &ArdKernel, x: &[f64], rng: &mut dyn Rng) -> Vec<f64> {
    let d = kernel.dim();
    let n = x.len() / d;
    if n <= EXACT {
        let points = Mat::from_fn(n, d, |i, k| x[i * d + k]);
        let mut gram = kernel.gram(points.as_ref());
        for i in 0..n {
            gram[(i, i)] += 1e-8 * kernel.variance();
        }
        if let Ok(factor) = JitteredCholesky::factorize(gram.as_ref(), JitterPolicy::default()) {
            let mut z = vec![0.0; n];
            fill_standard_normal(&mut z, rng);
            let mut values = vec![0.0; n];
            lower_matvec(factor.factor(), &z, &mut values);
            return values;
        }
    }
    features(kernel, x, rng)
}

/// The same by random Fourier features.
fn features(kernel: &ArdKernel, x: &[f64], rng: &mut dyn Rng) -> Vec<f64> {
    let path = Path::draw(kernel, FEATURES, rng);
    x.chunks_exact(kernel.dim()).map(|u| path.at(u)).collect()
}

/// A function of a Gaussian process that can be asked anywhere: cosines of frequencies from the spectral
/// density.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    dim: usize,
    /// Row after row.
    frequencies: Vec<f64>,
    phases: Vec<f64>,
    weights: Vec<f64>,
}

impl Path {
    /// With this many cosines.
    pub fn draw(kernel: &ArdKernel, features: usize, rng: &mut dyn Rng) -> Self {
        let mut path = Self {
            dim: kernel.dim(),
            frequencies: Vec::with_capacity(features * kernel.dim()),
            phases: Vec::with_capacity(features),
            weights: Vec::with_capacity(features),
        };
        for _ in 0..features {
            // Matérn-5/2 is a scale mixture: frequencies follow a t distribution with five degrees.
            let stretch = match kernel.kind() {
                KernelKind::Matern52 => {
                    let square: f64 = (0..5).map(|_| standard_normal(rng).powi(2)).sum();
                    (5.0 / square).sqrt()
                }
                _ => 1.0,
            };
            for inverse in kernel.inverse_lengthscales() {
                path.frequencies
                    .push(stretch * inverse * standard_normal(rng));
            }
            path.phases
                .push(2.0 * std::f64::consts::PI * open_uniform(rng));
            let scale = (2.0 * kernel.variance() / features as f64).sqrt();
            path.weights.push(scale * standard_normal(rng));
        }
        path
    }

    /// The value at a point.
    #[must_use]
    pub fn at(&self, u: &[f64]) -> f64 {
        let cosines = self.frequencies.chunks_exact(self.dim).zip(&self.phases);
        cosines
            .zip(&self.weights)
            .map(|((frequency, phase), weight)| {
                let angle: f64 = u.iter().zip(frequency).map(|(a, b)| a * b).sum();
                weight * (angle + phase).cos()
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use warmfront_core::{Purpose, Seed};

    use super::*;

    /// Both ways of drawing have the kernel's variance and correlation.
    #[test]
    fn draws_have_the_covariance_of_the_kernel() {
        let x = [0.1, 0.2, 0.3, 0.25];
        for kind in [KernelKind::Rbf, KernelKind::Matern52] {
            let kernel = ArdKernel::new(kind, vec![0.4, 0.3], 2.0);
            let points = Mat::from_fn(2, 2, |i, k| x[2 * i + k]);
            let gram = kernel.gram(points.as_ref());
            for method in [draw, features] {
                let mut rng = Seed(1).stream(Purpose::Init, 0);
                let count = 3000;
                let (mut own, mut cross) = (0.0, 0.0);
                for _ in 0..count {
                    let values = method(&kernel, &x, &mut rng);
                    own += values[0] * values[0] / f64::from(count);
                    cross += values[0] * values[1] / f64::from(count);
                }
                // Standard errors are about 2·√(2/3000) = 0.05.
                assert!((own - 2.0).abs() < 0.25, "{kind:?}: {own}");
                assert!((cross - gram[(1, 0)]).abs() < 0.25, "{kind:?}: {cross}");
            }
        }
    }

    #[test]
    fn functions_are_the_same_each_time() {
        let prior = GpPrior::new(3);
        let table = |seed| prior.table(40, 0.1, &mut Seed(seed).stream(Purpose::Init, 0));
        assert_eq!(table(1), table(1));
        assert_ne!(table(1), table(2));
        assert_eq!(table(1).len(), 40);
    }
}
