//! A borrowed set of objective vectors.

use crate::ParetoError;

/// A view of `n` objective vectors with `m` objectives each, row-major.
///
/// All objectives are *costs*: smaller is better. Infinite values are allowed,
/// NaN is not.
///
/// # Examples
///
/// ```
/// use warmfront_pareto::Points;
///
/// let points = Points::new(&[1.0, 4.0, 2.0, 3.0], 2)?;
/// assert_eq!(points.len(), 2);
/// assert_eq!(points.row(1), &[2.0, 3.0]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points<'a> {
    data: &'a [f64],
    m: usize,
}

impl<'a> Points<'a> {
    /// Views `data` as rows of `m` objectives.
    ///
    /// # Errors
    ///
    /// [`ParetoError::NanPoint`] names the first coordinate that is NaN.
    ///
    /// # Panics
    ///
    /// If `m` is zero or does not divide the length of `data`.
    #[track_caller]
    pub fn new(data: &'a [f64], m: usize) -> Result<Self, ParetoError> {
        assert!(m > 0, "points need at least one objective");
        assert!(
            data.len().is_multiple_of(m),
            "{} values are no whole number of rows of {m} objectives",
            data.len()
        );
        match data.iter().position(|v| v.is_nan()) {
            Some(at) => Err(ParetoError::NanPoint {
                row: at / m,
                objective: at % m,
            }),
            None => Ok(Self { data, m }),
        }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.data.len() / self.m
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Number of objectives.
    pub fn objectives(&self) -> usize {
        self.m
    }

    /// Objective vector `i`.
    ///
    /// # Panics
    ///
    /// If `i` is not below [`Self::len`].
    #[track_caller]
    pub fn row(&self, i: usize) -> &'a [f64] {
        &self.data[i * self.m..(i + 1) * self.m]
    }

    /// All objective vectors in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, f64> {
        self.data.chunks_exact(self.m)
    }

    /// The values, row-major.
    pub fn as_slice(&self) -> &'a [f64] {
        self.data
    }

    /// Panics unless a vector of `len` values fits these points.
    #[track_caller]
    pub(crate) fn assert_objectives(&self, len: usize, what: &str) {
        assert!(
            len == self.m,
            "{what} has {len} values but the points have {} objectives",
            self.m
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_coordinate_that_is_nan() {
        let data = [0.0, 1.0, 2.0, f64::NAN];
        assert_eq!(
            Points::new(&data, 2),
            Err(ParetoError::NanPoint {
                row: 1,
                objective: 1
            })
        );
    }

    #[test]
    fn empty_and_infinite_sets_are_points() {
        assert!(Points::new(&[], 3).expect("no NaN").is_empty());
        assert_eq!(
            Points::new(&[f64::INFINITY, f64::NEG_INFINITY], 1)
                .expect("no NaN")
                .len(),
            2
        );
    }
}
