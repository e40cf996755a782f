//! Predictions and gradients at several points at once, for searches that move many points together.

use warmfront_linalg::{
    Mat, MatRef, column_square_norms, dot, lower_matmul, lower_transpose_matmul, matvec_transpose,
};

use crate::exact::ExactGp;

/// Marginal moments at `b` points with their gradients, in data units.
#[derive(Debug, Clone, PartialEq)]
pub struct PointGradients {
    /// Means, length `b`.
    pub mean: Vec<f64>,
    /// Variances of the latent function, length `b`.
    pub variance: Vec<f64>,
    /// Gradients of the means, `d×b`, one point a column.
    pub dmean: Mat<f64>,
    /// Gradients of the variances, `d×b`, one point a column.
    pub dvariance: Mat<f64>,
}

impl ExactGp {
    /// Posterior means at the rows of `x` (`b×d`), in O(n·d) for each.
    ///
    /// # Panics
    /// If `x` does not have `d` columns.
    #[track_caller]
    pub fn means(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        self.check_columns(x.ncols());
        let mut column = vec![0.0; self.y.len()];
        let scaled = self.kernel.scale(x);
        let mut point = vec![0.0; self.kernel.dim()];
        (0..x.nrows())
            .map(|i| {
                scaled.copy_point(i, &mut point);
                self.kernel.column_into(&self.points, &point, &mut column);
                self.standardization
                    .restore(self.mean + dot(&column, &self.alpha))
            })
            .collect()
    }

    /// Writes the gradient of the posterior mean at `x` (length `d`) and returns the mean, in O(n·d).
    ///
    /// # Panics
    /// If a length is not `d`.
    #[track_caller]
    pub fn mean_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.check_columns(x.len());
        self.check_columns(gradient.len());
        let mut point = vec![0.0; x.len()];
        self.kernel.scale_point(x, &mut point);
        let mut column = vec![0.0; self.y.len()];
        self.kernel.column_into(&self.points, &point, &mut column);
        let mean = self.mean + dot(&column, &self.alpha);
        column.copy_from_slice(&self.alpha);
        gradient.fill(0.0);
        self.kernel
            .add_input_gradient(&self.points, &point, &mut column, gradient);
        for g in gradient {
            *g *= self.standardization.scale();
        }
        self.standardization.restore(mean)
    }

    /// Moments and gradients at the rows of `x` (`b×d`), with two triangular products for all of them.
    ///
    /// # Panics
    /// If `x` does not have `d` columns.
    #[track_caller]
    pub fn predict_gradients(&self, x: MatRef<'_, f64>) -> PointGradients {
        self.check_columns(x.ncols());
        let (n, d, b) = (self.y.len(), x.ncols(), x.nrows());
        let scaled = self.kernel.scale(x);
        let mut cross = Mat::zeros(n, b);
        self.kernel
            .cross_into(&self.points, &scaled, cross.as_mut());
        let mut mean = vec![0.0; b];
        matvec_transpose(cross.as_ref(), &self.alpha, &mut mean);
        let mut white = Mat::zeros(n, b);
        lower_matmul(white.as_mut(), self.inverse_factor.as_ref(), cross.as_ref());
        let explained = column_square_norms(white.as_ref());
        lower_transpose_matmul(cross.as_mut(), self.inverse_factor.as_ref(), white.as_ref());

        let (scale, factor) = (
            self.standardization.scale(),
            self.standardization.variance_factor(),
        );
        let (mut dmean, mut dvariance) = (Mat::zeros(d, b), Mat::zeros(d, b));
        let mut point = vec![0.0; d];
        let mut weights = vec![0.0; n];
        for j in 0..b {
            scaled.copy_point(j, &mut point);
            for (w, a) in weights.iter_mut().zip(&self.alpha) {
                *w = a * scale;
            }
            let by_mean = dmean.col_as_slice_mut(j);
            self.kernel
                .add_input_gradient(&self.points, &point, &mut weights, by_mean);
            for (w, s) in weights.iter_mut().zip(cross.col_as_slice(j)) {
                *w = -2.0 * factor * s;
            }
            let by_variance = dvariance.col_as_slice_mut(j);
            self.kernel
                .add_input_gradient(&self.points, &point, &mut weights, by_variance);
        }
        PointGradients {
            mean: mean
                .iter()
                .map(|m| self.standardization.restore(m + self.mean))
                .collect(),
            variance: explained
                .iter()
                .map(|e| (self.kernel.variance() - e).max(0.0) * factor)
                .collect(),
            dmean,
            dvariance,
        }
    }
}

