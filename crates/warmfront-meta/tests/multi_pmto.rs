//! Multi-objective PMTO from the outside: whole runs, predicted fronts, odd inputs.

use std::num::NonZeroUsize;

use warmfront_core::{
    Candidate, Costs, Fidelity, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed,
    Strategy, StrategyError, TrialId, UnitPoint,
};
use warmfront_meta::MetaError;
use warmfront_meta::pmto::{FrontModel, InitialDesign, MultiPmto, MultiPmtoConfig, MultiTasks};
use warmfront_pareto::{Points, hypervolume};

/// Squared distances to two points that move with the task: the front of a task is the segment
/// between them.
fn costs(x: &[f64], task: &[f64]) -> Vec<f64> {
    let shift = task.iter().sum::<f64>() / task.len().max(1) as f64;
    let target = |o: usize, k: usize| match (o + k) % 2 {
        0 => 0.2 + 0.3 * shift,
        _ => 0.8 - 0.3 * shift,
    };
    (0..2)
        .map(|o| {
            (0..x.len())
                .map(|k| 4.0 * (x[k] - target(o, k)).powi(2))
                .sum()
        })
        .collect()
}

fn outcome(values: Vec<f64>) -> Outcome {
    Outcome::Complete(Costs::from_values(values).expect("finite"))
}

fn evolved() -> MultiPmtoConfig {
    MultiPmtoConfig {
        tasks: MultiTasks::Evolved {
            initial: InitialDesign::Joint { samples: 20 },
            new: 0.5,
            grid: 32,
            epsilon: 0.25,
        },
        round: 8,
        distilled: 48,
        ..MultiPmtoConfig::default()
    }
}

fn given(d: usize) -> MultiPmtoConfig {
    let tasks = (0..3).map(|i| task(&vec![0.2 + 0.3 * f64::from(i); d]));
    MultiPmtoConfig {
        distilled: 48,
        ..MultiPmtoConfig::fixed_tasks(tasks.collect(), 6)
    }
}

fn task(coords: &[f64]) -> UnitPoint {
    UnitPoint::new(coords).expect("inside")
}

fn build(config: &MultiPmtoConfig, v: usize, d: usize, m: usize, seed: u64) -> MultiPmto {
    let mut rng = Seed(seed).stream(Purpose::Init, 0);
    config
        .build(
            &SearchSpace::unit_cube(v),
            d,
            &Objectives::minimize_all(m),
            &mut rng,
        )
        .expect("a usable configuration")
}

fn run(
    pmto: &mut MultiPmto,
    evaluations: usize,
    q: usize,
    seed: u64,
    f: &dyn Fn(&[f64], &[f64]) -> Outcome,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    while all.len() < evaluations {
        let q = NonZeroUsize::new(q.min(evaluations - all.len())).expect("not done");
        let mut rng = Seed(seed).stream(Purpose::Ask, all.len() as u64);
        for candidate in pmto.ask(q, &[], &mut rng).expect("never exhausted") {
            let at = candidate.task.as_ref().expect("candidates carry tasks");
            let observation = Observation {
                trial: TrialId(pmto.evaluations() as u64),
                outcome: f(candidate.point.coords(), at.coords()),
                candidate: candidate.clone(),
            };
            let mut rng = Seed(seed).stream(Purpose::Tell, all.len() as u64);
            pmto.tell(&[observation], &mut rng).expect("valid");
            all.push(candidate);
        }
    }
    all
}

fn volume(points: &[Vec<f64>]) -> f64 {
    hypervolume(
        Points::new(&points.concat(), 2).expect("pairs"),
        &[2.0, 2.0],
    )
}

/// Hypervolume of the true front of a task.
fn best(task: &[f64]) -> f64 {
    let shift = task.iter().sum::<f64>() / task.len().max(1) as f64;
    let (low, high) = (0.2 + 0.3 * shift, 0.8 - 0.3 * shift);
    let front: Vec<Vec<f64>> = (0..=40)
        .map(|i| {
            let t = f64::from(i) / 40.0;
            costs(&[low + t * (high - low), high - t * (high - low)], task)
        })
        .collect();
    volume(&front)
}

