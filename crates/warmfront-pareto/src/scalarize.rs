//! Scalarisations: one cost out of many.

use crate::front::compare;
use crate::{ParetoError, Points};

/// The weighted sum `Σ w_k c_k`.
///
/// # Panics
///
/// If the lengths differ.
#[track_caller]
pub fn weighted_sum(costs: &[f64], weights: &[f64]) -> f64 {
    assert_same_length(costs, weights);
    costs.iter().zip(weights).map(|(c, w)| c * w).sum()
}

/// The augmented Chebyshev norm `max_k w_k c_k + ρ Σ_k w_k c_k` of costs that
/// are already measured from the ideal point; smaller is better.
///
/// ```
/// use warmfront_pareto::augmented_chebyshev;
///
/// assert_eq!(augmented_chebyshev(&[1.0, 4.0], &[0.5, 0.25], 0.5), 1.75);
/// ```
///
/// # Panics
///
/// If the lengths differ.
#[track_caller]
pub fn augmented_chebyshev(costs: &[f64], weights: &[f64], rho: f64) -> f64 {
    assert_same_length(costs, weights);
    let mut largest = f64::NEG_INFINITY;
    let mut sum = 0.0;
    for (c, w) in costs.iter().zip(weights) {
        largest = largest.max(w * c);
        sum += w * c;
    }
    largest + rho * sum
}

#[track_caller]
fn assert_same_length(costs: &[f64], weights: &[f64]) {
    assert!(
        costs.len() == weights.len(),
        "{} costs and {} weights",
        costs.len(),
        weights.len()
    );
}

/// An augmented Chebyshev scalarisation of normalised costs.
///
/// `s(c) = max_k w_k g_k + ρ Σ_k w_k g_k` with `g_k = (c_k − ideal_k) / scale_k`.
/// With all weights positive, every minimiser of `s` over a set is
/// non-dominated, and every properly non-dominated point minimises `s` for
/// some weights and a small enough `ρ`.
///
/// # References
///
/// R. E. Steuer, E.-U. Choo (1983), Mathematical Programming 26. J. Knowles
/// (2006), *ParEGO*, IEEE TEVC 10, eq. 2 (there with `ρ = 0.05`).
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{AugmentedChebyshev, Points};
///
/// let seen = Points::new(&[0.0, 10.0, 1.0, 0.0], 2)?;
/// let s = AugmentedChebyshev::from_points(&[0.5, 0.5], 0.05, seen)?;
/// assert!((s.value(&[0.5, 5.0]) - 0.275).abs() < 1e-15);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AugmentedChebyshev {
    weights: Vec<f64>,
    ideal: Vec<f64>,
    /// Reciprocal of the range in each objective.
    inverse_scale: Vec<f64>,
    rho: f64,
}

