//! What an acquisition function may ask of a model.
//!
//! Two traits: [`Surrogate`] answers questions about the posterior,
//! [`DifferentiableSurrogate`] also answers how that posterior moves with the
//! query points. A surrogate has been fitted already and is immutable: there is
//! no training mode. All outputs are in the units of the data it was given
//! (standardisation is undone inside), and describe the latent, noise-free
//! function.

use warmfront_linalg::{Mat, MatMut, MatRef};

use crate::GpError;

/// Posterior mean and variance of every output at every point, both `n×m`.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginals {
    /// Posterior means, `n×m`.
    pub mean: Mat<f64>,
    /// Posterior variances of the latent function, `n×m`, never negative.
    pub variance: Mat<f64>,
}

/// The joint Gaussian posterior of `m` outputs at `n` points.
#[derive(Debug, Clone, PartialEq)]
pub struct JointPosterior {
    /// Posterior means, `n×m`.
    pub mean: Mat<f64>,
    /// Posterior covariance, `nm×nm`, stacked objective-major: output `o` at point `i` is row `o·n + i`.
    pub covariance: Mat<f64>,
}

/// A fitted model of `m` outputs over the unit cube `[0, 1]^d`.
pub trait Surrogate: Send + Sync {
    /// Number of inputs `d`.
    fn input_dim(&self) -> usize;

    /// Number of outputs `m`.
    fn num_outputs(&self) -> usize;

    /// Posterior mean and variance at each row of `x` (`n×d`), independently of the other rows.
    ///
    /// # Panics
    /// If `x` does not have [`input_dim`](Self::input_dim) columns.
    fn predict(&self, x: MatRef<'_, f64>) -> Marginals;

    /// Joint posterior over all rows of `x` (`n×d`) and all outputs.
    ///
    /// # Errors
    /// If the covariance cannot be computed (numerical failure beyond the jitter ladder).
    ///
    /// # Panics
    /// If `x` does not have [`input_dim`](Self::input_dim) columns.
    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError>;
}

/// A surrogate whose posterior can be differentiated with respect to the query points.
pub trait DifferentiableSurrogate: Surrogate {
    /// Writes the gradients of mean and variance at one point `x` (length `d`) and returns
    /// the values `(mean, variance)`, each of length `m`.
    ///
    /// `dmean` and `dvariance` are `d×m`: column `o` is the gradient of output `o`.
    ///
    /// # Panics
    /// If a shape does not fit.
    fn predict_gradient(
        &self,
        x: &[f64],
        dmean: MatMut<'_, f64>,
        dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>);

    /// Prepares repeated joint queries against fixed `anchors` (`a×d`, possibly no rows).
    ///
    /// Everything that depends on the anchors alone is computed once here, so that each query
    /// costs no more than kernel rows and matrix-vector products.
    ///
    /// # Panics
    /// If `anchors` does not have [`Surrogate::input_dim`] columns.
    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_>;
}

/// The posterior at moving query points, jointly with fixed anchor points.
///
/// With `q` query points, `a` anchors and `m` outputs; every stacked index is
/// objective-major (output `o` at query point `i` is `o·q + i`; at anchor `j`, `o·a + j`).
pub trait AnchoredPosterior: Send + Sync {
    /// Joint posterior at the anchors themselves: mean `a×m`, covariance `am×am`.
    fn anchors(&self) -> &JointPosterior;

    /// Posterior at the rows of `x` (`q×d`) and its covariance with the anchors.
    ///
    /// # Panics
    /// If `x` has the wrong number of columns.
    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery;

    /// Pulls derivatives of a scalar with respect to [`query`](Self::query)'s result back to `x`.
    ///
    /// `adjoint` holds ∂s/∂mean (`q×m`), ∂s/∂covariance (`qm×qm`, every entry treated as
    /// independent, so a symmetric function passes a symmetric matrix) and ∂s/∂cross (`qm×am`).
    /// Writes ∂s/∂x into `gradient` (`q×d`).
    ///
    /// # Panics
    /// If a shape does not fit.
    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, gradient: MatMut<'_, f64>);
}

/// What [`AnchoredPosterior::query`] returns, and the shape of its adjoint.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredQuery {
    /// Posterior mean at the query points, `q×m`.
    pub mean: Mat<f64>,
    /// Posterior covariance among the query points, `qm×qm`.
    pub covariance: Mat<f64>,
    /// Posterior covariance of query points (rows) with anchors (columns), `qm×am`.
    pub cross: Mat<f64>,
}
