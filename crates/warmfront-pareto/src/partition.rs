//! The non-dominated region cut into disjoint boxes.

#[cfg(test)]
mod tests;

use crate::error::check_reference;
use crate::hypervolume::box_volume;
use crate::{ParetoError, Points};

/// Stands for the dummy defining point on a face of the reference box: its
/// coordinate in that objective is the reference, all others are −∞.
const FACE: u32 = u32::MAX;

/// The region below a reference point that no point of a set dominates, as
/// disjoint boxes `[lower, upper)`.
///
/// The union of the boxes is exactly the set of vectors `y` with `y < r` in
/// every objective and no inserted point `p ≤ y`. There is one box for each
/// local upper bound: `n + 1` boxes for two objectives, at most `2n + 1` for
/// three. The boxes are stored objective by objective ([`Self::lower`],
/// [`Self::upper`]), which is the order in which expected improvements read
/// them. In objective 0 every box is unbounded below; elsewhere `-∞` may occur.
///
/// Points can be inserted at any time and in any order, dominated ones
/// included; the boxes always describe the points seen so far.
///
/// # References
///
/// K. Klamroth, R. Lacour, D. Vanderpooten (2015), *On the representation of
/// the search region in multi-objective optimization*, EJOR 245 (update of the
/// local upper bounds and their defining points). R. Lacour, K. Klamroth, C. M.
/// Fonseca (2017), *A box decomposition algorithm to compute the hypervolume
/// indicator*, Computers & Operations Research 79, eq. 2 (the boxes; there for
/// the dominated side, which is the same partition with `[u₀, r₀)` in place of
/// `(−∞, u₀)`).
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{BoxDecomposition, Points};
///
/// let front = Points::new(&[1.0, 2.0, 2.0, 1.0], 2)?;
/// let boxes = BoxDecomposition::from_points(front, &[3.0, 3.0])?;
/// assert_eq!(boxes.len(), 3);
/// assert_eq!(boxes.hypervolume(), 3.0);
/// assert_eq!(boxes.hypervolume_improvement(&[0.0, 1.0]), 3.0);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BoxDecomposition {
    reference: Vec<f64>,
    /// Coordinates of every inserted point, row-major; defining points are
    /// rows of it. Points that were dominated later stay, for ids are stable.
    points: Vec<f64>,
    cells: Cells,
    /// Local upper bounds whose box has no interior. They occur only when
    /// coordinates tie and are needed by later updates.
    flat: Cells,
    scratch: Scratch,
}

/// Local upper bounds with their boxes, objective by objective.
#[derive(Debug, Clone)]
struct Cells {
    lower: Vec<Vec<f64>>,
    upper: Vec<Vec<f64>>,
    /// Defining points, `m` ids for each cell.
    defining: Vec<u32>,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    hits: Vec<usize>,
    children: Children,
}

/// The bounds that replace others in an update, row-major.
#[derive(Debug, Clone, Default)]
struct Children {
    lower: Vec<f64>,
    upper: Vec<f64>,
    defining: Vec<u32>,
}

impl Children {
    fn clear(&mut self) {
        self.lower.clear();
        self.upper.clear();
        self.defining.clear();
    }
}

