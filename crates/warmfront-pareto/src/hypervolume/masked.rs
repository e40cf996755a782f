//! Volumes by sets of bits: how large the sets are, and smaller ones for what
//! is inside the box of a single point.

use super::exclusive::{Scratch, Sets};
use super::orders::{Bits, Corner, Orders, each, set, smaller, unset};
use crate::order::Sorter;

/// Working memory for four to eight objectives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masked {
    sorter: Sorter<u16>,
    three: Sizes<3>,
    four: Sizes<4>,
    more: Sizes<7>,
    inner: Inner,
}

/// Orders by size.
#[derive(Debug, Clone, Default)]
struct Sizes<const T: usize> {
    one: Orders<T, 1>,
    two: Orders<T, 2>,
    four: Orders<T, 4>,
    eight: Orders<T, 8>,
    sixteen: Orders<T, 16>,
    thirty_two: Orders<T, 32>,
}

/// What the recursion needs: orders for each number of objectives.
#[derive(Debug, Clone, Default)]
struct Inner {
    scratch: Scratch,
    three: Sizes<3>,
    four: Sizes<4>,
    five: Sizes<7>,
    six: Sizes<7>,
    /// Number of each row among those inside.
    names: Vec<u16>,
}

/// Most points in up to five objectives, and in more.
const MOST: [usize; 2] = [2048, 256];

/// Calls a method with the orders that are large enough for `$n` points, which
/// fit into `$words` words.
macro_rules! sized {
    ($words:expr, $sizes:expr, $n:expr, $call:expr) => {
        // What does not depend on `$n` is decided before code is made.
        if $words == 1 || $n <= 64 {
            $call(&mut $sizes.one)
        } else if $words == 2 || $n <= 128 {
            $call(&mut $sizes.two)
        } else if $words == 4 || $n <= 256 {
            $call(&mut $sizes.four)
        } else if $words == 8 || $n <= 512 {
            $call(&mut $sizes.eight)
        } else if $words == 16 || $n <= 1024 {
            $call(&mut $sizes.sixteen)
        } else {
            $call(&mut $sizes.thirty_two)
        }
    };
}

impl Masked {
    /// Volume that `rows` of `m` gains dominate above the origin, or `None` if
    /// points or objectives are too many for sets of bits.
    ///
    /// The rows are in decreasing order of the last gain; all gains are
    /// positive and finite.
    pub(super) fn volume(&mut self, rows: &[f64], m: usize) -> Option<f64> {
        let n = rows.len() / m;
        if n > MOST[usize::from(m > 5)] {
            return None;
        }
        let Self { sorter, inner, .. } = self;
        let volume = match m {
            4 => sized!(32, self.three, n, |o| inner
                .volume::<3, _, _>(o, rows, sorter)),
            5 => sized!(32, self.four, n, |o| inner
                .volume::<4, _, _>(o, rows, sorter)),
            6 => sized!(4, self.more, n, |o| inner
                .volume::<5, _, _>(o, rows, sorter)),
            7 => sized!(4, self.more, n, |o| inner
                .volume::<6, _, _>(o, rows, sorter)),
            8 => sized!(4, self.more, n, |o| inner
                .volume::<7, _, _>(o, rows, sorter)),
            _ => return None,
        };
        Some(volume)
    }

    /// For each of `rows` (positive and finite) the volume that it alone
    /// dominates, or `None` as for [`Self::volume`].
    pub(crate) fn contributions(&mut self, rows: &[f64], m: usize) -> Option<Vec<f64>> {
        let n = rows.len() / m;
        if n > MOST[usize::from(m > 4)] {
            return None;
        }
        let Self { sorter, inner, .. } = self;
        let volumes = match m {
            4 => sized!(32, self.four, n, |o| inner
                .alone::<4, _, _>(o, rows, sorter)),
            5 => sized!(4, self.more, n, |o| inner.alone::<5, _, _>(o, rows, sorter)),
            6 => sized!(4, self.more, n, |o| inner.alone::<6, _, _>(o, rows, sorter)),
            7 => sized!(4, self.more, n, |o| inner.alone::<7, _, _>(o, rows, sorter)),
            _ => return None,
        };
        Some(volumes)
    }
}

