//! Posterior marginals at one point, given that pending points turn out as expected.
//!
//! Observing a pending point at its posterior mean leaves every mean as it is and lowers the
//! variances (kriging believer; Ginsbourger, Le Riche and Carraro 2010).

use warmfront_gp::{AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate};
use warmfront_linalg::{Mat, MatMut, MatRef, dot};

use crate::AcqError;
use crate::root::{Root, add_lower_transposed_times, lower_times};

/// A standard deviation this small, relative to the scale of an objective, counts as none.
const NEGLIGIBLE: f64 = 1e-9;

struct Pending<'a> {
    anchored: Box<dyn AnchoredPosterior + 'a>,
    /// Inverse of the lower root of the covariance at the pending points, row-major.
    inverse: Vec<f64>,
}

/// Marginals of a model that believes in its predictions at the pending points.
pub(crate) struct Believer<'a> {
    model: &'a dyn DifferentiableSurrogate,
    pending: Option<Pending<'a>>,
    /// Smallest variance that counts, for each output.
    floor: Vec<f64>,
}

impl<'a> Believer<'a> {
    pub(crate) fn new(
        model: &'a dyn DifferentiableSurrogate,
        pending: MatRef<'_, f64>,
        scale: &[f64],
    ) -> Result<Self, AcqError> {
        let floor: Vec<f64> = scale.iter().map(|s| (NEGLIGIBLE * s).powi(2)).collect();
        let p = pending.nrows();
        let pending = if p == 0 {
            None
        } else {
            let anchored = model.anchor(pending);
            let joint = anchored.anchors();
            let w = joint.covariance.nrows();
            let sigma: Vec<f64> = (0..w * w)
                .map(|k| joint.covariance[(k / w, k % w)])
                .collect();
            let means = joint.mean.col_iter().flat_map(|c| c.iter().copied());
            if !means.chain(sigma.iter().copied()).all(f64::is_finite) {
                return Err(AcqError::ModelNotFinite {
                    at: "pending points",
                });
            }
            let floors: Vec<f64> = (0..w).map(|i| floor[i / p]).collect();
            let inverse = Root::factorize(sigma, &floors).inverse();
            Some(Pending { anchored, inverse })
        };
        Ok(Self {
            model,
            pending,
            floor,
        })
    }

    /// The believed outcomes at the pending points, row-major.
    pub(crate) fn believed(&self) -> Vec<f64> {
        self.pending.as_ref().map_or(Vec::new(), |pending| {
            crate::frame::row_major(pending.anchored.anchors().mean.as_ref())
        })
    }

    /// Calls `visit(row, mean, sd)` for each row of `x`, in order.
    pub(crate) fn for_each(&self, x: MatRef<'_, f64>, mut visit: impl FnMut(&[f64], &[f64])) {
        let m = self.floor.len();
        let (mut mean, mut sd) = (vec![0.0; m], vec![0.0; m]);
        if self.pending.is_none() {
            let marginals = self.model.predict(x);
            for i in 0..x.nrows() {
                for o in 0..m {
                    mean[o] = marginals.mean[(i, o)];
                    sd[o] = self.floored(o, marginals.variance[(i, o)]).sqrt();
                }
                visit(&mean, &sd);
            }
        } else if let Some(pending) = &self.pending {
            for i in 0..x.nrows() {
                let (query, explained) = pending.query(x.subrows(i, 1));
                for o in 0..m {
                    mean[o] = query.mean[(0, o)];
                    sd[o] = self
                        .floored(o, pending.variance(&query, &explained, o))
                        .sqrt();
                }
                visit(&mean, &sd);
            }
        }
    }

    /// The larger of a variance and the floor; NaN stays NaN.
    fn floored(&self, o: usize, variance: f64) -> f64 {
        if variance < self.floor[o] {
            self.floor[o]
        } else {
            variance
        }
    }

