//! Whole runs and odd inputs.

use warmfront_core::{Costs, Outcome, Purpose, Seed, TrialId};

use super::*;

/// Solutions move with sums of pairs of task coordinates.
fn target(k: usize, theta: &[f64]) -> f64 {
    let d = theta.len().max(1);
    let at = |i: usize| theta.get(i % d).copied().unwrap_or(0.5);
    0.2 + 0.3 * at(k) + 0.3 * at(k + 1).powi(2)
}

fn cost(x: &[f64], theta: &[f64]) -> f64 {
    let each = x.iter().enumerate();
    each.map(|(k, x)| (1.0 + (k % 3) as f64) * (x - target(k, theta)).powi(2))
        .sum()
}

fn outcome(value: f64) -> Outcome {
    Outcome::Complete(Costs::from_values(vec![value]).expect("finite"))
}

fn build(config: &HighDimensionalConfig, v: usize, d: usize, seed: u64) -> HighDimensionalPmto {
    let objectives = Objectives::minimize_all(1);
    let mut rng = Seed(seed).stream(Purpose::Init, 0);
    config
        .build(&SearchSpace::unit_cube(v), d, &objectives, &mut rng)
        .expect("a usable configuration")
}

/// The outcome of an evaluation, given its number.
type Evaluation<'a> = &'a dyn Fn(usize, &[f64], &[f64]) -> Outcome;

fn run(
    method: &mut HighDimensionalPmto,
    evaluations: usize,
    seed: u64,
    f: Evaluation<'_>,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    for step in 0..evaluations {
        let mut rng = Seed(seed).stream(Purpose::Ask, step as u64);
        let asked = method.ask(NonZeroUsize::MIN, &[], &mut rng);
        let candidate = asked.expect("never exhausted").remove(0);
        let task = candidate.task.as_ref().expect("candidates carry tasks");
        let observation = Observation {
            trial: TrialId(step as u64),
            outcome: f(step, candidate.point.coords(), task.coords()),
            candidate: candidate.clone(),
        };
        let mut rng = Seed(seed).stream(Purpose::Tell, step as u64);
        method.tell(&[observation], &mut rng).expect("valid");
        all.push(candidate);
    }
    all
}

fn smooth(_: usize, x: &[f64], theta: &[f64]) -> Outcome {
    outcome(cost(x, theta))
}

fn small() -> HighDimensionalConfig {
    HighDimensionalConfig {
        tasks: 8,
        samples: 5,
        most_tasks: 16,
        ..HighDimensionalConfig::default()
    }
}

/// Mean squared error of a task model's solutions over a few unseen tasks.
fn error(model: &TaskModel, v: usize, d: usize) -> f64 {
    let tasks = 20;
    let mut sum = 0.0;
    for i in 0..tasks {
        let theta: Vec<f64> = (0..d)
            .map(|k| ((i + 1) as f64 * [0.618_034, 0.754_878, 0.569_84][k % 3]).fract())
            .collect();
        let x = model.point(&UnitPoint::clamped(theta.as_slice()));
        let each = x.coords().iter().enumerate();
        sum += each
            .map(|(k, x)| (x - target(k, &theta)).powi(2))
            .sum::<f64>();
    }
    sum / (tasks * v) as f64
}

#[test]
fn fewer_evaluations_of_a_task_than_it_has_coordinates_solve_all_tasks() {
    let (v, d) = (50, 2);
    let config = HighDimensionalConfig {
        tasks: 6,
        ..HighDimensionalConfig::default()
    };
    let mut method = build(&config, v, d, 1);
    run(&mut method, 800, 1, &smooth);
    assert!(method.last_error().is_none());
    let pool = method.pool();
    assert!(800 / pool.len() < v, "{} tasks", pool.len());
    assert!(pool.iter().any(|task| task.added));
    let model = method.task_model().expect("solved");
    assert_eq!((model.dim(), model.task_dim()), (v, d));
    let own = error(&model, v, d);
    assert!(own < 3e-3, "{own}");
    // The best evaluated solutions are all but useless here, but every recipe gives a model.
    let map = InverseFit::Map {
        starts: 1,
        evaluations: 10,
    };
    for recipe in [
        InverseRecipe::IsoAll,
        InverseRecipe::ArdAll,
        InverseRecipe::ArdBest { share: 0.7 },
        InverseRecipe::NoiseAware,
    ] {
        let other = method.task_model_with(recipe, Some(&map)).expect("fitted");
        assert!(error(&other, v, d) < 0.1, "{recipe:?}");
    }
    let bytes = {
        let mut bytes = Vec::new();
        model.save(&mut bytes).expect("plain numbers");
        bytes
    };
    let task = UnitPoint::clamped([0.3, 0.6]);
    let loaded = TaskModel::load(&bytes[..]).expect("undamaged");
    let difference = loaded.point(&task).coords()[7] - model.point(&task).coords()[7];
    assert!(difference.abs() < 1e-9);
}