/// Hypervolume of named solutions over that of the true front, averaged over unseen tasks.
fn score(answer: &dyn Fn(&UnitPoint) -> Vec<UnitPoint>, d: usize) -> f64 {
    let total: f64 = (0..8)
        .map(|i| {
            let coords: Vec<f64> = (0..d)
                .map(|k| (f64::from(i) * (0.618 + 0.1 * k as f64) + 0.1).fract())
                .collect();
            let at = |x: &[f64]| costs(x, &coords);
            let named: Vec<Vec<f64>> = answer(&task(&coords))
                .iter()
                .map(|x| at(x.coords()))
                .collect();
            volume(&named) / best(&coords)
        })
        .sum();
    total / 8.0
}

#[test]
fn fronts_of_unseen_tasks_are_predicted() {
    let mut pmto = build(&evolved(), 2, 2, 2, 1);
    run(&mut pmto, 60, 1, 1, &|x, t| outcome(costs(x, t)));
    assert!(pmto.last_error().is_none() && pmto.evaluations() == 60);
    let model = pmto.front_model().expect("data");
    assert_eq!(
        (model.dim(), model.task_dim(), model.objectives()),
        (2, 2, 2)
    );
    let centre = score(&|_| vec![task(&[0.5, 0.5])], 2);
    let map = score(&|t| model.front(t, 15), 2);
    let refined = score(&|t| model.refined_front(t, 15), 2);
    assert!(
        centre < 0.97 && map > 0.985 && refined > 0.985,
        "{centre}, {map}, {refined}"
    );
    let at = task(&[0.3, 0.9]);
    // The ends of the front are the solutions for one objective alone.
    for (o, preference) in [[1.0, 0.0], [0.0, 7.0]].iter().enumerate() {
        let solution = model.solution(&at, preference);
        let own = costs(solution.mean.coords(), at.coords());
        assert!(own[o] < 0.05 && own[1 - o] > own[o], "{own:?}");
        assert!(solution.sd.iter().all(|s| (0.0..=1.0).contains(s)));
        let predicted = model.predicted_costs(&at, &[solution.mean]);
        assert!((predicted[0][o] - own[o]).abs() < 0.1);
    }
}

#[test]
fn given_tasks_are_the_only_ones_and_share_what_is_learnt() {
    let mut pmto = build(&given(1), 2, 1, 2, 2);
    let all = run(&mut pmto, 36, 2, 2, &|x, t| outcome(costs(x, t)));
    assert!(pmto.last_error().is_none());
    let fronts: Vec<_> = pmto.fronts().collect();
    assert_eq!(fronts.len(), 3);
    for (at, front) in &fronts {
        let count = all.iter().filter(|c| c.task.as_ref() == Some(at)).count();
        assert_eq!(count, 12, "rounds visit every task");
        let own: Vec<Vec<f64>> = front.iter().map(|(_, costs)| costs.clone()).collect();
        for (x, y) in front {
            assert_eq!(&costs(x.coords(), at.coords()), y);
        }
        let share = volume(&own) / best(at.coords());
        assert!(share > 0.95, "{share}");
    }
    let model = pmto.front_model().expect("data");
    assert!(score(&|t| model.refined_front(t, 15), 1) > 0.98);
}

#[test]
fn same_seed_same_run_for_any_number_of_threads() {
    for config in [evolved(), given(1)] {
        let go = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            pool.install(|| {
                let mut pmto = build(&config, 2, 1, 2, seed);
                let all = run(&mut pmto, 30, 4, seed, &|x, t| outcome(costs(x, t)));
                let front = pmto
                    .front_model()
                    .expect("data")
                    .refined_front(&task(&[0.4]), 5);
                (all, front)
            })
        };
        let one = go(1, 9);
        assert_eq!(one, go(3, 9));
        assert_ne!(one.0, go(1, 10).0);
    }
}

