//! The acceptance tests of the method.

use super::data::{quick, task, wave, waves};
use super::*;
use crate::smog::normalize::Normalization;
use crate::smog::objective::TargetObjective;
use warmfront_gp::{MapObjective, ParameterScale};

#[test]
fn acceptance_01_modular_equals_dense() {
    for (tasks, m, d, holes) in [
        (1, 1, 1, false),
        (2, 2, 2, false),
        (3, 3, 2, true),
        (0, 2, 2, false),
    ] {
        let example = Example::random(tasks, m, d, holes, 7);
        let z = uniform(4, d, &mut generator(1));
        let (mean, covariance, _) = example.dense(&z);
        let joint = example.model().posterior(z.as_ref()).unwrap();
        check_close(&joint.mean, &mean, 1e-8, "mean");
        check_close(&joint.covariance, &covariance, 1e-8, "covariance");
    }
}

#[test]
fn acceptance_02_joint_likelihood_factorises() {
    for (tasks, m, holes) in [(1, 1, false), (3, 2, false), (2, 3, true)] {
        let example = Example::random(tasks, m, 2, holes, 9);
        let (_, _, joint) = example.dense(&Mat::zeros(0, 2));
        let meta: f64 = example
            .meta()
            .tasks()
            .iter()
            .map(|task| task.gp.log_marginal_likelihood())
            .sum();
        let target = example.model().log_marginal_likelihood();
        assert_close(meta + target, joint, 1e-10, 1e-8, "log likelihood");
    }
}

#[test]
fn acceptance_03_gradients_match_finite_differences() {
    let base = SmogConfig::default();
    let configs = [
        base.clone(),
        SmogConfig {
            kernel: KernelKind::Matern52,
            ..base.clone()
        },
        SmogConfig {
            rho: RhoConfig::Signed,
            sign: WeightSign::Signed,
            ..base.clone()
        },
        SmogConfig {
            weights: WeightScope::Shared,
            rho: RhoConfig::Fixed(0.0),
            ..base.clone()
        },
        SmogConfig {
            weight_space: WeightSpace::Standardized,
            ..base.clone()
        },
        SmogConfig {
            residual: false,
            ..base
        },
    ];
    for (c, config) in configs.into_iter().enumerate() {
        for (m, holes) in [(1, false), (2, false), (3, true)] {
            let example = Example::random(2, m, 2, holes, 11);
            let mut tasks = example.meta().tasks().to_vec();
            for (t, task) in tasks.iter_mut().enumerate() {
                task.level = (0..m).map(|o| 0.5 + t as f64 - o as f64).collect();
                task.spread = (0..m).map(|o| 1.5 + t as f64 + o as f64).collect();
            }
            let data: Vec<_> = example.tasks.iter().map(|task| task.data.clone()).collect();
            let meta = MetaModels::from_parts(2, m, tasks, &data);
            let scaling = OutcomeScaling {
                offset: vec![0.3; m],
                scale: (0..m).map(|o| 2.0 + o as f64).collect(),
            };
            let normalization = Normalization::new(&meta, scaling, &config);
            let prepared: Vec<_> = meta
                .tasks()
                .iter()
                .map(|task| task.gp.prepare(example.x.as_ref()))
                .collect();
            let objective = TargetObjective::new(
                &config,
                &normalization,
                &example.x,
                &example.y,
                prepared.iter(),
            );
            let specs = objective.specs();
            let to_values = |t: &[f64]| -> Vec<f64> {
                let log = |k: usize| specs[k].scale == ParameterScale::Log;
                t.iter()
                    .enumerate()
                    .map(|(k, &t)| if log(k) { t.exp() } else { t })
                    .collect()
            };
            let theta: Vec<f64> = specs
                .iter()
                .enumerate()
                .map(|(k, spec)| {
                    let log = spec.scale == ParameterScale::Log;
                    let start = if log { spec.initial.ln() } else { spec.initial };
                    start
                        + 0.1 * (k as f64 + 1.0).sin()
                        + if log && spec.upper < 10.0 { 2.0 } else { 0.0 }
                })
                .collect();
            let mut gradient = vec![0.0; theta.len()];
            let mut workspace = objective.workspace();
            let value = objective
                .evaluate(&to_values(&theta), &mut gradient, &mut workspace)
                .unwrap();
            let mut scratch = vec![0.0; theta.len()];
            check_gradient(
                |t| {
                    objective
                        .evaluate(&to_values(t), &mut scratch, &mut workspace)
                        .unwrap()
                },
                &gradient,
                &theta,
                1e-7,
            );

            // The value is that of the conditioned model.
            let params = objective.params(&to_values(&theta));
            let model = SmogModel::condition(
                &Arc::new(meta.clone()),
                example.x.as_ref(),
                example.y.as_ref(),
                normalization.target.clone(),
                params.clone(),
                &config,
            )
            .unwrap();
            let prior: f64 = match config.sign {
                WeightSign::NonNegative => 0.0,
                WeightSign::Signed => -0.5 * inner(&params.weights, &params.weights),
            };
            let found = model.log_marginal_likelihood() + prior;
            assert_close(found, value, 1e-10, 1e-10, &format!("config {c}"));
        }
    }
}

