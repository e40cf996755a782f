//! What every strategy promises, checked on every strategy.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_acq::MaximizeConfig;
use warmfront_core::{
    Belief, Beliefs, Candidate, Costs, Domain, Fidelity, FidelityRange, MetaDataset, Objectives,
    Observation, Outcome, SearchSpace, Strategy, StrategyError, TaskRecord, TrialId, UnitPoint,
};
use warmfront_meta::baseline::{
    AblrConfig, AblrModel, HyperBandConfig, IndependentGpModel, MoAshaConfig, Nsga2, Nsga2Config,
    PriorRandomSearch, RandomSearch, RgpeConfig, RgpeModel, ScalarizedBo, ScalarizedBoConfig,
    SobolSearch,
};
use warmfront_meta::smog::{IndependentScaml, SmogConfig};
use warmfront_meta::{ModelBased, ModelBasedConfig};

const NAMES: &[&str] = &[
    "random",
    "sobol",
    "random-prior",
    "nsga2",
    "bo-rw",
    "bo-rw-as-run",
    "pibo-rw",
    "pibo-rw-as-run",
    "parego",
    "moasha",
    "moasha-prior",
    "hb-rw",
    "mo-hyperband",
    "mo-priorband",
    "ind-gp",
    "ind-rgpe",
    "ind-ablr",
    "smog",
    "mo-gp",
    "ind-scaml",
];

/// Few samples and restarts: the promises do not depend on how well a strategy searches.
fn quick() -> ModelBasedConfig {
    ModelBasedConfig {
        maximize: MaximizeConfig {
            raw_samples: 32,
            around_best: 8,
            restarts: 2,
            max_iterations: 10,
            ..MaximizeConfig::default()
        },
        initial_trials: Some(3),
        ..ModelBasedConfig::default()
    }
}

fn build(name: &str, space: &SearchSpace, m: usize, rng: &mut ChaCha8Rng) -> Box<dyn Strategy> {
    let objectives = Objectives::minimize_all(m);
    let meta = metadata(space, m, rng);
    let d = space.dim();
    let quick = quick();
    match name {
        "random" => Box::new(RandomSearch::new(space, &objectives)),
        "sobol" => Box::new(SobolSearch::new(space, &objectives, rng).unwrap()),
        "random-prior" => {
            let beliefs = beliefs(space, m);
            Box::new(PriorRandomSearch::new(space, &objectives, beliefs).unwrap())
        }
        "bo-rw" | "bo-rw-as-run" | "pibo-rw" | "pibo-rw-as-run" | "parego" => {
            let config = match name {
                "bo-rw-as-run" => ScalarizedBoConfig::random_weights_as_run(),
                "pibo-rw-as-run" => ScalarizedBoConfig::belief_weighted_as_run(),
                "parego" => ScalarizedBoConfig::parego(),
                _ => ScalarizedBoConfig::random_weights(),
            };
            let config = ScalarizedBoConfig {
                maximize: quick.maximize,
                initial_trials: quick.initial_trials,
                ..config
            };
            let beliefs = if name.starts_with("pibo") {
                beliefs(space, m)
            } else {
                Beliefs::none(m)
            };
            Box::new(ScalarizedBo::new(space, &objectives, beliefs, config, rng).unwrap())
        }
        "moasha" | "moasha-prior" => {
            let beliefs = if name == "moasha" {
                Beliefs::none(m)
            } else {
                beliefs(space, m)
            };
            Box::new(
                MoAshaConfig::default()
                    .build(space, &objectives, beliefs)
                    .unwrap(),
            )
        }
        "hb-rw" | "mo-hyperband" | "mo-priorband" => {
            let config = match name {
                "hb-rw" => HyperBandConfig::random_weights(),
                "mo-hyperband" => HyperBandConfig::epsilon_net(),
                _ => HyperBandConfig::prior_band(),
            };
            Box::new(
                config
                    .build(space, &objectives, beliefs(space, m), rng)
                    .unwrap(),
            )
        }
        "nsga2" => {
            // Small, so that the second generation is reached.
            let config = Nsga2Config {
                population: 3,
                ..Nsga2Config::default()
            };
            Box::new(Nsga2::new(space, &objectives, config).unwrap())
        }
        "ind-gp" => {
            let model = IndependentGpModel::default();
            Box::new(ModelBased::new(model, space, &objectives, quick, rng).unwrap())
        }
        "ind-rgpe" => {
            let model = RgpeModel::train(&meta, d, m, RgpeConfig::default(), rng).unwrap();
            Box::new(ModelBased::new(model, space, &objectives, quick, rng).unwrap())
        }
        "ind-ablr" => {
            let config = AblrConfig {
                layers: vec![8, 8],
                iterations: 30,
                ..AblrConfig::default()
            };
            let model = AblrModel::train(&meta, d, m, config, rng).unwrap();
            Box::new(ModelBased::new(model, space, &objectives, quick, rng).unwrap())
        }
        "smog" | "mo-gp" => {
            let config = SmogConfig {
                use_meta: name == "smog",
                ..SmogConfig::default()
            };
            let model = config.build(d, m, &meta, rng).unwrap();
            Box::new(ModelBased::new(model, space, &objectives, quick, rng).unwrap())
        }
        "ind-scaml" => {
            let model = IndependentScaml::build(&SmogConfig::default(), d, m, &meta, rng).unwrap();
            Box::new(ModelBased::new(model, space, &objectives, quick, rng).unwrap())
        }
        other => panic!("no strategy is called {other}"),
    }
}

