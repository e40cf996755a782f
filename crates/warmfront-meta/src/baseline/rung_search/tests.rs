use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_core::{Belief, Costs, Domain, Fidelity, FidelityRange, Outcome, TrialId, UnitPoint};
use warmfront_testkit::assert_close;

use super::*;
use crate::multi_fidelity::Rungs;

fn space(epochs: u32) -> SearchSpace {
    SearchSpace::builder()
        .param("x", Domain::real(0.0, 1.0))
        .param("y", Domain::real(0.0, 1.0))
        .fidelity(FidelityRange::integer("epoch", 1, epochs).unwrap())
        .build()
        .unwrap()
}

fn belief(space: &SearchSpace, objective: usize, x: f64, y: f64) -> Belief {
    let belief = Belief::uniform(space, objective);
    belief
        .with("x", x, 0.75)
        .unwrap()
        .with("y", y, 0.75)
        .unwrap()
}

/// Two parabolas, seen through a bias that vanishes at full fidelity.
fn costs(candidate: &Candidate) -> Vec<f64> {
    let x = candidate.point.coords();
    let bias = 0.05 * (1.0 - candidate.fidelity.map_or(1.0, Fidelity::value));
    let bowl = |a: f64, b: f64| (x[0] - a).powi(2) + (x[1] - b).powi(2) + bias;
    vec![bowl(0.2, 0.3), bowl(0.4, 0.3)]
}

fn observe(trial: usize, candidate: Candidate, outcome: Outcome) -> Observation {
    Observation {
        trial: TrialId(trial as u64),
        candidate,
        outcome,
    }
}

fn complete(costs: Vec<f64>) -> Outcome {
    Outcome::Complete(Costs::from_values(costs).unwrap())
}

/// Runs with `workers` at a time that finish in a scrambled order; returns all candidates as told.
fn run(strategy: &mut dyn Strategy, trials: usize, workers: usize, seed: u64) -> Vec<Candidate> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pending: Vec<Candidate> = Vec::new();
    let mut told = Vec::new();
    while told.len() < trials {
        while pending.len() < workers {
            let next = strategy.ask(NonZeroUsize::MIN, &pending, &mut rng).unwrap();
            pending.extend(next);
        }
        let done = pending.remove((7 * told.len() + 3) % workers);
        let outcome = if told.len() % 11 == 5 {
            Outcome::failed("crashed")
        } else {
            complete(costs(&done))
        };
        strategy
            .tell(&[observe(told.len(), done.clone(), outcome)], &mut rng)
            .unwrap();
        told.push(done);
    }
    told
}

fn epochs_of(told: &[Candidate], full: f64) -> Vec<u32> {
    let epochs = |c: &Candidate| (c.fidelity.unwrap().value() * full).round() as u32;
    told.iter().map(epochs).collect()
}

#[test]
fn moasha_proposes_the_published_sequence_and_new_points_from_the_beliefs() {
    let space = space(99);
    let objectives = Objectives::minimize_all(2);
    let near = belief(&space, 0, 0.2, 0.3);
    let beliefs = || Beliefs::new(2, vec![near.clone()]).unwrap();
    let mean_density = |share: f64| {
        let config = MoAshaConfig {
            belief_share: share,
            ..MoAshaConfig::default()
        };
        let build = || {
            config
                .clone()
                .build(&space, &objectives, beliefs())
                .unwrap()
        };
        let mut strategy = build();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut told = Vec::new();
        for trial in 0..35 {
            let next = strategy
                .ask(NonZeroUsize::MIN, &[], &mut rng)
                .unwrap()
                .remove(0);
            let outcome = complete(costs(&next));
            strategy
                .tell(&[observe(trial, next.clone(), outcome)], &mut rng)
                .unwrap();
            told.push(next);
        }
        assert_eq!(
            epochs_of(&told, 99.0),
            [
                1, 1, 1, 3, 1, 3, 1, 3, 11, 1, 3, 11, 1, 3, 11, 33, 1, 3, 11, 33, 1, 3, 11, 33, 99,
                1, 3, 11, 33, 99, 1, 3, 11, 33, 99
            ]
        );
        // Nothing is told yet, so that all of a batch are new.
        let fresh = build().ask(NonZeroUsize::new(300).unwrap(), &[], &mut rng);
        let densities = fresh
            .unwrap()
            .into_iter()
            .map(|c| near.ln_density(&c.point));
        densities.sum::<f64>() / 300.0
    };
    let [none, half, all] = [0.0, 0.5, 1.0].map(mean_density);
    assert!(none + 0.1 < half && half + 0.1 < all, "{none} {half} {all}");
    let too_much = MoAshaConfig {
        belief_share: 1.5,
        ..MoAshaConfig::default()
    };
    assert!(too_much.build(&space, &objectives, beliefs()).is_err());
}