#[test]
fn a_linear_cost_is_followed_to_the_faces() {
    let (v, d) = (10, 1);
    let mut method = build(&small(), v, d, 2);
    run(&mut method, 300, 2, &|_, x, theta| {
        let each = x.iter().enumerate();
        outcome(
            each.map(|(k, x)| if k % 2 == 0 { *x } else { -x })
                .sum::<f64>()
                + theta[0],
        )
    });
    let point = method
        .task_model()
        .expect("solved")
        .point(&UnitPoint::clamped([0.4]));
    for (k, x) in point.coords().iter().enumerate() {
        let face = (k % 2) as f64;
        assert!((x - face).abs() < 0.15, "{k}: {x}");
    }
}

#[test]
fn same_seed_same_run_with_any_number_of_threads() {
    let go = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| {
            let mut method = build(&small(), 6, 2, 3);
            let all = run(&mut method, 150, 3, &smooth);
            let task = UnitPoint::clamped([0.2, 0.9]);
            let model = method.task_model().expect("solved");
            (all, model.point(&task))
        })
    };
    assert_eq!(go(1), go(3));
}

#[test]
fn bad_tasks_are_refused_and_change_nothing() {
    let mut method = build(&small(), 4, 2, 4);
    assert!(matches!(method.task_model(), Err(MetaError::NoSolvedTask)));
    assert_eq!(method.pool().len(), 8);
    let mut rng = Seed(4).stream(Purpose::Ask, 0);
    let point = UnitPoint::clamped([0.5; 4]);
    let wrong = Candidate::at(point.clone()).with_task(UnitPoint::clamped([0.5; 3]));
    let pending = method.ask(NonZeroUsize::MIN, std::slice::from_ref(&wrong), &mut rng);
    assert!(matches!(
        pending,
        Err(StrategyError::InvalidPending { index: 0, .. })
    ));
    for candidate in [wrong, Candidate::at(point)] {
        let observation = Observation {
            trial: TrialId(0),
            candidate,
            outcome: outcome(1.0),
        };
        let told = method.tell(&[observation], &mut rng);
        assert!(matches!(
            told,
            Err(StrategyError::InvalidObservation { .. })
        ));
    }
    assert_eq!(method.evaluations(), 0);
    // A task outside the box cannot be stated at all.
    assert!(UnitPoint::new([0.5, 1.5]).is_err());
}

#[test]
fn unusable_settings_are_refused() {
    let base = HighDimensionalConfig::default();
    let bad = [
        HighDimensionalConfig {
            tasks: 0,
            ..base.clone()
        },
        HighDimensionalConfig {
            samples: 0,
            ..base.clone()
        },
        HighDimensionalConfig {
            most_tasks: 3,
            ..base.clone()
        },
        HighDimensionalConfig {
            reach: 1.5,
            ..base.clone()
        },
        HighDimensionalConfig {
            least_reach: 0.0,
            ..base.clone()
        },
        HighDimensionalConfig {
            growth: 1.0,
            ..base.clone()
        },
        HighDimensionalConfig {
            joining: f64::NAN,
            ..base.clone()
        },
    ];
    let space = SearchSpace::unit_cube(3);
    let mut rng = Seed(0).stream(Purpose::Init, 0);
    for config in bad {
        let built = config.build(&space, 2, &Objectives::minimize_all(1), &mut rng);
        assert!(matches!(built, Err(MetaError::PmtoSetting { .. })));
    }
    let two = base.build(&space, 2, &Objectives::minimize_all(2), &mut rng);
    assert!(matches!(two, Err(MetaError::SingleObjective { found: 2 })));
}

