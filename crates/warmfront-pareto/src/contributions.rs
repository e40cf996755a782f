//! What single points add to the hypervolume.

use crate::Points;
use crate::hypervolume::{Gains, Masked, Stairs, Wfg, box_volume, hypervolume};
use crate::order::partition_point;

/// Exclusive contribution of every point: by how much the hypervolume shrinks
/// when that point alone is taken away.
///
/// Dominated points, repeated points and points that are not below the
/// reference contribute zero. By this definition a dominated point still
/// diminishes the contribution of the one point that dominates it; pass the
/// [`non_dominated`](crate::non_dominated) points alone if it should not.
///
/// NaN for every point if a coordinate of the reference is NaN; if the
/// hypervolume is infinite, so is every contribution of a non-dominated point
/// whose box is unbounded, without regard to what other points share of it.
///
/// # Panics
///
/// If the reference has another number of objectives than the points.
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, contributions};
///
/// let front = Points::new(&[0.0, 2.0, 1.0, 1.0, 3.0, 0.0], 2)?;
/// assert_eq!(contributions(front, &[4.0, 4.0]), [2.0, 2.0, 1.0]);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[track_caller]
pub fn contributions(points: Points<'_>, reference: &[f64]) -> Vec<f64> {
    points.assert_objectives(reference.len(), "the reference point");
    if reference.iter().any(|r| r.is_nan()) {
        return vec![f64::NAN; points.len()];
    }
    let m = reference.len();
    let mut all = vec![0.0; points.len()];
    let mut gains = Gains::default();
    if !gains.load(points, reference) {
        return unbounded(points, reference);
    }
    gains.sort();
    match m {
        1 => one(&gains, &mut all),
        2 => two(&gains, &mut all),
        3 => three(&gains, &mut all),
        _ => {
            let mut give = |i: usize, volume| all[gains.source(i)] = volume;
            match Masked::default().contributions(gains.rows(), m) {
                Some(volumes) => (0..).zip(volumes).for_each(|(i, volume)| give(i, volume)),
                None => Wfg::default().contributions(gains.rows(), m, give),
            }
        }
    }
    for volume in &mut all {
        *volume = gains.unscale(*volume);
    }
    all
}

/// By how much the hypervolume of `front` grows when `point` is added.
///
/// Zero if the point is dominated or not below the reference. Computed as the
/// box of the point less what the front covers of it, so that its error is
/// relative to the box; for many points against one front, and for tiny
/// improvements, [`BoxDecomposition`](crate::BoxDecomposition) is better.
///
/// # Panics
///
/// If the numbers of objectives differ.
///
/// # Examples
///
/// ```
/// use warmfront_pareto::{Points, hypervolume_improvement};
///
/// let front = Points::new(&[1.0, 2.0, 2.0, 1.0], 2)?;
/// assert_eq!(hypervolume_improvement(front, &[0.0, 1.0], &[3.0, 3.0]), 3.0);
/// # Ok::<(), warmfront_pareto::ParetoError>(())
/// ```
#[track_caller]
pub fn hypervolume_improvement(front: Points<'_>, point: &[f64], reference: &[f64]) -> f64 {
    front.assert_objectives(reference.len(), "the reference point");
    front.assert_objectives(point.len(), "the point");
    let covers = |a: &[f64]| a.iter().zip(point).all(|(a, p)| a <= p);
    if !point.iter().zip(reference).all(|(p, r)| p < r) || front.rows().any(covers) {
        return 0.0;
    }
    let limited: Vec<f64> = front
        .rows()
        .flat_map(|a| a.iter().zip(point).map(|(a, p)| a.max(*p)))
        .collect();
    let limited = Points::new(&limited, front.objectives()).expect("maxima of numbers");
    let own = box_volume(point.iter().zip(reference).map(|(p, r)| r - p));
    if own.is_infinite() {
        return own;
    }
    (own - hypervolume(limited, reference)).max(0.0)
}

/// With an unbounded box there are no differences to take.
fn unbounded(points: Points<'_>, reference: &[f64]) -> Vec<f64> {
    (0..points.len())
        .map(|i| {
            let p = points.row(i);
            let covers = |j: usize| j != i && points.row(j).iter().zip(p).all(|(a, p)| a <= p);
            let below = p.iter().zip(reference).all(|(p, r)| p < r);
            if !below || (0..points.len()).any(covers) {
                0.0
            } else if p.iter().zip(reference).any(|(p, r)| (r - p).is_infinite()) {
                f64::INFINITY
            } else {
                let others: Vec<f64> = (0..points.len())
                    .filter(|&j| j != i)
                    .flat_map(|j| points.row(j))
                    .copied()
                    .collect();
                let others = Points::new(&others, p.len()).expect("part of checked points");
                hypervolume_improvement(others, p, reference)
            }
        })
        .collect()
}

fn one(gains: &Gains, all: &mut [f64]) {
    let sorted = gains.rows();
    if let Some(&best) = sorted.first() {
        all[gains.source(0)] = best - sorted.get(1).copied().unwrap_or(0.0);
    }
}

