//! The posterior of the target: a weighted sum of meta-posteriors plus a residual, conditioned on
//! the target's data.

use std::sync::Arc;

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginal,
    Marginals, MultiOutputGp, MultiOutputParams, OutcomeScaling, PreparedAnchors, QueryKernels,
    Surrogate, marginal_gradients,
};
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, MatMut, MatRef, dot, lower_matmul, lower_transpose_matmul,
    matmul,
};

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
struct Component {
    source: Source,
    weights: Vec<f64>,
    target: Arc<PreparedAnchors>,
}

/// SMOG's model of the target, fitted or with given hyperparameters.
#[derive(Debug, Clone)]
pub struct SmogModel {
    meta: Arc<MetaModels>,
    components: Vec<Component>,
    params: SmogParams,
    scaling: OutcomeScaling,
    /// Constant part of the standardised prior mean, per objective.
    constant: Vec<f64>,
    x: Mat<f64>,
    alpha: Vec<f64>,
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

    fn gp<'a>(&'a self, component: &'a Component) -> &'a MultiOutputGp {
        match &component.source {
            Source::Task(t) => &self.meta.tasks[*t].gp,
            Source::Residual(gp) => gp,
        }
    }

    /// Each component's anchors: the target's points, then `anchors`.
    fn prepare(&self, anchors: MatRef<'_, f64>) -> Vec<Arc<PreparedAnchors>> {
        self.components
            .iter()
            .map(|component| {
                if anchors.nrows() == 0 {
                    Arc::clone(&component.target)
                } else {
                    Arc::new(self.gp(component).extend(&component.target, anchors))
                }
            })
            .collect()
    }

    fn apply_whiten(&self, b: &Mat<f64>) -> Mat<f64> {
        let mut out = Mat::zeros(self.whiten.nrows(), b.ncols());
        if out.nrows() > 0 && out.ncols() > 0 {
            lower_matmul(out.as_mut(), self.whiten.as_ref(), b.as_ref());
        }
        out
    }

    fn apply_whiten_transpose(&self, b: &Mat<f64>) -> Mat<f64> {
        let mut out = Mat::zeros(self.whiten.nrows(), b.ncols());
        if out.nrows() > 0 && out.ncols() > 0 {
            lower_transpose_matmul(out.as_mut(), self.whiten.as_ref(), b.as_ref());
        }
        out
    }

    fn add_correction(&self, target: &Mat<f64>, mean: &mut Mat<f64>) {
        let q = mean.nrows();
        for (k, column) in (0..target.ncols()).map(|k| (k, target.col_as_slice(k))) {
            mean[(k % q, k / q)] += dot(column, &self.alpha);
        }
    }

    fn own_units(&self, mean: &Mat<f64>) -> Mat<f64> {
        Mat::from_fn(mean.nrows(), mean.ncols(), |i, o| {
            self.scaling.undo(o, mean[(i, o)])
        })
    }

    /// The prior of the queries, jointly with the target's points and the anchors.
    fn prior(
        &self,
        prepared: &[Arc<PreparedAnchors>],
        anchors: usize,
        x: MatRef<'_, f64>,
    ) -> Joint {
        let (q, m) = (x.nrows(), self.num_outputs());
        let all = self.x.nrows() + anchors;
        let mut mean = Mat::from_fn(q, m, |_, o| self.constant[o]);
        let mut covariance = Mat::zeros(q * m, q * m);
        let mut cross = Mat::zeros(all * m, q * m);
        for (component, prepared) in self.components.iter().zip(prepared) {
            let weights = &component.weights;
            let gp = self.gp(component);
            let answer = gp.query_standardized(prepared, &gp.evaluate(prepared, x, false));
            add_weighted_mean(weights, &answer.mean, &mut mean);
            answer
                .covariance
                .add_weighted_to(weights, covariance.as_mut());
            answer.cross.add_weighted_to(weights, cross.as_mut());
        }
        let (target, anchors) = self.split(&cross);
        Joint {
            mean,
            covariance,
            target,
            anchors,
        }
    }

