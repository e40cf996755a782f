//! The runner, its store and the report, with toy methods on toy problems.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::bail;
use warmfront_bench::cell::{Cell, CellResult, Step, fnv1a};
use warmfront_bench::methods::MethodSpec;
use warmfront_bench::problems::ProblemSpec;
use warmfront_bench::profile::{Catalogue, Overrides, Plan, experiment};
use warmfront_bench::report;
use warmfront_bench::runner::{RunConfig, RunOutcome, Work, run};
use warmfront_bench::setup::{DataFile, Setup};
use warmfront_bench::store::{Store, write_record, write_results};

/// Known by the names of the real experiment, so that its profile applies.
struct Toy;

impl Catalogue for Toy {
    fn problems(&self) -> Vec<&str> {
        let synthetic = [
            "sinusoidal",
            "hartmann-2",
            "hartmann-4",
            "hartmann-6",
            "hard-hartmann",
            "terrain",
        ];
        let scaling = [
            "scaling-2",
            "scaling-4",
            "scaling-8",
            "scaling-16",
            "scaling-32",
            "scaling-64",
        ];
        synthetic
            .into_iter()
            .chain(["lcbench", "hpobench-xgb"])
            .chain(scaling)
            .collect()
    }
    fn methods(&self) -> Vec<&str> {
        vec![
            "random",
            "sobol",
            "ind-gp",
            "mo-gp",
            "ind-scaml",
            "ind-rgpe",
            "ind-ablr",
            "smog",
            "smog-rho0",
            "smog-shared-weights",
            "smog-no-meta",
            "smog-equal-init",
            "smog-standardized",
            "smog-open-residual",
            "smog-log-priors",
        ]
    }
    fn objectives(&self, _problem: &str) -> u32 {
        2
    }
    fn tasks(&self, problem: &str) -> u32 {
        if problem == "terrain" { 3 } else { 1 }
    }
    fn unavailable(&self, problem: &str) -> Option<String> {
        matches!(problem, "lcbench" | "hpobench-xgb").then(|| "needs --data DIR".to_owned())
    }
    fn fingerprint(&self, problem: &str, method: &str) -> String {
        format!("{problem} 1, {method} 1")
    }
    fn describe_problem(&self, problem: &str) -> (String, String) {
        ProblemSpec::find(problem).map_or_else(
            || (problem.to_owned(), String::new()),
            |p| (p.title.to_owned(), p.text.to_owned()),
        )
    }
    fn describe_method(&self, method: &str) -> (String, String) {
        let spec = MethodSpec::find(method).expect("a method of the real experiment");
        (spec.label.to_owned(), spec.text.to_owned())
    }
}

/// Regret that falls geometrically, faster for later methods of the list, with noise from the name.
#[derive(Default)]
struct Decay {
    runs: AtomicUsize,
    /// A method that always fails.
    broken: Option<&'static str>,
}

impl Work for Decay {
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if self.broken == Some(cell.method.as_str()) {
            bail!("the model did not fit");
        }
        let skill = Toy
            .methods()
            .iter()
            .position(|m| *m == cell.method)
            .expect("planned");
        let skill = if skill > 7 { 11 - skill } else { skill } as f64;
        let head_start = if skill >= 4.0 { 0.5 } else { 0.0 };
        let mut log_regret = -0.1 - head_start;
        let mut steps = Vec::new();
        for t in 0..cell.evaluations {
            let text = format!("{} {} {} {t}", cell.problem, cell.method, cell.seed);
            let noise = (fnv1a(text.as_bytes()) >> 40) as f64 / (1 << 24) as f64;
            log_regret -= 0.02 * noise * (skill + 1.0);
            steps.push(Step {
                hypervolume: 2.0 * (1.0 - 10_f64.powf(log_regret)),
                ask_seconds: 0.01 * (skill + 1.0),
                tell_seconds: 0.02,
                suggestions: 1,
                row: None,
            });
        }
        let tasks = cell
            .problem
            .strip_prefix("scaling-")
            .and_then(|m| m.parse().ok());
        let setup_seconds = 0.03 * tasks.unwrap_or(8.0);
        Ok(CellResult {
            setup_seconds,
            optimum: 2.0,
            steps,
            ..CellResult::default()
        })
    }
}

/// A folder of its own for one test, empty at the start.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn plan(profile: &str, overrides: &Overrides) -> Plan {
    let smog = experiment("smog").expect("defined");
    Plan::new(&smog.profiles[profile], "smog", overrides, &Toy).expect("something to run")
}

