//! Three objectives: a sweep over the last one that keeps the staircase of
//! the first two.

use std::cmp::Ordering;

use super::gains::{scale_to_one, times_power_of_two};
use crate::Points;
use crate::order::{Sorter, partition_point};

/// Buffers of the sweep, in gains `r − p`: larger is better.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep {
    gains: Vec<[f64; 3]>,
    /// The first two gains by decreasing third.
    order: Sorter<[f64; 2]>,
    stairs: Stairs,
}

impl Sweep {
    pub(super) fn volume(&mut self, points: Points<'_>, reference: [f64; 3]) -> f64 {
        let [r0, r1, r2] = reference;
        let rows = points.as_slice().as_chunks::<3>().0;
        self.gains.clear();
        self.gains.reserve(rows.len());
        let mut largest = [0.0; 3];
        for p in rows {
            if p[0] < r0 && p[1] < r1 && p[2] < r2 {
                let gains = [r0 - p[0], r1 - p[1], r2 - p[2]];
                for (most, gain) in largest.iter_mut().zip(gains) {
                    *most = if gain > *most { gain } else { *most };
                }
                self.gains.push(gains);
            }
        }
        // Areas and products of three gains may leave the range of numbers
        // where the volume does not; powers of two change no digit of it.
        let Some(exponent) = scale_to_one(self.gains.as_flattened_mut(), &largest) else {
            return f64::INFINITY;
        };
        let items = self.gains.iter().map(|&[x, y, z]| (-z, [x, y]));
        self.stairs.clear();
        let mut volume = 0.0;
        for &(cost, [x, y]) in self.order.sort(items, |_, _| Ordering::Equal) {
            volume -= cost * self.stairs.add(x, y);
        }
        times_power_of_two(volume, exponent)
    }
}

/// A two-dimensional non-dominated set (larger is better) in the order of the
/// first coordinate, with its dominated area known from the sums of
/// [`Self::add`]. It has to be cleared before it is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stairs {
    /// First coordinate increasing, second decreasing, between `(0, ∞)` and
    /// `(∞, 0)`: then every point has a neighbour on either side.
    steps: Vec<[f64; 2]>,
}

/// Below this length a scan is faster than a bisection.
const SHORT: usize = 16;

impl Stairs {
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.steps
            .extend([[0.0, f64::INFINITY], [f64::INFINITY, 0.0]]);
    }

    /// Adds a point of finite positive coordinates and returns the area that
    /// it alone dominates.
    #[inline]
    pub(crate) fn add(&mut self, px: f64, py: f64) -> f64 {
        let steps = &mut self.steps[..];
        let at = if steps.len() < SHORT {
            steps.iter().position(|s| s[0] >= px).unwrap_or(0)
        } else {
            partition_point(steps, |s| s[0] < px)
        };
        let [at_x, mut floor] = steps[at];
        if floor >= py {
            return 0.0;
        }
        let end = at + usize::from(at_x <= px);
        let mut right = px;
        let mut area = 0.0;
        let mut start = at;
        for step in steps[..at].iter().rev() {
            area += (right - step[0]) * (py - floor);
            if step[1] > py {
                break;
            }
            [right, floor] = *step;
            start -= 1;
        }
        if start == end {
            self.open(start, [px, py]);
        } else {
            steps[start] = [px, py];
            if start + 1 < end {
                self.close(start + 1, end);
            }
        }
        area
    }

    /// Inserts a step; by hand where few move, for a call costs more.
    #[inline(always)]
    fn open(&mut self, at: usize, step: [f64; 2]) {
        if self.steps.len() < at + SHORT {
            let mut carried = step;
            for step in &mut self.steps[at..] {
                std::mem::swap(step, &mut carried);
            }
            self.steps.push(carried);
        } else {
            self.steps.insert(at, step);
        }
    }

    /// Removes steps, as [`Self::open`] inserts one.
    #[inline(always)]
    fn close(&mut self, start: usize, end: usize) {
        let len = self.steps.len();
        if len < end + SHORT {
            for i in end..len {
                self.steps[start + i - end] = self.steps[i];
            }
        } else {
            self.steps.copy_within(end.., start);
        }
        self.steps.truncate(len - (end - start));
    }
}