#[test]
fn acceptance_03_pullback_matches_finite_differences() {
    for (m, holes, anchors, n) in [
        (1, false, 2, 5),
        (2, false, 3, 5),
        (2, true, 2, 5),
        (2, false, 0, 5),
        (2, false, 2, 0),
    ] {
        let mut example = Example::random(2, m, 2, holes, 13);
        example.x = example.x.as_ref().subrows(0, n).to_owned();
        example.y = example.y.as_ref().subrows(0, n).to_owned();
        let model = example.model();
        let rng = &mut generator(4);
        let (q, z, a) = (2, uniform(2, 2, rng), uniform(anchors, 2, rng));
        // The last anchor is one of the target's points.
        let known = n > 0 && anchors > 0;
        let a = Mat::from_fn(anchors, 2, |j, k| {
            if known && j + 1 == anchors {
                example.x[(1, k)]
            } else {
                a[(j, k)]
            }
        });
        let anchored = model.anchor(a.as_ref());
        let adjoint = AnchoredQuery {
            mean: uniform(q, m, rng),
            covariance: uniform(q * m, q * m, rng),
            cross: uniform(q * m, anchors * m, rng),
        };
        let value = |flat: &[f64]| {
            let answer = anchored.query(MatRef::from_row_major_slice(flat, q, 2));
            inner(&answer.mean, &adjoint.mean)
                + inner(&answer.covariance, &adjoint.covariance)
                + inner(&answer.cross, &adjoint.cross)
        };
        let mut gradient = Mat::zeros(q, 2);
        anchored.pullback(z.as_ref(), &adjoint, gradient.as_mut());
        let flatten = |a: &Mat<f64>| flat(a.as_ref().transpose());
        check_gradient(value, &flatten(&gradient), &flatten(&z), 1e-7);

        let (mut dmean, mut dvariance) = (Mat::zeros(2, m), Mat::zeros(2, m));
        let point = [0.3, 0.6];
        model.predict_gradient(&point, dmean.as_mut(), dvariance.as_mut());
        for o in 0..m {
            let at = |x: &[f64]| model.predict(MatRef::from_row_major_slice(x, 1, 2));
            check_gradient(|x| at(x).mean[(0, o)], dmean.col_as_slice(o), &point, 1e-7);
            check_gradient(
                |x| at(x).variance[(0, o)],
                dvariance.col_as_slice(o),
                &point,
                1e-7,
            );
        }
    }
}

