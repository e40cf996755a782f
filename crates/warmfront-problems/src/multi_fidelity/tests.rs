use warmfront_core::{Candidate, Fidelity, Seed, UnitPoint};

use super::hartmann::biased;
use super::*;
use crate::{Problem, Synthetic};

const OPTIMUM3: [f64; 3] = [0.114_614, 0.555_649, 0.852_547];
const OPTIMUM6: [f64; 6] = [
    0.201_69, 0.150_011, 0.476_874, 0.275_332, 0.311_652, 0.657_3,
];

#[track_caller]
fn near(found: f64, expected: f64, digits: i32) {
    let tolerance = 0.6 * 10f64.powi(-digits);
    assert!(
        (found - expected).abs() <= tolerance,
        "{found}, expected {expected}"
    );
}

#[track_caller]
fn check(problem: &Synthetic, x: &[f64], k: f64, expected: [f64; 2], digits: i32) {
    let found = problem.value_at(x, k);
    near(found[0], expected[0], digits);
    near(found[1], expected[1], digits);
}

#[test]
fn hartmann_has_the_published_values_without_disturbance() {
    near(biased(&OPTIMUM3, 2.5, 10.0), -1.896_296, 6);
    near(biased(&OPTIMUM3, 2.5, 1.0), 0.070_188, 6);
    near(biased(&OPTIMUM6, 2.5, 10.0), -1.590_858, 6);
    for kind in MfHartmannKind::ALL {
        near(biased(&OPTIMUM3, kind.bias(), 100.0), -3.862_78, 5);
        near(biased(&OPTIMUM6, kind.bias(), 100.0), -3.322_37, 5);
    }
}

#[test]
fn disturbances_depend_on_seed_budget_and_input_and_vanish_at_the_full_budget() {
    let value = |seed, x: f64, z| {
        let problem = MfHartmann::with_seed(3, MfHartmannKind::Bad, Seed(seed)).into_synthetic();
        problem.value_at(&[x, 0.5, 0.5], z)[0]
    };
    let disturbance = |seed, x: f64, z| value(seed, x, z) - biased(&[x, 0.5, 0.5], 3.5, z);
    let first = disturbance(1, 0.25, 10.0);
    assert!(first > 0.0);
    assert_eq!(first.to_bits(), disturbance(1, 0.25, 10.0).to_bits());
    for other in [
        disturbance(2, 0.25, 10.0),
        disturbance(1, 0.25 + 1e-15, 10.0),
        disturbance(1, 0.25, 11.0),
    ] {
        assert!((other - first).abs() > 1e-6);
    }
    assert_eq!(
        value(1, -0.0, 10.0).to_bits(),
        value(1, 0.0, 10.0).to_bits()
    );
    assert!(disturbance(1, 0.25, 100.0).abs() <= 0.0);
}

#[test]
fn disturbances_are_half_normal_on_the_scale_of_their_kind() {
    for kind in MfHartmannKind::ALL {
        let problem = MfHartmann::new(6, kind).into_synthetic();
        let draws = 2000;
        let mean = (0..draws)
            .map(|i| {
                let x = [f64::from(i) / f64::from(draws); 6];
                problem.value_at(&x, 10.0)[0] - biased(&x, kind.bias(), 10.0)
            })
            .sum::<f64>()
            / f64::from(draws);
        // Half of the noise is left at z = 10; the mean of |ε| is √(2/π), its deviation 0.603.
        let expected = 0.5 * kind.noise() * (2.0 / std::f64::consts::PI).sqrt();
        let error = 0.5 * kind.noise() * 0.603 / f64::from(draws).sqrt();
        assert!((mean - expected).abs() < 4.0 * error, "{mean}, {expected}");
    }
}

#[test]
fn momf_has_the_published_values() {
    let problem = MomfBraninCurrin::new().into_synthetic();
    check(&problem, &[0.5, 0.5], 100.0, [-0.142_271_1, 0.152_351_1], 7);
    check(&problem, &[0.2, 0.8], 30.0, [0.398_109_5, 0.049_778_6], 7);
    let problem = MomfPark::new().into_synthetic();
    check(&problem, &[0.5; 4], 100.0, [0.298_044_7, -0.240_723_0], 7);
    let x = [0.2, 0.8, 0.3, 0.6];
    check(&problem, &x, 11.0, [0.091_538_2, -0.254_879_3], 7);
}

#[test]
fn inverted_pairs_minimise_what_the_published_maximise() {
    let pairs: [(Box<dyn Problem>, Box<dyn Problem>); 2] = [
        (
            Box::new(MomfBraninCurrin::new()),
            Box::new(MomfBraninCurrin::inverted()),
        ),
        (Box::new(MomfPark::new()), Box::new(MomfPark::inverted())),
    ];
    for (published, inverted) in pairs {
        let point = UnitPoint::new(vec![0.3; published.space().dim()]).expect("inside");
        let candidate = Candidate::at(point).with_fidelity(Fidelity::new(0.33).expect("valid"));
        let costs = |problem: &dyn Problem| {
            let outcome = problem.noise_free(&candidate).expect("known");
            outcome
                .costs()
                .and_then(|costs| costs.complete())
                .expect("finite")
        };
        let (down, up) = (costs(&*inverted), costs(&*published));
        for (down, up) in down.iter().zip(up) {
            near(-up, *down, 15);
        }
        assert_eq!(inverted.reference_point().value, [1.0, 1.0]);
        assert_eq!(published.reference_point().value, [0.0, 0.0]);
        assert_eq!(inverted.name(), format!("{}_inverted", published.name()));
    }
}

#[test]
fn zdt_has_the_published_values() {
    let problem = MfZdt::zdt1(30).into_synthetic();
    check(&problem, &[0.5; 30], 50.0, [0.55, 0.933_772], 6);
    let problem = MfZdt::zdt6(10).into_synthetic();
    check(&problem, &[0.5; 10], 50.0, [1.0, 1.236_378], 6);
}

#[test]
fn the_front_of_zdt6_starts_at_its_least_value() {
    let problem = MfZdt::zdt6(2).into_synthetic();
    let least = (0..200_000)
        .map(|i| problem.value(&[f64::from(i) * 1e-6, 0.0])[0])
        .fold(f64::INFINITY, f64::min);
    let front = problem.front(5).expect("known").value;
    near(front[0][0], least, 9);
}

#[test]
fn the_published_cost_of_hartmann_is_offered_beside_the_share_of_the_budget() {
    let problem = MfHartmann::new(3, MfHartmannKind::Terrible);
    let half = Fidelity::new(0.5).expect("valid");
    near(problem.cost(Some(&half)), 0.5, 15);
    near(problem.published_cost(Some(&half)), 0.2875, 15);
    near(problem.published_cost(None), 1.0, 15);
}
