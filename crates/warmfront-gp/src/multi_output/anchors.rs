//! Repeated questions about the posterior jointly with fixed points, in standardised units.
//!
//! Models that combine several conditioned models (a weighted sum over earlier tasks, say) work
//! here, below the units of the outcomes: they weigh each output themselves.

use warmfront_linalg::{Mat, MatMut, MatRef, ScaledPoints};

use super::blocks::BlockMatrix;
use super::modes::KernelAdjoint;
use super::{MultiOutputGp, Solver, ops, stationary};

/// Everything about fixed points that queries need.
#[derive(Debug, Clone)]
pub struct PreparedAnchors {
    x: Mat<f64>,
    points: ScaledPoints,
    mean: Mat<f64>,
    covariance: BlockMatrix,
    /// Per factor: its inverse times the prior covariance of the data with the anchors.
    whitened: Vec<Mat<f64>>,
    /// Per factor: the inverse of the covariance of the data times the same.
    reduction: Vec<Mat<f64>>,
}

impl PreparedAnchors {
    /// The anchors, `a×d`.
    pub fn x(&self) -> MatRef<'_, f64> {
        self.x.as_ref()
    }

    /// Number of anchors.
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there are no anchors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Standardised posterior means at the anchors, `a×m`.
    pub fn mean(&self) -> &Mat<f64> {
        &self.mean
    }

    /// Standardised posterior covariance of the anchors.
    pub fn covariance(&self) -> &BlockMatrix {
        &self.covariance
    }
}

/// Kernel evaluations between some query points, the data and anchors, from which posterior and
/// derivatives follow.
#[derive(Debug, Clone)]
pub struct QueryKernels {
    points: ScaledPoints,
    /// `k(X, z)`, `k(A, z)` and `k(z, z)`.
    inputs: Mat<f64>,
    anchors: Mat<f64>,
    queries: Mat<f64>,
    whitened: Vec<Mat<f64>>,
    slopes: Option<Slopes>,
}

impl QueryKernels {
    /// Number of query points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are no query points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What derivatives need besides; a missing slope is the kernel itself.
#[derive(Debug, Clone)]
struct Slopes {
    inputs: Option<Mat<f64>>,
    anchors: Option<Mat<f64>>,
    queries: Option<Mat<f64>>,
    reduction: Vec<Mat<f64>>,
}

/// Posterior at query points and its covariance with anchors, in standardised units.
#[derive(Debug, Clone, PartialEq)]
pub struct StandardizedQuery {
    /// Means, `q×m`.
    pub mean: Mat<f64>,
    /// Covariance among the query points.
    pub covariance: BlockMatrix,
    /// Covariance of anchors (rows) with query points (columns).
    pub cross: BlockMatrix,
}

/// Marginals at query points and their covariance with anchors, in standardised units.
#[derive(Debug, Clone, PartialEq)]
pub struct StandardizedMarginals {
    /// Means, `q×m`.
    pub mean: Mat<f64>,
    /// Variances, `q×m`.
    pub variance: Mat<f64>,
    /// Covariance of anchors (rows) with query points (columns).
    pub cross: BlockMatrix,
}

impl MultiOutputGp {
    /// Computes all that depends on `anchors` (`a×d`) alone.
    ///
    /// # Panics
    /// If `anchors` has the wrong number of columns.
    #[track_caller]
    pub fn prepare(&self, anchors: MatRef<'_, f64>) -> PreparedAnchors {
        self.check_inputs(anchors);
        let points = self.kernel.scaled(anchors);
        let kx = self.kernel.columns(&self.points, &points);
        let k = self.kernel.columns(&points, &points);
        let mean = ops::transpose_times(&kx, &self.coefficients);
        let whitened = self.whitened(&kx);
        let reduction = self.reduction(&whitened);
        let covariance = self.covariance(&k, &whitened, &whitened);
        PreparedAnchors {
            x: anchors.to_owned(),
            points,
            mean,
            covariance,
            whitened,
            reduction,
        }
    }

    /// Appends `anchors` (`b×d`) to those prepared before, at the cost of the new ones only.
    ///
    /// # Panics
    /// If `anchors` has the wrong number of columns.
    #[track_caller]
    pub fn extend(&self, prepared: &PreparedAnchors, anchors: MatRef<'_, f64>) -> PreparedAnchors {
        if anchors.nrows() == 0 {
            return prepared.clone();
        }
        let new = self.prepare(anchors);
        if prepared.is_empty() {
            return new;
        }
        let k = self.kernel.columns(&prepared.points, &new.points);
        let cross = self.covariance(&k, &prepared.whitened, &new.whitened);
        let x = stack_rows(&prepared.x, &new.x);
        let (a, b) = (prepared.len(), new.len());
        let stack = |old: &[Mat<f64>], new: &[Mat<f64>]| {
            old.iter()
                .zip(new)
                .map(|(old, new)| interleave(old, a, new, b))
                .collect()
        };
        PreparedAnchors {
            points: self.kernel.scaled(x.as_ref()),
            x,
            mean: stack_rows(&prepared.mean, &new.mean),
            covariance: prepared.covariance.bordered(&cross, &new.covariance),
            whitened: stack(&prepared.whitened, &new.whitened),
            reduction: stack(&prepared.reduction, &new.reduction),
        }
    }

