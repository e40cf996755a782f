//! Plain structs for files.

use serde::{Deserialize, Serialize};

use crate::CodecError;

/// A matrix of finite numbers for a file, column after column.
///
/// One whose shape does not fit its data, or with a NaN or infinity, cannot be made or read.
///
/// ```
/// use warmfront_codec::WireMatrix;
///
/// let matrix = WireMatrix::new(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!((matrix.rows(), matrix.cols()), (3, 2));
/// assert_eq!(matrix.column(1), [4.0, 5.0, 6.0]);
/// assert!(WireMatrix::new(3, 2, vec![0.0; 5]).is_err());
/// # Ok::<(), warmfront_codec::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct WireMatrix {
    rows: u64,
    cols: u64,
    data: Vec<f64>,
}

#[derive(Deserialize)]
struct Unchecked {
    rows: u64,
    cols: u64,
    data: Vec<f64>,
}

impl TryFrom<Unchecked> for WireMatrix {
    type Error = CodecError;

    fn try_from(Unchecked { rows, cols, data }: Unchecked) -> Result<Self, CodecError> {
        if rows.checked_mul(cols) != Some(data.len() as u64) {
            return Err(CodecError::Shape {
                rows,
                cols,
                len: data.len(),
            });
        }
        // An empty matrix may claim any number of rows, which then has to fit the machine.
        if usize::try_from(rows).is_err() || usize::try_from(cols).is_err() {
            return Err(CodecError::Shape {
                rows,
                cols,
                len: data.len(),
            });
        }
        if let Some(index) = data.iter().position(|value| !value.is_finite()) {
            let rows = rows as usize;
            let (row, col) = (index % rows, index / rows);
            return Err(CodecError::NonFinite {
                row,
                col,
                value: data[index],
            });
        }
        Ok(Self { rows, cols, data })
    }
}

impl WireMatrix {
    /// A `rows×cols` matrix from its columns, one after the other.
    ///
    /// # Errors
    /// If the shape does not fit the data, or an entry is NaN or infinite.
    pub fn new(rows: usize, cols: usize, data: Vec<f64>) -> Result<Self, CodecError> {
        Unchecked {
            rows: rows as u64,
            cols: cols as u64,
            data,
        }
        .try_into()
    }

    /// A `rows×cols` matrix from a function of row and column.
    ///
    /// # Errors
    /// If an entry is NaN or infinite.
    pub fn from_fn(
        rows: usize,
        cols: usize,
        mut entry: impl FnMut(usize, usize) -> f64,
    ) -> Result<Self, CodecError> {
        let mut data = Vec::with_capacity(rows * cols);
        for col in 0..cols {
            data.extend((0..rows).map(|row| entry(row, col)));
        }
        Self::new(rows, cols, data)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols as usize
    }

    /// All entries, column after column.
    #[must_use]
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// One column.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    #[track_caller]
    pub fn column(&self, col: usize) -> &[f64] {
        assert!(
            col < self.cols(),
            "column {col} of a matrix with {} columns",
            self.cols
        );
        &self.data[col * self.rows()..][..self.rows()]
    }

    /// One entry.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    #[track_caller]
    pub fn get(&self, row: usize, col: usize) -> f64 {
        self.column(col)[row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_entries_are_checked() {
        let check = |rows, cols, data: Vec<f64>, message: &str| {
            let error = WireMatrix::new(rows, cols, data).expect_err("invalid");
            assert_eq!(error.to_string(), message);
        };
        check(2, 2, vec![0.0; 3], "a 2×2 matrix cannot have 3 entries");
        check(
            usize::MAX,
            2,
            vec![],
            "a 18446744073709551615×2 matrix cannot have 0 entries",
        );
        check(
            2,
            2,
            vec![0.0, 1.0, 2.0, f64::NAN],
            "entry (1, 1) of the matrix is NaN",
        );
        check(
            3,
            1,
            vec![0.0, f64::INFINITY, 2.0],
            "entry (1, 0) of the matrix is inf",
        );
        for (rows, cols) in [(0, 0), (0, 3), (3, 0)] {
            let empty = WireMatrix::new(rows, cols, vec![]).expect("empty is a shape");
            assert_eq!((empty.rows(), empty.cols()), (rows, cols));
        }
    }

    #[test]
    fn entries_are_found_again() {
        let matrix = WireMatrix::from_fn(3, 2, |row, col| (10 * row + col) as f64).expect("finite");
        assert_eq!(matrix.data(), [0.0, 10.0, 20.0, 1.0, 11.0, 21.0]);
        assert_eq!(matrix.column(1), [1.0, 11.0, 21.0]);
        assert!((matrix.get(2, 1) - 21.0).abs() < 1e-15);
    }
}
