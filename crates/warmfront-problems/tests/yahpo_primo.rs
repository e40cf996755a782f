//! The YAHPO problems as PriMO's experiments use them; needs the data folder.
#![cfg(feature = "onnx")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Config, Direction, Fidelity, UnitPoint};
use warmfront_problems::{
    ExpertQuality, ExpertSample, PRIMO_LCBENCH, Problem, ProblemError, Provenance, YahpoFamily,
    YahpoFiles, YahpoLayout, YahpoProblem, YahpoScenario, YahpoTask,
};
use warmfront_testkit::data_folder;

fn scenario(folder: &Path, layout: YahpoLayout) -> Arc<YahpoScenario> {
    let read = |name: &str| fs::read(folder.join("yahpo").join(name)).expect("the data is there");
    let files = YahpoFiles {
        model: read(&format!("{}/model.onnx", layout.name)),
        config_space: read(&format!("{}/config_space.json", layout.name)),
        encoding: read(&format!("{}/encoding.json", layout.name)),
        statistics: Some(read("global_statistics/instance_target_statistics.csv")),
    };
    Arc::new(YahpoScenario::new(layout, files).expect("readable"))
}

fn lcbench() -> Option<Arc<YahpoScenario>> {
    static SCENARIO: OnceLock<Option<Arc<YahpoScenario>>> = OnceLock::new();
    let load = || Some(scenario(&data_folder()?, YahpoLayout::LCBENCH));
    SCENARIO.get_or_init(load).clone()
}

fn example() -> Config {
    Config::new()
        .with("batch_size", 64)
        .with("learning_rate", 0.01)
        .with("momentum", 0.9)
        .with("weight_decay", 0.001)
        .with("num_layers", 3)
        .with("max_units", 256)
        .with("max_dropout", 0.2)
}

