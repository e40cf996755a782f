//! Sets of points as bits in the order of each objective.

use crate::order::Sorter;

/// A set of ranks, the lowest bit first.
pub(super) type Bits<const W: usize> = [u64; W];

/// The smaller of `otherwise` and the first rank whose bit is set in the words.
#[inline(always)]
pub(super) fn first<const W: usize>(word: impl Fn(usize) -> u64, otherwise: u16) -> u16 {
    if W == 1 {
        // Without a branch, for which way it goes is hard to predict.
        return otherwise.min(word(0).trailing_zeros() as u16);
    }
    for i in 0..W {
        let bits = word(i);
        if bits != 0 {
            return (i * 64) as u16 + bits.trailing_zeros() as u16;
        }
    }
    otherwise
}

/// Calls `visit` with each rank whose bit is set in the words.
#[inline(always)]
pub(super) fn each<const W: usize>(word: impl Fn(usize) -> u64, mut visit: impl FnMut(u16)) {
    for i in 0..W {
        let mut bits = word(i);
        while bits != 0 {
            visit((i * 64) as u16 + bits.trailing_zeros() as u16);
            bits &= bits - 1;
        }
    }
}

/// Takes the first rank out of the set.
#[inline(always)]
pub(super) fn drop_first<const W: usize>(bits: &mut Bits<W>) {
    let mut done = false;
    for word in bits {
        let rest = *word & word.wrapping_sub(1);
        let here = !done & (*word != 0);
        *word = if here { rest } else { *word };
        done |= here;
        if W > 2 && done {
            return;
        }
    }
}

#[inline(always)]
fn place<const W: usize>(rank: u16) -> (usize, u64) {
    let word = if W == 1 { 0 } else { usize::from(rank >> 6) };
    (word, 1 << (rank & 63))
}

#[inline(always)]
pub(super) fn set<const W: usize>(bits: &mut Bits<W>, rank: u16) {
    let (word, bit) = place::<W>(rank);
    bits[word] |= bit;
}

#[inline(always)]
pub(super) fn unset<const W: usize>(bits: &mut Bits<W>, rank: u16) {
    let (word, bit) = place::<W>(rank);
    bits[word] &= !bit;
}

/// A corner of a box: its gains, and for each the number of points that reach
/// at least as far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner<const D: usize> {
    pub(super) at: [f64; D],
    pub(super) reach: [u16; D],
}

impl<const D: usize> Corner<D> {
    /// The same in the first `E` objectives.
    #[inline(always)]
    pub(super) fn part<const E: usize>(&self) -> Corner<E> {
        Corner {
            at: std::array::from_fn(|k| self.at[k]),
            reach: std::array::from_fn(|k| self.reach[k]),
        }
    }

    /// The part in the first `E` objectives, limited to another corner.
    #[inline(always)]
    pub(super) fn limited<const E: usize>(&self, to: &Corner<E>) -> Corner<E> {
        Corner {
            at: std::array::from_fn(|k| smaller(self.at[k], to.at[k])),
            reach: std::array::from_fn(|k| self.reach[k].max(to.reach[k])),
        }
    }
}

/// The smaller of two numbers, none of them NaN.
#[inline(always)]
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// A point with its rank in each objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<const T: usize> {
    pub(super) corner: Corner<T>,
    pub(super) rank: [u16; T],
}

/// What is known at one rank of one objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<const T: usize, const W: usize> {
    /// The points of smaller rank, in the order of each objective.
    pub(super) before: [Bits<W>; T],
    /// Gain and index of the point of this rank.
    pub(super) gain: f64,
    pub(super) row: u16,
}

/// At most `64·W` points and their decreasing order in up to `T` objectives.
///
/// A set of points is held as one bit set for each objective, in the order of
/// that objective. Which points reach at least as far as another in some
/// objective is known beforehand in the order of every objective, so that the
/// furthest in one among those that reach far enough in the others is the
/// first bit of an intersection.
#[derive(Debug, Clone)]
pub(super) struct Orders<const T: usize, const W: usize> {
    rows: Vec<Row<T>>,
    /// A further gain of each row, by which the rows decrease.
    heights: Vec<f64>,
    /// For each objective the rows in its order.
    ranked: Vec<u16>,
    /// For each objective one step for each rank, and one after the last.
    steps: Vec<Step<T, W>>,
}

