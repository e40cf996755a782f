//! Cholesky factors of symmetric positive (semi-)definite matrices, with recorded jitter.

use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_product};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::LinalgError;
use crate::elementwise::fill_upper;
use crate::matmul::add_matmul_into;
use crate::parallel::{LARGE, fill_columns};
use crate::tiled;
use crate::triangular::{
    invert_lower, solve_lower_in_place, solve_lower_slice_in_place, solve_lower_slices_in_place,
    solve_lower_transpose_in_place, solve_lower_transpose_slice_in_place,
};

/// How much to add to a diagonal when a factorisation fails.
///
/// The first attempt adds nothing. Attempt `k ≥ 1` adds `first·growth^(k−1)` times the mean
/// of the diagonal, so the policy does not depend on the units of the matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JitterPolicy {
    /// Jitter of the first repeated attempt, relative to the mean diagonal.
    pub first: f64,
    /// Factor between attempts, above 1.
    pub growth: f64,
    /// Number of repeated attempts.
    pub attempts: u32,
}

impl JitterPolicy {
    /// No jitter at all: an indefinite matrix is an error.
    pub const NONE: Self = Self {
        first: 0.0,
        growth: 1.0,
        attempts: 0,
    };
}

impl Default for JitterPolicy {
    /// 1e-10, 1e-9, … 1e-4 of the mean diagonal.
    fn default() -> Self {
        Self {
            first: 1e-10,
            growth: 10.0,
            attempts: 7,
        }
    }
}

/// The factor `L` of `A + jitter·I = L·Lᵀ`, and the jitter that was needed.
///
/// ```
/// use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat};
/// // Rank one: singular, so jitter is needed, and reported.
/// let a = Mat::from_fn(3, 3, |_, _| 2.0);
/// let factor = JitteredCholesky::factorize(a.as_ref(), JitterPolicy::default())?;
/// assert!(factor.jitter() > 0.0 && factor.jitter() <= 2e-4);
/// # Ok::<(), warmfront_linalg::LinalgError>(())
/// ```
#[derive(Debug, Clone)]
pub struct JitteredCholesky {
    factor: Mat<f64>,
    jitter: f64,
}

impl JitteredCholesky {
    /// Factorises a symmetric matrix (`n×n`, only its lower triangle is read).
    ///
    /// # Errors
    /// If the matrix is not finite, or still indefinite after the last attempt of `policy`.
    ///
    /// # Panics
    /// If the matrix is not square.
    #[track_caller]
    pub fn factorize(a: MatRef<'_, f64>, policy: JitterPolicy) -> Result<Self, LinalgError> {
        let mut this = Self {
            factor: Mat::zeros(a.nrows(), a.nrows()),
            jitter: 0.0,
        };
        this.refactorize(a, policy)?;
        Ok(this)
    }

    /// Like [`factorize`](Self::factorize), reusing the storage of this factor.
    ///
    /// # Errors
    /// As [`factorize`](Self::factorize); the factor is then unusable until refactorised.
    ///
    /// # Panics
    /// If the matrix is not square.
    #[track_caller]
    pub fn refactorize(
        &mut self,
        a: MatRef<'_, f64>,
        policy: JitterPolicy,
    ) -> Result<(), LinalgError> {
        let n = a.nrows();
        assert!(
            n == a.ncols(),
            "expected a square matrix, got {}×{}",
            n,
            a.ncols()
        );
        if self.factor.nrows() != n {
            self.factor = Mat::zeros(n, n);
        }
        let mut pivot = 0;
        let mut jitter = 0.0;
        for attempt in 0..=policy.attempts {
            jitter = if attempt == 0 {
                0.0
            } else {
                policy.first * policy.growth.powi(attempt as i32 - 1) * mean_diagonal(a)
            };
            copy_lower(a, self.factor.as_mut());
            if jitter > 0.0 {
                for i in 0..n {
                    self.factor[(i, i)] += jitter;
                }
            }
            match tiled::cholesky(self.factor.as_mut()) {
                // A NaN passes every comparison with a pivot, so the result is checked as well.
                Ok(_) if (0..n).all(|i| self.factor[(i, i)].is_finite()) => {
                    self.jitter = jitter;
                    return Ok(());
                }
                Ok(_) => {
                    pivot = (0..n)
                        .find(|&i| !self.factor[(i, i)].is_finite())
                        .unwrap_or(0);
                }
                Err(index) => pivot = index,
            }
            if attempt == 0 {
                check_finite(a)?;
            }
        }
        Err(LinalgError::NotPositiveDefinite {
            size: n,
            index: pivot,
            jitter,
        })
    }

