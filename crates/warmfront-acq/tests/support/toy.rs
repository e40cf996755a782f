//! Small Gaussian models in closed form.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate uses its own part"
)]

use warmfront_gp::{
    AnchoredPosterior, AnchoredQuery, DifferentiableSurrogate, GpError, JointPosterior, Marginals,
    Surrogate,
};
use warmfront_linalg::{JitterPolicy, JitteredCholesky, Mat, MatMut, MatRef};

/// A posterior that is the same everywhere: independent outputs with given mean and deviation.
pub struct Fixed {
    pub mean: Vec<f64>,
    pub sd: Vec<f64>,
}

impl Surrogate for Fixed {
    fn input_dim(&self) -> usize {
        1
    }

    fn num_outputs(&self) -> usize {
        self.mean.len()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let m = self.mean.len();
        Marginals {
            mean: Mat::from_fn(x.nrows(), m, |_, o| self.mean[o]),
            variance: Mat::from_fn(x.nrows(), m, |_, o| self.sd[o].powi(2)),
        }
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        let (n, m) = (x.nrows(), self.mean.len());
        Ok(JointPosterior {
            mean: self.predict(x).mean,
            covariance: Mat::from_fn(n * m, n * m, |i, j| {
                if i / n == j / n {
                    self.sd[i / n].powi(2)
                } else {
                    0.0
                }
            }),
        })
    }
}

impl DifferentiableSurrogate for Fixed {
    fn predict_gradient(
        &self,
        _: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        dmean.fill(0.0);
        dvariance.fill(0.0);
        (self.mean.clone(), self.sd.iter().map(|s| s * s).collect())
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        Box::new(FixedAnchored {
            model: self,
            joint: self.posterior(anchors).expect("closed form"),
        })
    }
}

struct FixedAnchored<'a> {
    model: &'a Fixed,
    joint: JointPosterior,
}

impl AnchoredPosterior for FixedAnchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let JointPosterior { mean, covariance } = self.model.posterior(x).expect("closed form");
        let (q, m, a) = (x.nrows(), mean.ncols(), self.joint.mean.nrows());
        AnchoredQuery {
            mean,
            covariance,
            cross: Mat::from_fn(q * m, a * m, |i, j| {
                if i / q == j / a {
                    self.model.sd[i / q].powi(2)
                } else {
                    0.0
                }
            }),
        }
    }

    fn pullback(&self, _: MatRef<'_, f64>, _: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        gradient.fill(0.0);
    }
}

/// Bayesian linear regression on random cosine features; outputs are correlated as `coupling` says.
pub struct Features {
    frequencies: Mat<f64>,
    phases: Vec<f64>,
    /// Posterior mean of the weights, `p×m`.
    weights: Mat<f64>,
    /// Posterior covariance of the weights up to the factor `coupling`, `p×p`.
    covariance: Mat<f64>,
    /// Covariance between outputs, `m×m`.
    coupling: Mat<f64>,
}

const FEATURES: usize = 60;

impl Features {
    /// Conditions on `y` (`n×m`) at `x` (`n×d`).
    pub fn fit(x: &Mat<f64>, y: &Mat<f64>, coupling: Mat<f64>, noise: f64) -> Self {
        let (n, d, p) = (x.nrows(), x.ncols(), FEATURES);
        let pseudo = |k: usize| ((k as f64 + 1.0) * 12.9898).sin() * 43758.5453 % 1.0;
        let mut model = Self {
            frequencies: Mat::from_fn(p, d, |k, j| 4.0 * pseudo(3 * k + 101 * j)),
            phases: (0..p).map(|k| 6.3 * pseudo(k + 1000)).collect(),
            weights: Mat::zeros(p, y.ncols()),
            covariance: Mat::identity(p, p),
            coupling,
        };
        if n > 0 {
            let phi = Mat::from_fn(n, p, |i, k| model.feature(&row(x.as_ref(), i), k));
            let gram = &phi * phi.transpose()
                + Mat::from_fn(n, n, |i, j| if i == j { noise } else { 0.0 });
            let chol = JitteredCholesky::factorize(gram.as_ref(), JitterPolicy::default())
                .expect("jittered");
            let mut alpha = y.clone();
            chol.solve_in_place(alpha.as_mut());
            model.weights = phi.transpose() * &alpha;
            let mut solved = phi.clone();
            chol.solve_in_place(solved.as_mut());
            model.covariance = Mat::<f64>::identity(p, p) - phi.transpose() * &solved;
        }
        model
    }

    fn feature(&self, x: &[f64], k: usize) -> f64 {
        let angle: f64 = (0..x.len()).map(|j| self.frequencies[(k, j)] * x[j]).sum();
        (2.0 / FEATURES as f64).sqrt() * (angle + self.phases[k]).cos()
    }

    fn slope(&self, x: &[f64], k: usize, j: usize) -> f64 {
        let angle: f64 = (0..x.len()).map(|j| self.frequencies[(k, j)] * x[j]).sum();
        -(2.0 / FEATURES as f64).sqrt() * (angle + self.phases[k]).sin() * self.frequencies[(k, j)]
    }

    fn phi(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        Mat::from_fn(x.nrows(), FEATURES, |i, k| self.feature(&row(x, i), k))
    }

    /// Covariance between outputs at two sets of points, stacked objective-major.
    fn cross(&self, a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
        let k = self.phi(a) * &self.covariance * self.phi(b).transpose();
        let m = self.coupling.nrows();
        let (na, nb) = (a.nrows(), b.nrows());
        Mat::from_fn(na * m, nb * m, |i, j| {
            self.coupling[(i / na, j / nb)] * k[(i % na, j % nb)]
        })
    }
}

