//! The models of all objectives seen from one task: functions of the solution alone.

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, IndependentGps,
    JointPosterior, Marginals, Surrogate,
};
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::preference::Scalarization;

/// Processes over `(x, θ)` at fixed `θ`, one for each objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct TaskSlice<'a> {
    pub(super) joint: &'a IndependentGps,
    pub(super) task: &'a [f64],
}

fn with_task(x: MatRef<'_, f64>, task: &[f64]) -> Mat<f64> {
    let v = x.ncols();
    Mat::from_fn(x.nrows(), v + task.len(), |i, k| {
        if k < v { x[(i, k)] } else { task[k - v] }
    })
}

fn copy_rows(from: &Mat<f64>, mut to: MatMut<'_, f64>) {
    for j in 0..to.ncols() {
        for i in 0..to.nrows() {
            to[(i, j)] = from[(i, j)];
        }
    }
}

impl TaskSlice<'_> {
    /// Means of all objectives at some solutions.
    pub(super) fn means(&self, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let v = self.input_dim();
        let x = Mat::from_fn(points.len(), v + self.task.len(), |i, k| {
            if k < v {
                points[i][k]
            } else {
                self.task[k - v]
            }
        });
        let columns: Vec<Vec<f64>> = self
            .joint
            .models()
            .iter()
            .map(|gp| gp.means(x.as_ref()))
            .collect();
        (0..points.len())
            .map(|i| columns.iter().map(|column| column[i]).collect())
            .collect()
    }

    /// Lower confidence bounds `μ − β·σ` of all objectives at some solutions.
    pub(super) fn bounds(&self, points: &[Vec<f64>], beta: f64) -> Vec<Vec<f64>> {
        let v = self.input_dim();
        let at = self.predict(Mat::from_fn(points.len(), v, |i, k| points[i][k]).as_ref());
        (0..points.len())
            .map(|i| {
                (0..self.num_outputs())
                    .map(|o| at.mean[(i, o)] - beta * at.variance[(i, o)].sqrt())
                    .collect()
            })
            .collect()
    }

    /// Descends the scalar cost of the means from `start`; the end and its means.
    pub(super) fn descend(
        &self,
        scalar: &Scalarization,
        start: &[f64],
        evaluations: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let (v, m) = (self.input_dim(), self.num_outputs());
        let config = LbfgsbConfig {
            max_evaluations: evaluations.max(1),
            f_tolerance: 1e-7,
            gradient_tolerance: 1e-6,
            ..LbfgsbConfig::default()
        };
        let mut means = vec![0.0; m];
        let mut by_cost = vec![0.0; m];
        let mut by_input = vec![vec![0.0; v + self.task.len()]; m];
        let mut z = start.to_vec();
        z.extend_from_slice(self.task);
        let mut objective = |x: &[f64], g: &mut [f64]| {
            z[..v].copy_from_slice(x);
            for (o, gp) in self.joint.models().iter().enumerate() {
                means[o] = gp.mean_gradient(&z, &mut by_input[o]);
            }
            let value = scalar.value_and_gradient(&means, &mut by_cost);
            g.fill(0.0);
            for (slope, row) in by_cost.iter().zip(&by_input) {
                warmfront_linalg::axpy(*slope, &row[..v], g);
            }
            value
        };
        let end = minimize(&mut objective, start, &vec![0.0; v], &vec![1.0; v], &config);
        let means = self.means(std::slice::from_ref(&end.x)).remove(0);
        (end.x, means)
    }
}

impl Surrogate for TaskSlice<'_> {
    fn input_dim(&self) -> usize {
        self.joint.input_dim() - self.task.len()
    }

    fn num_outputs(&self) -> usize {
        self.joint.num_outputs()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        self.joint.predict(with_task(x, self.task).as_ref())
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        self.joint.posterior(with_task(x, self.task).as_ref())
    }
}

impl DifferentiableSurrogate for TaskSlice<'_> {
    fn predict_gradient(
        &self,
        x: &[f64],
        dmean: MatMut<'_, f64>,
        dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let mut z = x.to_vec();
        z.extend_from_slice(self.task);
        let m = self.num_outputs();
        let (mut by_mean, mut by_variance) = (Mat::zeros(z.len(), m), Mat::zeros(z.len(), m));
        let values = self
            .joint
            .predict_gradient(&z, by_mean.as_mut(), by_variance.as_mut());
        copy_rows(&by_mean, dmean);
        copy_rows(&by_variance, dvariance);
        values
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        Box::new(AnchoredSlice {
            joint: self.joint.anchor(with_task(anchors, self.task).as_ref()),
            task: self.task,
        })
    }
}

