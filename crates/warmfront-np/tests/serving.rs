//! What a served policy promises: the contract of strategies, and that it does what its network says.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use warmfront_core::{
    Candidate, Costs, Domain, Fidelity, Objectives, Observation, ObservationFault, Outcome,
    SearchSpace, Strategy, StrategyError, TrialId, UnitPoint,
};
use warmfront_np::{
    About, AcquisitionHead, Bar, Context, Frame, Heads, History, HistoryAttention, Initialisation,
    MaximizeConfig, Nap, NapConfig, Network, NetworkConfig, Policy, Scaling, Utility,
};

const MODES: [History; 3] = [History::Exact, History::Cached, History::TopK(3)];
const SERVED: [Utility; 2] = [Utility::Acquisition, Utility::LogEi];

fn network(inputs: usize) -> Network {
    let compact = NetworkConfig::compact(inputs);
    let config = NetworkConfig {
        layers: 2,
        width: 16,
        feed_forward: 16,
        heads: 2,
        bar: Bar::uniform(-4.0, 4.0, 12).with_tails(),
        head_hidden: 16,
        acquisition: AcquisitionHead {
            hidden: 16,
            layers: 2,
            ..compact.acquisition
        },
        attention: HistoryAttention::Causal,
        // Outputs that differ between candidates, without training.
        initialisation: Initialisation::Scaled,
        ..compact
    };
    Network::new(config, &mut ChaCha8Rng::seed_from_u64(11)).unwrap()
}

fn policy(space: &SearchSpace) -> Arc<Policy> {
    Arc::new(Policy::new(network(space.dim()), About::new(space, 6)).unwrap())
}

/// Few samples and steps: the promises do not depend on how well a strategy searches.
fn quick(history: History) -> NapConfig {
    NapConfig {
        history,
        maximize: MaximizeConfig {
            raw_samples: 24,
            around_best: 8,
            restarts: 2,
            steps: 4,
            screening: None,
        },
        ..NapConfig::default()
    }
}

fn build(space: &SearchSpace, config: NapConfig) -> Nap {
    let one = Objectives::minimize_all(1);
    config.build(policy(space), space, &one).unwrap()
}

fn spaces() -> Vec<(&'static str, SearchSpace)> {
    let mixed = SearchSpace::builder()
        .param("rate", Domain::log_real(1e-4, 1.0))
        .param("layers", Domain::integer(1, 9))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("momentum", Domain::real(0.0, 0.99))
        .when("kind", ["b"])
        .build()
        .unwrap();
    let discrete = SearchSpace::builder()
        .param("layers", Domain::integer(1, 5))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .build()
        .unwrap();
    let large = (0..8)
        .fold(SearchSpace::builder(), |builder, i| {
            builder.param(format!("x{i}"), Domain::integer(1, 9))
        })
        .build()
        .unwrap();
    vec![
        ("box", SearchSpace::unit_cube(2)),
        ("mixed", mixed),
        ("discrete", discrete),
        ("large", large),
        ("table", table(2, 40)),
    ]
}

fn table(d: usize, rows: usize) -> SearchSpace {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let rows = (0..rows)
        .map(|_| UnitPoint::clamped((0..d).map(|_| rng.random()).collect::<Vec<f64>>()))
        .collect();
    SearchSpace::unit_cube(d).with_table(rows).unwrap()
}

fn cost(point: &UnitPoint) -> f64 {
    let sum: f64 = point.coords().iter().sum();
    (3.0 * sum).sin()
}

fn observe(trial: u64, candidate: Candidate, outcome: Outcome) -> Observation {
    Observation {
        trial: TrialId(trial),
        candidate,
        outcome,
    }
}

fn complete(cost: f64) -> Outcome {
    Outcome::Complete(Costs::from_values(vec![cost]).unwrap())
}

