//! The posterior of the target: a weighted sum of meta-posteriors plus a residual, conditioned on
//! the target's data.

use std::sync::Arc;

use warmfront_gp::{
    AnchoredPosterior, DifferentiableSurrogate, GpError, JointPosterior, Marginal, Marginals,
    MultiOutputGp, MultiOutputParams, OutcomeScaling, PreparedAnchors, Surrogate,
    marginal_gradients,
};
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatMut, MatRef, dot, lower_matmul, lower_transpose_matmul,
};

use super::anchored::Anchored;
use super::normalize::Normalization;
use super::{MetaModels, SmogConfig};

/// Hyperparameters of the residual, in the standardised space of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    /// One lengthscale per input.
    pub lengthscales: Vec<f64>,
    /// Variance of each objective.
    pub variance: f64,
    /// Correlation of the objectives.
    pub rho: f64,
}

/// Hyperparameters of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct SmogParams {
    /// Weights, one row per meta-task and one column per objective (`M×O`).
    pub weights: Mat<f64>,
    /// The residual, if there is one.
    pub residual: Option<Residual>,
    /// Noise variance of the standardised target costs.
    pub noise: f64,
}

#[derive(Debug, Clone)]
enum Source {
    Task(usize),
    Residual(Box<MultiOutputGp>),
}

/// One term of the prior: a posterior and what it is multiplied with, per objective.
#[derive(Debug, Clone)]
pub(super) struct Component {
    source: Source,
    pub(super) weights: Vec<f64>,
    pub(super) target: Arc<PreparedAnchors>,
}

/// SMOG's model of the target, fitted or with given hyperparameters.
#[derive(Debug, Clone)]
pub struct SmogModel {
    meta: Arc<MetaModels>,
    pub(super) components: Vec<Component>,
    params: SmogParams,
    pub(super) scaling: OutcomeScaling,
    /// Constant part of the standardised prior mean, per objective.
    pub(super) constant: Vec<f64>,
    pub(super) x: Mat<f64>,
    pub(super) alpha: Vec<f64>,
    /// `L⁻¹` of the covariance of the target's data.
    whiten: Mat<f64>,
    log_marginal_likelihood: f64,
    jitter: f64,
}

impl SmogModel {
    /// Conditions the model with given hyperparameters on target data `x` (`n×d`), `y` (`n×O`).
    ///
    /// `scaling` maps the target's costs to the space of the hyperparameters.
    ///
    /// # Errors
    /// If the covariance of the target's data resists the largest jitter.
    ///
    /// # Panics
    /// If a shape does not fit.
    #[track_caller]
    pub fn condition(
        meta: &Arc<MetaModels>,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        scaling: OutcomeScaling,
        params: SmogParams,
        config: &SmogConfig,
    ) -> Result<Self, GpError> {
        let prepared: Vec<_> = meta
            .tasks()
            .iter()
            .map(|task| Arc::new(task.gp.prepare(x)))
            .collect();
        let normalization = Normalization::new(meta, scaling, config);
        Self::assemble(meta, &prepared, &normalization, x, y, params, config)
    }

