//! PriMO: the promises of every strategy, its phases, and what it does with beliefs.

mod hardships;
mod phases;

use std::num::NonZeroUsize;

use warmfront_acq::MaximizeConfig;
use warmfront_core::{
    Belief, Beliefs, Candidate, Costs, Domain, Fidelity, FidelityRange, Objectives, Observation,
    Outcome, Purpose, SearchSpace, Seed, Strategy, StrategyError, TrialId, UnitPoint,
};
use warmfront_meta::primo::{
    InitialSampling, LowFidelity, Primo, PrimoConfig, PriorTrust, ReferencePoint, Scalarization,
};

/// Few samples and restarts: the promises do not depend on how well the maximum is found.
fn quick(config: PrimoConfig) -> PrimoConfig {
    PrimoConfig {
        maximize: MaximizeConfig {
            raw_samples: 32,
            around_best: 16,
            restarts: 2,
            max_iterations: 10,
            ..MaximizeConfig::default()
        },
        ..config
    }
}

/// The variants, and every option that another test does not reach.
fn variants() -> Vec<PrimoConfig> {
    let improved = PrimoConfig::improved;
    let named = |name: &str, config: PrimoConfig| PrimoConfig {
        name: name.to_owned(),
        ..config
    };
    let learning = PrimoConfig {
        low_fidelity: LowFidelity::Learn,
        initial_sampling: InitialSampling::Modes,
        reference: ReferencePoint::Worst,
        ..improved()
    };
    let normalized = PrimoConfig {
        scalarization: Scalarization::NormalizedRedrawn,
        initial_sampling: InitialSampling::PriorShare { share: 0.5 },
        trust: PriorTrust::Fixed,
        ..improved()
    };
    let chebyshev = PrimoConfig {
        scalarization: Scalarization::Chebyshev { rho: 0.05 },
        low_fidelity: LowFidelity::Learn,
        initial_sampling: InitialSampling::ModesInFull,
        ..improved()
    };
    [
        improved(),
        PrimoConfig::paper(),
        PrimoConfig::as_run(),
        named("learning", learning),
        named("normalized", normalized),
        named("chebyshev", chebyshev),
    ]
    .map(quick)
    .into()
}

fn epochs() -> FidelityRange {
    FidelityRange::integer("epoch", 1, 9).unwrap()
}

fn spaces() -> Vec<SearchSpace> {
    let row = |i: u32| UnitPoint::clamped([f64::from(i) / 40.0, f64::from(i * 7 % 41) / 40.0]);
    vec![
        SearchSpace::unit_cube(2),
        SearchSpace::builder()
            .param("x0", Domain::real(0.0, 1.0))
            .param("x1", Domain::real(0.0, 1.0))
            .fidelity(epochs())
            .build()
            .unwrap(),
        SearchSpace::builder()
            .param("rate", Domain::log_real(1e-4, 1.0))
            .param("layers", Domain::integer(1, 5))
            .param("kind", Domain::categorical(["a", "b", "c"]))
            .param("size", Domain::ordinal([16.0, 32.0, 64.0]))
            .param("momentum", Domain::real(0.0, 0.99))
            .when("kind", ["b"])
            .fidelity(FidelityRange::real("share", 0.1, 1.0).unwrap())
            .build()
            .unwrap(),
        SearchSpace::unit_cube(2)
            .with_table((0..40).map(row).collect())
            .unwrap(),
    ]
}

/// A belief about each objective but the last of several.
fn beliefs(space: &SearchSpace, m: usize) -> Beliefs {
    let about = |o: usize| {
        let mut rng = Seed(o as u64).stream(Purpose::Init, 9);
        let centre = space.decode(&space.sample(&mut rng));
        Belief::new(space, o, &centre, 0.75).unwrap()
    };
    let some = if m == 1 { 1 } else { m - 1 };
    Beliefs::new(m, (0..some).map(about).collect()).unwrap()
}

fn build(config: PrimoConfig, space: &SearchSpace, m: usize, seed: u64) -> Primo {
    let objectives = Objectives::minimize_all(m);
    let mut rng = Seed(seed).stream(Purpose::Init, 0);
    config
        .build(space, &objectives, beliefs(space, m), &mut rng)
        .unwrap()
}

fn costs(candidate: &Candidate, m: usize) -> Vec<f64> {
    let sum: f64 = candidate.point.coords().iter().sum();
    let missing = 1.0 - candidate.fidelity.map_or(1.0, Fidelity::value);
    (0..m)
        .map(|o| (3.0 * sum + 0.7 * o as f64).sin() + 0.3 * missing)
        .collect()
}

fn observe(trial: u64, candidate: Candidate, values: Option<Vec<f64>>) -> Observation {
    let outcome = match values {
        Some(values) => Outcome::Complete(Costs::from_values(values).unwrap()),
        None => Outcome::failed("crashed"),
    };
    Observation {
        trial: TrialId(trial),
        candidate,
        outcome,
    }
}

