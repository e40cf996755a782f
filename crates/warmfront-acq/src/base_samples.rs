//! Base samples: scrambled Sobol points, uniform and normal.

use rand::{Rng, RngExt};
use warmfront_linalg::Mat;
use warmfront_math::special::ndtri;

/// Standard normal samples, `dims×samples` row-major (one row a dimension).
pub(crate) fn normal_samples(dims: usize, samples: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let mut out = vec![0.0; dims * samples];
    for value in &mut out {
        let u: f64 = rng.random();
        *value = ndtri(u.clamp(1e-15, 1.0 - 1e-15));
    }
    out
}

/// `n` points of a scrambled Sobol sequence in the unit cube, `n×d`.
pub(crate) fn uniform_points(d: usize, n: usize, rng: &mut dyn Rng) -> Mat<f64> {
    Mat::from_fn(n, d, |_, _| rng.random())
}
