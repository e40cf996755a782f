//! Three objectives: a sweep over the last one that keeps the staircase of
//! the first two.

use crate::Points;

/// Buffers of the sweep, in gains `r − p`: larger is better.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep {
    gains: Vec<[f64; 3]>,
    stairs: Stairs,
}

impl Sweep {
    pub(super) fn volume(&mut self, points: Points<'_>, reference: [f64; 3]) -> f64 {
        let [r0, r1, r2] = reference;
        self.gains.clear();
        self.gains.extend(
            points
                .as_slice()
                .chunks_exact(3)
                .filter(|p| p[0] < r0 && p[1] < r1 && p[2] < r2)
                .map(|p| [r0 - p[0], r1 - p[1], r2 - p[2]]),
        );
        if self.gains.iter().flatten().any(|&g| g == f64::INFINITY) {
            return f64::INFINITY;
        }
        self.gains.sort_unstable_by(|a, b| b[2].total_cmp(&a[2]));
        self.stairs.clear();
        let mut volume = 0.0;
        for &[x, y, z] in &self.gains {
            volume += z * self.stairs.add(x, y);
        }
        volume
    }
}

/// A two-dimensional non-dominated set (larger is better) in the order of the
/// first coordinate, with its dominated area known from the sums of
/// [`Self::add`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Stairs {
    /// Increasing.
    x: Vec<f64>,
    /// Decreasing.
    y: Vec<f64>,
}

impl Stairs {
    pub(crate) fn clear(&mut self) {
        self.x.clear();
        self.y.clear();
    }

    /// Adds a point of finite positive coordinates and returns the area that
    /// it alone dominates.
    pub(crate) fn add(&mut self, px: f64, py: f64) -> f64 {
        let at = self.x.partition_point(|&x| x < px);
        let mut floor = self.y.get(at).copied().unwrap_or(0.0);
        if floor >= py {
            return 0.0;
        }
        let end = at + usize::from(self.x.get(at).is_some_and(|&x| x <= px));
        let mut right = px;
        let mut area = 0.0;
        let mut start = at;
        loop {
            let Some(previous) = start.checked_sub(1) else {
                area += right * (py - floor);
                break;
            };
            let (x, y) = (self.x[previous], self.y[previous]);
            area += (right - x) * (py - floor);
            if y > py {
                break;
            }
            (right, floor) = (x, y);
            start = previous;
        }
        if start < end {
            self.x[start] = px;
            self.y[start] = py;
            self.x.drain(start + 1..end);
            self.y.drain(start + 1..end);
        } else {
            self.x.insert(start, px);
            self.y.insert(start, py);
        }
        area
    }
}
