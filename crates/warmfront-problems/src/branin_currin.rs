//! Branin (one objective) and Branin–Currin (two objectives).
//!
//! # References
//! Branin 1972; Currin, Mitchell, Morris, Ylvisaker 1991 (the exponential function);
//! the pair as in Belakaria, Deshwal, Doppa 2019.

use std::f64::consts::PI;

use crate::problem::{Known, Provenance};
use crate::synthetic::{Synthetic, minimise};

/// Branin at `(u, v) ∈ [−5, 10] × [0, 15]`.
#[must_use]
pub(crate) fn branin_value(u: f64, v: f64) -> f64 {
    let valley = v - 5.1 / (4.0 * PI * PI) * u * u + 5.0 / PI * u - 6.0;
    valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * u.cos() + 10.0
}

/// Currin's exponential function at `(a, b) ∈ [0, 1]²`; its limit is taken at `b = 0`.
#[must_use]
pub(crate) fn currin_value(a: f64, b: f64) -> f64 {
    // exp(−1/0) = exp(−∞) = 0 is the limit, so b = 0 needs no case of its own.
    let damping = 1.0 - (-1.0 / (2.0 * b)).exp();
    let numerator = ((2300.0 * a + 1900.0) * a + 2092.0) * a + 60.0;
    let denominator = ((100.0 * a + 500.0) * a + 4.0) * a + 20.0;
    damping * numerator / denominator
}

/// Branin on `[−5, 10] × [0, 15]`: three global minima of 0.397887.
#[must_use]
pub fn branin() -> Synthetic {
    Synthetic::new(
        "branin",
        &[(-5.0, 10.0), (0.0, 15.0)],
        minimise(&["value"]),
        |x, y| {
            y[0] = branin_value(x[0], x[1]);
        },
    )
    .with_reference(Known::new(vec![310.0], Provenance::Analytic))
    .with_optimum(
        &[&[-PI, 12.275], &[PI, 2.275], &[3.0 * PI, 2.475]],
        Known::new(5.0 / (4.0 * PI), Provenance::Analytic),
    )
}

/// Branin and Currin over the same `[0, 1]²`, both minimised.
#[must_use]
pub fn branin_currin() -> Synthetic {
    Synthetic::new(
        "branin_currin",
        &[(0.0, 1.0); 2],
        minimise(&["branin", "currin"]),
        |x, y| {
            y[0] = branin_value(15.0 * x[0] - 5.0, 15.0 * x[1]);
            y[1] = currin_value(x[0], x[1]);
        },
    )
    .with_reference(Known::new(
        vec![18.0, 6.0],
        Provenance::Reported { source: "BoTorch" },
    ))
    .with_max_hypervolume(Known::new(
        59.360_118_748_676_46,
        Provenance::Reported {
            source: "BoTorch, NSGA-II with 90000 evaluations",
        },
    ))
}
