//! Hartmann functions in three and six dimensions, one objective.
//!
//! `f(x) = −Σᵢ αᵢ exp(−Σⱼ Aᵢⱼ (xⱼ − Pᵢⱼ)²)` with four wells and the standard constants.
//!
//! # References
//! Dixon, Szegő 1978, *Towards Global Optimization 2*; the constants as in Picheny et al. 2013.

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

/// The standard well depths `α`.
pub(crate) const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];

const A3: [[f64; 3]; 4] = [
    [3.0, 10.0, 30.0],
    [0.1, 10.0, 35.0],
    [3.0, 10.0, 30.0],
    [0.1, 10.0, 35.0],
];
const P3: [[f64; 3]; 4] = [
    [0.3689, 0.1170, 0.2673],
    [0.4699, 0.4387, 0.7470],
    [0.1091, 0.8732, 0.5547],
    [0.0381, 0.5743, 0.8828],
];
const A6: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P6: [[f64; 6]; 4] = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

fn wells<const D: usize>(
    x: &[f64],
    shift: &[f64; D],
    alpha: &[f64; 4],
    a: &[[f64; D]; 4],
    p: &[[f64; D]; 4],
) -> f64 {
    let mut value = 0.0;
    for i in 0..4 {
        let mut exponent = 0.0;
        for j in 0..D {
            let delta = x[j] + shift[j] - p[i][j];
            exponent += a[i][j] * delta * delta;
        }
        value -= alpha[i] * (-exponent).exp();
    }
    value
}

/// The three-dimensional Hartmann function at `x` with well depths `alpha` (length 3, any real
/// values).
#[must_use]
pub(crate) fn hartmann3_value(x: &[f64], alpha: &[f64; 4]) -> f64 {
    wells(x, &[0.0; 3], alpha, &A3, &P3)
}

/// The six-dimensional Hartmann function at `x + shift` with well depths `alpha` (length 6, any
/// real values).
#[must_use]
pub(crate) fn hartmann6_value(x: &[f64], shift: &[f64; 6], alpha: &[f64; 4]) -> f64 {
    wells(x, shift, alpha, &A6, &P6)
}

/// Hartmann in three dimensions on `[0, 1]³`, minimum −3.86278.
#[must_use]
pub fn hartmann3() -> Synthetic {
    Synthetic::new(
        "hartmann3",
        &[(0.0, 1.0); 3],
        minimise(&["value"]),
        |x, y| {
            y[0] = hartmann3_value(x, &ALPHA);
        },
    )
    .with_reference(Known::new(vec![0.0], Provenance::Analytic))
    .with_optimum(
        &[&[0.114_614, 0.555_649, 0.852_547]],
        Known::new(
            -3.862_78,
            Provenance::Reported {
                source: "Picheny et al. 2013",
            },
        ),
    )
}

/// Hartmann in six dimensions on `[0, 1]⁶`, minimum −3.32237.
#[must_use]
pub fn hartmann6() -> Synthetic {
    Synthetic::new(
        "hartmann6",
        &[(0.0, 1.0); 6],
        minimise(&["value"]),
        |x, y| {
            y[0] = hartmann6_value(x, &[0.0; 6], &ALPHA);
        },
    )
    .with_reference(Known::new(vec![0.0], Provenance::Analytic))
    .with_optimum(
        &[&[
            0.201_69, 0.150_011, 0.476_874, 0.275_332, 0.311_652, 0.657_3,
        ]],
        Known::new(
            -3.322_37,
            Provenance::Reported {
                source: "Picheny et al. 2013",
            },
        ),
    )
}
