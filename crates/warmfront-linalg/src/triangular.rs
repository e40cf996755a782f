//! Solves and products with lower triangular matrices. Upper triangles are never read.

use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_product};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::elementwise::{axpy, axpy_pair, dot};
use crate::matmul::column_square_norms;
use crate::parallel::{self, LARGE};
use crate::tiled;

#[track_caller]
fn check(l: MatRef<'_, f64>, rows: usize) {
    assert!(
        l.nrows() == l.ncols() && l.nrows() == rows,
        "triangular factor is {}×{}, right-hand side has {} rows",
        l.nrows(),
        l.ncols(),
        rows
    );
}

/// Column `j` of `l` from the diagonal down.
#[track_caller]
fn column(l: MatRef<'_, f64>, j: usize) -> &[f64] {
    let contiguous = l.col(j).try_as_col_major();
    &contiguous.expect("checked by column_major").as_slice()[j..]
}

fn column_major(l: MatRef<'_, f64>) -> bool {
    l.row_stride() == 1
}

/// Replaces `b` (`n×p`) by `L⁻¹·b`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn solve_lower_in_place(l: MatRef<'_, f64>, b: MatMut<'_, f64>) {
    check(l, b.nrows());
    for_column_blocks(l.nrows(), b, |block| {
        solve_lower_triangular_in_place(l, block, Par::Seq);
    });
}

/// Replaces `b` (`n×p`) by `L⁻ᵀ·b`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn solve_lower_transpose_in_place(l: MatRef<'_, f64>, b: MatMut<'_, f64>) {
    check(l, b.nrows());
    for_column_blocks(l.nrows(), b, |block| {
        solve_upper_triangular_in_place(l.transpose(), block, Par::Seq);
    });
}

/// Runs `solve` on blocks of right-hand sides, in parallel if there are many.
fn for_column_blocks(n: usize, b: MatMut<'_, f64>, solve: impl Fn(MatMut<'_, f64>) + Sync + Send) {
    if n >= LARGE && tiled::worth_tiles(n, n, b.ncols()) {
        // Few wide blocks where there are many columns: each reads the whole factor.
        let width = b.ncols().div_ceil(8).max(tiled::PRODUCT_TILE);
        parallel::for_each(parallel::column_blocks(b, width), solve);
    } else {
        solve(b);
    }
}

/// Replaces the vector `b` by `L⁻¹·b`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn solve_lower_slice_in_place(l: MatRef<'_, f64>, b: &mut [f64]) {
    check(l, b.len());
    if !column_major(l) {
        let n = b.len();
        return solve_lower_in_place(l, MatMut::from_column_major_slice_mut(b, n, 1));
    }
    for j in 0..b.len() {
        let lj = column(l, j);
        let x = b[j] / lj[0];
        b[j] = x;
        axpy(-x, &lj[1..], &mut b[j + 1..]);
    }
}

/// Replaces both vectors by `L⁻¹` times them, reading `L` once.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub(crate) fn solve_lower_slices_in_place(l: MatRef<'_, f64>, a: &mut [f64], b: &mut [f64]) {
    check(l, a.len());
    check(l, b.len());
    if !column_major(l) {
        solve_lower_slice_in_place(l, a);
        return solve_lower_slice_in_place(l, b);
    }
    for j in 0..b.len() {
        let lj = column(l, j);
        let (x, y) = (a[j] / lj[0], b[j] / lj[0]);
        (a[j], b[j]) = (x, y);
        axpy_pair([-x, -y], &lj[1..], &mut a[j + 1..], &mut b[j + 1..]);
    }
}

/// Replaces the vector `b` by `L⁻ᵀ·b`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn solve_lower_transpose_slice_in_place(l: MatRef<'_, f64>, b: &mut [f64]) {
    check(l, b.len());
    if !column_major(l) {
        let n = b.len();
        return solve_lower_transpose_in_place(l, MatMut::from_column_major_slice_mut(b, n, 1));
    }
    for j in (0..b.len()).rev() {
        let lj = column(l, j);
        b[j] = (b[j] - dot(&lj[1..], &b[j + 1..])) / lj[0];
    }
}

/// The inverse of a lower triangular matrix, with zeros above the diagonal.
///
/// # Panics
/// If `l` is not square.
#[track_caller]
pub fn invert_lower(l: MatRef<'_, f64>) -> Mat<f64> {
    check(l, l.nrows());
    let mut out = Mat::zeros(l.nrows(), l.nrows());
    if l.nrows() < LARGE {
        invert_lower_triangular(out.as_mut(), l, Par::Seq);
    } else {
        tiled::invert_lower(out.as_mut(), l);
    }
    out
}

/// Writes `L·b` into `out` (`L` is `n×n`, `b` and `out` are `n×p`).
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn lower_matmul(out: MatMut<'_, f64>, l: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    check(l, b.nrows());
    triangular_times(out, l, BlockStructure::TriangularLower, b);
}

