//! Sums and products of rows.

use super::activation::whole_rows;
use super::norm::dot;
use crate::simd::{self, Loop, fma_single as fma};

/// Independent partial sums.
pub(super) const LANES: usize = 16;

/// Sets every row of `x` to `row`.
///
/// # Panics
/// If `x` is not made of rows of that length.
#[track_caller]
pub fn fill_rows(x: &mut [f32], row: &[f32]) {
    whole_rows(x.len(), row.len());
    for to in x.chunks_exact_mut(row.len()) {
        to.copy_from_slice(row);
    }
}

struct ColumnSums<'a>(&'a [f32], &'a mut [f32]);

impl Loop for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for row in self.0.chunks_exact(self.1.len()) {
            for (s, x) in self.1.iter_mut().zip(row) {
                *s += x;
            }
        }
    }
}

/// Adds the sum of all rows of `x` to `sums`.
///
/// # Panics
/// If `x` is not made of rows of that length.
#[track_caller]
pub fn add_column_sums(x: &[f32], sums: &mut [f32]) {
    whole_rows(x.len(), sums.len());
    simd::run(ColumnSums(x, sums));
}

struct RowDots<'a> {
    rows: usize,
    columns: usize,
    a: &'a [f32],
    a_stride: usize,
    b: &'a [f32],
    b_stride: usize,
    out: &'a mut [f32],
    out_stride: usize,
}

impl Loop for RowDots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for r in 0..self.rows {
            let a = &self.a[r * self.a_stride..][..self.columns];
            let b = &self.b[r * self.b_stride..][..self.columns];
            self.out[r * self.out_stride] = dot::<FMA>(a, b);
        }
    }
}

/// Inner products of the rows of `a` with those of `b`, written `out_stride` apart.
///
/// # Panics
/// If a row does not fit.
#[track_caller]
pub fn row_dots(
    rows: usize,
    columns: usize,
    a: &[f32],
    a_stride: usize,
    b: &[f32],
    b_stride: usize,
    out: &mut [f32],
    out_stride: usize,
) {
    simd::run(RowDots {
        rows,
        columns,
        a,
        a_stride,
        b,
        b_stride,
        out,
        out_stride,
    });
}

struct ScaledRows<'a> {
    add: bool,
    rows: usize,
    columns: usize,
    factors: &'a [f32],
    factor_stride: usize,
    x: &'a [f32],
    x_stride: usize,
    out: &'a mut [f32],
    out_stride: usize,
}

impl Loop for ScaledRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for r in 0..self.rows {
            let factor = self.factors[r * self.factor_stride];
            let x = &self.x[r * self.x_stride..][..self.columns];
            let out = &mut self.out[r * self.out_stride..][..self.columns];
            if self.add {
                for (o, x) in out.iter_mut().zip(x) {
                    *o = fma::<FMA>(factor, *x, *o);
                }
            } else {
                for (o, x) in out.iter_mut().zip(x) {
                    *o = factor * x;
                }
            }
        }
    }
}

/// Writes every row of `x`, times its factor, to `out`.
///
/// # Panics
/// If a row does not fit.
#[track_caller]
pub fn scaled_rows(
    rows: usize,
    columns: usize,
    factors: &[f32],
    factor_stride: usize,
    x: &[f32],
    x_stride: usize,
    out: &mut [f32],
    out_stride: usize,
) {
    simd::run(ScaledRows {
        add: false,
        rows,
        columns,
        factors,
        factor_stride,
        x,
        x_stride,
        out,
        out_stride,
    });
}

/// Adds every row of `x`, times its factor, to `out`.
///
/// # Panics
/// If a row does not fit.
#[track_caller]
pub fn add_scaled_rows(
    rows: usize,
    columns: usize,
    factors: &[f32],
    factor_stride: usize,
    x: &[f32],
    x_stride: usize,
    out: &mut [f32],
    out_stride: usize,
) {
    simd::run(ScaledRows {
        add: true,
        rows,
        columns,
        factors,
        factor_stride,
        x,
        x_stride,
        out,
        out_stride,
    });
}