#[test]
fn a_box_of_one_task_is_optimised() {
    let mut method = build(&small(), 20, 0, 5);
    run(&mut method, 200, 5, &smooth);
    assert_eq!(method.pool().len(), 1);
    let x = method
        .task_model()
        .expect("solved")
        .point(&UnitPoint::clamped([]));
    for (k, x) in x.coords().iter().enumerate() {
        assert!((x - target(k, &[])).abs() < 0.02, "{k}: {x}");
    }
}

#[test]
fn ugly_costs_leave_a_finite_model() {
    let nothing = |_: usize| Outcome::failed("no");
    type Ugly<'a> = &'a dyn Fn(usize, f64) -> Outcome;
    let cases: [(&str, Ugly<'_>); 5] = [
        ("constant", &|_, _| outcome(3.0)),
        ("huge", &|step, y| {
            outcome(if step % 2 == 0 { 1e300 } else { -1e300 } * (1.0 + y))
        }),
        ("tiny", &|_, y| outcome(1e-300 * y)),
        ("half failed", &|step, y| {
            if step % 2 == 0 {
                nothing(step)
            } else {
                outcome(y)
            }
        }),
        ("one cost", &|step, _| {
            if step == 7 {
                outcome(1.0)
            } else {
                nothing(step)
            }
        }),
    ];
    for (name, f) in cases {
        let mut method = build(&small(), 5, 2, 6);
        run(&mut method, 130, 6, &|step, x, theta| {
            f(step, cost(x, theta))
        });
        let model = method.task_model().expect(name);
        let solution = model.solution(&UnitPoint::clamped([0.1, 0.7]));
        assert!(
            solution.mean.coords().iter().all(|x| x.is_finite()),
            "{name}"
        );
        assert!(solution.sd.iter().all(|s| s.is_finite()), "{name}");
        assert!(method.last_error().is_none(), "{name}");
    }
    let mut method = build(&small(), 5, 2, 6);
    run(&mut method, 130, 6, &|step, _, _| nothing(step));
    assert!(matches!(method.task_model(), Err(MetaError::NoSolvedTask)));
}

#[test]
fn a_few_absurd_costs_do_little_harm() {
    let (v, d) = (10, 2);
    let mut method = build(&small(), v, d, 7);
    run(&mut method, 300, 7, &|step, x, theta| {
        outcome(if step % 29 == 3 { 1e9 } else { cost(x, theta) })
    });
    let own = error(&method.task_model().expect("solved"), v, d);
    assert!(own < 2e-3, "{own}");
}

#[test]
fn tasks_are_bounded_and_batches_do_not_repeat_pending_visits() {
    let config = HighDimensionalConfig {
        tasks: 2,
        samples: 2,
        most_tasks: 3,
        joining: 1.0,
        ..small()
    };
    let mut method = build(&config, 4, 2, 8);
    run(&mut method, 100, 8, &smooth);
    assert_eq!(method.pool().len(), 3);
    // Tasks from outside join the pool beyond that bound, and are asked for no more.
    let mut rng = Seed(8).stream(Purpose::Tell, 1000);
    let outside: Vec<Observation> = (0..6)
        .map(|i| Observation {
            trial: TrialId(1000 + i),
            candidate: Candidate::at(UnitPoint::clamped([0.5; 4]))
                .with_task(UnitPoint::clamped([0.1 * i as f64, 0.5])),
            outcome: outcome(1.0),
        })
        .collect();
    method.tell(&outside, &mut rng).expect("valid");
    assert_eq!(method.pool().len(), 9);
    assert_eq!(method.task_model().expect("solved").num_tasks(), 3);
    let first = method
        .ask(NonZeroUsize::new(2).expect("two"), &[], &mut rng)
        .expect("never exhausted");
    let more = method
        .ask(NonZeroUsize::new(30).expect("thirty"), &first, &mut rng)
        .expect("never exhausted");
    assert_eq!(more.len(), 30);
    for candidate in more {
        assert!(
            candidate
                .point
                .coords()
                .iter()
                .all(|x| (0.0..=1.0).contains(x))
        );
    }
}
