//! The standard problems against BoTorch's values.

use serde_json::Value;
use warmfront_core::{Candidate, UnitPoint};
use warmfront_problems::{Problem, problem_by_name};

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| {
        let numbers = row.as_array().expect("rows are arrays").iter();
        numbers
            .map(|number| number.as_f64().expect("cells are numbers"))
            .collect()
    };
    value
        .as_array()
        .expect("a matrix")
        .iter()
        .map(row)
        .collect()
}

/// `dtlz2_d6_m3` is `dtlz2`, the others carry no objectives in their name.
fn problem(case: &str, d: usize, m: usize) -> Box<dyn Problem> {
    let name = case
        .split("_d")
        .next()
        .expect("split yields at least one part");
    problem_by_name(name, d, m).expect("every case is a standard problem")
}

#[test]
fn standard_problems_match_botorch() {
    let golden: Value =
        serde_json::from_str(include_str!("golden/problems.json")).expect("valid JSON");
    let cases = golden["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 15);
    for case in cases {
        let name = case["problem"].as_str().expect("cases are named");
        let (bounds, x, y) = (rows(&case["bounds"]), rows(&case["X"]), rows(&case["Y"]));
        let problem = problem(name, bounds[0].len(), y[0].len());
        for (x, y) in x.iter().zip(&y) {
            let unit: Vec<f64> = (0..x.len())
                .map(|j| (x[j] - bounds[0][j]) / (bounds[1][j] - bounds[0][j]))
                .collect();
            let candidate = Candidate::at(UnitPoint::new(unit).expect("inside the bounds"));
            let outcome = problem
                .noise_free(&candidate)
                .expect("formulas know all values");
            let costs = outcome
                .costs()
                .and_then(|costs| costs.complete())
                .expect("finite");
            let mut costs = costs;
            if name.starts_with("zdt3") {
                // BoTorch 0.18 leaves out the factor g that the paper's definition has.
                costs[1] /= 1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() - 1) as f64;
            }
            for (o, (ours, theirs)) in costs.iter().zip(y).enumerate() {
                let error = (ours - theirs).abs() / theirs.abs().max(1.0);
                assert!(
                    error <= 1e-10,
                    "{name}, objective {o}: {ours} against {theirs}"
                );
            }
        }
    }
}
