use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_acq::MaximizeConfig;
use warmfront_core::{Costs, Outcome, TrialId};
use warmfront_testkit::assert_close;

use super::*;

fn quick(config: ScalarizedBoConfig) -> ScalarizedBoConfig {
    ScalarizedBoConfig {
        maximize: MaximizeConfig {
            raw_samples: 64,
            around_best: 16,
            restarts: 3,
            max_iterations: 20,
            ..MaximizeConfig::default()
        },
        ..config
    }
}

fn strategy(config: ScalarizedBoConfig, beliefs: Beliefs, seed: u64) -> (ScalarizedBo, ChaCha8Rng) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let space = SearchSpace::unit_cube(2);
    let objectives = Objectives::minimize_all(2);
    let built = ScalarizedBo::new(&space, &objectives, beliefs, quick(config), &mut rng);
    (built.unwrap(), rng)
}

fn observe(trial: usize, point: UnitPoint, costs: Vec<f64>) -> Observation {
    Observation {
        trial: TrialId(trial as u64),
        candidate: Candidate::at(point),
        outcome: Outcome::Complete(Costs::from_values(costs).unwrap()),
    }
}

/// Two parabolas; the second counts in thousands.
fn costs(x: &[f64]) -> Vec<f64> {
    let bowl = |a: f64, b: f64| (x[0] - a).powi(2) + (x[1] - b).powi(2);
    vec![bowl(0.3, 0.4), 1000.0 * bowl(0.5, 0.4)]
}

fn run(mut bo: ScalarizedBo, rng: &mut ChaCha8Rng, budget: usize) -> Vec<UnitPoint> {
    (0..budget)
        .map(|trial| {
            let next = bo.ask(NonZeroUsize::MIN, &[], rng).unwrap().remove(0).point;
            let told = observe(trial, next.clone(), costs(next.coords()));
            bo.tell(&[told], rng).unwrap();
            next
        })
        .collect()
}

#[test]
fn normalised_search_finds_the_trade_offs_and_raw_search_the_large_objective() {
    let distance = |p: &UnitPoint, a: f64| (p.coords()[0] - a).hypot(p.coords()[1] - 0.4);
    let (bo, mut rng) = strategy(
        ScalarizedBoConfig::random_weights_as_run(),
        Beliefs::none(2),
        1,
    );
    let raw = run(bo, &mut rng, 14);
    assert!(raw.iter().any(|p| distance(p, 0.5) < 0.03), "{raw:?}");
    for config in [
        ScalarizedBoConfig::random_weights(),
        ScalarizedBoConfig::parego(),
    ] {
        let (bo, mut rng) = strategy(config, Beliefs::none(2), 2);
        // The weights are random: enough trials that some favour the first objective.
        let found = run(bo, &mut rng, 20);
        // The Pareto set is the segment between the two minima.
        let on_segment = |p: &&UnitPoint| {
            let x = p.coords();
            (0.27..=0.53).contains(&x[0]) && (x[1] - 0.4).abs() < 0.05
        };
        let on: Vec<&UnitPoint> = found.iter().filter(on_segment).collect();
        assert!(on.len() >= 5, "{found:?}");
        assert!(on.iter().any(|p| p.coords()[0] < 0.38), "{found:?}");
    }
}

#[test]
fn good_beliefs_lead_and_a_misleading_one_is_left_behind() {
    let space = SearchSpace::unit_cube(2);
    let belief = |objective, x: f64, y: f64| {
        let belief = Belief::uniform(&space, objective);
        belief
            .with("x0", x, 0.9)
            .unwrap()
            .with("x1", y, 0.9)
            .unwrap()
    };
    let best = |beliefs: Beliefs, budget: usize| {
        let (bo, mut rng) = strategy(ScalarizedBoConfig::random_weights(), beliefs, 3);
        let found = run(bo, &mut rng, budget);
        let sums = found.iter().map(|p| {
            let costs = costs(p.coords());
            costs[0] + 1e-3 * costs[1]
        });
        sums.fold(f64::INFINITY, f64::min)
    };
    let good = || Beliefs::new(2, vec![belief(0, 0.3, 0.4), belief(1, 0.5, 0.4)]).unwrap();
    let bad = || Beliefs::new(2, vec![belief(0, 0.95, 0.95), belief(1, 0.95, 0.05)]).unwrap();
    // The least possible sum is 0.02.
    assert!(best(good(), 4) < 0.06);
    assert!(best(bad(), 4) > 0.15);
    assert!(best(bad(), 24) < 0.04);
}

#[test]
fn trials_keep_the_weights_they_were_told_under_where_asked_to() {
    let (mut bo, mut rng) = strategy(
        ScalarizedBoConfig::belief_weighted_as_run(),
        Beliefs::none(2),
        4,
    );
    for trial in 0..3 {
        let point = UnitPoint::clamped([0.1 + 0.3 * trial as f64, 0.5]);
        bo.tell(&[observe(trial, point, vec![1.0, 3.0])], &mut rng)
            .unwrap();
    }
    let fitted = bo.fitted.as_ref().unwrap();
    for trial in 0..3 {
        let w = &bo.told_under[trial];
        assert_close(w[0] + w[1], 1.0, 1e-12, 0.0, "weights");
        assert_close(fitted.y[(trial, 0)], w[0] + 3.0 * w[1], 1e-12, 0.0, "value");
    }
    assert_ne!(bo.told_under[0], bo.told_under[1]);
}

#[test]
fn the_extremes_of_f64_are_scaled_into_the_unit_interval() {
    let (mut bo, mut rng) = strategy(ScalarizedBoConfig::random_weights(), Beliefs::none(2), 5);
    let extremes = [[f64::MAX, 1.0], [-f64::MAX, 1.0], [0.0, 1.0]];
    for (trial, costs) in extremes.into_iter().enumerate() {
        let point = UnitPoint::clamped([0.3 * trial as f64, 0.5]);
        bo.tell(&[observe(trial, point, costs.to_vec())], &mut rng)
            .unwrap();
    }
    let values = bo.scalarize(&bo.log.usable(), |_| &[0.5, 0.5]).unwrap();
    for (value, expected) in values.iter().zip([0.5, 0.0, 0.25]) {
        assert_close(*value, expected, 1e-12, 1e-15, "scaled");
    }
    assert_eq!(bo.ask(NonZeroUsize::MIN, &[], &mut rng).unwrap().len(), 1);
}
