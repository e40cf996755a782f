//! Base samples: scrambled Sobol points, uniform and normal.

use rand::{Rng, RngExt};
use warmfront_linalg::Mat;
use warmfront_math::sobol::{MAX_DIM, Sobol};
use warmfront_math::special::ndtri;

/// Coordinate `j` of each of `n` points, for `j` in `0..d`: `d×n` row-major.
///
/// The first coordinates, as many as there are direction numbers for, are those of a scrambled
/// Sobol sequence; the others are independent.
fn coordinates(d: usize, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let mut out = vec![0.0; d * n];
    let mut point = vec![0.0; d.min(MAX_DIM)];
    let mut rest = 0;
    if let Ok(mut sobol) = Sobol::scrambled(point.len(), rng) {
        rest = point.len();
        for i in 0..n {
            sobol.next_into(&mut point);
            for (j, &value) in point.iter().enumerate() {
                out[j * n + i] = value;
            }
        }
    }
    for value in &mut out[rest * n..] {
        *value = rng.random();
    }
    out
}

/// Standard normal samples, `d×samples` row-major (one row a dimension).
pub(crate) fn normal_samples(d: usize, samples: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let mut out = coordinates(d, samples, rng);
    for value in &mut out {
        *value = ndtri(value.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
    }
    out
}

/// `n` points of a scrambled Sobol sequence in the unit cube, `n×d`.
pub(crate) fn uniform_points(d: usize, n: usize, rng: &mut dyn Rng) -> Mat<f64> {
    let values = coordinates(d, n, rng);
    Mat::from_fn(n, d, |i, j| values[j * n + i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn normal_samples_have_the_moments_of_the_normal_distribution() {
        let (d, n) = (12, 256);
        let z = normal_samples(d, n, &mut ChaCha8Rng::seed_from_u64(3));
        for row in z.chunks_exact(n) {
            let mean = row.iter().sum::<f64>() / n as f64;
            let variance = row.iter().map(|v| v * v).sum::<f64>() / n as f64;
            assert!(
                mean.abs() < 0.02 && (variance - 1.0).abs() < 0.1,
                "{mean} {variance}"
            );
        }
    }

    #[test]
    fn the_same_generator_gives_the_same_points() {
        let draw = || uniform_points(3, 7, &mut ChaCha8Rng::seed_from_u64(5));
        assert_eq!(draw(), draw());
        assert!(
            draw()
                .col_iter()
                .all(|c| c.iter().all(|v| (0.0..1.0).contains(v)))
        );
    }
}
