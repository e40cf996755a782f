//! What a belief says about one parameter.

use std::f64::consts::{LN_2, PI, SQRT_2};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Factor {
    /// Of a number: normal on its coordinate.
    Normal(Bell),
    /// Of a list of values: the logarithm of the mass of each.
    Masses(Arc<[f64]>),
}

impl Factor {
    /// Mass `confidence` on one of `count` values, the rest shared by the others.
    pub(super) fn choice(level: i64, count: usize, confidence: f64) -> Self {
        let others = ((1.0 - confidence) / (count as f64 - 1.0)).ln();
        let mut masses = vec![others; count];
        masses[level as usize] = confidence.ln();
        Self::Masses(masses.into())
    }

    /// Masses in proportion to positive finite weights.
    pub(super) fn weights(weights: &[f64]) -> Self {
        // Divided by the largest, so that no sum overflows; as logarithms, so that no mass is 0.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let total: f64 = weights.iter().map(|weight| weight / largest).sum();
        let ln_mass = |weight: &f64| weight.ln() - largest.ln() - total.ln();
        Self::Masses(weights.iter().map(ln_mass).collect())
    }
}

/// The first of the largest logarithms of masses.
pub(super) fn most_likely(ln_masses: &[f64]) -> usize {
    let mut best = 0;
    for (level, mass) in ln_masses.iter().enumerate() {
        if *mass > ln_masses[best] {
            best = level;
        }
    }
    best
}

/// The position that a uniform `u` in `[0, 1)` picks, by masses known up to a factor.
pub(super) fn pick(ln_masses: &[f64], u: f64) -> usize {
    // Shifted by the largest, so that far masses underflow rather than all of them.
    let largest = ln_masses[most_likely(ln_masses)];
    let weights: Vec<f64> = ln_masses.iter().map(|ln| (ln - largest).exp()).collect();
    let mut left = u * weights.iter().sum::<f64>();
    for (position, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return position;
        }
    }
    // Rounding may leave a rest; a position without mass must not get it.
    weights
        .iter()
        .rposition(|weight| *weight > 0.0)
        .unwrap_or(0)
}

/// A normal distribution truncated to the unit interval, with its centre inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bell {
    centre: f64,
    spread: f64,
    /// Logarithm of the density at the centre.
    ln_peak: f64,
}

impl Bell {
    pub(super) fn new(centre: f64, spread: f64) -> Self {
        // The centre lies in the interval and the spread is below 1, so the mass is at least a
        // third: no cancellation.
        let mass = normal_cdf((1.0 - centre) / spread) - normal_cdf(-centre / spread);
        Self {
            centre,
            spread,
            ln_peak: -0.5 * (LN_2 + PI.ln()) - spread.ln() - mass.ln(),
        }
    }

    pub(super) fn centre(&self) -> f64 {
        self.centre
    }

    pub(super) fn ln_density(&self, x: f64) -> f64 {
        let z = (x - self.centre) / self.spread;
        self.ln_peak - 0.5 * z * z
    }

    /// The derivative of [`ln_density`](Self::ln_density).
    pub(super) fn slope(&self, x: f64) -> f64 {
        let z = (x - self.centre) / self.spread;
        -z / self.spread
    }

    /// The logarithm of the mean density over an interval: its mass by its width.
    pub(super) fn ln_mean_density(&self, low: f64, high: f64) -> f64 {
        let (a, b) = (
            (low - self.centre) / self.spread,
            (high - self.centre) / self.spread,
        );
        let width = b - a;
        // Finer than `f64` resolves, the density does not vary.
        if width <= 0.0 {
            return self.ln_density(low);
        }
        if a < 0.0 && b > 0.0 {
            let (below, above) = (bell_integral(0.0, -a), bell_integral(0.0, b));
            return self.ln_peak + ((below + above) / width).ln();
        }
        let near = a.abs().min(b.abs());
        self.ln_peak - 0.5 * near * near + (bell_integral(near, width) / width).ln()
    }

    /// Where the distribution function reaches `u`. By bisection: it is exact enough, cannot fail,
    /// and one uniform gives one draw.
    pub(super) fn quantile(&self, u: f64) -> f64 {
        let cdf = |x: f64| normal_cdf((x - self.centre) / self.spread);
        let target = cdf(0.0) + u * (cdf(1.0) - cdf(0.0));
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if cdf(middle) < target {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

/// `∫₀^width exp(−start·t − t²/2) dt`: what is left of a normal's mass beyond `start ≥ 0` when its
/// density there is divided out, which keeps narrow and far intervals exact where differences of
/// the distribution function cancel or vanish.
fn bell_integral(start: f64, width: f64) -> f64 {
    // Gauss–Legendre of five points on [−1, 1].
    const NODES: [(f64, f64); 5] = [
        (0.0, 128.0 / 225.0),
        (0.538_469_310_105_683, 0.478_628_670_499_366_5),
        (-0.538_469_310_105_683, 0.478_628_670_499_366_5),
        (0.906_179_845_938_664, 0.236_926_885_056_189_1),
        (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    ];
    // Beyond an exponent of 40 nothing is left in `f64`.
    let width = width.min(9.0).min(40.0 / start.max(1e-9));
    // Half of what the integrand falls by a factor e in: five points are exact to 1e-12.
    let panels = (2.0 * width * start.max(1.0)).ceil().max(1.0);
    let half = 0.5 * width / panels;
    (0..panels as u32)
        .map(|panel| {
            let middle = half * f64::from(2 * panel + 1);
            let value = |(node, weight): &(f64, f64)| {
                let t = middle + half * node;
                weight * (-t * (start + 0.5 * t)).exp()
            };
            half * NODES.iter().map(value).sum::<f64>()
        })
        .sum()
}

pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}