fn q(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// Batches of one to three with pending candidates, every fourth evaluation failing.
fn busy_run(config: PrimoConfig, space: &SearchSpace, m: usize, seed: u64) -> Vec<Candidate> {
    let mut primo = build(config, space, m, seed);
    let name = primo.name().to_owned();
    let mut all: Vec<Candidate> = Vec::new();
    let mut running: Vec<Candidate> = Vec::new();
    let mut trial = 0;
    for step in 0..16 {
        let count = 1 + step as usize % 3;
        let ask = |primo: &Primo| {
            let mut rng = Seed(seed).stream(Purpose::Ask, step);
            primo.ask(q(count), &running, &mut rng).unwrap()
        };
        let batch = ask(&primo);
        assert_eq!(
            batch,
            ask(&primo),
            "{name}: the same question, another answer"
        );
        assert_eq!(batch.len(), count, "{name}");
        for candidate in &batch {
            assert_eq!(space.canonical(&candidate.point), candidate.point, "{name}");
            assert!(!all.contains(candidate), "{name} repeats {candidate:?}");
            let same_point = |other: &&Candidate| other.point == candidate.point;
            assert!(
                running.iter().find(same_point).is_none(),
                "{name}: already running"
            );
            all.push(candidate.clone());
        }
        running.extend(batch);
        // The latest are told first, one stays.
        while running.len() > 1 {
            let candidate = running.pop().unwrap();
            let values = (trial % 4 != 3).then(|| costs(&candidate, m));
            let mut rng = Seed(seed).stream(Purpose::Tell, trial);
            primo
                .tell(&[observe(trial, candidate, values)], &mut rng)
                .unwrap();
            trial += 1;
        }
    }
    assert!(primo.initial_design_is_over(), "{name}");
    all
}

#[test]
fn every_variant_keeps_the_promises_of_a_strategy() {
    for space in spaces() {
        for m in [1, 2] {
            for config in variants() {
                let first = busy_run(config.clone(), &space, m, 3);
                assert_eq!(first, busy_run(config.clone(), &space, m, 3));
                assert_ne!(first, busy_run(config, &space, m, 4));
            }
        }
    }
    for config in variants() {
        busy_run(config, &spaces()[1], 3, 5);
    }
}

#[test]
fn a_used_up_table_is_an_error_and_not_a_repeat() {
    let rows = vec![UnitPoint::clamped([0.1]), UnitPoint::clamped([0.9])];
    let space = SearchSpace::unit_cube(1).with_table(rows).unwrap();
    for config in variants() {
        let mut primo = build(config, &space, 2, 1);
        let mut rng = Seed(1).stream(Purpose::Ask, 0);
        let both = primo.ask(q(2), &[], &mut rng).unwrap();
        let batch: Vec<_> = (0..)
            .zip(both)
            .map(|(i, c)| observe(i, c.clone(), Some(costs(&c, 2))))
            .collect();
        primo.tell(&batch, &mut rng).unwrap();
        let error = primo.ask(q(1), &[], &mut rng).unwrap_err();
        assert!(matches!(error, StrategyError::Exhausted { .. }), "{error}");
    }
}

#[test]
fn ugly_costs_do_not_stop_it() {
    let ugly: &[[f64; 2]] = &[
        [1e300, 0.0],
        [1e300, 0.0],
        [-1e300, 0.0],
        [1e-300, 1e9],
        [0.0, 0.0],
        [0.0, 0.0],
        [f64::MAX, f64::MIN],
        [f64::MIN, f64::MAX],
    ];
    let space = SearchSpace::unit_cube(2);
    for config in variants() {
        let mut primo = build(config, &space, 2, 1);
        for (trial, values) in (0..).zip(ugly) {
            let point = UnitPoint::clamped([0.5, 0.1 * (trial / 2) as f64]);
            let observation = observe(trial, Candidate::at(point), Some(values.to_vec()));
            let mut rng = Seed(2).stream(Purpose::Ask, trial);
            primo.tell(&[observation], &mut rng).unwrap();
            primo.ask(q(1), &[], &mut rng).unwrap();
        }
    }
}

/// One worker for `steps` evaluations of `f(point, fidelity)`.
fn drive(
    primo: &mut Primo,
    seed: u64,
    steps: u64,
    f: impl Fn(&UnitPoint, f64) -> Vec<f64>,
) -> Vec<Candidate> {
    let ask = |step: u64, primo: &mut Primo| {
        let mut rng = Seed(seed).stream(Purpose::Ask, step);
        let candidate = primo.ask(q(1), &[], &mut rng).unwrap().remove(0);
        let fidelity = candidate.fidelity.map_or(1.0, Fidelity::value);
        let observation = observe(step, candidate.clone(), Some(f(&candidate.point, fidelity)));
        let mut rng = Seed(seed).stream(Purpose::Tell, step);
        primo.tell(&[observation], &mut rng).unwrap();
        candidate
    };
    (0..steps).map(|step| ask(step, primo)).collect()
}