fn small() -> Plan {
    let overrides = Overrides {
        methods: vec!["random".into()],
        problems: vec!["sinusoidal".into(), "terrain".into()],
        ..Overrides::default()
    };
    plan("quick", &overrides)
}

fn go(out: &Path, cells: &[Cell], work: &Decay, jobs: usize) -> RunOutcome {
    let store = Store::open(out).expect("the folder can be made");
    let config = RunConfig {
        jobs,
        ..RunConfig::default()
    };
    run(cells, work, &store, &config).expect("the results can be stored")
}

#[test]
fn resuming_runs_only_what_is_missing() {
    let out = folder("resume");
    let cells = small().cells(&Toy);
    assert_eq!(cells.len(), 2 * 2 * 3);
    assert!(
        cells.is_sorted_by_key(|c| c.seed),
        "complete seeds come first"
    );

    let first = Decay::default();
    let outcome = go(&out, &cells[..5], &first, 2);
    assert_eq!((outcome.finished.len(), outcome.reused), (5, 0));

    let second = Decay::default();
    let whole = go(&out, &cells, &second, 2);
    assert_eq!((whole.finished.len(), whole.reused), (cells.len(), 5));
    assert_eq!(second.runs.load(Ordering::Relaxed), cells.len() - 5);

    let fresh = go(&folder("resume-fresh"), &cells, &Decay::default(), 1);
    assert_eq!(
        whole.finished, fresh.finished,
        "interrupted equals uninterrupted"
    );
}

#[test]
fn another_fingerprint_is_not_reused() {
    let out = folder("fingerprint");
    let mut cells = small().cells(&Toy);
    go(&out, &cells, &Decay::default(), 2);
    for cell in &mut cells {
        cell.fingerprint.push_str(", noise doubled");
    }
    let work = Decay::default();
    go(&out, &cells, &work, 2);
    assert_eq!(work.runs.load(Ordering::Relaxed), cells.len());
}

#[test]
fn torn_and_damaged_files_are_run_again() {
    let out = folder("torn");
    let cells = small().cells(&Toy);
    go(&out, &cells, &Decay::default(), 2);
    let mut files = Vec::new();
    for problem in ["sinusoidal", "terrain"] {
        for entry in std::fs::read_dir(out.join("cells").join(problem)).expect("listed") {
            files.push(entry.expect("listed").path());
        }
    }
    files.sort();
    assert_eq!(files.len(), cells.len());
    let text = std::fs::read_to_string(&files[0]).expect("readable");
    for (index, damaged) in [
        text[..text.len() / 2].to_owned(),
        text[..text.len() - 1].to_owned(),
        text.replacen("0.", "1.", 1),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(&files[0], damaged).expect("writable");
        let work = Decay::default();
        go(&out, &cells, &work, 2);
        assert_eq!(work.runs.load(Ordering::Relaxed), 1, "damage {index}");
    }
}

#[test]
fn recorded_results_count_as_finished_and_a_torn_line_loses_its_cell_only() {
    let out = folder("recorded");
    let cells = small().cells(&Toy);
    let outcome = go(&out, &cells, &Decay::default(), 2);
    let mut store = Store::open(&out).expect("the folder can be made");
    let path = out.join("recorded.csv");
    for (index, write) in [write_results, write_record].into_iter().enumerate() {
        write(&path, &outcome.finished).expect("writable");
        let text = std::fs::read_to_string(&path).expect("readable");
        std::fs::write(&path, &text[..text.len() - 40]).expect("writable");

        let fresh = folder(&format!("recorded-fresh-{index}"));
        store = Store::open(&fresh).expect("the folder can be made");
        // The torn cell is short of its last evaluation.
        store.add_recorded(&path).expect("a record");
        let work = Decay::default();
        let again = run(&cells, &work, &store, &RunConfig::default()).expect("stored");
        assert_eq!(work.runs.load(Ordering::Relaxed), 1);
        assert_eq!(again.finished, outcome.finished);
    }

    let wrong = out.join("wrong.csv");
    std::fs::write(&wrong, "a,b\n1,2\n").expect("writable");
    let message = format!(
        "{:#}",
        store.add_recorded(&wrong).expect_err("other columns")
    );
    assert!(
        message.contains("is no record of runs: no column `key`"),
        "{message}"
    );
}

#[test]
fn number_of_threads_does_not_change_results() {
    let cells = small().cells(&Toy);
    let one = go(&folder("jobs-1"), &cells, &Decay::default(), 1);
    let four = go(&folder("jobs-4"), &cells, &Decay::default(), 4);
    assert_eq!(one.finished, four.finished);
}

