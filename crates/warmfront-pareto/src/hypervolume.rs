//! Exact hypervolume.

mod three;
mod two;

use crate::Points;

/// Volume of the region that `points` dominate below `reference`.
///
/// The region is the set of vectors `y < r` with `p ≤ y` for some point `p`.
/// Points that are not below the reference in every objective contribute
/// nothing. The result is exact up to rounding. It is `∞` if the region is
/// unbounded or its volume overflows, and NaN if a coordinate of the reference
/// is NaN.
///
/// Allocates its working memory; use a [`HypervolumeWorkspace`] for many calls.
///
/// # Panics
///
/// If the reference has another number of objectives than the points.
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, hypervolume};
///
/// let front = Points::new(&[1.0, 2.0, 2.0, 1.0], 2)?;
/// assert_eq!(hypervolume(front, &[3.0, 3.0]), 3.0);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[track_caller]
pub fn hypervolume(points: Points<'_>, reference: &[f64]) -> f64 {
    HypervolumeWorkspace::new().hypervolume(points, reference)
}

/// Working memory for [`hypervolume`], reused between calls.
#[derive(Debug, Clone, Default)]
pub struct HypervolumeWorkspace {
    two: two::Sweep,
    three: three::Sweep,
}

impl HypervolumeWorkspace {
    /// An empty workspace; memory is taken when first needed and then kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Same as [`hypervolume`].
    ///
    /// # Panics
    ///
    /// If the reference has another number of objectives than the points.
    #[track_caller]
    pub fn hypervolume(&mut self, points: Points<'_>, reference: &[f64]) -> f64 {
        points.assert_objectives(reference.len(), "the reference point");
        if reference.iter().any(|r| r.is_nan()) {
            return f64::NAN;
        }
        match reference {
            [r] => points
                .as_slice()
                .iter()
                .fold(0.0, |v, p| f64::max(v, r - p)),
            &[r0, r1] => self.two.volume(points, [r0, r1]),
            &[r0, r1, r2] => self.three.volume(points, [r0, r1, r2]),
            _ => crate::BoxDecomposition::from_points(points, reference)
                .map_or(f64::NAN, |boxes| boxes.hypervolume()),
        }
    }
}
