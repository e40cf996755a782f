//! Outcomes of several objectives at shared inputs, and their standardisation.

use warmfront_linalg::{Mat, MatRef};

use crate::{GpError, Standardization};

/// Outcomes of `m` outputs at `n` points, of which some may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiOutputData {
    x: Mat<f64>,
    y: Mat<f64>,
    observed: Option<Vec<bool>>,
}

impl MultiOutputData {
    /// Complete data: `x` (`n×d`) and `y` (`n×m`).
    ///
    /// # Errors
    /// [`GpError::NotFinite`] with the row of the first NaN or infinity.
    ///
    /// # Panics
    /// If the numbers of rows differ or there is no output.
    #[track_caller]
    pub fn new(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> Result<Self, GpError> {
        Self::with_missing(x, y, |_, _| true)
    }

    /// Data in which only the outcomes `y[(i, o)]` with `observed(i, o)` count; the others may hold anything.
    ///
    /// # Errors
    /// [`GpError::NotFinite`] with the row of the first observed NaN or infinity.
    ///
    /// # Panics
    /// If the numbers of rows differ or there is no output.
    #[track_caller]
    pub fn with_missing(
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        observed: impl Fn(usize, usize) -> bool,
    ) -> Result<Self, GpError> {
        assert!(
            x.nrows() == y.nrows() && y.ncols() > 0,
            "inputs are {}×{} and outcomes {}×{}, expected as many rows and at least one output",
            x.nrows(),
            x.ncols(),
            y.nrows(),
            y.ncols()
        );
        let (n, m) = (y.nrows(), y.ncols());
        let mask: Vec<bool> = (0..m)
            .flat_map(|o| (0..n).map(move |i| (i, o)))
            .map(|(i, o)| observed(i, o))
            .collect();
        for i in 0..n {
            for k in 0..x.ncols() {
                finite("inputs", i, k, x[(i, k)])?;
            }
            for o in 0..m {
                if mask[o * n + i] {
                    finite("outcomes", i, o, y[(i, o)])?;
                }
            }
        }
        let y = Mat::from_fn(n, m, |i, o| if mask[o * n + i] { y[(i, o)] } else { 0.0 });
        let complete = mask.iter().all(|&seen| seen);
        Ok(Self {
            x: x.to_owned(),
            y,
            observed: (!complete).then_some(mask),
        })
    }

    /// Inputs, `n×d`.
    pub fn x(&self) -> MatRef<'_, f64> {
        self.x.as_ref()
    }

    /// Outcomes, `n×m`; zero where [`is_observed`](Self::is_observed) says no.
    pub fn y(&self) -> MatRef<'_, f64> {
        self.y.as_ref()
    }

    /// Number of points `n`.
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of inputs `d`.
    pub fn input_dim(&self) -> usize {
        self.x.ncols()
    }

    /// Number of outputs `m`.
    pub fn num_outputs(&self) -> usize {
        self.y.ncols()
    }

    /// Whether every output was observed at every point.
    pub fn is_complete(&self) -> bool {
        self.observed.is_none()
    }

    /// Whether output `output` was observed at point `point`.
    pub fn is_observed(&self, point: usize, output: usize) -> bool {
        self.observed
            .as_ref()
            .is_none_or(|mask| mask[output * self.len() + point])
    }

    /// The observed outcomes of one output, in order.
    pub fn outcomes(&self, output: usize) -> Vec<f64> {
        (0..self.len())
            .filter(|&i| self.is_observed(i, output))
            .map(|i| self.y[(i, output)])
            .collect()
    }

    /// Number of observed outcomes of all outputs.
    pub fn num_outcomes(&self) -> usize {
        match &self.observed {
            None => self.len() * self.num_outputs(),
            Some(mask) => mask.iter().filter(|&&seen| seen).count(),
        }
    }
}

fn finite(what: &'static str, row: usize, column: usize, value: f64) -> Result<(), GpError> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(GpError::NotFinite {
            what,
            row,
            column,
            value,
        })
    }
}

/// The affine map between each output's own units and standardised ones.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeScaling {
    /// Subtracted from each output, `m` numbers.
    pub offset: Vec<f64>,
    /// Then divided by, `m` positive numbers.
    pub scale: Vec<f64>,
}

impl OutcomeScaling {
    /// Leaves `m` outputs as they are.
    pub fn identity(m: usize) -> Self {
        Self {
            offset: vec![0.0; m],
            scale: vec![1.0; m],
        }
    }

    /// Mean zero and variance one for each output; an output that does not vary is only centred.
    pub fn standardize(data: &MultiOutputData) -> Self {
        let (offset, scale) = (0..data.num_outputs())
            .map(|o| {
                let moments = Standardization::of(&data.outcomes(o));
                (moments.shift(), moments.scale())
            })
            .unzip();
        Self { offset, scale }
    }

    /// Standardised `value` of output `output`.
    ///
    /// Multiplying value, offset and scale by one power of two changes no bit of the result.
    pub fn apply(&self, output: usize, value: f64) -> f64 {
        let (offset, scale) = (self.offset[output], self.scale[output]);
        let difference = value - offset;
        if difference.is_finite() {
            difference / scale
        } else {
            value / scale - offset / scale
        }
    }

    /// The inverse of [`apply`](Self::apply), kept finite.
    pub fn undo(&self, output: usize, value: f64) -> f64 {
        (value * self.scale[output] + self.offset[output]).clamp(-f64::MAX, f64::MAX)
    }

    /// What standardised deviations are multiplied with: the scales, bounded so that products of
    /// two of them are finite and positive.
    pub fn deviations(&self) -> Vec<f64> {
        self.scale
            .iter()
            .map(|s| s.clamp(1.5e-154, 1e150))
            .collect()
    }
}
