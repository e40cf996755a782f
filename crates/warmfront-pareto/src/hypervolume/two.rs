//! Two objectives: one sort and one pass.

use std::cmp::Ordering;

use crate::Points;
use crate::order::Sorter;

/// Buffers of the sweep: gains `r − p`, larger is better.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep {
    /// Second gains by increasing first cost.
    gains: Sorter<f64>,
}

impl Sweep {
    pub(super) fn volume(&mut self, points: Points<'_>, reference: [f64; 2]) -> f64 {
        let [r0, r1] = reference;
        let rows = points.as_slice().as_chunks::<2>().0;
        let below = rows.iter().filter(|p| p[0] < r0 && p[1] < r1);
        // The order within a tie does not change what both cover.
        let gains = self
            .gains
            .sort(below.map(|p| (p[0] - r0, r1 - p[1])), |_, _| {
                Ordering::Equal
            });
        let mut volume = 0.0;
        let mut covered = 0.0;
        for &(cost, y) in gains {
            if y > covered {
                volume -= cost * (y - covered);
                covered = y;
            }
        }
        volume
    }
}