    /// Evaluates `utility(mean, sd, ∂/∂mean, ∂/∂sd) -> value` at the single row of `x` and writes
    /// the gradient of the value.
    pub(crate) fn gradient(
        &self,
        x: MatRef<'_, f64>,
        mut gradient: MatMut<'_, f64>,
        utility: impl FnOnce(&[f64], &[f64], &mut [f64], &mut [f64]) -> f64,
    ) -> f64 {
        let (m, d) = (self.floor.len(), x.ncols());
        let (mut mean_bar, mut sd_bar) = (vec![0.0; m], vec![0.0; m]);
        let sd_of = |variance: &[f64]| -> Vec<f64> {
            (0..m)
                .map(|o| self.floored(o, variance[o]).sqrt())
                .collect()
        };
        // A variance at its floor does not move.
        let variance_bar = |variance: f64, o: usize, sd: f64, bar: f64| {
            if variance < self.floor[o] {
                0.0
            } else {
                0.5 * bar / sd
            }
        };
        match &self.pending {
            None => {
                let point: Vec<f64> = x.row(0).iter().copied().collect();
                let (mut dmean, mut dvariance) = (Mat::zeros(d, m), Mat::zeros(d, m));
                let (mean, variance) =
                    self.model
                        .predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
                let sd = sd_of(&variance);
                let value = utility(&mean, &sd, &mut mean_bar, &mut sd_bar);
                gradient.fill(0.0);
                for o in 0..m {
                    let v = variance_bar(variance[o], o, sd[o], sd_bar[o]);
                    for k in 0..d {
                        gradient[(0, k)] += mean_bar[o] * dmean[(k, o)] + v * dvariance[(k, o)];
                    }
                }
                value
            }
            Some(pending) => {
                let (query, explained) = pending.query(x);
                let mean: Vec<f64> = (0..m).map(|o| query.mean[(0, o)]).collect();
                let variance: Vec<f64> = (0..m)
                    .map(|o| pending.variance(&query, &explained, o))
                    .collect();
                let sd = sd_of(&variance);
                let value = utility(&mean, &sd, &mut mean_bar, &mut sd_bar);
                let w = query.cross.ncols();
                let mut adjoint = AnchoredQuery {
                    mean: Mat::from_fn(1, m, |_, o| mean_bar[o]),
                    covariance: Mat::zeros(m, m),
                    cross: Mat::zeros(m, w),
                };
                let mut back = vec![0.0; w];
                for o in 0..m {
                    let v = variance_bar(variance[o], o, sd[o], sd_bar[o]);
                    adjoint.covariance[(o, o)] = v;
                    back.fill(0.0);
                    let row = &explained[o * w..(o + 1) * w];
                    add_lower_transposed_times(&pending.inverse, row, &mut back);
                    for (k, b) in back.iter().enumerate() {
                        adjoint.cross[(o, k)] = -2.0 * v * b;
                    }
                }
                pending.anchored.pullback(x, &adjoint, gradient);
                value
            }
        }
    }
}

impl Pending<'_> {
    /// The posterior at one point and, row by row, its whitened covariance with the pending points.
    fn query(&self, x: MatRef<'_, f64>) -> (AnchoredQuery, Vec<f64>) {
        let query = self.anchored.query(x);
        let (m, w) = (query.cross.nrows(), query.cross.ncols());
        let mut explained = vec![0.0; m * w];
        for (o, row) in explained.chunks_exact_mut(w).enumerate() {
            let cross: Vec<f64> = (0..w).map(|k| query.cross[(o, k)]).collect();
            lower_times(&self.inverse, &cross, row);
        }
        (query, explained)
    }

    fn variance(&self, query: &AnchoredQuery, explained: &[f64], o: usize) -> f64 {
        let w = query.cross.ncols();
        let row = &explained[o * w..(o + 1) * w];
        query.covariance[(o, o)] - dot(row, row)
    }
}
