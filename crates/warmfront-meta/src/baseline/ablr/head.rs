//! Bayesian linear regression on fixed features: evidence, its derivatives, and the posterior as a surrogate.

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Standardization, Surrogate,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatMut, MatRef, matmul};
use warmfront_math::lbfgsb::{LbfgsbConfig, minimize};

use super::network::{Activations, Network};

/// Bounds of log α and log β: wide enough for any standardized data, narrow enough to stay finite.
pub(super) const LOG_PRECISION: (f64, f64) = (-12.0, 14.0);

/// What the meta-tasks say about a task not seen yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadPrior {
    /// Mean of log α over the meta-tasks.
    pub(super) log_alpha: f64,
    /// Mean of log β over the meta-tasks.
    pub(super) log_beta: f64,
    /// Mean over the meta-tasks of the mean cost.
    pub(super) location: f64,
    /// Mean over the meta-tasks of the costs' standard deviation.
    pub(super) scale: f64,
}

/// Log evidence of one task and what its derivatives need.
pub(super) struct Evidence {
    pub(super) value: f64,
    pub(super) d_log_alpha: f64,
    pub(super) d_log_beta: f64,
    /// Posterior mean of the weights, `D`.
    pub(super) mean: Vec<f64>,
    /// Posterior covariance of the weights, `D×D`.
    pub(super) covariance: Mat<f64>,
}

/// Evidence of `y = Φw + noise`, `w ~ N(0, α⁻¹I)`, noise precision β (*Bishop 2006*, eq. 3.86).
pub(super) fn evidence(
    features: MatRef<'_, f64>,
    y: &[f64],
    log_alpha: f64,
    log_beta: f64,
) -> Result<Evidence, GpError> {
    let (n, d) = (features.nrows(), features.ncols());
    let (alpha, beta) = (log_alpha.exp(), log_beta.exp());
    let gram = matmul(features.transpose(), features);
    let mut precision = Mat::from_fn(d, d, |i, j| beta * gram[(i, j)]);
    for i in 0..d {
        precision[(i, i)] += alpha;
    }
    let factor = JitteredCholesky::factorize(precision.as_ref(), JitterPolicy::default())
        .map_err(GpError::from)?;
    let covariance = factor.inverse();
    let y_column = Mat::from_fn(n, 1, |i, _| y[i]);
    let projected = matmul(features.transpose(), y_column.as_ref());
    let mean: Vec<f64> = (0..d)
        .map(|i| {
            beta * (0..d)
                .map(|j| covariance[(i, j)] * projected[(j, 0)])
                .sum::<f64>()
        })
        .collect();
    let misfit: f64 = residual(features, y, &mean).iter().map(|r| r * r).sum();
    let norm: f64 = mean.iter().map(|w| w * w).sum();
    let trace_covariance: f64 = (0..d).map(|i| covariance[(i, i)]).sum();
    let trace_gram: f64 = (0..d)
        .map(|j| {
            (0..d)
                .map(|i| covariance[(i, j)] * gram[(i, j)])
                .sum::<f64>()
        })
        .sum();
    let value = 0.5
        * (d as f64 * log_alpha + n as f64 * (log_beta - std::f64::consts::TAU.ln())
            - beta * misfit
            - alpha * norm
            - factor.log_det());
    Ok(Evidence {
        value,
        // The posterior mean maximises the exponent, so only the explicit dependence counts.
        d_log_alpha: 0.5 * (d as f64 - alpha * (norm + trace_covariance)),
        d_log_beta: 0.5 * (n as f64 - beta * (misfit + trace_gram)),
        mean,
        covariance,
    })
}

/// `y − Φw`.
pub(super) fn residual(features: MatRef<'_, f64>, y: &[f64], weights: &[f64]) -> Vec<f64> {
    (0..features.nrows())
        .map(|i| {
            y[i] - weights
                .iter()
                .enumerate()
                .map(|(j, w)| features[(i, j)] * w)
                .sum::<f64>()
        })
        .collect()
}

/// The posterior of one objective of the target.
#[derive(Debug, Clone)]
pub(super) struct Head {
    network: Network,
    /// Posterior mean of the weights times the scale of the costs.
    weights: Vec<f64>,
    /// Posterior covariance of the weights times the squared scale.
    covariance: Mat<f64>,
    location: f64,
}

impl Head {
    /// Fits α and β to the target's data (`x: n×d`, raw costs `y`), MAP under the meta-tasks' prior.
    pub(super) fn fit(
        network: Network,
        prior: &HeadPrior,
        spread: f64,
        x: MatRef<'_, f64>,
        y: &[f64],
    ) -> Result<Self, GpError> {
        let standardization = standardization(y, prior);
        let standardized: Vec<f64> = y.iter().map(|v| standardization.apply(*v)).collect();
        let activations = network.forward(x);
        let features = activations.features().as_ref();
        let mut objective = |p: &[f64], gradient: &mut [f64]| {
            let Ok(e) = evidence(features, &standardized, p[0], p[1]) else {
                gradient.fill(0.0);
                return f64::INFINITY;
            };
            let (a, b) = (
                (p[0] - prior.log_alpha) / spread,
                (p[1] - prior.log_beta) / spread,
            );
            gradient[0] = a / spread - e.d_log_alpha;
            gradient[1] = b / spread - e.d_log_beta;
            0.5 * (a * a + b * b) - e.value
        };
        let (low, high) = LOG_PRECISION;
        let start = [prior.log_alpha, prior.log_beta];
        let best = minimize(
            &mut objective,
            &start,
            &[low; 2],
            &[high; 2],
            &LbfgsbConfig::default(),
        );
        let e = evidence(features, &standardized, best.x[0], best.x[1])?;
        let d = e.mean.len();
        Ok(Self {
            weights: e.mean.iter().map(|w| w * standardization.scale()).collect(),
            covariance: Mat::from_fn(d, d, |i, j| {
                e.covariance[(i, j)] * standardization.variance_factor()
            }),
            location: standardization.shift(),
            network,
        })
    }