fn q(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn bits(candidate: &Candidate) -> Vec<u64> {
    let coords = candidate.point.coords().iter();
    coords.map(|c| c.to_bits()).collect()
}

/// Runs ask and tell with batches, pending candidates and failures; returns every proposal.
fn run(space: &SearchSpace, config: NapConfig, seed: u64) -> Vec<Candidate> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut strategy = build(space, config);
    let mut all = Vec::new();
    let mut pending: Vec<Candidate> = Vec::new();
    for step in 0..5u64 {
        let batch = strategy.ask(q(2), &pending, &mut rng).unwrap();
        assert_eq!(batch.len(), 2);
        for candidate in &batch {
            assert_eq!(space.canonical(&candidate.point), candidate.point);
        }
        all.extend(batch.clone());
        // The first of the batch is told now, the second stays pending for one round.
        let mut told = vec![batch[0].clone()];
        told.append(&mut pending);
        pending = vec![batch[1].clone()];
        let observations: Vec<Observation> = (10 * step..)
            .zip(told)
            .map(|(trial, candidate)| {
                let outcome = match step {
                    0 => Outcome::failed("the first batch crashed"),
                    _ => complete(cost(&candidate.point)),
                };
                observe(trial, candidate, outcome)
            })
            .collect();
        strategy.tell(&observations, &mut rng).unwrap();
    }
    all
}