/// A belief about the first objective alone, in the first parameter alone.
fn beliefs(space: &SearchSpace, m: usize) -> Beliefs {
    let first = space.parameters()[0].name();
    let belief = Belief::uniform(space, 0).with(first, 0.3, 0.75).unwrap();
    Beliefs::new(m, vec![belief]).unwrap()
}

fn costs(point: &UnitPoint, m: usize) -> Vec<f64> {
    let sum: f64 = point.coords().iter().sum();
    (0..m).map(|o| (3.0 * sum + 0.7 * o as f64).sin()).collect()
}

fn observe(trial: u64, candidate: Candidate, outcome: Outcome) -> Observation {
    Observation {
        trial: TrialId(trial),
        candidate,
        outcome,
    }
}

fn complete(values: Vec<f64>) -> Outcome {
    Outcome::Complete(Costs::from_values(values).unwrap())
}

fn metadata(space: &SearchSpace, m: usize, rng: &mut ChaCha8Rng) -> MetaDataset {
    let tasks = (0..3)
        .map(|t| {
            let observations = (0..8)
                .map(|i| {
                    let point = space.sample(rng);
                    let shifted = costs(&point, m)
                        .iter()
                        .map(|c| c + 0.1 * f64::from(t))
                        .collect();
                    observe(i, Candidate::at(point), complete(shifted))
                })
                .collect();
            TaskRecord::new(observations)
        })
        .collect();
    MetaDataset::new(tasks)
}

fn spaces() -> Vec<(&'static str, SearchSpace)> {
    let mixed = SearchSpace::builder()
        .param("rate", Domain::log_real(1e-4, 1.0))
        .param("layers", Domain::integer(1, 4))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .build()
        .unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let rows = (0..40)
        .map(|_| UnitPoint::clamped(vec![rng.random(), rng.random()]))
        .collect();
    let table = SearchSpace::unit_cube(2).with_table(rows).unwrap();
    vec![
        ("box", SearchSpace::unit_cube(2)),
        ("mixed", mixed),
        ("table", table),
    ]
}

fn q(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn bits(candidate: &Candidate) -> Vec<u64> {
    candidate
        .point
        .coords()
        .iter()
        .map(|c| c.to_bits())
        .collect()
}

/// Runs ask and tell with batches, pending candidates and failures; returns every proposal.
fn run(name: &str, space: &SearchSpace, m: usize, seed: u64) -> Vec<Candidate> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut strategy = build(name, space, m, &mut rng);
    let mut all = Vec::new();
    let mut pending: Vec<Candidate> = Vec::new();
    for step in 0..4u64 {
        let batch = strategy.ask(q(2), &pending, &mut rng).unwrap();
        assert_eq!(batch.len(), 2, "{name}");
        for candidate in &batch {
            assert_eq!(candidate.point.dim(), space.dim(), "{name}");
            assert_eq!(
                space.canonical(&candidate.point),
                candidate.point,
                "{name}: canonical"
            );
        }
        all.extend(batch.clone());
        // The first of the batch is told now, the second stays pending for one round.
        let mut told = vec![batch[0].clone()];
        told.append(&mut pending);
        pending = vec![batch[1].clone()];
        let observations: Vec<Observation> = told
            .into_iter()
            .enumerate()
            .map(|(i, candidate)| {
                let outcome = match step {
                    0 => Outcome::failed("the first batch crashed"),
                    _ => complete(costs(&candidate.point, m)),
                };
                observe(10 * step + i as u64, candidate, outcome)
            })
            .collect();
        strategy.tell(&observations, &mut rng).unwrap();
    }
    all
}