#[test]
fn lcbench_has_the_values_of_an_independent_evaluation() {
    let Some(scenario) = lcbench() else { return };
    // Instance, epoch, then time, validation accuracy and cross-entropy.
    let cases = [
        ("126026", 1.0, [12.482, 45.283, 0.577_769]),
        ("126026", 52.0, [62.818, 96.619, 0.068_725]),
        ("146212", 52.0, [60.717, 96.109, 0.216_011]),
        ("168330", 52.0, [168.345, 65.789, 0.682_859]),
        ("168868", 52.0, [112.044, 98.544, 0.058_672]),
    ];
    let names = ["time", "val_accuracy", "val_cross_entropy"];
    for (instance, epoch, expected) in cases {
        let problem = YahpoProblem::new(Arc::clone(&scenario), instance, &names);
        let problem = problem.expect("known names");
        let range = problem.space().fidelity().expect("epochs");
        let point = problem.space().encode(&example()).expect("valid");
        let fidelity = range.fidelity(epoch).expect("in range");
        let candidate = Candidate::at(point).with_fidelity(fidelity);
        let outcome = problem.noise_free(&candidate).expect("known");
        let costs = outcome.costs().expect("a number").clone();
        let raw = problem.objectives().to_raw(&costs);
        for ((found, expected), name) in raw.iter().zip(expected).zip(names) {
            let found = found.expect("complete");
            // Time is a small part of a sigmoid in single precision.
            let tolerance = 1e-4 * expected + if name == "time" { 5e-3 } else { 5e-6 };
            assert!(
                (found - expected).abs() <= tolerance,
                "{name} of {instance} at {epoch}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn the_four_instances_have_their_objectives_and_reference_points() {
    let Some(scenario) = lcbench() else { return };
    for (instance, reference) in PRIMO_LCBENCH {
        let problem = YahpoProblem::primo_lcbench(Arc::clone(&scenario), instance);
        let problem = problem.expect("one of the instances");
        let objectives: Vec<_> = problem.objectives().iter().collect();
        assert_eq!(&*objectives[0].name, "val_cross_entropy");
        assert_eq!(&*objectives[1].name, "time");
        assert!(
            objectives
                .iter()
                .all(|o| o.direction == Direction::Minimize)
        );
        let known = problem.reference_point();
        assert_eq!(known.value, reference);
        assert!(matches!(known.provenance, Provenance::Reported { .. }));

        let space = problem.space();
        let names: Vec<_> = space.parameters().iter().map(|p| p.name()).collect();
        assert_eq!(space.dim(), 7, "{names:?}");
        let epochs = space.fidelity().expect("epochs");
        assert!(epochs.is_integer() && (epochs.low() - 1.0).abs() < 1e-12);
        let layers = space.parameter("num_layers").expect("a parameter");
        assert_eq!(layers.domain().count(), Some(5));
        let deep = space
            .encode(&example().with("num_layers", 5))
            .expect("valid");
        assert!(problem.noise_free(&Candidate::at(deep)).is_some());
    }
    let other = YahpoProblem::primo_lcbench(scenario, "3945").expect("an instance");
    assert!(other.reference_point().value[1] > 1.0);
}

#[test]
fn the_suite_names_problems_that_can_be_built() {
    let Some(folder) = data_folder() else { return };
    let bytes = fs::read(folder.join("yahpo/benchmark_suites/v1.0/multi.json"));
    let tasks = YahpoTask::read_suite(&bytes.expect("the data is there")).expect("a suite");
    assert_eq!(tasks.len(), 25);
    let scenarios = [
        scenario(&folder, YahpoLayout::LCBENCH),
        scenario(&folder, YahpoLayout::RBV2_XGBOOST),
    ];
    let ours: Vec<_> = tasks
        .iter()
        .filter(|task| task.layout().is_some())
        .collect();
    let instances: Vec<&str> = ours.iter().map(|task| task.instance.as_str()).collect();
    assert_eq!(instances, ["167152", "167185", "189873", "28", "182", "12"]);
    for task in ours {
        let (own, other): (Vec<_>, Vec<_>) = scenarios
            .iter()
            .partition(|scenario| scenario.layout().name == task.scenario);
        let problem = task.problem(Arc::clone(own[0])).expect("known names");
        assert_eq!(problem.objectives().len(), 2);
        assert_eq!(problem.instance(), task.instance);
        let error = task.problem(Arc::clone(other[0])).expect_err("not its own");
        assert!(
            matches!(error, ProblemError::OtherScenario { .. }),
            "{error}"
        );
    }
    assert!(YahpoTask::read_suite(b"[{}]").is_err());
}

#[test]
fn xgboost_pays_for_the_share_of_the_training_set() {
    let Some(folder) = data_folder() else { return };
    let family = YahpoFamily::new(scenario(&folder, YahpoLayout::RBV2_XGBOOST));
    let problem = family.problem(family.index_of("182").expect("an instance"));
    let range = problem.space().fidelity().expect("shares");
    assert_eq!(range.name(), "trainsize");
    assert!(!range.is_integer() && (range.high() - 1.0).abs() < 1e-12);
    let mut last = 0.0;
    for step in 1..=20 {
        let share = range.low() + (1.0 - range.low()) * f64::from(step) / 20.0;
        let fidelity = range.fidelity(share.min(1.0)).expect("in range");
        let cost = problem.cost(Some(&fidelity));
        assert!((cost - share).abs() < 1e-12 && cost > last, "{cost}");
        last = cost;
    }
    // Less than the smallest share cannot be trained on, nor paid for.
    let tiny = Fidelity::new(1e-6).expect("in range");
    assert!((problem.cost(Some(&tiny)) - range.low()).abs() < 1e-12);
}

#[test]
fn experts_of_a_conditional_space_speak_of_what_is_active() {
    let Some(folder) = data_folder() else { return };
    let family = YahpoFamily::new(scenario(&folder, YahpoLayout::RBV2_XGBOOST));
    let problem = family.problem(family.index_of("12").expect("an instance"));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sample = ExpertSample::draw(&problem, 2000, &mut rng).expect("finite");
    let costs = |config: &Config| {
        let point: UnitPoint = problem.space().encode(config).expect("complete");
        let outcome = problem.noise_free(&Candidate::at(point)).expect("known");
        outcome
            .costs()
            .and_then(|costs| costs.complete())
            .expect("finite")
    };
    for objective in 0..2 {
        let mut value = |quality| costs(&sample.centre(objective, quality, &mut rng))[objective];
        let (good, bad) = (value(ExpertQuality::Good), value(ExpertQuality::Bad));
        assert!(good < bad, "{good}, {bad}");
    }
    let beliefs = sample.beliefs(&[ExpertQuality::Medium; 2], 0.75, &mut rng);
    assert_eq!(beliefs.expect("valid").iter().count(), 2);
}
