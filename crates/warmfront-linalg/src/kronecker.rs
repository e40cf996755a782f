//! Solves with Kronecker products `B ⊗ K` without forming them.
//!
//! Stacking is objective-major: entry `o·n + i` of a stacked vector is output `o` at point
//! `i`, which is exactly the column-major storage of an `n×m` matrix. So
//! `(B ⊗ K)·vec(Y) = vec(K·Y·Bᵀ)`.

use faer::{Mat, MatRef};

use crate::LinalgError;
use crate::cholesky::{JitterPolicy, JitteredCholesky};
use crate::eigen::{SymmetricEigen, symmetric_eigen};
use crate::matmul::matmul;

/// Factors of `B ⊗ K` for a noise-free (or separable-noise) system.
#[derive(Debug, Clone)]
pub struct KroneckerCholesky {
    outputs: JitteredCholesky,
    points: JitteredCholesky,
}

impl KroneckerCholesky {
    /// Factorises `B` (`m×m`) and `K` (`n×n`).
    ///
    /// # Errors
    /// If either is indefinite beyond `policy`.
    ///
    /// # Panics
    /// If either is not square.
    #[track_caller]
    pub fn factorize(
        b: MatRef<'_, f64>,
        k: MatRef<'_, f64>,
        policy: JitterPolicy,
    ) -> Result<Self, LinalgError> {
        Ok(Self {
            outputs: JitteredCholesky::factorize(b, policy)?,
            points: JitteredCholesky::factorize(k, policy)?,
        })
    }

    /// The factor of `B`.
    pub fn outputs(&self) -> &JitteredCholesky {
        &self.outputs
    }

    /// The factor of `K`.
    pub fn points(&self) -> &JitteredCholesky {
        &self.points
    }

    /// `(B ⊗ K)⁻¹·vec(Y)` for `Y` (`n×m`), as an `n×m` matrix.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn solve(&self, y: MatRef<'_, f64>) -> Mat<f64> {
        let mut half = y.to_owned();
        self.points.solve_in_place(half.as_mut());
        let mut transposed = half.transpose().to_owned();
        self.outputs.solve_in_place(transposed.as_mut());
        transposed.transpose().to_owned()
    }

    /// `log det(B ⊗ K) = n·log det B + m·log det K`.
    pub fn log_det(&self) -> f64 {
        self.points.dim() as f64 * self.outputs.log_det()
            + self.outputs.dim() as f64 * self.points.log_det()
    }
}

/// Eigendecompositions of `B` and `K`, which diagonalise `B ⊗ K + noise·I` for every noise.
#[derive(Debug, Clone)]
pub struct KroneckerEigen {
    outputs: SymmetricEigen,
    points: SymmetricEigen,
}

impl KroneckerEigen {
    /// Decomposes `B` (`m×m`) and `K` (`n×n`).
    ///
    /// # Errors
    /// If an eigenvalue iteration does not converge.
    ///
    /// # Panics
    /// If either is not square.
    #[track_caller]
    pub fn decompose(b: MatRef<'_, f64>, k: MatRef<'_, f64>) -> Result<Self, LinalgError> {
        Ok(Self {
            outputs: symmetric_eigen(b)?,
            points: symmetric_eigen(k)?,
        })
    }

    /// Eigenvalue of `B ⊗ K` at point mode `i` and output mode `o`; rounding below zero is removed.
    fn eigenvalue(&self, i: usize, o: usize) -> f64 {
        self.points.values[i].max(0.0) * self.outputs.values[o].max(0.0)
    }

    /// `(B ⊗ K + noise·I)⁻¹·vec(Y)` for `Y` (`n×m`), as an `n×m` matrix.
    ///
    /// No jitter is added: with noise 0 and a singular `B` or `K` entries are infinite or NaN.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn solve(&self, y: MatRef<'_, f64>, noise: f64) -> Mat<f64> {
        let (v, u) = (self.points.vectors.as_ref(), self.outputs.vectors.as_ref());
        let mut modes = matmul(matmul(v.transpose(), y).as_ref(), u);
        for o in 0..modes.ncols() {
            for i in 0..modes.nrows() {
                modes[(i, o)] /= self.eigenvalue(i, o) + noise;
            }
        }
        matmul(matmul(v, modes.as_ref()).as_ref(), u.transpose())
    }

    /// `log det(B ⊗ K + noise·I)`; −∞ with noise 0 and a singular `B` or `K`.
    pub fn log_det(&self, noise: f64) -> f64 {
        let (n, m) = (self.points.values.len(), self.outputs.values.len());
        (0..m)
            .flat_map(|o| (0..n).map(move |i| (i, o)))
            .map(|(i, o)| (self.eigenvalue(i, o) + noise).ln())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_agree_with_the_dense_product() {
        let (n, m) = (7, 3);
        let k = Mat::from_fn(n, n, |i, j| (-0.3 * (i as f64 - j as f64).abs()).exp());
        let b = Mat::from_fn(m, m, |i, j| if i == j { 1.5 } else { 0.4 });
        let y = Mat::from_fn(n, m, |i, j| ((i + 3 * j) as f64).sin());
        for noise in [0.0, 0.1] {
            let dense = Mat::from_fn(n * m, n * m, |r, c| {
                let diagonal = if r == c { noise } else { 0.0 };
                b[(r / n, c / n)] * k[(r % n, c % n)] + diagonal
            });
            let factor = JitteredCholesky::factorize(dense.as_ref(), JitterPolicy::NONE).unwrap();
            let mut stacked: Vec<f64> = (0..m)
                .flat_map(|o| (0..n).map(move |i| (i, o)))
                .map(|(i, o)| y[(i, o)])
                .collect();
            factor.solve_slice_in_place(&mut stacked);
            let eigen = KroneckerEigen::decompose(b.as_ref(), k.as_ref()).unwrap();
            let solved = eigen.solve(y.as_ref(), noise);
            for o in 0..m {
                for i in 0..n {
                    assert!((solved[(i, o)] - stacked[o * n + i]).abs() < 1e-10);
                }
            }
            assert!((eigen.log_det(noise) - factor.log_det()).abs() < 1e-9);
            if noise.abs() < 1e-300 {
                let cholesky =
                    KroneckerCholesky::factorize(b.as_ref(), k.as_ref(), JitterPolicy::NONE)
                        .unwrap();
                let solved = cholesky.solve(y.as_ref());
                for o in 0..m {
                    for i in 0..n {
                        assert!((solved[(i, o)] - stacked[o * n + i]).abs() < 1e-10);
                    }
                }
                assert!((cholesky.log_det() - factor.log_det()).abs() < 1e-9);
            }
        }
    }
}
