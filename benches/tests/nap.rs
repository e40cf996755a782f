//! A tiny policy, trained and tested as `reproduce` does it.

use warmfront_bench::cell::{Cell, CellResult};
use warmfront_bench::nap::families::FAMILIES;
use warmfront_bench::nap::lab::{INITIAL, NapLab};
use warmfront_bench::nap::methods::METHODS;
use warmfront_bench::profile::{Catalogue, Overrides, Plan, experiment};
use warmfront_bench::runner::Work;

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
