//! Non-dominated subsets.

use std::cmp::Ordering;

use crate::Points;
use crate::order::Sorter;

/// What happens to points that are equal in every objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// Only the first of equal points counts as non-dominated.
    #[default]
    KeepFirst,
    /// Equal points do not dominate each other.
    KeepAll,
}

/// Indices of the points that no other point dominates, in increasing order.
///
/// Of equal points the first is kept; [`non_dominated_mask`] leaves the choice.
///
/// ```
/// use warmfront_pareto::{Points, non_dominated};
///
/// let points = Points::new(&[2.0, 2.0, 1.0, 3.0, 2.0, 4.0, 1.0, 3.0], 2)?;
/// assert_eq!(non_dominated(points), [0, 1]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
pub fn non_dominated(points: Points<'_>) -> Vec<usize> {
    let mut kept = kept(points, Duplicates::KeepFirst);
    kept.sort_unstable();
    kept
}

/// For each point, whether no other point dominates it.
///
/// Takes O(n log n) time for up to three objectives; beyond, each point is
/// compared with the non-dominated points of smaller sum of costs.
///
/// ```
/// use warmfront_pareto::{Duplicates, Points, non_dominated_mask};
///
/// let points = Points::new(&[1.0, 3.0, 2.0, 4.0, 1.0, 3.0], 2)?;
/// let mask = non_dominated_mask(points, Duplicates::KeepAll);
/// assert_eq!(mask, [true, false, true]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
pub fn non_dominated_mask(points: Points<'_>, duplicates: Duplicates) -> Vec<bool> {
    let mut mask = vec![false; points.len()];
    for i in kept(points, duplicates) {
        mask[i] = true;
    }
    mask
}

fn kept(points: Points<'_>, duplicates: Duplicates) -> Vec<usize> {
    let all = duplicates == Duplicates::KeepAll;
    match points.objectives() {
        1 => kept_one(points, all),
        2 => kept_two(points, all),
        3 => kept_three(points, all),
        4 => kept_many::<4>(points, all),
        5 => kept_many::<5>(points, all),
        6 => kept_many::<6>(points, all),
        _ => kept_any(points, all),
    }
}

/// The rows that the row with the smallest sum of costs does not dominate: of
/// many points spread over a region, few.
fn candidates<const M: usize>(rows: &[[f64; M]]) -> Vec<usize> {
    let mut best = 0;
    let mut least = f64::INFINITY;
    for (i, p) in rows.iter().enumerate() {
        // Infinite costs of both signs have no sum; such a row is not chosen.
        let sum: f64 = p.iter().sum();
        if sum < least {
            best = i;
            least = sum;
        }
    }
    let Some(best) = rows.get(best) else {
        return Vec::new();
    };
    let mut kept = vec![0; rows.len()];
    let mut count = 0;
    for (i, p) in rows.iter().enumerate() {
        kept[count] = i;
        // A repetition stays, for what happens to it is not known here.
        let below = (0..M).fold(false, |below, k| below | (p[k] < best[k]));
        let beyond = (0..M).fold(false, |beyond, k| beyond | (p[k] > best[k]));
        count += usize::from(below | !beyond);
    }
    kept.truncate(count);
    kept
}

/// Order of the values; no NaN gets here, and both zeros are equal.
pub(crate) fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Lexicographic order.
pub(crate) fn compare_rows(a: &[f64], b: &[f64]) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = compare(*x, *y);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The same row: `-0.0` equals `0.0`.
#[allow(clippy::float_cmp, reason = "a repetition is exact")]
pub(crate) fn same(a: &[f64], b: &[f64]) -> bool {
    a == b
}

fn kept_one(points: Points<'_>, all: bool) -> Vec<usize> {
    let best = points
        .as_slice()
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let mut kept: Vec<usize> = (0..points.len())
        .filter(|&i| points.row(i)[0] <= best)
        .collect();
    if !all {
        kept.truncate(1);
    }
    kept
}

