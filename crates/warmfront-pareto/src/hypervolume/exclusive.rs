//! What one point dominates alone, by intersections of ordered sets.

use super::orders::{Bits, Corner, Orders, Row, drop_first, each, first, set, smaller, unset};
use super::terrace::Terrace;
use super::three::Stairs;

/// Working memory of the recursion.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    terrace: Terrace,
    /// Place of each row in the terrace.
    places: Vec<u8>,
    /// In place of a terrace that has too little room.
    stairs: Stairs,
}

/// A set of points in the order of each of `D` objectives.
pub(super) type Sets<const D: usize, const W: usize> = [Bits<W>; D];

impl<const T: usize, const W: usize> Orders<T, W> {
    /// Volume of the box between `low` and `corner` outside of what the points
    /// of `sets` dominate; zero if one of them covers the box.
    ///
    /// `low` are ranks whose gains bound the box from below; the points of the
    /// sets have smaller ranks.
    ///
    /// A point that exceeds the box in all objectives but one takes a slab of
    /// it away, which moves `low` up; the furthest of each is the first bit of
    /// an intersection. Those inside the remaining box are added in decreasing
    /// order of the last objective. What each adds in the other objectives is
    /// the same problem in one dimension less.
    #[inline(always)]
    pub(super) fn exclusive<const D: usize>(
        &self,
        scratch: &mut Scratch,
        sets: &Sets<D, W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> f64 {
        if D == 3 {
            let sets = std::array::from_fn(|k| sets[k]);
            let low = std::array::from_fn(|k| low[k]);
            return self.exclusive_three(scratch, &sets, &corner.part(), &low);
        }
        self.exclusive_many(scratch, sets, corner, low)
    }

    #[inline(never)]
    fn exclusive_many<const D: usize>(
        &self,
        scratch: &mut Scratch,
        sets: &Sets<D, W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> f64 {
        let Some(low) = self.slabs(sets, corner, low) else {
            return 0.0;
        };
        let inner = self.inside(sets, &low, D - 1);
        if let Some(volume) = self.few(&inner, corner, &low) {
            return volume;
        }
        match D {
            4 => self.sunk::<D, 3>(scratch, &inner, corner, &low),
            5 => self.sunk::<D, 4>(scratch, &inner, corner, &low),
            6 => self.sunk::<D, 5>(scratch, &inner, corner, &low),
            _ => self.sunk::<D, 6>(scratch, &inner, corner, &low),
        }
    }

    /// [`Self::exclusive`] where at most three points are inside the box, by
    /// inclusion and exclusion.
    #[inline(always)]
    pub(super) fn few<const D: usize>(
        &self,
        inner: &Bits<W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> Option<f64> {
        let mut rest = *inner;
        (0..3).for_each(|_| drop_first(&mut rest));
        if rest.iter().any(|word| *word != 0) {
            return None;
        }
        rest = *inner;
        let mut next = || {
            let rank = first::<W>(|i| rest[i], u16::MAX);
            drop_first(&mut rest);
            (rank < 64 * W as u16).then(|| &self.ranked(D - 1, rank).corner.at)
        };
        let floor: [f64; D] = std::array::from_fn(|k| self.step(k, low[k]).gain);
        let volume = |at: [f64; D]| (0..D).fold(1.0, |volume, k| volume * (at[k] - floor[k]));
        let limit = |at: &[f64; T], to: &[f64; D]| -> [f64; D] {
            std::array::from_fn(|k| smaller(at[k], to[k]))
        };
        let Some(a) = next() else {
            return Some(volume(corner.at));
        };
        let (second, third) = (next(), next());
        let a = limit(a, &corner.at);
        let mut lost = volume(a);
        if let Some(b) = second {
            let own = limit(b, &corner.at);
            lost += volume(own) - volume(limit(b, &a));
            if let Some(c) = third {
                let with_a = limit(c, &a);
                let shared = volume(with_a) + (volume(limit(c, &own)) - volume(limit(b, &with_a)));
                lost += volume(limit(c, &corner.at)) - shared;
            }
        }
        Some(volume(corner.at) - lost)
    }

    #[inline(always)]
    fn sunk<const D: usize, const E: usize>(
        &self,
        scratch: &mut Scratch,
        inner: &Bits<W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> f64 {
        let upper: Corner<E> = corner.part();
        let below: [u16; E] = std::array::from_fn(|k| low[k]);
        let floor: [f64; E] = std::array::from_fn(|k| self.step(k, low[k]).gain);
        let mut base = (0..E).fold(1.0, |v, k| v * (corner.at[k] - floor[k]));
        let mut height = corner.at[E];
        let mut volume = 0.0;
        let mut sets = [[0; W]; E];
        let mut added = [0; W];
        let mut inner = *inner;
        for i in 0..W {
            while inner[i] != 0 {
                let rank = (i * 64) as u16 + inner[i].trailing_zeros() as u16;
                inner[i] &= inner[i] - 1;
                let row = self.ranked(E, rank);
                let point = row.corner.limited(&upper);
                let lost = if added == [0; W] {
                    // Nothing else is there yet.
                    (0..E).fold(1.0, |v, k| v * (point.at[k] - floor[k]))
                } else {
                    self.exclusive::<E>(scratch, &sets, &point, &below)
                };
                if lost > 0.0 {
                    let level = smaller(row.corner.at[E], height);
                    volume += base * (height - level);
                    height = level;
                    base -= lost;
                    let beyond = self.beyond(row, &upper.reach, E);
                    for j in i..W {
                        inner[j] &= beyond[j];
                    }
                    self.remove(&mut sets, E, |j| added[j] & !beyond[j]);
                    for j in 0..W {
                        added[j] &= beyond[j];
                    }
                    set(&mut added, rank);
                    self.insert(&mut sets, row);
                }
            }
        }
        volume + base * (height - self.step(E, low[E]).gain)
    }

    /// The points that a row does not dominate once all are limited to some
    /// reach, in the order of objective `k`. Points that tie with it count as
    /// beyond, which does no harm.
    #[inline(always)]
    fn beyond(&self, row: &Row<T>, reach: &[u16], k: usize) -> Bits<W> {
        let mut beyond = [0; W];
        for (j, &reach) in reach.iter().enumerate() {
            // Nothing reaches beyond the limit.
            if row.corner.reach[j] > reach {
                let before = &self.step(j, row.rank[j]).before[k];
                for (word, further) in beyond.iter_mut().zip(before) {
                    *word |= further;
                }
            }
        }
        beyond
    }

    /// Drops the points that others dominate from those inside a box of some
    /// reach, given in the order of the last objective.
    #[inline(always)]
    pub(super) fn thin<const D: usize>(&self, inside: &mut Bits<W>, reach: &[u16; D]) {
        for i in 0..W {
            let mut bits = inside[i];
            while bits != 0 {
                let rank = (i * 64) as u16 + bits.trailing_zeros() as u16;
                // All points that follow are at most as high, so that the last
                // objective need not be compared.
                let row = self.ranked(D - 1, rank);
                let beyond = self.beyond(row, &reach[..D - 1], D - 1);
                let done = inside[i] & (bits ^ (bits - 1));
                bits &= (bits - 1) & beyond[i];
                inside[i] = done | bits;
                for j in i + 1..W {
                    inside[j] &= beyond[j];
                }
            }
        }
    }

    /// Adds a point to the sets.
    #[inline(always)]
    pub(super) fn insert<const D: usize>(&self, sets: &mut Sets<D, W>, row: &Row<T>) {
        for (bits, rank) in sets.iter_mut().zip(&row.rank) {
            set(bits, *rank);
        }
    }

    /// Takes the points of some ranks in objective `k` out of the sets.
    #[inline(always)]
    fn remove<const D: usize>(
        &self,
        sets: &mut Sets<D, W>,
        k: usize,
        ranks: impl Fn(usize) -> u64,
    ) {
        each::<W>(ranks, |rank| {
            let row = self.ranked(k, rank);
            for (bits, rank) in sets.iter_mut().zip(&row.rank) {
                unset(bits, *rank);
            }
        });
    }

    /// Adds a point to the sets in place of those that it dominates.
    #[inline(always)]
    pub(super) fn replace<const D: usize>(&self, sets: &mut Sets<D, W>, row: &Row<T>) {
        let beyond = self.beyond(row, &[0; D], 0);
        let all = sets[0];
        self.remove(sets, 0, |i| all[i] & !beyond[i]);
        self.insert(sets, row);
    }

    /// `low` moved up by the slabs of the box that single points cover, or
    /// `None` if one covers all of it.
    #[inline(always)]
    pub(super) fn slabs<const D: usize>(
        &self,
        sets: &Sets<D, W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> Option<[u16; D]> {
        let reach: [_; D] = std::array::from_fn(|k| &self.step(k, corner.reach[k]).before);
        let mut moved = *low;
        for k in 0..D {
            let word = |i: usize| {
                let others = (0..D).filter(|&j| j != k);
                others.fold(sets[k][i], |bits, j| bits & reach[j][k][i])
            };
            moved[k] = first::<W>(word, low[k]);
            if k == 0 && moved[0] < corner.reach[0] {
                return None;
            }
        }
        Some(moved)
    }

    /// The points above `low` in every objective, in the order of the `k`-th.
    #[inline(always)]
    pub(super) fn inside<const D: usize>(
        &self,
        sets: &Sets<D, W>,
        low: &[u16; D],
        k: usize,
    ) -> Bits<W> {
        let steps: [_; D] = std::array::from_fn(|j| &self.step(j, low[j]).before[k]);
        std::array::from_fn(|i| steps.iter().fold(sets[k][i], |bits, step| bits & step[i]))
    }

    /// [`Self::exclusive`] in three objectives: the points inside are added to
    /// a staircase of the first two in decreasing order of the third.
    #[inline(always)]
    fn exclusive_three(
        &self,
        scratch: &mut Scratch,
        sets: &Sets<3, W>,
        corner: &Corner<3>,
        low: &[u16; 3],
    ) -> f64 {
        let Some(low) = self.slabs(sets, corner, low) else {
            return 0.0;
        };
        let inner = self.inside(sets, &low, 2);
        if let Some(volume) = self.few::<3>(&inner, corner, &low) {
            return volume;
        }
        let [left, bottom, floor]: [f64; 3] = std::array::from_fn(|k| self.step(k, low[k]).gain);
        let [x, y, mut height] = corner.at;
        let Scratch {
            terrace,
            places,
            stairs,
        } = scratch;
        if places.len() < self.rows().len() {
            places.resize(64 * W, 0);
        }
        terrace.clear();
        let upper = self.inside(sets, &low, 0);
        each::<W>(
            |i| upper[i],
            |rank| {
                let step = self.step(0, rank);
                let at = &self.row(step.row).corner.at;
                let point = [smaller(at[0], x) - left, smaller(at[1], y) - bottom];
                places[usize::from(step.row)] = terrace.push(point);
            },
        );
        terrace.start();
        let spacious = terrace.start();
        if !spacious {
            stairs.clear();
        }
        let mut area = (x - left) * (y - bottom);
        let mut volume = 0.0;
        each::<W>(
            |i| inner[i],
            |rank| {
                let step = self.step(2, rank);
                let lost = if spacious {
                    terrace.add(places[usize::from(step.row)])
                } else {
                    let at = &self.row(step.row).corner.at;
                    stairs.add(smaller(at[0], x) - left, smaller(at[1], y) - bottom)
                };
                if lost > 0.0 {
                    let level = smaller(step.gain, height);
                    volume += area * (height - level);
                    height = level;
                    area -= lost;
                }
            },
        );
        volume + area * (height - floor)
    }
}
