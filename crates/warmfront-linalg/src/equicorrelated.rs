//! The equicorrelated matrix `(1−ρ)·I + ρ·11ᵀ` and the rotation that diagonalises it for every ρ.
//!
//! With an orthonormal `H` whose first row is `1/√m`, stacked outputs `(H ⊗ I)·y` decouple:
//! the first mode has variance `1 + (m−1)ρ`, all others `1 − ρ`. A covariance that is
//! equicorrelated stays so after conditioning, and is described by its two mode values.

use faer::{Mat, MatRef};

use crate::matmul::matmul;

/// What the two kinds of modes hold: one common mode, and `m − 1` alike ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modes<T> {
    /// The mode in which all outputs move together.
    pub common: T,
    /// Each of the modes of differences between outputs.
    pub contrast: T,
}

/// The variances `1 + (m−1)ρ` and `1 − ρ` of the modes of `m` outputs with correlation `ρ`.
pub fn mode_variances(m: usize, rho: f64) -> Modes<f64> {
    Modes {
        common: 1.0 + (m as f64 - 1.0) * rho,
        contrast: 1.0 - rho,
    }
}

/// The matrix `(1−ρ)·I + ρ·11ᵀ` (`m×m`).
pub fn equicorrelated_matrix(m: usize, rho: f64) -> Mat<f64> {
    Mat::from_fn(m, m, |i, j| if i == j { 1.0 } else { rho })
}

/// An orthonormal `m×m` matrix whose first row is constant (Helmert's matrix).
///
/// ```
/// let h = warmfront_linalg::orthonormal_modes(3);
/// assert!((h[(0, 1)] - 1.0 / 3.0_f64.sqrt()).abs() < 1e-15);
/// ```
pub fn orthonormal_modes(m: usize) -> Mat<f64> {
    Mat::from_fn(m, m, |i, j| {
        if i == 0 {
            return 1.0 / (m as f64).sqrt();
        }
        let scale = 1.0 / ((i * (i + 1)) as f64).sqrt();
        match j.cmp(&i) {
            std::cmp::Ordering::Less => scale,
            std::cmp::Ordering::Equal => -(i as f64) * scale,
            std::cmp::Ordering::Greater => 0.0,
        }
    })
}

/// Rotates outputs `y` (`n×m`) to modes: column 0 is the common mode, `Y·Hᵀ`.
pub fn rotate_to_modes(y: MatRef<'_, f64>) -> Mat<f64> {
    matmul(y, orthonormal_modes(y.ncols()).transpose())
}

/// Rotates modes (`n×m`) back to outputs; undoes [`rotate_to_modes`].
pub fn rotate_from_modes(modes: MatRef<'_, f64>) -> Mat<f64> {
    matmul(modes, orthonormal_modes(modes.ncols()).as_ref())
}

/// The stacked covariance (`pm×qm`, objective-major) of `m` outputs from its two mode covariances (`p×q`).
///
/// Block `(o, o')` is `(common − contrast)/m`, plus `contrast` where `o = o'`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn equicorrelated_covariance(modes: Modes<MatRef<'_, f64>>, m: usize) -> Mat<f64> {
    let (common, contrast) = (modes.common, modes.contrast);
    let (p, q) = (common.nrows(), common.ncols());
    assert!(
        contrast.nrows() == p && contrast.ncols() == q,
        "common mode is {p}×{q}, contrast {}×{}",
        contrast.nrows(),
        contrast.ncols()
    );
    let mut out = Mat::zeros(p * m, q * m);
    for j in 0..q {
        for i in 0..p {
            let off = (common[(i, j)] - contrast[(i, j)]) / m as f64;
            let on = off + contrast[(i, j)];
            for c in 0..m {
                for r in 0..m {
                    out[(r * p + i, c * q + j)] = if r == c { on } else { off };
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_is_orthonormal_and_diagonalises() {
        for m in 1..=6 {
            let h = orthonormal_modes(m);
            let rho = 0.37;
            let b = equicorrelated_matrix(m, rho);
            let rotated = matmul(matmul(h.as_ref(), b.as_ref()).as_ref(), h.transpose());
            let identity = matmul(h.as_ref(), h.transpose());
            let variances = mode_variances(m, rho);
            for i in 0..m {
                for j in 0..m {
                    let unit = if i == j { 1.0 } else { 0.0 };
                    let variance = if i == 0 {
                        variances.common
                    } else {
                        variances.contrast
                    };
                    assert!((identity[(i, j)] - unit).abs() < 1e-14);
                    assert!((rotated[(i, j)] - unit * variance).abs() < 1e-14);
                }
            }
            let y = Mat::from_fn(5, m, |i, j| ((i * 3 + j) as f64).cos());
            let back = rotate_from_modes(rotate_to_modes(y.as_ref()).as_ref());
            for i in 0..5 {
                for j in 0..m {
                    assert!((back[(i, j)] - y[(i, j)]).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn two_modes_give_the_whole_covariance() {
        let (p, q, m, rho) = (3, 2, 4, 0.6);
        let k = Mat::from_fn(p, q, |i, j| (i + 2 * j) as f64 + 0.5);
        let v = mode_variances(m, rho);
        let common = Mat::from_fn(p, q, |i, j| v.common * k[(i, j)]);
        let contrast = Mat::from_fn(p, q, |i, j| v.contrast * k[(i, j)]);
        let whole = equicorrelated_covariance(
            Modes {
                common: common.as_ref(),
                contrast: contrast.as_ref(),
            },
            m,
        );
        let b = equicorrelated_matrix(m, rho);
        for r in 0..p * m {
            for c in 0..q * m {
                assert!((whole[(r, c)] - b[(r / p, c / q)] * k[(r % p, c % q)]).abs() < 1e-14);
            }
        }
    }
}