    fn whitened(&self, kx: &Mat<f64>) -> Vec<Mat<f64>> {
        match &self.solver {
            Solver::Modes(modes) => modes.whitened(kx),
            Solver::Dense(dense) => vec![dense.whitened(kx)],
        }
    }

    fn covariance(&self, k: &Mat<f64>, v1: &[Mat<f64>], v2: &[Mat<f64>]) -> BlockMatrix {
        match &self.solver {
            Solver::Modes(modes) => modes.covariance(k, v1, v2),
            Solver::Dense(dense) => dense.covariance(k, &v1[0], &v2[0]),
        }
    }

    fn reduction(&self, whitened: &[Mat<f64>]) -> Vec<Mat<f64>> {
        match &self.solver {
            Solver::Modes(modes) => modes.reduction(whitened),
            Solver::Dense(dense) => vec![dense.reduction(&whitened[0])],
        }
    }

    fn cross(&self, prepared: &PreparedAnchors, ka: &Mat<f64>, kx: &Mat<f64>) -> BlockMatrix {
        match &self.solver {
            Solver::Modes(modes) => modes.cross(ka, kx, &prepared.reduction),
            Solver::Dense(dense) => dense.cross(ka, kx, &prepared.reduction[0]),
        }
    }

    /// Evaluates the kernel at `x` (`q×d`), with what derivatives need if `differentiate`.
    ///
    /// # Panics
    /// If `x` has the wrong number of columns.
    #[track_caller]
    pub fn evaluate(
        &self,
        prepared: &PreparedAnchors,
        x: MatRef<'_, f64>,
        differentiate: bool,
    ) -> QueryKernels {
        self.check_inputs(x);
        let z = self.kernel.scaled(x);
        if !differentiate {
            let inputs = self.kernel.columns(&self.points, &z);
            return QueryKernels {
                whitened: self.whitened(&inputs),
                inputs,
                anchors: self.kernel.columns(&prepared.points, &z),
                queries: self.kernel.columns(&z, &z),
                points: z,
                slopes: None,
            };
        }
        let (inputs, slope_inputs) = self.kernel.columns_with_slope(&self.points, &z);
        let (anchors, slope_anchors) = self.kernel.columns_with_slope(&prepared.points, &z);
        let (queries, slope_queries) = self.kernel.columns_with_slope(&z, &z);
        let whitened = self.whitened(&inputs);
        let slopes = Slopes {
            inputs: slope_inputs,
            anchors: slope_anchors,
            queries: slope_queries,
            reduction: self.reduction(&whitened),
        };
        QueryKernels {
            points: z,
            inputs,
            anchors,
            queries,
            whitened,
            slopes: Some(slopes),
        }
    }

    /// Joint posterior at the query points and its covariance with the anchors, in standardised
    /// units.
    pub fn query_standardized(
        &self,
        prepared: &PreparedAnchors,
        kernels: &QueryKernels,
    ) -> StandardizedQuery {
        let v = &kernels.whitened;
        StandardizedQuery {
            mean: ops::transpose_times(&kernels.inputs, &self.coefficients),
            covariance: self.covariance(&kernels.queries, v, v),
            cross: self.cross_standardized(prepared, kernels),
        }
    }

    /// Covariance of the anchors (rows) with the posterior at the query points (columns), in
    /// standardised units.
    pub fn cross_standardized(
        &self,
        prepared: &PreparedAnchors,
        kernels: &QueryKernels,
    ) -> BlockMatrix {
        self.cross(prepared, &kernels.anchors, &kernels.inputs)
    }

    /// Marginals at each row of `x` (`q×d`) and their covariance with the anchors, in standardised units.
    ///
    /// # Panics
    /// If `x` has the wrong number of columns.
    #[track_caller]
    pub fn marginals_standardized(
        &self,
        prepared: &PreparedAnchors,
        x: MatRef<'_, f64>,
    ) -> StandardizedMarginals {
        self.check_inputs(x);
        let z = self.kernel.scaled(x);
        let kx = self.kernel.columns(&self.points, &z);
        let v = self.whitened(&kx);
        let prior = self.kernel.variance();
        StandardizedMarginals {
            mean: ops::transpose_times(&kx, &self.coefficients),
            variance: match &self.solver {
                Solver::Modes(modes) => modes.variances(prior, &v),
                Solver::Dense(dense) => dense.variances(prior, &v[0]),
            },
            cross: self.cross(prepared, &self.kernel.columns(&prepared.points, &z), &kx),
        }
    }