    fn features(&self, x: MatRef<'_, f64>) -> Activations {
        assert!(
            x.ncols() == self.network.inputs(),
            "expected {} columns, got {}",
            self.network.inputs(),
            x.ncols()
        );
        self.network.forward(x)
    }

    fn mean_at(&self, features: MatRef<'_, f64>) -> Mat<f64> {
        Mat::from_fn(features.nrows(), 1, |i, _| {
            self.location
                + self
                    .weights
                    .iter()
                    .enumerate()
                    .map(|(j, w)| features[(i, j)] * w)
                    .sum::<f64>()
        })
    }
}

/// The target's own standardisation; the meta-tasks' where it has too few observations for one.
fn standardization(y: &[f64], prior: &HeadPrior) -> Standardization {
    match y.len() {
        0 => Standardization::new(prior.location, prior.scale),
        1 | 2 => Standardization::new(Standardization::of(y).shift(), prior.scale),
        _ => Standardization::of(y),
    }
}

impl Surrogate for Head {
    fn input_dim(&self) -> usize {
        self.network.inputs()
    }

    fn num_outputs(&self) -> usize {
        1
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let activations = self.features(x);
        let features = activations.features();
        let spread = matmul(features.as_ref(), self.covariance.as_ref());
        let variance = Mat::from_fn(x.nrows(), 1, |i, _| {
            (0..features.ncols())
                .map(|j| spread[(i, j)] * features[(i, j)])
                .sum::<f64>()
                .max(0.0)
        });
        Marginals {
            mean: self.mean_at(features.as_ref()),
            variance,
        }
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let activations = self.features(x);
        let features = activations.features();
        let spread = matmul(features.as_ref(), self.covariance.as_ref());
        Ok(JointPosterior {
            mean: self.mean_at(features.as_ref()),
            covariance: matmul(spread.as_ref(), features.as_ref().transpose()),
        })
    }
}

impl DifferentiableSurrogate for Head {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let row = Mat::from_fn(1, x.len(), |_, k| x[k]);
        let activations = self.features(row.as_ref());
        let features = activations.features();
        let spread = matmul(features.as_ref(), self.covariance.as_ref());
        let d_mean = Mat::from_fn(1, features.ncols(), |_, j| self.weights[j]);
        let d_variance = Mat::from_fn(1, features.ncols(), |_, j| 2.0 * spread[(0, j)]);
        let from_mean = self.network.backward(&activations, d_mean, None);
        let from_variance = self.network.backward(&activations, d_variance, None);
        for k in 0..x.len() {
            dmean[(k, 0)] = from_mean[(0, k)];
            dvariance[(k, 0)] = from_variance[(0, k)];
        }
        let variance: f64 = (0..features.ncols())
            .map(|j| spread[(0, j)] * features[(0, j)])
            .sum();
        (
            vec![self.mean_at(features.as_ref())[(0, 0)]],
            vec![variance.max(0.0)],
        )
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        let activations = self.features(anchors);
        let features = activations.features();
        let spread = matmul(self.covariance.as_ref(), features.as_ref().transpose());
        let joint = JointPosterior {
            mean: self.mean_at(features.as_ref()),
            covariance: matmul(features.as_ref(), spread.as_ref()),
        };
        Box::new(AnchoredHead {
            head: self,
            spread,
            joint,
        })
    }
}

struct AnchoredHead<'a> {
    head: &'a Head,
    /// Weight covariance times the anchors' features, `D×a`.
    spread: Mat<f64>,
    joint: JointPosterior,
}

impl AnchoredPosterior for AnchoredHead<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let activations = self.head.features(x);
        let features = activations.features();
        let own = matmul(features.as_ref(), self.head.covariance.as_ref());
        AnchoredQuery {
            mean: self.head.mean_at(features.as_ref()),
            covariance: matmul(own.as_ref(), features.as_ref().transpose()),
            cross: matmul(features.as_ref(), self.spread.as_ref()),
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        let activations = self.head.features(x);
        let features = activations.features();
        let own = matmul(features.as_ref(), self.head.covariance.as_ref());
        let q = x.nrows();
        let symmetric = Mat::from_fn(q, q, |i, j| {
            adjoint.covariance[(i, j)] + adjoint.covariance[(j, i)]
        });
        let from_covariance = matmul(symmetric.as_ref(), own.as_ref());
        let from_cross = matmul(adjoint.cross.as_ref(), self.spread.as_ref().transpose());
        let d_features = Mat::from_fn(q, features.ncols(), |i, j| {
            adjoint.mean[(i, 0)] * self.head.weights[j]
                + from_covariance[(i, j)]
                + from_cross[(i, j)]
        });
        gradient.copy_from(self.head.network.backward(&activations, d_features, None));
    }
}