/// Moments near some points, with `K⁻¹k` kept from these points: a step of a search costs O(n·d)
/// instead of O(n²). Made by [`ExactGp::lagged`].
///
/// Means and their gradients are exact. Variances are `k(x,x) − 2kᵀs + sᵀKs` with `s` kept from the
/// anchor: never below the exact ones, and equal to second order in the distance from the anchor.
#[derive(Debug)]
pub struct LaggedPosterior<'a> {
    gp: &'a ExactGp,
    /// `K⁻¹k` of each anchor, `n×b`.
    solved: Mat<f64>,
    /// `sᵀKs` of each anchor.
    explained: Vec<f64>,
    column: Vec<f64>,
    weights: Vec<f64>,
    point: Vec<f64>,
}

impl ExactGp {
    /// Moments near the rows of `x` (`b×d`).
    ///
    /// # Panics
    /// If `x` does not have `d` columns.
    #[track_caller]
    pub fn lagged(&self, x: MatRef<'_, f64>) -> LaggedPosterior<'_> {
        self.check_columns(x.ncols());
        let (n, b) = (self.y.len(), x.nrows());
        let mut solved = Mat::zeros(n, b);
        self.kernel
            .cross_into(&self.points, &self.kernel.scale(x), solved.as_mut());
        let mut white = Mat::zeros(n, b);
        lower_matmul(
            white.as_mut(),
            self.inverse_factor.as_ref(),
            solved.as_ref(),
        );
        let explained = column_square_norms(white.as_ref());
        lower_transpose_matmul(
            solved.as_mut(),
            self.inverse_factor.as_ref(),
            white.as_ref(),
        );
        LaggedPosterior {
            gp: self,
            solved,
            explained,
            column: vec![0.0; n],
            weights: vec![0.0; n],
            point: vec![0.0; self.kernel.dim()],
        }
    }
}

impl LaggedPosterior<'_> {
    /// Writes the gradient of a function of mean and variance at `x` near anchor `j`; returns its value.
    ///
    /// `function` takes mean and variance in data units and returns its value and its derivatives
    /// by both.
    ///
    /// # Panics
    /// If there is no anchor `j` or a length is not `d`.
    #[track_caller]
    pub fn gradient(
        &mut self,
        j: usize,
        x: &[f64],
        function: impl FnOnce(f64, f64) -> (f64, f64, f64),
        gradient: &mut [f64],
    ) -> f64 {
        let gp = self.gp;
        gp.check_columns(x.len());
        gp.check_columns(gradient.len());
        let solved = self.solved.col_as_slice(j);
        gp.kernel.scale_point(x, &mut self.point);
        gp.kernel
            .column_into(&gp.points, &self.point, &mut self.column);
        let mean = gp.mean + dot(&self.column, &gp.alpha);
        let explained = 2.0 * dot(&self.column, solved) - self.explained[j];
        let (scale, factor) = (
            gp.standardization.scale(),
            gp.standardization.variance_factor(),
        );
        let variance = (gp.kernel.variance() - explained).max(0.0) * factor;
        let (value, by_mean, by_variance) = function(gp.standardization.restore(mean), variance);
        let (by_mean, by_variance) = (by_mean * scale, -2.0 * by_variance * factor);
        for ((w, a), s) in self.weights.iter_mut().zip(&gp.alpha).zip(solved) {
            *w = by_mean * a + by_variance * s;
        }
        gradient.fill(0.0);
        gp.kernel
            .add_input_gradient(&gp.points, &self.point, &mut self.weights, gradient);
        value
    }
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;
    use crate::{
        Dataset, DifferentiableSurrogate, Hyperparameters, KernelKind, Standardization, Surrogate,
    };

    fn model(kind: KernelKind, n: usize) -> ExactGp {
        let x = Mat::from_fn(n, 2, |i, k| ((i * (k + 3)) as f64 * 0.37).fract());
        let y = Mat::from_fn(n, 1, |i, _| 40.0 * (3.0 * x[(i, 0)]).sin() + x[(i, 1)]);
        let h = Hyperparameters {
            lengthscales: vec![0.4, 0.9],
            outputscale: 1.3,
            noise: 1e-3,
            mean: 0.2,
        };
        let s = Standardization::of(y.col_as_slice(0));
        let data = Dataset::new(x, y).expect("finite");
        ExactGp::with_hyperparameters(&data, kind, &h, s).expect("regular")
    }

