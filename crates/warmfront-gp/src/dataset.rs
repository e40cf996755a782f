//! Inputs and outcomes that are known to be finite.

use warmfront_linalg::{Mat, MatRef};

use crate::GpError;

/// Inputs `x` (`n×d`, meant to lie in the unit cube) with outcomes `y` (`n×m`), all finite.
///
/// The unit cube is a convention that the default priors rely on; it is not enforced.
///
/// ```
/// use warmfront_gp::Dataset;
/// use warmfront_linalg::Mat;
/// let x = Mat::from_fn(3, 1, |i, _| i as f64 / 2.0);
/// let data = Dataset::new(x.clone(), Mat::from_fn(3, 2, |i, j| (i + j) as f64))?;
/// assert_eq!((data.len(), data.dim(), data.num_outputs()), (3, 1, 2));
/// let bad = Dataset::new(x, Mat::from_fn(3, 1, |i, _| 1.0 / (i as f64 - 1.0)));
/// assert_eq!(bad.unwrap_err().to_string(), "row 1, column 0 of the outcomes is inf, expected a finite number");
/// # Ok::<(), warmfront_gp::GpError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    x: Mat<f64>,
    y: Mat<f64>,
}

impl Dataset {
    /// Checks and stores inputs (`n×d`) and outcomes (`n×m`).
    ///
    /// # Errors
    /// If a value is not finite, or the numbers of rows differ.
    pub fn new(x: Mat<f64>, y: Mat<f64>) -> Result<Self, GpError> {
        if x.nrows() != y.nrows() {
            return Err(GpError::RowCount {
                inputs: x.nrows(),
                outcomes: y.nrows(),
            });
        }
        check_finite("inputs", x.as_ref())?;
        check_finite("outcomes", y.as_ref())?;
        Ok(Self { x, y })
    }

    /// A data set without observations, of `d` inputs and `m` outputs.
    pub fn empty(d: usize, m: usize) -> Self {
        Self {
            x: Mat::zeros(0, d),
            y: Mat::zeros(0, m),
        }
    }

    /// Inputs, `n×d`.
    pub fn x(&self) -> MatRef<'_, f64> {
        self.x.as_ref()
    }

    /// Outcomes, `n×m`.
    pub fn y(&self) -> MatRef<'_, f64> {
        self.y.as_ref()
    }

    /// Outcome `output` of all rows.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn output(&self, output: usize) -> &[f64] {
        self.y.col_as_slice(output)
    }

    /// Number of rows `n`.
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of inputs `d`.
    pub fn dim(&self) -> usize {
        self.x.ncols()
    }

    /// Number of outputs `m`.
    pub fn num_outputs(&self) -> usize {
        self.y.ncols()
    }
}

/// Reports the first row with a value that is not finite.
pub(crate) fn check_finite(what: &'static str, values: MatRef<'_, f64>) -> Result<(), GpError> {
    for row in 0..values.nrows() {
        for column in 0..values.ncols() {
            let value = values[(row, column)];
            if !value.is_finite() {
                return Err(GpError::NotFinite {
                    what,
                    row,
                    column,
                    value,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_must_agree_and_the_bad_row_is_named() {
        let x = Mat::<f64>::zeros(2, 1);
        let error = Dataset::new(x.clone(), Mat::zeros(3, 1)).unwrap_err();
        assert_eq!(
            error,
            GpError::RowCount {
                inputs: 2,
                outcomes: 3
            }
        );
        let mut bad = x.clone();
        bad[(1, 0)] = f64::NAN;
        let error = Dataset::new(bad, Mat::zeros(2, 1)).unwrap_err();
        assert!(matches!(
            error,
            GpError::NotFinite {
                what: "inputs",
                row: 1,
                column: 0,
                ..
            }
        ));
        assert!(Dataset::empty(2, 3).is_empty());
    }
}
