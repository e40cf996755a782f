//! ParEGO: the noisy expected improvement of a randomly weighted scalarisation.

use rand::{Rng, RngExt};
use warmfront_linalg::{Mat, MatMut, MatRef};
use warmfront_pareto::{AugmentedChebyshev, simplex_weights};

use crate::base_samples::uniform_points;
use crate::cells::smooth_positive;
use crate::frame::{Frame, check, observed_front, select_rows, stack_rows};
use crate::hypervolume_improvement::check_samples;
use crate::prune::plausible_front;
use crate::sampled::{Gain, Sampled};
use crate::sampler::Sampler;
use crate::{AcqError, AcquisitionContext, AcquisitionFunction};

/// Points at which a model without observations is asked for its best mean.
const PRIOR_SAMPLE: usize = 128;

/// Improvement of the scalarised outcome on the best of each sample.
struct ScalarizedGain {
    scalarization: AugmentedChebyshev,
    /// The lowest scalarised cost of each sample at the anchors.
    best: Vec<f64>,
}

impl ScalarizedGain {
    /// Sample `s` of the outcomes at point `i`.
    fn outcome(&self, f: &[f64], q: usize, i: usize, s: usize, y: &mut [f64]) {
        for (o, y) in y.iter_mut().enumerate() {
            *y = f[(o * q + i) * self.best.len() + s];
        }
    }

    /// The mean gain; `visit(sample, point, slope)` gets which point it depends on and how much.
    fn mean(&self, f: &[f64], q: usize, mut visit: impl FnMut(usize, usize, f64)) -> f64 {
        let samples = self.best.len();
        let mut y = vec![0.0; self.scalarization.weights().len()];
        let mut total = 0.0;
        for (s, best) in self.best.iter().enumerate() {
            let (mut lowest, mut point) = (f64::INFINITY, 0);
            for i in 0..q {
                self.outcome(f, q, i, s, &mut y);
                let value = self.scalarization.value(&y);
                if value < lowest {
                    (lowest, point) = (value, i);
                }
            }
            let (gain, slope) = smooth_positive(best - lowest);
            total += gain;
            visit(s, point, slope);
        }
        total / samples as f64
    }
}

impl Gain for ScalarizedGain {
    fn log_mean(&self, f: &[f64], q: usize) -> f64 {
        self.mean(f, q, |_, _, _| {}).ln()
    }

    fn log_mean_gradient(&self, f: &[f64], q: usize, f_bar: &mut [f64]) -> f64 {
        let samples = self.best.len();
        let m = self.scalarization.weights().len();
        let (mut y, mut by_outcome) = (vec![0.0; m], vec![0.0; m]);
        f_bar.fill(0.0);
        let mean = self.mean(f, q, |s, point, slope| {
            self.outcome(f, q, point, s, &mut y);
            self.scalarization
                .value_and_subgradient(&y, &mut by_outcome);
            for (o, derivative) in by_outcome.iter().enumerate() {
                f_bar[(o * q + point) * samples + s] = -slope * derivative;
            }
        });
        let share = 1.0 / (samples as f64 * mean);
        for value in &mut *f_bar {
            *value *= share;
        }
        mean.ln()
    }
}

/// Logarithm of the noisy expected improvement of an augmented Chebyshev scalarisation whose weights
/// are drawn, uniformly from the simplex, when it is built.
///
/// Works for any number of objectives, correlated ones included. Costs are normalised by the ideal
/// point and the range of the observed front. The outcomes at the observed points that may be
/// non-dominated, at the pending points and at the query points are sampled jointly; the scalarisation
/// is applied to the samples. Strategies that propose several points build it anew, with new weights,
/// for each.
///
/// # References
/// Knowles 2006 (ParEGO); Daulton, Balandat and Bakshy 2020, appendix (qParEGO with the improvement
/// of sampled scalarisations); Ament et al. 2023 (logarithm).
#[doc(alias = "ParEGO")]
pub struct ScalarizedImprovement<'a>(Sampled<'a, ScalarizedGain>);

impl<'a> ScalarizedImprovement<'a> {
    /// Draws weights and `samples` base samples; `rho` weighs the sum against the maximum.
    ///
    /// # Errors
    /// If `rho` is negative or not finite, `samples` is zero, an input is not finite, or the
    /// posterior at the observed or pending points is not.
    ///
    /// # Panics
    /// If the shapes in `context` do not fit together.
    #[track_caller]
    pub fn new(
        context: AcquisitionContext<'a>,
        rho: f64,
        samples: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, AcqError> {
        check(&context)?;
        check_samples(samples)?;
        if !(rho >= 0.0 && rho.is_finite()) {
            return Err(AcqError::Setting {
                what: "rho",
                value: rho,
                expected: "a finite number of at least 0",
            });
        }
        let (d, m) = (context.model.input_dim(), context.model.num_outputs());
        let front = observed_front(&context)?;
        let mut frame = Frame::new(&context, &front, rng)?;
        let uniforms: Vec<f64> = (1..m).map(|_| rng.random()).collect();
        let weights = simplex_weights(&uniforms);
        let mut ideal = Vec::with_capacity(m);
        for o in 0..m {
            let (low, high) = front
                .iter()
                .map(|&i| context.costs[(i, o)])
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                    (l.min(v), h.max(v))
                });
            let range = if high > low {
                high - low
            } else {
                frame.scale[o]
            };
            let range = range.clamp(1e-140, 1e140);
            ideal.push(if low.is_finite() {
                low
            } else {
                frame.reference[o] - frame.scale[o]
            });
            frame.scale[o] = range;
            // A scalarisation looks beyond any reference point.
            frame.reference[o] = f64::INFINITY;
        }
        let scalarization =
            AugmentedChebyshev::new(&weights, rho)?.with_scale(&ideal, &frame.scale);
        let kept = plausible_front(context.model, context.observed, &frame, rng)?;
        let baseline = select_rows(context.observed, &kept);
        let anchors = stack_rows(baseline.as_ref(), context.pending, d);
        let sampler = Sampler::new(context.model, anchors.as_ref(), samples, &frame.scale, rng)?;
        let a = sampler.anchors;
        let mut y = vec![0.0; m];
        let mut lowest = |points: usize, outcome: &dyn Fn(usize, usize) -> f64| {
            (0..points)
                .map(|i| {
                    for (o, y) in y.iter_mut().enumerate() {
                        *y = outcome(i, o);
                    }
                    scalarization.value(&y)
                })
                .fold(f64::INFINITY, f64::min)
        };
        let best = if a == 0 {
            let marginals = context
                .model
                .predict(uniform_points(d, PRIOR_SAMPLE, rng).as_ref());
            vec![lowest(PRIOR_SAMPLE, &|i, o| marginals.mean[(i, o)]); samples]
        } else {
            let sampled = &sampler.anchor_samples;
            (0..samples)
                .map(|s| lowest(a, &|j, o| sampled[(o * a + j) * samples + s]))
                .collect()
        };
        Ok(Self(Sampled {
            sampler,
            gain: ScalarizedGain {
                scalarization,
                best,
            },
            incumbents: select_rows(context.observed, &front),
        }))
    }
}

impl AcquisitionFunction for ScalarizedImprovement<'_> {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.0.utility(x)
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, gradient: MatMut<'_, f64>) -> Option<f64> {
        self.0.utility_gradient(x, gradient)
    }

    fn utilities(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        self.0.utilities(x)
    }

    fn incumbents(&self) -> Mat<f64> {
        self.0.incumbents()
    }
}
