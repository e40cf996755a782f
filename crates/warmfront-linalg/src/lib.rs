#![doc = include_str!("../README.md")]

mod cholesky;
mod distance;
mod eigen;
mod elementwise;
mod equicorrelated;
mod error;
mod kronecker;
mod matmul;
mod parallel;
mod radial;
pub mod simd;
pub mod single;
mod tiled;
mod triangular;

pub use cholesky::{JitterPolicy, JitteredCholesky};
pub use distance::{
    ScaledPoints, squared_distances, squared_distances_into, symmetric_squared_distances,
};
pub use eigen::{SymmetricEigen, symmetric_eigen};
pub use elementwise::{axpy, dot, exp_in_place, fill_upper_from_lower, likelihood_weights};
pub use equicorrelated::{
    Modes, equicorrelated_covariance, equicorrelated_matrix, mode_variances, orthonormal_modes,
    rotate_from_modes, rotate_to_modes,
};
pub use error::LinalgError;
pub use faer::{Mat, MatMut, MatRef};
pub use kronecker::{KroneckerCholesky, KroneckerEigen};
pub use matmul::{
    add_matmul_into, column_square_norms, gram, matmul, matmul_into, matvec, matvec_transpose,
};
pub use parallel::{LARGE, fill_columns};
pub use radial::{matern52_in_place, matern52_slope_in_place, matern52_with_slope, rbf_in_place};
pub use triangular::{
    invert_lower, lower_matmul, lower_matmul_square_norms, lower_matvec, lower_transpose_matmul,
    lower_transpose_matvec, solve_lower_in_place, solve_lower_slice_in_place,
    solve_lower_transpose_in_place, solve_lower_transpose_slice_in_place,
};
