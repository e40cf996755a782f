//! Wrappers and readers under arbitrary inputs.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Direction, Outcome, UnitPoint};
use warmfront_problems::wrap::{Failing, Negated, Noisy, Scaled, Shifted};
use warmfront_problems::{Npy, Problem, branin_currin, hartmann3, hartmann6, zdt2};

fn point(dim: usize) -> impl Strategy<Value = Candidate> {
    let coords = prop::collection::vec(0.0..=1.0, dim);
    coords.prop_map(|coords: Vec<f64>| {
        Candidate::at(UnitPoint::new(coords).expect("drawn inside the cube"))
    })
}

fn complete(outcome: Option<Outcome>) -> Vec<f64> {
    outcome
        .and_then(|outcome| outcome.costs()?.complete())
        .expect("complete")
}

proptest! {
    #[test]
    fn shifts_keep_range_and_corners_and_a_zero_shift_keeps_all(at in point(6), shift in prop::collection::vec(-0.4..0.4, 6)) {
        let plain = hartmann6();
        let shifted = Shifted::new(hartmann6(), &shift);
        let value = complete(shifted.noise_free(&at))[0];
        prop_assert!((-3.3224..=0.0).contains(&value));
        let same = Shifted::new(hartmann6(), &[0.0; 6]);
        let difference = complete(same.noise_free(&at))[0] - complete(plain.noise_free(&at))[0];
        prop_assert!(difference.abs() < 1e-12);
        let ends = Candidate::at(UnitPoint::new([0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).expect("a corner"));
        let difference = complete(shifted.noise_free(&ends))[0] - complete(plain.noise_free(&ends))[0];
        prop_assert!(difference.abs() < 1e-12);
    }

    #[test]
    fn scaling_multiplies_and_negating_keeps_costs(at in point(2), a in 1e-6..1e6f64, b in 1e-6..1e6f64) {
        let plain = complete(branin_currin().noise_free(&at));
        let scaled = complete(Scaled::new(branin_currin(), &[a, b]).noise_free(&at));
        prop_assert!((scaled[0] - a * plain[0]).abs() <= 1e-12 * scaled[0].abs());
        prop_assert!((scaled[1] - b * plain[1]).abs() <= 1e-12 * scaled[1].abs());
        let negated = Negated::new(branin_currin());
        prop_assert_eq!(complete(negated.noise_free(&at)), plain.clone());
        prop_assert!(negated.objectives().iter().all(|o| o.direction == Direction::Maximize));
        let costs = negated.noise_free(&at).and_then(|outcome| outcome.costs().cloned()).expect("complete");
        let raw = negated.objectives().to_raw(&costs);
        prop_assert_eq!(raw, plain.iter().map(|value| Some(-value)).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_are_no_array_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Npy::parse(&bytes).is_err());
        let mut headed = b"\x93NUMPY\x01\x00".to_vec();
        headed.extend(&bytes);
        prop_assert!(Npy::parse(&headed).is_err());
    }
}

#[test]
fn added_noise_has_the_asked_spread() {
    let problem = Noisy::new(zdt2(3), &[0.0, 0.5]);
    let at = Candidate::at(UnitPoint::new([0.2, 0.4, 0.6]).expect("inside"));
    let exact = complete(problem.noise_free(&at));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let n = 4000;
    let mut squares = 0.0;
    for _ in 0..n {
        let noisy = complete(problem.evaluate(&at, &mut rng).ok());
        assert_eq!(noisy[0].to_bits(), exact[0].to_bits());
        squares += (noisy[1] - exact[1]).powi(2);
    }
    let std = (squares / f64::from(n)).sqrt();
    assert!((std - 0.5).abs() < 0.02, "{std}");
}

#[test]
fn failures_happen_as_often_or_where_asked() {
    let at = |u: f64| Candidate::at(UnitPoint::new([u, 0.5, 0.5]).expect("inside"));
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let random = Failing::at_random(zdt2(3), 0.25);
    let failed = (0..4000)
        .filter(|_| {
            let outcome = random
                .evaluate(&at(0.5), &mut rng)
                .expect("a point of the cube");
            matches!(outcome, Outcome::Failed { .. })
        })
        .count();
    assert!((900..1100).contains(&failed), "{failed} of 4000");
    assert!(complete(random.noise_free(&at(0.5))).len() == 2);

    let region = Failing::inside(zdt2(3), |candidate| candidate.point.coords()[0] > 0.8);
    let fails = |u| {
        let outcome = region.noise_free(&at(u)).expect("known");
        matches!(outcome, Outcome::Failed { .. })
    };
    assert!(fails(0.9) && !fails(0.7));

    // The optimum may lie where evaluations fail; failures at random take nothing away.
    assert!(random.front(5).is_some() && random.max_hypervolume().is_some());
    assert!(region.front(5).is_none() && region.max_hypervolume().is_none());
    let somewhere = Failing::inside(hartmann3(), |_| true);
    assert!(hartmann3().optimum().is_some() && somewhere.optimum().is_none());
    assert_eq!(
        region.reference_point().value,
        zdt2(3).reference_point().value
    );
}

#[test]
fn noise_is_the_same_on_every_machine() {
    let problem = Noisy::new(zdt2(2), &[1.0, 1.0]);
    let at = Candidate::at(UnitPoint::new([0.0, 0.0]).expect("inside"));
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let noisy = complete(problem.evaluate(&at, &mut rng).ok());
    let expected = [0.473_007_798_548_054_4, 2.647_529_856_219_628];
    for (found, expected) in noisy.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{noisy:?}");
    }
}