fn kept_two(points: Points<'_>, all: bool) -> Vec<usize> {
    let rows = points.as_slice().as_chunks::<2>().0;
    let candidates = candidates(rows);
    let mut sorter = Sorter::default();
    let order = sorter.sort(candidates.iter().map(|&i| (rows[i][0], i)), |&a, &b| {
        compare(rows[a][1], rows[b][1]).then(a.cmp(&b))
    });
    let mut kept: Vec<usize> = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    for &(x, i) in order {
        let y = rows[i][1];
        let dominated = match last {
            Some((lx, ly)) => ly <= y && !(all && ly >= y && lx >= x),
            None => false,
        };
        if !dominated {
            kept.push(i);
            last = Some((x, y));
        }
    }
    kept
}

fn kept_three(points: Points<'_>, all: bool) -> Vec<usize> {
    let rows = points.as_slice().as_chunks::<3>().0;
    let candidates = candidates(rows);
    let mut sorter = Sorter::default();
    let order = sorter.sort(candidates.iter().map(|&i| (rows[i][0], i)), |&a, &b| {
        compare_rows(&rows[a], &rows[b]).then(a.cmp(&b))
    });
    let mut kept: Vec<usize> = Vec::new();
    let mut stairs = CostStairs::default();
    let mut last: Option<[f64; 3]> = None;
    for &(_, i) in order {
        let p = rows[i];
        // In lexicographic order a repetition follows what it repeats, and
        // whatever lies between would be a repetition too.
        let repeats = all && last.is_some_and(|l| same(&l, &p));
        if repeats {
            kept.push(i);
        } else if stairs.insert(p[1], p[2]) {
            kept.push(i);
            last = Some(p);
        }
    }
    kept
}

/// A two-dimensional non-dominated set of costs in the order of the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct CostStairs {
    /// First coordinate increasing, second decreasing.
    steps: Vec<[f64; 2]>,
}

impl CostStairs {
    /// Whether a point of the set is at most `(x, y)` in both coordinates.
    pub(crate) fn covers(&self, x: f64, y: f64) -> bool {
        let after = self.steps.partition_point(|s| s[0] <= x);
        after > 0 && self.steps[after - 1][1] <= y
    }

    /// Adds a point unless the set covers it; returns whether it was added.
    pub(crate) fn insert(&mut self, x: f64, y: f64) -> bool {
        let after = self.steps.partition_point(|s| s[0] <= x);
        if after > 0 && self.steps[after - 1][1] <= y {
            return false;
        }
        let start = after - usize::from(after > 0 && self.steps[after - 1][0] >= x);
        let mut end = after;
        while self.steps.get(end).is_some_and(|s| s[1] >= y) {
            end += 1;
        }
        if start < end {
            self.steps[start] = [x, y];
            self.steps.drain(start + 1..end);
        } else {
            self.steps.insert(start, [x, y]);
        }
        true
    }
}

/// The points by increasing sum of costs, ties in lexicographic order: a
/// point can be dominated only by points before it. (Rounded sums of
/// componentwise larger terms are not smaller, so this holds for rounded sums.)
fn by_sum(points: Points<'_>) -> Vec<(f64, usize)> {
    // Clamped so that no sum overflows or adds ∞ to −∞.
    let bound = f64::MAX / points.objectives() as f64;
    let mut order: Vec<(f64, usize)> = points
        .rows()
        .enumerate()
        .map(|(i, p)| (p.iter().map(|v| v.clamp(-bound, bound)).sum(), i))
        .collect();
    order.sort_unstable_by(|a, b| {
        compare(a.0, b.0)
            .then_with(|| compare_rows(points.row(a.1), points.row(b.1)))
            .then(a.1.cmp(&b.1))
    });
    order
}