    pub(super) fn assemble(
        meta: &Arc<MetaModels>,
        prepared: &[Arc<PreparedAnchors>],
        normalization: &Normalization,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        params: SmogParams,
        config: &SmogConfig,
    ) -> Result<Self, GpError> {
        let (n, m) = (x.nrows(), meta.num_objectives());
        assert!(
            y.nrows() == n
                && y.ncols() == m
                && params.weights.nrows() == prepared.len()
                && params.weights.ncols() == m,
            "{n} points with {}×{} costs and {}×{} weights for {} tasks and {m} objectives",
            y.nrows(),
            y.ncols(),
            params.weights.nrows(),
            params.weights.ncols(),
            prepared.len()
        );
        let effective = normalization.pruned(&params.weights, config.pruning_threshold);
        let mut components = Vec::new();
        for (t, target) in prepared.iter().enumerate() {
            let weights: Vec<f64> = (0..m).map(|o| effective[(t, o)]).collect();
            if weights.iter().any(|w| w.abs() > 0.0) {
                let (source, target) = (Source::Task(t), Arc::clone(target));
                components.push(Component {
                    source,
                    weights,
                    target,
                });
            }
        }
        if let Some(residual) = &params.residual {
            // The noise of a prior without data is never used.
            let prior = MultiOutputGp::prior(
                m,
                MultiOutputParams::equicorrelated(
                    config.kernel,
                    residual.lengthscales.clone(),
                    residual.variance,
                    residual.rho,
                    params.noise,
                ),
            );
            let target = Arc::new(prior.prepare(x));
            let source = Source::Residual(Box::new(prior));
            components.push(Component {
                source,
                weights: vec![1.0; m],
                target,
            });
        }

        let constant = normalization.constant(&params.weights);
        let scaling = normalization.target.clone();
        let mut covariance = Mat::zeros(n * m, n * m);
        let mut alpha: Vec<f64> = (0..m)
            .flat_map(|o| (0..n).map(move |i| (i, o)))
            .map(|(i, o)| scaling.apply(o, y[(i, o)]) - constant[o])
            .collect();
        for component in &components {
            component
                .target
                .covariance()
                .add_weighted_to(&component.weights, covariance.as_mut());
            let mean = component.target.mean();
            for o in 0..m {
                for i in 0..n {
                    alpha[o * n + i] -= component.weights[o] * mean[(i, o)];
                }
            }
        }
        for k in 0..n * m {
            covariance[(k, k)] += params.noise;
        }
        let (mut whiten, mut jitter, mut log_marginal_likelihood) = (Mat::zeros(0, 0), 0.0, 0.0);
        if n > 0 {
            let factor = JitteredCholesky::factorize(covariance.as_ref(), JitterPolicy::default())?;
            let residuals = alpha.clone();
            factor.solve_slice_in_place(&mut alpha);
            log_marginal_likelihood = -0.5
                * (dot(&residuals, &alpha)
                    + factor.log_det()
                    + (n * m) as f64 * (2.0 * std::f64::consts::PI).ln());
            jitter = factor.jitter();
            whiten = factor.inverse_factor();
        }
        Ok(Self {
            meta: Arc::clone(meta),
            components,
            params,
            scaling,
            constant,
            x: x.to_owned(),
            alpha,
            whiten,
            log_marginal_likelihood,
            jitter,
        })
    }

    /// The hyperparameters.
    pub fn params(&self) -> &SmogParams {
        &self.params
    }

    /// The map between costs and the standardised space of the hyperparameters.
    pub fn scaling(&self) -> &OutcomeScaling {
        &self.scaling
    }

    /// Log density of the standardised target costs given the meta-data.
    pub fn log_marginal_likelihood(&self) -> f64 {
        self.log_marginal_likelihood
    }

    /// Jitter added to the covariance of the target's data; usually 0.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Positions, among the used meta-tasks, of those that predictions still depend on.
    pub fn active_tasks(&self) -> Vec<usize> {
        self.components
            .iter()
            .filter_map(|component| match component.source {
                Source::Task(t) => Some(t),
                Source::Residual(_) => None,
            })
            .collect()
    }

    pub(super) fn gp<'a>(&'a self, component: &'a Component) -> &'a MultiOutputGp {
        match &component.source {
            Source::Task(t) => &self.meta.tasks[*t].gp,
            Source::Residual(gp) => gp,
        }
    }

    pub(super) fn apply_whiten(&self, b: &Mat<f64>) -> Mat<f64> {
        let mut out = Mat::zeros(self.whiten.nrows(), b.ncols());
        if out.nrows() > 0 && out.ncols() > 0 {
            lower_matmul(out.as_mut(), self.whiten.as_ref(), b.as_ref());
        }
        out
    }

    pub(super) fn apply_whiten_transpose(&self, b: &Mat<f64>) -> Mat<f64> {
        let mut out = Mat::zeros(self.whiten.nrows(), b.ncols());
        if out.nrows() > 0 && out.ncols() > 0 {
            lower_transpose_matmul(out.as_mut(), self.whiten.as_ref(), b.as_ref());
        }
        out
    }

    pub(super) fn add_correction(&self, target: &Mat<f64>, mean: &mut Mat<f64>) {
        let q = mean.nrows();
        for (k, column) in (0..target.ncols()).map(|k| (k, target.col_as_slice(k))) {
            mean[(k % q, k / q)] += dot(column, &self.alpha);
        }
    }

    pub(super) fn own_units(&self, mean: &Mat<f64>) -> Mat<f64> {
        Mat::from_fn(mean.nrows(), mean.ncols(), |i, o| {
            self.scaling.undo(o, mean[(i, o)])
        })
    }
}

/// Points predicted at once: their temporaries stay in the cache.
const CHUNK: usize = 64;

