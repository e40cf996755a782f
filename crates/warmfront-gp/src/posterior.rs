//! Samples from joint posteriors.

use rand::Rng;
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, lower_matmul};
use warmfront_math::distribution::fill_standard_normal;

use crate::{GpError, JointPosterior};

impl JointPosterior {
    /// Draws `count` joint samples, one a column (`nm×count`, stacked objective-major like the covariance).
    ///
    /// # Errors
    /// If the covariance cannot be factorised even with jitter.
    pub fn sample(&self, count: usize, rng: &mut dyn Rng) -> Result<Mat<f64>, GpError> {
        let (n, m) = (self.mean.nrows(), self.mean.ncols());
        let scale = self.row_scales();
        let scaled = Mat::from_fn(n * m, n * m, |i, j| {
            if scale[i] > 0.0 && scale[j] > 0.0 {
                self.covariance[(i, j)] / scale[i] / scale[j]
            } else {
                // A constant takes part in nothing; its base sample is multiplied with 0 below.
                f64::from(u8::from(i == j))
            }
        });
        let factor = JitteredCholesky::factorize(scaled.as_ref(), JitterPolicy::default())?;
        let mut base = Mat::zeros(n * m, count);
        for s in 0..count {
            fill_standard_normal(base.col_as_slice_mut(s), rng);
        }
        let mut out = Mat::zeros(n * m, count);
        lower_matmul(out.as_mut(), factor.factor(), base.as_ref());
        for s in 0..count {
            for (r, value) in out.col_as_slice_mut(s).iter_mut().enumerate() {
                *value = self.mean[(r % n, r / n)] + scale[r] * *value;
            }
        }
        Ok(out)
    }

    /// What each row of the covariance is divided by before it is factorised: the root mean square
    /// deviation of its output, 0 for a variable without variance.
    ///
    /// Outputs differ in unit, and jitter must be relative to each. Rows of one output share a scale:
    /// correlations of variances that are themselves rounding errors would be arbitrary numbers.
    fn row_scales(&self) -> Vec<f64> {
        let (n, m) = (self.mean.nrows(), self.mean.ncols());
        let variance = |r: usize| self.covariance[(r, r)];
        let mut scales = Vec::with_capacity(n * m);
        for o in 0..m {
            let rows = o * n..(o + 1) * n;
            let mean: f64 = rows.clone().map(|r| variance(r).max(0.0) / n as f64).sum();
            let scale = mean.sqrt();
            scales.extend(rows.map(|r| if variance(r) > 0.0 { scale } else { 0.0 }));
        }
        scales
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Two independent outputs with a smooth, numerically singular correlation over `n` points.
    fn joint(n: usize, deviations: [f64; 2]) -> JointPosterior {
        JointPosterior {
            mean: Mat::from_fn(n, 2, |_, o| 3.0 * deviations[o]),
            covariance: Mat::from_fn(2 * n, 2 * n, |r, c| {
                if r / n != c / n {
                    return 0.0;
                }
                let distance = ((r % n) as f64 - (c % n) as f64) / n as f64;
                deviations[r / n].powi(2) * (-2.0 * distance * distance).exp()
            }),
        }
    }

    #[test]
    fn outputs_of_different_unit_are_sampled_equally_well() {
        let (n, count) = (30, 2000);
        let deviations = [1e6, 1e-3];
        let joint = joint(n, deviations);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws = joint.sample(count, &mut rng).unwrap();
        for (o, deviation) in deviations.into_iter().enumerate() {
            let at = |i: usize, s: usize| draws[(o * n + i, s)] / deviation - 3.0;
            let mean_square = (0..count).map(|s| at(7, s).powi(2)).sum::<f64>() / count as f64;
            assert!((mean_square - 1.0).abs() < 0.1, "{o}: {mean_square}");
            // A smooth process hardly moves between neighbours, in whichever unit.
            let expected = 2.0 * (1.0 - (-2.0 / (n * n) as f64).exp());
            let step = (0..count)
                .map(|s| (at(8, s) - at(7, s)).powi(2))
                .sum::<f64>()
                / count as f64;
            assert!((step / expected - 1.0).abs() < 0.1, "{o}: {step}");
        }
    }

    #[test]
    fn variables_without_variance_are_their_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let constant = joint(4, [0.0, 2.0]).sample(5, &mut rng).unwrap();
        for s in 0..5 {
            assert!((0..4).all(|i| constant[(i, s)].abs() < 1e-300));
        }
        let mut known = joint(4, [1.0, 2.0]);
        for r in 0..8 {
            known.covariance[(5, r)] = 0.0;
            known.covariance[(r, 5)] = 0.0;
        }
        let draws = known.sample(5, &mut rng).unwrap();
        assert!((0..5).all(|s| (draws[(5, s)] - 6.0).abs() < 1e-12));
    }
}
