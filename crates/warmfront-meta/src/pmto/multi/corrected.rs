//! The model of one objective at one task: the process of all tasks, or one of the task's own.

use rand::Rng;
use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, Dataset, DifferentiableSurrogate, ExactGp, ExactGpConfig,
    GpError, JointPosterior, KernelKind, Marginals, Surrogate,
};
use warmfront_linalg::{Mat, MatMut, MatRef};

/// By how much the log density of a task's evaluations must be larger under a process of its own:
/// less is within the luck of a few points.
const MARGIN: f64 = 2.0;

/// A process over the solutions of one task, of what a process of the other tasks leaves.
#[derive(Debug, Clone)]
pub(super) struct Correction {
    /// The process over solutions and tasks, without the evaluations of this task. `None`: nothing
    /// can be learnt from other tasks, and the task has a process of its own.
    base: Option<ExactGp>,
    own: ExactGp,
}

impl Correction {
    /// What predicts the task's own evaluations best, each from all others: the unified process
    /// (`None`), that of the other tasks with a correction, or a process of the task alone.
    ///
    /// `rows` are the task's rows of the unified process `gp`, whose first `v` inputs are the
    /// solution.
    pub(super) fn choose(
        gp: &ExactGp,
        rows: &[usize],
        v: usize,
        last: Option<&Self>,
        rng: &mut dyn Rng,
    ) -> Result<Option<Self>, GpError> {
        let (x, units) = (gp.x(), gp.standardization());
        let values: Vec<f64> = rows
            .iter()
            .map(|&i| units.restore(gp.standardized_y()[i]))
            .collect();
        let own_x = Mat::from_fn(rows.len(), v, |i, k| x[(rows[i], k)]);
        let unified = density(gp, rows, &values, &vec![0.0; rows.len()]);
        let mut best = (None, unified + MARGIN);
        let mut config = ExactGpConfig::default();
        config.map.restarts = 1;
        for base in [others(gp, rows)?, None] {
            let expected = match &base {
                Some(base) => {
                    base.means(Mat::from_fn(rows.len(), x.ncols(), |i, k| x[(rows[i], k)]).as_ref())
                }
                None => vec![0.0; rows.len()],
            };
            let residuals = Mat::from_fn(rows.len(), 1, |i, _| values[i] - expected[i]);
            let data = Dataset::new(own_x.clone(), residuals)?;
            let warm = last
                .filter(|last| last.base.is_some() == base.is_some())
                .map(|last| last.own.hyperparameters());
            let own = ExactGp::fit_warm(&data, &config, warm.as_ref(), rng)?;
            let all: Vec<usize> = (0..rows.len()).collect();
            let score = density(&own, &all, &values, &expected);
            if score > best.1 {
                best = (Some(Self { base, own }), score);
            }
        }
        Ok(best.0)
    }
}

/// The unified process without some rows; `None` if no other is left.
fn others(gp: &ExactGp, rows: &[usize]) -> Result<Option<ExactGp>, GpError> {
    let x = gp.x();
    let kept: Vec<usize> = (0..x.nrows()).filter(|i| !rows.contains(i)).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let units = gp.standardization();
    let data = Dataset::new(
        Mat::from_fn(kept.len(), x.ncols(), |i, k| x[(kept[i], k)]),
        Mat::from_fn(kept.len(), 1, |i, _| {
            units.restore(gp.standardized_y()[kept[i]])
        }),
    )?;
    ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &gp.hyperparameters(), units).map(Some)
}

/// Log density of some rows under a process, each predicted from all the others.
fn density(gp: &ExactGp, rows: &[usize], values: &[f64], expected: &[f64]) -> f64 {
    let loo = gp.leave_one_out();
    let noise = gp.noise_variance();
    rows.iter()
        .zip(values)
        .zip(expected)
        .map(|((&row, value), expected)| {
            let variance = (loo.variance[(row, 0)] + noise).max(f64::MIN_POSITIVE);
            let error = value - expected - loo.mean[(row, 0)];
            -0.5 * (error * error / variance + variance.ln())
        })
        .sum()
}

/// One objective of one task: a function of the solution alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputSlice<'a> {
    pub(super) unified: &'a ExactGp,
    pub(super) correction: Option<&'a Correction>,
    pub(super) task: &'a [f64],
}

