//! Volumes by sets of bits: how large the sets are, and smaller ones for what
//! is inside the box of a single point.

use super::exclusive::{Scratch, Sets};
use super::orders::{Bits, Corner, Orders, each, set, smaller, unset};
use crate::order::Sorter;

/// Working memory for four to nine objectives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masked {
    sorter: Sorter<u16>,
    three: Large<3>,
    four: Large<4>,
    eight: Large<8>,
    inner: Inner,
}

/// Orders of all points, by size.
#[derive(Debug, Clone, Default)]
struct Large<const T: usize> {
    one: Orders<T, 1>,
    two: Orders<T, 2>,
    four: Orders<T, 4>,
    eight: Orders<T, 8>,
    sixteen: Orders<T, 16>,
    most: Orders<T, 32>,
}

/// Orders of the points inside one box, by size.
#[derive(Debug, Clone, Default)]
struct Small<const T: usize> {
    one: Orders<T, 1>,
    two: Orders<T, 2>,
    four: Orders<T, 4>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    scratch: Scratch,
    three: Small<3>,
    four: Small<4>,
    eight: Small<8>,
    /// Number of each row among those inside.
    names: Vec<u16>,
    heights: Vec<f64>,
}

/// Calls a method with the orders that are large enough for `n` points.
macro_rules! sized {
    ($large:expr, $n:expr, $orders:ident => $call:expr) => {
        match $n {
            0..=64 => {
                let $orders = &mut $large.one;
                $call
            }
            65..=128 => {
                let $orders = &mut $large.two;
                $call
            }
            129..=256 => {
                let $orders = &mut $large.four;
                $call
            }
            257..=512 => {
                let $orders = &mut $large.eight;
                $call
            }
            513..=1024 => {
                let $orders = &mut $large.sixteen;
                $call
            }
            1025..=2048 => {
                let $orders = &mut $large.most;
                $call
            }
            _ => None,
        }
    };
}

impl Masked {
    /// Volume that `rows` of `m` gains dominate above the origin, or `None` if
    /// the points are too many for sets of bits.
    ///
    /// The rows are in decreasing order of the last gain; all gains are
    /// positive and finite.
    pub(super) fn volume(&mut self, rows: &[f64], m: usize) -> Option<f64> {
        let n = rows.len() / m;
        let Self { sorter, inner, .. } = self;
        match m {
            4 => sized!(self.three, n, orders => inner.volume::<3, _, _>(orders, rows, sorter)),
            5 => sized!(self.four, n, orders => inner.volume::<4, _, _>(orders, rows, sorter)),
            6 => sized!(self.eight, n, orders => inner.volume::<5, _, _>(orders, rows, sorter)),
            7 => sized!(self.eight, n, orders => inner.volume::<6, _, _>(orders, rows, sorter)),
            8 => sized!(self.eight, n, orders => inner.volume::<7, _, _>(orders, rows, sorter)),
            9 => sized!(self.eight, n, orders => inner.volume::<8, _, _>(orders, rows, sorter)),
            _ => None,
        }
    }

    /// For each of `rows` (positive and finite) the volume that it alone
    /// dominates, or `None` as for [`Self::volume`].
    pub(crate) fn contributions(&mut self, rows: &[f64], m: usize) -> Option<Vec<f64>> {
        let n = rows.len() / m;
        let Self { sorter, inner, .. } = self;
        match m {
            4 => {
                sized!(self.four, n, orders => inner.contributions::<4, _, _>(orders, rows, sorter))
            }
            5 => {
                sized!(self.eight, n, orders => inner.contributions::<5, _, _>(orders, rows, sorter))
            }
            6 => {
                sized!(self.eight, n, orders => inner.contributions::<6, _, _>(orders, rows, sorter))
            }
            7 => {
                sized!(self.eight, n, orders => inner.contributions::<7, _, _>(orders, rows, sorter))
            }
            8 => {
                sized!(self.eight, n, orders => inner.contributions::<8, _, _>(orders, rows, sorter))
            }
            _ => None,
        }
    }
}