fn kept_many<const M: usize>(points: Points<'_>, all: bool) -> Vec<usize> {
    let rows = points.as_slice().as_chunks::<M>().0;
    let mut kept: Vec<usize> = Vec::new();
    let mut archive: Vec<[f64; M]> = Vec::new();
    for (_, i) in by_sum(points) {
        let p = &rows[i];
        let cover = archive
            .iter()
            .position(|a| a.iter().zip(p).fold(true, |c, (a, p)| c & (a <= p)));
        match cover {
            Some(at) => {
                if all && same(&archive[at], p) {
                    kept.push(i);
                }
            }
            None => {
                kept.push(i);
                archive.push(*p);
            }
        }
    }
    kept
}

fn kept_any(points: Points<'_>, all: bool) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    let mut first: Vec<usize> = Vec::new();
    for (_, i) in by_sum(points) {
        let p = points.row(i);
        let cover = first
            .iter()
            .position(|&a| points.row(a).iter().zip(p).all(|(a, p)| a <= p));
        match cover {
            Some(at) => {
                if all && same(points.row(first[at]), p) {
                    kept.push(i);
                }
            }
            None => {
                kept.push(i);
                first.push(i);
            }
        }
    }
    kept
}

/// An archive of mutually non-dominated points that grows point by point.
///
/// ```
/// use warmfront_pareto::Front;
///
/// let mut front = Front::new(2);
/// assert!(front.insert(&[2.0, 2.0]));
/// assert!(!front.insert(&[3.0, 2.0]));
/// assert!(front.insert(&[1.0, 1.0]));
/// assert_eq!(front.points().as_slice(), &[1.0, 1.0]);
/// assert_eq!(front.ids(), &[2]);
/// ```
#[derive(Debug, Clone)]
pub struct Front {
    m: usize,
    data: Vec<f64>,
    ids: Vec<usize>,
    offered: usize,
}

impl Front {
    /// An empty archive of points with `m` objectives.
    ///
    /// # Panics
    ///
    /// If `m` is zero.
    #[track_caller]
    pub fn new(m: usize) -> Self {
        assert!(m > 0, "points need at least one objective");
        Self {
            m,
            data: Vec::new(),
            ids: Vec::new(),
            offered: 0,
        }
    }

    /// The archive of all `points`; ids are their rows.
    pub fn from_points(points: Points<'_>) -> Self {
        let ids = non_dominated(points);
        Self {
            m: points.objectives(),
            data: ids.iter().flat_map(|&i| points.row(i)).copied().collect(),
            ids,
            offered: points.len(),
        }
    }

    /// Offers a point; returns whether it was taken in.
    ///
    /// It is not if a point of the archive is at most as large in every
    /// objective (so a repetition is refused) or if a coordinate is NaN. A
    /// point taken in drives out those it dominates.
    ///
    /// # Panics
    ///
    /// If the point has another number of objectives than the archive.
    #[track_caller]
    pub fn insert(&mut self, point: &[f64]) -> bool {
        assert!(
            point.len() == self.m,
            "a point of {} values in a front of {} objectives",
            point.len(),
            self.m
        );
        let id = self.offered;
        self.offered += 1;
        let covered = |a: &[f64]| a.iter().zip(point).all(|(a, p)| a <= p);
        if point.iter().any(|p| p.is_nan()) || self.data.chunks_exact(self.m).any(covered) {
            return false;
        }
        let mut i = 0;
        while i < self.ids.len() {
            let row = i * self.m..(i + 1) * self.m;
            if self.data[row.clone()]
                .iter()
                .zip(point)
                .all(|(a, p)| p <= a)
            {
                self.ids.remove(i);
                self.data.drain(row);
            } else {
                i += 1;
            }
        }
        self.ids.push(id);
        self.data.extend_from_slice(point);
        true
    }

    /// The non-dominated points in the order of their insertion.
    pub fn points(&self) -> Points<'_> {
        Points::new(&self.data, self.m).expect("NaN is refused by insert")
    }

    /// For each point of the archive, how many points were offered before it.
    pub fn ids(&self) -> &[usize] {
        &self.ids
    }

    /// Number of points in the archive.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the archive has no points.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