fn row(x: MatRef<'_, f64>, i: usize) -> Vec<f64> {
    x.row(i).iter().copied().collect()
}

impl Surrogate for Features {
    fn input_dim(&self) -> usize {
        self.frequencies.ncols()
    }

    fn num_outputs(&self) -> usize {
        self.coupling.nrows()
    }

    fn predict(&self, x: MatRef<'_, f64>) -> Marginals {
        let joint = self.posterior(x).expect("closed form");
        let n = x.nrows();
        Marginals {
            variance: Mat::from_fn(n, self.num_outputs(), |i, o| {
                joint.covariance[(o * n + i, o * n + i)].max(0.0)
            }),
            mean: joint.mean,
        }
    }

    fn posterior(&self, x: MatRef<'_, f64>) -> Result<JointPosterior, GpError> {
        Ok(JointPosterior {
            mean: self.phi(x) * &self.weights,
            covariance: self.cross(x, x),
        })
    }
}

impl DifferentiableSurrogate for Features {
    fn predict_gradient(
        &self,
        x: &[f64],
        mut dmean: MatMut<'_, f64>,
        mut dvariance: MatMut<'_, f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let view = MatRef::from_row_major_slice(x, 1, x.len());
        let phi = self.phi(view);
        let c_phi = &self.covariance * phi.transpose();
        let m = self.num_outputs();
        for j in 0..x.len() {
            for o in 0..m {
                let (mut mean, mut variance) = (0.0, 0.0);
                for k in 0..FEATURES {
                    let slope = self.slope(x, k, j);
                    mean += slope * self.weights[(k, o)];
                    variance += 2.0 * slope * c_phi[(k, 0)] * self.coupling[(o, o)];
                }
                dmean[(j, o)] = mean;
                dvariance[(j, o)] = variance;
            }
        }
        let marginals = self.predict(view);
        (
            (0..m).map(|o| marginals.mean[(0, o)]).collect(),
            (0..m).map(|o| marginals.variance[(0, o)]).collect(),
        )
    }

    fn anchor(&self, anchors: MatRef<'_, f64>) -> Box<dyn AnchoredPosterior + '_> {
        Box::new(FeaturesAnchored {
            model: self,
            joint: self.posterior(anchors).expect("closed form"),
            anchors: anchors.to_owned(),
        })
    }
}

struct FeaturesAnchored<'a> {
    model: &'a Features,
    anchors: Mat<f64>,
    joint: JointPosterior,
}

impl AnchoredPosterior for FeaturesAnchored<'_> {
    fn anchors(&self) -> &JointPosterior {
        &self.joint
    }

    fn query(&self, x: MatRef<'_, f64>) -> AnchoredQuery {
        let JointPosterior { mean, covariance } = self.model.posterior(x).expect("closed form");
        AnchoredQuery {
            mean,
            covariance,
            cross: self.model.cross(x, self.anchors.as_ref()),
        }
    }

    fn pullback(&self, x: MatRef<'_, f64>, adjoint: &AnchoredQuery, mut gradient: MatMut<'_, f64>) {
        let (model, q) = (self.model, x.nrows());
        let (m, a) = (model.num_outputs(), self.anchors.nrows());
        let c_x = &model.covariance * model.phi(x).transpose();
        let c_a = &model.covariance * model.phi(self.anchors.as_ref()).transpose();
        for i in 0..q {
            let point = row(x, i);
            for j in 0..x.ncols() {
                let mut total = 0.0;
                for k in 0..FEATURES {
                    let mut weight = 0.0;
                    for o in 0..m {
                        let r = o * q + i;
                        weight += adjoint.mean[(i, o)] * model.weights[(k, o)];
                        for p in 0..m {
                            let b = model.coupling[(o, p)];
                            for i2 in 0..q {
                                let c = p * q + i2;
                                weight += b
                                    * (adjoint.covariance[(r, c)] + adjoint.covariance[(c, r)])
                                    * c_x[(k, i2)];
                            }
                            for j2 in 0..a {
                                weight += b * adjoint.cross[(r, p * a + j2)] * c_a[(k, j2)];
                            }
                        }
                    }
                    total += weight * model.slope(&point, k, j);
                }
                gradient[(i, j)] = total;
            }
        }
    }
}

/// Deterministic numbers in (0, 1).
pub fn uniform(n: usize, d: usize, salt: f64) -> Mat<f64> {
    Mat::from_fn(n, d, |i, j| {
        ((((i * 31 + j * 17) as f64 + salt) * 78.233).sin() * 43758.5453).rem_euclid(1.0)
    })
}

/// Two or more conflicting costs of a point.
pub fn conflicting(x: &Mat<f64>, m: usize) -> Mat<f64> {
    Mat::from_fn(x.nrows(), m, |i, o| {
        let centre = o as f64 / (m.max(2) - 1) as f64;
        (0..x.ncols())
            .map(|j| (x[(i, j)] - if j == 0 { centre } else { 0.4 }).powi(2))
            .sum()
    })
}

/// Unit variances with one common correlation.
pub fn coupling(m: usize, correlation: f64) -> Mat<f64> {
    Mat::from_fn(m, m, |i, j| if i == j { 1.0 } else { correlation })
}

/// Central differences at a step small against the kinks of sampled improvements.
pub fn numeric_gradient(x: &Mat<f64>, f: impl Fn(MatRef<'_, f64>) -> f64) -> Mat<f64> {
    let h = 1e-6;
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
        let (mut up, mut down) = (x.clone(), x.clone());
        up[(i, j)] += h;
        down[(i, j)] -= h;
        (f(up.as_ref()) - f(down.as_ref())) / (2.0 * h)
    })
}