#[test]
fn brackets_have_the_sizes_of_the_formula_in_any_order_of_results() {
    let objectives = Objectives::minimize_all(2);
    for config in [
        HyperBandConfig::random_weights(),
        HyperBandConfig::epsilon_net(),
    ] {
        for workers in [1, 4] {
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let space = space(27);
            let build = |rng: &mut ChaCha8Rng| {
                config
                    .clone()
                    .build(&space, &objectives, Beliefs::none(2), rng)
                    .unwrap()
            };
            let mut strategy = build(&mut rng);
            let one_round = 27 + 9 + 3 + 1 + 9 + 3 + 1 + 6 + 2 + 4;
            let told = run(&mut strategy, one_round, workers, 3);
            let count = |epochs: u32| {
                epochs_of(&told, 27.0)
                    .iter()
                    .filter(|&&e| e == epochs)
                    .count()
            };
            if workers == 1 {
                // Failures (one in eleven) leave enough to promote everywhere.
                assert_eq!(
                    [1, 3, 9, 27].map(count),
                    [27, 9 + 9, 3 + 3 + 6, 1 + 1 + 2 + 4]
                );
            }
            let distinct: std::collections::HashSet<_> = told
                .iter()
                .map(|c| (c.point.clone(), c.fidelity.unwrap().value().to_bits()))
                .collect();
            assert_eq!(distinct.len(), told.len(), "an evaluation was repeated");
            // Whoever reads the same log goes on in the same way.
            let mut again = build(&mut ChaCha8Rng::seed_from_u64(2));
            let replayed: Vec<Observation> = strategy
                .log()
                .entries()
                .iter()
                .map(|entry| {
                    let candidate =
                        Candidate::at(entry.point.clone()).with_fidelity(entry.fidelity);
                    let outcome = match entry.complete() {
                        Some(costs) => complete(costs),
                        None => Outcome::failed("crashed"),
                    };
                    observe(entry.trial.0 as usize, candidate, outcome)
                })
                .collect();
            again.tell(&replayed, &mut rng).unwrap();
            let ask = |s: &HyperBandSearch| {
                let mut rng = ChaCha8Rng::seed_from_u64(9);
                s.ask(NonZeroUsize::new(3).unwrap(), &[], &mut rng).unwrap()
            };
            assert_eq!(ask(&again), ask(&strategy));
        }
    }
}

#[test]
fn shares_follow_the_formula() {
    let at = PriorBandShares::at(3, 2, None);
    assert_close(at.random, 0.1, 1e-15, 0.0, "1/(1 + 9)");
    assert_close(at.belief, 0.9, 1e-15, 0.0, "all the rest");
    let at = PriorBandShares::at(3, 0, Some((1.0, 3.0)));
    assert_close(at.random, 0.5, 1e-15, 0.0, "1/(1 + 1)");
    assert_close(at.belief, 0.125, 1e-15, 0.0, "a quarter of the rest");
    assert_close(at.incumbent, 0.375, 1e-15, 0.0, "three quarters");
}

#[test]
fn shares_of_a_scripted_log_are_those_computed_by_hand() {
    let space = space(9);
    let rungs = Rungs::of(&space, 3).unwrap();
    let mut log = FidelityLog::new(&space, 1);
    let tell = |log: &mut FidelityLog, trial: usize, x: f64, epochs: f64, cost: f64| {
        let fidelity = Fidelity::new(epochs / 9.0).unwrap();
        let candidate = Candidate::at(UnitPoint::clamped([x, 0.5])).with_fidelity(fidelity);
        log.extend(&[observe(trial, candidate, complete(vec![cost]))])
            .unwrap();
    };
    let wide = Belief::uniform(&space, 0).with("x", 0.9, 0.75).unwrap();
    let beliefs = Beliefs::new(1, vec![wide.clone()]).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut shares = |log: &FidelityLog, rung| {
        let config = PriorBandConfig::default();
        config.prepare(&beliefs, log, &rungs, rung, &mut rng).shares
    };
    // The first bracket: 9 start at 1/9, 3 go on to 3/9, one to the end; 9/9 + 6/9 + 6/9 in all.
    for i in 0..9 {
        tell(&mut log, i, 0.1 * i as f64, 1.0, (i as f64 - 2.0).abs());
    }
    tell(&mut log, 9, 0.2, 3.0, 0.0);
    tell(&mut log, 10, 0.1, 3.0, 1.0);
    assert_eq!(shares(&log, 1), PriorBandShares::at(3, 1, None));
    tell(&mut log, 11, 0.3, 3.0, 1.5);
    tell(&mut log, 12, 0.2, 9.0, 0.0);
    // The highest rung of three is the second: its best third is x = 0.2, which is the incumbent.
    let point = UnitPoint::clamped([0.2, 0.5]);
    let around = Belief::uniform(&space, 0)
        .with("x", 0.2, 0.75)
        .unwrap()
        .with("y", 0.5, 0.75)
        .unwrap();
    let evidence = (
        wide.ln_density(&point).exp(),
        around.ln_density(&point).exp(),
    );
    let expected = PriorBandShares::at(3, 1, Some(evidence));
    let found = shares(&log, 1);
    assert_close(found.random, 0.25, 1e-15, 0.0, "random");
    assert_close(found.belief, expected.belief, 1e-12, 0.0, "belief");
    assert_close(found.incumbent, expected.incumbent, 1e-12, 0.0, "incumbent");
    assert!(found.incumbent > 5.0 * found.belief);
}

