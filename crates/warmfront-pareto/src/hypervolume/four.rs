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
    near: Vec<[f64; 3]>,
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
        let (left, bottom) = strips(&self.x[..at], &self.y[..at], x, y);
        if left >= x || bottom >= y {
            return 0.0;
        }
        let Self {
            x: xs,
            y: ys,
            z: zs,
            stairs,
            near,
        } = self;
        // Few points matter, and which ones is hard to predict: they are
        // listed without branches first.
        let inside = |qx: f64, qy: f64| (qx > left) & (qy > bottom);
        if near.len() <= xs.len() {
            near.resize(2 * xs.len() + 1, [0.0; 3]);
        }
        let mut count = 0;
        for (&qx, &qy) in xs[..at].iter().zip(&ys[..at]) {
            near[count] = [qx, qy, z];
            count += usize::from(inside(qx, qy));
        }
        let upper = count;
        let mut floor = 0.0;
        for ((&qx, &qy), &qz) in xs[at..].iter().zip(&ys[at..]).zip(&zs[at..]) {
            if (qx >= x) & (qy >= y) {
                // Nothing is left below a point that covers the rectangle.
                floor = qz;
                break;
            }
            near[count] = [qx, qy, qz];
            count += usize::from(inside(qx, qy));
        }
        stairs.clear();
        let mut area = (x - left) * (y - bottom);
        for &[qx, qy, _] in &near[..upper] {
            // Neither coordinate exceeds the rectangle, or the strips would
            // have covered the point.
            area -= stairs.add(qx - left, qy - bottom);
        }
        let mut height = z;
        let mut volume = 0.0;
        for &[qx, qy, qz] in &near[upper..count] {
            let lost = stairs.add(qx.min(x) - left, qy.min(y) - bottom);
            if lost > 0.0 {
                volume += area * (height - qz);
                height = qz;
                area -= lost;
            }
        }
        volume + area * (height - floor)
    }

    /// Puts the point in at `at` and drops the lower points that it dominates.
    fn insert(&mut self, x: f64, y: f64, z: f64, at: usize) {
        let Some(first) = self.dominated(at, x, y) else {
            self.x.insert(at, x);
            self.y.insert(at, y);
            self.z.insert(at, z);
            return;
        };
        // The first dominated place is filled by shifting what lies before it;
        // what follows moves only if more places become free.
        for (column, value) in self.columns().into_iter().zip([x, y, z]) {
            column.copy_within(at..first, at + 1);
            column[at] = value;
        }
        let mut next = self.dominated(first + 1, x, y);
        let Some(mut free) = next else { return };
        while let Some(dropped) = next {
            next = self.dominated(dropped + 1, x, y);
            let end = next.unwrap_or(self.x.len());
            for column in self.columns() {
                column.copy_within(dropped + 1..end, free);
            }
            free += end - (dropped + 1);
        }
        for column in self.columns() {
            column.truncate(free);
        }
    }

    fn columns(&mut self) -> [&mut Vec<f64>; 3] {
        [&mut self.x, &mut self.y, &mut self.z]
    }

    /// The first point from `from` on that `(x, y)` covers in the plane.
    fn dominated(&self, from: usize, x: f64, y: f64) -> Option<usize> {
        let mut pairs = self.x[from..].iter().zip(&self.y[from..]);
        let at = pairs.position(|(&qx, &qy)| (qx <= x) & (qy <= y))?;
        Some(from + at)
    }
}

/// How far the points that exceed `(x, y)` in one coordinate reach in the
/// other: they cover a strip of the rectangle on each side.
fn strips(xs: &[f64], ys: &[f64], x: f64, y: f64) -> (f64, f64) {
    const LANES: usize = 4;
    let reach = |long: f64, bound: f64, other: f64, so_far: f64| {
        let reach = if long >= bound { other } else { 0.0 };
        if reach > so_far { reach } else { so_far }
    };
    let mut left = [0.0; LANES];
    let mut bottom = [0.0; LANES];
    let (x_blocks, x_rest) = xs.as_chunks::<LANES>();
    let (y_blocks, y_rest) = ys.as_chunks::<LANES>();
    for (qx, qy) in x_blocks.iter().zip(y_blocks) {
        for lane in 0..LANES {
            left[lane] = reach(qy[lane], y, qx[lane], left[lane]);
            bottom[lane] = reach(qx[lane], x, qy[lane], bottom[lane]);
        }
    }
    for (&qx, &qy) in x_rest.iter().zip(y_rest) {
        left[0] = reach(qy, y, qx, left[0]);
        bottom[0] = reach(qx, x, qy, bottom[0]);
    }
    (
        left.into_iter().fold(0.0, f64::max),
        bottom.into_iter().fold(0.0, f64::max),
    )
}