#[test]
fn acceptance_04_one_objective_is_scaml() {
    // Prior mean Σ w μ_m, prior covariance Σ w² Σ_m + k_r, written out.
    let example = Example::random(3, 1, 2, false, 17);
    let z = uniform(4, 2, &mut generator(1));
    let n = example.x.nrows();
    let all = Mat::from_fn(n + 4, 2, |i, k| {
        if i < n {
            example.x[(i, k)]
        } else {
            z[(i - n, k)]
        }
    });
    let residual = example.params.residual.clone().unwrap();
    let mut mean = vec![0.0; n + 4];
    let mut covariance =
        warmfront_gp::ArdKernel::new(KernelKind::Rbf, residual.lengthscales, residual.variance)
            .gram(all.as_ref());
    for (t, task) in example.meta().tasks().iter().enumerate() {
        let w = example.params.weights[(t, 0)];
        let joint = task.gp.posterior(all.as_ref()).unwrap();
        for i in 0..n + 4 {
            mean[i] += w * joint.mean[(i, 0)];
            for j in 0..n + 4 {
                covariance[(i, j)] += w * w * joint.covariance[(i, j)];
            }
        }
    }
    let c = Mat::from_fn(n, n, |i, j| {
        covariance[(i, j)] + if i == j { example.params.noise } else { 0.0 }
    });
    let factor =
        warmfront_linalg::JitteredCholesky::factorize(c.as_ref(), Default::default()).unwrap();
    let mut alpha: Vec<f64> = (0..n).map(|i| example.y[(i, 0)] - mean[i]).collect();
    factor.solve_slice_in_place(&mut alpha);
    let marginals = example.model().predict(z.as_ref());
    for j in 0..4 {
        let cross: Vec<f64> = (0..n).map(|i| covariance[(i, n + j)]).collect();
        let mut solved = cross.clone();
        factor.solve_slice_in_place(&mut solved);
        let dot = |a: &[f64]| a.iter().zip(&cross).map(|(a, c)| a * c).sum::<f64>();
        assert_close(
            marginals.mean[(j, 0)],
            mean[n + j] + dot(&alpha),
            1e-9,
            1e-9,
            "mean",
        );
        let variance = covariance[(n + j, n + j)] - dot(&solved);
        assert_close(marginals.variance[(j, 0)], variance, 1e-8, 1e-9, "variance");
    }
}

#[test]
fn acceptance_05_zero_correlation_is_independent_scaml() {
    let mut example = Example::random(2, 3, 2, false, 19);
    for task in &mut example.tasks {
        task.params.coregion = warmfront_gp::Coregion::Equicorrelated { rho: 0.0 };
    }
    example.params.residual.as_mut().unwrap().rho = 0.0;
    let z = uniform(4, 2, &mut generator(1));
    let joint = example.model().posterior(z.as_ref()).unwrap();
    let apart: Vec<SmogModel> = (0..3)
        .map(|o| {
            let tasks = example
                .tasks
                .iter()
                .map(|task| Task {
                    data: MultiOutputData::new(task.data.x(), task.data.y().subcols(o, 1)).unwrap(),
                    params: task.params.clone(),
                })
                .collect();
            let params = SmogParams {
                weights: example.params.weights.as_ref().subcols(o, 1).to_owned(),
                ..example.params.clone()
            };
            let y = example.y.as_ref().subcols(o, 1).to_owned();
            Example {
                tasks,
                x: example.x.clone(),
                y,
                params,
                config: example.config.clone(),
            }
            .model()
        })
        .collect();
    let stacked = Independent::new(apart).posterior(z.as_ref()).unwrap();
    check_close(&joint.mean, &stacked.mean, 1e-9, "mean");
    check_close(&joint.covariance, &stacked.covariance, 1e-9, "covariance");
}

#[test]
fn acceptance_06_zero_weights_are_a_multi_output_gp() {
    let mut example = Example::random(2, 2, 2, false, 23);
    example.params.weights.fill(0.0);
    let residual = example.params.residual.clone().unwrap();
    let gp = MultiOutputGp::condition(
        &MultiOutputData::new(example.x.as_ref(), example.y.as_ref()).unwrap(),
        OutcomeScaling::identity(2),
        MultiOutputParams::equicorrelated(
            KernelKind::Rbf,
            residual.lengthscales,
            residual.variance,
            residual.rho,
            example.params.noise,
        ),
    )
    .unwrap();
    let z = uniform(4, 2, &mut generator(1));
    let (joint, alone) = (
        example.model().posterior(z.as_ref()).unwrap(),
        gp.posterior(z.as_ref()).unwrap(),
    );
    check_close(&joint.mean, &alone.mean, 1e-10, "mean");
    check_close(&joint.covariance, &alone.covariance, 1e-10, "covariance");
    assert!(example.model().active_tasks().is_empty());
    let without = Example {
        tasks: Vec::new(),
        params: SmogParams {
            weights: Mat::zeros(0, 2),
            ..example.params
        },
        ..example
    };
    check_close(
        &without.model().posterior(z.as_ref()).unwrap().mean,
        &alone.mean,
        1e-10,
        "no tasks",
    );
}