pub(super) fn with_task(x: MatRef<'_, f64>, task: &[f64]) -> Mat<f64> {
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

impl<'a> OutputSlice<'a> {
    /// A typical difference of two costs.
    pub(super) fn unit(&self) -> f64 {
        self.unified.standardization().scale()
    }

    /// What is added to the mean of the correction.
    fn shift(&self) -> Option<&'a ExactGp> {
        self.correction.and_then(|c| c.base.as_ref())
    }

    pub(super) fn means(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let Some(correction) = self.correction else {
            return self.unified.means(with_task(x, self.task).as_ref());
        };
        let mut means = correction.own.means(x);
        if let Some(base) = self.shift() {
            let more = base.means(with_task(x, self.task).as_ref());
            for (mean, more) in means.iter_mut().zip(more) {
                *mean += more;
            }
        }
        means
    }

    /// Writes the gradient of the mean at the first coordinates of `z = (x, θ)` and returns the mean.
    pub(super) fn mean_gradient(&self, z: &[f64], gradient: &mut [f64]) -> f64 {
        let v = gradient.len();
        let mut all = vec![0.0; z.len()];
        let Some(correction) = self.correction else {
            let mean = self.unified.mean_gradient(z, &mut all);
            gradient.copy_from_slice(&all[..v]);
            return mean;
        };
        let mean = correction.own.mean_gradient(&z[..v], gradient);
        let Some(base) = self.shift() else {
            return mean;
        };
        let more = base.mean_gradient(z, &mut all);
        warmfront_linalg::axpy(1.0, &all[..v], gradient);
        mean + more
    }
}

impl Surrogate for OutputSlice<'_> {
    fn input_dim(&self) -> usize {
        self.unified.input_dim() - self.task.len()
    }

    fn num_outputs(&self) -> usize {
        1
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let Some(correction) = self.correction else {
            return self.unified.predict(with_task(x, self.task).as_ref());
        };
        let mut out = correction.own.predict(x);
        if let Some(base) = self.shift() {
            let more = base.means(with_task(x, self.task).as_ref());
            for (i, more) in more.into_iter().enumerate() {
                out.mean[(i, 0)] += more;
            }
        }
        out
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let Some(correction) = self.correction else {
            return self.unified.posterior(with_task(x, self.task).as_ref());
        };
        let mut out = correction.own.posterior(x)?;
        if let Some(base) = self.shift() {
            let more = base.means(with_task(x, self.task).as_ref());
            for (i, more) in more.into_iter().enumerate() {
                out.mean[(i, 0)] += more;
            }
        }
        Ok(out)
    }
}

impl DifferentiableSurrogate for OutputSlice<'_> {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let mut z = x.to_vec();
        z.extend_from_slice(self.task);
        let Some(correction) = self.correction else {
            let (mut by_mean, mut by_variance) = (Mat::zeros(z.len(), 1), Mat::zeros(z.len(), 1));
            let values = self
                .unified
                .predict_gradient(&z, by_mean.as_mut(), by_variance.as_mut());
            copy_rows(&by_mean, dmean);
            copy_rows(&by_variance, dvariance);
            return values;
        };
        let (mut mean, variance) =
            correction
                .own
                .predict_gradient(x, dmean.as_mut(), dvariance.as_mut());
        if let Some(base) = self.shift() {
            let mut all = vec![0.0; z.len()];
            mean[0] += base.mean_gradient(&z, &mut all);
            for (k, more) in all[..x.len()].iter().enumerate() {
                dmean[(k, 0)] += more;
            }
        }
        (mean, variance)
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        let Some(correction) = self.correction else {
            return Box::new(AtTask {
                joint: self.unified.anchor(with_task(anchors, self.task).as_ref()),
                task: self.task,
            });
        };
        let own = correction.own.anchor(anchors);
        let Some(base) = self.shift() else { return own };
        let mut joint = own.anchors().clone();
        let more = base.means(with_task(anchors, self.task).as_ref());
        for (i, more) in more.into_iter().enumerate() {
            joint.mean[(i, 0)] += more;
        }
        Box::new(Shifted {
            own,
            base,
            task: self.task,
            joint,
        })
    }
}

/// The anchored posterior of a unified process at one task.
struct AtTask<'a> {
    joint: Box<dyn AnchoredPosterior + 'a>,
    task: &'a [f64],
}

impl AnchoredPosterior for AtTask<'_> {
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

/// The anchored posterior of a correction, with the mean of what it corrects.
struct Shifted<'a> {
    own: Box<dyn AnchoredPosterior + 'a>,
    base: &'a ExactGp,
    task: &'a [f64],
    joint: JointPosterior,
}

