//! The initial design, the hand-over and what beliefs do.

use std::collections::HashSet;

use warmfront_core::{
    Belief, Beliefs, Candidate, Config, Domain, Fidelity, FidelityRange, Objectives,
    ObservationFault, Purpose, SearchSpace, Seed, Strategy, StrategyError, UnitPoint,
};
use warmfront_meta::MetaError;
use warmfront_meta::primo::{
    InitialDesign, InitialSampling, Primo, PrimoConfig, PriorDecay, ReferencePoint,
};

use super::{build, drive, observe, q, quick};

/// Four dimensions, 1 to 99 epochs.
fn tuning_space() -> SearchSpace {
    (0..4)
        .fold(SearchSpace::builder(), |builder, k| {
            builder.param(format!("x{k}"), Domain::real(0.0, 1.0))
        })
        .fidelity(FidelityRange::integer("epoch", 1, 99).unwrap())
        .build()
        .unwrap()
}

fn square(point: &UnitPoint, centre: f64) -> f64 {
    point.coords().iter().map(|x| (x - centre).powi(2)).sum()
}

/// Two bowls around 0.3 and 0.6 in every coordinate; cheap evaluations are off by a constant.
fn bowls(point: &UnitPoint, fidelity: f64) -> Vec<f64> {
    vec![
        square(point, 0.3) + 0.1 * (1.0 - fidelity),
        square(point, 0.6),
    ]
}

fn belief_at(space: &SearchSpace, objective: usize, centre: f64) -> Belief {
    let centre = (0..4).fold(Config::new(), |c, k| c.with(format!("x{k}"), centre));
    Belief::new(space, objective, &centre, 0.75).unwrap()
}

fn with_beliefs(config: PrimoConfig, centres: [f64; 2], seed: u64) -> Primo {
    let space = tuning_space();
    let both = (0..2).map(|o| belief_at(&space, o, centres[o])).collect();
    let mut rng = Seed(seed).stream(Purpose::Init, 0);
    config
        .build(
            &space,
            &Objectives::minimize_all(2),
            Beliefs::new(2, both).unwrap(),
            &mut rng,
        )
        .unwrap()
}

#[test]
fn an_initial_design_of_partial_evaluations_then_full_ones() {
    let mut primo = with_beliefs(quick(PrimoConfig::as_run()), [0.3, 0.6], 1);
    let run = drive(&mut primo, 1, 39, bowls);
    let range = epochs_of(&tuning_space());
    let budgets: Vec<f64> = run
        .iter()
        .map(|c| range.budget(c.fidelity.unwrap_or(Fidelity::FULL)))
        .collect();
    let expected: [u8; 35] = [
        1, 1, 1, 3, 1, 3, 1, 3, 11, 1, 3, 11, 1, 3, 11, 33, 1, 3, 11, 33, 1, 3, 11, 33, 99, 1, 3,
        11, 33, 99, 1, 3, 11, 33, 99,
    ];
    assert_eq!(budgets[..35], expected.map(f64::from));
    assert_eq!(budgets[35..], [99.0; 4]);
    assert_eq!(primo.log().full().count(), 7);
    // Full evaluations only, by choice:
    let config = PrimoConfig {
        initial_design: InitialDesign::Full,
        ..quick(PrimoConfig::default())
    };
    let mut full = with_beliefs(config, [0.3, 0.6], 1);
    let run = drive(&mut full, 1, 5, bowls);
    assert!(full.initial_design_is_over() && run.iter().all(|c| c.fidelity.is_none()));
    // Without fidelities: five full evaluations, then the model.
    let mut plain = build(
        quick(PrimoConfig::default()),
        &SearchSpace::unit_cube(3),
        2,
        1,
    );
    drive(&mut plain, 1, 4, |p, _| vec![p.coords()[0], p.coords()[1]]);
    assert!(!plain.initial_design_is_over());
    drive_more(&mut plain, 4);
    assert!(plain.initial_design_is_over() && plain.surrogate().is_some());
}

fn epochs_of(space: &SearchSpace) -> FidelityRange {
    space.fidelity().unwrap().clone()
}

fn drive_more(primo: &mut Primo, trial: u64) {
    let mut rng = Seed(1).stream(Purpose::Ask, trial);
    let candidate = primo.ask(q(1), &[], &mut rng).unwrap().remove(0);
    let values = vec![candidate.point.coords()[0], candidate.point.coords()[1]];
    primo
        .tell(&[observe(trial, candidate, Some(values))], &mut rng)
        .unwrap();
}

