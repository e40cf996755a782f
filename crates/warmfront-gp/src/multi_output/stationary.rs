//! The stationary base kernel, evaluated column by column over scaled points.

use warmfront_linalg::{Mat, MatMut, MatRef, ScaledPoints, matern52_with_slope};

use crate::{ArdKernel, KernelKind};

/// A stationary kernel evaluated together with its *slope* `−2 dk/d(r²)`, which is all that both
/// kinds of derivative need: by a log lengthscale, slope·(scaled difference)²; by an input,
/// −slope·(scaled difference)/lengthscale.
#[derive(Debug, Clone)]
pub(super) struct Stationary(ArdKernel);

impl Stationary {
    pub(super) fn new(kind: KernelKind, lengthscales: &[f64], variance: f64) -> Self {
        Self(ArdKernel::new(kind, lengthscales.to_vec(), variance))
    }

    pub(super) fn dim(&self) -> usize {
        self.0.dim()
    }

    pub(super) fn variance(&self) -> f64 {
        self.0.variance()
    }

    pub(super) fn scaled(&self, x: MatRef<'_, f64>) -> ScaledPoints {
        self.0.scale(x)
    }

    /// `k(points, queries)`, one column per query.
    pub(super) fn columns(&self, points: &ScaledPoints, queries: &ScaledPoints) -> Mat<f64> {
        let mut out = Mat::zeros(points.len(), queries.len());
        let mut point = vec![0.0; self.dim()];
        for j in 0..queries.len() {
            queries.copy_point(j, &mut point);
            self.0.column_into(points, &point, out.col_as_slice_mut(j));
        }
        out
    }

    /// [`columns`](Self::columns) and the slopes; no second matrix where the slope is the kernel itself.
    pub(super) fn columns_with_slope(
        &self,
        points: &ScaledPoints,
        queries: &ScaledPoints,
    ) -> (Mat<f64>, Option<Mat<f64>>) {
        if self.0.kind() == KernelKind::Rbf {
            return (self.columns(points, queries), None);
        }
        let mut out = Mat::zeros(points.len(), queries.len());
        let mut slope = Mat::zeros(points.len(), queries.len());
        let mut point = vec![0.0; self.dim()];
        for j in 0..queries.len() {
            queries.copy_point(j, &mut point);
            let column = out.col_as_slice_mut(j);
            points.squared_distances_to(&point, 0, column);
            matern52_with_slope(column, slope.col_as_slice_mut(j), self.variance());
        }
        (out, Some(slope))
    }

    /// Adds to `out[k]` the sum of `weights_ij` times the derivative of `k(x_i, x_j)` by log lengthscale `k`.
    ///
    /// `weighted_slope` (`n×n`, symmetric) is the elementwise product of the weights and the slopes.
    pub(super) fn add_lengthscale_gradient(
        points: &ScaledPoints,
        weighted_slope: &Mat<f64>,
        out: &mut [f64],
    ) {
        let n = points.len();
        let mut point = vec![0.0; points.dim()];
        let mut half = vec![0.0; points.dim()];
        for j in 0..n {
            points.copy_point(j, &mut point);
            points.add_weighted_squares(&point, j, &weighted_slope.col_as_slice(j)[j..], &mut half);
        }
        for (o, h) in out.iter_mut().zip(&half) {
            *o += 2.0 * h;
        }
    }

    /// Adds to row `j` of `gradient` the sum over `i` of `weighted_slope_ij` times what the
    /// derivative of `k(points_i, query_j)` by query `j` leaves beside its slope.
    pub(super) fn add_input_gradient(
        &self,
        points: &ScaledPoints,
        queries: &ScaledPoints,
        weighted_slope: &Mat<f64>,
        mut gradient: MatMut<'_, f64>,
    ) {
        let d = self.dim();
        let mut point = vec![0.0; d];
        let mut sums = vec![0.0; d];
        for j in 0..queries.len() {
            queries.copy_point(j, &mut point);
            sums.fill(0.0);
            points.add_weighted_differences(&point, 0, weighted_slope.col_as_slice(j), &mut sums);
            for k in 0..d {
                gradient[(j, k)] += sums[k] * self.0.inverse_lengthscales()[k];
            }
        }
    }
}

/// Multiplies `weights` elementwise by `slope`.
pub(super) fn multiply(mut weights: Mat<f64>, slope: &Mat<f64>) -> Mat<f64> {
    for j in 0..weights.ncols() {
        for (w, s) in weights
            .col_as_slice_mut(j)
            .iter_mut()
            .zip(slope.col_as_slice(j))
        {
            *w *= s;
        }
    }
    weights
}
