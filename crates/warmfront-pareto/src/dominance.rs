//! The Pareto order on two objective vectors.

/// Whether `a` is at most `b` in every objective.
///
/// # Panics
///
/// If the lengths differ.
#[track_caller]
pub fn weakly_dominates(a: &[f64], b: &[f64]) -> bool {
    assert!(
        a.len() == b.len(),
        "objective vectors of {} and {} values",
        a.len(),
        b.len()
    );
    a.iter().zip(b).all(|(x, y)| x <= y)
}

/// Whether `a` is at most `b` in every objective and below it in at least one.
///
/// ```
/// use warmfront_pareto::dominates;
///
/// assert!(dominates(&[1.0, 2.0], &[1.0, 3.0]));
/// assert!(!dominates(&[1.0, 2.0], &[1.0, 2.0]));
/// assert!(!dominates(&[0.0, 4.0], &[1.0, 3.0]));
/// ```
///
/// # Panics
///
/// If the lengths differ.
#[track_caller]
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    weakly_dominates(a, b) && a.iter().zip(b).any(|(x, y)| x < y)
}

/// Whether `a` is below `b` in every objective.
///
/// # Panics
///
/// If the lengths differ.
#[track_caller]
pub fn strictly_dominates(a: &[f64], b: &[f64]) -> bool {
    assert!(
        a.len() == b.len(),
        "objective vectors of {} and {} values",
        a.len(),
        b.len()
    );
    a.iter().zip(b).all(|(x, y)| x < y)
}