#[test]
fn a_log_told_at_once_leads_to_the_same_suggestion() {
    for config in [PrimoConfig::improved(), PrimoConfig::paper()] {
        let mut one_by_one = with_beliefs(quick(config.clone()), [0.3, 0.6], 1);
        let run = drive(&mut one_by_one, 1, 38, bowls);
        let batch: Vec<_> = (0..)
            .zip(run)
            .map(|(trial, candidate)| {
                let fidelity = candidate.fidelity.map_or(1.0, Fidelity::value);
                let values = bowls(&candidate.point, fidelity);
                observe(trial, candidate, Some(values))
            })
            .collect();
        let mut at_once = with_beliefs(quick(config), [0.3, 0.6], 1);
        at_once
            .tell(&batch, &mut Seed(9).stream(Purpose::Tell, 0))
            .unwrap();
        let ask = |primo: &Primo| {
            primo
                .ask(q(2), &[], &mut Seed(7).stream(Purpose::Ask, 0))
                .unwrap()
        };
        assert_eq!(ask(&one_by_one), ask(&at_once));
    }
}

#[test]
fn published_runs_stay_near_the_prior_until_it_is_dropped() {
    let config = PrimoConfig {
        epsilon: 0.0,
        ..PrimoConfig::as_run()
    };
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (mut first, mut early, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..5 {
        let mut primo = with_beliefs(quick(config.clone()), [0.1, 0.9], seed);
        // Both objectives are best in the middle, 0.64 away from either belief.
        let middle = |p: &UnitPoint, _: f64| vec![square(p, 0.5), 2.0 * square(p, 0.5)];
        let run = drive(&mut primo, seed, 44, middle);
        let nearest = |c: &Candidate| square(&c.point, 0.1).min(square(&c.point, 0.9));
        // Full strength for n ≤ 6 in four dimensions, then nothing.
        first.push(nearest(&run[35]));
        early.extend(run[35..42].iter().map(nearest));
        late.extend(run[42..].iter().map(nearest));
        assert!(primo.belief_exponent(0) <= 0.0);
    }
    let (first, early, late) = (median(first), median(early), median(late));
    assert!(first < 0.1 && first <= early, "{first}, {early}");
    assert!(late > 2.0 * early && late > 0.4, "{early}, {late}");
}

#[test]
fn the_documented_exponent_decays_smoothly() {
    let mut primo = with_beliefs(quick(PrimoConfig::paper()), [0.1, 0.9], 1);
    drive(&mut primo, 1, 35, bowls);
    for n in 0..3 {
        let gamma = (-f64::from(n * n) / 4.0).exp();
        assert!((primo.belief_exponent(0) - gamma).abs() < 1e-12);
        drive_on(&mut primo, 35 + n as u64);
    }
}

fn drive_on(primo: &mut Primo, trial: u64) {
    let mut rng = Seed(3).stream(Purpose::Ask, trial);
    let candidate = primo.ask(q(1), &[], &mut rng).unwrap().remove(0);
    let values = bowls(&candidate.point, 1.0);
    primo
        .tell(&[observe(trial, candidate, Some(values))], &mut rng)
        .unwrap();
}

#[test]
fn misleading_beliefs_are_found_out_and_good_ones_kept() {
    let exponents = |centres: [f64; 2]| {
        let mut sums = [0.0, 0.0];
        for seed in 0..4 {
            let mut primo = with_beliefs(quick(PrimoConfig::improved()), centres, seed);
            drive(&mut primo, seed, 36, bowls);
            for o in 0..2 {
                sums[o] += primo.belief_exponent(o) / 4.0;
            }
        }
        sums
    };
    let (good, bad) = (exponents([0.3, 0.6]), exponents([1.0, 0.0]));
    assert!(good[0] > 0.6 && good[1] > 0.6, "{good:?}");
    assert!(bad[0] < 0.1 && bad[1] < 0.1, "{bad:?}");
}

#[test]
fn it_recovers_from_misleading_beliefs() {
    for (centres, bound) in [([0.3, 0.6], 0.02), ([1.0, 0.0], 0.1)] {
        let mut primo = with_beliefs(PrimoConfig::improved(), centres, 2);
        let run = drive(&mut primo, 2, 47, bowls);
        // The front is the line between the two centres.
        let distance = |c: &Candidate| {
            (0..=10)
                .map(|i| square(&c.point, 0.3 + 0.03 * f64::from(i)))
                .fold(1e9, f64::min)
        };
        let best = run[35..].iter().map(distance).fold(1e9, f64::min);
        assert!(best < bound, "{centres:?}: {best}");
    }
}

#[test]
fn beliefs_can_start_the_initial_design() {
    let space = tuning_space();
    for (sampling, fidelity) in [
        (InitialSampling::Modes, Some(1.0 / 99.0)),
        (InitialSampling::ModesInFull, None),
    ] {
        let config = PrimoConfig {
            initial_sampling: sampling,
            ..quick(PrimoConfig::default())
        };
        let mut primo = with_beliefs(config, [0.3, 0.6], 1);
        let run = drive(&mut primo, 1, 3, bowls);
        for (o, centre) in [0.3, 0.6].into_iter().enumerate() {
            assert!(square(&run[o].point, centre) < 1e-20);
            let found = run[o].fidelity.map(Fidelity::value);
            assert_eq!(found.map(f64::to_bits), fidelity.map(f64::to_bits));
        }
        assert!(square(&run[2].point, 0.3).min(square(&run[2].point, 0.6)) > 1e-6);
        assert_eq!(run[2].point.dim(), space.dim());
    }
}

#[test]
fn without_a_design_the_belief_is_all_there_is() {
    let config = PrimoConfig {
        initial_budget: 0.0,
        epsilon: 0.0,
        decay: PriorDecay {
            rate: 0.0,
            ..PriorDecay::default()
        },
        ..quick(PrimoConfig::default())
    };
    let primo = with_beliefs(config, [0.9, 0.9], 1);
    let mut rng = Seed(1).stream(Purpose::Ask, 0);
    let batch = primo.ask(q(40), &[], &mut rng).unwrap();
    assert!(batch.iter().all(|c| c.fidelity.is_none()));
    let mean = batch.iter().map(|c| c.point.coords()[0]).sum::<f64>() / 40.0;
    assert!(mean > 0.6, "{mean}");
    let distinct: HashSet<_> = batch.iter().map(|c| c.point.clone()).collect();
    assert_eq!(distinct.len(), 40);
}

#[test]
fn what_does_not_fit_is_a_typed_error() {
    let space = tuning_space();
    let mut primo = with_beliefs(PrimoConfig::default(), [0.3, 0.6], 1);
    let mut rng = Seed(1).stream(Purpose::Tell, 0);
    let candidate = Candidate::at(UnitPoint::clamped([0.5; 4]));
    let wrong = observe(0, candidate.clone(), Some(vec![1.0]));
    assert!(matches!(
        primo.tell(&[wrong], &mut rng),
        Err(StrategyError::InvalidObservation {
            fault: ObservationFault::Objectives {
                expected: 2,
                found: 1
            },
            ..
        })
    ));
    // Half the budget is no rung, but data.
    let half = candidate.clone().with_fidelity(Fidelity::new(0.5).unwrap());
    primo
        .tell(&[observe(0, half, Some(vec![1.0, 2.0]))], &mut rng)
        .unwrap();
    assert_eq!(primo.log().len(), 1);
    let stranger = Candidate::at(UnitPoint::clamped([0.5]));
    assert!(matches!(
        primo.ask(q(1), &[stranger], &mut rng),
        Err(StrategyError::InvalidPending { index: 0, .. })
    ));

    let mut message = |config: PrimoConfig, beliefs: Beliefs| {
        let objectives = Objectives::minimize_all(2);
        config
            .build(&space, &objectives, beliefs, &mut rng)
            .err()
            .map(|error: MetaError| error.to_string())
    };
    let mut check = |config, beliefs, expected: &str| {
        assert_eq!(message(config, beliefs).as_deref(), Some(expected));
    };
    let none = || Beliefs::none(2);
    let with = |change: fn(&mut PrimoConfig)| {
        let mut config = PrimoConfig::default();
        change(&mut config);
        config
    };
    check(
        with(|c| c.epsilon = 1.5),
        none(),
        "epsilon is 1.5, expected a number in [0, 1]",
    );
    check(with(|c| c.eta = 1), none(), "eta is 1, expected at least 2");
    check(
        with(|c| c.initial_budget = f64::NAN),
        none(),
        "the initial budget is NaN, expected at least 0",
    );
    check(
        with(|c| c.reference = ReferencePoint::Given(vec![1.0])),
        none(),
        "the reference point has 1 finite values, expected 2",
    );
    check(
        PrimoConfig::default(),
        Beliefs::none(3),
        "the beliefs are about 3 objectives, expected 2",
    );
    let elsewhere = Belief::uniform(&SearchSpace::unit_cube(2), 1);
    check(
        PrimoConfig::default(),
        Beliefs::new(2, vec![elsewhere]).unwrap(),
        "the belief about objective 1 is about another search space",
    );
}
