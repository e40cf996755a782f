//! The comparators of parametric multi-task optimisation: contracts of a strategy, and that each works.

use std::num::NonZeroUsize;

use warmfront_core::{
    Candidate, Costs, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed, StrategyError,
    TrialId, UnitPoint,
};
use warmfront_meta::MetaError;
use warmfront_meta::pmto::{
    InitialDesign, IntegratedOptimumConfig, InverseFit, InverseRecipe, MapElitesConfig,
    ParametricStrategy, PmtoConfig, SelfTransferConfig, TransferCorrelation,
};

type Method = Box<dyn ParametricStrategy>;

/// All methods of this page, small, for `v` solution and `d` task coordinates.
fn methods(v: usize, d: usize, seed: u64) -> Vec<Method> {
    let (space, one) = (SearchSpace::unit_cube(v), Objectives::minimize_all(1));
    let mut rng = Seed(seed).stream(Purpose::Init, 0);
    let elites = MapElitesConfig {
        cells: 16,
        ..MapElitesConfig::published()
    };
    let transfer = SelfTransferConfig {
        tasks: 6,
        samples: 5,
        trials: 10,
        population: 10,
        generations: 10,
        ..SelfTransferConfig::as_run()
    };
    let full = SelfTransferConfig {
        correlation: TransferCorrelation::Full,
        ..transfer.clone()
    };
    let revi = IntegratedOptimumConfig {
        initial: InitialDesign::Joint { samples: 24 },
        round: 8,
        tasks: 16,
        candidates: 16,
        recommendations: 32,
        ..IntegratedOptimumConfig::revi()
    };
    vec![
        Box::new(elites.build(&space, d, &one, &mut rng).expect("usable")),
        Box::new(transfer.build(&space, d, &one, &mut rng).expect("usable")),
        Box::new(full.build(&space, d, &one, &mut rng).expect("usable")),
        Box::new(revi.build(&space, d, &one, &mut rng).expect("usable")),
    ]
}

/// Sixteen times the squared distance to a solution that moves with the task.
fn cost(x: &[f64], task: &[f64]) -> f64 {
    let shift = task.iter().sum::<f64>() / task.len().max(1) as f64;
    (0..x.len())
        .map(|k| 16.0 * (x[k] - 0.2 - 0.25 * shift * (1.0 + k as f64)).powi(2))
        .sum()
}

fn outcome(value: f64) -> Outcome {
    Outcome::Complete(Costs::from_values(vec![value]).expect("finite"))
}

/// Asks for `q` at a time and tells them together; returns the candidates in order.
fn run(
    method: &mut dyn ParametricStrategy,
    evaluations: usize,
    q: usize,
    seed: u64,
    f: &dyn Fn(&[f64], &[f64]) -> Outcome,
) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    while all.len() < evaluations {
        let step = all.len() as u64;
        let q = NonZeroUsize::new(q.min(evaluations - all.len())).expect("not done");
        let mut rng = Seed(seed).stream(Purpose::Ask, step);
        let batch: Vec<Observation> = method
            .ask(q, &[], &mut rng)
            .expect("never exhausted")
            .into_iter()
            .enumerate()
            .map(|(i, candidate)| {
                let task = candidate.task.as_ref().expect("candidates carry tasks");
                Observation {
                    trial: TrialId(step + i as u64),
                    outcome: f(candidate.point.coords(), task.coords()),
                    candidate,
                }
            })
            .collect();
        let mut rng = Seed(seed).stream(Purpose::Tell, step);
        method.tell(&batch, &mut rng).expect("valid");
        all.extend(batch.into_iter().map(|o| o.candidate));
    }
    all
}

const FAST: InverseFit = InverseFit::Map {
    starts: 2,
    evaluations: 40,
};

