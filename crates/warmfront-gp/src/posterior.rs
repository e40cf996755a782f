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
        let factor =
            JitteredCholesky::factorize(self.covariance.as_ref(), JitterPolicy::default())?;
        let mut base = Mat::zeros(n * m, count);
        for s in 0..count {
            fill_standard_normal(base.col_as_slice_mut(s), rng);
        }
        let mut out = Mat::zeros(n * m, count);
        lower_matmul(out.as_mut(), factor.factor(), base.as_ref());
        for s in 0..count {
            for (r, value) in out.col_as_slice_mut(s).iter_mut().enumerate() {
                *value += self.mean[(r % n, r / n)];
            }
        }
        Ok(out)
    }
}
