//! The YAHPO surrogates against ONNX Runtime; needs the data folder.
#![cfg(feature = "onnx")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;
use warmfront_core::{Candidate, Config, Fidelity, UnitPoint, Value};
use warmfront_problems::{
    Design, Problem, ProblemError, TaskFamily, YahpoFamily, YahpoFiles, YahpoLayout, YahpoProblem,
    YahpoScenario, design_points,
};
use warmfront_testkit::data_folder;

fn files(folder: &Path, scenario: &str) -> YahpoFiles {
    let read = |name: &str| fs::read(folder.join("yahpo").join(name)).expect("the data is there");
    YahpoFiles {
        model: read(&format!("{scenario}/model.onnx")),
        config_space: read(&format!("{scenario}/config_space.json")),
        encoding: read(&format!("{scenario}/encoding.json")),
        statistics: Some(read("global_statistics/instance_target_statistics.csv")),
    }
}

fn lcbench() -> Option<Arc<YahpoScenario>> {
    static SCENARIO: OnceLock<Option<Arc<YahpoScenario>>> = OnceLock::new();
    let load = || {
        let files = files(&data_folder()?, "lcbench");
        Some(Arc::new(
            YahpoScenario::new(YahpoLayout::LCBENCH, files).expect("readable"),
        ))
    };
    SCENARIO.get_or_init(load).clone()
}

fn xgboost() -> Option<Arc<YahpoScenario>> {
    let files = files(&data_folder()?, "rbv2_xgboost");
    Some(Arc::new(
        YahpoScenario::new(YahpoLayout::RBV2_XGBOOST, files).expect("readable"),
    ))
}

fn config(json: &Json) -> Config {
    let value = |json: &Json| match json {
        Json::String(text) => Value::from(text.as_str()),
        number => Value::from(number.as_f64().expect("text or number")),
    };
    let entries = json.as_object().expect("configurations are objects");
    entries
        .iter()
        .map(|(name, json)| (name.as_str(), value(json)))
        .collect()
}

fn check_golden(scenario: &YahpoScenario, golden: &str) {
    let golden: Json = serde_json::from_str(golden).expect("valid JSON");
    let rows = golden["rows"].as_array().expect("a list of rows");
    let configs: Vec<Config> = rows
        .iter()
        .map(|row| match row["instance"].as_str() {
            Some(instance) => config(&row["config"]).with(scenario.layout().instance, instance),
            None => config(&row["config"]),
        })
        .collect();
    let together = scenario.predict(&configs).expect("valid configurations");
    for ((row, config), batched) in rows.iter().zip(&configs).zip(&together) {
        let alone = scenario
            .predict(std::slice::from_ref(config))
            .expect("valid")
            .remove(0);
        for (o, output) in scenario.layout().outputs.iter().enumerate() {
            let expected = row["output"][output.name].as_f64().expect("a number");
            let tolerance = 1e-3f64.max(1e-4 * expected.abs());
            for found in [alone[o], batched[o]] {
                let error = (found - expected).abs();
                assert!(
                    error <= tolerance,
                    "{}: {found} against {expected}",
                    output.name
                );
            }
        }
    }
}

#[test]
fn lcbench_matches_onnx_runtime() {
    let Some(scenario) = lcbench() else { return };
    check_golden(&scenario, include_str!("golden/yahpo_lcbench.json"));
}

#[test]
fn rbv2_xgboost_matches_onnx_runtime() {
    let Some(scenario) = xgboost() else { return };
    check_golden(&scenario, include_str!("golden/yahpo_rbv2_xgboost.json"));
}

