//! Matrix expressions of this module in terms of the kernels of the linear-algebra crate.
//!
//! One column is by far the most common width of a query, so it takes the matrix-vector path.

use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatRef, axpy, invert_lower, lower_matmul, lower_matvec,
    lower_transpose_matmul, lower_transpose_matvec, matmul, matvec, matvec_transpose,
};

pub(super) use warmfront_linalg::dot;

use crate::GpError;

pub(super) fn factorize(a: &Mat<f64>, policy: JitterPolicy) -> Result<JitteredCholesky, GpError> {
    Ok(JitteredCholesky::factorize(a.as_ref(), policy)?)
}

/// `factor · L⁻¹`.
pub(super) fn invert_lower_scaled(l: MatRef<'_, f64>, factor: f64) -> Mat<f64> {
    let mut out = invert_lower(l);
    for j in 0..out.ncols() {
        for value in out.col_as_slice_mut(j) {
            *value *= factor;
        }
    }
    out
}

/// `L b`.
pub(super) fn lower_times(l: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(l.nrows(), b.ncols());
    if l.nrows() == 0 || b.ncols() == 0 {
        return out;
    }
    if b.ncols() == 1 {
        lower_matvec(l.as_ref(), b.col_as_slice(0), out.col_as_slice_mut(0));
    } else {
        lower_matmul(out.as_mut(), l.as_ref(), b.as_ref());
    }
    out
}

/// `Lᵀ b`.
pub(super) fn lower_transpose_times(l: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(l.nrows(), b.ncols());
    if l.nrows() == 0 || b.ncols() == 0 {
        return out;
    }
    if b.ncols() == 1 {
        lower_transpose_matvec(l.as_ref(), b.col_as_slice(0), out.col_as_slice_mut(0));
    } else {
        lower_transpose_matmul(out.as_mut(), l.as_ref(), b.as_ref());
    }
    out
}

/// `a b`.
pub(super) fn times(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    if b.ncols() == 1 {
        let mut out = Mat::zeros(a.nrows(), 1);
        matvec(a.as_ref(), b.col_as_slice(0), out.col_as_slice_mut(0));
        return out;
    }
    matmul(a.as_ref(), b.as_ref())
}

/// `aᵀ b`.
pub(super) fn transpose_times(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    if b.ncols() == 1 {
        let mut out = Mat::zeros(a.ncols(), 1);
        matvec_transpose(a.as_ref(), b.col_as_slice(0), out.col_as_slice_mut(0));
        return out;
    }
    matmul(a.as_ref().transpose(), b.as_ref())
}

/// `Σ a∘b`.
pub(super) fn inner(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (0..a.ncols())
        .map(|j| dot(a.col_as_slice(j), b.col_as_slice(j)))
        .sum()
}

/// `out += factor · a`.
pub(super) fn add_scaled(factor: f64, a: &Mat<f64>, out: &mut Mat<f64>) {
    for j in 0..a.ncols() {
        axpy(factor, a.col_as_slice(j), out.col_as_slice_mut(j));
    }
}

/// `out −= a`.
pub(super) fn subtract(a: &Mat<f64>, out: &mut Mat<f64>) {
    add_scaled(-1.0, a, out);
}

/// `out = factor · a + out_factor · out`.
pub(super) fn linear(factor: f64, a: &Mat<f64>, out_factor: f64, out: &mut Mat<f64>) {
    for j in 0..a.ncols() {
        for (value, a) in out.col_as_slice_mut(j).iter_mut().zip(a.col_as_slice(j)) {
            *value = factor * a + out_factor * *value;
        }
    }
}

/// `a + aᵀ`.
pub(super) fn plus_transpose(a: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] + a[(j, i)])
}
