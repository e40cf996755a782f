//! Gaussian processes of several correlated outputs: the intrinsic coregionalisation model.
//!
//! The covariance of output `o` at `x` with output `o'` at `x'` is `B[o, o']·k(x, x')`. With an
//! equicorrelated `B`, complete data and one noise variance, two Cholesky factors of the size of
//! the inputs are exact; everything else takes one factor over all observed outcomes. Which way a
//! model was conditioned is a consequence of its data and hyperparameters, and both agree.
//!
//! # References
//! E. V. Bonilla, K. M. A. Chai, C. K. I. Williams, *Multi-task Gaussian process prediction*,
//! NeurIPS 2007 (the model). The decoupling of equicorrelated outputs is elementary.

mod anchors;
mod blocks;
mod data;
mod dense;
mod fit;
mod likelihood;
mod modes;
mod ops;
mod params;
mod stationary;
#[cfg(test)]
mod tests;

pub use anchors::{PreparedAnchors, QueryKernels, StandardizedMarginals, StandardizedQuery};
pub use blocks::BlockMatrix;
pub use data::{MultiOutputData, OutcomeScaling};
pub use fit::{CoregionConfig, MultiOutputConfig, NoiseConfig, RhoConfig};
pub use likelihood::{MultiOutputGradient, log_marginal_likelihood_gradient};
pub use params::{Coregion, MultiOutputParams};

use dense::Dense;
use modes::Modes;
use stationary::Stationary;
use warmfront_linalg::{Mat, MatMut, MatRef, ScaledPoints};

use crate::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Surrogate,
};

#[derive(Debug, Clone)]
enum Solver {
    Modes(Modes),
    Dense(Dense),
}

/// A multi-output Gaussian process conditioned on data.
///
/// ```
/// use warmfront_gp::{KernelKind, MultiOutputData, MultiOutputGp, MultiOutputParams, OutcomeScaling, Surrogate};
/// use warmfront_linalg::Mat;
///
/// let x = Mat::from_fn(5, 1, |i, _| i as f64 / 4.0);
/// let y = Mat::from_fn(5, 2, |i, o| (i as f64 + o as f64).sin());
/// let data = MultiOutputData::new(x.as_ref(), y.as_ref())?;
/// let params = MultiOutputParams::equicorrelated(KernelKind::Rbf, vec![0.4], 1.0, 0.5, 1e-6);
/// let gp = MultiOutputGp::condition(&data, OutcomeScaling::identity(2), params)?;
/// let at_data = gp.predict(x.as_ref());
/// assert!((at_data.mean[(2, 1)] - y[(2, 1)]).abs() < 1e-3);
/// # Ok::<(), warmfront_gp::GpError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MultiOutputGp {
    params: MultiOutputParams,
    scaling: OutcomeScaling,
    kernel: Stationary,
    points: ScaledPoints,
    outputs: usize,
    solver: Solver,
    coefficients: Mat<f64>,
    log_marginal_likelihood: f64,
    jitter: f64,
}

impl MultiOutputGp {
    /// Conditions a model with given hyperparameters on `data`, standardised by `scaling`.
    ///
    /// No data at all leaves the prior.
    ///
    /// # Errors
    /// [`GpError::NotPositiveDefinite`] if the covariance resists the largest jitter.
    ///
    /// # Panics
    /// If the hyperparameters do not fit the number of inputs and outputs.
    #[track_caller]
    pub fn condition(
        data: &MultiOutputData,
        scaling: OutcomeScaling,
        params: MultiOutputParams,
    ) -> Result<Self, GpError> {
        let two_factors = params.decouples() && data.is_complete();
        Self::condition_by(data, scaling, params, two_factors)
    }

    /// Like [`condition`](Self::condition), always by one factor over all outcomes.
    ///
    /// # Errors
    /// Those of [`condition`](Self::condition).
    ///
    /// # Panics
    /// Those of [`condition`](Self::condition).
    #[track_caller]
    pub fn condition_dense(
        data: &MultiOutputData,
        scaling: OutcomeScaling,
        params: MultiOutputParams,
    ) -> Result<Self, GpError> {
        Self::condition_by(data, scaling, params, false)
    }

