//! Covariances between several outputs at several points, stored without the repetition.

use warmfront_linalg::{Mat, MatMut, MatRef};

/// A covariance of `m` outputs at `r` points (rows) with the same outputs at `c` points (columns).
///
/// The full matrix is `rm×cm`, stacked objective-major, and consists of `m×m` blocks of `r×c`. In
/// the equicorrelated case all diagonal blocks are equal and all other blocks are equal, so only
/// two are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockMatrix {
    outputs: usize,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Equicorrelated {
        diagonal: Mat<f64>,
        off_diagonal: Mat<f64>,
    },
    Dense {
        rows: usize,
        columns: usize,
        matrix: Mat<f64>,
    },
}

impl BlockMatrix {
    /// Blocks from the two modes of an equicorrelated covariance `parallel·P + perpendicular·(I − P)`,
    /// where `P = 11ᵀ/m`; a single output has no perpendicular mode.
    pub(super) fn from_modes(
        outputs: usize,
        parallel: Mat<f64>,
        perpendicular: Option<Mat<f64>>,
    ) -> Self {
        let kind = match perpendicular {
            None => Kind::Equicorrelated {
                diagonal: parallel,
                off_diagonal: Mat::zeros(0, 0),
            },
            Some(mut perpendicular) => {
                let share = 1.0 / outputs as f64;
                let mut diagonal = parallel;
                for j in 0..diagonal.ncols() {
                    let columns = diagonal
                        .col_as_slice_mut(j)
                        .iter_mut()
                        .zip(perpendicular.col_as_slice_mut(j));
                    for (parallel, perpendicular) in columns {
                        let off_diagonal = (*parallel - *perpendicular) * share;
                        *parallel = off_diagonal + *perpendicular;
                        *perpendicular = off_diagonal;
                    }
                }
                Kind::Equicorrelated {
                    diagonal,
                    off_diagonal: perpendicular,
                }
            }
        };
        Self { outputs, kind }
    }

    /// Blocks of a full `rm×cm` matrix.
    pub(super) fn dense(outputs: usize, matrix: Mat<f64>) -> Self {
        let (rows, columns) = (matrix.nrows() / outputs, matrix.ncols() / outputs);
        Self {
            outputs,
            kind: Kind::Dense {
                rows,
                columns,
                matrix,
            },
        }
    }

    /// Whether all diagonal blocks are equal, and all others.
    pub fn is_equicorrelated(&self) -> bool {
        matches!(self.kind, Kind::Equicorrelated { .. })
    }

    /// Number of outputs `m`.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of points along the rows of each block.
    pub fn rows(&self) -> usize {
        match &self.kind {
            Kind::Equicorrelated { diagonal, .. } => diagonal.nrows(),
            Kind::Dense { rows, .. } => *rows,
        }
    }

    /// Number of points along the columns of each block.
    pub fn columns(&self) -> usize {
        match &self.kind {
            Kind::Equicorrelated { diagonal, .. } => diagonal.ncols(),
            Kind::Dense { columns, .. } => *columns,
        }
    }

