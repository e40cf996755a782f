//! A weighted sum of independent models of the same output.

use std::sync::Arc;

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Surrogate,
};
use warmfront_linalg::{Mat, MatMut, MatRef};

/// `offset + Σ w_i f_i` of independent models: means add with `w_i`, covariances with `w_i²`.
#[derive(Clone)]
pub(crate) struct WeightedSum {
    parts: Vec<(f64, Arc<dyn DifferentiableSurrogate>)>,
    offset: f64,
}

impl WeightedSum {
    /// Sums `parts`; those of weight zero are left out.
    pub(crate) fn new(parts: Vec<(f64, Arc<dyn DifferentiableSurrogate>)>, offset: f64) -> Self {
        let parts: Vec<_> = parts.into_iter().filter(|(w, _)| *w > 0.0).collect();
        assert!(
            !parts.is_empty(),
            "expected at least one model of positive weight, got none"
        );
        Self { parts, offset }
    }

    fn first(&self) -> &dyn DifferentiableSurrogate {
        self.parts[0].1.as_ref()
    }
}

/// `out += factor · part`, or `out = factor · part` for the first.
fn accumulate(out: &mut Option<Mat<f64>>, factor: f64, part: &Mat<f64>) {
    match out {
        Some(out) => {
            for j in 0..part.ncols() {
                for (a, b) in out.col_as_slice_mut(j).iter_mut().zip(part.col_as_slice(j)) {
                    *a += factor * b;
                }
            }
        }
        None => {
            *out = Some(Mat::from_fn(part.nrows(), part.ncols(), |i, j| {
                factor * part[(i, j)]
            }))
        }
    }
}

/// Sums mean-like and covariance-like matrices of the parts.
fn combine<const C: usize>(
    offset: f64,
    parts: impl Iterator<Item = (f64, Mat<f64>, [Mat<f64>; C])>,
) -> (Mat<f64>, [Mat<f64>; C]) {
    let mut mean = None;
    let mut second = [const { None }; C];
    for (w, part_mean, part_second) in parts {
        accumulate(&mut mean, w, &part_mean);
        for (out, part) in second.iter_mut().zip(&part_second) {
            accumulate(out, w * w, part);
        }
    }
    let filled = "a weighted sum has at least one part";
    let mut mean = mean.expect(filled);
    for j in 0..mean.ncols() {
        for value in mean.col_as_slice_mut(j) {
            *value += offset;
        }
    }
    (mean, second.map(|m| m.expect(filled)))
}

impl Surrogate for WeightedSum {
    fn input_dim(&self) -> usize {
        self.first().input_dim()
    }

    fn num_outputs(&self) -> usize {
        self.first().num_outputs()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let (mean, [variance]) = combine(
            self.offset,
            self.parts.iter().map(|(w, model)| {
                let part = model.predict(x);
                (*w, part.mean, [part.variance])
            }),
        );
        Marginals { mean, variance }
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let parts = self
            .parts
            .iter()
            .map(|(w, model)| {
                model
                    .posterior(x)
                    .map(|part| (*w, part.mean, [part.covariance]))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (mean, [covariance]) = combine(self.offset, parts.into_iter());
        Ok(JointPosterior { mean, covariance })
    }
}

impl DifferentiableSurrogate for WeightedSum {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let m = self.num_outputs();
        let (mut mean, mut variance) = (vec![self.offset; m], vec![0.0; m]);
        dmean.fill(0.0);
        dvariance.fill(0.0);
        let mut own_mean = Mat::zeros(x.len(), m);
        let mut own_variance = Mat::zeros(x.len(), m);
        for (w, model) in &self.parts {
            let (mu, var) = model.predict_gradient(x, own_mean.as_mut(), own_variance.as_mut());
            for o in 0..m {
                mean[o] += w * mu[o];
                variance[o] += w * w * var[o];
                for k in 0..x.len() {
                    dmean[(k, o)] += w * own_mean[(k, o)];
                    dvariance[(k, o)] += w * w * own_variance[(k, o)];
                }
            }
        }
        (mean, variance)
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|(w, model)| (*w, model.anchor(anchors)))
            .collect();
        let (mean, [covariance]) = combine(
            self.offset,
            parts.iter().map(|(w, part)| {
                let joint = part.anchors();
                (*w, joint.mean.clone(), [joint.covariance.clone()])
            }),
        );
        Box::new(AnchoredSum {
            parts,
            offset: self.offset,
            joint: JointPosterior { mean, covariance },
        })
    }
}

struct AnchoredSum<'a> {
    parts: Vec<(f64, Box<dyn AnchoredPosterior + 'a>)>,
    offset: f64,
    joint: JointPosterior,
}

impl AnchoredPosterior for AnchoredSum<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let (mean, [covariance, cross]) = combine(
            self.offset,
            self.parts.iter().map(|(w, part)| {
                let query = part.query(x);
                (*w, query.mean, [query.covariance, query.cross])
            }),
        );
        AnchoredQuery {
            mean,
            covariance,
            cross,
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        gradient.fill(0.0);
        let mut own = Mat::zeros(gradient.nrows(), gradient.ncols());
        for (w, part) in &self.parts {
            let scaled = |factor: f64, a: &Mat<f64>| {
                Mat::from_fn(a.nrows(), a.ncols(), |i, j| factor * a[(i, j)])
            };
            let part_adjoint = AnchoredQuery {
                mean: scaled(*w, &adjoint.mean),
                covariance: scaled(w * w, &adjoint.covariance),
                cross: scaled(w * w, &adjoint.cross),
            };
            part.pullback(x, &part_adjoint, own.as_mut());
            for k in 0..gradient.ncols() {
                for i in 0..gradient.nrows() {
                    gradient[(i, k)] += own[(i, k)];
                }
            }
        }
    }
}