impl Cells {
    fn new(m: usize) -> Self {
        Self {
            lower: vec![Vec::new(); m],
            upper: vec![Vec::new(); m],
            defining: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.upper[0].len()
    }

    fn push(&mut self, lower: &[f64], upper: &[f64], defining: &[u32]) {
        for (k, column) in self.lower.iter_mut().enumerate() {
            column.push(lower[k]);
        }
        for (k, column) in self.upper.iter_mut().enumerate() {
            column.push(upper[k]);
        }
        self.defining.extend_from_slice(defining);
    }

    fn swap(&mut self, a: usize, b: usize) {
        if a != b {
            let m = self.upper.len();
            for column in self.lower.iter_mut().chain(&mut self.upper) {
                column.swap(a, b);
            }
            for k in 0..m {
                self.defining.swap(a * m + k, b * m + k);
            }
        }
    }

    fn swap_remove(&mut self, i: usize) {
        let m = self.upper.len();
        let last = self.len() - 1;
        self.swap(i, last);
        for column in self.lower.iter_mut().chain(&mut self.upper) {
            column.truncate(last);
        }
        self.defining.truncate(last * m);
    }

    /// Moves the bounds from `frozen` on that lie below `level` in the last
    /// objective to the front, and returns the new number of frozen bounds.
    fn freeze_below(&mut self, mut frozen: usize, level: f64) -> usize {
        let last = self.upper.len() - 1;
        let mut i = frozen;
        while i < self.len() {
            if self.upper[last][i] < level {
                self.swap(i, frozen);
                frozen += 1;
            }
            i += 1;
        }
        frozen
    }

    /// Collects the bounds from `start` on that `point` weakly dominates;
    /// returns whether it strictly dominates one of them.
    fn collect_hits(&self, start: usize, point: &[f64], hits: &mut Vec<usize>) -> bool {
        hits.clear();
        let mut inside = false;
        match self.upper.as_slice() {
            [a, b, c] => {
                let (x, y, z) = (point[0], point[1], point[2]);
                for i in start..a.len() {
                    if (x <= a[i]) & (y <= b[i]) & (z <= c[i]) {
                        hits.push(i);
                        inside |= (x < a[i]) & (y < b[i]) & (z < c[i]);
                    }
                }
            }
            [a, b, c, d] => {
                let (x, y, z, w) = (point[0], point[1], point[2], point[3]);
                for i in start..a.len() {
                    if (x <= a[i]) & (y <= b[i]) & (z <= c[i]) & (w <= d[i]) {
                        hits.push(i);
                        inside |= (x < a[i]) & (y < b[i]) & (z < c[i]) & (w < d[i]);
                    }
                }
            }
            columns => {
                for i in start..self.len() {
                    if columns.iter().zip(point).all(|(u, p)| *p <= u[i]) {
                        hits.push(i);
                        inside |= columns.iter().zip(point).all(|(u, p)| *p < u[i]);
                    }
                }
            }
        }
        inside
    }
}

/// Coordinate `j` of defining point `id`.
#[inline]
fn coordinate(points: &[f64], m: usize, id: u32, j: usize) -> f64 {
    if id == FACE {
        f64::NEG_INFINITY
    } else {
        points[id as usize * m + j]
    }
}

impl BoxDecomposition {
    /// The whole region below `reference` as one box.
    ///
    /// # Errors
    ///
    /// [`ParetoError::NanReference`] if a coordinate of the reference is NaN.
    ///
    /// # Panics
    ///
    /// If `reference` is empty.
    #[track_caller]
    pub fn new(reference: &[f64]) -> Result<Self, ParetoError> {
        assert!(!reference.is_empty(), "points need at least one objective");
        check_reference(reference)?;
        let m = reference.len();
        let mut cells = Cells::new(m);
        cells.push(&vec![f64::NEG_INFINITY; m], reference, &vec![FACE; m]);
        Ok(Self {
            reference: reference.to_vec(),
            points: Vec::new(),
            cells,
            flat: Cells::new(m),
            scratch: Scratch::default(),
        })
    }

    /// The region below `reference` that none of `points` dominates.
    ///
    /// Points that are not below the reference in every objective do not
    /// matter, nor do dominated ones and repetitions. Faster than inserting
    /// the points one by one: they are taken in the order of the last
    /// objective, so that only boxes above the current one can change.
    ///
    /// # Errors
    ///
    /// [`ParetoError::NanReference`] if a coordinate of the reference is NaN.
    ///
    /// # Panics
    ///
    /// If the reference has another number of objectives than the points.
    #[track_caller]
    pub fn from_points(points: Points<'_>, reference: &[f64]) -> Result<Self, ParetoError> {
        points.assert_objectives(reference.len(), "the reference point");
        let mut boxes = Self::new(reference)?;
        let last = reference.len() - 1;
        let mut order: Vec<usize> = (0..points.len())
            .filter(|&i| points.row(i).iter().zip(reference).all(|(p, r)| p < r))
            .collect();
        order.sort_by(|&a, &b| points.row(a)[last].total_cmp(&points.row(b)[last]));
        let mut frozen = 0;
        for i in order {
            let point = points.row(i);
            // Strictly below: a tie in the last objective may still cut a
            // bound, because a later point counts as infinitesimally smaller.
            frozen = boxes.cells.freeze_below(frozen, point[last]);
            boxes.insert_above(point, frozen);
        }
        Ok(boxes)
    }

    /// Takes one more point into account; returns whether the region shrank.
    ///
    /// It does not if the point is weakly dominated by one inserted before, or
    /// not below the reference point in every objective (a NaN never is).
    ///
    /// # Panics
    ///
    /// If the point has another number of objectives than the reference.
    #[track_caller]
    pub fn insert(&mut self, point: &[f64]) -> bool {
        assert!(
            point.len() == self.reference.len(),
            "a point of {} values in a decomposition of {} objectives",
            point.len(),
            self.reference.len()
        );
        let below = point.iter().zip(&self.reference).all(|(p, r)| p < r);
        below && self.insert_above(point, 0)
    }

