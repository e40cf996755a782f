//! The MOMF pairs of Irshad et al.: Branin–Currin and Park with a fidelity `s = k/100`.

use std::f64::consts::PI;

use warmfront_core::{FidelityRange, Objective, Objectives};

use super::{budgets, share, synthetic_problem};
use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

type Pair = fn(&[f64], f64) -> [f64; 2];

const BOTORCH: Provenance = Provenance::Reported { source: "BoTorch" };

/// Both objectives maximised against a reference of 0, as published.
fn published(
    name: &str,
    dim: usize,
    names: [&str; 2],
    pair: Pair,
    max_hypervolume: f64,
) -> Synthetic {
    let objectives = Objectives::new(names.map(Objective::maximize)).expect("the two names differ");
    build(name, dim, objectives, pair)
        .with_reference(Known::new(
            vec![0.0; 2],
            Provenance::Reported {
                source: "Irshad et al. 2021",
            },
        ))
        .with_max_hypervolume(Known::new(max_hypervolume, BOTORCH))
}

/// The same values minimised against a reference of 1.
fn inverted(name: &str, dim: usize, names: [&str; 2], pair: Pair) -> Synthetic {
    let name = format!("{name}_inverted");
    build(&name, dim, minimise(&names), pair).with_reference(Known::new(
        vec![1.0; 2],
        Provenance::Reported {
            source: "momfpriors",
        },
    ))
}

fn build(name: &str, dim: usize, objectives: Objectives, pair: Pair) -> Synthetic {
    let range: FidelityRange = budgets("k");
    let bounds = vec![(0.0, 1.0); dim];
    Synthetic::with_budgets(name, &bounds, range, objectives, move |x, k, y| {
        y.copy_from_slice(&pair(x, share(k)));
    })
}

/// Branin and Currin over `[0, 1]²`, both rescaled and maximised, at budgets `k` from 1 to 100.
pub struct MomfBraninCurrin {
    inner: Synthetic,
}

impl MomfBraninCurrin {
    /// The published problem: both objectives maximised, reference point (0, 0).
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "neither of the two problems is the obvious one"
    )]
    pub fn new() -> Self {
        let names = ["branin", "currin"];
        Self {
            inner: published(
                "momf_branin_currin",
                2,
                names,
                branin_currin,
                0.523_551_415_803_414_5,
            ),
        }
    }

    /// The problem of the PriMO experiments: the same values minimised, reference point (1, 1). The
    /// published expert priors belong to it.
    #[must_use]
    pub fn inverted() -> Self {
        let names = ["branin", "currin"];
        Self {
            inner: inverted("momf_branin_currin", 2, names, branin_currin),
        }
    }
}

synthetic_problem!(MomfBraninCurrin);

/// Two Park functions over `[0, 1]⁴`, both rescaled and maximised, at budgets `k` from 1 to 100.
pub struct MomfPark {
    inner: Synthetic,
}

impl MomfPark {
    /// The published problem: both objectives maximised, reference point (0, 0).
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "neither of the two problems is the obvious one"
    )]
    pub fn new() -> Self {
        let names = ["park1", "park2"];
        Self {
            inner: published("momf_park", 4, names, park, 0.085_519_273_630_879_91),
        }
    }

    /// The problem of the PriMO experiments: the same values minimised, reference point (1, 1). The
    /// published expert priors belong to it.
    #[must_use]
    pub fn inverted() -> Self {
        let names = ["park1", "park2"];
        Self {
            inner: inverted("momf_park", 4, names, park),
        }
    }
}

synthetic_problem!(MomfPark);

fn branin_currin(x: &[f64], s: f64) -> [f64; 2] {
    let off = 1.0 - s;
    let (u, v) = (15.0 * x[0] - 5.0, 15.0 * x[1]);
    let b = 5.1 / (4.0 * PI * PI) - 0.01 * off;
    let c = 5.0 / PI - 0.1 * off;
    let t = 1.0 / (8.0 * PI) + 0.05 * off;
    let valley = v - b * u * u + c * u - 6.0;
    let branin = valley * valley + 10.0 * (1.0 - t) * u.cos() + 10.0;

    let a = x[0];
    // exp(−1/0) = exp(−∞) = 0 is the limit, so x₂ = 0 needs no case of its own.
    let damping = 1.0 - 0.1 * off * (-1.0 / (2.0 * x[1])).exp();
    let numerator = ((2300.0 * a + 1900.0) * a + 2092.0) * a + 60.0;
    let denominator = ((100.0 * a + 500.0) * a + 4.0) * a + 20.0;
    let currin = damping * numerator / denominator;
    [(21.0 - branin) / 22.0, (14.0 - currin) / 15.0]
}

fn park(x: &[f64], s: f64) -> [f64; 2] {
    let off = 1.0 - s;
    let square = |value: f64| value * value;
    let y1 = 1.0 - 2.0 * square(x[0] - 0.6);
    let y2 = x[1];
    let y3 = 1.0 - 3.0 * square(x[2] - 0.5);
    let y4 = 1.0 - square(x[3] - 0.8);
    let scale = 0.9 + 0.1 * s;
    let shift = 0.1 * off;
    let root = (1.0 + (y2 + y3 * y3) * y4 / (y1 * y1 + 1e-4)).sqrt();
    let first = (y1 + 0.001 * off) / 2.0 * root;
    let second = (y1 + 3.0 * y4) * (1.0 + y3.sin()).exp();
    let third = 5.0 - 2.0 / 3.0 * (y1 + y2).exp() + y4 * y3.sin() * scale - y3 + shift;
    [
        scale * (first + second - shift) / 22.0 - 0.8,
        scale * third / 4.0 - 0.7,
    ]
}