#[test]
fn acceptance_07_two_cholesky_path_equals_dense_path() {
    let example = Example::random(2, 3, 2, false, 29);
    let dense: Vec<MetaModel> = example
        .meta()
        .tasks()
        .iter()
        .zip(&example.tasks)
        .map(|(model, task)| {
            let scaling = OutcomeScaling::identity(3);
            let gp =
                MultiOutputGp::condition_dense(&task.data, scaling, task.params.clone()).unwrap();
            assert!(model.gp.is_decoupled() && !gp.is_decoupled());
            MetaModel {
                gp,
                ..model.clone()
            }
        })
        .collect();
    let data: Vec<_> = example.tasks.iter().map(|task| task.data.clone()).collect();
    let model = SmogModel::condition(
        &Arc::new(MetaModels::from_parts(2, 3, dense, &data)),
        example.x.as_ref(),
        example.y.as_ref(),
        OutcomeScaling::identity(3),
        example.params.clone(),
        &example.config,
    )
    .unwrap();
    let rng = &mut generator(1);
    let (z, a) = (uniform(2, 2, rng), uniform(3, 2, rng));
    let fast = example.model();
    let (first, second) = (fast.anchor(a.as_ref()), model.anchor(a.as_ref()));
    let (one, two) = (first.query(z.as_ref()), second.query(z.as_ref()));
    check_close(&one.mean, &two.mean, 1e-9, "mean");
    check_close(&one.covariance, &two.covariance, 1e-9, "covariance");
    check_close(&one.cross, &two.cross, 1e-9, "cross");
    let mut gradients = [Mat::zeros(2, 2), Mat::zeros(2, 2)];
    first.pullback(z.as_ref(), &one, gradients[0].as_mut());
    second.pullback(z.as_ref(), &one, gradients[1].as_mut());
    check_close(&gradients[0], &gradients[1], 1e-8, "pullback");
}

#[test]
fn acceptance_08_work_is_linear_in_tasks_and_meta_models_are_fitted_once() {
    // Work is counted: the clock is not for tests.
    let mut config = quick();
    config.meta_fit.restarts = 0;
    config.target_fit.restarts = 0;
    let one = waves(1, 10, &[1.0, 1.0], 1);
    let copies = |count: usize| {
        let tasks = (0..count).map(|_| one.tasks[0].clone()).collect();
        let meta = MetaDataset::new(tasks);
        fit_meta(&meta, 1, 2, &config, &mut generator(2)).unwrap()
    };
    let per_task = copies(1).report().factors;
    assert!(per_task > 2);
    for count in [4, 16] {
        assert_eq!(copies(count).report().factors, count * per_task);
    }
    let models = Arc::new(copies(4));
    let mut smog = Smog::new(Arc::clone(&models), config.clone());
    let mut last = 0;
    for n in 0..5 {
        let x = Mat::from_fn(n, 1, |i, _| 0.1 + 0.2 * i as f64);
        let y = Mat::from_fn(n, 2, |i, o| wave(x[(i, 0)], 0.3, o));
        smog.fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
            .unwrap();
        // Every factor of a step is one of the target's own matrix, and only the new point was
        // looked up in the meta-models.
        let report = smog.report();
        assert_eq!(report.factors, report.fit.evaluations + usize::from(n > 0));
        assert_eq!(report.new_points, usize::from(n > 0));
        last += report.factors;
    }
    assert!(last > 0);
    assert_eq!(smog.meta().report().factors, 4 * per_task);
    assert!(Arc::ptr_eq(smog.meta(), &models));
}