struct AnchoredSlice<'a> {
    joint: Box<dyn AnchoredPosterior + 'a>,
    task: &'a [f64],
}

impl AnchoredPosterior for AnchoredSlice<'_> {
    fn anchors(&self) -> &JointPosterior {
        self.joint.anchors()
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        self.joint.query(with_task(x, self.task).as_ref())
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, gradient: MatMut<'_, f64>) {
        let z = with_task(x, self.task);
        let mut all = Mat::zeros(z.nrows(), z.ncols());
        self.joint.pullback(z.as_ref(), adjoint, all.as_mut());
        copy_rows(&all, gradient);
    }
}

#[cfg(test)]
mod tests {
    use warmfront_gp::{Dataset, ExactGp, Hyperparameters, KernelKind, Standardization};
    use warmfront_testkit::check_gradient;

    use super::super::preference::Frame;
    use super::*;

    fn joint() -> IndependentGps {
        let x = Mat::from_fn(12, 3, |i, k| ((i * (k + 3)) as f64 * 0.37).fract());
        let gps = (0..2)
            .map(|o| {
                let y = Mat::from_fn(12, 1, |i, _| {
                    ((2.0 + o as f64) * x[(i, 0)] + x[(i, 2)]).sin()
                });
                let h = Hyperparameters {
                    lengthscales: vec![0.5, 0.7, 0.9],
                    outputscale: 1.0,
                    noise: 1e-4,
                    mean: 0.1,
                };
                let data = Dataset::new(x.clone(), y).expect("finite");
                ExactGp::with_hyperparameters(
                    &data,
                    KernelKind::Rbf,
                    &h,
                    Standardization::new(0.2, 3.0),
                )
                .expect("regular")
            })
            .collect();
        IndependentGps::new(gps)
    }

    #[test]
    fn a_slice_is_the_joint_model_at_its_task() {
        let joint = joint();
        let slice = TaskSlice {
            joint: &joint,
            task: &[0.4],
        };
        assert_eq!((slice.input_dim(), slice.num_outputs()), (2, 2));
        let x = Mat::from_fn(2, 2, |i, k| 0.3 + 0.2 * (i + k) as f64);
        let z = with_task(x.as_ref(), &[0.4]);
        assert_eq!(slice.predict(x.as_ref()), joint.predict(z.as_ref()));
        let rows = vec![vec![0.3, 0.5], vec![0.5, 0.7]];
        let at = slice.predict(x.as_ref());
        for (i, row) in slice.means(&rows).iter().enumerate() {
            for (o, mean) in row.iter().enumerate() {
                assert!((mean - at.mean[(i, o)]).abs() < 1e-9);
            }
        }
        let (mut dmean, mut dvariance) = (Mat::zeros(2, 2), Mat::zeros(2, 2));
        slice.predict_gradient(&[0.3, 0.5], dmean.as_mut(), dvariance.as_mut());
        for o in 0..2 {
            let value = |x: &[f64]| {
                let at = slice.predict(Mat::from_fn(1, 2, |_, k| x[k]).as_ref());
                at.mean[(0, o)] + at.variance[(0, o)]
            };
            let gradient: Vec<f64> = (0..2).map(|k| dmean[(k, o)] + dvariance[(k, o)]).collect();
            check_gradient(value, &gradient, &[0.3, 0.5], 1e-5);
        }
        // The pullback of the sum of all means.
        let anchored = slice.anchor(x.as_ref());
        let at = Mat::from_fn(1, 2, |_, k| [0.6, 0.2][k]);
        let mut adjoint = anchored.query(at.as_ref());
        adjoint.mean.fill(1.0);
        adjoint.covariance.fill(0.0);
        adjoint.cross.fill(0.0);
        let mut gradient = Mat::zeros(1, 2);
        anchored.pullback(at.as_ref(), &adjoint, gradient.as_mut());
        let value = |x: &[f64]| slice.means(&[x.to_vec()])[0].iter().sum();
        check_gradient(
            value,
            &[gradient[(0, 0)], gradient[(0, 1)]],
            &[0.6, 0.2],
            1e-5,
        );
    }

    #[test]
    fn a_descent_lowers_the_scalar_cost() {
        let joint = joint();
        let slice = TaskSlice {
            joint: &joint,
            task: &[0.7],
        };
        let frame = Frame::between(vec![-3.0; 2], &[3.0; 2], &[1.0; 2]);
        let scalar = Scalarization::new(&[0.3, 0.7], &frame);
        let start = vec![0.5, 0.5];
        let (end, means) = slice.descend(&scalar, &start, 40);
        assert!(end.iter().all(|x| (0.0..=1.0).contains(x)));
        assert!(scalar.value(&means) < scalar.value(&slice.means(&[start])[0]));
    }
}