#[test]
fn lcbench_is_a_family_of_34_tasks_under_their_reference_points() {
    let Some(scenario) = lcbench() else { return };
    let family = YahpoFamily::new(scenario);
    assert_eq!(family.len(), Some(34));
    assert_eq!(family.scenario().space().dim(), 7);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for index in 0..34 {
        let problem = family.problem(index);
        let points = design_points(problem.space(), 50, Design::Sobol, &mut rng);
        let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
        let reference = problem.reference_point().value.to_vec();
        for outcome in problem.noise_free_batch(&candidates) {
            let costs = outcome
                .and_then(|outcome| outcome.costs()?.complete())
                .expect("finite");
            assert!(
                (-0.01..=1.01).contains(&costs[0]),
                "an error rate, got {costs:?}"
            );
            assert!(
                costs[0] <= reference[0] && costs[1] <= reference[1],
                "{costs:?}"
            );
        }
    }
}

#[test]
fn meta_data_is_the_same_for_the_same_generator() {
    let Some(scenario) = lcbench() else { return };
    let family = YahpoFamily::new(scenario);
    let draw = || family.metadata(&[3, 0], 8, &mut ChaCha8Rng::seed_from_u64(2));
    let metadata = draw();
    assert_eq!(metadata, draw());
    assert_eq!(
        metadata
            .tasks
            .iter()
            .map(|task| task.complete().count())
            .sum::<usize>(),
        16
    );
    assert!(metadata.check(7, 2).is_ok());
}

#[test]
fn fidelity_is_the_share_of_52_epochs() {
    let Some(scenario) = lcbench() else { return };
    let problem = YahpoProblem::new(scenario, "3945", &["time"]).expect("known names");
    let at = |fidelity: Option<f64>| {
        let candidate = Candidate::at(UnitPoint::new([0.4; 7]).expect("inside"));
        let candidate = match fidelity {
            Some(value) => candidate.with_fidelity(Fidelity::new(value).expect("in range")),
            None => candidate,
        };
        let outcome = problem.noise_free(&candidate).expect("known");
        outcome
            .costs()
            .and_then(|costs| costs.complete())
            .expect("finite")[0]
    };
    assert_eq!(at(None).to_bits(), at(Some(1.0)).to_bits());
    assert!(
        at(Some(0.25)) < 0.6 * at(None),
        "{} of {}",
        at(Some(0.25)),
        at(None)
    );
    let quarter = Fidelity::new(0.25).expect("in range");
    assert!((problem.cost(Some(&quarter)) - 0.25).abs() < 1e-12);
    assert!((problem.cost(None) - 1.0).abs() < 1e-12);
}

#[test]
fn conditions_of_xgboost_reach_the_surrogate() {
    let Some(scenario) = xgboost() else { return };
    let family = YahpoFamily::new(Arc::clone(&scenario));
    assert_eq!(family.len(), Some(scenario.instances().len()));
    let problem = family.problem(family.index_of("1040").expect("a known instance"));
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let points = design_points(problem.space(), 200, Design::Uniform, &mut rng);
    let linear = points
        .iter()
        .filter(|point| problem.space().decode(point).text("booster") == Some("gblinear"));
    assert!(linear.clone().count() > 20);
    for point in linear {
        assert_eq!(problem.space().decode(point).get("max_depth"), None);
    }
    let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
    for outcome in problem.noise_free_batch(&candidates) {
        let costs = outcome
            .and_then(|outcome| outcome.costs()?.complete())
            .expect("finite");
        assert!(
            (-1.0..=0.0).contains(&costs[0]),
            "negative accuracy, got {costs:?}"
        );
    }
}

