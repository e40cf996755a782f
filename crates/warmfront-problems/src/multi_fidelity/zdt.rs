//! ZDT 1 and 6 with a fidelity `s = k/100` that moves both objectives.

use std::f64::consts::PI;

use super::{budgets, share, synthetic_problem};
use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

const REFERENCE: f64 = 2.0;

/// The least value of ZDT6's first objective at full fidelity, near x₁ = 0.0815.
const ZDT6_LEAST: f64 = 0.280_775_318_8;

/// ZDT 1 or 6 over `[0, 1]^d` at budgets `k` from 1 to 100, both objectives minimised.
///
/// The formulas are those of the PriMO experiments, in which the second objective is not multiplied
/// by `g` as in ZDT; the fronts at full fidelity are the same.
pub struct MfZdt {
    inner: Synthetic,
}

impl MfZdt {
    /// ZDT1 with `dim ≥ 2` inputs; the experiments use 30.
    ///
    /// # Panics
    /// If `dim` is less than 2.
    #[must_use]
    #[track_caller]
    pub fn zdt1(dim: usize) -> Self {
        let inner = build("mf_zdt1", dim, |x, s| {
            let f1 = x[0] + 0.1 * (1.0 - s);
            let g = 1.0 + 9.0 * tail_mean(x);
            [f1, 1.0 - (f1 / g).sqrt() + 0.5 * (1.0 - s)]
        });
        // Of the square to the reference, the part under f₂ = 1 − √f₁ is missing.
        let hypervolume = REFERENCE * REFERENCE - 1.0 / 3.0;
        Self {
            inner: inner
                .with_max_hypervolume(Known::new(hypervolume, Provenance::Analytic))
                .with_front(Provenance::Analytic, |points| {
                    front(0.0, points, |f1| 1.0 - f1.sqrt())
                }),
        }
    }

    /// ZDT6 with `dim ≥ 2` inputs; the experiments use 10.
    ///
    /// # Panics
    /// If `dim` is less than 2.
    #[must_use]
    #[track_caller]
    pub fn zdt6(dim: usize) -> Self {
        let inner = build("mf_zdt6", dim, |x, s| {
            let decay = (-4.0 * x[0] - 0.9 * (1.0 - s)).exp();
            let f1 = 1.0 - decay * (6.0 * PI * x[0]).sin().powi(6);
            let g = 1.0 + 9.0 * tail_mean(x).powf(0.25);
            let ratio = f1 / g;
            [f1, 1.0 - ratio * ratio + 0.5 * (1.0 - s)]
        });
        let low = ZDT6_LEAST;
        let under = (1.0 - low) - (1.0 - low * low * low) / 3.0;
        let hypervolume = REFERENCE * (REFERENCE - low) - under;
        Self {
            inner: inner
                .with_max_hypervolume(Known::new(hypervolume, Provenance::Analytic))
                .with_front(Provenance::Analytic, |points| {
                    front(ZDT6_LEAST, points, |f1| 1.0 - f1 * f1)
                }),
        }
    }
}

synthetic_problem!(MfZdt);

#[track_caller]
fn build(name: &str, dim: usize, pair: fn(&[f64], f64) -> [f64; 2]) -> Synthetic {
    assert!(dim >= 2, "{name} needs at least 2 inputs, got {dim}");
    Synthetic::with_budgets(
        &format!("{name}_d{dim}"),
        &vec![(0.0, 1.0); dim],
        budgets("k"),
        minimise(&["f1", "f2"]),
        move |x, k, y| y.copy_from_slice(&pair(x, share(k))),
    )
    .with_reference(Known::new(
        vec![REFERENCE; 2],
        Provenance::Reported {
            source: "momfpriors",
        },
    ))
}

fn tail_mean(x: &[f64]) -> f64 {
    let tail = &x[1..];
    tail.iter().sum::<f64>() / tail.len() as f64
}

fn front(low: f64, points: usize, f2: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    let last = points.max(2) - 1;
    (0..=last)
        .map(|i| {
            let f1 = low + (1.0 - low) * i as f64 / last as f64;
            vec![f1, f2(f1)]
        })
        .collect()
}
