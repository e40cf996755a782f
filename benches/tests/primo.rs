//! Real methods on a real problem with fidelities and priors, as `reproduce primo` runs them.

use std::path::Path;

use warmfront_bench::cell::{Cell, CellResult};
use warmfront_bench::primo::lab::PrimoLab;
use warmfront_bench::primo::methods::{METHODS, uses_priors};
use warmfront_bench::primo::priors::Condition;
use warmfront_bench::primo::problems::PROBLEMS;
use warmfront_bench::profile::{Catalogue, Overrides, Plan, experiment};
use warmfront_bench::report::Input;
use warmfront_bench::runner::{self, RunConfig, Work};
use warmfront_bench::setup::Setup;
use warmfront_bench::store::Store;
use warmfront_bench::system::System;

fn run(lab: &PrimoLab, method: &str, evaluations: u32) -> CellResult {
    let cell = Cell {
        seed: 0,
        problem: "branin-currin".into(),
        task: 0,
        method: method.into(),
        evaluations,
        fingerprint: lab.fingerprint("branin-currin", method),
        exclusive: false,
    };
    lab.run(&cell)
        .unwrap_or_else(|error| panic!("{method}: {error:#}"))
}

fn hypervolumes(result: &CellResult) -> Vec<u64> {
    result
        .steps
        .iter()
        .map(|s| s.hypervolume.to_bits())
        .collect()
}

fn told(method: &str) -> String {
    match uses_priors(method) {
        true => format!("{method}@mixed"),
        false => method.to_owned(),
    }
}

#[test]
fn every_method_runs_and_its_hypervolume_never_falls() {
    let lab = PrimoLab::new(None, 7);
    for method in METHODS {
        let result = run(&lab, &told(method.name), 6);
        let values: Vec<f64> = result.steps.iter().map(|s| s.hypervolume).collect();
        assert_eq!(values.len(), 6, "{}", method.name);
        assert!(values.is_sorted(), "{}: {values:?}", method.name);
        assert!(
            values[5] > 0.0 && values[5] <= 1.0001 * result.optimum,
            "{}: {values:?}",
            method.name
        );
        let asked: u32 = result.steps.iter().map(|s| s.suggestions).sum();
        assert!(asked >= 6, "{}: {asked}", method.name);
        let (label, text) = lab.describe_method(&told(method.name));
        assert_eq!((label.as_str(), text.as_str()), (method.label, method.text));
        let version = format!("method {}", method.version);
        assert!(
            lab.fingerprint("zdt6", &told(method.name))
                .ends_with(&version)
        );
    }
}

#[test]
fn the_same_cell_gives_the_same_values_and_other_priors_others() {
    let values = |method: &str| hypervolumes(&run(&PrimoLab::new(None, 7), method, 7));
    let good = values("primo@good");
    assert_eq!(good, values("primo@good"));
    assert_ne!(good, values("primo@misleading"));
}

#[test]
fn every_name_in_the_profiles_exists() {
    let lab = PrimoLab::new(None, 0);
    let primo = experiment("primo").expect("defined");
    for (name, profile) in &primo.profiles {
        let plan = Plan::new(
            profile,
            &primo.reference_method,
            &Overrides::default(),
            &lab,
        )
        .expect("the closed-form problems need no data");
        for entry in &plan.entries {
            assert!(entry.methods.iter().all(|m| Condition::of(m).is_ok()));
            assert!(entry.same_target, "{}", entry.problem);
        }
        let needs = |(_, reason): &(String, String)| reason.contains("--data DIR");
        assert!(!plan.skipped.is_empty() && plan.skipped.iter().all(needs));
        assert!(
            plan.entries
                .iter()
                .any(|e| e.methods.contains(&"primo@misleading".to_owned())),
            "{name}"
        );
    }
    let distinct: std::collections::BTreeSet<_> = PROBLEMS.iter().map(|p| p.name).collect();
    assert_eq!(distinct.len(), PROBLEMS.len());
    // Eight problems with two objectives, four conditions, twenty seeds.
    let standard = &primo.profiles["standard"].blocks[0];
    assert!(standard.problems.len() >= 8 && standard.conditions.len() == 4);
    assert!(standard.seeds >= 20 && standard.evaluations >= 20);
}

#[test]
fn the_report_has_its_parts() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("primo-report");
    let _ = std::fs::remove_dir_all(&out);
    let lab = PrimoLab::new(None, 1);
    let primo = experiment("primo").expect("defined");
    let overrides = Overrides {
        methods: ["random", "random-prior"].map(str::to_owned).to_vec(),
        problems: ["branin-currin", "zdt6"].map(str::to_owned).to_vec(),
        seeds: Some(2),
        evaluations: Some(6),
    };
    let plan = Plan::new(&primo.profiles["standard"], "primo", &overrides, &lab).expect("planned");
    let cells = plan.cells(&lab);
    // A random search, and two methods under four conditions; the ablation adds nothing new.
    let store = Store::open(&out).expect("the folder can be made");
    let outcome = runner::run(&cells, &lab, &store, &RunConfig::default()).expect("stored");
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let setup = Setup::default();
    let page = lab
        .write_report(
            &out,
            &Input {
                experiment: &primo,
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
        "id=\"ranks\"",
        "id=\"claims\"",
        "id=\"speed\"",
        "id=\"regret\"",
        "id=\"main\"",
        "id=\"ablation\"",
        "id=\"main-branin-currin-good\"",
        "id=\"main-zdt6-overconfident\"",
        ">not decidable<",
        "cost, in evaluations at full fidelity",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for link in ["http://", "https://", "src=", "@import", "<script"] {
        assert!(!html.contains(link), "{link}");
    }
    assert!(!html.contains("NaN"));
    for file in [
        "results.csv",
        "summary.csv",
        "ranks.csv",
        "speedup.csv",
        "SETUP.md",
        "plots/ranks-overall.svg",
        "plots/main-zdt6-good.svg",
    ] {
        assert!(out.join(file).exists(), "{file}");
    }
}
