//! The sum over the boxes, and what it needs of each objective.
//!
//! Two ways lead to the same value. The quick one adds products of differences of `G`, in units of
//! its largest value in each objective, and takes one logarithm at the end. Where even the largest
//! product comes near the smallest numbers, every factor is kept as a logarithm instead.

use warmfront_math::special::{
    ei_helper_with_derivative, log_ei_helper, log_ei_helper_with_derivative, log1mexp,
};
use warmfront_pareto::BoxDecomposition;

/// A bound counts as out of reach if its `G` is below exp of this, relative to the largest.
const LOG_NEGLIGIBLE: f64 = -340.0;

/// Below this relative sum the quick way may have lost boxes that count.
const RESOLVED: f64 = 1e-130;

/// Most objectives of the quick way.
const MAX_QUICK: usize = 6;

/// The boxes in terms of the distinct bounds of each objective.
///
/// Bounds of all objectives are numbered consecutively. Number 0 stands for −∞, where `G` is zero.
pub(super) struct Boxes {
    /// Distinct finite bounds, increasing within each objective, after the one for −∞.
    bounds: Vec<f64>,
    /// Where the bounds of each objective start, and the end.
    starts: Vec<usize>,
    /// Box by box, the lower and the upper bound of each objective.
    sides: Vec<[u32; 2]>,
}

impl Boxes {
    pub(super) fn new(boxes: &BoxDecomposition) -> Self {
        let m = boxes.objectives();
        let (mut bounds, mut starts) = (vec![f64::NEG_INFINITY], vec![1]);
        let mut sides = vec![[0; 2]; boxes.len() * m];
        for o in 0..m {
            let mut own: Vec<f64> = boxes
                .lower(o)
                .iter()
                .chain(boxes.upper(o))
                .copied()
                .filter(|e| e.is_finite())
                .collect();
            own.sort_by(f64::total_cmp);
            // By bits, as the search below: -0.0 and 0.0 are two bounds.
            own.dedup_by(|a, b| a.total_cmp(b).is_eq());
            let number = |bound: &f64| {
                own.binary_search_by(|e| e.total_cmp(bound))
                    .map_or(0, |i| (bounds.len() + i) as u32)
            };
            for (c, (l, u)) in boxes.lower(o).iter().zip(boxes.upper(o)).enumerate() {
                sides[c * m + o] = [number(l), number(u)];
            }
            bounds.extend(own);
            starts.push(bounds.len());
        }
        Self {
            bounds,
            starts,
            sides,
        }
    }

    fn objectives(&self) -> usize {
        self.starts.len() - 1
    }

    /// The finite bounds of objective `o`.
    fn of(&self, o: usize) -> std::ops::Range<usize> {
        self.starts[o]..self.starts[o + 1]
    }

    /// ln EHVI for these marginals, and its derivatives where `bars` (mean, standard deviation) are
    /// given; they are added to.
    pub(super) fn evaluate(
        &self,
        mean: &[f64],
        sd: &[f64],
        scratch: &mut Scratch,
        bars: Option<(&mut [f64], &mut [f64])>,
    ) -> f64 {
        if self.sides.is_empty() {
            return nothing_to_gain(mean, sd);
        }
        let unit = self.scaled(mean, sd, scratch);
        let gradient = bars.is_some();
        let (g, weight) = (&scratch.g, &mut scratch.weight);
        let total = match self.objectives() {
            1 => sum::<1>(&self.sides, g, weight, gradient),
            2 => sum::<2>(&self.sides, g, weight, gradient),
            3 => sum::<3>(&self.sides, g, weight, gradient),
            4 => sum::<4>(&self.sides, g, weight, gradient),
            5 => sum::<5>(&self.sides, g, weight, gradient),
            MAX_QUICK => sum::<MAX_QUICK>(&self.sides, g, weight, gradient),
            _ => 0.0,
        };
        if !(total > RESOLVED && total.is_finite() && unit.is_finite()) {
            return self.evaluate_logarithms(mean, sd, scratch, bars);
        }
        if let Some((mean_bar, sd_bar)) = bars {
            for o in 0..mean.len() {
                let scale = 1.0 / (total * scratch.largest[o]);
                for e in self.of(o) {
                    let w = scratch.weight[e] * scale;
                    mean_bar[o] -= w * scratch.distribution[e];
                    sd_bar[o] += w * scratch.density[e];
                }
            }
        }
        unit + total.ln()
    }

