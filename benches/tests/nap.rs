//! A tiny policy, trained and tested as `reproduce` does it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use warmfront_bench::cell::{Cell, CellResult};
use warmfront_bench::nap::families::FAMILIES;
use warmfront_bench::nap::lab::{INITIAL, NapLab};
use warmfront_bench::nap::methods::METHODS;
use warmfront_bench::profile::{Catalogue, Overrides, Plan, experiment};
use warmfront_bench::report::Input;
use warmfront_bench::runner::{RunConfig, Work};
use warmfront_bench::setup::Setup;
use warmfront_bench::system::System as _;

fn cell(lab: &NapLab, family: &str, method: &str, evaluations: u32, seed: u32) -> Cell {
    Cell {
        seed,
        problem: family.into(),
        task: 1,
        method: method.into(),
        evaluations,
        fingerprint: lab.fingerprint(family, method),
        exclusive: false,
    }
}

fn run(lab: &NapLab, family: &str, method: &str, seed: u32) -> CellResult {
    lab.run(&cell(lab, family, method, 9, seed))
        .expect("the cell runs")
}

#[test]
fn methods_without_a_policy_share_their_start_and_repeat_no_row() {
    let lab = NapLab::new(None, 5);
    let rows = |method: &str, seed| -> Vec<u32> {
        let result = run(&lab, "gp-2", method, seed);
        let values: Vec<f64> = result.steps.iter().map(|s| s.hypervolume).collect();
        assert!(values.is_sorted() && values.iter().all(|v| (0.0..=1.0).contains(v)));
        result.steps.iter().filter_map(|s| s.row).collect()
    };
    let random = rows("random", 0);
    for method in ["gp-logei", "portfolio", "smog"] {
        let rows = rows(method, 0);
        assert_eq!(rows.len(), 9);
        assert_eq!(rows[..INITIAL], random[..INITIAL], "{method}");
        let distinct: std::collections::BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), 9, "{method}");
    }
    assert_ne!(random[..INITIAL], rows("random", 1)[..INITIAL]);
    assert_eq!(random, rows("random", 0));
}

#[test]
fn boxes_have_no_rows() {
    let result = run(&NapLab::new(None, 5), "analytic", "random", 0);
    assert!(result.steps.iter().all(|s| s.row.is_none()));
    assert!(result.steps[8].hypervolume > 0.0);
}

#[test]
fn a_policy_that_is_not_trained_is_named() {
    let lab = NapLab::new(None, 5);
    let error = lab
        .run(&cell(&lab, "gp-2", "nap", 9, 0))
        .expect_err("no policy");
    assert_eq!(format!("{error:#}"), "the policy `gp-2-nap` is not trained");
}

#[test]
fn every_name_in_the_profiles_exists() {
    let lab = NapLab::new(None, 0);
    let nap = experiment("nap").expect("defined");
    for profile in nap.profiles.values() {
        let plan = Plan::new(profile, &nap.reference_method, &Overrides::default(), &lab)
            .expect("some families need no data");
        assert!(!plan.cells(&lab).is_empty());
    }
    let names: std::collections::BTreeSet<_> = FAMILIES.iter().map(|f| f.name).collect();
    assert_eq!(names.len(), FAMILIES.len());
    let names: std::collections::BTreeSet<_> = METHODS.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), METHODS.len());
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

/// Prepares as `reproduce` does, within so many seconds.
fn prepare(lab: &NapLab, out: &Path, seconds: Option<u64>, jobs: usize) {
    let cell = cell(lab, "gp-1", "nap", 9, 0);
    let config = RunConfig {
        jobs,
        time_limit: seconds.map(Duration::from_secs),
        progress: false,
    };
    lab.prepare(&[&cell], out, &config).expect("trained");
}

#[test]
fn a_training_goes_on_where_it_stopped_and_its_policy_runs() {
    let files = |out: &Path| {
        let read = |name: &str| std::fs::read(out.join("policies").join(name)).ok();
        [
            "gp-1-np.safetensors",
            "gp-1-nap.safetensors",
            "gp-1-nap.csv",
        ]
        .map(read)
    };
    let (first, second) = (folder("nap-first"), folder("nap-second"));
    let lab = NapLab::new(None, 5);
    prepare(&lab, &first, None, 1);
    // Stopped at once, then finished by another process with another number of threads.
    prepare(&NapLab::new(None, 5), &second, Some(0), 1);
    assert_eq!(files(&second), [const { None }; 3]);
    assert!(second.join("policies/gp-1-np.checkpoint").exists());
    let resumed = NapLab::new(None, 5);
    prepare(&resumed, &second, None, 3);
    assert!(files(&first).iter().all(Option::is_some));
    assert_eq!(files(&first), files(&second));
    assert!(!second.join("policies/gp-1-np.checkpoint").exists());

    let mut finished = BTreeMap::new();
    for method in ["random", "np-ei", "nap", "nap-shuffled"] {
        let cell = cell(&lab, "gp-1", method, 9, 0);
        let result = lab.run(&cell).expect("the cell runs");
        let again = resumed.run(&cell).expect("the cell runs");
        let rows = |r: &CellResult| r.steps.iter().map(|s| s.row).collect::<Vec<_>>();
        assert_eq!(rows(&result), rows(&again), "{method}");
        finished.insert(cell, result);
    }
    report(&lab, &first, &finished);
}

fn report(lab: &NapLab, out: &Path, finished: &BTreeMap<Cell, CellResult>) {
    let mut nap = experiment("nap").expect("defined");
    let quick = nap.profiles.get_mut("quick").expect("defined");
    let block = &mut quick.blocks[0];
    block.problems = vec!["gp-1".into()];
    (block.seeds, block.evaluations) = (1, 9);
    let plan = Plan::new(&nap.profiles["quick"], "nap", &Overrides::default(), lab);
    let input = Input {
        experiment: &nap,
        profile: "quick",
        plan: &plan.expect("planned"),
        finished,
        failures: &[],
        left: 0,
        catalogue: lab,
        setup: &Setup::default(),
    };
    let page = lab.write_report(out, &input).expect("written");
    let page = std::fs::read_to_string(page).expect("there");
    for text in [
        "Lemma 3.1",
        "gp-1-nap",
        "NAP, shuffled history",
        "id=\"controls\"",
    ] {
        assert!(page.contains(text), "no {text}");
    }
    for file in [
        "results.csv",
        "summary.csv",
        "tests.csv",
        "controls.csv",
        "training.csv",
    ] {
        assert!(out.join(file).exists(), "no {file}");
    }
    let summary = std::fs::read_to_string(out.join("summary.csv")).expect("there");
    assert_eq!(summary.lines().count(), 1 + 4);
}
