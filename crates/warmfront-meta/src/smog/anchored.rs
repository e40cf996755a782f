//! Joint queries against fixed anchors, and their exact pullback.

use std::sync::Arc;

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, JointPosterior, PreparedAnchors, QueryKernels, Surrogate,
};
use warmfront_linalg::{Mat, MatMut, MatRef, add_matmul_into, matmul};

use super::model::{SmogModel, add_weighted_mean};

/// A model with anchors.
///
/// All covariances are first taken with a list of points: the target's, then those anchors that are
/// not among them. Observed points are what acquisition functions anchor, so the list seldom grows.
pub(super) struct Anchored<'a> {
    model: &'a SmogModel,
    prepared: Vec<Arc<PreparedAnchors>>,
    /// Where in the list of points each anchor is.
    positions: Vec<usize>,
    /// Length of the list.
    points: usize,
    /// `C⁻¹` times the prior covariance of the target's points with the anchors, `nO×aO`.
    reduction: Mat<f64>,
    joint: JointPosterior,
}

/// The prior of some queries.
struct Prior {
    mean: Mat<f64>,
    covariance: Mat<f64>,
    /// Points (rows) with queries (columns).
    cross: Mat<f64>,
}

impl SmogModel {
    pub(super) fn evaluate<'a>(
        &self,
        prepared: impl Iterator<Item = &'a PreparedAnchors>,
        x: MatRef<'_, f64>,
    ) -> Vec<QueryKernels> {
        self.components
            .iter()
            .zip(prepared)
            .map(|(component, prepared)| self.gp(component).evaluate(prepared, x, true))
            .collect()
    }

    /// Prior covariance of `points` prepared points (rows) with the queries (columns).
    pub(super) fn prior_cross<'a>(
        &self,
        prepared: impl Iterator<Item = &'a PreparedAnchors>,
        kernels: &[QueryKernels],
        points: usize,
        queries: usize,
    ) -> Mat<f64> {
        let m = self.num_outputs();
        let mut cross = Mat::zeros(points * m, queries * m);
        for ((component, prepared), kernels) in self.components.iter().zip(prepared).zip(kernels) {
            let answer = self.gp(component).cross_standardized(prepared, kernels);
            answer.add_weighted_to(&component.weights, cross.as_mut());
        }
        cross
    }
}

/// Position of each anchor among the points, and those rows of `anchors` that are new.
fn locate(known: MatRef<'_, f64>, anchors: MatRef<'_, f64>) -> (Vec<usize>, Mat<f64>) {
    let d = anchors.ncols();
    let same =
        |i: usize, j: usize| (0..d).all(|k| known[(i, k)].to_bits() == anchors[(j, k)].to_bits());
    let mut fresh = Vec::new();
    let positions = (0..anchors.nrows())
        .map(|j| {
            (0..known.nrows()).find(|&i| same(i, j)).unwrap_or_else(|| {
                fresh.push(j);
                known.nrows() + fresh.len() - 1
            })
        })
        .collect();
    (
        positions,
        Mat::from_fn(fresh.len(), d, |i, k| anchors[(fresh[i], k)]),
    )
}

/// Rows of an objective-major matrix over `from` points, at these of them.
fn rows(
    matrix: &Mat<f64>,
    from: usize,
    m: usize,
    positions: impl Fn(usize) -> usize,
    to: usize,
) -> Mat<f64> {
    let mut out = Mat::zeros(to * m, matrix.ncols());
    for j in 0..matrix.ncols() {
        let (source, target) = (matrix.col_as_slice(j), out.col_as_slice_mut(j));
        for o in 0..m {
            for k in 0..to {
                target[o * to + k] = source[o * from + positions(k)];
            }
        }
    }
    out
}

/// `out −= aᵀb`.
fn subtract_product(a: &Mat<f64>, b: &Mat<f64>, out: &mut Mat<f64>) {
    if a.nrows() > 0 && out.nrows() > 0 && out.ncols() > 0 {
        add_matmul_into(out.as_mut(), a.as_ref().transpose(), b.as_ref(), -1.0);
    }
}

/// Multiplies the entry of outputs `o`, `p` by `s_o s_p`; blocks are `r×c`.
fn scale(matrix: &Mat<f64>, s: &[f64], r: usize, c: usize) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| {
        matrix[(i, j)] * s[i / r] * s[j / c]
    })
}

impl<'a> Anchored<'a> {
    pub(super) fn new(model: &'a SmogModel, anchors: MatRef<'_, f64>) -> Self {
        let (n, m, a) = (model.x.nrows(), model.num_outputs(), anchors.nrows());
        let (positions, fresh) = locate(model.x.as_ref(), anchors);
        let points = n + fresh.nrows();
        let prepared: Vec<Arc<PreparedAnchors>> = model
            .components
            .iter()
            .map(|component| {
                if fresh.nrows() == 0 {
                    Arc::clone(&component.target)
                } else {
                    Arc::new(
                        model
                            .gp(component)
                            .extend(&component.target, fresh.as_ref()),
                    )
                }
            })
            .collect();

        // Prior of points and anchors, from what the components have ready.
        let mut mean = Mat::from_fn(a, m, |_, o| model.constant[o]);
        let mut among = Mat::zeros(points * m, if a > 0 { points * m } else { 0 });
        if a > 0 {
            for (component, prepared) in model.components.iter().zip(&prepared) {
                let weights = &component.weights;
                prepared
                    .covariance()
                    .add_weighted_to(weights, among.as_mut());
                for o in 0..m {
                    for (i, &position) in positions.iter().enumerate() {
                        mean[(i, o)] += weights[o] * prepared.mean()[(position, o)];
                    }
                }
            }
        }
        let mut with_anchors = Mat::zeros(points * m, a * m);
        for o in 0..m {
            for (j, &position) in positions.iter().enumerate() {
                with_anchors
                    .col_as_slice_mut(o * a + j)
                    .copy_from_slice(among.col_as_slice(o * points + position));
            }
        }
        let target = rows(&with_anchors, points, m, |k| k, n);
        let mut covariance = rows(&with_anchors, points, m, |k| positions[k], a);
        model.add_correction(&target, &mut mean);
        let v = model.apply_whiten(&target);
        subtract_product(&v, &v, &mut covariance);
        let joint = JointPosterior {
            mean: model.own_units(&mean),
            covariance: scale(&covariance, &model.scaling.deviations(), a, a),
        };
        let reduction = model.apply_whiten_transpose(&v);
        Self {
            model,
            prepared,
            positions,
            points,
            reduction,
            joint,
        }
    }