impl AugmentedChebyshev {
    /// A scalarisation of costs measured from zero in units of one.
    ///
    /// # Errors
    ///
    /// [`ParetoError::InvalidWeight`] if a weight is negative or not finite.
    pub fn new(weights: &[f64], rho: f64) -> Result<Self, ParetoError> {
        if let Some(index) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(ParetoError::InvalidWeight {
                index,
                value: weights[index],
            });
        }
        Ok(Self {
            weights: weights.to_vec(),
            ideal: vec![0.0; weights.len()],
            inverse_scale: vec![1.0; weights.len()],
            rho,
        })
    }

    /// A scalarisation normalised to the range of the finite values of
    /// `points` in each objective. An objective without extent is only shifted.
    ///
    /// # Errors
    ///
    /// [`ParetoError::InvalidWeight`] if a weight is negative or not finite.
    ///
    /// # Panics
    ///
    /// If the number of weights is not the number of objectives.
    #[track_caller]
    pub fn from_points(weights: &[f64], rho: f64, points: Points<'_>) -> Result<Self, ParetoError> {
        points.assert_objectives(weights.len(), "the weight vector");
        let mut this = Self::new(weights, rho)?;
        for k in 0..weights.len() {
            let (least, most) = points
                .rows()
                .map(|p| p[k])
                .filter(|v| v.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                    (lo.min(v), hi.max(v))
                });
            if least <= most {
                this.set_scale(k, least, most - least);
            }
        }
        Ok(this)
    }

    /// The same with costs measured from `ideal` in units of `nadir − ideal`.
    /// An objective in which this is not positive is only shifted.
    ///
    /// # Panics
    ///
    /// If the lengths differ from the number of weights.
    #[must_use]
    #[track_caller]
    pub fn with_range(mut self, ideal: &[f64], nadir: &[f64]) -> Self {
        assert_same_length(ideal, &self.weights);
        assert_same_length(nadir, &self.weights);
        for k in 0..ideal.len() {
            self.set_scale(k, ideal[k], nadir[k] - ideal[k]);
        }
        self
    }

    /// The same with costs measured from `ideal` in units of `scale`, which may be too small to be
    /// told from a difference of costs. An objective in which it is not positive is only shifted.
    ///
    /// # Panics
    ///
    /// If the lengths differ from the number of weights.
    #[must_use]
    #[track_caller]
    pub fn with_scale(mut self, ideal: &[f64], scale: &[f64]) -> Self {
        assert_same_length(ideal, &self.weights);
        assert_same_length(scale, &self.weights);
        for k in 0..ideal.len() {
            self.set_scale(k, ideal[k], scale[k]);
        }
        self
    }

    fn set_scale(&mut self, k: usize, ideal: f64, scale: f64) {
        self.ideal[k] = ideal;
        let inverse = 1.0 / scale;
        // What is too small or too large to invert is no scale.
        self.inverse_scale[k] = if inverse.is_finite() && inverse > 0.0 {
            inverse
        } else {
            1.0
        };
    }

    /// The weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn term(&self, k: usize, cost: f64) -> f64 {
        self.weights[k] * (cost - self.ideal[k]) * self.inverse_scale[k]
    }

    /// The scalar cost; smaller is better.
    ///
    /// # Panics
    ///
    /// If the number of costs is not the number of weights.
    #[track_caller]
    pub fn value(&self, costs: &[f64]) -> f64 {
        assert_same_length(costs, &self.weights);
        let mut largest = f64::NEG_INFINITY;
        let mut sum = 0.0;
        for (k, c) in costs.iter().enumerate() {
            let term = self.term(k, *c);
            largest = largest.max(term);
            sum += term;
        }
        largest + self.rho * sum
    }

    /// Writes a subgradient with respect to the costs and returns the value.
    ///
    /// Where several terms attain the maximum, the first is followed.
    ///
    /// # Panics
    ///
    /// If the number of costs or of entries is not the number of weights.
    #[track_caller]
    pub fn value_and_subgradient(&self, costs: &[f64], gradient: &mut [f64]) -> f64 {
        let value = self.value(costs);
        assert_same_length(gradient, &self.weights);
        let mut active = 0;
        for k in 0..costs.len() {
            gradient[k] = self.rho * self.weights[k] * self.inverse_scale[k];
            if self.term(k, costs[k]) > self.term(active, costs[active]) {
                active = k;
            }
        }
        if let Some(entry) = gradient.get_mut(active) {
            *entry += self.weights[active] * self.inverse_scale[active];
        }
        value
    }
}

/// Weights uniform on the simplex out of `m − 1` independent uniforms.
///
/// The weights are the gaps that the sorted uniforms leave in the unit
/// interval; values outside are clamped to it, and NaN counts as zero. The
/// caller draws the uniforms, so that this crate needs no generator.
///
/// ```
/// use warmfront_pareto::simplex_weights;
///
/// assert_eq!(simplex_weights(&[0.75, 0.25]), [0.25, 0.5, 0.25]);
/// assert_eq!(simplex_weights(&[]), [1.0]);
/// ```
pub fn simplex_weights(uniforms: &[f64]) -> Vec<f64> {
    let mut cuts: Vec<f64> = uniforms
        .iter()
        .map(|u| if u.is_nan() { 0.0 } else { u.clamp(0.0, 1.0) })
        .collect();
    cuts.push(1.0);
    cuts.sort_unstable_by(|a, b| compare(*a, *b));
    let mut previous = 0.0;
    cuts.iter()
        .map(|&cut| cut - std::mem::replace(&mut previous, cut))
        .collect()
}

