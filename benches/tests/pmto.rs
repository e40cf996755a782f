//! Real methods on boxes of tasks, as `reproduce pmto` runs them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use warmfront_bench::cell::{Cell, CellResult};
use warmfront_bench::pmto::fronts;
use warmfront_bench::pmto::lab::PmtoLab;
use warmfront_bench::pmto::measure::{QUANTILES, Trace, every, quantile_name};
use warmfront_bench::pmto::methods::{METHODS, recipes};
use warmfront_bench::pmto::problems::{PROBLEMS, ProblemSpec, Stage};
use warmfront_bench::pmto::study::Study;
use warmfront_bench::pmto::wins::{Choice, count, duels};
use warmfront_bench::profile::{Catalogue, Overrides, Plan, Section, experiment};
use warmfront_bench::report::Input;
use warmfront_bench::runner::{self, RunConfig, Work};
use warmfront_bench::setup::Setup;
use warmfront_bench::store::{Store, write_measures};
use warmfront_bench::system::System;
use warmfront_core::UnitPoint;

fn cell(problem: &str, method: &str, seed: u32, evaluations: u32) -> Cell {
    Cell {
        seed,
        problem: problem.into(),
        task: 0,
        method: method.into(),
        evaluations,
        fingerprint: PmtoLab::new(7).fingerprint(problem, method),
        exclusive: false,
    }
}

fn run(problem: &str, method: &str, evaluations: u32) -> CellResult {
    PmtoLab::new(7)
        .run(&cell(problem, method, 0, evaluations))
        .unwrap_or_else(|error| panic!("{method} on {problem}: {error:#}"))
}

/// Measures that are no times.
fn values(result: &CellResult) -> Vec<(String, u64)> {
    let timeless = |m: &(&String, &f64)| !m.0.starts_with("seconds/");
    let all = result.measures.iter().filter(timeless);
    all.map(|(name, value)| (name.clone(), value.to_bits()))
        .collect()
}

fn folder(name: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&out);
    out
}

#[test]
fn every_method_answers_with_every_recipe() {
    for method in METHODS {
        let evaluations = 24;
        let result = run("archery", method.name, evaluations);
        assert!(result.is_whole(&cell("archery", method.name, 0, evaluations)));
        for recipe in recipes() {
            let row = QUANTILES.map(|q| result.measures[&quantile_name(recipe.name, None, q)]);
            assert!(row.is_sorted(), "{}, {}: {row:?}", method.name, recipe.name);
            assert!(row[0] >= -1.0 && row[4] <= 0.0, "{}: {row:?}", method.name);
        }
        for at in [6, 12] {
            let name = quantile_name("noise", Some(at), 50);
            assert!(result.measures.contains_key(&name), "{}", method.name);
        }
        assert!(result.measures.contains_key("trace/pool/24"));
        assert!(result.measures["tasks/pool"] >= 1.0);
        let fingerprint = PmtoLab::new(7).fingerprint("arm", method.name);
        assert!(fingerprint.ends_with(&format!("method {}", method.version)));
    }
}

#[test]
fn the_same_cell_gives_the_same_values() {
    let first = run("related", "pmto-improved", 110);
    assert_eq!(
        values(&first),
        values(&run("related", "pmto-improved", 110))
    );
    assert!(first.measures["tasks/pool"] >= 20.0);
    assert!(first.measures["lengthscale/task"] > 0.0);
}

/// Methods with the same design start alike, so that only what comes after it differs.
#[test]
fn methods_of_one_design_share_its_tasks_and_solutions() {
    let start = |method: &str| {
        let result = run("related", method, 200);
        let kept = |m: &(String, u64)| m.0.starts_with("trace/initial/");
        values(&result)
            .into_iter()
            .find(kept)
            .expect("the design is complete")
    };
    let first = start("random");
    for method in ["st", "mt", "pmto-ft", "pmto-rt", "pmto"] {
        assert_eq!(start(method), first, "{method}");
    }
}

#[test]
fn traces_follow_the_best_costs_of_tasks() {
    let spec = ProblemSpec::find("arm").expect("known");
    let stage = Stage::new(spec);
    assert_eq!(stage.tests.len(), 10_000);
    let mut trace = Trace::default();
    // Ten first tasks, each evaluated twice, and one more. The arm is too short for all of the ten.
    for round in 0..2_u32 {
        for task in 0..10_u32 {
            let task = UnitPoint::clamped([f64::from(task) / 10.0, 0.1]);
            trace.push(
                &task,
                (round == 0 || task.coords()[0] < 0.55).then_some(0.9 - 0.1 * f64::from(round)),
            );
        }
    }
    trace.push(&UnitPoint::clamped([1.0, 1.0]), Some(0.1));
    let mut measures = warmfront_bench::pmto::measure::Measures::default();
    trace.measure(&stage, &mut measures);
    let all = measures.finish();
    // Six of the ten tasks improved from 0.9 to 0.8.
    assert!((all["trace/initial/21"] - 0.84).abs() < 1e-7, "{all:?}");
    assert!((all["trace/pool/21"] - (8.4 + 0.1) / 11.0).abs() < 1e-7);
    assert!((all["trace/initial/10"] - 0.9).abs() < 1e-7);
    // Not before every task of the design has a cost.
    assert!(!all.contains_key("trace/initial/9") && all.contains_key("trace/pool/9"));
    assert!(all["trace/regret/21"] < all["trace/initial/21"]);
}