#[test]
fn asking_changes_nothing_and_respects_what_is_pending() {
    let mut pmto = build(&given(1), 2, 1, 2, 3);
    run(&mut pmto, 18, 3, 3, &|x, t| outcome(costs(x, t)));
    let q = NonZeroUsize::new(3).expect("not zero");
    let ask = |pending: &[Candidate]| {
        let mut rng = Seed(7).stream(Purpose::Ask, 99);
        pmto.ask(q, pending, &mut rng).expect("never exhausted")
    };
    let first = ask(&[]);
    assert_eq!(first, ask(&[]));
    let tasks: std::collections::HashSet<_> = first.iter().map(|c| c.task.clone()).collect();
    assert_eq!(tasks.len(), 3, "one of each task a round");
    // Beyond the round there are more of the pool's tasks, elsewhere.
    for candidate in ask(&first) {
        assert!(!first.contains(&candidate));
    }
}

#[test]
fn observations_that_do_not_fit_are_refused_and_change_nothing() {
    let mut pmto = build(&evolved(), 2, 2, 2, 1);
    let at = Candidate::at(task(&[0.5, 0.5]));
    let tell = |pmto: &mut MultiPmto, candidate: Candidate, values: Vec<f64>| {
        let observation = Observation {
            trial: TrialId(0),
            candidate,
            outcome: outcome(values),
        };
        pmto.tell(&[observation], &mut Seed(0).stream(Purpose::Tell, 0))
    };
    let message = |result: Result<(), StrategyError>| {
        let error = result.expect_err("does not fit");
        let source = std::error::Error::source(&error);
        source.expect("has a cause").to_string()
    };
    let two = vec![1.0, 2.0];
    assert_eq!(
        message(tell(&mut pmto, at.clone(), two.clone())),
        "the task descriptor is missing"
    );
    assert_eq!(
        message(tell(
            &mut pmto,
            at.clone().with_task(task(&[0.5])),
            two.clone()
        )),
        "the task descriptor has 1 coordinates, expected 2"
    );
    let fits = at.clone().with_task(task(&[0.5, 0.1]));
    assert_eq!(
        message(tell(&mut pmto, fits.clone(), vec![1.0])),
        "the outcome has 1 costs, expected 2"
    );
    let half = Fidelity::new(0.5).expect("in range");
    let cheap = fits.clone().with_fidelity(half);
    assert!(message(tell(&mut pmto, cheap, two.clone())).contains("full budget"));
    assert_eq!(pmto.evaluations(), 0);
    // A task outside the box cannot even be stated.
    assert!(UnitPoint::new([0.5, 1.2]).is_err());
    tell(&mut pmto, fits, two).expect("fits");
    let pending = [at.with_task(task(&[0.5]))];
    let mut rng = Seed(0).stream(Purpose::Ask, 0);
    assert!(matches!(
        pmto.ask(NonZeroUsize::MIN, &pending, &mut rng),
        Err(StrategyError::InvalidPending { index: 0, .. })
    ));
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut rng = Seed(0).stream(Purpose::Init, 0);
    let (space, two) = (SearchSpace::unit_cube(2), Objectives::minimize_all(2));
    let bad = [
        MultiPmtoConfig {
            beta: f64::NAN,
            ..evolved()
        },
        MultiPmtoConfig {
            round: 0,
            ..evolved()
        },
        MultiPmtoConfig::fixed_tasks(Vec::new(), 5),
        MultiPmtoConfig::fixed_tasks(vec![task(&[0.1, 0.2])], 5),
        MultiPmtoConfig::fixed_tasks(vec![task(&[0.1])], 0),
    ];
    for config in bad {
        let built = config.build(&space, 1, &two, &mut rng);
        assert!(
            matches!(built, Err(MetaError::PmtoSetting { .. })),
            "{config:?}"
        );
    }
    let reference = MultiPmtoConfig {
        reference_point: Some(vec![1.0]),
        ..evolved()
    };
    assert!(matches!(
        reference.build(&space, 1, &two, &mut rng),
        Err(MetaError::ReferencePoint {
            expected: 2,
            found: 1
        })
    ));
}