    /// Rows of the target's points and rows of the anchors, both objective-major.
    fn split(&self, cross: &Mat<f64>) -> (Mat<f64>, Mat<f64>) {
        let (n, m) = (self.x.nrows(), self.num_outputs());
        let all = cross.nrows() / m;
        let a = all - n;
        let mut target = Mat::zeros(n * m, cross.ncols());
        let mut anchors = Mat::zeros(a * m, cross.ncols());
        for k in 0..cross.ncols() {
            let column = cross.col_as_slice(k);
            for o in 0..m {
                let (first, second) = column[o * all..(o + 1) * all].split_at(n);
                target.col_as_slice_mut(k)[o * n..(o + 1) * n].copy_from_slice(first);
                anchors.col_as_slice_mut(k)[o * a..(o + 1) * a].copy_from_slice(second);
            }
        }
        (target, anchors)
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

struct Joint {
    mean: Mat<f64>,
    covariance: Mat<f64>,
    /// Target's points (rows) with queries (columns), `nO×qO`.
    target: Mat<f64>,
    /// Anchors (rows) with queries (columns), `aO×qO`.
    anchors: Mat<f64>,
}

fn add_weighted_mean(weights: &[f64], mean: &Mat<f64>, out: &mut Mat<f64>) {
    for o in 0..mean.ncols() {
        for i in 0..mean.nrows() {
            out[(i, o)] += weights[o] * mean[(i, o)];
        }
    }
}

/// `out −= aᵀb`.
fn subtract_product(a: &Mat<f64>, b: &Mat<f64>, out: &mut Mat<f64>) {
    if a.nrows() > 0 && out.nrows() > 0 && out.ncols() > 0 {
        warmfront_linalg::add_matmul_into(out.as_mut(), a.as_ref().transpose(), b.as_ref(), -1.0);
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
        let answer = self.anchored(none.as_ref()).query(x);
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
        let kernels = self.evaluate(self.components.iter().map(|c| &*c.target), point);
        let prior = self.prior_cross(self.components.iter().map(|c| &*c.target), &kernels, n, 1);
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
        Box::new(self.anchored(anchors))
    }
}

struct Anchored<'a> {
    model: &'a SmogModel,
    prepared: Vec<Arc<PreparedAnchors>>,
    /// `C⁻¹` times the prior covariance of the target's points with the anchors, `nO×aO`.
    reduction: Mat<f64>,
    joint: JointPosterior,
}

impl SmogModel {
    fn evaluate<'a>(
        &self,
        prepared: impl Iterator<Item = &'a PreparedAnchors>,
        x: MatRef<'_, f64>,
    ) -> Vec<QueryKernels> {
        self.components
            .iter()
            .zip(prepared)
            .map(|(component, prepared)| self.gp(component).evaluate(prepared, x, true))
            .collect()
    }

    /// Prior covariance of the target's points (the first of all `points`) with the queries.
    fn prior_cross<'a>(
        &self,
        prepared: impl Iterator<Item = &'a PreparedAnchors>,
        kernels: &[QueryKernels],
        points: usize,
        queries: usize,
    ) -> Mat<f64> {
        let m = self.num_outputs();
        let mut cross = Mat::zeros(points * m, queries * m);
        for ((component, prepared), kernels) in self.components.iter().zip(prepared).zip(kernels) {
            let answer = self.gp(component).cross_standardized(prepared, kernels);
            answer.add_weighted_to(&component.weights, cross.as_mut());
        }
        if points == self.x.nrows() {
            cross
        } else {
            self.split(&cross).0
        }
    }

    fn anchored(&self, anchors: MatRef<'_, f64>) -> Anchored<'_> {
        let m = self.num_outputs();
        let a = anchors.nrows();
        let prepared = self.prepare(anchors);
        let deviations = self.scaling.deviations();
        let (n, all) = (self.x.nrows(), self.x.nrows() + a);
        // Prior of target points and anchors, from what the components have ready.
        let mut mean = Mat::from_fn(a, m, |_, o| self.constant[o]);
        let mut covariance = Mat::zeros(a * m, a * m);
        let mut target = Mat::zeros(n * m, a * m);
        if a > 0 {
            let mut cross = Mat::zeros(all * m, all * m);
            for (component, prepared) in self.components.iter().zip(&prepared) {
                let weights = &component.weights;
                prepared
                    .covariance()
                    .add_weighted_to(weights, cross.as_mut());
                let own = prepared.mean();
                for o in 0..m {
                    for i in 0..a {
                        mean[(i, o)] += weights[o] * own[(n + i, o)];
                    }
                }
            }
            let (rows_target, rows_anchors) = self.split(&cross);
            for o in 0..m {
                for j in 0..a {
                    let (from, to) = (o * all + n + j, o * a + j);
                    target
                        .col_as_slice_mut(to)
                        .copy_from_slice(rows_target.col_as_slice(from));
                    covariance
                        .col_as_slice_mut(to)
                        .copy_from_slice(rows_anchors.col_as_slice(from));
                }
            }
            self.add_correction(&target, &mut mean);
        }
        let v = self.apply_whiten(&target);
        subtract_product(&v, &v, &mut covariance);
        let covariance = scale(&covariance, &deviations, a, a);
        let joint = JointPosterior {
            mean: self.own_units(&mean),
            covariance,
        };
        Anchored {
            model: self,
            reduction: self.apply_whiten_transpose(&v),
            prepared,
            joint,
        }
    }
}