fn mean_cost(method: &dyn ParametricStrategy, recipe: InverseRecipe, d: usize) -> f64 {
    let model = method.task_model_with(recipe, Some(&FAST)).expect("data");
    let costs = (0..20).map(|i| {
        let coords: Vec<f64> = (0..d)
            .map(|k| (f64::from(i) * (0.618 + 0.1 * k as f64)).fract())
            .collect();
        let task = UnitPoint::new(coords).expect("inside");
        cost(model.point(&task).coords(), task.coords())
    });
    costs.sum::<f64>() / 20.0
}

#[test]
fn every_method_beats_random_on_average_of_the_recipes() {
    let recipes = [
        InverseRecipe::IsoAll,
        InverseRecipe::ArdAll,
        InverseRecipe::ArdBest { share: 0.7 },
        InverseRecipe::NoiseAware,
    ];
    let mut random = PmtoConfig::random()
        .build(
            &SearchSpace::unit_cube(2),
            2,
            &Objectives::minimize_all(1),
            &mut Seed(1).stream(Purpose::Init, 0),
        )
        .expect("usable");
    let go = |method: &mut dyn ParametricStrategy| {
        run(method, 200, 1, 1, &|x, t| outcome(cost(x, t)));
        recipes.map(|recipe| mean_cost(method, recipe, 2))
    };
    let by_chance = go(&mut random);
    for mut method in methods(2, 2, 1) {
        let own = go(method.as_mut());
        let sum = |costs: &[f64]| costs.iter().sum::<f64>();
        assert!(
            sum(&own) < 0.75 * sum(&by_chance),
            "{}: {own:?} against {by_chance:?}",
            method.name()
        );
        let pool = method.pool();
        assert!(pool.iter().any(|t| t.best.is_some()));
        for task in &pool {
            if let Some((x, y)) = &task.best {
                let expected = cost(x.coords(), task.task.coords());
                assert!((y - expected).abs() < 1e-9, "{}", method.name());
            }
        }
    }
}

#[test]
fn same_seed_same_run_for_any_batch_of_threads() {
    let go = |threads: usize, seed: u64| -> Vec<Vec<Candidate>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| {
            methods(2, 2, seed)
                .iter_mut()
                .map(|m| run(m.as_mut(), 60, 4, seed, &|x, t| outcome(cost(x, t))))
                .collect()
        })
    };
    let one = go(1, 5);
    assert_eq!(one, go(3, 5));
    for (a, b) in one.iter().zip(go(1, 6)) {
        assert_ne!(a, &b);
    }
}

#[test]
fn asking_changes_nothing_and_skips_what_is_pending() {
    for mut method in methods(2, 2, 7) {
        run(method.as_mut(), 40, 4, 7, &|x, t| outcome(cost(x, t)));
        let q = NonZeroUsize::new(3).expect("not zero");
        let ask = |pending: &[Candidate]| {
            method
                .ask(q, pending, &mut Seed(7).stream(Purpose::Ask, 99))
                .expect("never exhausted")
        };
        let first = ask(&[]);
        assert_eq!(first, ask(&[]));
        let second = ask(&first);
        assert!(
            second.iter().all(|c| !first.contains(c)),
            "{}",
            method.name()
        );
        let pending: Vec<Candidate> = first.into_iter().chain(second).collect();
        assert_eq!(ask(&pending).len(), 3);
        let foreign = [Candidate::at(UnitPoint::new([0.5, 0.5]).expect("inside"))];
        let asked = method.ask(q, &foreign, &mut Seed(0).stream(Purpose::Ask, 0));
        assert!(matches!(
            asked,
            Err(StrategyError::InvalidPending { index: 0, .. })
        ));
    }
}