#[test]
fn batches_pending_failures_and_every_kind_of_space() {
    for name in NAMES {
        for (kind, space) in spaces() {
            for m in [1, 2] {
                let all = run(name, &space, m, 1);
                if kind == "table" {
                    let distinct: HashSet<_> = all.iter().map(bits).collect();
                    assert_eq!(distinct.len(), all.len(), "{name} repeats a row");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let space = SearchSpace::unit_cube(2);
    for name in NAMES {
        let first: Vec<_> = run(name, &space, 2, 9).iter().map(bits).collect();
        let second: Vec<_> = run(name, &space, 2, 9).iter().map(bits).collect();
        assert_eq!(first, second, "{name}");
        let other: Vec<_> = run(name, &space, 2, 10).iter().map(bits).collect();
        assert_ne!(first, other, "{name}");
    }
}

#[test]
fn a_used_up_table_is_an_error_and_not_a_repeat() {
    let rows = vec![UnitPoint::clamped([0.1]), UnitPoint::clamped([0.9])];
    let space = SearchSpace::unit_cube(1).with_table(rows).unwrap();
    for name in NAMES {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut strategy = build(name, &space, 1, &mut rng);
        let both = strategy.ask(q(2), &[], &mut rng).unwrap();
        let observations: Vec<Observation> = both
            .into_iter()
            .enumerate()
            .map(|(i, candidate)| observe(i as u64, candidate, complete(vec![i as f64])))
            .collect();
        strategy.tell(&observations, &mut rng).unwrap();
        let error = strategy.ask(q(1), &[], &mut rng).unwrap_err();
        assert!(
            matches!(error, StrategyError::Exhausted { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn budgets_are_those_of_the_rungs_and_no_evaluation_is_repeated() {
    let epochs = FidelityRange::integer("epoch", 1, 9).unwrap();
    let space = SearchSpace::builder()
        .param("rate", Domain::log_real(1e-4, 1.0))
        .param("layers", Domain::integer(1, 4))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("momentum", Domain::real(0.0, 0.99))
        .when("kind", ["b"])
        .fidelity(epochs.clone())
        .build()
        .unwrap();
    for name in NAMES {
        let all = run(name, &space, 2, 3);
        let budget = |c: &Candidate| epochs.budget(c.fidelity.unwrap_or(Fidelity::FULL));
        let on_rungs = |c: &Candidate| [1.0, 3.0, 9.0].contains(&budget(c));
        assert!(all.iter().all(on_rungs), "{name}: {all:?}");
        let distinct: HashSet<_> = all.iter().map(|c| (bits(c), budget(c).to_bits())).collect();
        assert_eq!(distinct.len(), all.len(), "{name} repeats an evaluation");
    }
}

#[test]
fn ugly_costs_do_not_stop_a_strategy() {
    let space = SearchSpace::unit_cube(2);
    let ugly: &[[f64; 2]] = &[
        [1e300, 0.0],
        [1e300, 0.0],
        [-1e300, 0.0],
        [1e-300, 1e9],
        [0.0, 0.0],
        [0.0, 0.0],
    ];
    for name in NAMES {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut strategy = build(name, &space, 2, &mut rng);
        for (i, values) in ugly.iter().enumerate() {
            let point = UnitPoint::clamped([0.5, 0.1 * (i / 2) as f64]);
            let observation = observe(i as u64, Candidate::at(point), complete(values.to_vec()));
            strategy.tell(&[observation], &mut rng).unwrap();
            let candidates = strategy.ask(q(1), &[], &mut rng).unwrap();
            assert!(
                candidates[0].point.coords().iter().all(|c| c.is_finite()),
                "{name}"
            );
        }
    }
}

#[test]
fn a_pending_candidate_of_another_space_is_an_error() {
    let space = SearchSpace::unit_cube(2);
    let stranger = Candidate::at(UnitPoint::clamped([0.5]));
    for name in NAMES {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let strategy = build(name, &space, 1, &mut rng);
        let error = strategy
            .ask(q(1), std::slice::from_ref(&stranger), &mut rng)
            .unwrap_err();
        assert!(
            matches!(error, StrategyError::InvalidPending { index: 0, .. }),
            "{name}: {error}"
        );
    }
}
