//! Factors, inverses and products of large matrices, tile by tile on all threads.
//!
//! What a tile is and in which order its sums are formed depends on the shape alone, and the work on
//! one tile is sequential: a result is the same, bit for bit, for any number of threads. Tiles fit the
//! second-level cache, which on one thread makes up for what the cutting costs.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltError, LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_product};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, Mat, MatMut, MatRef, Par, Spec};

use crate::matmul::column_square_norms;
use crate::parallel::{
    LARGE, Tile, both, column_blocks, for_each, lower_tiles, map, on_the_pool, row_blocks, tiles,
};

#[cfg(test)]
mod tests;

/// Rows and columns of a tile of a triangular matrix.
const TILE: usize = 128;

/// Rows of a tile of the block of columns that others wait for: lower, so that there is one for every thread.
const PANEL_ROWS: usize = 64;

/// Columns of a tile of a product, and its rows where no factor is triangular.
pub(crate) const PRODUCT_TILE: usize = 256;

/// Multiplications and additions from which on a product is worth distributing.
const LARGE_PRODUCT: usize = 1 << 24;

/// Whether a product of this many operations is worth tiles.
pub(crate) fn worth_tiles(m: usize, n: usize, k: usize) -> bool {
    m.saturating_mul(n).saturating_mul(k) >= LARGE_PRODUCT
}

/// Replaces the lower triangle of a symmetric matrix by its Cholesky factor, in tiles if it is large.
///
/// # Errors
/// The index of a pivot that is not positive.
pub(crate) fn cholesky(matrix: MatMut<'_, f64>) -> Result<(), usize> {
    if matrix.nrows() < LARGE {
        return untiled_cholesky(matrix);
    }
    on_the_pool(|| tiled_cholesky(matrix))
}

fn untiled_cholesky(matrix: MatMut<'_, f64>) -> Result<(), usize> {
    let scratch = cholesky_in_place_scratch::<f64>(matrix.nrows(), Par::Seq, Spec::default());
    cholesky_in_place(
        matrix,
        LltRegularization::default(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Spec::default(),
    )
    .map(|_| ())
    .map_err(|LltError::NonPositivePivot { index }| index)
}

fn tiled_cholesky(matrix: MatMut<'_, f64>) -> Result<(), usize> {
    let n = matrix.nrows();
    let (mut panel, rest) = matrix.split_at_col_mut(TILE.min(n));
    factor_panel(panel.as_mut())?;
    let mut done = panel.ncols();
    // What is left to factorise: the rows below the latest panel's tile, the columns right of it.
    let mut trailing = rest.split_at_row_mut(done).1;
    while trailing.ncols() > 0 {
        let width = panel.ncols();
        let left = panel.as_ref().subrows(width, panel.nrows() - width);
        let wide = TILE.min(trailing.ncols());
        let (mut next, others) = trailing.split_at_col_mut(wide);
        let mut others = others.split_at_row_mut(wide).1;
        // The next panel is factorised while the columns to the right of it are still being updated.
        let (ahead, ()) = both(
            || {
                update(panel_tiles(next.as_mut(), PANEL_ROWS), left, left);
                factor_panel(next.as_mut())
            },
            || {
                let left = left.subrows(wide, left.nrows() - wide);
                update(lower_tiles(others.as_mut(), TILE), left, left);
            },
        );
        ahead.map_err(|pivot| done + pivot)?;
        done += wide;
        panel = next;
        trailing = others;
    }
    Ok(())
}

/// The square tile on top of a block of columns, and the rows below it.
fn panel_tiles(panel: MatMut<'_, f64>, height: usize) -> Vec<Tile<'_>> {
    let width = panel.ncols();
    let (view, below) = panel.split_at_row_mut(width);
    let (row, column) = (0, 0);
    let mut all = vec![Tile { row, column, view }];
    all.extend(row_blocks(below, height).into_iter().map(|tile| Tile {
        row: tile.row + width,
        ..tile
    }));
    all
}

/// Subtracts `left·rightᵀ` from tiles of the lower triangle of a matrix.
fn update(tiles: Vec<Tile<'_>>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    for_each(tiles, |tile| {
        let a = left.subrows(tile.row, tile.view.nrows());
        let b = right.subrows(tile.column, tile.view.ncols()).transpose();
        if tile.row == tile.column {
            triangular_product(
                tile.view,
                BlockStructure::TriangularLower,
                Accum::Add,
                a,
                BlockStructure::Rectangular,
                b,
                BlockStructure::Rectangular,
                -1.0,
                Par::Seq,
            );
        } else {
            matmul(tile.view, Accum::Add, a, b, -1.0, Par::Seq);
        }
    });
}