#[test]
fn objectives_are_chosen_by_name() {
    let Some(scenario) = lcbench() else { return };
    let problem = |names: &[&str]| YahpoProblem::new(Arc::clone(&scenario), "3945", names);
    let cost = |name: &str| {
        let candidate = Candidate::at(UnitPoint::new([0.4; 7]).expect("inside"));
        let outcome = problem(&[name])
            .expect("known")
            .noise_free(&candidate)
            .expect("known");
        outcome
            .costs()
            .and_then(|costs| costs.complete())
            .expect("finite")[0]
    };
    assert!((cost("log_time") - cost("time").ln()).abs() < 1e-12);
    assert!((cost("1-val_accuracy") - (1.0 + cost("val_accuracy") / 100.0)).abs() < 1e-12);
    let error = problem(&["accuracy"]).expect_err("unknown");
    assert!(matches!(error, ProblemError::UnknownOutput { .. }));
    assert!(problem(&["time", "time"]).is_err());
    assert!(problem(&[]).is_err());
    let error = YahpoProblem::new(Arc::clone(&scenario), "1", &["time"]).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "the scenario has no instance `1` among its 34"
    );
    let error = scenario
        .predict(&[Config::new()])
        .expect_err("nothing is given");
    assert_eq!(
        error.to_string(),
        "the parameter `OpenML_task_id` of a configuration is missing"
    );
}

#[test]
fn truncated_and_foreign_bytes_are_errors() {
    let Some(folder) = data_folder() else { return };
    let good = files(&folder, "lcbench");
    let load = |change: &dyn Fn(&mut YahpoFiles)| {
        let mut files = good.clone();
        change(&mut files);
        YahpoScenario::new(YahpoLayout::LCBENCH, files)
    };
    let length = good.model.len();
    let mut lengths: Vec<usize> = (0..40).collect();
    lengths.extend((1..60).map(|part| part * length / 60));
    lengths.extend((1..40).map(|missing| length - missing));
    for length in lengths {
        assert!(
            load(&|files| files.model.truncate(length)).is_err(),
            "{length} bytes"
        );
    }
    let other = fs::read(folder.join("yahpo/rbv2_xgboost/model.onnx")).expect("the data is there");
    assert!(load(&|files| files.model = other.clone()).is_err());
    assert!(load(&|files| files.model = b"not a model at all".to_vec()).is_err());
    assert!(load(&|files| files.model = vec![0xff; 1000]).is_err());

    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    assert!(matches!(
        load(&|files| cut(&mut files.config_space)),
        Err(ProblemError::Json {
            what: "config_space.json",
            ..
        })
    ));
    assert!(matches!(
        load(&|files| cut(&mut files.encoding)),
        Err(ProblemError::Json {
            what: "encoding.json",
            ..
        })
    ));
    assert!(matches!(
        load(&|files| files.encoding = b"{}".to_vec()),
        Err(ProblemError::Layout { .. })
    ));
    assert!(matches!(
        load(&|files| files.statistics = Some(b"a,b\n".to_vec())),
        Err(ProblemError::Statistics { line: 1 })
    ));
}

#[test]
fn flipped_bytes_never_panic() {
    let Some(folder) = data_folder() else { return };
    let good = files(&folder, "lcbench");
    for step in 0..60 {
        let mut broken = good.clone();
        let position = step * 37;
        broken.model[position] ^= 0x5a;
        // Most flips are errors; one in a weight is a valid model with other predictions.
        if let Err(error) = YahpoScenario::new(YahpoLayout::LCBENCH, broken) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn without_statistics_the_reference_comes_from_a_sample() {
    let Some(folder) = data_folder() else { return };
    let mut files = files(&folder, "lcbench");
    files.statistics = None;
    let family = YahpoFamily::lcbench(files).expect("readable");
    let reference = family.task(0).reference_point().value.to_vec();
    assert!(
        reference[0] > 0.0 && reference[0] < 1.2 && reference[1].is_finite(),
        "{reference:?}"
    );
}

#[test]
fn threads_share_a_scenario_and_see_the_same_values() {
    let Some(scenario) = lcbench() else { return };
    let problem = YahpoFamily::new(scenario).problem(7);
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let points = design_points(problem.space(), 40, Design::Uniform, &mut rng);
    let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
    let expected: Vec<_> = candidates
        .iter()
        .map(|candidate| problem.noise_free(candidate))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (candidate, expected) in candidates.iter().zip(&expected) {
                    assert_eq!(&problem.noise_free(candidate), expected);
                }
            });
        }
    });
}