/// The squared norms of the columns of `L·b` (`L` is `n×n`, `b` is `n×p`), length `p`.
///
/// For large matrices the product is not kept.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn lower_matmul_square_norms(l: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Vec<f64> {
    check(l, b.nrows());
    if l.nrows() >= LARGE {
        return tiled::lower_product_square_norms(l, b);
    }
    let mut product = Mat::zeros(b.nrows(), b.ncols());
    lower_matmul(product.as_mut(), l, b);
    column_square_norms(product.as_ref())
}

/// Writes `Lᵀ·b` into `out` (`L` is `n×n`, `b` and `out` are `n×p`).
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn lower_transpose_matmul(out: MatMut<'_, f64>, l: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    check(l, b.nrows());
    triangular_times(out, l.transpose(), BlockStructure::TriangularUpper, b);
}

#[track_caller]
fn triangular_times(
    out: MatMut<'_, f64>,
    t: MatRef<'_, f64>,
    structure: BlockStructure,
    b: MatRef<'_, f64>,
) {
    assert!(
        out.nrows() == b.nrows() && out.ncols() == b.ncols(),
        "product is {}×{}, room for {}×{}",
        b.nrows(),
        b.ncols(),
        out.nrows(),
        out.ncols()
    );
    let (n, p) = (t.nrows(), b.ncols());
    if n >= LARGE && tiled::worth_tiles(n, n, p) {
        return match structure {
            BlockStructure::TriangularLower => tiled::lower_product(out, t, b),
            _ => tiled::lower_transpose_product(out, t.transpose(), b),
        };
    }
    triangular_product(
        out,
        BlockStructure::Rectangular,
        Accum::Replace,
        t,
        structure,
        b,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Writes `L·x` into `out`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn lower_matvec(l: MatRef<'_, f64>, x: &[f64], out: &mut [f64]) {
    check(l, x.len());
    check(l, out.len());
    if !column_major(l) {
        let n = x.len();
        return lower_matmul(
            MatMut::from_column_major_slice_mut(out, n, 1),
            l,
            MatRef::from_column_major_slice(x, n, 1),
        );
    }
    out.fill(0.0);
    for (j, &factor) in x.iter().enumerate() {
        axpy(factor, column(l, j), &mut out[j..]);
    }
}

/// Writes `Lᵀ·x` into `out`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn lower_transpose_matvec(l: MatRef<'_, f64>, x: &[f64], out: &mut [f64]) {
    check(l, x.len());
    check(l, out.len());
    if !column_major(l) {
        let n = x.len();
        return lower_transpose_matmul(
            MatMut::from_column_major_slice_mut(out, n, 1),
            l,
            MatRef::from_column_major_slice(x, n, 1),
        );
    }
    for (j, o) in out.iter_mut().enumerate() {
        *o = dot(column(l, j), &x[j..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::matmul;

    fn lower(n: usize) -> Mat<f64> {
        Mat::from_fn(n, n, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => f64::NAN,
            std::cmp::Ordering::Equal => 2.0 + (i % 3) as f64,
            std::cmp::Ordering::Greater => 0.3 * ((i * 3 + j) as f64).sin(),
        })
    }

    fn close(a: &Mat<f64>, b: &Mat<f64>) {
        for i in 0..a.nrows() {
            for j in 0..a.ncols() {
                let scale = b[(i, j)].abs().max(1.0);
                assert!((a[(i, j)] - b[(i, j)]).abs() < 1e-10 * scale, "{i},{j}");
            }
        }
    }

    #[test]
    fn solves_undo_products_and_ignore_the_upper_triangle() {
        for n in [0, 1, 2, 16, 63, 64, 65] {
            for strided in [false, true] {
                let stored = if strided {
                    lower(n).transpose().to_owned()
                } else {
                    lower(n)
                };
                let l = if strided {
                    stored.transpose()
                } else {
                    stored.as_ref()
                };
                let b = Mat::from_fn(n, 3, |i, j| (i as f64 + 2.0 * j as f64).cos());
                let mut product = Mat::zeros(n, 3);
                lower_matmul(product.as_mut(), l, b.as_ref());
                let mut slice = vec![0.0; n];
                let x: Vec<f64> = b.col(1).iter().copied().collect();
                lower_matvec(l, &x, &mut slice);
                for i in 0..n {
                    assert!((slice[i] - product[(i, 1)]).abs() < 1e-12);
                }
                solve_lower_slice_in_place(l, &mut slice);
                solve_lower_in_place(l, product.as_mut());
                close(&product, &b);
                for i in 0..n {
                    assert!((slice[i] - x[i]).abs() < 1e-10);
                }
                lower_transpose_matmul(product.as_mut(), l, b.as_ref());
                lower_transpose_matvec(l, &x, &mut slice);
                for i in 0..n {
                    assert!((slice[i] - product[(i, 1)]).abs() < 1e-12);
                }
                solve_lower_transpose_slice_in_place(l, &mut slice);
                solve_lower_transpose_in_place(l, product.as_mut());
                close(&product, &b);
                for i in 0..n {
                    assert!((slice[i] - x[i]).abs() < 1e-10);
                }
                let inverse = invert_lower(l);
                lower_matmul(
                    product.as_mut(),
                    l,
                    matmul(inverse.as_ref(), b.as_ref()).as_ref(),
                );
                close(&product, &b);
            }
        }
    }
}
