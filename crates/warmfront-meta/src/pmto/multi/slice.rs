//! The models of all objectives seen from one task: functions of the solution alone.

use warmfront_gp::{Independent, Surrogate};
use warmfront_linalg::Mat;
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::corrected::OutputSlice;
use super::preference::Scalarization;

/// A model of each objective at one task.
#[derive(Debug, Clone)]
pub(super) struct TaskSlice<'a> {
    pub(super) outputs: Independent<OutputSlice<'a>>,
    task: &'a [f64],
}

impl<'a> TaskSlice<'a> {
    #[track_caller]
    pub(super) fn new(outputs: Vec<OutputSlice<'a>>) -> Self {
        let task = outputs.first().map_or(&[][..], |output| output.task);
        Self {
            outputs: Independent::new(outputs),
            task,
        }
    }

    /// Number of objectives.
    pub(super) fn len(&self) -> usize {
        self.outputs.models().len()
    }

    /// Number of solution coordinates.
    pub(super) fn dim(&self) -> usize {
        self.outputs.input_dim()
    }

    /// A typical difference of two costs, of each objective.
    pub(super) fn units(&self) -> Vec<f64> {
        self.outputs
            .models()
            .iter()
            .map(OutputSlice::unit)
            .collect()
    }

    /// Means of all objectives at some solutions.
    pub(super) fn means(&self, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let x = Mat::from_fn(points.len(), self.dim(), |i, k| points[i][k]);
        let columns: Vec<Vec<f64>> = self
            .outputs
            .models()
            .iter()
            .map(|output| output.means(x.as_ref()))
            .collect();
        (0..points.len())
            .map(|i| columns.iter().map(|column| column[i]).collect())
            .collect()
    }

    /// Lower confidence bounds `μ − β·σ` of all objectives at some solutions.
    pub(super) fn bounds(&self, points: &[Vec<f64>], beta: f64) -> Vec<Vec<f64>> {
        let x = Mat::from_fn(points.len(), self.dim(), |i, k| points[i][k]);
        let at = self.outputs.predict(x.as_ref());
        (0..points.len())
            .map(|i| {
                (0..self.len())
                    .map(|o| at.mean[(i, o)] - beta * at.variance[(i, o)].sqrt())
                    .collect()
            })
            .collect()
    }

    /// The means of all objectives at `x` as rows of gradients, with the means.
    pub(super) fn gradients(&self, x: &[f64], gradients: &mut [Vec<f64>]) -> Vec<f64> {
        let mut z = x.to_vec();
        z.extend_from_slice(self.task);
        self.outputs
            .models()
            .iter()
            .zip(gradients)
            .map(|(output, gradient)| output.mean_gradient(&z, gradient))
            .collect()
    }

    /// Descends the scalar cost of the means from `start`; the end and its means.
    pub(super) fn descend(
        &self,
        scalar: &Scalarization,
        start: &[f64],
        evaluations: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let (v, m) = (self.dim(), self.len());
        let config = LbfgsbConfig {
            max_evaluations: evaluations.max(1),
            f_tolerance: 1e-7,
            gradient_tolerance: 1e-6,
            ..LbfgsbConfig::default()
        };
        let mut by_cost = vec![0.0; m];
        let mut by_input = vec![vec![0.0; v]; m];
        let mut objective = |x: &[f64], g: &mut [f64]| {
            let means = self.gradients(x, &mut by_input);
            let value = scalar.value_and_gradient(&means, &mut by_cost);
            g.fill(0.0);
            for (slope, row) in by_cost.iter().zip(&by_input) {
                warmfront_linalg::axpy(*slope, row, g);
            }
            value
        };
        let end = minimize(&mut objective, start, &vec![0.0; v], &vec![1.0; v], &config);
        let means = self.means(std::slice::from_ref(&end.x)).remove(0);
        (end.x, means)
    }
}

#[cfg(test)]
mod tests {
    use warmfront_gp::{Dataset, ExactGp, Hyperparameters, KernelKind, Standardization};

    use super::super::preference::Frame;
    use super::*;

    #[test]
    fn a_descent_lowers_the_scalar_cost() {
        let x = Mat::from_fn(12, 3, |i, k| ((i * (k + 3)) as f64 * 0.37).fract());
        let gps = [2.0, 3.0].map(|speed| {
            let y = Mat::from_fn(12, 1, |i, _| (speed * x[(i, 0)] + x[(i, 2)]).sin());
            let h = Hyperparameters {
                lengthscales: vec![0.5, 0.7, 0.9],
                outputscale: 1.0,
                noise: 1e-4,
                mean: 0.1,
            };
            let data = Dataset::new(x.clone(), y).expect("finite");
            let units = Standardization::new(0.2, 3.0);
            ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &h, units).expect("regular")
        });
        let slice = TaskSlice::new(
            gps.iter()
                .map(|unified| OutputSlice {
                    unified,
                    correction: None,
                    task: &[0.7],
                })
                .collect(),
        );
        assert_eq!(
            (slice.dim(), slice.len(), slice.units()),
            (2, 2, vec![3.0; 2])
        );
        let frame = Frame::between(vec![-3.0; 2], &[3.0; 2], &[1.0; 2]);
        let scalar = Scalarization::new(&[0.3, 0.7], &frame);
        let start = vec![0.5, 0.5];
        let (end, means) = slice.descend(&scalar, &start, 40);
        assert!(end.iter().all(|x| (0.0..=1.0).contains(x)));
        let before = slice.means(std::slice::from_ref(&start));
        assert!(scalar.value(&means) < scalar.value(&before[0]));
        let bounds = slice.bounds(&[start], 1.0);
        assert!(
            bounds[0]
                .iter()
                .zip(&before[0])
                .all(|(low, mean)| low <= mean)
        );
    }
}