/// All weight vectors of `m` multiples of `1/divisions` that sum to one, in
/// lexicographic order: `(divisions + m − 1 choose m − 1)` of them.
///
/// Empty if `m` or `divisions` is zero.
///
/// ```
/// use warmfront_pareto::simplex_lattice;
///
/// assert_eq!(simplex_lattice(2, 2), [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]);
/// ```
///
/// # References
///
/// I. Das, J. E. Dennis (1998), SIAM Journal on Optimization 8.
pub fn simplex_lattice(m: usize, divisions: usize) -> Vec<Vec<f64>> {
    fn extend(left: usize, counts: &mut Vec<usize>, m: usize, out: &mut Vec<Vec<usize>>) {
        if counts.len() + 1 == m {
            counts.push(left);
            out.push(counts.clone());
            counts.pop();
            return;
        }
        for count in 0..=left {
            counts.push(count);
            extend(left - count, counts, m, out);
            counts.pop();
        }
    }
    let mut lattice = Vec::new();
    if m > 0 && divisions > 0 {
        extend(divisions, &mut Vec::with_capacity(m), m, &mut lattice);
    }
    lattice
        .into_iter()
        .map(|counts| {
            counts
                .iter()
                .map(|&c| c as f64 / divisions as f64)
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgradient_is_the_slope_away_from_ties() {
        let s = AugmentedChebyshev::new(&[0.2, 0.5, 0.3], 0.05)
            .unwrap()
            .with_range(&[0.0, -1.0, 2.0], &[2.0, 1.0, 2.0]);
        let costs = [1.0, 0.5, 2.5];
        let mut gradient = [0.0; 3];
        let value = s.value_and_subgradient(&costs, &mut gradient);
        for k in 0..3 {
            let mut moved = costs;
            moved[k] += 1e-3;
            // Piecewise linear: the difference quotient is exact.
            assert!(((s.value(&moved) - value) / 1e-3 - gradient[k]).abs() < 1e-12);
        }
    }

    #[test]
    fn normalisation_survives_degenerate_data() {
        let data = [1.0, f64::INFINITY, 1.0, f64::NEG_INFINITY];
        let points = Points::new(&data, 2).unwrap();
        let s = AugmentedChebyshev::from_points(&[0.5, 0.5], 0.05, points).unwrap();
        assert!((s.value(&[2.0, 0.0]) - 0.525).abs() < 1e-15);
        assert!(AugmentedChebyshev::new(&[0.5, -0.1], 0.0).is_err());
        assert!(AugmentedChebyshev::new(&[f64::NAN], 0.0).is_err());
    }

    #[test]
    fn a_scale_below_the_rounding_of_the_ideal_counts() {
        let s = AugmentedChebyshev::new(&[1.0], 0.0).unwrap();
        let by_scale = s.clone().with_scale(&[1.0], &[1e-20]);
        assert!((by_scale.value(&[1.0 + 1e-10]) / 1e10 - 1.0).abs() < 1e-5);
        let by_range = s.with_range(&[1.0], &[3.0]);
        assert!((by_range.value(&[2.0]) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn weights_sum_to_one() {
        for uniforms in [&[0.3, 0.9, 0.1][..], &[2.0, f64::NAN], &[0.5; 4]] {
            let w = simplex_weights(uniforms);
            assert_eq!(w.len(), uniforms.len() + 1);
            assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(w.iter().all(|&w| w >= 0.0));
        }
        let lattice = simplex_lattice(3, 4);
        assert_eq!(lattice.len(), 15);
        assert!(
            lattice
                .iter()
                .all(|w| (w.iter().sum::<f64>() - 1.0).abs() < 1e-15)
        );
    }
}