    #[track_caller]
    fn condition_by(
        data: &MultiOutputData,
        scaling: OutcomeScaling,
        params: MultiOutputParams,
        two_factors: bool,
    ) -> Result<Self, GpError> {
        let (d, m) = (data.input_dim(), data.num_outputs());
        assert!(
            params.lengthscales.len() == d
                && (params.noise.len() == 1 || params.noise.len() == m)
                && scaling.offset.len() == m
                && scaling.scale.len() == m,
            "{} lengthscales, {} noise variances and {} scales for {d} inputs and {m} outputs",
            params.lengthscales.len(),
            params.noise.len(),
            scaling.scale.len()
        );
        let kernel = Stationary::new(params.kind, &params.lengthscales, params.variance);
        let points = kernel.scaled(data.x());
        let k = kernel.columns(&points, &points);
        let y = standardized(data, &scaling);
        let (solver, coefficients, log_marginal_likelihood, jitter) =
            match (&params.coregion, two_factors) {
                (Coregion::Equicorrelated { rho }, true) => {
                    let c = Modes::condition(&k, y.as_ref(), *rho, params.noise[0])?;
                    (
                        Solver::Modes(c.solver),
                        c.coefficients,
                        c.log_likelihood,
                        c.jitter,
                    )
                }
                _ => {
                    let c = Dense::condition(&k, data, y.as_ref(), &params)?;
                    (
                        Solver::Dense(c.solver),
                        c.coefficients,
                        c.log_likelihood,
                        c.jitter,
                    )
                }
            };
        Ok(Self {
            params,
            scaling,
            kernel,
            points,
            outputs: m,
            solver,
            coefficients,
            log_marginal_likelihood,
            jitter,
        })
    }

    /// The model before any data, in standardised units: `d` inputs and `m` outputs.
    ///
    /// # Panics
    /// If the hyperparameters do not fit.
    #[track_caller]
    pub fn prior(outputs: usize, params: MultiOutputParams) -> Self {
        let d = params.lengthscales.len();
        let data = MultiOutputData::new(Mat::zeros(0, d).as_ref(), Mat::zeros(0, outputs).as_ref());
        let gp =
            data.and_then(|data| Self::condition(&data, OutcomeScaling::identity(outputs), params));
        gp.expect("without data there is nothing to factorise and nothing that is not finite")
    }

    /// The hyperparameters, in standardised units.
    pub fn params(&self) -> &MultiOutputParams {
        &self.params
    }

    /// The map between the outputs' own units and standardised ones.
    pub fn scaling(&self) -> &OutcomeScaling {
        &self.scaling
    }

    /// Number of points conditioned on.
    pub fn num_points(&self) -> usize {
        self.points.len()
    }

    /// Log density of the standardised outcomes under the prior with noise.
    pub fn log_marginal_likelihood(&self) -> f64 {
        self.log_marginal_likelihood
    }

    /// Largest jitter that was added to a covariance.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Whether two factors of the size of the inputs were enough.
    pub fn is_decoupled(&self) -> bool {
        matches!(self.solver, Solver::Modes(_))
    }

    /// Number of Cholesky factors that conditioning took.
    pub fn num_factors(&self) -> usize {
        match &self.solver {
            _ if self.points.is_empty() => 0,
            Solver::Modes(_) => self.outputs.min(2),
            Solver::Dense(_) => 1,
        }
    }

    #[track_caller]
    fn check_inputs(&self, x: MatRef<'_, f64>) {
        let d = self.kernel.dim();
        assert!(
            x.ncols() == d,
            "points are {}×{}, expected {d} columns",
            x.nrows(),
            x.ncols()
        );
    }

    fn joint(&self, mean: &Mat<f64>, covariance: &BlockMatrix) -> JointPosterior {
        JointPosterior {
            mean: self.own_units(mean),
            covariance: covariance.to_weighted(&self.scaling.deviations()),
        }
    }

    fn own_units(&self, mean: &Mat<f64>) -> Mat<f64> {
        Mat::from_fn(mean.nrows(), mean.ncols(), |i, o| {
            self.scaling.undo(o, mean[(i, o)])
        })
    }
}

/// Standardised outcomes, `n×m`, zero where missing.
fn standardized(data: &MultiOutputData, scaling: &OutcomeScaling) -> Mat<f64> {
    let y = data.y();
    Mat::from_fn(y.nrows(), y.ncols(), |i, o| {
        if data.is_observed(i, o) {
            scaling.apply(o, y[(i, o)])
        } else {
            0.0
        }
    })
}

