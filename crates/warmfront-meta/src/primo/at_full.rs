//! A model of points and fidelities, asked at full fidelity.

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Surrogate,
};
use warmfront_linalg::{Mat, MatMut, MatRef};

/// Its last input is the fidelity's coordinate, which is 1 here and has no gradient.
pub(super) struct AtFullFidelity<S>(pub(super) S);

/// `x` with a column of ones appended.
fn at_full(x: MatRef<'_, f64>) -> Mat<f64> {
    let d = x.ncols();
    Mat::from_fn(x.nrows(), d + 1, |i, k| if k < d { x[(i, k)] } else { 1.0 })
}

/// Copies all but the last column, or row, of `from`.
fn truncate(from: &Mat<f64>, mut to: MatMut<'_, f64>) {
    for k in 0..to.ncols() {
        for i in 0..to.nrows() {
            to[(i, k)] = from[(i, k)];
        }
    }
}

impl<S: Surrogate> Surrogate for AtFullFidelity<S> {
    fn input_dim(&self) -> usize {
        self.0.input_dim() - 1
    }

    fn num_outputs(&self) -> usize {
        self.0.num_outputs()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        self.0.predict(at_full(x).as_ref())
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        self.0.posterior(at_full(x).as_ref())
    }
}

impl<S: DifferentiableSurrogate> DifferentiableSurrogate for AtFullFidelity<S> {
    fn predict_gradient(
        &self,
        x: &[f64],
        dmean: MatMut<'_, f64>,
        dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (rows, m) = (self.0.input_dim(), self.0.num_outputs());
        let mut full = x.to_vec();
        full.push(1.0);
        let (mut whole_mean, mut whole_variance) = (Mat::zeros(rows, m), Mat::zeros(rows, m));
        let values = self
            .0
            .predict_gradient(&full, whole_mean.as_mut(), whole_variance.as_mut());
        truncate(&whole_mean, dmean);
        truncate(&whole_variance, dvariance);
        values
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        // Without anchors there may be no columns either.
        let anchors = if anchors.nrows() == 0 {
            Mat::zeros(0, self.0.input_dim())
        } else {
            at_full(anchors)
        };
        Box::new(AnchoredAtFull(self.0.anchor(anchors.as_ref())))
    }
}

struct AnchoredAtFull<'a>(Box<dyn AnchoredPosterior + 'a>);

impl AnchoredPosterior for AnchoredAtFull<'_> {
    fn anchors(&self) -> &JointPosterior {
        self.0.anchors()
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        self.0.query(at_full(x).as_ref())
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, gradient: MatMut<'_, f64>) {
        let full = at_full(x);
        let mut whole = Mat::zeros(full.nrows(), full.ncols());
        self.0.pullback(full.as_ref(), adjoint, whole.as_mut());
        truncate(&whole, gradient);
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_gp::{Dataset, ExactGp, ExactGpConfig, Independent};

    use super::*;

    #[test]
    fn it_is_the_model_at_full_fidelity_with_its_gradients() {
        let x = Mat::from_fn(9, 3, |i, k| match k {
            0 => i as f64 / 8.0,
            1 => (i * 5 % 9) as f64 / 8.0,
            _ => (i % 3) as f64 / 2.0,
        });
        let y = Mat::from_fn(9, 2, |i, o| {
            (3.0 * x[(i, 0)] + o as f64).sin() + x[(i, 1)] * x[(i, 2)]
        });
        let data = Dataset::new(x, y).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let config = ExactGpConfig::default();
        let inner = Independent::<ExactGp>::fit(&data, &config, &[], &mut rng).unwrap();
        let model = AtFullFidelity(inner);
        assert_eq!((model.input_dim(), model.num_outputs()), (2, 2));

        let point = [0.3, 0.6];
        let row = |p: &[f64]| Mat::from_fn(1, p.len(), |_, k| p[k]);
        let direct = model.0.predict(row(&[0.3, 0.6, 1.0]).as_ref());
        assert_eq!(model.predict(row(&point).as_ref()), direct);

        let (mut dmean, mut dvariance) = (Mat::zeros(2, 2), Mat::zeros(2, 2));
        model.predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
        let anchors = Mat::from_fn(2, 2, |i, k| 0.2 + 0.3 * (i + k) as f64);
        let anchored = model.anchor(anchors.as_ref());
        let adjoint = AnchoredQuery {
            mean: Mat::from_fn(1, 2, |_, o| 1.0 + o as f64),
            covariance: Mat::zeros(2, 2),
            cross: Mat::from_fn(2, 4, |i, j| 0.1 * (i + j) as f64),
        };
        let mut pulled = Mat::zeros(1, 2);
        anchored.pullback(row(&point).as_ref(), &adjoint, pulled.as_mut());
        let scalar = |p: &[f64]| {
            let query = anchored.query(row(p).as_ref());
            let mut sum = 0.0;
            for o in 0..2 {
                sum += adjoint.mean[(0, o)] * query.mean[(0, o)];
                for j in 0..4 {
                    sum += adjoint.cross[(o, j)] * query.cross[(o, j)];
                }
            }
            sum
        };
        for k in 0..2 {
            let (mut up, mut down) = (point, point);
            up[k] += 1e-5;
            down[k] -= 1e-5;
            let above = model.predict(row(&up).as_ref());
            let below = model.predict(row(&down).as_ref());
            for o in 0..2 {
                let slope = (above.mean[(0, o)] - below.mean[(0, o)]) / 2e-5;
                assert!((slope - dmean[(k, o)]).abs() < 1e-5);
                let slope = (above.variance[(0, o)] - below.variance[(0, o)]) / 2e-5;
                assert!((slope - dvariance[(k, o)]).abs() < 1e-5);
            }
            let slope = (scalar(&up) - scalar(&down)) / 2e-5;
            assert!((slope - pulled[(0, k)]).abs() < 1e-5);
        }
        assert_eq!(
            model
                .anchor(Mat::zeros(0, 0).as_ref())
                .anchors()
                .mean
                .nrows(),
            0
        );
    }
}
