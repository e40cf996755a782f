//! More observations at the same hyper-parameters, without factorising again.

use warmfront_linalg::{Mat, MatRef, add_matmul_into, invert_lower, lower_transpose_matmul};

use crate::GpError;
use crate::dataset::check_finite;
use crate::exact::ExactGp;

impl ExactGp {
    /// The model with more observations `x` (`p×d`), `y` (length `p`), at the same hyper-parameters.
    ///
    /// Costs O(n²p). Outcomes are standardised as before.
    ///
    /// # Errors
    /// If a value is not finite, or the covariance matrix cannot be factorised.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn condition_on(&self, x: MatRef<'_, f64>, y: &[f64]) -> Result<Self, GpError> {
        let (n, d, p) = (self.x.nrows(), self.x.ncols(), x.nrows());
        assert!(
            x.ncols() == d && y.len() == p,
            "conditioning on {p}×{} points with {} outcomes, expected {d} columns",
            x.ncols(),
            y.len()
        );
        check_finite("inputs", x)?;
        check_finite("outcomes", MatRef::from_column_major_slice(y, p, 1))?;
        let cross = self.kernel.cross(x, self.x.as_ref());
        let mut corner = self.kernel.gram(x);
        for i in 0..p {
            corner[(i, i)] += self.noise;
        }
        let mut grown = self.clone();
        grown.factor = self
            .factor
            .append_rows(cross.as_ref(), corner.as_ref(), self.jitter)?;
        grown.x = Mat::from_fn(
            n + p,
            d,
            |i, k| if i < n { self.x[(i, k)] } else { x[(i - n, k)] },
        );
        grown.points = self.kernel.scale(grown.x.as_ref());
        grown
            .y
            .extend(y.iter().map(|&v| self.standardization.apply(v)));
        // With more jitter than before the factor is a new one.
        if grown.factor.jitter().to_bits() != self.factor.jitter().to_bits() {
            return Ok(grown.assemble());
        }
        grown.inverse_factor = self.grown_inverse(grown.factor.factor());
        Ok(grown.finish())
    }

    /// The inverse of a factor grown by some rows, `[L 0; B C]⁻¹ = [L⁻¹ 0; −C⁻¹BL⁻¹ C⁻¹]`, in O(n²p).
    fn grown_inverse(&self, factor: MatRef<'_, f64>) -> Mat<f64> {
        let (n, total) = (self.y.len(), factor.nrows());
        let p = total - n;
        let corner = invert_lower(factor.submatrix(n, n, p, p));
        let below = factor.submatrix(n, 0, p, n).transpose().to_owned();
        let mut product = Mat::zeros(n, p);
        lower_transpose_matmul(
            product.as_mut(),
            self.inverse_factor.as_ref(),
            below.as_ref(),
        );
        let mut out = Mat::zeros(total, total);
        out.as_mut()
            .submatrix_mut(0, 0, n, n)
            .copy_from(&self.inverse_factor);
        add_matmul_into(
            out.as_mut().submatrix_mut(n, 0, p, n),
            corner.as_ref(),
            product.transpose(),
            -1.0,
        );
        out.as_mut().submatrix_mut(n, n, p, p).copy_from(&corner);
        out
    }
}
