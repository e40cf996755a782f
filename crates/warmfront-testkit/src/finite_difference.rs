//! Derivatives by central differences, to check hand-written ones.
//!
//! Central differences at a step halved repeatedly, extrapolated to step 0; of the extrapolations
//! the one that agrees best with its neighbours is kept, so that no step has to be chosen by hand.
//!
//! # References
//! Ridders 1982 (extrapolation of central differences).

const LEVELS: usize = 8;
const SHRINK: f64 = 1.6;

/// The derivative of `f` at `x`, usually to 9 digits or more for smooth functions of moderate scale.
///
/// `f` is evaluated up to `0.01 · max(|x|, 1)` away from `x`.
pub fn derivative(mut f: impl FnMut(f64) -> f64, x: f64) -> f64 {
    let mut step = 0.01 * x.abs().max(1.0);
    let mut previous = [0.0; LEVELS];
    let (mut best, mut best_error) = (f64::NAN, f64::INFINITY);
    for level in 0..LEVELS {
        let mut current = [0.0; LEVELS];
        // The step actually taken, after rounding of the two ends.
        let (right, left) = (x + step, x - step);
        current[0] = (f(right) - f(left)) / (right - left);
        if level == 0 {
            best = current[0];
        }
        let mut factor = 1.0;
        for order in 1..=level {
            factor *= SHRINK * SHRINK;
            current[order] = (factor * current[order - 1] - previous[order - 1]) / (factor - 1.0);
            let error = (current[order] - current[order - 1])
                .abs()
                .max((current[order] - previous[order - 1]).abs());
            if error < best_error {
                (best, best_error) = (current[order], error);
            }
        }
        previous = current;
        step /= SHRINK;
    }
    best
}

/// The gradient of `f` at `x`, one [`derivative`] per coordinate.
pub fn gradient(mut f: impl FnMut(&[f64]) -> f64, x: &[f64]) -> Vec<f64> {
    let mut point = x.to_vec();
    (0..x.len())
        .map(|i| {
            let slope = derivative(
                |value| {
                    point[i] = value;
                    f(&point)
                },
                x[i],
            );
            point[i] = x[i];
            slope
        })
        .collect()
}

/// Asserts that `actual` is the gradient of `f` at `x`.
///
/// An entry may be off by `tolerance · max(1, largest entry of the gradient)`.
///
/// # Panics
/// If the length is wrong or an entry is off by more.
#[track_caller]
pub fn check_gradient(f: impl FnMut(&[f64]) -> f64, actual: &[f64], x: &[f64], tolerance: f64) {
    assert_eq!(
        actual.len(),
        x.len(),
        "length of the gradient (left) and of the point"
    );
    let expected = gradient(f, x);
    let scale = expected
        .iter()
        .fold(1.0, |scale: f64, slope| scale.max(slope.abs()));
    crate::assert_all_close(actual, &expected, 0.0, tolerance * scale, "gradient");
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::assert_close;

    #[test]
    fn derivatives_of_known_functions() {
        let check = |f: fn(f64) -> f64, x: f64, expected: f64| {
            assert_close(derivative(f, x), expected, 1e-9, 1e-11, "derivative");
        };
        check(f64::exp, 1.0, std::f64::consts::E);
        check(f64::sin, 0.0, 1.0);
        check(f64::ln, 0.05, 20.0);
        check(|x| x * x * x, 1000.0, 3e6);
        check(|_| 7.0, 0.3, 0.0);
        check(|x| 1e-8 * x, 0.3, 1e-8);
    }

    #[test]
    fn a_right_gradient_passes_and_a_wrong_one_does_not() {
        let f = |x: &[f64]| x[0] * x[0] * x[1] + x[1].sin();
        let (a, b): (f64, f64) = (0.7, -1.3);
        let right = [2.0 * a * b, a * a + b.cos()];
        check_gradient(f, &right, &[a, b], 1e-9);
        let wrong = [right[0], right[1] + 1e-6];
        assert!(catch_unwind(|| check_gradient(f, &wrong, &[a, b], 1e-9)).is_err());
    }
}