    #[test]
    fn batches_agree_with_single_points() {
        for kind in [KernelKind::Rbf, KernelKind::Matern52] {
            let gp = model(kind, 12);
            let x = Mat::from_fn(4, 2, |i, k| 0.1 + 0.2 * i as f64 + 0.05 * k as f64);
            let batch = gp.predict_gradients(x.as_ref());
            let means = gp.means(x.as_ref());
            for i in 0..4 {
                let point = [x[(i, 0)], x[(i, 1)]];
                let (mut dm, mut dv) = (Mat::zeros(2, 1), Mat::zeros(2, 1));
                let (mean, variance) = gp.predict_gradient(&point, dm.as_mut(), dv.as_mut());
                let mut gradient = [0.0; 2];
                let alone = gp.mean_gradient(&point, &mut gradient);
                for value in [batch.mean[i], means[i], alone] {
                    assert_close(value, mean[0], 1e-11, 1e-11, "mean");
                }
                assert_close(batch.variance[i], variance[0], 1e-8, 1e-10, "variance");
                for k in 0..2 {
                    assert_close(batch.dmean[(k, i)], dm[(k, 0)], 1e-9, 1e-9, "∂mean");
                    assert_close(gradient[k], dm[(k, 0)], 1e-9, 1e-9, "∂mean alone");
                    assert_close(batch.dvariance[(k, i)], dv[(k, 0)], 1e-7, 1e-8, "∂variance");
                }
            }
        }
    }

    #[test]
    fn lagged_moments_are_exact_at_the_anchor_and_bound_the_variance_near_it() {
        for kind in [KernelKind::Rbf, KernelKind::Matern52] {
            let gp = model(kind, 30);
            let d = gp.input_dim();
            let anchors = Mat::from_fn(3, d, |i, k| 0.2 + 0.15 * (i + 2 * k) as f64);
            let mut lagged = gp.lagged(anchors.as_ref());
            let exact = gp.predict_gradients(anchors.as_ref());
            let bound = |m: f64, v: f64| (m - 2.0 * v, 1.0, -2.0);
            for j in 0..3 {
                let x: Vec<f64> = anchors.row(j).iter().copied().collect();
                let mut gradient = vec![0.0; d];
                let value = lagged.gradient(j, &x, bound, &mut gradient);
                assert_close(
                    value,
                    exact.mean[j] - 2.0 * exact.variance[j],
                    1e-9,
                    1e-9,
                    "bound",
                );
                for k in 0..d {
                    let own = exact.dmean[(k, j)] - 2.0 * exact.dvariance[(k, j)];
                    assert_close(gradient[k], own, 1e-8, 1e-8, "gradient");
                }
                let mut excess = |step: f64| {
                    let near: Vec<f64> = x.iter().map(|v| v + step).collect();
                    let at = gp.predict_gradients(Mat::from_fn(1, d, |_, k| near[k]).as_ref());
                    let own = lagged.gradient(j, &near, |_, v| (v, 0.0, 1.0), &mut gradient);
                    own - at.variance[0]
                };
                // Of second order: a tenth of the step, a hundredth of the excess.
                let (far, close) = (excess(0.02), excess(0.002));
                assert!(close >= 0.0 && close < 0.02 * far, "{close}, {far}");
            }
        }
    }

    #[test]
    fn growing_twice_is_conditioning_on_everything() {
        let all = model(KernelKind::Rbf, 20);
        let data = |from: usize, to: usize| {
            let x = all.x().subrows(from, to - from).to_owned();
            let y: Vec<f64> = (from..to)
                .map(|i| all.standardization().restore(all.standardized_y()[i]))
                .collect();
            (x, y)
        };
        let (x, y) = data(0, 8);
        let start = Dataset::new(x, Mat::from_fn(8, 1, |i, _| y[i])).expect("finite");
        let mut grown = ExactGp::with_hyperparameters(
            &start,
            KernelKind::Rbf,
            &all.hyperparameters(),
            all.standardization(),
        )
        .expect("regular");
        for (from, to) in [(8, 9), (9, 20)] {
            let (x, y) = data(from, to);
            grown = grown.condition_on(x.as_ref(), &y).expect("regular");
        }
        let at = Mat::from_fn(5, 2, |i, k| 0.15 * i as f64 + 0.1 * k as f64);
        let (a, b) = (grown.predict(at.as_ref()), all.predict(at.as_ref()));
        for i in 0..5 {
            assert_close(a.mean[(i, 0)], b.mean[(i, 0)], 1e-8, 1e-8, "mean");
            assert_close(
                a.variance[(i, 0)],
                b.variance[(i, 0)],
                1e-5,
                1e-8,
                "variance",
            );
        }
    }
}