#[test]
fn acceptance_08_adding_a_point_equals_starting_afresh() {
    let meta = waves(3, 10, &[1.0, 3.0], 1);
    let config = quick();
    let mut grown = config.build(1, 2, &meta, &mut generator(2)).unwrap();
    let x = Mat::from_fn(5, 1, |i, _| 0.05 + 0.2 * i as f64);
    let y = Mat::from_fn(5, 2, |i, o| {
        wave(x[(i, 0)], 0.3, o) + 0.2 * (9.0 * (i + 3 * o) as f64).sin()
    });
    for n in 0..4 {
        grown
            .fit_target(
                x.as_ref().subrows(0, n),
                y.as_ref().subrows(0, n),
                &mut generator(4),
            )
            .unwrap();
    }
    let mut fresh = Smog {
        last: grown.last.clone(),
        ..config.build(1, 2, &meta, &mut generator(2)).unwrap()
    };
    let a = grown
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(5))
        .unwrap();
    fresh
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(5))
        .unwrap();
    assert_eq!(
        (grown.report().new_points, fresh.report().new_points),
        (2, 5)
    );
    let posterior = |smog: &Smog| smog.report().fit.log_posterior;
    assert_close(
        posterior(&grown),
        posterior(&fresh),
        1e-5,
        0.0,
        "log posterior",
    );
    // With the same hyperparameters, known and freshly computed meta-posteriors agree.
    let again = SmogModel::condition(
        fresh.meta(),
        x.as_ref(),
        y.as_ref(),
        a.scaling().clone(),
        a.params().clone(),
        &config,
    )
    .unwrap();
    let z = Mat::from_fn(7, 1, |i, _| 0.15 * i as f64);
    let (a, again) = (a.predict(z.as_ref()), again.predict(z.as_ref()));
    check_close(&a.mean, &again.mean, 1e-9, "mean");
    check_close(&a.variance, &again.variance, 1e-8, "variance");
    // Another order of the points is noticed and handled.
    let reversed = |a: &Mat<f64>| Mat::from_fn(5, a.ncols(), |i, k| a[(4 - i, k)]);
    grown
        .fit_target(
            reversed(&x).as_ref(),
            reversed(&y).as_ref(),
            &mut generator(6),
        )
        .unwrap();
    assert_eq!(grown.report().new_points, 5);
}

#[test]
fn acceptance_09_the_order_of_tasks_does_not_matter() {
    let meta = waves(4, 9, &[1.0, 5.0], 1);
    let mut reversed = meta.clone();
    reversed.tasks.reverse();
    let x = Mat::from_fn(4, 1, |i, _| 0.1 + 0.25 * i as f64);
    let y = Mat::from_fn(4, 2, |i, o| {
        [1.0, 5.0][o] * (wave(x[(i, 0)], 0.3, o) + 0.2 * (9.0 * (i + 3 * o) as f64).sin())
    });
    let run = |meta: &MetaDataset| {
        let mut config = quick();
        config.target_fit.restarts = 0;
        let mut smog = config.build(1, 2, meta, &mut generator(2)).unwrap();
        let model = smog
            .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
            .unwrap();
        (smog, model)
    };
    let ((first, a), (second, _)) = (run(&meta), run(&reversed));
    // Meta-models are the same to the last bit: their restarts are named by their data.
    for t in 0..4 {
        assert_eq!(
            first.meta().tasks()[t].gp.params(),
            second.meta().tasks()[3 - t].gp.params()
        );
    }
    let z = Mat::from_fn(9, 1, |i, _| 0.125 * i as f64);
    let posterior = |smog: &Smog| smog.report().fit.log_posterior;
    assert_close(
        posterior(&first),
        posterior(&second),
        1e-4,
        0.0,
        "log posterior",
    );
    let pa = a.predict(z.as_ref());
    // With the same hyperparameters, sums differ by rounding alone.
    let mut params = a.params().clone();
    params.weights = Mat::from_fn(4, 2, |t, o| a.params().weights[(3 - t, o)]);
    let again = SmogModel::condition(
        second.meta(),
        x.as_ref(),
        y.as_ref(),
        a.scaling().clone(),
        params,
        second.config(),
    )
    .unwrap();
    check_close(
        &pa.mean,
        &again.predict(z.as_ref()).mean,
        1e-10,
        "mean of reordered tasks",
    );
    check_close(
        &pa.variance,
        &again.predict(z.as_ref()).variance,
        1e-9,
        "variance of reordered tasks",
    );
}