#[test]
fn batches_pending_failures_and_every_kind_of_space() {
    for (kind, space) in spaces() {
        for history in MODES {
            for acquisition in SERVED {
                for initial_trials in [None, Some(3)] {
                    let config = NapConfig {
                        acquisition: Some(acquisition),
                        initial_trials,
                        ..quick(history)
                    };
                    let all = run(&space, config, 1);
                    let distinct: HashSet<_> = all.iter().map(bits).collect();
                    assert_eq!(distinct.len(), all.len(), "{kind} {history:?} repeats");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run_for_any_number_of_threads() {
    let mut spaces = spaces();
    spaces.push(("long table", table(2, 700)));
    for (kind, space) in spaces {
        let config = |parallel| {
            let mut config = NapConfig {
                parallel,
                ..quick(History::Cached)
            };
            // More than are scored in one piece.
            config.maximize.raw_samples = 600;
            config
        };
        let single: Vec<_> = run(&space, config(false), 9).iter().map(bits).collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let again = pool.install(|| run(&space, config(true), 9));
            let again: Vec<_> = again.iter().map(bits).collect();
            assert_eq!(single, again, "{kind} on {threads} threads");
        }
    }
    let space = SearchSpace::unit_cube(2);
    let by_seed = |seed| run(&space, quick(History::Exact), seed);
    assert_ne!(by_seed(1), by_seed(2));
}

#[test]
fn what_is_used_up_is_an_error_and_not_a_repeat() {
    let discrete = SearchSpace::builder()
        .param("layers", Domain::integer(1, 4))
        .build()
        .unwrap();
    for space in [table(1, 4), discrete] {
        for initial_trials in [None, Some(9)] {
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let mut strategy = build(
                &space,
                NapConfig {
                    initial_trials,
                    ..quick(History::Exact)
                },
            );
            let all = strategy.ask(q(3), &[], &mut rng).unwrap();
            let last = strategy.ask(q(1), &all, &mut rng).unwrap();
            let observations: Vec<Observation> = (0..)
                .zip(all.into_iter().chain(last))
                .map(|(i, candidate)| observe(i, candidate, complete(i as f64)))
                .collect();
            let distinct: HashSet<_> = observations.iter().map(|o| bits(&o.candidate)).collect();
            assert_eq!(distinct.len(), 4);
            strategy.tell(&observations, &mut rng).unwrap();
            let error = strategy.ask(q(1), &[], &mut rng).unwrap_err();
            assert!(matches!(
                error,
                StrategyError::Exhausted {
                    requested: 1,
                    available: 0
                }
            ));
        }
    }
}

/// Without a number of its own a strategy places as many trials as the policy's runs began with, and far
/// apart.
#[test]
fn a_run_begins_as_those_in_training() {
    for space in [SearchSpace::unit_cube(2), table(2, 200)] {
        let about = About {
            initial: 4,
            ..About::new(&space, 6)
        };
        let policy = Arc::new(Policy::new(network(2), about).unwrap());
        let ask = |initial_trials, count, seed| {
            let config = NapConfig {
                initial_trials,
                ..quick(History::Exact)
            };
            let one = Objectives::minimize_all(1);
            let strategy = config.build(policy.clone(), &space, &one).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            strategy.ask(q(count), &[], &mut rng).unwrap()
        };
        assert_eq!(ask(None, 5, 1), ask(Some(4), 5, 1));
        assert_ne!(ask(None, 4, 1), ask(Some(3), 4, 1));
        let mut closest = Vec::new();
        for seed in 0..20 {
            let points = ask(Some(8), 8, seed);
            let distances = (1..8).flat_map(|i| (0..i).map(move |j| (i, j)));
            let distances = distances.map(|(i, j)| {
                let pairs = points[i].point.coords().iter();
                let pairs = pairs.zip(points[j].point.coords());
                pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
            });
            closest.push(distances.fold(f64::INFINITY, f64::min));
        }
        // Eight even draws have a pair nearer than 0.15 in most cases.
        assert!(closest.iter().all(|d| *d > 0.15), "{closest:?}");
    }
}

#[test]
fn ugly_costs_do_not_stop_it() {
    let ugly = [1e300, 1e300, -1e300, 1e-300, 1e9, 0.0, 0.0, -1e308, 1e308];
    let constant = [7.0; 9];
    for space in [SearchSpace::unit_cube(2), table(2, 40)] {
        for history in MODES {
            for costs in [ugly, constant] {
                let mut rng = ChaCha8Rng::seed_from_u64(4);
                let mut strategy = build(&space, quick(history));
                for (i, cost) in costs.into_iter().enumerate() {
                    let point = UnitPoint::clamped([0.5, 0.1 * (i / 2) as f64]);
                    let told = observe(i as u64, Candidate::at(point), complete(cost));
                    strategy.tell(&[told], &mut rng).unwrap();
                    strategy.ask(q(2), &[], &mut rng).unwrap();
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_a_typed_error() {
    let space = SearchSpace::unit_cube(2);
    let message = |config: NapConfig, space: &SearchSpace, objectives| {
        let objectives = Objectives::minimize_all(objectives);
        let policy = policy(&SearchSpace::unit_cube(2));
        config
            .build(policy, space, &objectives)
            .unwrap_err()
            .to_string()
    };
    let default = NapConfig::default;
    assert_eq!(
        message(default(), &SearchSpace::unit_cube(3), 1),
        "the policy is for 2 coordinates, the space has 3"
    );
    assert_eq!(
        message(default(), &space, 2),
        "a policy has one objective, the problem 2"
    );
    assert_eq!(
        message(quick(History::TopK(0)), &space, 1),
        "history is 0, expected at least 1"
    );
    let horizon = NapConfig {
        horizon: Some(0),
        ..default()
    };
    assert_eq!(
        message(horizon, &space, 1),
        "horizon is 0, expected at least 1"
    );
    for range in [(1.0, 1.0), (f64::NAN, 1.0), (-1e308, 1e308)] {
        let config = NapConfig {
            range: Some(range),
            ..default()
        };
        assert!(message(config, &space, 1).contains("the width of the range"));
    }
    let full = Network::new(
        NetworkConfig {
            attention: HistoryAttention::Full,
            ..network(2).config().clone()
        },
        &mut ChaCha8Rng::seed_from_u64(1),
    );
    let policy = Policy::new(full.unwrap(), About::new(&space, 5)).unwrap();
    let error = quick(History::Cached)
        .build(policy, &space, &Objectives::minimize_all(1))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the history can be cached only for a network that was trained with a causal one"
    );
}

#[test]
fn observations_that_no_policy_understands_change_nothing() {
    let space = SearchSpace::unit_cube(2);
    let mut strategy = build(&space, quick(History::Exact));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let good = |trial| {
        observe(
            trial,
            Candidate::at(UnitPoint::clamped([0.5, 0.5])),
            complete(1.0),
        )
    };
    let with = |change: &dyn Fn(Candidate) -> Candidate| {
        let plain = good(1);
        Observation {
            candidate: change(plain.candidate.clone()),
            ..plain
        }
    };
    let quarter = Fidelity::new(0.25).unwrap();
    let elsewhere = UnitPoint::clamped([0.5]);
    let cases = [
        (
            with(&|c| c.with_fidelity(quarter)),
            ObservationFault::Fidelity { found: 0.25 },
        ),
        (
            with(&|c| c.with_task(elsewhere.clone())),
            ObservationFault::Task,
        ),
        (good(0), ObservationFault::Repeated),
    ];
    for (bad, expected) in cases {
        match strategy.tell(&[good(0), bad], &mut rng) {
            Err(StrategyError::InvalidObservation { fault, .. }) => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
        assert_eq!(strategy.history_len(), 0);
    }
    let stranger = Candidate::at(UnitPoint::clamped([0.5]));
    let error = strategy.ask(q(1), &[stranger], &mut rng).unwrap_err();
    assert!(
        matches!(error, StrategyError::InvalidPending { index: 0, .. }),
        "{error}"
    );
}

/// What the network says of `rows`, without the strategy: one forward pass on the whole context.
fn scores(network: &Network, told: &[(UnitPoint, f64)], rows: &[UnitPoint], t: usize) -> Vec<f32> {
    let costs: Vec<f64> = told.iter().map(|row| row.1).collect();
    let frame = Frame::of_history(&costs);
    let single = |points: &mut dyn Iterator<Item = &UnitPoint>| -> Vec<f32> {
        let mut out = Vec::new();
        for point in points {
            out.extend(point.coords().iter().map(|c| *c as f32));
            out.resize(out.len() + network.config().inputs - point.dim(), 0.0);
        }
        out
    };
    let context = Context {
        history_x: single(&mut told.iter().map(|row| &row.0)),
        history_y: costs.iter().map(|cost| frame.scaled(*cost)).collect(),
        queries: single(&mut rows.iter()),
        incumbent: frame.incumbent(&costs),
        progress: (t as f32 / 6.0).min(1.0),
    };
    network.forward(&context, Heads::ACQUISITION).acquisition
}

#[test]
fn a_table_gets_the_row_the_network_likes_best() {
    let space = table(2, 300);
    let rows = space.table().unwrap();
    let policy = policy(&space);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for history in [History::Exact, History::Cached] {
        let mut strategy = build(&space, quick(history));
        let mut told: Vec<(UnitPoint, f64)> = Vec::new();
        for trial in 0..8 {
            let pick = strategy.ask(q(1), &[], &mut rng).unwrap().remove(0);
            let scores = scores(policy.network(), &told, rows, told.len());
            let open = |i: &usize| told.iter().all(|row| row.0 != rows[*i]);
            let best = (0..rows.len())
                .filter(open)
                .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
                .unwrap();
            let at = space.row_of(&pick.point).unwrap();
            // The cached one keeps an older scale, up to one and a half times the history.
            if history == History::Exact || [0, 1, 2, 3].contains(&told.len()) {
                assert!(scores[best] - scores[at] <= 1e-5, "step {trial}");
            }
            let cost = cost(&pick.point);
            told.push((pick.point.clone(), cost));
            let told = observe(trial, pick, complete(cost));
            strategy.tell(&[told], &mut rng).unwrap();
        }
        let spread = scores(policy.network(), &told, rows, 8);
        let (low, high) = spread
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), s| {
                (l.min(*s), h.max(*s))
            });
        assert!(high - low > 1e-3, "the network tells candidates apart");
    }
}

#[test]
fn a_cached_history_is_the_exact_one_under_a_fixed_scale() {
    let space = table(3, 200);
    let about = About {
        scaling: Scaling::Range,
        ..About::new(&space, 40)
    };
    let policy = Arc::new(Policy::new(network(3), about).unwrap());
    let pick = |history| {
        let config = NapConfig {
            range: Some((-1.0, 1.0)),
            ..quick(history)
        };
        let mut strategy = config
            .build(policy.clone(), &space, &Objectives::minimize_all(1))
            .unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut picks = Vec::new();
        for trial in 0..20 {
            let pick = strategy.ask(q(1), &[], &mut rng).unwrap().remove(0);
            picks.push(space.row_of(&pick.point));
            let cost = cost(&pick.point);
            let told = observe(trial, pick, complete(cost));
            strategy.tell(&[told], &mut rng).unwrap();
        }
        picks
    };
    assert_eq!(pick(History::Cached), pick(History::Exact));
    assert_eq!(pick(History::TopK(20)), pick(History::Exact));
    assert_ne!(pick(History::TopK(3)), pick(History::Exact));
}

#[test]
fn fewer_coordinates_are_padded_with_zeros() {
    let policy = Arc::new(Policy::new(network(4), About::general(6)).unwrap());
    let small = table(2, 50);
    let padded = small.table().unwrap().iter().map(|row| {
        let mut coords = row.coords().to_vec();
        coords.resize(4, 0.0);
        UnitPoint::clamped(coords)
    });
    let large = SearchSpace::unit_cube(4)
        .with_table(padded.collect())
        .unwrap();
    let one = Objectives::minimize_all(1);
    let picks = |space: &SearchSpace| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut strategy = quick(History::Exact)
            .build(policy.clone(), space, &one)
            .unwrap();
        (0..6)
            .map(|trial| {
                let pick = strategy.ask(q(1), &[], &mut rng).unwrap().remove(0);
                let row = space.row_of(&pick.point);
                let told = observe(trial, pick.clone(), complete(cost(&pick.point)));
                strategy.tell(&[told], &mut rng).unwrap();
                row
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(picks(&small), picks(&large));
    let boxed = SearchSpace::unit_cube(3);
    let strategy = quick(History::Exact)
        .build(policy.clone(), &boxed, &one)
        .unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    assert_eq!(strategy.ask(q(1), &[], &mut rng).unwrap()[0].point.dim(), 3);
}

#[test]
fn moving_uphill_finds_better_candidates() {
    for (kind, space) in spaces() {
        if space.table().is_some() {
            continue;
        }
        let network = policy(&space);
        for seed in 0..4 {
            let pick = |steps| {
                let config = NapConfig {
                    maximize: MaximizeConfig {
                        raw_samples: 16,
                        around_best: 0,
                        restarts: 4,
                        steps,
                        screening: None,
                    },
                    ..NapConfig::default()
                };
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let strategy = build(&space, config);
                let pick = strategy.ask(q(1), &[], &mut rng).unwrap().remove(0);
                scores(network.network(), &[], &[pick.point], 0)[0]
            };
            let (screened, moved) = (pick(0), pick(20));
            assert!(moved >= screened - 1e-6, "{kind}: {screened} to {moved}");
            if kind == "box" {
                assert!(moved > screened, "{kind}: {screened} to {moved}");
            }
        }
    }
}

#[test]
fn screening_thins_only_histories_that_are_longer() {
    let space = SearchSpace::unit_cube(2);
    for history in MODES {
        let with = |screening| {
            let mut config = quick(history);
            config.maximize.screening = screening;
            config.maximize.raw_samples = 100;
            run(&space, config, 1)
        };
        // Never more than eight are shown, of nine told and one imagined.
        assert_eq!(with(None), with(Some(8)));
        // What little a thin history says, nothing is proposed twice.
        let thinned = with(Some(1));
        let distinct: HashSet<_> = thinned.iter().map(bits).collect();
        assert_eq!(distinct.len(), thinned.len(), "{history:?}");
    }
}

#[test]
fn a_batch_is_one_after_the_other_with_the_earlier_pending() {
    let space = table(2, 100);
    let mut strategy = build(&space, quick(History::Exact));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for trial in 0..5 {
        let batch = strategy.ask(q(3), &[], &mut rng).unwrap();
        for before in 1..3 {
            let next = strategy.ask(q(1), &batch[..before], &mut rng).unwrap();
            assert_eq!(next[0], batch[before], "{before} pending");
        }
        let again = strategy.ask(q(3), &[], &mut rng).unwrap();
        assert_eq!(batch, again, "asking changes nothing");
        let told = observe(trial, batch[0].clone(), complete(cost(&batch[0].point)));
        strategy.tell(&[told], &mut rng).unwrap();
    }
}

#[test]
fn failed_trials_are_not_shown_and_top_k_shows_k() {
    let space = SearchSpace::unit_cube(2);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (history, expected) in [
        (History::Exact, 6),
        (History::Cached, 6),
        (History::TopK(3), 3),
    ] {
        let mut strategy = build(&space, quick(history));
        for trial in 0..9 {
            let pick = strategy.ask(q(1), &[], &mut rng).unwrap().remove(0);
            let outcome = match trial % 3 {
                0 => Outcome::failed("crashed"),
                _ => complete(cost(&pick.point)),
            };
            strategy
                .tell(&[observe(trial, pick, outcome)], &mut rng)
                .unwrap();
        }
        assert_eq!(strategy.history_len(), expected, "{history:?}");
    }
}
