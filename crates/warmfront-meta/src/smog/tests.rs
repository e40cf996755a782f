mod acceptance;
mod data;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Costs, Observation, Outcome, TaskRecord, TrialId, UnitPoint};
use warmfront_gp::{
    AnchoredQuery, KernelKind, MultiOutputData, MultiOutputGp, MultiOutputParams, OutcomeScaling,
    RhoConfig, Surrogate,
};
use warmfront_math::distribution::open_uniform;
use warmfront_testkit::{Golden, assert_all_close, assert_close, check_gradient};

use super::*;

fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn uniform(n: usize, d: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    Mat::from_fn(n, d, |_, _| open_uniform(rng))
}

fn flat(a: MatRef<'_, f64>) -> Vec<f64> {
    (0..a.ncols())
        .flat_map(|j| (0..a.nrows()).map(move |i| (i, j)))
        .map(|at| a[at])
        .collect()
}

#[track_caller]
fn check_close(a: &Mat<f64>, b: &Mat<f64>, tolerance: f64, context: &str) {
    assert_eq!((a.nrows(), a.ncols()), (b.nrows(), b.ncols()), "{context}");
    assert_all_close(
        &flat(a.as_ref()),
        &flat(b.as_ref()),
        tolerance,
        tolerance,
        context,
    );
}

fn inner(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    flat(a.as_ref())
        .iter()
        .zip(flat(b.as_ref()))
        .map(|(a, b)| a * b)
        .sum()
}

/// A meta-task with given hyperparameters, without standardisation.
struct Task {
    data: MultiOutputData,
    params: MultiOutputParams,
}

/// A complete set of given hyperparameters and data, without standardisation anywhere.
struct Example {
    tasks: Vec<Task>,
    x: Mat<f64>,
    y: Mat<f64>,
    params: SmogParams,
    config: SmogConfig,
}

impl Example {
    fn objectives(&self) -> usize {
        self.y.ncols()
    }

    fn meta(&self) -> Arc<MetaModels> {
        let m = self.objectives();
        let models = self
            .tasks
            .iter()
            .map(|task| MetaModel {
                gp: MultiOutputGp::condition(
                    &task.data,
                    OutcomeScaling::identity(m),
                    task.params.clone(),
                )
                .unwrap(),
                report: FitReport::default(),
                level: vec![0.0; m],
                spread: vec![1.0; m],
            })
            .collect();
        let data: Vec<_> = self.tasks.iter().map(|task| task.data.clone()).collect();
        Arc::new(MetaModels::from_parts(self.x.ncols(), m, models, &data))
    }

    fn model(&self) -> SmogModel {
        SmogModel::condition(
            &self.meta(),
            self.x.as_ref(),
            self.y.as_ref(),
            OutcomeScaling::identity(self.objectives()),
            self.params.clone(),
            &self.config,
        )
        .unwrap()
    }

    fn random(tasks: usize, m: usize, d: usize, holes: bool, seed: u64) -> Self {
        let rng = &mut generator(seed);
        let (n_meta, n) = (7, 5);
        let wave = |x: &Mat<f64>, shift: f64| {
            Mat::from_fn(x.nrows(), m, |i, o| {
                let sum: f64 = (0..d).map(|k| x[(i, k)]).sum();
                (3.0 * sum + shift + 0.4 * o as f64).sin()
            })
        };
        let tasks = (0..tasks)
            .map(|t| {
                let x = uniform(n_meta, d, rng);
                let y = wave(&x, 0.3 * t as f64);
                let data = MultiOutputData::with_missing(x.as_ref(), y.as_ref(), |i, o| {
                    !holes || (i + o + t) % 3 != 0
                });
                let params = MultiOutputParams::equicorrelated(
                    KernelKind::Rbf,
                    (0..d).map(|_| 0.3 + 0.5 * open_uniform(rng)).collect(),
                    0.5 + open_uniform(rng),
                    if m > 1 { open_uniform(rng) } else { 0.0 },
                    1e-3,
                );
                Task {
                    data: data.unwrap(),
                    params,
                }
            })
            .collect::<Vec<_>>();
        let x = uniform(n, d, rng);
        let y = wave(&x, 0.2);
        let params = SmogParams {
            weights: Mat::from_fn(tasks.len(), m, |_, _| 0.1 + open_uniform(rng)),
            residual: Some(Residual {
                lengthscales: vec![0.7; d],
                variance: 0.3,
                rho: if m > 1 { 0.4 } else { 0.0 },
            }),
            noise: 5e-3,
        };
        Self {
            tasks,
            x,
            y,
            params,
            config: SmogConfig::default(),
        }
    }

