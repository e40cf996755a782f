use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_core::{Costs, Outcome, TrialId};
use warmfront_pareto::{Points, hypervolume};

use super::*;
use crate::baseline::RandomSearch;

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

/// The first Zitzler–Deb–Thiele problem.
fn zdt1(x: &[f64]) -> Vec<f64> {
    let tail = &x[1..];
    let g = 1.0 + 9.0 * tail.iter().sum::<f64>() / tail.len() as f64;
    vec![x[0], g * (1.0 - (x[0] / g).sqrt())]
}

fn final_hypervolume(mut strategy: Box<dyn Strategy>, seed: u64, budget: usize) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = Vec::new();
    for trial in 0..budget {
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut rng)
            .unwrap()
            .remove(0);
        let costs = zdt1(candidate.point.coords());
        seen.extend(costs.clone());
        let told = observe(trial, candidate, complete(costs));
        strategy.tell(&[told], &mut rng).unwrap();
    }
    hypervolume(Points::new(&seen, 2).unwrap(), &[1.1, 10.0])
}

#[test]
fn evolution_beats_random_search_on_every_seed() {
    let space = SearchSpace::unit_cube(6);
    let objectives = Objectives::minimize_all(2);
    for seed in 0..5 {
        let nsga2 = Nsga2::new(&space, &objectives, Nsga2Config::default()).unwrap();
        let ours = final_hypervolume(Box::new(nsga2), seed, 240);
        let random = RandomSearch::new(&space, &objectives);
        let theirs = final_hypervolume(Box::new(random), seed, 240);
        assert!(ours > theirs + 0.5, "seed {seed}: {ours} against {theirs}");
    }
}

#[test]
fn the_population_is_the_survivors_of_full_generations() {
    let space = SearchSpace::unit_cube(1);
    let config = Nsga2Config {
        population: 2,
        ..Nsga2Config::default()
    };
    let mut strategy = Nsga2::new(&space, &Objectives::minimize_all(2), config).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let at = |x: f64| Candidate::at(UnitPoint::clamped([x]));
    let population = |strategy: &Nsga2| -> Vec<f64> {
        let mut at: Vec<f64> = strategy.population().map(|p| p.coords()[0]).collect();
        at.sort_by(f64::total_cmp);
        at
    };
    let mut tell = |strategy: &mut Nsga2, trial, x, outcome| {
        strategy
            .tell(&[observe(trial, at(x), outcome)], &mut rng)
            .unwrap();
    };
    tell(&mut strategy, 0, 0.1, Outcome::failed("crashed"));
    tell(&mut strategy, 1, 0.2, complete(vec![5.0, 5.0]));
    tell(&mut strategy, 2, 0.3, complete(vec![1.0, 3.0]));
    // The second generation is not complete: it does not breed yet.
    assert_eq!(population(&strategy), [0.1, 0.2]);
    tell(&mut strategy, 3, 0.4, complete(vec![9.0, 9.0]));
    assert_eq!(population(&strategy), [0.2, 0.3]);
    tell(&mut strategy, 4, 0.5, complete(vec![3.0, 1.0]));
    tell(&mut strategy, 5, 0.6, complete(vec![2.0, 2.0]));
    // A front of three for two places: its ends are the least crowded.
    assert_eq!(population(&strategy), [0.3, 0.5]);
}

#[test]
fn crowding_survives_the_largest_costs() {
    let rows = vec![
        (0, Some(vec![-f64::MAX, f64::MAX])),
        (1, Some(vec![0.0, 0.0])),
        (2, Some(vec![f64::MAX, -f64::MAX])),
    ];
    let middle = rank_and_crowd(rows, 2)
        .into_iter()
        .find(|i| i.row == 1)
        .unwrap();
    assert!((middle.crowding - 2.0).abs() < 1e-12, "{}", middle.crowding);
}

#[test]
fn no_child_repeats_a_told_or_pending_configuration() {
    let space = SearchSpace::builder()
        .param("n", warmfront_core::Domain::integer(1, 10))
        .param("kind", warmfront_core::Domain::categorical(["a", "b", "c"]))
        .build()
        .unwrap();
    let config = Nsga2Config {
        population: 4,
        ..Nsga2Config::default()
    };
    let mut strategy = Nsga2::new(&space, &Objectives::minimize_all(1), config).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut seen = HashSet::new();
    let mut pending: Vec<Candidate> = Vec::new();
    for trial in 0..24 {
        let next = strategy
            .ask(NonZeroUsize::MIN, &pending, &mut rng)
            .unwrap()
            .remove(0);
        assert!(seen.insert(next.point.clone()), "trial {trial}");
        pending.push(next);
        if pending.len() == 3 {
            let told = pending.remove(1);
            let cost = told.point.coords()[0];
            let told = observe(trial, told, complete(vec![cost]));
            strategy.tell(&[told], &mut rng).unwrap();
        }
    }
}

#[test]
fn settings_outside_their_range_are_errors() {
    let build = |change: fn(&mut Nsga2Config)| {
        let mut config = Nsga2Config::default();
        change(&mut config);
        Nsga2::new(
            &SearchSpace::unit_cube(1),
            &Objectives::minimize_all(1),
            config,
        )
    };
    assert!(build(|_| {}).is_ok());
    assert!(build(|c| c.population = 1).is_err());
    assert!(build(|c| c.crossover_probability = 1.5).is_err());
    assert!(build(|c| c.mutation_probability = Some(f64::NAN)).is_err());
    assert!(build(|c| c.crossover_index = -1.0).is_err());
    assert!(build(|c| c.mutation_index = f64::INFINITY).is_err());
}
