//! Meta-data as users bring it, and its cache.

use super::*;

pub(super) fn task(x: &Mat<f64>, y: &Mat<f64>) -> TaskRecord {
    let rows = (0..x.nrows()).map(|i| (0..y.ncols()).map(|o| Some(y[(i, o)])).collect());
    record(x, rows)
}

pub(super) fn record(x: &Mat<f64>, rows: impl Iterator<Item = Vec<Option<f64>>>) -> TaskRecord {
    let observations = rows
        .enumerate()
        .map(|(i, costs)| Observation {
            trial: TrialId(i as u64),
            candidate: Candidate::at(
                UnitPoint::new((0..x.ncols()).map(|k| x[(i, k)]).collect::<Vec<f64>>()).unwrap(),
            ),
            outcome: Outcome::Complete(Costs::new(costs).unwrap()),
        })
        .collect();
    TaskRecord::new(observations)
}

/// Two sines of similar phase per task, at random points, in units of their own.
pub(super) fn waves(tasks: usize, n: usize, units: &[f64], seed: u64) -> MetaDataset {
    let rng = &mut generator(seed);
    let tasks = (0..tasks)
        .map(|t| {
            let x = uniform(n, 1, rng);
            let y = Mat::from_fn(n, units.len(), |i, o| {
                units[o] * wave(x[(i, 0)], 0.2 * t as f64, o)
            });
            task(&x, &y)
        })
        .collect();
    MetaDataset::new(tasks)
}

pub(super) fn wave(x: f64, shift: f64, objective: usize) -> f64 {
    (5.0 * x + shift + 0.5 * objective as f64).sin() + 0.2 * objective as f64
}

pub(super) fn quick() -> SmogConfig {
    let mut config = SmogConfig::default();
    config.meta_fit.restarts = 1;
    config.target_fit.restarts = 1;
    config
}

#[test]
fn meta_models_make_the_first_predictions_good() {
    let meta = waves(4, 12, &[1.0, 1.0], 1);
    let mut smog = quick().build(1, 2, &meta, &mut generator(2)).unwrap();
    assert_eq!(smog.meta().len(), 4);
    let z = Mat::from_fn(11, 1, |i, _| 0.1 * i as f64);
    let error = |model: &SmogModel| {
        let marginals = model.predict(z.as_ref());
        (0..11)
            .flat_map(|i| [(i, 0), (i, 1)])
            .map(|(i, o)| (marginals.mean[(i, o)] - wave(z[(i, 0)], 0.3, o)).abs())
            .fold(0.0, f64::max)
    };
    let none = Mat::zeros(0, 1);
    let prior = smog
        .fit_target(none.as_ref(), Mat::zeros(0, 2).as_ref(), &mut generator(3))
        .unwrap();
    assert!(error(&prior) < 0.15, "{}", error(&prior));
    let x = Mat::from_fn(3, 1, |i, _| 0.1 + 0.4 * i as f64);
    let y = Mat::from_fn(3, 2, |i, o| wave(x[(i, 0)], 0.3, o));
    let after = smog
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
        .unwrap();
    assert!(error(&after) < 0.05, "{}", error(&after));

    let config = SmogConfig {
        use_meta: false,
        ..quick()
    };
    let mut alone = config.build(1, 2, &meta, &mut generator(2)).unwrap();
    let without = alone
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
        .unwrap();
    assert!(error(&without) > 0.2, "{}", error(&without));
    assert!(alone.meta().is_empty() && alone.min_observations() == 1);
}

#[test]
fn hopeless_tasks_are_left_out_and_reported() {
    let x = Mat::from_fn(4, 1, |i, _| [0.1, 0.1, 0.5, 0.9][i]);
    let column =
        |values: [f64; 4]| Mat::from_fn(4, 2, |i, o| if o == 0 { values[i] } else { i as f64 });
    let mut meta = MetaDataset::new(vec![
        TaskRecord::default(),
        task(
            &Mat::from_fn(1, 1, |_, _| 0.3),
            &Mat::from_fn(1, 2, |_, _| 1.0),
        ),
        task(&x, &Mat::from_fn(4, 2, |_, _| 5.0)),
        task(&x, &column([1e300, -1e300, 0.0, 1e300])),
        task(&x, &column([1e-300, 2e-300, 0.0, 1e-300])),
        task(&x, &column([3.0; 4])),
        task(&x, &column([0.0, 1e9, 0.1, 0.0])),
        record(
            &x,
            (0..4).map(|i| vec![(i != 1).then_some(i as f64), (i == 1).then_some(2.0)]),
        ),
    ]);
    let failed = Observation {
        trial: TrialId(9),
        candidate: Candidate::at(UnitPoint::new([0.2]).unwrap()),
        outcome: Outcome::failed("crashed"),
    };
    meta.tasks[0].observations.push(failed);
    let mut smog = quick().build(1, 2, &meta, &mut generator(0)).unwrap();
    let report = smog.meta().report().clone();
    assert_eq!(report.used, [3, 4, 5, 6, 7]);
    assert_eq!(
        report.dropped,
        [
            (0, DropReason::Empty),
            (1, DropReason::Constant),
            (2, DropReason::Constant)
        ]
    );
    assert_eq!(report.constant, [(5, 0), (7, 1)]);
    assert!(
        !smog.meta().tasks()[4].gp.is_decoupled(),
        "missing costs take the dense path"
    );
    for n in 0..4 {
        let y = Mat::from_fn(n, 2, |i, o| {
            [1.0, 1e300, 1e-300, -4.0][i] * (1.0 + o as f64)
        });
        let model = smog
            .fit_target(x.as_ref().subrows(0, n), y.as_ref(), &mut generator(1))
            .unwrap();
        let marginals = model.predict(x.as_ref());
        for value in flat(marginals.mean.as_ref())
            .into_iter()
            .chain(flat(marginals.variance.as_ref()))
        {
            assert!(value.is_finite(), "{n} points: {value}");
        }
        let joint = model.posterior(x.as_ref()).unwrap();
        assert!(
            flat(joint.covariance.as_ref())
                .iter()
                .all(|v| v.is_finite())
        );
    }
}

