//! Jobs and pieces of matrices for all threads of the current pool.

use faer::MatMut;
use rayon::prelude::*;

/// Rows from which on a square matrix is worked on in tiles, and what is done with it runs in parallel.
pub const LARGE: usize = 320;

/// Columns filled by one job.
const COLUMNS: usize = 32;

/// Runs every job, in parallel if there are threads for it.
pub(crate) fn for_each<T: Send>(jobs: Vec<T>, run: impl Fn(T) + Sync + Send) {
    if jobs.len() < 2 || rayon::current_num_threads() < 2 {
        jobs.into_iter().for_each(run);
    } else {
        jobs.into_par_iter().with_max_len(1).for_each(run);
    }
}

/// The results of all jobs in order.
pub(crate) fn map<T: Send, R: Send>(jobs: Vec<T>, run: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if jobs.len() < 2 || rayon::current_num_threads() < 2 {
        jobs.into_iter().map(run).collect()
    } else {
        jobs.into_par_iter().with_max_len(1).map(run).collect()
    }
}

/// Runs a job on a thread of the pool, so that not each of its parallel parts has to be handed over.
pub(crate) fn on_the_pool<R: Send>(job: impl FnOnce() -> R + Send) -> R {
    if rayon::current_num_threads() < 2 {
        job()
    } else {
        rayon::scope(|_| job())
    }
}

pub(crate) fn both<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if rayon::current_num_threads() < 2 {
        (first(), second())
    } else {
        rayon::join(first, second)
    }
}

/// A part of a matrix and where it begins.
pub(crate) struct Tile<'a> {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) view: MatMut<'a, f64>,
}

/// Consecutive blocks of at most `width` columns.
pub(crate) fn column_blocks(matrix: MatMut<'_, f64>, width: usize) -> Vec<MatMut<'_, f64>> {
    let mut blocks = Vec::with_capacity(matrix.ncols().div_ceil(width.max(1)));
    let mut rest = matrix;
    while rest.ncols() > 0 {
        let (block, right) = {
            let width = width.clamp(1, rest.ncols());
            rest.split_at_col_mut(width)
        };
        blocks.push(block);
        rest = right;
    }
    blocks
}

pub(crate) fn row_blocks(matrix: MatMut<'_, f64>, height: usize) -> Vec<Tile<'_>> {
    let columns = matrix.ncols();
    tiles(matrix, height, columns)
}

/// Tiles of at most `height×width`, column by column.
pub(crate) fn tiles(matrix: MatMut<'_, f64>, height: usize, width: usize) -> Vec<Tile<'_>> {
    let mut all = Vec::new();
    let mut column = 0;
    for block in column_blocks(matrix, width) {
        let wide = block.ncols();
        let mut row = 0;
        let mut rest = block;
        while rest.nrows() > 0 {
            let (view, below) = {
                let height = height.min(rest.nrows());
                rest.split_at_row_mut(height)
            };
            let next = row + view.nrows();
            all.push(Tile { row, column, view });
            row = next;
            rest = below;
        }
        column += wide;
    }
    all
}

/// Square tiles on and below the diagonal.
pub(crate) fn lower_tiles(matrix: MatMut<'_, f64>, size: usize) -> Vec<Tile<'_>> {
    let mut all = tiles(matrix, size, size);
    all.retain(|tile| tile.row >= tile.column);
    all
}

/// Calls `fill` with each column's index and that column of every matrix, in parallel for large matrices.
///
/// `state` makes what a thread keeps from one column to the next, a buffer for example; what is written may
/// not depend on it.
///
/// # Panics
/// If the matrices differ in their numbers of columns, or their columns are not contiguous.
#[track_caller]
pub fn fill_columns<S, const K: usize>(
    matrices: [MatMut<'_, f64>; K],
    state: impl Fn() -> S + Sync + Send,
    fill: impl Fn(&mut S, usize, [&mut [f64]; K]) + Sync + Send,
) {
    let columns = matrices.first().map_or(0, |m| m.ncols());
    let mut entries = 0_usize;
    for m in &matrices {
        assert!(
            m.ncols() == columns && m.row_stride() == 1,
            "{}×{} matrix with row stride {}, expected {columns} contiguous columns",
            m.nrows(),
            m.ncols(),
            m.row_stride()
        );
        entries = entries.saturating_add(m.nrows().saturating_mul(columns));
    }
    let width = if entries < LARGE * LARGE {
        columns.max(1)
    } else {
        COLUMNS
    };
    let mut blocks = matrices.map(|m| column_blocks(m, width).into_iter());
    let jobs = (0..columns).step_by(width).map(|first| {
        let block = blocks.each_mut().map(|b| b.next());
        (first, block.map(|b| b.expect("all have as many columns")))
    });
    for_each(
        jobs.collect(),
        |(first, mut block): (usize, [MatMut<'_, f64>; K])| {
            let mut state = state();
            for j in 0..block.first().map_or(0, |m| m.ncols()) {
                let columns = block.each_mut().map(|m| {
                    let column = m.as_mut().col_mut(j).try_as_col_major_mut();
                    column.expect("checked above").as_slice_mut()
                });
                fill(&mut state, first + j, columns);
            }
        },
    );
}