    /// The `r×c` covariance of output `first` with output `second`.
    pub fn block(&self, first: usize, second: usize) -> MatRef<'_, f64> {
        match &self.kind {
            Kind::Equicorrelated {
                diagonal,
                off_diagonal,
            } => {
                if first == second {
                    diagonal.as_ref()
                } else {
                    off_diagonal.as_ref()
                }
            }
            Kind::Dense {
                rows,
                columns,
                matrix,
            } => matrix
                .as_ref()
                .submatrix(first * rows, second * columns, *rows, *columns),
        }
    }

    /// Adds `w_o w_o' · block(o, o')` to the blocks of `out` (`rm×cm`).
    ///
    /// # Panics
    /// If `out` or the number of weights does not fit.
    #[track_caller]
    pub fn add_weighted_to(&self, weights: &[f64], mut out: MatMut<'_, f64>) {
        let (m, r, c) = (self.outputs, self.rows(), self.columns());
        assert!(
            weights.len() == m && out.nrows() == r * m && out.ncols() == c * m,
            "{m}×{m} blocks of {r}×{c} with {} weights into {}×{}",
            weights.len(),
            out.nrows(),
            out.ncols()
        );
        for second in 0..m {
            for j in 0..c {
                let column = out.as_mut().col_mut(second * c + j);
                let mut strided = Vec::new();
                let column = match column.try_as_col_major_mut() {
                    Some(column) => column.as_slice_mut(),
                    None => {
                        strided.resize(r * m, 0.0);
                        &mut strided[..]
                    }
                };
                for first in 0..m {
                    let weight = weights[first] * weights[second];
                    let target = &mut column[first * r..(first + 1) * r];
                    for (value, block) in target.iter_mut().zip(self.column(first, second, j)) {
                        *value += weight * block;
                    }
                }
                for (i, &value) in strided.iter().enumerate() {
                    out[(i, second * c + j)] += value;
                }
            }
        }
    }

    fn column(&self, first: usize, second: usize, j: usize) -> &[f64] {
        match &self.kind {
            Kind::Equicorrelated { diagonal, .. } if first == second => diagonal.col_as_slice(j),
            Kind::Equicorrelated { off_diagonal, .. } => off_diagonal.col_as_slice(j),
            Kind::Dense {
                rows,
                columns,
                matrix,
            } => &matrix.col_as_slice(second * columns + j)[first * rows..(first + 1) * rows],
        }
    }

    /// The full `rm×cm` matrix with block `(o, o')` multiplied by `w_o w_o'`.
    ///
    /// # Panics
    /// If there are not as many weights as outputs.
    #[track_caller]
    pub fn to_weighted(&self, weights: &[f64]) -> Mat<f64> {
        let m = self.outputs;
        let mut out = Mat::zeros(self.rows() * m, self.columns() * m);
        self.add_weighted_to(weights, out.as_mut());
        out
    }

    /// The symmetric matrix `[self, cross; crossᵀ, corner]`, where `cross` has the old points as rows.
    pub(super) fn bordered(&self, cross: &Self, corner: &Self) -> Self {
        let m = self.outputs;
        let join = |first: usize, second: usize| {
            let (old, new) = (self.block(first, second), corner.block(first, second));
            let (right, left) = (cross.block(first, second), cross.block(second, first));
            let n = old.nrows();
            Mat::from_fn(n + new.nrows(), n + new.nrows(), |i, j| {
                match (i < n, j < n) {
                    (true, true) => old[(i, j)],
                    (true, false) => right[(i, j - n)],
                    (false, true) => left[(j, i - n)],
                    (false, false) => new[(i - n, j - n)],
                }
            })
        };
        match &self.kind {
            Kind::Equicorrelated { .. } => Self {
                outputs: m,
                kind: Kind::Equicorrelated {
                    diagonal: join(0, 0),
                    off_diagonal: if m > 1 { join(0, 1) } else { Mat::zeros(0, 0) },
                },
            },
            Kind::Dense { .. } => {
                let n = self.rows() + corner.rows();
                let mut matrix = Mat::zeros(n * m, n * m);
                for first in 0..m {
                    for second in 0..m {
                        matrix
                            .as_mut()
                            .submatrix_mut(first * n, second * n, n, n)
                            .copy_from(join(first, second));
                    }
                }
                Self::dense(m, matrix)
            }
        }
    }
}

/// Pulls a weighted dense adjoint (`rm×cm`) back to the two modes of an equicorrelated covariance.
///
/// The inverse direction of [`BlockMatrix::from_modes`] followed by [`BlockMatrix::add_weighted_to`].
pub(super) fn modes_adjoint(
    outputs: usize,
    weights: &[f64],
    adjoint: MatRef<'_, f64>,
) -> (Mat<f64>, Option<Mat<f64>>) {
    let (r, c) = (adjoint.nrows() / outputs, adjoint.ncols() / outputs);
    let mut diagonal = Mat::<f64>::zeros(r, c);
    let mut everything = Mat::<f64>::zeros(r, c);
    let mut strided = vec![0.0; r * outputs];
    for second in 0..outputs {
        for j in 0..c {
            let column = adjoint.col(second * c + j);
            let column = match column.try_as_col_major() {
                Some(column) => column.as_slice(),
                None => {
                    strided
                        .iter_mut()
                        .zip(column.iter())
                        .for_each(|(s, &v)| *s = v);
                    &strided[..]
                }
            };
            for first in 0..outputs {
                let weight = weights[first] * weights[second];
                let block = &column[first * r..(first + 1) * r];
                let target = if first == second {
                    &mut diagonal
                } else {
                    &mut everything
                };
                for (value, entry) in target.col_as_slice_mut(j).iter_mut().zip(block) {
                    *value += weight * entry;
                }
            }
        }
    }
    if outputs == 1 {
        return (diagonal, None);
    }
    let share = 1.0 / outputs as f64;
    // diagonal block = par/m + perp(1 − 1/m), any other = par/m − perp/m.
    for j in 0..c {
        let columns = diagonal
            .col_as_slice_mut(j)
            .iter_mut()
            .zip(everything.col_as_slice_mut(j));
        for (on, off) in columns {
            let parallel = share * (*on + *off);
            *off = parallel;
            *on -= parallel;
        }
    }
    (everything, Some(diagonal))
}