    /// Wraps a lower factor computed elsewhere (`n×n`, positive diagonal; its upper triangle is ignored).
    ///
    /// # Panics
    /// If the matrix is not square or its diagonal not positive.
    #[track_caller]
    pub fn from_lower(factor: Mat<f64>, jitter: f64) -> Self {
        assert!(
            factor.nrows() == factor.ncols(),
            "expected a square factor, got {}×{}",
            factor.nrows(),
            factor.ncols()
        );
        for i in 0..factor.nrows() {
            assert!(
                factor[(i, i)] > 0.0,
                "pivot {i} is {}, expected a positive number",
                factor[(i, i)]
            );
        }
        Self { factor, jitter }
    }

    /// The lower factor `L` (`n×n`). What stands above the diagonal is unspecified.
    pub fn factor(&self) -> MatRef<'_, f64> {
        self.factor.as_ref()
    }

    /// What was added to the diagonal before the factorisation succeeded; usually 0.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Rows of the matrix.
    pub fn dim(&self) -> usize {
        self.factor.nrows()
    }

    /// `log det(A + jitter·I)`.
    pub fn log_det(&self) -> f64 {
        2.0 * (0..self.dim())
            .map(|i| self.factor[(i, i)].ln())
            .sum::<f64>()
    }

    /// Replaces `b` (`n×p`) by `A⁻¹·b`.
    ///
    /// # Panics
    /// If `b` has another number of rows.
    #[track_caller]
    pub fn solve_in_place(&self, mut b: MatMut<'_, f64>) {
        solve_lower_in_place(self.factor(), b.as_mut());
        solve_lower_transpose_in_place(self.factor(), b);
    }

    /// Replaces `b` (`n×p`) by `L⁻¹·b`.
    ///
    /// # Panics
    /// If `b` has another number of rows.
    #[track_caller]
    pub fn solve_lower_in_place(&self, b: MatMut<'_, f64>) {
        solve_lower_in_place(self.factor(), b);
    }

    /// Replaces `b` (`n×p`) by `L⁻ᵀ·b`.
    ///
    /// # Panics
    /// If `b` has another number of rows.
    #[track_caller]
    pub fn solve_upper_in_place(&self, b: MatMut<'_, f64>) {
        solve_lower_transpose_in_place(self.factor(), b);
    }

    /// Replaces the vector `b` by `A⁻¹·b`.
    ///
    /// # Panics
    /// If `b` has another length.
    #[track_caller]
    pub fn solve_slice_in_place(&self, b: &mut [f64]) {
        solve_lower_slice_in_place(self.factor(), b);
        solve_lower_transpose_slice_in_place(self.factor(), b);
    }

    /// Replaces both vectors by `L⁻¹` times them, reading the factor once.
    ///
    /// # Panics
    /// If a vector has another length.
    #[track_caller]
    pub fn solve_lower_slices_in_place(&self, a: &mut [f64], b: &mut [f64]) {
        solve_lower_slices_in_place(self.factor(), a, b);
    }

    /// Replaces the vector `b` by `L⁻ᵀ·b`.
    ///
    /// # Panics
    /// If `b` has another length.
    #[track_caller]
    pub fn solve_upper_slice_in_place(&self, b: &mut [f64]) {
        solve_lower_transpose_slice_in_place(self.factor(), b);
    }

    /// The inverse of the factor, `L⁻¹` (`n×n`, zeros above the diagonal).
    ///
    /// Many solves with few right-hand sides each are faster as products with it.
    pub fn inverse_factor(&self) -> Mat<f64> {
        invert_lower(self.factor())
    }

    /// The inverse `A⁻¹`, symmetric, in n³ operations after the factorisation.
    pub fn inverse(&self) -> Mat<f64> {
        let n = self.dim();
        let mut out = Mat::zeros(n, n);
        let mut scratch = Mat::zeros(n, n);
        self.inverse_lower_into(out.as_mut(), &mut scratch);
        fill_upper(out.as_mut());
        out
    }

    /// Writes the lower triangle of the inverse into `out` and `L⁻¹` into the lower triangle of `inverse_factor`.
    ///
    /// Upper triangles are left as they are. For callers that evaluate in a loop.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn inverse_lower_into(&self, out: MatMut<'_, f64>, inverse_factor: &mut Mat<f64>) {
        let n = self.dim();
        assert!(
            out.nrows() == n
                && out.ncols() == n
                && inverse_factor.nrows() == n
                && inverse_factor.ncols() == n,
            "inverse of {n}×{n} into {}×{} with scratch {}×{}",
            out.nrows(),
            out.ncols(),
            inverse_factor.nrows(),
            inverse_factor.ncols()
        );
        if n >= LARGE {
            tiled::invert_lower(inverse_factor.as_mut(), self.factor());
            tiled::lower_gram(out, inverse_factor.as_ref());
            return;
        }
        invert_lower_triangular(inverse_factor.as_mut(), self.factor(), Par::Seq);
        triangular_product(
            out,
            BlockStructure::TriangularLower,
            Accum::Replace,
            inverse_factor.transpose(),
            BlockStructure::TriangularUpper,
            inverse_factor.as_ref(),
            BlockStructure::TriangularLower,
            1.0,
            Par::Seq,
        );
    }

    /// The factor of the matrix grown by `p` rows, in O(n²p) operations.
    ///
    /// `cross` (`p×n`) are the new rows against the old ones, `corner` (`p×p`) the new rows
    /// among themselves. The jitter of this factor is added to the corner as well; if that
    /// is not enough the whole matrix is factorised again with more.
    ///
    /// # Errors
    /// If `cross` or `corner` is not finite, or the grown matrix is indefinite even after the last
    /// attempt of `policy`.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn append_rows(
        &self,
        cross: MatRef<'_, f64>,
        corner: MatRef<'_, f64>,
        policy: JitterPolicy,
    ) -> Result<Self, LinalgError> {
        let (n, p) = (self.dim(), corner.nrows());
        assert!(
            corner.ncols() == p && cross.nrows() == p && cross.ncols() == n,
            "appending rows {}×{} with corner {}×{} to a factor of size {n}",
            cross.nrows(),
            cross.ncols(),
            corner.nrows(),
            corner.ncols()
        );
        let mut solved = cross.transpose().to_owned();
        solve_lower_in_place(self.factor(), solved.as_mut());
        let mut schur = corner.to_owned();
        for i in 0..p {
            schur[(i, i)] += self.jitter;
        }
        add_matmul_into(schur.as_mut(), solved.transpose(), solved.as_ref(), -1.0);
        if let Ok(tail) = Self::factorize(schur.as_ref(), JitterPolicy::NONE) {
            let mut factor = Mat::zeros(n + p, n + p);
            factor
                .as_mut()
                .submatrix_mut(0, 0, n, n)
                .copy_from_triangular_lower(self.factor());
            factor
                .as_mut()
                .submatrix_mut(n, 0, p, n)
                .copy_from(solved.transpose());
            factor
                .as_mut()
                .submatrix_mut(n, n, p, p)
                .copy_from_triangular_lower(tail.factor());
            return Ok(Self {
                factor,
                jitter: self.jitter,
            });
        }
        let mut whole = Mat::zeros(n + p, n + p);
        let own = self.reconstruct();
        whole.as_mut().submatrix_mut(0, 0, n, n).copy_from(&own);
        for i in 0..n {
            whole[(i, i)] -= self.jitter;
        }
        whole.as_mut().submatrix_mut(n, 0, p, n).copy_from(cross);
        whole.as_mut().submatrix_mut(n, n, p, p).copy_from(corner);
        Self::factorize(whole.as_ref(), policy)
    }

    /// `L·Lᵀ`: the matrix this is the factor of, jitter included.
    pub fn reconstruct(&self) -> Mat<f64> {
        let n = self.dim();
        let mut out = Mat::zeros(n, n);
        triangular_product(
            out.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            self.factor(),
            BlockStructure::TriangularLower,
            self.factor().transpose(),
            BlockStructure::TriangularUpper,
            1.0,
            Par::Seq,
        );
        fill_upper(out.as_mut());
        out
    }
}

fn copy_lower(a: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
    if a.nrows() < LARGE || a.row_stride() != 1 {
        out.copy_from_triangular_lower(a);
        return;
    }
    fill_columns(
        [out],
        || (),
        |(), j, [column]| {
            let from = a.col(j).try_as_col_major();
            let from = from.expect("checked above").as_slice();
            column[j..].copy_from_slice(&from[j..]);
        },
    );
}

fn mean_diagonal(a: MatRef<'_, f64>) -> f64 {
    let n = a.nrows();
    let mean = (0..n).map(|i| a[(i, i)].abs() / n as f64).sum::<f64>();
    // A zero matrix still has to become positive.
    if mean > 0.0 { mean } else { 1.0 }
}

fn check_finite(a: MatRef<'_, f64>) -> Result<(), LinalgError> {
    let n = a.nrows();
    for column in 0..n {
        for row in column..n {
            if !a[(row, column)].is_finite() {
                return Err(LinalgError::NotFinite {
                    size: n,
                    row,
                    column,
                    value: a[(row, column)],
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "cholesky/tests.rs"]
mod tests;