    /// Computes `G` at all bounds in units of the largest of its objective and returns the logarithm
    /// of the product of the units.
    fn scaled(&self, mean: &[f64], sd: &[f64], scratch: &mut Scratch) -> f64 {
        let mut unit = 0.0;
        for o in 0..mean.len() {
            let inverse = 1.0 / sd[o];
            let range = self.of(o);
            // An objective with boxes has bounds: none is unbounded above.
            let last = (self.bounds[range.end - 1] - mean[o]) * inverse;
            let log_largest = log_ei_helper(last);
            unit += sd[o].ln() + log_largest;
            // h(z) < exp(−z²/2) on the left.
            let reach = -(2.0 * (log_largest - LOG_NEGLIGIBLE).max(0.0)).sqrt();
            let largest = log_largest.exp();
            scratch.largest[o] = sd[o] * largest;
            let scale = 1.0 / largest;
            for e in range {
                let z = (self.bounds[e] - mean[o]) * inverse;
                let (h, cdf) = if z < reach {
                    (0.0, 0.0)
                } else {
                    ei_helper_with_derivative(z)
                };
                scratch.g[e] = h * scale;
                scratch.distribution[e] = cdf;
                scratch.density[e] = h - z * cdf;
            }
        }
        unit
    }

    /// The same in logarithms throughout.
    fn evaluate_logarithms(
        &self,
        mean: &[f64],
        sd: &[f64],
        scratch: &mut Scratch,
        bars: Option<(&mut [f64], &mut [f64])>,
    ) -> f64 {
        let m = self.objectives();
        let s = scratch;
        s.length.resize(self.sides.len(), 0.0);
        s.log_box.resize(self.sides.len() / m, 0.0);
        for o in 0..m {
            let inverse = 1.0 / sd[o];
            let log_sd = sd[o].ln();
            for e in self.of(o) {
                let z = (self.bounds[e] - mean[o]) * inverse;
                let (log_h, slope) = log_ei_helper_with_derivative(z);
                s.g[e] = log_sd + log_h;
                // ∂ ln G/∂μ and ∂ ln G/∂σ.
                s.distribution[e] = -slope * inverse;
                s.density[e] = (1.0 - z * slope) * inverse;
            }
        }
        for (i, &[l, u]) in self.sides.iter().enumerate() {
            let above = s.g[u as usize];
            s.length[i] = if l == 0 {
                above
            } else {
                above + log1mexp((s.g[l as usize] - above).min(0.0))
            };
        }
        for (sum, lengths) in s.log_box.iter_mut().zip(s.length.chunks_exact(m)) {
            *sum = lengths.iter().sum();
        }
        let largest = s.log_box.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return nothing_to_gain(mean, sd);
        }
        let total: f64 = s.log_box.iter().map(|v| (v - largest).exp()).sum();
        let value = largest + total.ln();
        if let Some((mean_bar, sd_bar)) = bars {
            // ∂ value/∂ ln G at each bound.
            s.weight.fill(0.0);
            for (c, log_box) in s.log_box.iter().enumerate() {
                let share = (log_box - value).exp();
                // A box too far away to count; its length may be zero.
                if share <= 0.0 {
                    continue;
                }
                for i in c * m..(c + 1) * m {
                    let [l, u] = self.sides[i].map(|side| side as usize);
                    s.weight[u] += share * (s.g[u] - s.length[i]).exp();
                    if l != 0 {
                        s.weight[l] -= share * (s.g[l] - s.length[i]).exp();
                    }
                }
            }
            for o in 0..m {
                for e in self.of(o) {
                    mean_bar[o] += s.weight[e] * s.distribution[e];
                    sd_bar[o] += s.weight[e] * s.density[e];
                }
            }
        }
        value
    }
}

/// The logarithm of a gain of zero, NaN for marginals that are no numbers.
fn nothing_to_gain(mean: &[f64], sd: &[f64]) -> f64 {
    if mean.iter().chain(sd).all(|v| v.is_finite()) {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    }
}