    /// Inserts a point that can only cut bounds from `frozen` on.
    ///
    /// Ties are broken by symbolic perturbation: a later point counts as
    /// infinitesimally smaller in each coordinate. Then all points are in
    /// general position, where the update of Klamroth et al. needs a single
    /// defining point per objective, and the boxes stay half-open `[l, u)`.
    fn insert_above(&mut self, point: &[f64], frozen: usize) -> bool {
        let m = self.reference.len();
        let mut scratch = std::mem::take(&mut self.scratch);
        let inside = self.cells.collect_hits(frozen, point, &mut scratch.hits);
        if !inside {
            self.scratch = scratch;
            return false;
        }
        let id = u32::try_from(self.points.len() / m).expect("fewer than 2³² points fit in memory");
        self.points.extend_from_slice(point);
        scratch.children.clear();
        for in_flat in [false, true] {
            let cells = if in_flat {
                if self.flat.len() == 0 {
                    break;
                }
                self.flat.collect_hits(0, point, &mut scratch.hits);
                &mut self.flat
            } else {
                &mut self.cells
            };
            for &i in scratch.hits.iter().rev() {
                split(cells, i, point, id, &self.points, &mut scratch.children);
                cells.swap_remove(i);
            }
        }
        for ((lower, upper), defining) in scratch
            .children
            .lower
            .chunks_exact(m)
            .zip(scratch.children.upper.chunks_exact(m))
            .zip(scratch.children.defining.chunks_exact(m))
        {
            let open = lower.iter().zip(upper).all(|(l, u)| l < u);
            let target = if open {
                &mut self.cells
            } else {
                &mut self.flat
            };
            target.push(lower, upper, defining);
        }
        self.scratch = scratch;
        true
    }

    /// Number of boxes; at least one unless the points leave nothing.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no box is left (a point at −∞ dominates everything).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of objectives.
    pub fn objectives(&self) -> usize {
        self.reference.len()
    }

    /// The reference point, an upper bound in every objective.
    pub fn reference(&self) -> &[f64] {
        &self.reference
    }

    /// Lower bounds of all boxes in objective `k`; −∞ where a box is unbounded.
    ///
    /// # Panics
    ///
    /// If `k` is not below [`Self::objectives`].
    #[track_caller]
    pub fn lower(&self, k: usize) -> &[f64] {
        &self.cells.lower[k]
    }

    /// Upper bounds of all boxes in objective `k`.
    ///
    /// # Panics
    ///
    /// If `k` is not below [`Self::objectives`].
    #[track_caller]
    pub fn upper(&self, k: usize) -> &[f64] {
        &self.cells.upper[k]
    }

    /// The box that contains `point`, or `None` if the point is weakly
    /// dominated or not below the reference point.
    pub fn locate(&self, point: &[f64]) -> Option<usize> {
        (0..self.len()).find(|&i| {
            (0..self.objectives())
                .all(|k| self.cells.lower[k][i] <= point[k] && point[k] < self.cells.upper[k][i])
        })
    }

    /// Volume between the points and the reference point.
    ///
    /// Each box ends where domination begins along objective 0, so that the
    /// same boxes continued to the reference partition the dominated side.
    pub fn hypervolume(&self) -> f64 {
        let r = self.reference[0];
        (0..self.len())
            .filter(|&i| self.cells.upper[0][i] < r)
            .map(|i| {
                let sides =
                    (1..self.objectives()).map(|k| self.cells.upper[k][i] - self.cells.lower[k][i]);
                box_volume(std::iter::once(r - self.cells.upper[0][i]).chain(sides))
            })
            .fold(0.0, |sum, volume| sum + volume)
    }

    /// By how much the hypervolume grows when `point` is added.
    ///
    /// Zero if the point is dominated or not below the reference point.
    ///
    /// # Panics
    ///
    /// If the point has another number of objectives than the reference.
    #[track_caller]
    pub fn hypervolume_improvement(&self, point: &[f64]) -> f64 {
        assert!(
            point.len() == self.reference.len(),
            "a point of {} values in a decomposition of {} objectives",
            point.len(),
            self.reference.len()
        );
        (0..self.len())
            .map(|i| {
                let sides = self.cells.upper.iter().zip(&self.cells.lower).zip(point);
                box_volume(sides.map(|((upper, lower), p)| upper[i] - lower[i].max(*p)))
            })
            .fold(0.0, |sum, volume| sum + volume)
    }
}

/// Replaces bound `i` by those that `point` leaves below it: in objective `j`
/// the bound moves down to the point, unless the point is not above all the
/// other defining points there (then another bound covers the zone).
fn split(cells: &Cells, i: usize, point: &[f64], id: u32, points: &[f64], out: &mut Children) {
    let m = point.len();
    let defining = &cells.defining[i * m..(i + 1) * m];
    for j in 0..m {
        let others = (0..m)
            .filter(|&k| k != j)
            .map(|k| coordinate(points, m, defining[k], j))
            .fold(f64::NEG_INFINITY, f64::max);
        if point[j] <= others {
            continue;
        }
        for k in 0..m {
            out.upper
                .push(if k == j { point[j] } else { cells.upper[k][i] });
            out.lower.push(if k > j {
                // The new defining point takes the place of the old j-th one.
                (0..k)
                    .filter(|&l| l != j)
                    .map(|l| coordinate(points, m, defining[l], k))
                    .fold(point[k], f64::max)
            } else {
                cells.lower[k][i]
            });
            out.defining.push(if k == j { id } else { defining[k] });
        }
    }
}