/// Factorises the tile on top of a block of columns and solves for those below.
fn factor_panel(panel: MatMut<'_, f64>) -> Result<(), usize> {
    let width = panel.ncols();
    let (mut top, below) = panel.split_at_row_mut(width);
    untiled_cholesky(top.as_mut())?;
    for_each(row_blocks(below, PANEL_ROWS), |tile| {
        solve_lower_triangular_in_place(top.as_ref(), tile.view.transpose_mut(), Par::Seq);
    });
    Ok(())
}

/// Writes the inverse of a lower triangular matrix into the lower triangle of `out`.
pub(crate) fn invert_lower(out: MatMut<'_, f64>, l: MatRef<'_, f64>) {
    let n = l.nrows();
    let corners = (0..n).step_by(TILE).collect();
    // With zeros above the diagonal, unlike what they are copied to.
    let diagonal = map(corners, |start: usize| {
        let width = TILE.min(n - start);
        let mut inverse = Mat::zeros(width, width);
        let corner = l.submatrix(start, start, width, width);
        invert_lower_triangular(inverse.as_mut(), corner, Par::Seq);
        inverse
    });
    let blocks = column_blocks(out, TILE).into_iter().enumerate().collect();
    for_each(blocks, |(index, mut block): (usize, MatMut<'_, f64>)| {
        let (first, width) = (index * TILE, block.ncols());
        let corner = &diagonal[index];
        block
            .as_mut()
            .subrows_mut(first, width)
            .copy_from_triangular_lower(corner);
        let mut product = Mat::zeros(TILE, width);
        for row in (first + TILE..n).step_by(TILE) {
            let height = TILE.min(n - row);
            let (above, below) = block.as_mut().split_at_row_mut(row);
            let mut product = product.as_mut().subrows_mut(0, height);
            triangular_product(
                product.as_mut(),
                BlockStructure::Rectangular,
                Accum::Replace,
                l.submatrix(row, first, height, width),
                BlockStructure::Rectangular,
                corner.as_ref(),
                BlockStructure::TriangularLower,
                -1.0,
                Par::Seq,
            );
            let start = first + width;
            matmul(
                product.as_mut(),
                Accum::Add,
                l.submatrix(row, start, height, row - start),
                above.as_ref().subrows(start, row - start),
                -1.0,
                Par::Seq,
            );
            triangular_product(
                below.subrows_mut(0, height),
                BlockStructure::Rectangular,
                Accum::Replace,
                diagonal[row / TILE].as_ref(),
                BlockStructure::TriangularLower,
                product.as_ref(),
                BlockStructure::Rectangular,
                1.0,
                Par::Seq,
            );
        }
    });
}

