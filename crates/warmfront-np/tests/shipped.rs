//! The policy that comes with the library searches better than chance.

use std::num::NonZeroUsize;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use warmfront_core::{
    Candidate, Costs, Objectives, Observation, Outcome, SearchSpace, Strategy, TrialId,
};
use warmfront_np::{MaximizeConfig, NapConfig, Policy};

/// A bowl with ripples, lowest at a point that depends on the seed.
fn cost(u: &[f64], seed: u64) -> f64 {
    let centre = |k: usize| 0.2 + 0.6 * ((seed as f64 + 1.0) * (k as f64 + 1.0) * 0.618).fract();
    u.iter()
        .enumerate()
        .map(|(k, u)| {
            let z = u - centre(k);
            z * z + 0.02 * (1.0 - (12.0 * z).cos())
        })
        .sum()
}

#[test]
fn it_beats_random_search_in_two_and_in_five_dimensions() {
    for dim in [2, 5] {
        let (mut learned, mut chance) = (0.0, 0.0);
        for seed in 0..3 {
            let space = SearchSpace::unit_cube(dim);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let config = NapConfig {
                maximize: MaximizeConfig {
                    raw_samples: 128,
                    around_best: 32,
                    restarts: 2,
                    steps: 8,
                    screening: None,
                },
                ..NapConfig::default()
            };
            let objectives = Objectives::minimize_all(1);
            let mut nap = config
                .build(Policy::shipped(), &space, &objectives)
                .unwrap();
            let (mut best, mut random) = (f64::INFINITY, f64::INFINITY);
            for trial in 0..25 {
                let asked = nap.ask(NonZeroUsize::MIN, &[], &mut rng).unwrap();
                let point = asked[0].point.clone();
                let found = cost(point.coords(), seed);
                let outcome = Outcome::Complete(Costs::from_values(vec![found]).unwrap());
                let observation = Observation {
                    trial: TrialId(trial),
                    candidate: Candidate::at(point),
                    outcome,
                };
                nap.tell(&[observation], &mut rng).unwrap();
                best = best.min(found);
                random = random.min(cost(space.sample(&mut rng).coords(), seed));
            }
            learned += best / 3.0;
            chance += random / 3.0;
        }
        assert!(
            learned < 0.5 * chance,
            "{dim} inputs: {learned} instead of {chance}"
        );
    }
}