#[test]
fn saved_models_come_back_to_the_last_bit_and_only_for_their_data() {
    let meta = waves(3, 8, &[1.0, 10.0], 1);
    let config = quick();
    let models = fit_meta(&meta, 1, 2, &config, &mut generator(2)).unwrap();
    let mut bytes = Vec::new();
    models.save(&mut bytes).unwrap();
    let loaded = MetaModels::load(bytes.as_slice(), &meta, 1, 2, &config).unwrap();
    let z = Mat::from_fn(5, 1, |i, _| 0.2 * i as f64);
    for (a, b) in models.tasks().iter().zip(loaded.tasks()) {
        assert_eq!(a.gp.params(), b.gp.params());
        assert_eq!(a.gp.predict(z.as_ref()), b.gp.predict(z.as_ref()));
    }
    assert_eq!(loaded.report().factors, 6, "two modes of three tasks");
    assert_eq!(loaded.report().used, [0, 1, 2]);

    let stale = |meta: &MetaDataset, config: &SmogConfig| {
        let error = MetaModels::load(bytes.as_slice(), meta, 1, 2, config).unwrap_err();
        matches!(error, MetaError::StaleCache { .. })
    };
    assert!(stale(&waves(3, 8, &[1.0, 11.0], 1), &config));
    assert!(stale(
        &meta,
        &SmogConfig {
            kernel: KernelKind::Matern52,
            ..config.clone()
        }
    ));
    // What concerns the target alone does not invalidate the meta-models.
    let other = SmogConfig {
        pruning_threshold: 0.5,
        ..config.clone()
    };
    assert!(MetaModels::load(bytes.as_slice(), &meta, 1, 2, &other).is_ok());
    bytes[50] ^= 1;
    let damaged = MetaModels::load(bytes.as_slice(), &meta, 1, 2, &config).unwrap_err();
    assert!(matches!(damaged, MetaError::Codec(_)));
}

#[test]
fn fits_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let meta = waves(3, 8, &[1.0, 10.0], 1);
            let mut smog = quick().build(1, 2, &meta, &mut generator(2)).unwrap();
            let x = Mat::from_fn(3, 1, |i, _| 0.1 + 0.4 * i as f64);
            let y = Mat::from_fn(3, 2, |i, o| wave(x[(i, 0)], 0.3, o));
            let model = smog
                .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
                .unwrap();
            model.predict(Mat::from_fn(5, 1, |i, _| 0.2 * i as f64).as_ref())
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn independent_models_ignore_each_others_objectives() {
    let meta = waves(2, 8, &[1.0, 10.0], 1);
    let config = quick();
    let mut both = IndependentScaml::build(&config, 1, 2, &meta, &mut generator(2)).unwrap();
    let x = Mat::from_fn(3, 1, |i, _| 0.1 + 0.4 * i as f64);
    let y = Mat::from_fn(3, 2, |i, o| wave(x[(i, 0)], 0.3, o));
    let model = both
        .fit_target(x.as_ref(), y.as_ref(), &mut generator(4))
        .unwrap();
    let joint = model.posterior(x.as_ref()).unwrap();
    assert!(
        joint.covariance[(0, 3)].abs() <= 0.0,
        "objectives are uncorrelated"
    );
    assert!((joint.mean[(1, 1)] - y[(1, 1)]).abs() < 0.1);
    let only_first = IndependentScaml::build(&config, 1, 2, &meta, &mut generator(2)).unwrap();
    assert_eq!(
        only_first.models()[0].meta().tasks()[0].gp.params(),
        both.models()[0].meta().tasks()[0].gp.params()
    );
}

#[test]
fn a_target_without_usable_tasks_is_modelled_by_its_residual_alone() {
    let config = SmogConfig {
        residual: false,
        ..quick()
    };
    let empty = MetaDataset::new(vec![TaskRecord::default()]);
    let mut smog = config.build(1, 2, &empty, &mut generator(0)).unwrap();
    let none = Mat::zeros(0, 1);
    let prior = smog
        .fit_target(none.as_ref(), Mat::zeros(0, 2).as_ref(), &mut generator(1))
        .unwrap();
    let z = Mat::from_fn(2, 1, |i, _| 0.3 + 0.4 * i as f64);
    assert!(prior.predict(z.as_ref()).variance[(0, 1)] > 0.0);

    // Tasks that pruning leaves out entirely, and no residual: a constant, but a valid one.
    let models = smog_without_components();
    let answer = models.anchor(z.as_ref()).query(z.as_ref());
    assert_eq!((answer.cross.nrows(), answer.cross.ncols()), (4, 4));
    assert!(
        flat(answer.covariance.as_ref())
            .iter()
            .all(|v| v.abs() <= 0.0)
    );
    let mut gradient = Mat::zeros(2, 1);
    models
        .anchor(z.as_ref())
        .pullback(z.as_ref(), &answer, gradient.as_mut());
    assert!(flat(gradient.as_ref()).iter().all(|v| v.abs() <= 0.0));
}

fn smog_without_components() -> SmogModel {
    let mut example = Example::random(1, 2, 1, false, 3);
    example.params.weights.fill(0.0);
    example.params.residual = None;
    example.model()
}