/// A sweep down the second coordinate. The point that reaches furthest in the
/// first owns, at each height, what it reaches beyond all others so far, until
/// one reaches further.
fn two(gains: &Gains, all: &mut [f64]) {
    let rows = gains.rows().as_chunks::<2>().0;
    let mut owner: Option<usize> = None;
    // Reach of the furthest points before the owner and after it.
    let (mut left, mut second) = (0.0, 0.0);
    let mut height = 0.0;
    let mut volume = 0.0;
    for (i, &[x, y]) in rows.iter().enumerate() {
        let widest = owner.map_or(0.0, |o| rows[o][0]);
        volume += (widest - f64::max(left, second)) * (height - y);
        height = y;
        if x > widest {
            if let Some(o) = owner {
                all[gains.source(o)] = volume;
            }
            owner = Some(i);
            left = widest;
            second = 0.0;
            volume = 0.0;
        } else {
            second = f64::max(second, x);
        }
    }
    if let Some(o) = owner {
        let rest = rows[o][0] - f64::max(left, second);
        all[gains.source(o)] = volume + rest * height;
    }
}

fn three(gains: &Gains, all: &mut [f64]) {
    let rows = gains.rows().as_chunks::<3>().0;
    let mut sweep = Sweep::new(rows.len());
    for (i, &[x, y, z]) in rows.iter().enumerate() {
        sweep.insert(i, x, y, z);
    }
    sweep.finish(|i, volume| all[gains.source(i)] = volume);
}

/// Sweep from the top down (gains, larger is better) over the staircase of the
/// first two coordinates. What a step dominates alone is a part of the
/// rectangle between its neighbours; lower points cut it until the step is
/// dominated.
struct Sweep {
    /// Steps by increasing first and decreasing second coordinate.
    steps: Vec<(f64, f64, usize)>,
    owned: Vec<Owned>,
    spare: Vec<Stairs>,
}

/// What one point dominates alone at the present height.
#[derive(Default)]
struct Owned {
    x: f64,
    y: f64,
    /// Corner of the rectangle opposite to the point.
    left: f64,
    bottom: f64,
    area: f64,
    height: f64,
    volume: f64,
    /// Parts of the rectangle that other points cover, measured from its corner.
    cover: Stairs,
}

impl Owned {
    fn sink(&mut self, z: f64) {
        self.volume += self.area * (self.height - z);
        self.height = z;
    }

    fn cut(&mut self, x: f64, y: f64, z: f64) {
        if x <= self.left || y <= self.bottom {
            return;
        }
        let whole = x >= self.x && y >= self.y;
        let lost = self
            .cover
            .add(x.min(self.x) - self.left, y.min(self.y) - self.bottom);
        if lost > 0.0 {
            self.sink(z);
            // Exactly nothing is left, whatever the sums were rounded to.
            self.area = if whole { 0.0 } else { self.area - lost };
        }
    }
}

impl Sweep {
    fn new(n: usize) -> Self {
        Self {
            steps: Vec::new(),
            owned: (0..n).map(|_| Owned::default()).collect(),
            spare: Vec::new(),
        }
    }

    fn insert(&mut self, i: usize, x: f64, y: f64, z: f64) {
        // The steps from `at` on reach at least as far in the first coordinate.
        let at = partition_point(&self.steps, |s| s.0 < x);
        if let Some(&(_, right_y, right)) = self.steps.get(at)
            && right_y >= y
        {
            // Covered twice if the step after also reaches; then nobody loses.
            let twice = self.steps.get(at + 1).is_some_and(|s| s.1 >= y);
            if !twice {
                self.owned[right].cut(x, y, z);
            }
            return;
        }
        let mut cover = self.spare.pop().unwrap_or_default();
        cover.clear();
        // A step with the same first coordinate is dominated too.
        let end = at + usize::from(self.steps.get(at).is_some_and(|s| s.0 <= x));
        let mut start = at;
        while start > 0 && self.steps[start - 1].1 <= y {
            start -= 1;
        }
        let left = if start > 0 {
            self.steps[start - 1].0
        } else {
            0.0
        };
        let bottom = self.steps.get(end).map_or(0.0, |s| s.1);
        let mut area = (x - left) * (y - bottom);
        for step in start..end {
            let (sx, sy, owner) = self.steps[step];
            area -= cover.add(sx - left, sy - bottom);
            self.owned[owner].sink(z);
            self.owned[owner].area = 0.0;
            self.spare
                .push(std::mem::take(&mut self.owned[owner].cover));
        }
        for neighbour in [start.checked_sub(1), Some(end)].into_iter().flatten() {
            if let Some(&(_, _, owner)) = self.steps.get(neighbour) {
                self.owned[owner].cut(x, y, z);
            }
        }
        self.owned[i] = Owned {
            x,
            y,
            left,
            bottom,
            area,
            height: z,
            volume: 0.0,
            cover,
        };
        self.steps.splice(start..end, [(x, y, i)]);
    }

    fn finish(mut self, mut give: impl FnMut(usize, f64)) {
        for step in &self.steps {
            self.owned[step.2].sink(0.0);
        }
        for (i, owned) in self.owned.iter().enumerate() {
            give(i, owned.volume.max(0.0));
        }
    }
}