impl Inner {
    fn volume<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &mut Orders<T, W>,
        rows: &[f64],
        sorter: &mut Sorter<u16>,
    ) -> Option<f64> {
        let width = D + 1;
        orders.load::<D>(rows, width, sorter);
        let mut sets = [[0; W]; D];
        let low = [orders.rows().len() as u16; D];
        let mut volume = 0.0;
        for (row, gains) in orders.rows().iter().zip(rows.chunks_exact(width)) {
            let added = self.exclusive::<D, T, W>(orders, &sets, &row.corner.part(), &low)?;
            if added > 0.0 {
                volume += gains[D] * added;
                orders.replace(&mut sets, row);
            }
        }
        Some(volume)
    }

    fn contributions<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &mut Orders<T, W>,
        rows: &[f64],
        sorter: &mut Sorter<u16>,
    ) -> Option<Vec<f64>> {
        orders.load::<D>(rows, D, sorter);
        let n = orders.rows().len() as u16;
        let mut sets = [[0; W]; D];
        for bits in &mut sets {
            (0..n).for_each(|rank| set(bits, rank));
        }
        let low = [n; D];
        let mut volumes = Vec::with_capacity(rows.len() / D);
        for row in orders.rows() {
            for k in 0..D {
                unset(&mut sets[k], row.rank[k]);
            }
            let own = self.exclusive::<D, T, W>(orders, &sets, &row.corner.part(), &low)?;
            volumes.push(own.max(0.0));
            for k in 0..D {
                set(&mut sets[k], row.rank[k]);
            }
        }
        Some(volumes)
    }

    /// As [`Orders::exclusive`]; few words are worth fewer bits.
    #[inline(always)]
    fn exclusive<const D: usize, const T: usize, const W: usize>(
        &mut self,
        orders: &Orders<T, W>,
        sets: &Sets<D, W>,
        corner: &Corner<D>,
        low: &[u16; D],
    ) -> Option<f64> {
        if D == 3 || W <= 2 {
            return Some(orders.exclusive::<D>(&mut self.scratch, sets, corner, low));
        }
        let Some(low) = orders.slabs(sets, corner, low) else {
            return Some(0.0);
        };
        let inner = orders.inside(sets, &low, D - 1);
        if let Some(volume) = orders.few(&inner, corner, &low) {
            return Some(volume);
        }
        let Self {
            scratch,
            three,
            four,
            eight,
            names,
            heights,
        } = self;
        let mut cut = Cut {
            orders,
            sets,
            corner,
            low,
            inner,
            scratch,
            names,
            heights,
        };
        match D {
            4 => cut.volume::<3, 3>(three),
            5 => cut.volume::<4, 4>(four),
            6 => cut.volume::<5, 8>(eight),
            7 => cut.volume::<6, 8>(eight),
            _ => cut.volume::<7, 8>(eight),
        }
    }
}

/// A box with the points inside.
struct Cut<'a, const D: usize, const T: usize, const W: usize> {
    orders: &'a Orders<T, W>,
    sets: &'a Sets<D, W>,
    corner: &'a Corner<D>,
    low: [u16; D],
    inner: Bits<W>,
    scratch: &'a mut Scratch,
    names: &'a mut Vec<u16>,
    heights: &'a mut Vec<f64>,
}

impl<const D: usize, const T: usize, const W: usize> Cut<'_, D, T, W> {
    /// Drops the points that others inside dominate; `E` is the last objective.
    fn thin<const E: usize>(&mut self) {
        let reach: [u16; E] = std::array::from_fn(|k| self.corner.reach[k]);
        for i in 0..W {
            let mut bits = self.inner[i];
            while bits != 0 {
                let rank = (i * 64) as u16 + bits.trailing_zeros() as u16;
                // All points that follow are at most as high.
                let beyond = self.orders.beyond(self.orders.ranked(E, rank), &reach, E);
                let done = self.inner[i] & (bits ^ (bits - 1));
                bits &= (bits - 1) & beyond[i];
                self.inner[i] = done | bits;
                for j in i + 1..W {
                    self.inner[j] &= beyond[j];
                }
            }
        }
    }

    /// Volume outside of what the points dominate, by orders of these alone.
    fn volume<const E: usize, const U: usize>(&mut self, small: &mut Small<U>) -> Option<f64> {
        self.thin::<E>();
        let count: u32 = self.inner.iter().map(|word| word.count_ones()).sum();
        let floor: [f64; D] = std::array::from_fn(|k| self.orders.step(k, self.low[k]).gain);
        let whole = (0..D).fold(1.0, |volume, k| volume * (self.corner.at[k] - floor[k]));
        let lost = match count {
            0..=64 => self.dominated::<E, U, 1>(&mut small.one, &floor),
            65..=128 => self.dominated::<E, U, 2>(&mut small.two, &floor),
            129..=256 => self.dominated::<E, U, 4>(&mut small.four, &floor),
            _ => return None,
        };
        Some(whole - lost)
    }

    fn dominated<const E: usize, const U: usize, const V: usize>(
        &mut self,
        small: &mut Orders<U, V>,
        floor: &[f64; D],
    ) -> f64 {
        let Self {
            orders,
            sets,
            corner,
            low,
            inner,
            scratch,
            names,
            heights,
        } = self;
        small.clear();
        heights.clear();
        names.clear();
        names.resize(orders.rows().len(), u16::MAX);
        let mut count = 0;
        each::<W>(
            |i| inner[i],
            |rank| {
                let step = orders.step(E, rank);
                let at = &orders.row(step.row).corner.at;
                names[usize::from(step.row)] = count;
                count += 1;
                small.push::<E>(std::array::from_fn(|k| smaller(at[k], corner.at[k])));
                heights.push(smaller(step.gain, corner.at[E]) - floor[E]);
            },
        );
        for k in 0..E {
            let ordered = orders.inside(sets, low, k);
            each::<W>(
                |i| ordered[i],
                |rank| {
                    let name = names[usize::from(orders.step(k, rank).row)];
                    if name < count {
                        small.rank(name);
                    }
                },
            );
        }
        small.link::<E>(std::array::from_fn(|k| floor[k]));
        small.volume::<E>(scratch, heights)
    }
}
