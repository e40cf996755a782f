//! Comparison of numbers with both tolerances in sight.

/// Asserts `|actual − expected| ≤ abs + rel · |expected|`, or that both are NaN or the same infinity.
///
/// # Panics
/// If they differ by more.
#[track_caller]
pub fn assert_close(actual: f64, expected: f64, rel: f64, abs: f64, context: &str) {
    if let Some(complaint) = difference(actual, expected, rel, abs) {
        panic!("{context}: {complaint}");
    }
}

/// Asserts that two slices (or matrices as slices) have the same length and are close everywhere.
///
/// # Panics
/// If the lengths differ, or an entry differs by more than [`assert_close`] allows.
#[track_caller]
pub fn assert_all_close(actual: &[f64], expected: &[f64], rel: f64, abs: f64, context: &str) {
    assert_eq!(
        actual.len(),
        expected.len(),
        "{context}: length (left: actual, right: expected)"
    );
    for (index, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        if let Some(complaint) = difference(a, e, rel, abs) {
            panic!("{context}: entry {index} of {}: {complaint}", actual.len());
        }
    }
}

fn difference(actual: f64, expected: f64, rel: f64, abs: f64) -> Option<String> {
    let same_bits = actual.to_bits() == expected.to_bits();
    let both_nan = actual.is_nan() && expected.is_nan();
    if same_bits || both_nan {
        return None;
    }
    let error = (actual - expected).abs();
    let allowed = abs + rel * expected.abs();
    // An infinite expectation would allow everything; a NaN must not pass either.
    if expected.is_finite() && error <= allowed {
        return None;
    }
    Some(format!(
        "{actual:e} is not {expected:e}: off by {error:.3e}, allowed {allowed:.3e}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_add_and_infinities_must_agree() {
        let check = |actual, expected, rel, abs, close| {
            assert_eq!(
                difference(actual, expected, rel, abs).is_none(),
                close,
                "{actual} {expected}"
            );
        };
        check(1.0, 1.0, 0.0, 0.0, true);
        check(1.1, 1.0, 0.0, 0.0, false);
        check(1.1, 1.0, 0.05, 0.06, true);
        check(0.0, -0.0, 0.0, 0.0, true);
        check(f64::NAN, f64::NAN, 0.0, 0.0, true);
        check(f64::NAN, 1.0, 1.0, 1.0, false);
        check(1.0, f64::NAN, 1.0, 1.0, false);
        check(f64::INFINITY, f64::INFINITY, 0.0, 0.0, true);
        check(f64::NEG_INFINITY, f64::INFINITY, 1.0, 1.0, false);
        check(1.0, f64::INFINITY, 1.0, 1.0, false);
        check(f64::INFINITY, 1.0, 1.0, 1.0, false);
    }
}