#[test]
fn samples_of_the_tests_leave_no_row_of_the_grid_out() {
    let stage = Stage::new(ProblemSpec::find("sphere-i").expect("known"));
    let sample = every(&stage.tests, 50);
    assert!((1900..=2000).contains(&sample.len()), "{}", sample.len());
    for k in 0..5 {
        let mut values: Vec<f64> = sample.iter().map(|t| t.coords()[k]).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        assert_eq!(values.len(), 10, "parameter {k}");
    }
    assert_eq!(every(&stage.tests, 1).len(), 100_000);
}

#[test]
fn every_name_in_the_profiles_exists() {
    let lab = PmtoLab::new(0);
    let pmto = experiment("pmto").expect("defined");
    for profile in pmto.profiles.values() {
        let overrides = Overrides::default();
        let plan = Plan::new(profile, &pmto.reference_method, &overrides, &lab).expect("planned");
        assert!(plan.skipped.is_empty());
        for entry in &plan.entries {
            let known = |m: &String| {
                let mut all = METHODS.iter().chain(fronts::METHODS);
                all.any(|method| method.name == *m)
            };
            assert!(entry.methods.iter().all(known), "{}", entry.problem);
        }
    }
    let distinct: BTreeSet<_> = PROBLEMS.iter().map(|p| p.name).collect();
    assert_eq!(distinct.len(), PROBLEMS.len());
    // What decides the claims comes first.
    let standard = &pmto.profiles["standard"];
    let plan = Plan::new(standard, "pmto-improved", &Overrides::default(), &lab).expect("planned");
    let cells = plan.cells(&lab);
    let first: BTreeSet<&str> = cells[..120].iter().map(|c| c.method.as_str()).collect();
    assert_eq!(first, BTreeSet::from(["pmto", "pmto-ft", "pmto-improved"]));
    assert!(
        cells[..120]
            .iter()
            .all(|c| c.seed < 5 && c.evaluations == 2000)
    );
    let ten = |c: &&Cell| c.problem == "sphere-i" && c.method == "pmto" && c.evaluations == 2000;
    assert_eq!(cells.iter().filter(ten).count(), 10);
}

#[test]
fn torn_and_recorded_measures_resume() {
    let out = folder("pmto-store");
    let store = Store::open(&out).expect("the folder can be made");
    let cell = cell("archery", "random", 3, 20);
    let result = PmtoLab::new(7).run(&cell).expect("runs");
    assert!(store.load(&cell).is_none());
    store.save(&cell, &result).expect("stored");
    assert_eq!(store.load(&cell).as_ref(), Some(&result));

    // A file that lost its end is as good as none.
    let file = std::fs::read_dir(out.join("cells/archery"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .next()
        .expect("one file");
    let whole = std::fs::read(&file).expect("readable");
    for lost in [1, 60, whole.len() / 2] {
        std::fs::write(&file, &whole[..whole.len() - lost]).expect("writable");
        assert!(store.load(&cell).is_none(), "{lost}");
    }

    // A record of all measures brings it back, unless it is cut.
    let finished = [(cell.clone(), result.clone())].into_iter().collect();
    let record = out.join("measures.csv");
    write_measures(&record, &finished).expect("writable");
    let mut other = Store::open(&folder("pmto-store-2")).expect("the folder can be made");
    assert_eq!(other.add_recorded(&record).expect("readable"), 1);
    assert_eq!(other.load(&cell), Some(result));
    let text = std::fs::read_to_string(&record).expect("readable");
    let end = text.trim_end().rfind('\n').expect("several lines");
    std::fs::write(&record, &text[..=end]).expect("writable");
    let mut cut = Store::open(&folder("pmto-store-3")).expect("the folder can be made");
    assert_eq!(cut.add_recorded(&record).expect("readable"), 0);
}

/// Made-up runs: `a` answers with 1, 2, …, and `b` with ten times as much under one recipe only.
fn made_up() -> (Plan, std::collections::BTreeMap<Cell, CellResult>) {
    let lab = PmtoLab::new(0);
    let profile = serde_json::from_str(
        r#"{"summary": "", "blocks": [{"section": "main", "problems": ["sphere-i", "arm"],
            "methods": ["pmto", "pmto-ft"], "seeds": 5, "evaluations": 40}]}"#,
    )
    .expect("a profile");
    let plan = Plan::new(&profile, "pmto", &Overrides::default(), &lab).expect("planned");
    let mut finished = std::collections::BTreeMap::new();
    for cell in plan.cells(&lab) {
        let mut result = CellResult::default();
        for recipe in recipes() {
            for q in QUANTILES {
                let worse = match (cell.method.as_str(), recipe.name) {
                    ("pmto", _) => 1.0,
                    (_, "iso") => 10.0,
                    // Better than what it is compared with, and best of all recipes.
                    (_, "map") => 0.01,
                    _ => 1.0,
                };
                let value = worse * (1.0 + f64::from(cell.seed) + f64::from(q) / 1e4);
                let name = quantile_name(recipe.name, None, q);
                result.measures.insert(name, value);
            }
        }
        finished.insert(cell, result);
    }
    (plan, finished)
}

