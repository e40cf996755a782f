//! Preferences among objectives, and the scalar cost that each stands for.

use warmfront_pareto::{simplex_lattice, simplex_weights};

/// Temperature of the smooth maximum, in units of the range of a front.
const TEMPERATURE: f64 = 0.02;
/// Weight of the sum of the costs next to their maximum: breaks ties at the ends of a front.
const SUM_WEIGHT: f64 = 0.01;
/// Distances from the ideal point below this share of the range count as this.
const CLOSEST: f64 = 1e-3;

/// Where the front of a task lies: costs are compared in units of `range` above `ideal`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) ideal: Vec<f64>,
    pub(super) range: Vec<f64>,
}

impl Frame {
    /// The frame between two corners; where they coincide, `fallback` is the unit.
    pub(super) fn between(ideal: Vec<f64>, nadir: &[f64], fallback: &[f64]) -> Self {
        let range = ideal
            .iter()
            .zip(nadir)
            .zip(fallback)
            .map(|((low, high), unit)| {
                let range = high - low;
                // A front much flatter than its objective's values is one point up to the model's error.
                if range.is_finite() && range > 1e-6 * unit {
                    range
                } else {
                    unit.max(f64::MIN_POSITIVE)
                }
            })
            .collect();
        Self { ideal, range }
    }

    pub(super) fn relative(&self, costs: &[f64]) -> Vec<f64> {
        costs
            .iter()
            .zip(&self.ideal)
            .zip(&self.range)
            .map(|((cost, ideal), range)| (cost - ideal) / range)
            .collect()
    }

    /// The preference whose scalar cost these costs would be optimal for, were they on the front.
    pub(super) fn implied(&self, costs: &[f64]) -> Vec<f64> {
        let inverse: Vec<f64> = self
            .relative(costs)
            .into_iter()
            .map(|z| 1.0 / z.max(CLOSEST))
            .collect();
        let total: f64 = inverse.iter().sum();
        inverse.into_iter().map(|w| w / total).collect()
    }
}

/// A smooth augmented Chebyshev scalarisation,
/// `τ ln Σ_k exp(w_k z_k/τ) + ρ Σ_k z_k` with `w = λ/max λ` and `z` the costs in a frame.
#[derive(Debug, Clone)]
pub(super) struct Scalarization {
    weights: Vec<f64>,
    frame: Frame,
}

impl Scalarization {
    pub(super) fn new(preference: &[f64], frame: &Frame) -> Self {
        let largest = preference.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        Self {
            weights: preference.iter().map(|w| w / largest).collect(),
            frame: frame.clone(),
        }
    }

    pub(super) fn value(&self, costs: &[f64]) -> f64 {
        self.value_and_gradient(costs, &mut vec![0.0; costs.len()])
    }

    /// The scalar cost, with its derivatives by the costs.
    pub(super) fn value_and_gradient(&self, costs: &[f64], gradient: &mut [f64]) -> f64 {
        let z = self.frame.relative(costs);
        let terms: Vec<f64> = z.iter().zip(&self.weights).map(|(z, w)| w * z).collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = terms
            .iter()
            .map(|t| ((t - largest) / TEMPERATURE).exp())
            .collect();
        let total: f64 = shares.iter().sum();
        for (k, g) in gradient.iter_mut().enumerate() {
            *g = (self.weights[k] * shares[k] / total + SUM_WEIGHT) / self.frame.range[k];
        }
        largest + TEMPERATURE * total.ln() + SUM_WEIGHT * z.iter().sum::<f64>()
    }
}

/// About `count` preferences spread evenly over the simplex of `m` weights, ends included; at least `m`.
pub(super) fn evenly(count: usize, m: usize) -> Vec<Vec<f64>> {
    let size = |h: usize| (1..m).fold(1.0, |c, i| c * (h + i) as f64 / i as f64);
    let divisions = (1..)
        .find(|&h| size(h + 1) > count as f64 || m < 2)
        .unwrap_or(1);
    simplex_lattice(m, divisions)
}

/// A preference out of `m − 1` uniform numbers, uniform on the simplex.
pub(super) fn uniform(uniforms: &[f64]) -> Vec<f64> {
    simplex_weights(uniforms)
}

/// A task with a preference as one input of the map: all weights but the last, which they determine.
pub(super) fn augmented(task: &[f64], preference: &[f64]) -> Vec<f64> {
    let free = preference.len().saturating_sub(1);
    task.iter().chain(&preference[..free]).copied().collect()
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::check_gradient;

    use super::*;

    #[test]
    fn gradients_agree_with_differences() {
        let frame = Frame::between(vec![-1.0, 2.0, 0.0], &[1.0, 7.0, 0.5], &[1.0; 3]);
        for preference in [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.4, 0.4, 0.2]] {
            let scalar = Scalarization::new(&preference, &frame);
            for costs in [[0.0, 3.0, 0.2], [-0.9, 6.0, 0.4]] {
                let mut gradient = vec![0.0; 3];
                scalar.value_and_gradient(&costs, &mut gradient);
                check_gradient(|c| scalar.value(c), &gradient, &costs, 1e-6);
            }
        }
    }

    #[test]
    fn a_point_is_optimal_for_the_preference_it_implies() {
        let frame = Frame::between(vec![0.0, 10.0], &[1.0, 30.0], &[1.0; 2]);
        let front: Vec<[f64; 2]> = (0..=50)
            .map(|i| {
                let angle = f64::from(i) / 50.0 * std::f64::consts::FRAC_PI_2;
                [1.0 - angle.sin(), 10.0 + 20.0 * (1.0 - angle.cos())]
            })
            .collect();
        for (i, point) in front.iter().enumerate() {
            let scalar = Scalarization::new(&frame.implied(point), &frame);
            let best = (0..front.len())
                .min_by(|&a, &b| scalar.value(&front[a]).total_cmp(&scalar.value(&front[b])))
                .expect("a front");
            // The sum and the smoothing pull a little towards the ends.
            assert!(best.abs_diff(i) <= 3, "{best} for {i}");
        }
    }

    #[test]
    fn even_preferences_are_on_the_simplex_with_its_corners() {
        for (count, m) in [(1, 2), (7, 2), (20, 3), (50, 4), (5, 1)] {
            let all = evenly(count, m);
            assert!(!all.is_empty() && all.len() <= count.max(m), "{count}, {m}");
            for weights in &all {
                assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights.len() == m);
            }
            for k in 0..m {
                assert!(all.iter().any(|w| w[k] > 1.0 - 1e-12));
            }
        }
        assert_eq!(evenly(7, 2).len(), 7);
        assert_eq!(augmented(&[0.3], &[0.25, 0.75]), [0.3, 0.25]);
    }

    #[test]
    fn a_flat_front_has_a_frame() {
        let frame = Frame::between(vec![3.0, 0.0], &[3.0, f64::INFINITY], &[0.0, 2.0]);
        assert!(frame.range.iter().all(|r| *r > 0.0 && r.is_finite()));
        let implied = frame.implied(&[3.0, 0.0]);
        assert!((implied[0] - 0.5).abs() < 1e-12, "{implied:?}");
    }
}