    /// The joint Gaussian of all meta-data, the target's data and the latent target at `z`.
    ///
    /// Returns the posterior at `z` and the joint log density of all data.
    fn dense(&self, z: &Mat<f64>) -> (Mat<f64>, Mat<f64>, f64) {
        let m = self.objectives();
        // Task (none: target's data; z follows), objective, point and noise of each variable.
        let mut index: Vec<(Option<usize>, usize, Vec<f64>)> = Vec::new();
        let mut noise = Vec::new();
        let mut observed = Vec::new();
        let row = |x: MatRef<'_, f64>, i: usize| (0..x.ncols()).map(|k| x[(i, k)]).collect();
        for (t, task) in self.tasks.iter().enumerate() {
            for o in 0..m {
                for i in (0..task.data.len()).filter(|&i| task.data.is_observed(i, o)) {
                    index.push((Some(t), o, row(task.data.x(), i)));
                    noise.push(task.params.noise[0]);
                    observed.push(task.data.y()[(i, o)]);
                }
            }
        }
        for o in 0..m {
            for i in 0..self.x.nrows() {
                index.push((None, o, row(self.x.as_ref(), i)));
                noise.push(self.params.noise);
                observed.push(self.y[(i, o)]);
            }
        }
        let known = index.len();
        for o in 0..m {
            for i in 0..z.nrows() {
                index.push((None, o, row(z.as_ref(), i)));
            }
        }
        let kernel = |params: &MultiOutputParams, o: usize, p: usize, a: &[f64], b: &[f64]| {
            let squared: f64 = a
                .iter()
                .zip(b)
                .zip(&params.lengthscales)
                .map(|((a, b), l)| ((a - b) / l).powi(2))
                .sum();
            params.coregion.matrix(m)[(o, p)] * params.variance * (-0.5 * squared).exp()
        };
        let residual = self.params.residual.as_ref().map(|r| {
            MultiOutputParams::equicorrelated(
                KernelKind::Rbf,
                r.lengthscales.clone(),
                r.variance,
                r.rho,
                1.0,
            )
        });
        let w = &self.params.weights;
        let covariance = |i: usize, j: usize| {
            let ((s, o, a), (t, p, b)) = (&index[i], &index[j]);
            let own = |t: usize| kernel(&self.tasks[t].params, *o, *p, a, b);
            match (*s, *t) {
                (Some(s), Some(t)) => {
                    if s == t {
                        own(s)
                    } else {
                        0.0
                    }
                }
                (Some(s), None) => w[(s, *p)] * own(s),
                (None, Some(t)) => w[(t, *o)] * own(t),
                (None, None) => {
                    let shared: f64 = (0..self.tasks.len())
                        .map(|t| w[(t, *o)] * w[(t, *p)] * own(t))
                        .sum();
                    shared + residual.as_ref().map_or(0.0, |r| kernel(r, *o, *p, a, b))
                }
            }
        };
        let c = Mat::from_fn(known, known, |i, j| {
            covariance(i, j) + if i == j { noise[i] } else { 0.0 }
        });
        let factor = warmfront_linalg::JitteredCholesky::factorize(
            c.as_ref(),
            warmfront_linalg::JitterPolicy::NONE,
        )
        .unwrap();
        let mut alpha = observed.clone();
        factor.solve_slice_in_place(&mut alpha);
        let quadratic: f64 = alpha.iter().zip(&observed).map(|(a, y)| a * y).sum();
        let log_density = -0.5
            * (quadratic + factor.log_det() + known as f64 * (2.0 * std::f64::consts::PI).ln());
        let unknown = index.len() - known;
        let cross = Mat::from_fn(known, unknown, |i, j| covariance(i, known + j));
        let mut solved = cross.clone();
        factor.solve_in_place(solved.as_mut());
        let q = z.nrows();
        let mean = Mat::from_fn(q, m, |i, o| {
            (0..known).map(|k| cross[(k, o * q + i)] * alpha[k]).sum()
        });
        let posterior = Mat::from_fn(unknown, unknown, |i, j| {
            let explained: f64 = (0..known).map(|k| cross[(k, i)] * solved[(k, j)]).sum();
            covariance(known + i, known + j) - explained
        });
        (mean, posterior, log_density)
    }
}