#[test]
fn wins_are_counted_by_cells() {
    let (plan, finished) = made_up();
    let study = Study::new(&plan, &finished);
    let groups = study.section(Section::Main);
    let of = |choice| {
        let count = count(&study, &groups, ["pmto", "pmto-ft"], choice);
        (count.better, count.worse, count.cells)
    };
    assert_eq!(of(Choice::Same("iso")), (10, 0, 10));
    assert_eq!(of(Choice::Same("map")), (0, 10, 10));
    assert_eq!(of(Choice::Same("noise")), (0, 0, 10));
    assert_eq!(of(Choice::Best), (0, 10, 10));
    assert_eq!(study.best_recipe(groups[0], "pmto-ft"), Some("map"));
    let duels = duels(&study, &groups, ("pmto", Some("noise")), &["pmto-ft"]);
    assert_eq!(duels.len(), 10);
    assert!(
        duels
            .iter()
            .all(|d| d.recipe == "map" && d.test.loses(0.05))
    );
    let row = study.row(groups[1], "pmto", "ard").expect("all quantiles");
    assert!((row[2].mean - 3.005).abs() < 1e-9 && (row[2].sd - 2.5_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn the_report_has_its_parts() {
    let out = folder("pmto-report");
    let lab = PmtoLab::new(1);
    let pmto = experiment("pmto").expect("defined");
    let overrides = Overrides {
        methods: [
            "random",
            "pmto-ft",
            "pmto",
            "st-map",
            "ft-map",
            "multi-random",
            "alone-qlognehvi",
            "multi-pmto-ft",
        ]
        .map(str::to_owned)
        .to_vec(),
        problems: ["sphere-i", "archery", "unrelated", "dtlz2"]
            .map(str::to_owned)
            .to_vec(),
        seeds: Some(2),
        evaluations: Some(40),
    };
    let reference = &pmto.reference_method;
    let plan = Plan::new(&pmto.profiles["standard"], reference, &overrides, &lab).expect("planned");
    let cells = plan.cells(&lab);
    let store = Store::open(&out).expect("the folder can be made");
    let outcome = runner::run(&cells, &lab, &store, &RunConfig::default()).expect("stored");
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let setup = Setup::default();
    let page = lab
        .write_report(
            &out,
            &Input {
                experiment: &pmto,
                profile: "standard",
                plan: &plan,
                finished: &outcome.finished,
                failures: &outcome.failures,
                left: outcome.left,
                catalogue: &lab,
                setup: &setup,
            },
        )
        .expect("writable");
    let html = std::fs::read_to_string(&page).expect("readable");
    for part in [
        "id=\"overview\"",
        "id=\"claims\"",
        "id=\"wins\"",
        "id=\"replication\"",
        "id=\"main-sphere-i\"",
        "id=\"cases-archery\"",
        "id=\"map-improved\"",
        "id=\"slice-as-run\"",
        "id=\"transfer\"",
        "id=\"fronts\"",
        "id=\"budgets\"",
        "id=\"coverage\"",
        "id=\"gains\"",
        ">not decidable<",
        "released 0.0865 ± 0.0590",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for link in ["http://", "https://", "src=", "@import", "<script"] {
        assert!(!html.contains(link), "{link}");
    }
    assert!(!html.contains("NaN"));
    for file in [
        "measures.csv",
        "summary.csv",
        "traces.csv",
        "quantiles.md",
        "wins.csv",
        "replication.csv",
        "gains.csv",
        "SETUP.md",
        "plots/offline-main-sphere-i.svg",
        "plots/map-as-run.svg",
    ] {
        assert!(out.join(file).exists(), "{file}");
    }
}