impl SmogModel {
    fn predict_chunk(&self, x: MatRef<'_, f64>) -> Marginals {
        let (q, m, n) = (x.nrows(), self.num_outputs(), self.x.nrows());
        let mut mean = Mat::from_fn(q, m, |_, o| self.constant[o]);
        let mut variance = Mat::<f64>::zeros(q, m);
        let mut target = Mat::zeros(n * m, q * m);
        for component in &self.components {
            let weights = &component.weights;
            let answer = self
                .gp(component)
                .marginals_standardized(&component.target, x);
            add_weighted_mean(weights, &answer.mean, &mut mean);
            for o in 0..m {
                for i in 0..q {
                    variance[(i, o)] += weights[o] * weights[o] * answer.variance[(i, o)];
                }
            }
            answer.cross.add_weighted_to(weights, target.as_mut());
        }
        self.add_correction(&target, &mut mean);
        let v = self.apply_whiten(&target);
        let deviations = self.scaling.deviations();
        let variance = Mat::from_fn(q, m, |i, o| {
            let column = v.col_as_slice(o * q + i);
            let explained = if n == 0 { 0.0 } else { dot(column, column) };
            (variance[(i, o)] - explained).max(0.0) * deviations[o] * deviations[o]
        });
        Marginals {
            mean: self.own_units(&mean),
            variance,
        }
    }
}

pub(super) fn add_weighted_mean(weights: &[f64], mean: &Mat<f64>, out: &mut Mat<f64>) {
    for o in 0..mean.ncols() {
        for i in 0..mean.nrows() {
            out[(i, o)] += weights[o] * mean[(i, o)];
        }
    }
}

impl Surrogate for SmogModel {
    fn input_dim(&self) -> usize {
        self.meta.input_dim()
    }

    fn num_outputs(&self) -> usize {
        self.meta.num_objectives()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let m = self.num_outputs();
        let mut out = Marginals {
            mean: Mat::zeros(x.nrows(), m),
            variance: Mat::zeros(x.nrows(), m),
        };
        for from in (0..x.nrows()).step_by(CHUNK) {
            let rows = CHUNK.min(x.nrows() - from);
            let part = self.predict_chunk(x.subrows(from, rows));
            out.mean
                .as_mut()
                .subrows_mut(from, rows)
                .copy_from(part.mean);
            out.variance
                .as_mut()
                .subrows_mut(from, rows)
                .copy_from(part.variance);
        }
        out
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let none = Mat::zeros(0, self.input_dim());
        let answer = Anchored::new(self, none.as_ref()).query(x);
        Ok(JointPosterior {
            mean: answer.mean,
            covariance: answer.covariance,
        })
    }
}

impl DifferentiableSurrogate for SmogModel {
    fn predict_gradient(
        &self,
        x: &[f64],
        dmean: MatMut<'_, f64>,
        dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (d, m, n) = (self.input_dim(), self.num_outputs(), self.x.nrows());
        let point = MatRef::from_row_major_slice(x, 1, d);
        let target = || {
            self.components
                .iter()
                .map(|component| component.target.as_ref())
        };
        let kernels = self.evaluate(target(), point);
        let prior = self.prior_cross(target(), &kernels, n, 1);
        let solved = self.apply_whiten_transpose(&self.apply_whiten(&prior));
        let deviations = self.scaling.deviations();
        marginal_gradients(dmean, dvariance, |of, mut gradient| {
            let mut mean = Mat::zeros(1, m);
            let mut covariance = Mat::zeros(m, m);
            let mut cross = Mat::zeros(n * m, m);
            match of {
                Marginal::Mean(o) => {
                    mean[(0, o)] = self.scaling.scale[o];
                    for (c, alpha) in cross.col_as_slice_mut(o).iter_mut().zip(&self.alpha) {
                        *c = self.scaling.scale[o] * alpha;
                    }
                }
                Marginal::Variance(o) => {
                    let square = deviations[o] * deviations[o];
                    covariance[(o, o)] = square;
                    let column = cross.col_as_slice_mut(o).iter_mut();
                    for (c, solved) in column.zip(solved.col_as_slice(o)) {
                        *c = -2.0 * square * solved;
                    }
                }
            }
            for (component, kernels) in self.components.iter().zip(&kernels) {
                self.gp(component).pullback_weighted(
                    &component.target,
                    kernels,
                    &component.weights,
                    mean.as_ref(),
                    covariance.as_ref(),
                    cross.as_ref(),
                    gradient.as_mut(),
                );
            }
        });
        let marginals = self.predict(MatRef::from_row_major_slice(x, 1, d));
        let row = |a: &Mat<f64>| (0..m).map(|o| a[(0, o)]).collect();
        (row(&marginals.mean), row(&marginals.variance))
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        Box::new(Anchored::new(self, anchors))
    }
}
