//! Matrix products of `f64` matrices.

use faer::linalg::matmul::matmul as faer_matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::elementwise::{axpy, dot};
use crate::tiled;

/// The product `a·b` (`n×k` times `k×p`).
///
/// # Panics
/// If the inner dimensions differ.
///
/// ```
/// use warmfront_linalg::{Mat, matmul};
/// let a = Mat::from_fn(2, 2, |i, j| (i + j) as f64);
/// assert_eq!(matmul(a.as_ref(), a.as_ref())[(1, 1)], 5.0);
/// ```
#[track_caller]
pub fn matmul(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul_into(out.as_mut(), a, b);
    out
}

/// Writes the product `a·b` into `out`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn matmul_into(out: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    product(out, Accum::Replace, a, b, 1.0);
}

/// Adds `factor·a·b` to `out`.
///
/// # Panics
/// If a shape does not fit.
#[track_caller]
pub fn add_matmul_into(out: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, factor: f64) {
    product(out, Accum::Add, a, b, factor);
}

#[track_caller]
fn product(
    out: MatMut<'_, f64>,
    accumulate: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    factor: f64,
) {
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
    if tiled::worth_tiles(a.nrows(), b.ncols(), a.ncols()) {
        tiled::product(out, accumulate, a, b, factor);
    } else {
        faer_matmul(out, accumulate, a, b, factor, Par::Seq);
    }
}

/// The Gram matrix `aᵀ·a` of the columns of `a` (`n×k`), `k×k`.
pub fn gram(a: MatRef<'_, f64>) -> Mat<f64> {
    matmul(a.transpose(), a)
}

/// Writes `a·x` into `out` (`a` is `n×k`, `x` has length `k`, `out` length `n`).
///
/// # Panics
/// If a length does not fit.
#[track_caller]
pub fn matvec(a: MatRef<'_, f64>, x: &[f64], out: &mut [f64]) {
    assert!(
        a.ncols() == x.len() && a.nrows() == out.len(),
        "{}×{} matrix times a vector of {} into {}",
        a.nrows(),
        a.ncols(),
        x.len(),
        out.len()
    );
    out.fill(0.0);
    for (j, &factor) in x.iter().enumerate() {
        add_column(a, j, factor, out);
    }
}

/// Writes `aᵀ·x` into `out` (`a` is `n×k`, `x` has length `n`, `out` length `k`).
///
/// # Panics
/// If a length does not fit.
#[track_caller]
pub fn matvec_transpose(a: MatRef<'_, f64>, x: &[f64], out: &mut [f64]) {
    assert!(
        a.nrows() == x.len() && a.ncols() == out.len(),
        "transposed {}×{} matrix times a vector of {} into {}",
        a.nrows(),
        a.ncols(),
        x.len(),
        out.len()
    );
    for (j, o) in out.iter_mut().enumerate() {
        *o = match a.col(j).try_as_col_major() {
            Some(column) => dot(column.as_slice(), x),
            None => a.col(j).iter().zip(x).map(|(u, v)| u * v).sum(),
        };
    }
}

fn add_column(a: MatRef<'_, f64>, j: usize, factor: f64, out: &mut [f64]) {
    match a.col(j).try_as_col_major() {
        Some(column) => axpy(factor, column.as_slice(), out),
        None => {
            for (o, &v) in out.iter_mut().zip(a.col(j).iter()) {
                *o += factor * v;
            }
        }
    }
}

/// The squared Euclidean norm of every column.
pub fn column_square_norms(a: MatRef<'_, f64>) -> Vec<f64> {
    (0..a.ncols())
        .map(|j| match a.col(j).try_as_col_major() {
            Some(column) => dot(column.as_slice(), column.as_slice()),
            None => a.col(j).iter().map(|v| v * v).sum(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_the_definition() {
        for (n, k, p) in [(0, 2, 2), (2, 0, 3), (1, 1, 1), (63, 65, 2), (5, 7, 64)] {
            let a = Mat::from_fn(n, k, |i, j| (i as f64 - 0.3 * j as f64).sin());
            let b = Mat::from_fn(k, p, |i, j| (0.2 * i as f64 + j as f64).cos());
            let expected =
                |i: usize, j: usize| -> f64 { (0..k).map(|l| a[(i, l)] * b[(l, j)]).sum() };
            let c = matmul(a.as_ref(), b.as_ref());
            let mut twice = c.clone();
            add_matmul_into(twice.as_mut(), a.as_ref(), b.as_ref(), 2.0);
            for i in 0..n {
                for j in 0..p {
                    assert!((c[(i, j)] - expected(i, j)).abs() < 1e-12);
                    assert!((twice[(i, j)] - 3.0 * expected(i, j)).abs() < 1e-12);
                }
            }
            let x: Vec<f64> = (0..k).map(|i| i as f64).collect();
            let mut out = vec![0.0; n];
            matvec(a.as_ref(), &x, &mut out);
            for i in 0..n {
                let e: f64 = (0..k).map(|l| a[(i, l)] * x[l]).sum();
                assert!((out[i] - e).abs() < 1e-10);
            }
            let mut back = vec![0.0; n];
            let transposed = a.transpose().to_owned();
            matvec_transpose(transposed.as_ref(), &x, &mut back);
            let mut strided = vec![0.0; n];
            matvec_transpose(a.transpose(), &x, &mut strided);
            let norms = column_square_norms(transposed.as_ref());
            for i in 0..n {
                assert!((out[i] - back[i]).abs() < 1e-10 && (out[i] - strided[i]).abs() < 1e-10);
                let e: f64 = (0..k).map(|l| a[(i, l)].powi(2)).sum();
                assert!((norms[i] - e).abs() < 1e-10);
            }
        }
    }
}
