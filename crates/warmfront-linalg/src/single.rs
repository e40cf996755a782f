//! Kernels in single precision, for networks: products of row-major matrices and the functions of
//! rows between them.
//!
//! Matrices are slices, one row after the other, possibly a stride apart. Everything is concrete in
//! `f32` and single-threaded.

mod activation;
mod norm;
mod rows;
mod softmax;

use faer::linalg::matmul::matmul as faer_matmul;
use faer::{Accum, MatMut, MatRef, Par};

pub use activation::{
    gelu_rows_in_place, gelu_rows_with_slope, multiply_in_place, relu_rows_in_place,
    relu_slope_in_place,
};
pub use norm::{NormGradient, add_normalize_rows, normalize_rows_backward};
pub use rows::{add_column_sums, add_scaled_rows, fill_rows, row_dots, scaled_rows};
pub use softmax::{Visible, softmax_rows, softmax_rows_backward};

/// A row-major view of `rows×columns` values whose rows begin `stride` apart.
///
/// # Panics
/// If the slice is too short or the stride below the number of columns.
#[track_caller]
#[must_use]
pub fn view(values: &[f32], rows: usize, columns: usize, stride: usize) -> MatRef<'_, f32> {
    check(values.len(), rows, columns, stride);
    MatRef::from_row_major_slice_with_stride(values, rows, columns, stride)
}

/// As [`view`], to be written to.
///
/// # Panics
/// If the slice is too short or the stride below the number of columns.
#[track_caller]
#[must_use]
pub fn view_mut(values: &mut [f32], rows: usize, columns: usize, stride: usize) -> MatMut<'_, f32> {
    check(values.len(), rows, columns, stride);
    // faer's own constructor of row-major views with a stride mixes up the strides (0.24.4).
    MatMut::from_column_major_slice_with_stride_mut(values, columns, rows, stride).transpose_mut()
}

#[track_caller]
fn check(len: usize, rows: usize, columns: usize, stride: usize) {
    assert!(
        stride >= columns && (rows == 0 || (rows - 1) * stride + columns <= len),
        "{rows} rows of {columns}, {stride} apart, in {len} values"
    );
}

/// Writes `a·b` into `out`.
///
/// # Panics
/// If a shape does not fit.
///
/// ```
/// use warmfront_linalg::single::{product, view, view_mut};
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0], [1.0, -1.0]);
/// let mut out = [0.0; 2];
/// product(view_mut(&mut out, 2, 1, 1), view(&a, 2, 2, 2), view(&b, 2, 1, 1));
/// assert_eq!(out, [-1.0, -1.0]);
/// ```
#[track_caller]
pub fn product(out: MatMut<'_, f32>, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    multiply(out, Accum::Replace, a, b);
}

/// Adds `a·b` to `out`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn add_product(out: MatMut<'_, f32>, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    multiply(out, Accum::Add, a, b);
}

#[track_caller]
fn multiply(out: MatMut<'_, f32>, accumulate: Accum, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    assert!(
        a.ncols() == b.nrows() && out.nrows() == a.nrows() && out.ncols() == b.ncols(),
        "product of {}×{} and {}×{} into {}×{}",
        a.nrows(),
        a.ncols(),
        b.nrows(),
        b.ncols(),
        out.nrows(),
        out.ncols()
    );
    faer_matmul(out, accumulate, a, b, 1.0, Par::Seq);
}

#[cfg(test)]
mod tests;
