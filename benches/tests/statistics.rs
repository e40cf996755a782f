//! The rank tests against SciPy.

use serde_json::Value;
use warmfront_bench::stats::{rank_sum, signed_rank};

#[test]
fn signed_rank_equals_scipy() {
    let fixture: Value =
        serde_json::from_str(include_str!("golden/wilcoxon.json")).expect("the fixture is JSON");
    let cases = fixture["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 9);
    for case in cases {
        let differences: Vec<f64> = case["differences"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|v| v.as_f64().expect("a number"))
            .collect();
        let expected = case["p"].as_f64().expect("a number");
        let got = signed_rank(&differences);
        let kind = &case["kind"];
        assert!(
            (got - expected).abs() <= 1e-10 * expected,
            "{kind}: {got} is not {expected}"
        );
    }
}

#[test]
fn rank_sum_equals_scipy() {
    let fixture: Value =
        serde_json::from_str(include_str!("golden/rank_sum.json")).expect("the fixture is JSON");
    let cases = fixture["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let sample = |name: &str| -> Vec<f64> {
            let values = case[name].as_array().expect("a list").iter();
            values.map(|v| v.as_f64().expect("a number")).collect()
        };
        let expected = case["p"].as_f64().expect("a number");
        let got = rank_sum(&sample("first"), &sample("second")).p;
        let kind = &case["kind"];
        assert!(
            (got - expected).abs() <= 1e-10 * expected,
            "{kind}: {got} is not {expected}"
        );
    }
}
