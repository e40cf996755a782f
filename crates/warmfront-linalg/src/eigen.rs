//! Eigendecomposition of symmetric matrices.

use faer::{Mat, MatRef, Side};

use crate::LinalgError;

/// `A = V·diag(values)·Vᵀ`.
#[derive(Debug, Clone)]
pub struct SymmetricEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Orthonormal eigenvectors, one a column, `n×n`.
    pub vectors: Mat<f64>,
}

/// Decomposes a symmetric matrix (only its lower triangle is read).
///
/// # Errors
/// If the iteration does not converge, which needs a non-finite matrix.
///
/// # Panics
/// If the matrix is not square.
#[track_caller]
pub fn symmetric_eigen(a: MatRef<'_, f64>) -> Result<SymmetricEigen, LinalgError> {
    let n = a.nrows();
    assert!(
        n == a.ncols(),
        "expected a square matrix, got {}×{}",
        n,
        a.ncols()
    );
    if n == 0 {
        // faer's workspace computation underflows for an empty matrix.
        return Ok(SymmetricEigen {
            values: Vec::new(),
            vectors: Mat::zeros(0, 0),
        });
    }
    // faer's convenience method follows its global parallelism; single-threaded without its rayon feature.
    let decomposition = a
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| LinalgError::EigenvaluesDidNotConverge { size: n })?;
    Ok(SymmetricEigen {
        values: decomposition.S().column_vector().iter().copied().collect(),
        vectors: decomposition.U().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::matmul;

    #[test]
    fn decomposition_reproduces_the_matrix() {
        for n in [0, 1, 2, 20, 65] {
            let a = Mat::from_fn(n, n, |i, j| {
                (((i + j) * 5) as f64).sin() + (i * j) as f64 * 1e-2
            });
            let e = symmetric_eigen(a.as_ref()).unwrap();
            let scaled = Mat::from_fn(n, n, |i, j| e.vectors[(i, j)] * e.values[j]);
            let back = matmul(scaled.as_ref(), e.vectors.transpose());
            for i in 0..n {
                for j in 0..n {
                    assert!((back[(i, j)] - a[(i, j)]).abs() < 1e-9);
                }
            }
            assert!(e.values.windows(2).all(|w| w[0] <= w[1]));
        }
    }
}