    fn prior(&self, x: MatRef<'_, f64>) -> Prior {
        let model = self.model;
        let (q, m) = (x.nrows(), model.num_outputs());
        let mut mean = Mat::from_fn(q, m, |_, o| model.constant[o]);
        let mut covariance = Mat::zeros(q * m, q * m);
        let mut cross = Mat::zeros(self.points * m, q * m);
        for (component, prepared) in model.components.iter().zip(&self.prepared) {
            let weights = &component.weights;
            let gp = model.gp(component);
            let answer = gp.query_standardized(prepared, &gp.evaluate(prepared, x, false));
            add_weighted_mean(weights, &answer.mean, &mut mean);
            answer
                .covariance
                .add_weighted_to(weights, covariance.as_mut());
            answer.cross.add_weighted_to(weights, cross.as_mut());
        }
        Prior {
            mean,
            covariance,
            cross,
        }
    }

    fn target_rows(&self, cross: &Mat<f64>) -> Mat<f64> {
        rows(
            cross,
            self.points,
            self.model.num_outputs(),
            |k| k,
            self.model.x.nrows(),
        )
    }

    fn anchor_rows(&self, cross: &Mat<f64>) -> Mat<f64> {
        let m = self.model.num_outputs();
        rows(
            cross,
            self.points,
            m,
            |k| self.positions[k],
            self.positions.len(),
        )
    }
}

impl AnchoredPosterior for Anchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let model = self.model;
        let (q, a) = (x.nrows(), self.positions.len());
        let Prior {
            mut mean,
            mut covariance,
            cross,
        } = self.prior(x);
        let (target, mut cross) = (self.target_rows(&cross), self.anchor_rows(&cross));
        let deviations = model.scaling.deviations();
        model.add_correction(&target, &mut mean);
        let v = model.apply_whiten(&target);
        subtract_product(&v, &v, &mut covariance);
        subtract_product(&self.reduction, &target, &mut cross);
        AnchoredQuery {
            mean: model.own_units(&mean),
            covariance: scale(&covariance, &deviations, q, q),
            cross: Mat::from_fn(cross.ncols(), cross.nrows(), |i, j| {
                cross[(j, i)] * deviations[i / q] * deviations[j / a]
            }),
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        let model = self.model;
        let (q, m, n, a) = (
            x.nrows(),
            model.num_outputs(),
            model.x.nrows(),
            self.positions.len(),
        );
        let s = model.scaling.deviations();
        // Adjoints in standardised units; the mean is scaled by the scale itself, not its bounded
        // deviation.
        let mean = Mat::from_fn(q, m, |i, o| adjoint.mean[(i, o)] * model.scaling.scale[o]);
        let covariance = scale(&adjoint.covariance, &s, q, q);
        let anchors = Mat::from_fn(a * m, q * m, |j, i| {
            adjoint.cross[(i, j)] * s[i / q] * s[j / a]
        });

        let prepared = || self.prepared.iter().map(Arc::as_ref);
        let kernels = model.evaluate(prepared(), x);
        // Derivatives by the prior covariance of the points with the queries.
        let mut cross = Mat::<f64>::zeros(self.points * m, q * m);
        if n > 0 {
            let prior = model.prior_cross(prepared(), &kernels, self.points, q);
            let solved =
                model.apply_whiten_transpose(&model.apply_whiten(&self.target_rows(&prior)));
            let both = Mat::from_fn(q * m, q * m, |i, j| covariance[(i, j)] + covariance[(j, i)]);
            let mut target = matmul(solved.as_ref(), both.as_ref());
            if a > 0 {
                add_matmul_into(
                    target.as_mut(),
                    self.reduction.as_ref(),
                    anchors.as_ref(),
                    1.0,
                );
            }
            for j in 0..q * m {
                let (from, to) = (target.col_as_slice(j), cross.col_as_slice_mut(j));
                for o in 0..m {
                    for k in 0..n {
                        let by_mean = model.alpha[o * n + k] * mean[(j % q, j / q)];
                        to[o * self.points + k] = by_mean - from[o * n + k];
                    }
                }
            }
        }
        for j in 0..q * m {
            let (from, to) = (anchors.col_as_slice(j), cross.col_as_slice_mut(j));
            for o in 0..m {
                for (k, &position) in self.positions.iter().enumerate() {
                    to[o * self.points + position] += from[o * a + k];
                }
            }
        }

        gradient.fill(0.0);
        for ((component, prepared), kernels) in
            model.components.iter().zip(&self.prepared).zip(&kernels)
        {
            model.gp(component).pullback_weighted(
                prepared,
                kernels,
                &component.weights,
                mean.as_ref(),
                covariance.as_ref(),
                cross.as_ref(),
                gradient.as_mut(),
            );
        }
    }
}