impl<const T: usize, const W: usize> Default for Orders<T, W> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            heights: Vec::new(),
            ranked: Vec::new(),
            steps: Vec::new(),
        }
    }
}

impl<const T: usize, const W: usize> Orders<T, W> {
    /// Takes in rows of `width` positive gains: orders the first `U` of them,
    /// and keeps the last as height.
    pub(super) fn load<const U: usize>(
        &mut self,
        rows: &[f64],
        width: usize,
        sorter: &mut Sorter<u16>,
    ) {
        self.clear();
        let n = rows.len() / width;
        self.rows.reserve(n);
        self.heights.reserve(n);
        self.ranked.reserve(U * n);
        for row in rows.chunks_exact(width) {
            self.push::<U>(std::array::from_fn(|k| row[k]), row[width - 1]);
        }
        for k in 0..U {
            let keys = rows.iter().skip(k).step_by(width).map(|gain| -gain);
            let order = sorter.sort(keys.zip(0..), Ord::cmp);
            self.ranked.extend(order.iter().map(|(_, row)| *row));
        }
        self.link([0.0; U]);
    }

    /// Forgets all points. Then new ones are pushed, ranked in one objective
    /// after the other, and linked.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.heights.clear();
        self.ranked.clear();
    }

    /// Adds a point of `U` gains and a height.
    #[inline(always)]
    pub(super) fn push<const U: usize>(&mut self, point: [f64; U], height: f64) {
        self.heights.push(height);
        self.rows.push(Row {
            corner: Corner {
                at: std::array::from_fn(|k| if k < U { point[k] } else { 0.0 }),
                reach: [0; T],
            },
            rank: [0; T],
        });
    }

    /// Gives the next rank to a row.
    #[inline(always)]
    pub(super) fn rank(&mut self, row: u16) {
        self.ranked.push(row);
    }

    /// Fills in what follows from the orders. Gains are counted from `floor`.
    pub(super) fn link<const U: usize>(&mut self, floor: [f64; U]) {
        let n = self.rows.len();
        debug_assert!(n <= 64 * W && self.ranked.len() == U * n, "{n} points");
        self.steps.clear();
        self.steps.reserve(U * (n + 1));
        for k in 0..U {
            let (mut end, mut last) = (0, 0.0);
            for r in (0..n).rev() {
                let row = &mut self.rows[usize::from(self.ranked[k * n + r])];
                if row.corner.at[k] > last {
                    last = row.corner.at[k];
                    end = r as u16 + 1;
                }
                row.rank[k] = r as u16;
                row.corner.reach[k] = end;
            }
        }
        for k in 0..U {
            let mut before = [[0; W]; T];
            for &row in &self.ranked[k * n..(k + 1) * n] {
                let from = &self.rows[usize::from(row)];
                let gain = from.corner.at[k];
                self.steps.push(Step { before, gain, row });
                for (bits, rank) in before.iter_mut().zip(&from.rank).take(U) {
                    // Every word is written: an index that varies would send
                    // the sets through memory.
                    let (home, bit) = place::<W>(*rank);
                    for (i, word) in bits.iter_mut().enumerate() {
                        *word |= if i == home { bit } else { 0 };
                    }
                }
            }
            let gain = floor[k];
            self.steps.push(Step {
                before,
                gain,
                row: 0,
            });
        }
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> &[Row<T>] {
        &self.rows
    }

    /// The height of each row.
    #[inline(always)]
    pub(super) fn heights(&self) -> &[f64] {
        &self.heights
    }

    #[inline(always)]
    pub(super) fn row(&self, i: u16) -> &Row<T> {
        &self.rows[usize::from(i)]
    }

    #[inline(always)]
    pub(super) fn step(&self, k: usize, rank: u16) -> &Step<T, W> {
        &self.steps[k * (self.rows.len() + 1) + usize::from(rank)]
    }

    /// The row of some rank in objective `k`.
    #[inline(always)]
    pub(super) fn ranked(&self, k: usize, rank: u16) -> &Row<T> {
        self.row(self.step(k, rank).row)
    }
}