#[test]
fn acceptance_10_prior_covariance_is_positive_semidefinite() {
    for seed in 0..8 {
        for signed in [false, true] {
            let mut example = Example::random(3, 3, 2, seed % 2 == 1, seed);
            if signed {
                let w = &example.params.weights;
                example.params.weights =
                    Mat::from_fn(3, 3, |t, o| w[(t, o)] * [1.0, -2.0][(t + o) % 2]);
            }
            example.x = Mat::zeros(0, 2);
            example.y = Mat::zeros(0, 3);
            let model = example.model();
            let z = uniform(6, 2, &mut generator(seed));
            let covariance = model.posterior(z.as_ref()).unwrap().covariance;
            let shifted = Mat::from_fn(18, 18, |i, j| {
                covariance[(i, j)] + if i == j { 1e-9 } else { 0.0 }
            });
            let factor = warmfront_linalg::JitteredCholesky::factorize(
                shifted.as_ref(),
                warmfront_linalg::JitterPolicy::NONE,
            );
            assert!(factor.is_ok(), "seed {seed}, signed {signed}");
            for i in 0..18 {
                for j in 0..18 {
                    assert!((covariance[(i, j)] - covariance[(j, i)]).abs() < 1e-12);
                }
            }
        }
    }
}

/// Index and value of the point of lowest confidence bound, summed over standardised objectives.
fn proposal(model: &SmogModel) -> (usize, f64) {
    let z = Mat::from_fn(101, 1, |i, _| 0.01 * i as f64);
    let marginals = model.predict(z.as_ref());
    let bound = |i: usize| -> f64 {
        (0..2)
            .map(|o| {
                let scale = model.scaling().scale[o];
                (marginals.mean[(i, o)] - model.scaling().offset[o]) / scale
                    - 2.0 * marginals.variance[(i, o)].sqrt() / scale
            })
            .sum()
    };
    let best = (0..101)
        .min_by(|&i, &j| bound(i).total_cmp(&bound(j)))
        .unwrap();
    (best, bound(best))
}

fn propose(meta: &MetaDataset, n: usize, units: [f64; 2], shift: f64) -> (usize, f64) {
    let mut smog = quick().build(1, 2, meta, &mut generator(2)).unwrap();
    let x = Mat::from_fn(n, 1, |i, _| 0.1 + 0.3 * i as f64);
    let y = Mat::from_fn(n, 2, |i, o| units[o] * wave(x[(i, 0)], 0.9, o) + shift);
    proposal(
        &smog
            .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
            .unwrap(),
    )
}

#[test]
fn acceptance_11_units_do_not_matter_but_levels_do() {
    for n in [0, 3] {
        let base = propose(&waves(3, 9, &[1.0, 1.0], 1), n, [1.0, 1.0], 0.0);
        for units in [[1024.0, 1.0], [0.25, 4096.0], [1.0, 2.0_f64.powi(-30)]] {
            let (index, value) = propose(&waves(3, 9, &units, 1), n, units, 0.0);
            assert_eq!(index, base.0, "{n} points, units {units:?}");
            assert_close(value, base.1, 1e-12, 1e-12, "bound");
        }
        let mut shifted = waves(3, 9, &[1.0, 1.0], 1);
        for record in &mut shifted.tasks {
            let rows = record.observations.len();
            let x = Mat::from_fn(rows, 1, |i, _| {
                record.observations[i].candidate.point.coords()[0]
            });
            let y = Mat::from_fn(rows, 2, |i, o| {
                record.observations[i].outcome.costs().unwrap().values()[o].unwrap() + 3.0
            });
            *record = task(&x, &y);
        }
        let moved = propose(&shifted, n, [1.0, 1.0], 3.0);
        if n > 0 {
            assert!(
                (moved.1 - base.1).abs() > 1e-6,
                "weights act on raw units: {moved:?} {base:?}"
            );
        }
    }
}