impl AnchoredPosterior for Shifted<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let mut out = self.own.query(x);
        let more = self.base.means(with_task(x, self.task).as_ref());
        for (i, more) in more.into_iter().enumerate() {
            out.mean[(i, 0)] += more;
        }
        out
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        self.own.pullback(x, adjoint, gradient.as_mut());
        let z = with_task(x, self.task);
        let mut all = vec![0.0; z.ncols()];
        for i in 0..x.nrows() {
            let row: Vec<f64> = (0..z.ncols()).map(|k| z[(i, k)]).collect();
            self.base.mean_gradient(&row, &mut all);
            for k in 0..x.ncols() {
                gradient[(i, k)] += adjoint.mean[(i, 0)] * all[k];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use warmfront_gp::{Hyperparameters, Standardization};
    use warmfront_testkit::check_gradient;

    use super::*;

    /// Ten evaluations of each of three tasks.
    fn unified(unit: f64, f: &dyn Fn(f64, f64, usize) -> f64) -> ExactGp {
        let x = Mat::from_fn(30, 3, |i, k| {
            if k == 2 {
                (i / 10) as f64 * 0.4
            } else {
                ((i * (k + 3)) as f64 * 0.37 + 0.1 * k as f64).fract()
            }
        });
        let y = Mat::from_fn(30, 1, |i, _| f(x[(i, 0)], x[(i, 1)], i / 10));
        let h = Hyperparameters {
            lengthscales: vec![0.5, 0.7, 0.9],
            outputscale: 1.0,
            noise: 1e-6,
            mean: 0.1,
        };
        let data = Dataset::new(x, y).expect("finite");
        ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &h, Standardization::new(0.2, unit))
            .expect("regular")
    }

    fn choose(gp: &ExactGp) -> Option<Correction> {
        let rows: Vec<usize> = (10..20).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Correction::choose(gp, &rows, 2, None, &mut rng).expect("regular")
    }

    #[test]
    fn a_task_unlike_the_others_gets_a_process_of_its_own() {
        // What the tasks have in common is not thrown away.
        let alike = unified(1.0, &|a, b, t| (3.0 * a).sin() + b * b + 0.2 * t as f64);
        assert!(choose(&alike).is_none_or(|own| own.base.is_some()));
        let different = unified(10.0, &|a, b, t| match t {
            1 => 30.0 * (a - b) + 50.0,
            _ => (9.0 * a * b).sin(),
        });
        assert!(choose(&different).is_some());
    }

    #[test]
    fn all_answers_of_a_slice_agree() {
        let gp = unified(3.0, &|a, b, t| (3.0 * a + t as f64).sin() + b);
        let rows: Vec<usize> = (10..20).collect();
        let own = |base: Option<ExactGp>| {
            let x = Mat::from_fn(10, 2, |i, k| gp.x()[(rows[i], k)]);
            let y = Mat::from_fn(10, 1, |i, _| (x[(i, 0)] - x[(i, 1)]).cos());
            let h = Hyperparameters {
                lengthscales: vec![0.4, 0.6],
                outputscale: 1.0,
                noise: 1e-3,
                mean: 0.0,
            };
            let data = Dataset::new(x, y).expect("finite");
            let own = ExactGp::with_hyperparameters(
                &data,
                KernelKind::Rbf,
                &h,
                Standardization::IDENTITY,
            )
            .expect("regular");
            Correction { base, own }
        };
        let corrections = [
            None,
            Some(own(None)),
            Some(own(others(&gp, &rows).expect("regular"))),
        ];
        for correction in &corrections {
            let slice = OutputSlice {
                unified: &gp,
                correction: correction.as_ref(),
                task: &[0.4],
            };
            let x = Mat::from_fn(2, 2, |i, k| 0.3 + 0.2 * (i + k) as f64);
            let at = slice.predict(x.as_ref());
            let (means, joint) = (
                slice.means(x.as_ref()),
                slice.posterior(x.as_ref()).expect("regular"),
            );
            for i in 0..2 {
                assert!((means[i] - at.mean[(i, 0)]).abs() < 1e-9);
                assert!((joint.mean[(i, 0)] - at.mean[(i, 0)]).abs() < 1e-9);
                assert!((joint.covariance[(i, i)] - at.variance[(i, 0)]).abs() < 1e-9);
            }
            let mut slope = vec![0.0; 2];
            let mean = slice.mean_gradient(&[0.3, 0.5, 0.4], &mut slope);
            assert!((mean - means[0]).abs() < 1e-9);
            let value = |x: &[f64]| slice.means(Mat::from_fn(1, 2, |_, k| x[k]).as_ref())[0];
            check_gradient(value, &slope, &[0.3, 0.5], 1e-5);
            let (mut dmean, mut dvariance) = (Mat::zeros(2, 1), Mat::zeros(2, 1));
            slice.predict_gradient(&[0.3, 0.5], dmean.as_mut(), dvariance.as_mut());
            let variance = |x: &[f64]| {
                slice
                    .predict(Mat::from_fn(1, 2, |_, k| x[k]).as_ref())
                    .variance[(0, 0)]
            };
            let by = [dvariance[(0, 0)], dvariance[(1, 0)]];
            check_gradient(variance, &by, &[0.3, 0.5], 1e-4);
            assert!((dmean[(0, 0)] - slope[0]).abs() < 1e-9);
            let anchored = slice.anchor(x.as_ref());
            assert!((anchored.anchors().mean[(1, 0)] - means[1]).abs() < 1e-9);
            let at = Mat::from_fn(1, 2, |_, k| [0.6, 0.2][k]);
            let mut adjoint = anchored.query(at.as_ref());
            assert!((adjoint.mean[(0, 0)] - value(&[0.6, 0.2])).abs() < 1e-9);
            adjoint.mean.fill(1.0);
            adjoint.covariance.fill(0.0);
            adjoint.cross.fill(0.0);
            let mut gradient = Mat::zeros(1, 2);
            anchored.pullback(at.as_ref(), &adjoint, gradient.as_mut());
            let by = [gradient[(0, 0)], gradient[(0, 1)]];
            check_gradient(value, &by, &[0.6, 0.2], 1e-5);
        }
    }
}
