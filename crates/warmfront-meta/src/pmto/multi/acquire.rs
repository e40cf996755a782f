//! Where a slot is evaluated.

use rand::Rng;
use warmfront_acq::{AcquisitionContext, AcquisitionFunction, maximize};
use warmfront_core::{Candidate, StrategyError, UnitPoint};
use warmfront_gp::DifferentiableSurrogate;
use warmfront_linalg::{Mat, MatMut, MatRef};

use super::preference::Scalarization;
use super::slice::TaskSlice;
use super::{Aim, MultiPmto, Slot};
use crate::MetaError;

impl MultiPmto {
    pub(super) fn propose(
        &self,
        slot: &Slot,
        busy: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Candidate, StrategyError> {
        let of_slot = |point: UnitPoint| Candidate::at(point).with_task(slot.task.clone());
        if let Aim::Point(point) = &slot.aim {
            return Ok(of_slot(point.clone()));
        }
        if self.models.is_empty() {
            return Ok(of_slot(self.space.sample(rng)));
        }
        let own = self.archive.find(&slot.task);
        let slice = self.models.slice(own, slot.task.coords());
        let pending: Vec<&UnitPoint> = busy
            .iter()
            .filter(|candidate| candidate.task.as_ref() == Some(&slot.task))
            .map(|candidate| &candidate.point)
            .collect();
        let mut exclude: Vec<UnitPoint> = pending.iter().map(|&p| p.clone()).collect();
        if let Some(task) = own {
            let rows = &self.archive.tasks()[task].rows;
            exclude.extend(
                rows.iter()
                    .map(|&row| self.archive.rows()[row].point.clone()),
            );
        }
        let maximum = match &slot.aim {
            Aim::Point(_) | Aim::Anything => None,
            Aim::Preferred(scalar) => {
                let bound = ScalarBound {
                    slice: &slice,
                    scalar,
                    beta: self.config.beta,
                    known: &slot.known,
                };
                maximize(&bound, &self.space, &exclude, &self.config.maximize, rng)
            }
            Aim::Hypervolume(reference) => {
                let rows = own.map_or_else(Vec::new, |task| self.archive.complete(task));
                let (v, m) = (self.space.dim(), slice.len());
                let observed = Mat::from_fn(rows.len(), v, |i, k| {
                    self.archive.rows()[rows[i].0].point.coords()[k]
                });
                let costs = Mat::from_fn(rows.len(), m, |i, o| rows[i].1[o]);
                let waiting = Mat::from_fn(pending.len(), v, |i, k| pending[i].coords()[k]);
                let context = AcquisitionContext {
                    model: &slice.outputs,
                    observed: observed.as_ref(),
                    costs: costs.as_ref(),
                    pending: waiting.as_ref(),
                    reference: Some(reference),
                };
                let acquisition = self
                    .config
                    .acquisition
                    .build(context, rng)
                    .map_err(MetaError::from)?;
                let guided = Guided {
                    inner: acquisition.as_ref(),
                    known: &slot.known,
                };
                maximize(&guided, &self.space, &exclude, &self.config.maximize, rng)
            }
        };
        Ok(of_slot(match maximum {
            Some(maximum) => maximum.point,
            // A table all of whose rows have been evaluated for this task, or no wish at all.
            None => self.space.sample(rng),
        }))
    }
}

/// Minus the scalar cost of the lower confidence bounds of all objectives.
struct ScalarBound<'a> {
    slice: &'a TaskSlice<'a>,
    scalar: &'a Scalarization,
    beta: f64,
    known: &'a [Vec<f64>],
}

