//! ZDT 1–3: two objectives over `[0, 1]^d`, `d ≥ 2`, with analytic fronts.
//!
//! `f₁ = x₁`, `f₂ = g·h(f₁, g)` with `g = 1 + 9·mean(x₂ … x_d)`; the front is at `g = 1`.
//!
//! # References
//! Zitzler, Deb, Thiele 2000, *Comparison of multiobjective evolutionary algorithms*.

use std::f64::consts::PI;

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

/// Upper bound of both objectives against which hypervolumes are measured.
const REFERENCE: f64 = 11.0;

/// The pieces of `f₁` that belong to ZDT3's front, each the start of a new record low of `f₂` up
/// to the local minimum that follows.
const ZDT3_PIECES: [(f64, f64); 5] = [
    (0.0, 0.083_001_534_925_782_45),
    (0.182_228_728_005_868_05, 0.257_762_363_379_297_4),
    (0.409_313_674_808_657_1, 0.453_882_103_913_784_03),
    (0.618_396_794_396_018_7, 0.652_511_703_798_044_3),
    (0.823_331_798_317_868_4, 0.851_832_865_405_448_4),
];

#[track_caller]
fn check_dimension(name: &str, dim: usize) {
    assert!(dim >= 2, "{name} needs at least 2 inputs, got {dim}");
}

fn tail_mean(x: &[f64]) -> f64 {
    let tail = &x[1..];
    1.0 + 9.0 * tail.iter().sum::<f64>() / tail.len() as f64
}

fn build(
    name: &str,
    dim: usize,
    shape: fn(f64, f64) -> f64,
    max_hypervolume: Known<f64>,
) -> Synthetic {
    Synthetic::new(
        &format!("{name}_d{dim}"),
        &vec![(0.0, 1.0); dim],
        minimise(&["f1", "f2"]),
        move |x, y| {
            let g = tail_mean(x);
            y[0] = x[0];
            y[1] = g * shape(x[0], g);
        },
    )
    .with_reference(Known::new(
        vec![REFERENCE; 2],
        Provenance::Reported { source: "BoTorch" },
    ))
    .with_max_hypervolume(max_hypervolume)
}

fn zdt3_shape(f1: f64, g: f64) -> f64 {
    1.0 - (f1 / g).sqrt() - f1 / g * (10.0 * PI * f1).sin()
}

/// ZDT1 with `dim` inputs: a convex front `f₂ = 1 − √f₁`.
///
/// # Panics
/// If `dim < 2`.
#[must_use]
#[track_caller]
pub fn zdt1(dim: usize) -> Synthetic {
    check_dimension("zdt1", dim);
    // Below the front lies ∫₀¹ 1 − √t dt = 1/3.
    let best = REFERENCE * REFERENCE - 1.0 / 3.0;
    build(
        "zdt1",
        dim,
        |f1, g| 1.0 - (f1 / g).sqrt(),
        Known::new(best, Provenance::Analytic),
    )
    .with_front(Provenance::Analytic, |n| {
        spread(&[(0.0, 1.0)], n)
            .into_iter()
            .map(|t| vec![t, 1.0 - t.sqrt()])
            .collect()
    })
}

/// ZDT2 with `dim` inputs: a concave front `f₂ = 1 − f₁²`.
///
/// # Panics
/// If `dim < 2`.
#[must_use]
#[track_caller]
pub fn zdt2(dim: usize) -> Synthetic {
    check_dimension("zdt2", dim);
    let best = REFERENCE * REFERENCE - 2.0 / 3.0;
    build(
        "zdt2",
        dim,
        |f1, g| 1.0 - (f1 / g).powi(2),
        Known::new(best, Provenance::Analytic),
    )
    .with_front(Provenance::Analytic, |n| {
        spread(&[(0.0, 1.0)], n)
            .into_iter()
            .map(|t| vec![t, 1.0 - t * t])
            .collect()
    })
}

/// ZDT3 with `dim` inputs: a front in five pieces.
///
/// This is the paper's definition; BoTorch's leaves out the factor `g` of the second objective.
///
/// # Panics
/// If `dim < 2`.
#[must_use]
#[track_caller]
pub fn zdt3(dim: usize) -> Synthetic {
    check_dimension("zdt3", dim);
    build(
        "zdt3",
        dim,
        zdt3_shape,
        Known::new(zdt3_hypervolume(), Provenance::Analytic),
    )
    .with_front(Provenance::Analytic, |n| {
        spread(&ZDT3_PIECES, n)
            .into_iter()
            .map(|t| vec![t, zdt3_shape(t, 1.0)])
            .collect()
    })
}

/// `∫₀^r r − F(t) dt`, `F` the running minimum of the front's curve: the curve itself on each
/// piece, constant between pieces.
fn zdt3_hypervolume() -> f64 {
    let antiderivative = |t: f64| {
        let wave = 10.0 * PI;
        t - t.powf(1.5) / 1.5 - ((wave * t).sin() / (wave * wave) - t * (wave * t).cos() / wave)
    };
    let mut below = 0.0;
    for (piece, &(start, end)) in ZDT3_PIECES.iter().enumerate() {
        below += antiderivative(end) - antiderivative(start);
        let next = ZDT3_PIECES.get(piece + 1).map_or(REFERENCE, |next| next.0);
        below += (next - end) * zdt3_shape(end, 1.0);
    }
    REFERENCE * REFERENCE - below
}

/// About `n` values over `pieces`, ends included, in proportion to the lengths of the pieces.
pub(crate) fn spread(pieces: &[(f64, f64)], n: usize) -> Vec<f64> {
    let total: f64 = pieces.iter().map(|(start, end)| end - start).sum();
    let mut values = Vec::with_capacity(n + pieces.len());
    for &(start, end) in pieces {
        let count = ((end - start) / total * n as f64).round().max(2.0) as usize;
        for i in 0..count {
            let t = i as f64 / (count - 1) as f64;
            values.push(start * (1.0 - t) + end * t);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zdt3_hypervolume_agrees_with_the_reported_one() {
        assert!((zdt3_hypervolume() - 128.778_116_130_690_76).abs() < 1e-3);
    }

    #[test]
    fn zdt3_pieces_start_where_the_last_minimum_is_beaten() {
        for pair in ZDT3_PIECES.windows(2) {
            let gap = zdt3_shape(pair[0].1, 1.0) - zdt3_shape(pair[1].0, 1.0);
            assert!(gap.abs() < 1e-9, "{gap}");
        }
    }
}