/// Multiplies the entry of outputs `o`, `p` by `s_o s_p`; blocks are `r×c`.
fn scale(matrix: &Mat<f64>, s: &[f64], r: usize, c: usize) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| {
        matrix[(i, j)] * s[i / r] * s[j / c]
    })
}

impl AnchoredPosterior for Anchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let model = self.model;
        let (q, a) = (x.nrows(), self.joint.mean.nrows());
        let Joint {
            mut mean,
            mut covariance,
            target,
            anchors,
        } = model.prior(&self.prepared, a, x);
        let deviations = model.scaling.deviations();
        model.add_correction(&target, &mut mean);
        let v = model.apply_whiten(&target);
        subtract_product(&v, &v, &mut covariance);
        let mut cross = anchors;
        subtract_product(&self.reduction, &target, &mut cross);
        AnchoredQuery {
            mean: model.own_units(&mean),
            covariance: scale(&covariance, &deviations, q, q),
            cross: Mat::from_fn(cross.ncols(), cross.nrows(), |i, j| {
                cross[(j, i)] * deviations[i / q] * deviations[j / a]
            }),
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        let model = self.model;
        let (q, m, n, a) = (
            x.nrows(),
            model.num_outputs(),
            model.x.nrows(),
            self.joint.mean.nrows(),
        );
        let s = model.scaling.deviations();
        // Adjoints in standardised units; the mean is scaled by the scale itself, not its bounded
        // deviation.
        let mean = Mat::from_fn(q, m, |i, o| adjoint.mean[(i, o)] * model.scaling.scale[o]);
        let covariance = scale(&adjoint.covariance, &s, q, q);
        let anchors = Mat::from_fn(a * m, q * m, |j, i| {
            adjoint.cross[(i, j)] * s[i / q] * s[j / a]
        });

        let prepared = || self.prepared.iter().map(Arc::as_ref);
        let kernels = model.evaluate(prepared(), x);
        // Derivatives by the prior covariance of the target's points with the queries.
        let mut target = Mat::<f64>::zeros(n * m, q * m);
        if n > 0 {
            let prior = model.prior_cross(prepared(), &kernels, n + a, q);
            let solved = model.apply_whiten_transpose(&model.apply_whiten(&prior));
            let both = Mat::from_fn(q * m, q * m, |i, j| covariance[(i, j)] + covariance[(j, i)]);
            target = matmul(solved.as_ref(), both.as_ref());
            if a > 0 {
                let more = matmul(self.reduction.as_ref(), anchors.as_ref());
                target = Mat::from_fn(n * m, q * m, |i, j| target[(i, j)] + more[(i, j)]);
            }
            target = Mat::from_fn(n * m, q * m, |i, j| {
                model.alpha[i] * mean[(j % q, j / q)] - target[(i, j)]
            });
        }
        let all = n + a;
        let cross = Mat::from_fn(all * m, q * m, |i, j| {
            let (o, k) = (i / all, i % all);
            if k < n {
                target[(o * n + k, j)]
            } else {
                anchors[(o * a + k - n, j)]
            }
        });

        gradient.fill(0.0);
        for ((component, prepared), kernels) in
            model.components.iter().zip(&self.prepared).zip(&kernels)
        {
            model.gp(component).pullback_weighted(
                prepared,
                kernels,
                &component.weights,
                mean.as_ref(),
                covariance.as_ref(),
                cross.as_ref(),
                gradient.as_mut(),
            );
        }
    }
}