#[test]
fn a_failing_method_leaves_the_others_alone() {
    let cells = small().cells(&Toy);
    let work = Decay {
        broken: Some("random"),
        ..Decay::default()
    };
    let outcome = go(&folder("failing"), &cells, &work, 2);
    assert_eq!(outcome.finished.len(), cells.len() / 2);
    assert_eq!(outcome.failures.len(), cells.len() / 2);
    assert!(
        outcome
            .failures
            .iter()
            .all(|(c, reason)| { c.method == "random" && reason == "the model did not fit" })
    );
}

#[test]
fn a_store_that_cannot_be_written_stops_the_run_and_says_where() {
    let out = folder("full");
    let cells = small().cells(&Toy);
    let store = Store::open(&out).expect("the folder can be made");
    // A file stands where the problem's folder belongs.
    std::fs::write(out.join("cells").join("terrain"), "in the way").expect("writable");
    let error = run(
        &cells,
        &Decay::default(),
        &store,
        &RunConfig {
            jobs: 1,
            ..Default::default()
        },
    )
    .expect_err("terrain cannot be stored");
    let message = format!("{error:#}");
    assert!(
        message.contains("cannot store the finished cell"),
        "{message}"
    );
    // What had finished before is kept.
    let kept = std::fs::read_dir(out.join("cells").join("sinusoidal"))
        .expect("listed")
        .count();
    assert!(kept > 0);
}

#[test]
fn the_time_limit_leaves_cells_for_later() {
    let cells = small().cells(&Toy);
    let store = Store::open(&folder("limit")).expect("the folder can be made");
    let config = RunConfig {
        time_limit: Some(std::time::Duration::ZERO),
        ..RunConfig::default()
    };
    let outcome = run(&cells, &Decay::default(), &store, &config).expect("nothing to store");
    assert_eq!((outcome.finished.len(), outcome.left), (0, cells.len()));
}

#[test]
fn unknown_names_suggest_the_nearest() {
    let smog = experiment("smog").expect("defined");
    let check = |overrides: Overrides, expected: &str| {
        let error = Plan::new(&smog.profiles["quick"], "smog", &overrides, &Toy);
        assert_eq!(format!("{:#}", error.expect_err("unknown")), expected);
    };
    check(
        Overrides {
            problems: vec!["terain".into()],
            ..Overrides::default()
        },
        "unknown problem `terain`; did you mean `terrain`?",
    );
    check(
        Overrides {
            methods: vec!["ind-gpp".into()],
            ..Overrides::default()
        },
        "unknown method `ind-gpp`; did you mean `ind-gp`?",
    );
    check(
        Overrides {
            problems: vec!["lcbench".into()],
            ..Overrides::default()
        },
        "nothing to run; lcbench: needs --data DIR",
    );
}

#[test]
fn the_report_has_its_parts() {
    let out = folder("report");
    let plan = plan("standard", &Overrides::default());
    let outcome = go(&out, &plan.cells(&Toy), &Decay::default(), 2);
    let mut setup = Setup::default();
    setup.add("seed", 1);
    setup.add_environment();
    setup.data.push(DataFile::new("table.npy", b"123456789"));
    let page = report::write(
        &out,
        &report::Input {
            experiment: &experiment("smog").expect("defined"),
            profile: "standard",
            plan: &plan,
            finished: &outcome.finished,
            failures: &outcome.failures,
            left: outcome.left,
            catalogue: &Toy,
            setup: &setup,
        },
    )
    .expect("writable");
    let html = std::fs::read_to_string(&page).expect("readable");
    for part in [
        "id=\"overview\"",
        "id=\"claims\"",
        "id=\"main\"",
        "id=\"ablation\"",
        "id=\"scaling\"",
        "id=\"setup\"",
        "id=\"hartmann-6\"",
        "id=\"ablation-hard-hartmann\"",
        "needs --data DIR",
        "cbf43926",
        "prefers-color-scheme: dark",
        ">holds<",
        ">not decidable<",
        "reaches in 10 evaluations",
        "Wilcoxon",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // Opens offline: nothing is fetched.
    for link in ["http://", "https://", "src=", "@import", "<script"] {
        assert!(!html.contains(link), "{link}");
    }
    assert!(!html.contains("NaN"));
    for file in [
        "results.csv",
        "summary.csv",
        "SETUP.md",
        "plots/scaling.svg",
    ] {
        assert!(out.join(file).exists(), "{file}");
    }
    let svg = std::fs::read_to_string(out.join("plots/sinusoidal-mean.svg")).expect("readable");
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("evaluations"));
    // The toy's times are exactly linear in the number of meta-tasks.
    assert!(html.contains("<b>1.00 ± 0.00</b>"));
}
