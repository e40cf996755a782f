//! Points of the unit cube.

use std::hash::{Hash, Hasher};

use crate::SpaceError;

/// A point of `[0, 1]^d`. NaN and values outside cannot be represented.
///
/// Two points are equal if their coordinates are equal bit for bit; there is no negative zero.
///
/// ```
/// use warmfront_core::UnitPoint;
///
/// assert_eq!(UnitPoint::new([0.0, 1.0])?.coords(), [0.0, 1.0]);
/// assert!(UnitPoint::new([0.5, 1.5]).is_err());
/// assert_eq!(UnitPoint::clamped([0.5, 1.5]).coords(), [0.5, 1.0]);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UnitPoint(Box<[f64]>);

impl UnitPoint {
    /// Makes a point of coordinates in `[0, 1]`.
    ///
    /// # Errors
    /// If a coordinate is outside or NaN.
    pub fn new(coords: impl Into<Box<[f64]>>) -> Result<Self, SpaceError> {
        let coords = coords.into();
        match coords.iter().position(|coord| !(0.0..=1.0).contains(coord)) {
            Some(index) => Err(SpaceError::Coordinate {
                index,
                value: coords[index],
            }),
            None => Ok(Self::clamped(coords)),
        }
    }

    /// Makes a point of any numbers by clamping them to `[0, 1]`; NaN becomes 0.
    #[must_use]
    pub fn clamped(coords: impl Into<Box<[f64]>>) -> Self {
        let mut coords = coords.into();
        for coord in &mut coords {
            // Not `clamp`: it would keep NaN and −0, and equality here is equality of bits.
            *coord = if *coord > 0.0 { coord.min(1.0) } else { 0.0 };
        }
        Self(coords)
    }

    /// The coordinates, each in `[0, 1]`.
    #[must_use]
    pub fn coords(&self) -> &[f64] {
        &self.0
    }

    /// Number of coordinates `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.0.len()
    }

    /// Root mean square difference of the coordinates, in `[0, 1]`; 0 between points without any.
    ///
    /// # Panics
    /// If the points are of different dimensions.
    #[must_use]
    #[track_caller]
    pub fn distance(&self, other: &Self) -> f64 {
        let (here, there) = (self.dim(), other.dim());
        assert!(here == there, "points of {here} and of {there} coordinates");
        let pairs = self.0.iter().zip(&other.0);
        let square: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
        (square / here.max(1) as f64).sqrt()
    }
}

// Sound because no coordinate is NaN or −0: equality is equality of bits.
impl Eq for UnitPoint {}

impl Hash for UnitPoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for coord in &self.0 {
            state.write_u64(coord.to_bits());
        }
    }
}

impl AsRef<[f64]> for UnitPoint {
    fn as_ref(&self) -> &[f64] {
        &self.0
    }
}

impl TryFrom<Vec<f64>> for UnitPoint {
    type Error = SpaceError;

    fn try_from(coords: Vec<f64>) -> Result<Self, SpaceError> {
        Self::new(coords)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closed_unit_interval_is_accepted() {
        let check =
            |coord: f64, valid: bool| assert_eq!(UnitPoint::new([0.5, coord]).is_ok(), valid);
        check(0.0, true);
        check(-0.0, true);
        check(1.0, true);
        check(-f64::MIN_POSITIVE, false);
        check(1.0 + f64::EPSILON, false);
        check(f64::NAN, false);
        check(f64::INFINITY, false);
        assert_eq!(
            UnitPoint::new([-0.0]).expect("inside").coords()[0].to_bits(),
            0
        );
    }

    #[test]
    fn clamping_accepts_everything() {
        let point = UnitPoint::clamped([
            f64::NAN,
            -1.0,
            -0.0,
            2.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.3,
        ]);
        assert_eq!(point.coords(), [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.3]);
        assert!(point.coords().iter().all(|coord| coord.is_sign_positive()));
    }
}
