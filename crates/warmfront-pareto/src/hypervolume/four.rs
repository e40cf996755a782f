//! Four objectives: a sweep over the last one that sums, for each point, what
//! it adds in the first three.

use super::three::Stairs;

/// The three-dimensional non-dominated points seen so far (gains, larger is
/// better) in decreasing order of the third coordinate, one array for each.
#[derive(Debug, Clone, Default)]
pub(super) struct Four {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    stairs: Stairs,
}

impl Four {
    /// Volume that `rows` dominate above the origin.
    ///
    /// The rows are in decreasing order of the last coordinate; in the first
    /// `ties` of them it is the same. All coordinates are positive and finite.
    pub(super) fn volume(&mut self, rows: &[[f64; 4]], ties: usize) -> f64 {
        self.x.clear();
        self.y.clear();
        self.z.clear();
        let mut volume = 0.0;
        if ties > 1 {
            for row in &rows[..ties] {
                let at = self.z.partition_point(|&z| z > row[2]);
                self.x.insert(at, row[0]);
                self.y.insert(at, row[1]);
                self.z.insert(at, row[2]);
            }
            self.stairs.clear();
            for i in 0..ties {
                volume += self.z[i] * self.stairs.add(self.x[i], self.y[i]);
            }
            volume *= rows[0][3];
        }
        let start = if ties > 1 { ties } else { 0 };
        for &[x, y, z, w] in &rows[start..] {
            let at = self.z.partition_point(|&other| other >= z);
            let added = self.added(x, y, z, at);
            if added > 0.0 {
                volume += w * added;
                self.insert(x, y, z, at);
            }
        }
        volume
    }

    /// Volume that the point adds to the archive; `at` is the number of
    /// archive points that are at least as high.
    ///
    /// Seen from above, these cover parts of the rectangle `[0, x] × [0, y]`
    /// that are lost at every height: whole strips from points that exceed the
    /// rectangle on one side, and corners from the others. The lower points
    /// then take away more at their own heights, until nothing is left.
    fn added(&mut self, x: f64, y: f64, z: f64, at: usize) -> f64 {
        let (xs, ys) = (&self.x[..], &self.y[..]);
        let (mut left, mut bottom) = (0.0, 0.0);
        for (&qx, &qy) in xs[..at].iter().zip(&ys[..at]) {
            let candidate = if qy >= y { qx } else { 0.0 };
            left = if candidate > left { candidate } else { left };
            let candidate = if qx >= x { qy } else { 0.0 };
            bottom = if candidate > bottom {
                candidate
            } else {
                bottom
            };
        }
        if left >= x || bottom >= y {
            return 0.0;
        }
        self.stairs.clear();
        let mut area = (x - left) * (y - bottom);
        for (&qx, &qy) in xs[..at].iter().zip(&ys[..at]) {
            if (qx > left) & (qy > bottom) {
                // Neither coordinate exceeds the rectangle, or the strips
                // would have covered the point.
                area -= self.stairs.add(qx - left, qy - bottom);
            }
        }
        let mut height = z;
        let mut volume = 0.0;
        for ((&qx, &qy), &qz) in xs[at..].iter().zip(&ys[at..]).zip(&self.z[at..]) {
            if (qx > left) & (qy > bottom) {
                if qx >= x && qy >= y {
                    return volume + area * (height - qz);
                }
                let lost = self.stairs.add(qx.min(x) - left, qy.min(y) - bottom);
                if lost > 0.0 {
                    volume += area * (height - qz);
                    height = qz;
                    area -= lost;
                }
            }
        }
        volume + area * height
    }

    /// Puts the point in at `at` and drops the lower points that it dominates.
    fn insert(&mut self, x: f64, y: f64, z: f64, at: usize) {
        let n = self.x.len();
        let first = (at..n).find(|&i| self.x[i] <= x && self.y[i] <= y);
        match first {
            None => {
                self.x.insert(at, x);
                self.y.insert(at, y);
                self.z.insert(at, z);
            }
            Some(first) => {
                // The first dominated place is filled by shifting what lies
                // between; only what follows has to be compacted.
                self.x.copy_within(at..first, at + 1);
                self.y.copy_within(at..first, at + 1);
                self.z.copy_within(at..first, at + 1);
                self.x[at] = x;
                self.y[at] = y;
                self.z[at] = z;
                let mut to = first + 1;
                for i in first + 1..n {
                    self.x[to] = self.x[i];
                    self.y[to] = self.y[i];
                    self.z[to] = self.z[i];
                    to += usize::from(!(self.x[i] <= x && self.y[i] <= y));
                }
                self.x.truncate(to);
                self.y.truncate(to);
                self.z.truncate(to);
            }
        }
    }
}