impl Inner {
    fn volume<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &mut Orders<T, W>,
        rows: &[f64],
        sorter: &mut Sorter<u16>,
    ) -> f64 {
        orders.load::<D>(rows, D + 1, sorter);
        self.sum::<D, T, W>(orders)
    }

    /// Volume that the points of `orders` dominate.
    ///
    /// A point adds its height times the volume that it adds to the points
    /// before it in the ordered objectives, for all of these are as high.
    fn sum<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &Orders<T, W>,
    ) -> f64 {
        let mut sets = [[0; W]; D];
        let low = [orders.rows().len() as u16; D];
        let mut volume = 0.0;
        for (row, height) in orders.rows().iter().zip(orders.heights()) {
            let added = self.exclusive::<D, T, W>(orders, &sets, &row.corner.part(), &low);
            if added > 0.0 {
                volume += height * added;
                orders.replace(&mut sets, row);
            }
        }
        volume
    }

    fn alone<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &mut Orders<T, W>,
        rows: &[f64],
        sorter: &mut Sorter<u16>,
    ) -> Vec<f64> {
        orders.load::<D>(rows, D, sorter);
        let n = orders.rows().len() as u16;
        let mut sets = [[0; W]; D];
        for bits in &mut sets {
            (0..n).for_each(|rank| set(bits, rank));
        }
        let low = [n; D];
        let mut volumes = Vec::with_capacity(orders.rows().len());
        for row in orders.rows() {
            for k in 0..D {
                unset(&mut sets[k], row.rank[k]);
            }
            let own = self.exclusive::<D, T, W>(orders, &sets, &row.corner.part(), &low);
            volumes.push(own.max(0.0));
            orders.insert(&mut sets, row);
        }
        volumes
    }

    /// As [`Orders::exclusive`], with smaller orders where they pay.
    #[inline(always)]
    fn exclusive<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &Orders<T, W>,
        sets: &Sets<D, W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> f64 {
        if D == 3 || W == 1 || D == 4 && W <= 8 {
            return orders.exclusive::<D>(&mut self.scratch, sets, corner, low);
        }
        let Some(low) = orders.slabs(sets, corner, low) else {
            return 0.0;
        };
        let mut inner = orders.inside(sets, &low, D - 1);
        if let Some(volume) = orders.few(&inner, corner, &low) {
            return volume;
        }
        orders.thin(&mut inner, &corner.reach);
        let cut = Cut {
            orders,
            sets,
            corner,
            low,
            inner,
        };
        match D {
            4 => cut.volume::<3, 3>(self, |inner| &mut inner.three),
            5 => cut.volume::<4, 4>(self, |inner| &mut inner.four),
            6 => cut.volume::<5, 7>(self, |inner| &mut inner.five),
            _ => cut.volume::<6, 7>(self, |inner| &mut inner.six),
        }
    }
}

/// A box with the points inside, none of which dominates another.
struct Cut<'a, const D: usize, const T: usize, const W: usize> {
    orders: &'a Orders<T, W>,
    sets: &'a Sets<D, W>,
    corner: &'a Corner<D>,
    low: [u16; D],
    inner: Bits<W>,
}

impl<const D: usize, const T: usize, const W: usize> Cut<'_, D, T, W> {
    /// Volume outside of what the points dominate, by orders of these alone in
    /// all objectives but the last.
    #[inline(never)]
    fn volume<const E: usize, const U: usize>(
        &self,
        inner: &mut Inner,
        sizes_of: impl Fn(&mut Inner) -> &mut Sizes<U>,
    ) -> f64 {
        let count: u32 = self.inner.iter().map(|word| word.count_ones()).sum();
        let floor = std::array::from_fn(|k| self.orders.step(k, self.low[k]).gain);
        // Taken out while in use, for the recursion needs the others.
        let mut sizes = std::mem::take(sizes_of(inner));
        let lost = sized!(W, sizes, count, |small| self
            .dominated::<E, U, _>(inner, small, &floor));
        *sizes_of(inner) = sizes;
        let sides = self.corner.at.iter().zip(&floor);
        sides.fold(1.0, |volume, (at, floor)| volume * (at - floor)) - lost
    }

    fn dominated<const E: usize, const U: usize, const V: usize>(
        &self,
        inner: &mut Inner,
        small: &mut Orders<U, V>,
        floor: &[f64; D],
    ) -> f64 {
        self.restrict::<E, U, V>(small, &mut inner.names, floor);
        inner.sum::<E, U, V>(small)
    }

    /// Fills `to` with the points inside, limited to the corner.
    fn restrict<const E: usize, const U: usize, const V: usize>(
        &self,
        to: &mut Orders<U, V>,
        names: &mut Vec<u16>,
        floor: &[f64; D],
    ) {
        let Self { orders, corner, .. } = self;
        to.clear();
        names.clear();
        names.resize(orders.rows().len(), u16::MAX);
        let mut count = 0;
        each::<W>(
            |i| self.inner[i],
            |rank| {
                let step = orders.step(E, rank);
                let at = &orders.row(step.row).corner.at;
                names[usize::from(step.row)] = count;
                count += 1;
                let point: [f64; E] = std::array::from_fn(|k| smaller(at[k], corner.at[k]));
                to.push(point, smaller(step.gain, corner.at[E]) - floor[E]);
            },
        );
        for k in 0..E {
            let ordered = orders.inside(self.sets, &self.low, k);
            each::<W>(
                |i| ordered[i],
                |rank| {
                    let name = names[usize::from(orders.step(k, rank).row)];
                    if name < count {
                        to.rank(name);
                    }
                },
            );
        }
        to.link::<E>(std::array::from_fn(|k| floor[k]));
    }
}