/// Sum over the boxes of the products of differences of `g`, and, if wanted, its derivatives with
/// respect to every entry of `g`.
fn sum<const M: usize>(sides: &[[u32; 2]], g: &[f64], weight: &mut [f64], gradient: bool) -> f64 {
    let length = |&[l, u]: &[u32; 2]| {
        let length = g[u as usize] - g[l as usize];
        // Rounding may swap two bounds that nearly agree.
        if length > 0.0 { length } else { 0.0 }
    };
    let mut total = 0.0;
    if !gradient {
        for sides in sides.as_chunks::<M>().0 {
            total += sides.iter().map(length).product::<f64>();
        }
        return total;
    }
    weight.fill(0.0);
    for sides in sides.as_chunks::<M>().0 {
        let lengths: [f64; M] = std::array::from_fn(|o| length(&sides[o]));
        // Products of the lengths before each objective, then times those after it.
        let mut others = [1.0; M];
        for o in 1..M {
            others[o] = others[o - 1] * lengths[o - 1];
        }
        let mut after = 1.0;
        for o in (0..M).rev() {
            others[o] *= after;
            after *= lengths[o];
        }
        total += after;
        for (other, &[l, u]) in others.iter().zip(sides) {
            weight[u as usize] += other;
            weight[l as usize] -= other;
        }
    }
    total
}

/// Scratch of one evaluation, reused over a batch. For each bound: `G` (or its logarithm), two
/// derivatives and a weight.
pub(super) struct Scratch {
    g: Vec<f64>,
    distribution: Vec<f64>,
    density: Vec<f64>,
    weight: Vec<f64>,
    /// The unit of `G` in each objective.
    largest: Vec<f64>,
    /// ln of each box's length in each objective, and their sums.
    length: Vec<f64>,
    log_box: Vec<f64>,
}

impl Scratch {
    pub(super) fn new(boxes: &Boxes) -> Self {
        let zeros = || vec![0.0; boxes.bounds.len()];
        Self {
            g: zeros(),
            distribution: zeros(),
            density: zeros(),
            weight: zeros(),
            largest: vec![0.0; boxes.objectives()],
            length: Vec::new(),
            log_box: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warmfront_pareto::Points;

    /// Both ways, with their gradients, from deep inside the dominated region to far beyond the front.
    #[test]
    fn products_and_logarithms_agree() {
        for m in 1..=6_usize {
            let front: Vec<f64> = (0..12 * m)
                .map(|i| ((i * i * 31 + 17 * i) % 101) as f64 / 101.0)
                .collect();
            let points = Points::new(&front, m).expect("finite");
            let boxes = BoxDecomposition::from_points(points, &vec![1.2; m]).expect("finite");
            let boxes = Boxes::new(&boxes);
            let mut scratch = Scratch::new(&boxes);
            let mut resolved = 0;
            for (centre, width) in [
                (0.1, 0.3),
                (0.5, 0.05),
                (0.9, 0.02),
                (1.0, 1e-3),
                (-2.0, 0.1),
                (-1e8, 1.0),
                (0.7, 1e3),
            ] {
                let mean: Vec<f64> = (0..m).map(|o| centre + 0.03 * o as f64).collect();
                let sd: Vec<f64> = (0..m).map(|o| width * (1.0 + o as f64)).collect();
                let mut quick = (vec![0.0; m], vec![0.0; m]);
                let bars = Some((&mut quick.0[..], &mut quick.1[..]));
                let value = boxes.evaluate(&mean, &sd, &mut scratch, bars);
                let alone = boxes.evaluate(&mean, &sd, &mut scratch, None);
                let mut slow = (vec![0.0; m], vec![0.0; m]);
                let bars = Some((&mut slow.0[..], &mut slow.1[..]));
                let expected = boxes.evaluate_logarithms(&mean, &sd, &mut scratch, bars);
                let near = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-9 * scale.max(1.0);
                assert!(near(value, expected, expected.abs()), "{value} {expected}");
                assert!(near(alone, expected, expected.abs()), "{alone} {expected}");
                for o in 0..m {
                    let (a, b) = (quick.0[o], slow.0[o]);
                    assert!(near(a * sd[o], b * sd[o], (b * sd[o]).abs()), "{a} {b}");
                    let (a, b) = (quick.1[o], slow.1[o]);
                    assert!(near(a * sd[o], b * sd[o], (b * sd[o]).abs()), "{a} {b}");
                }
                resolved += usize::from(expected.is_finite());
            }
            assert_eq!(resolved, 7);
        }
    }
}
