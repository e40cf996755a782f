//! Real methods on a real problem, as `reproduce` runs them.

use std::path::{Path, PathBuf};

use warmfront_bench::cell::{Cell, CellResult};
use warmfront_bench::data::DataFolder;
use warmfront_bench::lab::Lab;
use warmfront_bench::methods::METHODS;
use warmfront_bench::problems::PROBLEMS;
use warmfront_bench::profile::{Catalogue, Overrides, Plan, experiment};
use warmfront_bench::runner::Work;
use warmfront_bench::system::System as _;

fn run(lab: &Lab, method: &str, evaluations: u32) -> CellResult {
    let cell = Cell {
        seed: 0,
        problem: "sinusoidal".into(),
        task: 0,
        method: method.into(),
        evaluations,
        fingerprint: lab.fingerprint("sinusoidal", method),
        exclusive: false,
    };
    lab.run(&cell).expect("the cell runs")
}

fn hypervolumes(result: &CellResult) -> Vec<f64> {
    result.steps.iter().map(|s| s.hypervolume).collect()
}

#[test]
fn every_method_runs_and_its_hypervolume_never_falls() {
    let lab = Lab::new(None, 7);
    for method in METHODS {
        let result = run(&lab, method.name, 4);
        let values = hypervolumes(&result);
        assert_eq!(values.len(), 4, "{}", method.name);
        assert!(values.is_sorted(), "{}: {values:?}", method.name);
        assert!(
            values[0] > 0.0 && values[3] <= 1.0001 * result.optimum,
            "{}",
            method.name
        );
    }
}

#[test]
fn the_same_cell_gives_the_same_values_and_another_seed_others() {
    let values = |base| hypervolumes(&run(&Lab::new(None, base), "smog", 3));
    let (first, again, other) = (values(7), values(7), values(8));
    assert_eq!(
        first.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        again.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    );
    assert!(first.iter().zip(&other).any(|(a, b)| (a - b).abs() > 1e-9));
}

#[test]
fn methods_without_meta_data_share_their_first_points() {
    let lab = Lab::new(None, 7);
    // One input: two points of the shared design come first.
    let firsts = ["ind-gp", "mo-gp", "smog-equal-init"].map(|method| {
        hypervolumes(&run(&lab, method, 2))
            .iter()
            .map(|v| v.to_bits())
            .collect()
    });
    let [a, b, c]: [Vec<u64>; 3] = firsts;
    assert_eq!(a, b);
    assert_eq!(a, c);
}

#[test]
fn every_name_in_the_profiles_exists() {
    let lab = Lab::new(None, 0);
    let smog = experiment("smog").expect("defined");
    for profile in smog.profiles.values() {
        let plan = Plan::new(profile, &smog.reference_method, &Overrides::default(), &lab)
            .expect("the synthetic problems need no data");
        assert!(
            plan.skipped
                .iter()
                .all(|(_, reason)| reason.contains("--data DIR"))
        );
        assert!(plan.skipped.iter().any(|(problem, _)| problem == "lcbench"));
    }
    let distinct: std::collections::BTreeSet<_> = PROBLEMS.iter().map(|p| p.name).collect();
    assert_eq!(distinct.len(), PROBLEMS.len());
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

#[test]
fn a_wrong_data_folder_is_refused() {
    let check = |path: &Path, expected: &str| {
        let message = format!(
            "{:#}",
            DataFolder::open(path).expect_err("not a data folder")
        );
        assert!(message.contains(expected), "{message}");
    };
    let empty = folder("data-empty");
    check(&empty, "it holds neither `yahpo` nor `hpobench-xgb`");
    check(&empty.join("absent"), "cannot open the data folder");
    std::fs::write(empty.join("file"), "x").expect("writable");
    check(&empty.join("file"), "is not a folder");
}

#[test]
fn damaged_data_stop_a_run_at_its_start() {
    let root = folder("data-damaged");
    let lcbench = root.join("yahpo/lcbench");
    std::fs::create_dir_all(&lcbench).expect("the folder can be made");
    for name in ["config_space.json", "encoding.json"] {
        std::fs::write(lcbench.join(name), "{}").expect("writable");
    }
    let overrides = Overrides {
        problems: vec!["lcbench".into()],
        ..Overrides::default()
    };
    let smog = experiment("smog").expect("defined");
    let check = |expected: &str| {
        let lab = Lab::new(Some(DataFolder::open(&root).expect("has yahpo")), 0);
        let plan = Plan::new(&smog.profiles["quick"], "smog", &overrides, &lab).expect("there");
        let message = format!("{:#}", lab.check(&plan).expect_err("damaged"));
        assert!(message.contains(expected), "{message}");
    };
    check("cannot read");
    std::fs::write(lcbench.join("model.onnx"), "").expect("writable");
    check("model.onnx is empty");
    std::fs::write(lcbench.join("model.onnx"), [8, 7, 18]).expect("writable");
    check("lcbench is damaged");
}

#[test]
fn a_sampled_reference_is_told_apart_and_recorded_keys_stay() {
    let root = folder("data-statistics");
    std::fs::create_dir_all(root.join("yahpo/global_statistics")).expect("the folder can be made");
    let keys = || {
        let lab = Lab::new(Some(DataFolder::open(&root).expect("has yahpo")), 2026);
        ["lcbench", "sinusoidal"].map(|problem| lab.fingerprint(problem, "smog"))
    };
    let [lcbench, sinusoidal] = keys();
    assert!(lcbench.ends_with(", sampled reference"), "{lcbench}");
    assert_eq!(
        sinusoidal,
        "runner 1, base seed 2026, problem 1 with 8x16, method 1"
    );
    let table = root.join("yahpo/global_statistics/instance_target_statistics.csv");
    std::fs::write(table, "").expect("writable");
    assert_eq!(
        keys()[0],
        "runner 1, base seed 2026, problem 1 with 33x64, method 1"
    );
}

#[test]
fn another_number_of_tables_is_refused() {
    let root = folder("data-tables");
    let tables = root.join("hpobench-xgb");
    std::fs::create_dir_all(&tables).expect("the folder can be made");
    for index in 0..49 {
        std::fs::write(tables.join(format!("{index:02}.npy")), "x").expect("writable");
    }
    let lab = Lab::new(Some(DataFolder::open(&root).expect("has tables")), 0);
    let overrides = Overrides {
        problems: vec!["hpobench-xgb".into()],
        ..Overrides::default()
    };
    let smog = experiment("smog").expect("defined");
    let plan = Plan::new(&smog.profiles["standard"], "smog", &overrides, &lab).expect("there");
    let message = format!("{:#}", lab.check(&plan).expect_err("one too many"));
    assert!(
        message.contains("holds 49 tables (.npy), expected exactly 48"),
        "{message}"
    );
}
