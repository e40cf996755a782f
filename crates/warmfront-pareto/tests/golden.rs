//! Values computed by moocore, see the provenance in the fixture.

use serde_json::Value;
use warmfront_pareto::{
    BoxDecomposition, Duplicates, HypervolumeWorkspace, Points, non_dominated_mask,
};

struct Case {
    points: Vec<f64>,
    reference: Vec<f64>,
    hypervolume: f64,
    non_dominated: Vec<bool>,
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn cases() -> Vec<Case> {
    let fixture: Value =
        serde_json::from_str(include_str!("golden/hypervolume.json")).expect("valid JSON");
    let cases = fixture["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 100);
    cases
        .iter()
        .map(|case| Case {
            points: case["points"]
                .as_array()
                .expect("a list")
                .iter()
                .flat_map(numbers)
                .collect(),
            reference: numbers(&case["reference"]),
            hypervolume: case["hypervolume"].as_f64().expect("a number"),
            non_dominated: case["nondominated"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|v| v.as_bool().expect("a truth value"))
                .collect(),
        })
        .collect()
}

fn assert_close(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs();
    assert!(
        error < 1e-12,
        "{what}: {found} instead of {expected}, relative error {error:e}"
    );
}

#[test]
fn hypervolume_agrees_with_moocore() {
    let mut workspace = HypervolumeWorkspace::new();
    for (i, case) in cases().iter().enumerate() {
        let m = case.reference.len();
        let points = Points::new(&case.points, m).expect("no NaN");
        let found = workspace.hypervolume(points, &case.reference);
        assert_close(
            found,
            case.hypervolume,
            &format!("case {i}, m = {m}, n = {}", points.len()),
        );
    }
}

#[test]
fn boxes_hold_the_hypervolume() {
    for (i, case) in cases().iter().enumerate() {
        let m = case.reference.len();
        let points = Points::new(&case.points, m).expect("no NaN");
        // Beyond, the number of boxes explodes.
        if m > 5 || points.len() > 40 && m > 4 {
            continue;
        }
        let sorted =
            BoxDecomposition::from_points(points, &case.reference).expect("finite reference");
        assert_close(
            sorted.hypervolume(),
            case.hypervolume,
            &format!("case {i} at once"),
        );
        let mut one_by_one = BoxDecomposition::new(&case.reference).expect("finite reference");
        for point in points.rows() {
            one_by_one.insert(point);
        }
        assert_close(
            one_by_one.hypervolume(),
            case.hypervolume,
            &format!("case {i} one by one"),
        );
    }
}

#[test]
fn non_dominated_points_agree_with_moocore() {
    for (i, case) in cases().iter().enumerate() {
        let points = Points::new(&case.points, case.reference.len()).expect("no NaN");
        let mask = non_dominated_mask(points, Duplicates::KeepFirst);
        assert_eq!(mask, case.non_dominated, "case {i}");
    }
}
