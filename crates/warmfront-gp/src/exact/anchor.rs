//! Joint queries of an exact Gaussian process against fixed points.
//!
//! With `β = K⁻¹k(X, A)` computed once, a query costs kernel rows, one product with `L⁻¹` and
//! one with `β`.

use warmfront_linalg::{
    Mat, MatMut, MatRef, ScaledPoints, axpy, dot, lower_matmul, lower_transpose_matmul,
    matvec_transpose,
};

use crate::exact::ExactGp;
use crate::{AnchoredPosterior, AnchoredQuery, JointPosterior};

pub(super) struct AnchoredExactGp<'a> {
    gp: &'a ExactGp,
    anchors: ScaledPoints,
    /// K⁻¹k(X, A), `n×a`.
    weights: Mat<f64>,
    joint: JointPosterior,
}

impl<'a> AnchoredExactGp<'a> {
    pub(super) fn new(gp: &'a ExactGp, anchors: MatRef<'_, f64>) -> Self {
        let (n, a) = (gp.y.len(), anchors.nrows());
        let scaled = gp.kernel.scale(anchors);
        let mut cross = Mat::zeros(n, a);
        gp.kernel.cross_into(&gp.points, &scaled, cross.as_mut());
        let mut white = Mat::zeros(n, a);
        lower_matmul(white.as_mut(), gp.inverse_factor.as_ref(), cross.as_ref());
        lower_transpose_matmul(cross.as_mut(), gp.inverse_factor.as_ref(), white.as_ref());
        Self {
            gp,
            anchors: scaled,
            weights: cross,
            joint: gp.joint(anchors),
        }
    }

    #[track_caller]
    fn check(&self, x: MatRef<'_, f64>) {
        assert!(
            x.ncols() == self.gp.kernel.dim(),
            "query has {} columns, the model {} inputs",
            x.ncols(),
            self.gp.kernel.dim()
        );
    }

    /// Query points scaled, one a column (`d×q`), and their kernel columns with the data (`n×q`).
    fn columns(&self, x: MatRef<'_, f64>) -> (Mat<f64>, Mat<f64>) {
        let (q, d, n) = (x.nrows(), x.ncols(), self.gp.y.len());
        let scaled = self.gp.kernel.scale(x);
        let mut points = Mat::zeros(d, q);
        let mut kernel = Mat::zeros(n, q);
        for i in 0..q {
            scaled.copy_point(i, points.col_as_slice_mut(i));
            self.gp.kernel.column_into(
                &self.gp.points,
                points.col_as_slice(i),
                kernel.col_as_slice_mut(i),
            );
        }
        (points, kernel)
    }
}

impl AnchoredPosterior for AnchoredExactGp<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        self.check(x);
        let (gp, q, a) = (self.gp, x.nrows(), self.anchors.len());
        let (points, kernel) = self.columns(x);
        let factor = gp.standardization.variance_factor();
        let mean = Mat::from_fn(q, 1, |i, _| {
            gp.standardization
                .restore(gp.mean + dot(kernel.col_as_slice(i), &gp.alpha))
        });
        let white: Vec<Vec<f64>> = (0..q).map(|i| gp.whiten(kernel.col_as_slice(i))).collect();
        let mut covariance = if q == 1 {
            Mat::from_fn(1, 1, |_, _| gp.kernel.variance())
        } else {
            gp.kernel.gram(x)
        };
        for j in 0..q {
            for i in j..q {
                let mut value = covariance[(i, j)] - dot(&white[i], &white[j]);
                if i == j {
                    value = value.max(0.0);
                }
                covariance[(i, j)] = value * factor;
                covariance[(j, i)] = value * factor;
            }
        }
        let mut cross = Mat::zeros(q, a);
        let (mut prior, mut explained) = (vec![0.0; a], vec![0.0; a]);
        for i in 0..q {
            gp.kernel
                .column_into(&self.anchors, points.col_as_slice(i), &mut prior);
            matvec_transpose(
                self.weights.as_ref(),
                kernel.col_as_slice(i),
                &mut explained,
            );
            for j in 0..a {
                cross[(i, j)] = (prior[j] - explained[j]) * factor;
            }
        }
        AnchoredQuery {
            mean,
            covariance,
            cross,
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        self.check(x);
        let (gp, q, d, a) = (self.gp, x.nrows(), x.ncols(), self.anchors.len());
        assert!(
            (adjoint.mean.nrows(), adjoint.mean.ncols()) == (q, 1)
                && (adjoint.covariance.nrows(), adjoint.covariance.ncols()) == (q, q)
                && (adjoint.cross.nrows(), adjoint.cross.ncols()) == (q, a)
                && (gradient.nrows(), gradient.ncols()) == (q, d),
            "adjoints {}×{}, {}×{}, {}×{} and gradient {}×{} for {q}×{d} points and {a} anchors",
            adjoint.mean.nrows(),
            adjoint.mean.ncols(),
            adjoint.covariance.nrows(),
            adjoint.covariance.ncols(),
            adjoint.cross.nrows(),
            adjoint.cross.ncols(),
            gradient.nrows(),
            gradient.ncols()
        );
        let (points, kernel) = self.columns(x);
        let (scale, factor) = (
            gp.standardization.scale(),
            gp.standardization.variance_factor(),
        );
        // ∂cov_ij/∂x_i meets both entries (i, j) and (j, i); on the diagonal both roles are i's.
        let symmetric =
            |i: usize, j: usize| (adjoint.covariance[(i, j)] + adjoint.covariance[(j, i)]) * factor;
        let solved: Vec<Vec<f64>> = (0..q)
            .map(|i| gp.unwhiten(&gp.whiten(kernel.col_as_slice(i))))
            .collect();
        let scaled = gp.kernel.scale(x);
        let mut by_anchor = vec![0.0; a];
        for i in 0..q {
            let point = points.col_as_slice(i);
            let mut row = vec![0.0; d];
            let mut weights: Vec<f64> = gp
                .alpha
                .iter()
                .map(|v| v * adjoint.mean[(i, 0)] * scale)
                .collect();
            for (j, w) in solved.iter().enumerate() {
                axpy(-symmetric(i, j), w, &mut weights);
            }
            for (j, by) in by_anchor.iter_mut().enumerate() {
                *by = adjoint.cross[(i, j)] * factor;
                axpy(-*by, self.weights.col_as_slice(j), &mut weights);
            }
            gp.kernel
                .add_input_gradient(&gp.points, point, &mut weights, &mut row);
            gp.kernel
                .add_input_gradient(&self.anchors, point, &mut by_anchor, &mut row);
            // The prior covariance of a point with itself is constant: its difference is zero.
            let mut among: Vec<f64> = (0..q).map(|j| symmetric(i, j)).collect();
            gp.kernel
                .add_input_gradient(&scaled, point, &mut among, &mut row);
            for (k, &g) in row.iter().enumerate() {
                gradient[(i, k)] = g;
            }
        }
    }
}
