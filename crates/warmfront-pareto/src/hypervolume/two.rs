//! Two objectives: one sort and one pass.

use crate::Points;

/// Buffer of the sweep: gains `r − p`, larger is better.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep {
    gains: Vec<[f64; 2]>,
}

impl Sweep {
    pub(super) fn volume(&mut self, points: Points<'_>, reference: [f64; 2]) -> f64 {
        let [r0, r1] = reference;
        self.gains.clear();
        self.gains.extend(
            points
                .as_slice()
                .chunks_exact(2)
                .filter(|p| p[0] < r0 && p[1] < r1)
                .map(|p| [r0 - p[0], r1 - p[1]]),
        );
        self.gains.sort_unstable_by(|a, b| b[0].total_cmp(&a[0]));
        let mut volume = 0.0;
        let mut covered = 0.0;
        for &[x, y] in &self.gains {
            if y > covered {
                volume += x * (y - covered);
                covered = y;
            }
        }
        volume
    }
}
