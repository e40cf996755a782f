use warmfront_core::UnitPoint;

use super::*;
use crate::{Design, design_points};

fn problem() -> WineTuning {
    WineTuning::new(Seed(7))
}

fn network() -> Config {
    Config::new()
        .with("learner", "network")
        .with("learning_rate", 0.01)
        .with("measurements", 11)
        .with("width", 16)
        .with("layers", 1)
        .with("batch_size", 32)
        .with("weight_decay", 1e-3)
        .with("optimizer", "adam")
}

fn sgd(momentum: f64, learning_rate: f64) -> Config {
    network()
        .with("optimizer", "sgd")
        .with("momentum", momentum)
        .with("learning_rate", learning_rate)
}

fn boosting() -> Config {
    Config::new()
        .with("learner", "boosting")
        .with("learning_rate", 0.2)
        .with("measurements", 8)
        .with("depth", 3)
        .with("trees_per_epoch", 4)
        .with("subsample", 0.7)
}

fn candidate(problem: &WineTuning, config: &Config) -> Candidate {
    Candidate::at(problem.space().encode(config).expect("valid"))
}

fn at(candidate: &Candidate, epochs: u32) -> Candidate {
    let fidelity = Fidelity::new(f64::from(epochs) / f64::from(EPOCHS)).expect("in range");
    candidate.clone().with_fidelity(fidelity)
}

fn costs(problem: &WineTuning, candidate: &Candidate) -> Vec<f64> {
    let outcome = problem.noise_free(candidate).expect("always");
    outcome
        .costs()
        .and_then(|costs| costs.complete())
        .unwrap_or_else(|| panic!("{outcome:?}"))
}

#[test]
fn the_table_is_split_without_repeated_wines_and_standardised() {
    let data = problem().data;
    assert_eq!((data.training.rows(), data.validation.rows()), (906, 453));
    let n = data.training.rows() as f32;
    let mean = data.training.targets.iter().sum::<f32>() / n;
    let square = data.training.inputs.iter().map(|x| x * x).sum::<f32>() / n;
    assert!(mean.abs() < 1e-4 && (square - 11.0).abs() < 0.01);
    for row in 0..data.validation.rows() {
        let known = |other| data.training.row(other) == data.validation.row(row);
        assert!(!(0..data.training.rows()).any(known), "row {row}");
    }
    assert!((data.range.0 - 3.0).abs() < 1e-12 && (data.range.1 - 8.0).abs() < 1e-12);
}

#[test]
fn outcomes_are_a_function_of_configuration_budget_and_seed() {
    for config in [network(), sgd(0.9, 0.02), boosting()] {
        let (first, again, other) = (problem(), problem(), WineTuning::new(Seed(8)));
        let candidate = at(&candidate(&first, &config), 5);
        let outcome = first.noise_free(&candidate);
        assert_eq!(outcome, again.noise_free(&candidate));
        assert_ne!(outcome, other.noise_free(&candidate));
    }
}

#[test]
fn continued_training_gives_what_a_straight_one_gives() {
    let problem = problem();
    let diverging = sgd(0.99, 1.0);
    for config in [network(), sgd(0.9, 0.02), boosting(), diverging] {
        let candidate = candidate(&problem, &config);
        let curve = problem.curve(&candidate, 9);
        for (epoch, outcome) in (1..).zip(&curve) {
            let straight = problem.noise_free(&at(&candidate, epoch));
            assert_eq!(straight.as_ref(), Some(outcome), "epoch {epoch}");
        }
    }
}

#[test]
fn sensible_configurations_beat_the_constant_prediction() {
    let problem = problem();
    let constant = problem.constant_error();
    assert!((0.6..0.8).contains(&constant), "{constant}");
    for (config, operations) in [
        (network(), 11 * 16 + 16),
        (sgd(0.9, 0.02), 11 * 16 + 16),
        (boosting(), 27 * 4 * 4),
    ] {
        let found = costs(&problem, &candidate(&problem, &config));
        assert!(found[0] < 0.85 * constant, "{found:?}");
        assert!((found[1] - f64::from(operations).log10()).abs() < 1e-12);
    }
}

#[test]
fn more_epochs_help_on_average() {
    let problem = problem();
    let mut rng = Seed(1).stream(warmfront_core::Purpose::Init, 0);
    let points = design_points(problem.space(), 40, Design::Sobol, &mut rng);
    let mut means = [0.0; 3];
    for point in points {
        let curve = problem.curve(&Candidate::at(point), 15);
        let error = |epoch: usize| {
            curve[epoch - 1]
                .costs()
                .map_or(1.0, |costs| costs.values()[0].expect("complete"))
        };
        for (mean, epoch) in means.iter_mut().zip([1, 3, 15]) {
            *mean += error(epoch) / 40.0;
        }
    }
    assert!(means[0] > means[1] && means[1] > means[2], "{means:?}");
}

#[test]
fn diverged_trainings_fail_and_say_when() {
    let problem = problem();
    let candidate = candidate(&problem, &sgd(0.99, 1.0));
    let outcome = problem.noise_free(&candidate).expect("always");
    let Outcome::Failed { reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        reason.starts_with("the training diverged in epoch "),
        "{reason}"
    );
}

#[test]
fn parameters_matter_when_they_are_active_and_only_then() {
    let problem = problem();
    let space = problem.space();
    let epochs = 2;
    for config in [network(), sgd(0.5, 0.02), boosting()] {
        let point = space.encode(&config).expect("valid");
        let outcome = problem.noise_free(&at(&Candidate::at(point.clone()), epochs));
        for parameter in space.parameters() {
            let name = parameter.name();
            if name == "learner" {
                continue;
            }
            let mut coords = point.coords().to_vec();
            for coordinate in &mut coords[parameter.coords()] {
                *coordinate = if *coordinate < 0.6 { 1.0 } else { 0.0 };
            }
            let moved = Candidate::at(UnitPoint::new(coords).expect("inside"));
            let changed = problem.noise_free(&at(&moved, epochs)) != outcome;
            assert_eq!(changed, config.get(name).is_some(), "{name} at {config:?}");
        }
    }
}

#[test]
fn every_corner_is_an_outcome_under_or_over_the_reference() {
    let problem = problem();
    let mut rng = Seed(2).stream(warmfront_core::Purpose::Init, 0);
    let points = design_points(problem.space(), 60, Design::Uniform, &mut rng);
    let mut under = 0;
    for point in points {
        let corner: Vec<f64> = point.coords().iter().map(|u| u.round()).collect();
        for coords in [corner, point.coords().to_vec()] {
            let candidate = Candidate::at(UnitPoint::new(coords).expect("inside"));
            let outcome = problem.noise_free(&at(&candidate, 3)).expect("always");
            let Some(costs) = outcome.costs().and_then(|costs| costs.complete()) else {
                continue;
            };
            assert!(
                costs[0] > 0.3 && costs[0] <= 5.0 && costs[1] < REFERENCE[1],
                "{costs:?}"
            );
            under += i32::from(costs[0] < REFERENCE[0]);
        }
    }
    assert!(under > 60, "{under}");
}