#[test]
fn good_beliefs_beat_misleading_ones() {
    let space = space(27);
    let objectives = Objectives::minimize_all(2);
    let mean_and_best = |centre: (f64, f64), seed| {
        let about = |objective| belief(&space, objective, centre.0, centre.1);
        let beliefs = Beliefs::new(2, vec![about(0), about(1)]).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = HyperBandConfig::prior_band();
        let mut strategy = config
            .build(&space, &objectives, beliefs, &mut rng)
            .unwrap();
        run(&mut strategy, 60, 3, seed);
        let entries = strategy.log().entries().iter();
        let complete = entries.filter_map(|e| Some((e.is_full(), e.complete()?)));
        let sums: Vec<(bool, f64)> = complete.map(|(full, c)| (full, c[0] + c[1])).collect();
        let best = sums.iter().filter(|(full, _)| *full).map(|(_, sum)| *sum);
        let mean = sums.iter().map(|(_, sum)| sum).sum::<f64>() / sums.len() as f64;
        (mean, best.fold(f64::INFINITY, f64::min))
    };
    for seed in 0..6 {
        let (good, best) = mean_and_best((0.3, 0.3), seed);
        let (bad, recovered) = mean_and_best((0.95, 0.95), seed);
        assert!(good + 0.05 < bad, "seed {seed}: {good} against {bad}");
        // The least possible sum is 0.02; at the misleading centre it is 1.6.
        assert!(
            best < 0.15 && recovered < 0.3,
            "seed {seed}: {best} and {recovered}"
        );
    }
}

#[test]
fn mutants_stay_near_the_incumbent_and_change_categories() {
    let space = SearchSpace::builder()
        .param("x", Domain::real(0.0, 1.0))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .fidelity(FidelityRange::integer("epoch", 1, 3).unwrap())
        .build()
        .unwrap();
    let rungs = Rungs::of(&space, 3).unwrap();
    let mut log = FidelityLog::new(&space, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let best = warmfront_core::Config::new()
        .with("x", 0.5)
        .with("kind", "b");
    let best = space.encode(&best).unwrap();
    for trial in 0..3 {
        let point = if trial == 0 {
            best.clone()
        } else {
            space.sample(&mut rng)
        };
        let told = observe(trial, Candidate::at(point), complete(vec![trial as f64]));
        log.extend(&[told]).unwrap();
    }
    let config = PriorBandConfig::default();
    let mut draw = config.prepare(&Beliefs::none(1), &log, &rungs, 0, &mut rng);
    draw.shares = PriorBandShares {
        random: 0.0,
        belief: 0.0,
        incumbent: 1.0,
    };
    let n = 2000;
    let (mut moved, mut changed, mut far) = (0, 0, 0.0);
    for _ in 0..n {
        let mutant = space.decode(&draw.draw(&mut rng));
        let x = mutant.number("x").unwrap() - 0.5;
        moved += i32::from(x.abs() > 0.0);
        changed += i32::from(mutant.text("kind") != Some("b"));
        far += x * x;
    }
    // Half of each, given that at least one of the two has changed: ½ / (1 − ¼).
    let share = |count: i32| f64::from(count) / f64::from(n);
    assert_close(share(moved), 2.0 / 3.0, 0.0, 0.04, "numbers");
    assert_close(share(changed), 2.0 / 3.0, 0.0, 0.04, "categories");
    // A normal of deviation ¼ cut at two deviations has the variance 0.774 · ¼².
    assert_close(far / f64::from(moved), 0.774 / 16.0, 0.1, 0.0, "variance");
}