/// Writes the lower triangle of `LᵀL`.
pub(crate) fn lower_gram(out: MatMut<'_, f64>, l: MatRef<'_, f64>) {
    let n = l.nrows();
    for_each(lower_tiles(out, TILE), |mut tile| {
        let (row, column) = (tile.row, tile.column);
        let (height, width) = (tile.view.nrows(), tile.view.ncols());
        let next = row + height;
        let corner = l.submatrix(row, row, height, height).transpose();
        let (left, right) = (
            l.submatrix(next, row, n - next, height).transpose(),
            l.submatrix(next, column, n - next, width),
        );
        let (structure, beside) = if row == column {
            (
                BlockStructure::TriangularLower,
                BlockStructure::TriangularLower,
            )
        } else {
            (BlockStructure::Rectangular, BlockStructure::Rectangular)
        };
        triangular_product(
            tile.view.as_mut(),
            structure,
            Accum::Replace,
            corner,
            BlockStructure::TriangularUpper,
            l.submatrix(row, column, height, width),
            beside,
            1.0,
            Par::Seq,
        );
        triangular_product(
            tile.view,
            structure,
            Accum::Add,
            left,
            BlockStructure::Rectangular,
            right,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    });
}

/// Adds `factor·a·b` to `out`, or writes it there.
pub(crate) fn product(
    out: MatMut<'_, f64>,
    accumulate: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    factor: f64,
) {
    for_each(tiles(out, PRODUCT_TILE, PRODUCT_TILE), |tile| {
        let a = a.subrows(tile.row, tile.view.nrows());
        let b = b.subcols(tile.column, tile.view.ncols());
        matmul(tile.view, accumulate, a, b, factor, Par::Seq);
    });
}

/// Writes `L·b` into `out`.
pub(crate) fn lower_product(out: MatMut<'_, f64>, l: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    for_each(tiles(out, TILE, PRODUCT_TILE), |tile| {
        lower_product_tile(tile, l, b);
    });
}

fn lower_product_tile(mut tile: Tile<'_>, l: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let (row, height) = (tile.row, tile.view.nrows());
    let b = b.subcols(tile.column, tile.view.ncols());
    corner_product(
        tile.view.as_mut(),
        l.submatrix(row, row, height, height),
        BlockStructure::TriangularLower,
        b.subrows(row, height),
    );
    let left = l.submatrix(row, 0, height, row);
    matmul(
        tile.view,
        Accum::Add,
        left,
        b.subrows(0, row),
        1.0,
        Par::Seq,
    );
}

/// Writes `Lᵀ·b` into `out`.
pub(crate) fn lower_transpose_product(
    out: MatMut<'_, f64>,
    l: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
) {
    let n = l.nrows();
    for_each(tiles(out, TILE, PRODUCT_TILE), |mut tile| {
        let (row, height) = (tile.row, tile.view.nrows());
        let b = b.subcols(tile.column, tile.view.ncols());
        corner_product(
            tile.view.as_mut(),
            l.submatrix(row, row, height, height).transpose(),
            BlockStructure::TriangularUpper,
            b.subrows(row, height),
        );
        let next = row + height;
        let below = l.submatrix(next, row, n - next, height).transpose();
        let b = b.subrows(next, n - next);
        matmul(tile.view, Accum::Add, below, b, 1.0, Par::Seq);
    });
}

fn corner_product(
    out: MatMut<'_, f64>,
    corner: MatRef<'_, f64>,
    structure: BlockStructure,
    b: MatRef<'_, f64>,
) {
    triangular_product(
        out,
        BlockStructure::Rectangular,
        Accum::Replace,
        corner,
        structure,
        b,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Squared norms of the columns of `L·b`, of which never more than a tile is kept.
pub(crate) fn lower_product_square_norms(l: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Vec<f64> {
    let mut norms = vec![0.0; b.ncols()];
    let mut jobs = Vec::new();
    let mut rest = &mut norms[..];
    for column in (0..b.ncols()).step_by(PRODUCT_TILE) {
        let (sums, after) = rest.split_at_mut(PRODUCT_TILE.min(rest.len()));
        jobs.push((column, sums));
        rest = after;
    }
    for_each(jobs, |(column, sums)| {
        let mut product = Mat::zeros(TILE, sums.len());
        for row in (0..l.nrows()).step_by(TILE) {
            let height = TILE.min(l.nrows() - row);
            let mut view = product.as_mut().subrows_mut(0, height);
            let tile = Tile {
                row,
                column,
                view: view.as_mut(),
            };
            lower_product_tile(tile, l, b);
            for (sum, square) in sums.iter_mut().zip(column_square_norms(view.as_ref())) {
                *sum += square;
            }
        }
    });
    norms
}