impl Surrogate for MultiOutputGp {
    fn input_dim(&self) -> usize {
        self.kernel.dim()
    }

    fn num_outputs(&self) -> usize {
        self.outputs
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        self.check_inputs(x);
        let kx = self.kernel.columns(&self.points, &self.kernel.scaled(x));
        let mean = self.own_units(&ops::transpose_times(&kx, &self.coefficients));
        let variance = match &self.solver {
            Solver::Modes(modes) => modes.variances(self.kernel.variance(), &modes.whitened(&kx)),
            Solver::Dense(dense) => dense.variances(self.kernel.variance(), &dense.whitened(&kx)),
        };
        let s = self.scaling.deviations();
        let variance = Mat::from_fn(x.nrows(), self.outputs, |i, o| {
            variance[(i, o)] * s[o] * s[o]
        });
        Marginals { mean, variance }
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let anchors = self.prepare(x);
        Ok(self.joint(anchors.mean(), anchors.covariance()))
    }
}

impl DifferentiableSurrogate for MultiOutputGp {
    fn predict_gradient(
        &self,
        x: &[f64],
        dmean: MatMut<'_, f64>,
        dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (d, m) = (self.kernel.dim(), self.outputs);
        let point = MatRef::from_row_major_slice(x, 1, d);
        let none = self.prepare(Mat::zeros(0, d).as_ref());
        let kernels = self.evaluate(&none, point, true);
        let deviations = self.scaling.deviations();
        let mut covariance = Mat::zeros(m, m);
        marginal_gradients(dmean, dvariance, |of, gradient| {
            let mut mean = Mat::zeros(1, m);
            covariance.fill(0.0);
            match of {
                Marginal::Mean(o) => mean[(0, o)] = 1.0,
                Marginal::Variance(o) => covariance[(o, o)] = 1.0,
            }
            self.pullback_weighted(
                &none,
                &kernels,
                &deviations,
                mean.as_ref(),
                covariance.as_ref(),
                Mat::zeros(0, m).as_ref(),
                gradient,
            );
        });
        let marginals = self.predict(point);
        let row = |a: &Mat<f64>| (0..m).map(|o| a[(0, o)]).collect();
        (row(&marginals.mean), row(&marginals.variance))
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        let prepared = self.prepare(anchors);
        let joint = self.joint(prepared.mean(), prepared.covariance());
        Box::new(Anchored {
            gp: self,
            prepared,
            joint,
        })
    }
}

/// One of the numbers that describe a marginal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marginal {
    /// The mean of an output.
    Mean(usize),
    /// The variance of an output.
    Variance(usize),
}

/// Fills `dmean` and `dvariance` (`d×m`) column by column from a pullback of single values, which
/// adds to a gradient of `1×d`.
pub fn marginal_gradients(
    mut dmean: MatMut<'_, f64>,
    mut dvariance: MatMut<'_, f64>,
    mut pullback: impl FnMut(Marginal, MatMut<'_, f64>),
) {
    dmean.fill(0.0);
    dvariance.fill(0.0);
    for o in 0..dmean.ncols() {
        pullback(
            Marginal::Mean(o),
            dmean.as_mut().subcols_mut(o, 1).transpose_mut(),
        );
        pullback(
            Marginal::Variance(o),
            dvariance.as_mut().subcols_mut(o, 1).transpose_mut(),
        );
    }
}

struct Anchored<'a> {
    gp: &'a MultiOutputGp,
    prepared: PreparedAnchors,
    joint: JointPosterior,
}

impl AnchoredPosterior for Anchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let answer = self
            .gp
            .query_standardized(&self.prepared, &self.gp.evaluate(&self.prepared, x, false));
        let weights = &self.gp.scaling.deviations();
        AnchoredQuery {
            mean: self.gp.own_units(&answer.mean),
            covariance: answer.covariance.to_weighted(weights),
            cross: answer.cross.to_weighted(weights).transpose().to_owned(),
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        gradient.fill(0.0);
        let kernels = self.gp.evaluate(&self.prepared, x, true);
        self.gp.pullback_weighted(
            &self.prepared,
            &kernels,
            &self.gp.scaling.deviations(),
            adjoint.mean.as_ref(),
            adjoint.covariance.as_ref(),
            adjoint.cross.as_ref().transpose(),
            gradient,
        );
    }
}