    /// Adds to `gradient` (`q×d`) the derivatives of a scalar by the query points, given those by
    /// the answer of a query after output `o` was multiplied by `weights[o]`: `mean` (`q×m`),
    /// `covariance` (`qm×qm`) and, anchors first, `cross` (`am×qm`).
    ///
    /// # Panics
    /// If a shape does not fit, or the kernels were evaluated without derivatives.
    #[track_caller]
    pub fn pullback_weighted(
        &self,
        prepared: &PreparedAnchors,
        kernels: &QueryKernels,
        weights: &[f64],
        mean: MatRef<'_, f64>,
        covariance: MatRef<'_, f64>,
        cross: MatRef<'_, f64>,
        mut gradient: MatMut<'_, f64>,
    ) {
        let (q, a, m) = (kernels.points.len(), prepared.len(), self.outputs);
        assert!(
            weights.len() == m
                && (mean.nrows(), mean.ncols()) == (q, m)
                && (covariance.nrows(), covariance.ncols()) == (q * m, q * m)
                && (cross.nrows(), cross.ncols()) == (a * m, q * m)
                && (gradient.nrows(), gradient.ncols()) == (q, self.kernel.dim()),
            "adjoints of a {}×{} mean, {}×{} covariance and {}×{} cross-covariance into a {}×{} gradient \
             for {q} points, {a} anchors and {m} outputs",
            mean.nrows(),
            mean.ncols(),
            covariance.nrows(),
            covariance.ncols(),
            cross.nrows(),
            cross.ncols(),
            gradient.nrows(),
            gradient.ncols()
        );
        let Some(slopes) = &kernels.slopes else {
            panic!("the kernels were evaluated without derivatives");
        };
        // The transpose, m×q: its columns are what the coefficients multiply.
        let weighted_mean = Mat::from_fn(m, q, |o, i| weights[o] * mean[(i, o)]);
        let mut adjoint = KernelAdjoint {
            inputs: ops::times(&self.coefficients, &weighted_mean),
            anchors: Mat::zeros(a, q),
            queries: Mat::zeros(q, q),
        };
        let (own, reduction) = (&slopes.reduction, &prepared.reduction);
        match &self.solver {
            Solver::Modes(modes) => {
                modes.pullback(weights, own, reduction, covariance, cross, &mut adjoint);
            }
            Solver::Dense(dense) => {
                dense.pullback(
                    weights,
                    &own[0],
                    &reduction[0],
                    covariance,
                    cross,
                    &mut adjoint,
                );
            }
        }
        let z = &kernels.points;
        let slope = slopes.inputs.as_ref().unwrap_or(&kernels.inputs);
        let inputs = stationary::multiply(adjoint.inputs, slope);
        self.kernel
            .add_input_gradient(&self.points, z, &inputs, gradient.as_mut());
        let slope = slopes.anchors.as_ref().unwrap_or(&kernels.anchors);
        let anchors = stationary::multiply(adjoint.anchors, slope);
        self.kernel
            .add_input_gradient(&prepared.points, z, &anchors, gradient.as_mut());
        if q > 1 {
            // Both arguments of k(z, z') move.
            let slope = slopes.queries.as_ref().unwrap_or(&kernels.queries);
            let queries = stationary::multiply(ops::plus_transpose(&adjoint.queries), slope);
            self.kernel.add_input_gradient(z, z, &queries, gradient);
        }
    }
}

fn stack_rows(top: &Mat<f64>, bottom: &Mat<f64>) -> Mat<f64> {
    let n = top.nrows();
    Mat::from_fn(n + bottom.nrows(), top.ncols(), |i, j| {
        if i < n {
            top[(i, j)]
        } else {
            bottom[(i - n, j)]
        }
    })
}

/// Appends `b` columns to each group of `a` columns.
fn interleave(old: &Mat<f64>, a: usize, new: &Mat<f64>, b: usize) -> Mat<f64> {
    let groups = old.ncols() / a;
    let mut out = Mat::zeros(old.nrows(), groups * (a + b));
    for j in 0..out.ncols() {
        let (group, within) = (j / (a + b), j % (a + b));
        let source = if within < a {
            old.col_as_slice(group * a + within)
        } else {
            new.col_as_slice(group * b + within - a)
        };
        out.col_as_slice_mut(j).copy_from_slice(source);
    }
    out
}
