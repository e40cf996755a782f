//! Exact hypervolume.

mod four;
mod three;
mod two;
mod wfg;

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
    four: four::Four,
    wfg: wfg::Wfg,
    /// Gains `r − p` of the points below the reference, row-major.
    rows: Vec<f64>,
    /// Last gain of each row and where the row starts.
    order: Vec<(f64, usize)>,
    /// The rows in decreasing order of the last gain.
    sorted: Vec<f64>,
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
            _ => self.many(points, reference),
        }
    }

    fn many(&mut self, points: Points<'_>, reference: &[f64]) -> f64 {
        let m = reference.len();
        self.rows.clear();
        self.order.clear();
        for p in points.rows() {
            if p.iter().zip(reference).all(|(p, r)| p < r) {
                self.order
                    .push((reference[m - 1] - p[m - 1], self.rows.len()));
                self.rows
                    .extend(reference.iter().zip(p).map(|(r, p)| r - p));
            }
        }
        let Some(exponent) = scale_to_one(&mut self.rows, m) else {
            return f64::INFINITY;
        };
        self.order
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.sorted.clear();
        for &(_, at) in &self.order {
            self.sorted.extend_from_slice(&self.rows[at..at + m]);
        }
        let volume = if m == 4 {
            self.four.volume(self.sorted.as_chunks::<4>().0, 1)
        } else {
            self.wfg.volume(&self.sorted, m)
        };
        times_power_of_two(volume, exponent)
    }
}

/// Divides each column by a power of two so that its largest entry is about
/// one, for differences of volumes must not overflow. Returns the sum of the
/// exponents, or `None` if an entry is infinite.
fn scale_to_one(rows: &mut [f64], m: usize) -> Option<i64> {
    let mut sum = 0;
    for k in 0..m {
        let column = (k..rows.len()).step_by(m);
        let largest = column.map(|i| rows[i]).fold(0.0, f64::max);
        if largest.is_infinite() {
            return None;
        }
        // The biased exponent field of a positive number.
        let exponent = (largest.to_bits() >> 52) as i32 - 1023;
        if exponent.abs() > 1 {
            let factor = 2f64.powi(-exponent);
            for i in (k..rows.len()).step_by(m) {
                rows[i] *= factor;
            }
            sum += i64::from(exponent);
        }
    }
    Some(sum)
}

/// `value · 2^exponent`, rounded at most once.
fn times_power_of_two(mut value: f64, mut exponent: i64) -> f64 {
    while exponent != 0 && value > 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2f64.powi(step as i32);
        exponent -= step;
    }
    value
}