#[test]
fn observations_that_do_not_fit_are_refused() {
    for mut method in methods(2, 2, 1) {
        let point = UnitPoint::new([0.5, 0.5]).expect("inside");
        let task = |d: usize| UnitPoint::new(vec![0.5; d]).expect("inside");
        let mut tell = |trial: u64, candidate: Candidate| {
            let observation = Observation {
                trial: TrialId(trial),
                candidate,
                outcome: outcome(1.0),
            };
            method.tell(&[observation], &mut Seed(0).stream(Purpose::Tell, 0))
        };
        let at = Candidate::at(point.clone());
        assert!(tell(0, at.clone()).is_err());
        assert!(tell(0, at.clone().with_task(task(3))).is_err());
        tell(0, at.clone().with_task(task(2))).expect("fits");
        assert!(tell(0, at.with_task(task(2))).is_err(), "told twice");
    }
}

#[test]
fn without_a_success_there_is_no_task_model() {
    for mut method in methods(2, 1, 2) {
        let model = method.task_model_with(InverseRecipe::ArdAll, None);
        assert!(matches!(model, Err(MetaError::NoSolvedTask)));
        run(method.as_mut(), 60, 3, 2, &|_, _| {
            Outcome::failed("crashed")
        });
        let model = method.task_model_with(InverseRecipe::NoiseAware, None);
        assert!(matches!(model, Err(MetaError::NoSolvedTask)));
        assert!(method.pool().iter().all(|t| t.best.is_none()));
    }
}

#[test]
fn failures_constants_and_huge_costs_give_finite_answers() {
    type Case<'a> = &'a dyn Fn(&[f64], &[f64]) -> Outcome;
    let failing = |x: &[f64], t: &[f64]| {
        if x[0] > 0.8 {
            Outcome::failed("crashed")
        } else {
            outcome(cost(x, t))
        }
    };
    let cases: [Case<'_>; 4] = [
        &failing,
        &|_, _| outcome(3.0),
        &|x, t| outcome(1e300 * cost(x, t)),
        &|x, t| outcome(if x[0] < 0.05 { 1e9 } else { cost(x, t) }),
    ];
    for (case, f) in cases.into_iter().enumerate() {
        for mut method in methods(2, 1, 4) {
            let all = run(method.as_mut(), 70, 2, 4, f);
            assert_eq!(all.len(), 70);
            for recipe in [InverseRecipe::ArdAll, InverseRecipe::NoiseAware] {
                let model = method
                    .task_model_with(recipe, Some(&FAST))
                    .unwrap_or_else(|e| panic!("{} case {case} {recipe:?}: {e:?}", method.name()));
                let solution = model.solution(&UnitPoint::new([0.5]).expect("inside"));
                assert!(solution.sd.iter().all(|s| (0.0..=1.0).contains(s)));
            }
        }
    }
}

#[test]
fn a_box_of_one_point_is_one_task() {
    for mut method in methods(2, 0, 6) {
        run(method.as_mut(), 60, 1, 6, &|x, t| outcome(cost(x, t)));
        let model = method
            .task_model_with(InverseRecipe::ArdAll, Some(&FAST))
            .expect("data");
        let only = UnitPoint::new([]).expect("the only point");
        assert!(
            cost(model.point(&only).coords(), &[]) < 1.0,
            "{}",
            method.name()
        );
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut rng = Seed(0).stream(Purpose::Init, 0);
    let (space, one) = (SearchSpace::unit_cube(2), Objectives::minimize_all(1));
    let two = Objectives::minimize_all(2);
    let elites = MapElitesConfig::published();
    assert!(matches!(
        elites.build(&space, 1, &two, &mut rng),
        Err(MetaError::SingleObjective { found: 2 })
    ));
    for bad in [
        MapElitesConfig {
            cells: 0,
            ..elites.clone()
        },
        MapElitesConfig {
            regression: 1.5,
            ..elites.clone()
        },
        MapElitesConfig {
            tournaments: vec![],
            ..elites.clone()
        },
        MapElitesConfig {
            crossover_index: f64::NAN,
            ..elites
        },
    ] {
        let built = bad.build(&space, 1, &one, &mut rng);
        assert!(
            matches!(built, Err(MetaError::PmtoSetting { .. })),
            "{bad:?}"
        );
    }
}