impl AcquisitionFunction for ScalarBound<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.utilities(x)[0]
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let points: Vec<Vec<f64>> = (0..x.nrows())
            .map(|i| (0..x.ncols()).map(|k| x[(i, k)]).collect())
            .collect();
        let bounds = self.slice.bounds(&points, self.beta);
        bounds.iter().map(|b| -self.scalar.value(b)).collect()
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        let (v, m) = (x.ncols(), self.slice.len());
        let point: Vec<f64> = (0..v).map(|k| x[(0, k)]).collect();
        let (mut dmean, mut dvariance) = (Mat::zeros(v, m), Mat::zeros(v, m));
        let (mean, variance) =
            self.slice
                .outputs
                .predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
        let sd: Vec<f64> = variance.iter().map(|v| v.sqrt()).collect();
        let bounds: Vec<f64> = mean
            .iter()
            .zip(&sd)
            .map(|(m, s)| m - self.beta * s)
            .collect();
        let mut by_cost = vec![0.0; m];
        let value = self.scalar.value_and_gradient(&bounds, &mut by_cost);
        for k in 0..v {
            let slope: f64 = (0..m)
                .map(|o| {
                    // At an observed point without noise σ has a corner; its slope counts as zero there.
                    let of_sd = if sd[o] > 0.0 {
                        0.5 * dvariance[(k, o)] / sd[o]
                    } else {
                        0.0
                    };
                    by_cost[o] * (dmean[(k, o)] - self.beta * of_sd)
                })
                .sum();
            gradient[(0, k)] = -slope;
        }
        Some(-value)
    }

    fn incumbents(&self) -> Mat<f64> {
        rows(self.known, self.slice.dim())
    }
}

/// An acquisition function with more points worth starting from.
struct Guided<'a> {
    inner: &'a dyn AcquisitionFunction,
    known: &'a [Vec<f64>],
}

impl AcquisitionFunction for Guided<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.inner.utility(x)
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, gradient: MatMut<'_, f64>) -> Option<f64> {
        self.inner.utility_gradient(x, gradient)
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        self.inner.utilities(x)
    }

    fn incumbents(&self) -> Mat<f64> {
        let own = self.inner.incumbents();
        let Some(first) = self.known.first() else {
            return own;
        };
        let n = own.nrows();
        Mat::from_fn(n + self.known.len(), first.len(), |i, k| {
            if i < n {
                own[(i, k)]
            } else {
                self.known[i - n][k]
            }
        })
    }
}

fn rows(points: &[Vec<f64>], dim: usize) -> Mat<f64> {
    Mat::from_fn(points.len(), dim, |i, k| points[i][k])
}

#[cfg(test)]
mod tests {
    use warmfront_gp::{Dataset, ExactGp, Hyperparameters, KernelKind, Standardization};
    use warmfront_testkit::check_gradient;

    use super::super::corrected::OutputSlice;
    use super::super::preference::Frame;
    use super::*;

    #[test]
    fn the_gradient_of_the_scalar_bound_agrees_with_differences() {
        let x = Mat::from_fn(6, 3, |i, k| ((i * (k + 3)) as f64 * 0.37).fract());
        let gps = [1.0, 2.0].map(|scale| {
            let y = Mat::from_fn(6, 1, |i, _| (scale * 3.0 * x[(i, 0)]).sin() + x[(i, 1)]);
            let h = Hyperparameters {
                lengthscales: vec![0.5, 0.7, 0.9],
                outputscale: 1.0,
                noise: 1e-3,
                mean: 0.1,
            };
            let data = Dataset::new(x.clone(), y).expect("finite");
            let units = Standardization::new(0.2, scale);
            ExactGp::with_hyperparameters(&data, KernelKind::Rbf, &h, units).expect("regular")
        });
        let slice = TaskSlice::new(
            gps.iter()
                .map(|unified| OutputSlice {
                    unified,
                    correction: None,
                    task: &[0.4],
                })
                .collect(),
        );
        let frame = Frame::between(vec![-1.0; 2], &[1.0, 2.0], &[1.0; 2]);
        for preference in [[0.5, 0.5], [0.9, 0.1]] {
            let bound = ScalarBound {
                slice: &slice,
                scalar: &Scalarization::new(&preference, &frame),
                beta: 0.7,
                known: &[vec![0.1, 0.2]],
            };
            let at = [0.33, 0.61];
            let matrix = |x: &[f64]| Mat::from_fn(1, 2, |_, k| x[k]);
            let mut gradient = Mat::zeros(1, 2);
            let value = bound
                .utility_gradient(matrix(&at).as_ref(), gradient.as_mut())
                .expect("has one");
            assert!((value - bound.utility(matrix(&at).as_ref())).abs() < 1e-9);
            let by = [gradient[(0, 0)], gradient[(0, 1)]];
            check_gradient(|x| bound.utility(matrix(x).as_ref()), &by, &at, 1e-5);
            assert_eq!(bound.incumbents().nrows(), 1);
        }
    }
}
