//! Predictions of an exact Gaussian process.

use rayon::prelude::*;
use warmfront_linalg::{
    LARGE, Mat, MatMut, MatRef, add_matmul_into, dot, lower_matmul, lower_matmul_square_norms,
    matvec_transpose,
};

use crate::exact::ExactGp;
use crate::{
    AnchoredPosterior, DifferentiableSurrogate, GpError, JointPosterior, Marginals, Surrogate,
};

/// Entries of a kernel block that still fit the second-level cache, twice.
const BLOCK_ENTRIES: usize = 32_768;

/// Points of a block where the data are too many for the cache anyway.
const LARGE_BLOCK: usize = 256;

impl ExactGp {
    #[track_caller]
    pub(super) fn check_columns(&self, columns: usize) {
        assert!(
            columns == self.kernel.dim(),
            "query has {columns} columns, the model {} inputs",
            self.kernel.dim()
        );
    }

    /// Standardised means and variances of a block of points.
    fn predict_block(&self, x: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let (n, c) = (self.y.len(), x.nrows());
        let prior = self.kernel.variance();
        let mut cross = Mat::zeros(n, c);
        self.kernel
            .cross_into(&self.points, &self.kernel.scale(x), cross.as_mut());
        let mut mean = vec![0.0; c];
        matvec_transpose(cross.as_ref(), &self.alpha, &mut mean);
        let explained = if c <= 2 {
            (0..c)
                .map(|j| {
                    let v = self.whiten(cross.col_as_slice(j));
                    dot(&v, &v)
                })
                .collect()
        } else {
            lower_matmul_square_norms(self.inverse_factor.as_ref(), cross.as_ref())
        };
        let variance = explained
            .iter()
            .map(|e: &f64| (prior - e).max(0.0))
            .collect();
        mean.iter_mut().for_each(|m| *m += self.mean);
        (mean, variance)
    }
}

impl Surrogate for ExactGp {
    fn input_dim(&self) -> usize {
        self.kernel.dim()
    }

    fn num_outputs(&self) -> usize {
        1
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        self.check_columns(x.ncols());
        let total = x.nrows();
        let n = self.y.len();
        let size = if n < LARGE {
            (BLOCK_ENTRIES / n.max(1)).clamp(64, 512)
        } else {
            LARGE_BLOCK
        };
        let block = |b: usize| {
            let start = b * size;
            self.predict_block(x.subrows(start, size.min(total - start)))
        };
        let count = total.div_ceil(size);
        let blocks: Vec<_> = if count > 2 {
            (0..count).into_par_iter().map(block).collect()
        } else {
            (0..count).map(block).collect()
        };
        let mut out = Marginals {
            mean: Mat::zeros(total, 1),
            variance: Mat::zeros(total, 1),
        };
        let factor = self.standardization.variance_factor();
        let mut i = 0;
        for (mean, variance) in blocks {
            for (m, v) in mean.into_iter().zip(variance) {
                out.mean[(i, 0)] = self.standardization.restore(m);
                out.variance[(i, 0)] = v * factor;
                i += 1;
            }
        }
        out
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        self.check_columns(x.ncols());
        Ok(self.joint(x))
    }
}

impl ExactGp {
    /// The joint posterior in data units; only products, so nothing can fail.
    pub(super) fn joint(&self, x: MatRef<'_, f64>) -> JointPosterior {
        let (n, c) = (self.y.len(), x.nrows());
        let mut cross = Mat::zeros(n, c);
        self.kernel
            .cross_into(&self.points, &self.kernel.scale(x), cross.as_mut());
        let mut standardized = vec![0.0; c];
        matvec_transpose(cross.as_ref(), &self.alpha, &mut standardized);
        let mut white = Mat::zeros(n, c);
        lower_matmul(white.as_mut(), self.inverse_factor.as_ref(), cross.as_ref());
        let mut covariance = self.kernel.gram(x);
        add_matmul_into(covariance.as_mut(), white.transpose(), white.as_ref(), -1.0);
        let factor = self.standardization.variance_factor();
        for j in 0..c {
            for i in j..c {
                let value = if i == j {
                    covariance[(j, j)].max(0.0)
                } else {
                    covariance[(i, j)]
                } * factor;
                covariance[(i, j)] = value;
                covariance[(j, i)] = value;
            }
        }
        let mean = Mat::from_fn(c, 1, |i, _| {
            self.standardization.restore(standardized[i] + self.mean)
        });
        JointPosterior { mean, covariance }
    }
}

impl DifferentiableSurrogate for ExactGp {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (n, d) = (self.y.len(), self.kernel.dim());
        self.check_columns(x.len());
        for (name, m) in [("mean", &dmean), ("variance", &dvariance)] {
            assert!(
                m.nrows() == d && m.ncols() == 1,
                "gradient of the {name} is {}×{}, expected {d}×1",
                m.nrows(),
                m.ncols()
            );
        }
        let mut point = vec![0.0; d];
        self.kernel.scale_point(x, &mut point);
        let mut k = vec![0.0; n];
        self.points.squared_distances_to(&point, 0, &mut k);
        let mut slope = k.clone();
        self.kernel.apply(&mut k);
        self.kernel.apply_slope(&mut slope);
        let white = self.whiten(&k);
        let solved = self.unwhiten(&white);
        let mean = self.mean + dot(&k, &self.alpha);
        let variance = (self.kernel.variance() - dot(&white, &white)).max(0.0);

        let (scale, factor) = (
            self.standardization.scale(),
            self.standardization.variance_factor(),
        );
        let mut sums = vec![0.0; d];
        let mut weights: Vec<f64> = slope.iter().zip(&self.alpha).map(|(s, a)| s * a).collect();
        self.points
            .add_weighted_differences(&point, 0, &weights, &mut sums);
        for (k, (sum, inverse)) in sums
            .iter_mut()
            .zip(self.kernel.inverse_lengthscales())
            .enumerate()
        {
            dmean[(k, 0)] = *sum * inverse * scale;
            *sum = 0.0;
        }
        for ((w, s), v) in weights.iter_mut().zip(&slope).zip(&solved) {
            *w = -2.0 * s * v;
        }
        self.points
            .add_weighted_differences(&point, 0, &weights, &mut sums);
        for (k, (sum, inverse)) in sums
            .iter()
            .zip(self.kernel.inverse_lengthscales())
            .enumerate()
        {
            dvariance[(k, 0)] = sum * inverse * factor;
        }
        (
            vec![self.standardization.restore(mean)],
            vec![variance * factor],
        )
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        self.check_columns(anchors.ncols());
        Box::new(super::anchor::AnchoredExactGp::new(self, anchors))
    }
}