fn matrix(golden: &Golden, key: &str) -> Mat<f64> {
    let rows = golden.rows(key);
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

#[test]
fn golden_posteriors_and_likelihoods() {
    let golden = Golden::parse(include_str!("../../tests/golden/smog.json"));
    for (c, case) in golden.cases().iter().enumerate() {
        let tasks = case
            .list("meta")
            .iter()
            .map(|task| Task {
                data: MultiOutputData::new(matrix(task, "X").as_ref(), matrix(task, "Y").as_ref())
                    .unwrap(),
                params: MultiOutputParams::equicorrelated(
                    KernelKind::Rbf,
                    task.vec("lengthscale"),
                    task.f64("outputscale"),
                    task.f64("rho"),
                    task.f64("noise"),
                ),
            })
            .collect();
        let (target, residual) = (case.get("target"), case.get("residual"));
        let example = Example {
            tasks,
            x: matrix(&target, "X"),
            y: matrix(&target, "Y"),
            params: SmogParams {
                weights: matrix(case, "weights"),
                residual: Some(Residual {
                    lengthscales: residual.vec("lengthscale"),
                    variance: residual.f64("outputscale"),
                    rho: residual.f64("rho"),
                }),
                noise: target.f64("noise"),
            },
            config: SmogConfig::default(),
        };
        let context = format!("case {c}");
        let model = example.model();
        let joint = model.posterior(matrix(case, "Z").as_ref()).unwrap();
        check_close(&joint.mean, &matrix(case, "posterior_mean"), 1e-9, &context);
        check_close(
            &joint.covariance,
            &matrix(case, "posterior_cov"),
            1e-9,
            &context,
        );
        let meta: f64 = example
            .meta()
            .tasks()
            .iter()
            .map(|task| task.gp.log_marginal_likelihood())
            .sum();
        let total = meta + model.log_marginal_likelihood();
        assert_close(total, case.f64("joint_log_likelihood"), 1e-9, 0.0, &context);
    }
}

#[test]
fn predictions_agree_with_each_other() {
    for holes in [false, true] {
        let example = Example::random(3, 2, 2, holes, 3);
        let model = example.model();
        let rng = &mut generator(8);
        let mut all = uniform(5, 2, rng);
        // One anchor is a point of the target's data.
        for k in 0..2 {
            all[(3, k)] = example.x[(2, k)];
        }
        let (z, a) = (all.as_ref().subrows(0, 2), all.as_ref().subrows(2, 3));
        let joint = model.posterior(all.as_ref()).unwrap();
        let marginals = model.predict(all.as_ref());
        check_close(&marginals.mean, &joint.mean, 1e-10, "mean");
        for o in 0..2 {
            for i in 0..5 {
                let diagonal = joint.covariance[(o * 5 + i, o * 5 + i)];
                assert_close(
                    marginals.variance[(i, o)],
                    diagonal,
                    1e-9,
                    1e-10,
                    "variance",
                );
            }
        }
        let anchored = model.anchor(a);
        let answer = anchored.query(z);
        let at_anchors = anchored.anchors();
        for o in 0..2 {
            for p in 0..2 {
                for j in 0..3 {
                    for i in 0..2 {
                        let expected = joint.covariance[(o * 5 + i, p * 5 + 2 + j)];
                        assert_close(
                            answer.cross[(o * 2 + i, p * 3 + j)],
                            expected,
                            1e-9,
                            1e-10,
                            "cross",
                        );
                    }
                    for i in 0..3 {
                        let expected = joint.covariance[(o * 5 + 2 + i, p * 5 + 2 + j)];
                        let found = at_anchors.covariance[(o * 3 + i, p * 3 + j)];
                        assert_close(found, expected, 1e-9, 1e-10, "anchors");
                    }
                }
            }
            for j in 0..3 {
                assert_close(
                    at_anchors.mean[(j, o)],
                    joint.mean[(2 + j, o)],
                    1e-10,
                    1e-10,
                    "mean",
                );
            }
        }
    }
}

#[test]
fn costs_in_their_own_units_come_back_in_them() {
    let example = Example::random(2, 2, 1, false, 5);
    let meta = example.meta();
    let scaling = OutcomeScaling {
        offset: vec![0.0, 0.0],
        scale: vec![1.0, 100.0],
    };
    // The same problem with the second objective a hundred times as large.
    let mut tasks = meta.tasks().to_vec();
    for task in &mut tasks {
        task.spread[1] = 100.0;
    }
    let data: Vec<_> = example.tasks.iter().map(|task| task.data.clone()).collect();
    let large = Arc::new(MetaModels::from_parts(1, 2, tasks, &data));
    let y = Mat::from_fn(5, 2, |i, o| example.y[(i, o)] * [1.0, 100.0][o]);
    let model = SmogModel::condition(
        &large,
        example.x.as_ref(),
        y.as_ref(),
        scaling,
        example.params.clone(),
        &example.config,
    )
    .unwrap();
    let z = Mat::from_fn(4, 1, |i, _| 0.3 * i as f64);
    let (small, large) = (
        example.model().predict(z.as_ref()),
        model.predict(z.as_ref()),
    );
    for i in 0..4 {
        assert_close(large.mean[(i, 0)], small.mean[(i, 0)], 1e-9, 1e-12, "mean");
        assert_close(
            large.mean[(i, 1)],
            100.0 * small.mean[(i, 1)],
            1e-9,
            1e-9,
            "mean",
        );
        assert_close(
            large.variance[(i, 1)],
            1e4 * small.variance[(i, 1)],
            1e-9,
            1e-9,
            "variance",
        );
    }
}

#[test]
fn bad_target_data_is_an_error_that_names_the_row() {
    let mut smog = Smog::new(
        Example::random(1, 2, 1, false, 5).meta(),
        SmogConfig::default(),
    );
    let x = Mat::from_fn(3, 1, |i, _| 0.3 * i as f64);
    let mut y = Mat::zeros(3, 2);
    y[(1, 1)] = f64::INFINITY;
    let error = smog
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(0))
        .unwrap_err();
    assert!(matches!(
        error,
        MetaError::Gp(GpError::NotFinite {
            row: 1,
            column: 1,
            ..
        })
    ));
}
