//! Spaces that run out, objectives that give nonsense, budgets that several workers spend.

use warmfront_core::{Config, Direction, Objective, ObservationFault};
use warmfront_meta::multi_fidelity::FidelityBudget;

use super::*;

#[test]
fn a_small_space_is_not_evaluated_again_and_again() {
    let space = SearchSpace::builder()
        .param("depth", Domain::integer(1, 3))
        .param("kind", Domain::categorical(["a", "b"]))
        .fidelity(FidelityRange::integer("epoch", 1, 81).unwrap())
        .build()
        .unwrap();
    for config in variants() {
        let name = config.name.clone();
        let mut primo = build(config, &space, 2, 1);
        let mut seen: Vec<Candidate> = Vec::new();
        // Six configurations at five rungs.
        for step in 0..30 {
            let mut rng = Seed(1).stream(Purpose::Ask, step);
            let Ok(mut batch) = primo.ask(q(1), &[], &mut rng) else {
                break;
            };
            let candidate = batch.remove(0);
            let full = seen.iter().filter(|c| c.fidelity.is_none()).count();
            if full == 6 {
                break;
            }
            assert!(!seen.contains(&candidate), "{name} repeats {candidate:?}");
            let values = costs(&candidate, 2);
            primo
                .tell(&[observe(step, candidate.clone(), Some(values))], &mut rng)
                .unwrap();
            seen.push(candidate);
        }
        let full = seen.iter().filter(|c| c.fidelity.is_none()).count();
        assert_eq!(full, 6, "{name} reaches every configuration");
    }
}

#[test]
fn an_objective_that_is_not_a_number_is_a_recorded_failure() {
    let objectives = Objectives::new([
        Objective {
            name: "error".into(),
            direction: Direction::Minimize,
        },
        Objective {
            name: "accuracy".into(),
            direction: Direction::Maximize,
        },
    ])
    .unwrap();
    let space = spaces().remove(1);
    for config in variants() {
        let name = config.name.clone();
        let mut primo = build(config, &space, 2, 7);
        let mut failed = 0;
        for step in 0..30 {
            let mut rng = Seed(7).stream(Purpose::Ask, step);
            let candidate = primo.ask(q(1), &[], &mut rng).unwrap().remove(0);
            assert!(candidate.point.coords().iter().all(|x| x.is_finite()));
            let mut raw = costs(&candidate, 2);
            if candidate.point.coords()[0] > 0.6 {
                raw[1] = f64::NAN;
            }
            // What is not a number cannot become costs, and says so.
            let outcome = match objectives.to_costs(&raw) {
                Ok(costs) => Outcome::Complete(costs),
                Err(error) => Outcome::failed(error.to_string()),
            };
            failed += usize::from(outcome.costs().is_none());
            let observation = Observation {
                trial: TrialId(step),
                candidate,
                outcome,
            };
            primo.tell(&[observation], &mut rng).unwrap();
        }
        assert!(failed > 0, "{name}: the test is about failures");
        assert_eq!(primo.log().entries().len(), 30, "{name}: none is lost");
        let usable = primo.log().entries().iter();
        assert_eq!(usable.filter(|e| e.complete().is_none()).count(), failed);
    }
    let mut primo = build(variants().remove(0), &space, 2, 1);
    let short = observe(
        0,
        Candidate::at(UnitPoint::clamped([0.5, 0.5])),
        Some(vec![1.0]),
    );
    let mut rng = Seed(1).stream(Purpose::Tell, 0);
    let error = primo.tell(&[short], &mut rng).unwrap_err();
    let expected = ObservationFault::Objectives {
        expected: 2,
        found: 1,
    };
    assert!(matches!(error, StrategyError::InvalidObservation { fault, .. } if fault == expected));
}

#[test]
fn workers_together_never_spend_more_than_the_budget() {
    let space = spaces().remove(1);
    for config in variants() {
        for workers in [1, 3] {
            let mut primo = build(config.clone(), &space, 2, 11);
            let mut budget = FidelityBudget::new(9.0);
            let mut highest: Vec<(UnitPoint, f64)> = Vec::new();
            let (mut paid, mut running, mut trial) = (0.0, Vec::<Candidate>::new(), 0);
            for step in 0.. {
                let mut rng = Seed(11).stream(Purpose::Ask, step);
                let candidate = primo.ask(q(1), &running, &mut rng).unwrap().remove(0);
                if !budget.try_spend(&candidate) {
                    break;
                }
                // Counted apart: what is new beyond the highest fidelity of the configuration.
                let share = candidate.fidelity.map_or(1.0, Fidelity::value);
                match highest.iter_mut().find(|(p, _)| *p == candidate.point) {
                    Some((_, before)) => {
                        paid += share - *before;
                        *before = share;
                    }
                    None => {
                        paid += share;
                        highest.push((candidate.point.clone(), share));
                    }
                }
                running.push(candidate);
                if running.len() == workers {
                    // The last comes home first.
                    let done = running.pop().unwrap();
                    let values = (trial % 5 != 4).then(|| costs(&done, 2));
                    primo
                        .tell(&[observe(trial, done, values)], &mut rng)
                        .unwrap();
                    trial += 1;
                }
            }
            assert!(paid <= 9.0 + 1e-9 && paid > 7.9, "{paid}");
            assert!((paid - budget.spent()).abs() < 1e-9);
        }
    }
}

#[test]
fn a_belief_of_another_space_is_refused() {
    let space = spaces().remove(1);
    let other = SearchSpace::unit_cube(3);
    let stranger = Belief::new(&other, 0, &Config::new().with("x2", 0.5), 0.5).unwrap();
    let beliefs = Beliefs::new(2, vec![stranger]).unwrap();
    let mut rng = Seed(1).stream(Purpose::Init, 0);
    let objectives = Objectives::minimize_all(2);
    let built = PrimoConfig::default().build(&space, &objectives, beliefs, &mut rng);
    let message = built.err().expect("another space").to_string();
    assert!(
        message.contains("objective 0") || message.contains('0'),
        "{message}"
    );
}