#[test]
fn an_empty_archive_has_no_front_model() {
    for config in [evolved(), given(1)] {
        let mut pmto = build(&config, 2, 1, 2, 1);
        assert!(matches!(pmto.front_model(), Err(MetaError::NoSolvedTask)));
        // Nor one of failures only, which are asked for again elsewhere.
        run(&mut pmto, 30, 3, 1, &|_, _| Outcome::failed("crashed"));
        assert!(matches!(pmto.front_model(), Err(MetaError::NoSolvedTask)));
        run(&mut pmto, 30, 3, 1, &|x, t| outcome(costs(x, t)));
        assert!(pmto.front_model().is_ok());
    }
}

#[test]
fn failures_gaps_constants_and_huge_costs_give_answers_inside_the_cube() {
    type Case<'a> = &'a dyn Fn(&[f64], &[f64]) -> Outcome;
    let cases: [Case<'_>; 6] = [
        &|x, t| {
            if x[0] > 0.8 {
                Outcome::failed("crashed")
            } else {
                outcome(costs(x, t))
            }
        },
        // The second objective is missing now and then.
        &|x, t| {
            let both = costs(x, t);
            let second = (x[1] < 0.6).then_some(both[1]);
            Outcome::Complete(Costs::new(vec![Some(both[0]), second]).expect("finite"))
        },
        &|_, _| outcome(vec![3.0, -1.0]),
        &|x, t| outcome(vec![costs(x, t)[0], 5.0]),
        &|x, t| outcome(costs(x, t).into_iter().map(|y| 1e300 * y).collect()),
        &|x, t| {
            outcome(vec![
                if x[0] < 0.05 { 1e9 } else { costs(x, t)[0] },
                costs(x, t)[1],
            ])
        },
    ];
    for (case, f) in cases.into_iter().enumerate() {
        for config in [evolved(), given(1)] {
            let mut pmto = build(&config, 2, 1, 2, 4);
            assert_eq!(run(&mut pmto, 36, 2, 4, f).len(), 36, "case {case}");
            assert!(
                pmto.last_error().is_none(),
                "case {case}: {:?}",
                pmto.last_error()
            );
            let model = pmto.front_model().expect("data");
            for front in [
                model.front(&task(&[0.5]), 5),
                model.refined_front(&task(&[0.5]), 5),
            ] {
                assert_eq!(front.len(), 5, "case {case}");
            }
        }
    }
}

#[test]
fn a_box_of_one_point_is_one_task_and_one_objective_has_one_solution() {
    for config in [evolved(), given(0)] {
        let mut pmto = build(&config, 2, 0, 2, 6);
        run(&mut pmto, 40, 1, 6, &|x, t| outcome(costs(x, t)));
        assert!(pmto.last_error().is_none(), "{:?}", pmto.last_error());
        let model = pmto.front_model().expect("data");
        let named: Vec<Vec<f64>> = model
            .refined_front(&task(&[]), 9)
            .iter()
            .map(|x| costs(x.coords(), &[]))
            .collect();
        let share = volume(&named) / best(&[]);
        assert!(share > 0.9, "{share}");
    }
    let mut pmto = build(&evolved(), 2, 1, 1, 6);
    run(&mut pmto, 40, 1, 6, &|x, t| outcome(vec![costs(x, t)[0]]));
    assert!(pmto.last_error().is_none(), "{:?}", pmto.last_error());
    let front = pmto
        .front_model()
        .expect("data")
        .refined_front(&task(&[0.5]), 9);
    assert_eq!(front.len(), 1);
    assert!(costs(front[0].coords(), &[0.5])[0] < 0.05);
}

#[test]
fn a_saved_front_model_answers_alike() {
    let mut pmto = build(&evolved(), 2, 1, 2, 8);
    run(&mut pmto, 28, 1, 8, &|x, t| outcome(costs(x, t)));
    let model = pmto.front_model().expect("data");
    let mut bytes = Vec::new();
    model.save(&mut bytes).expect("writes to memory");
    let loaded = FrontModel::load(bytes.as_slice()).expect("what was saved");
    let at = task(&[0.37]);
    assert_eq!(loaded.front(&at, 7), model.front(&at, 7));
    assert_eq!(loaded.refined_front(&at, 7), model.refined_front(&at, 7));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(matches!(
        FrontModel::load(bytes.as_slice()),
        Err(MetaError::Codec(_))
    ));
}
