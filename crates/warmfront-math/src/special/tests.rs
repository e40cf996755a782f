use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../tests/golden/special.json");

/// Compares with the table: |ours − exact| ≤ relative·|exact| + absolute.
fn check(name: &str, function: fn(f64) -> f64, relative: f64, absolute: f64) {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = golden["tables"][name].as_array().unwrap();
    assert!(rows.len() > 5, "table {name} is missing");
    let (mut worst, mut at) = (0.0, f64::NAN);
    for row in rows {
        let (x, exact) = (row[0].as_f64().unwrap(), row[1].as_f64().unwrap());
        let value = function(x);
        assert!(!value.is_nan(), "{name}({x}) is NaN instead of {exact}");
        let error = (value - exact).abs() / (relative * exact.abs() + absolute);
        if error > worst {
            (worst, at) = (error, x);
        }
    }
    assert!(
        worst <= 1.0,
        "{name}: error {worst} times the tolerance {relative} at {at}"
    );
}

#[test]
fn error_functions_match_sixty_digits() {
    check("erf", erf, 5e-16, 0.0);
    check("erfc", erfc, 5e-16, 0.0);
    check("erfcx", erfcx, 2e-15, 0.0);
}

#[test]
fn normal_functions_match_sixty_digits() {
    check("ndtr", ndtr, 2e-15, 0.0);
    check("log_ndtr", log_ndtr, 2e-15, 0.0);
    check("d_log_ndtr", d_log_ndtr, 2e-15, 0.0);
    check("norm_pdf", norm_pdf, 1e-15, 0.0);
    check("ndtri", ndtri, 3e-15, 0.0);
    check("ndtri_exp", ndtri_exp, 5e-15, 0.0);
}

#[test]
fn log_expected_improvement_matches_sixty_digits() {
    check("log_ei_helper", log_ei_helper, 4e-15, 1e-15);
    check("d_log_ei_helper", d_log_ei_helper, 3e-14, 0.0);
}

#[test]
fn expected_improvement_and_its_slope_agree_with_logarithm_and_distribution() {
    for i in -370..=400 {
        let z = f64::from(i) / 10.0;
        let (h, slope) = ei_helper_with_derivative(z);
        let gap = (h.ln() - log_ei_helper(z)).abs();
        assert!(gap < 1e-15 * (10.0 + z * z), "{z}: {h}");
        assert!((slope / ndtr(z) - 1.0).abs() < 1e-13, "{z}: {slope}");
    }
    let far = [f64::NEG_INFINITY, -1e200, f64::INFINITY].map(ei_helper_with_derivative);
    assert!(far[..2].iter().all(|v| v.0 <= 0.0 && v.1 <= 0.0));
    assert!(far[2].0.is_infinite() && (far[2].1 - 1.0).abs() <= 0.0);
}

#[test]
fn logarithms_and_gammas_match_sixty_digits() {
    check("log1mexp", log1mexp, 5e-16, 0.0);
    check("log1pexp", log1pexp, 5e-16, 0.0);
    check("inverse_softplus", inverse_softplus, 1e-15, 1e-15);
    check("sigmoid", sigmoid, 5e-16, 0.0);
    check("lgamma", lgamma, 2e-15, 1e-16);
    check("digamma", digamma, 2e-15, 1e-15);
}

#[test]
fn limits_are_exact() {
    let near = |value: f64, expected: f64| {
        assert!(
            value.total_cmp(&expected).is_eq() || (value - expected).abs() <= 0.0,
            "{value} instead of {expected}"
        );
    };
    let infinity = f64::INFINITY;
    near(ndtr(-infinity), 0.0);
    near(ndtr(infinity), 1.0);
    near(log_ndtr(-infinity), -infinity);
    near(log_ndtr(infinity), 0.0);
    near(d_log_ndtr(infinity), 0.0);
    near(ndtri(0.0), -infinity);
    near(ndtri(1.0), infinity);
    near(ndtri(0.5), 0.0);
    near(ndtri_exp(-infinity), -infinity);
    near(ndtri_exp(0.0), infinity);
    near(erfcx(infinity), 0.0);
    near(erfcx(-infinity), infinity);
    near(log_ei_helper(-infinity), -infinity);
    near(log_ei_helper(infinity), infinity);
    near(d_log_ei_helper(infinity), 0.0);
    near(d_log_ei_helper(-infinity), infinity);
    near(log1mexp(0.0), -infinity);
    near(log1mexp(-infinity), 0.0);
    near(softplus(infinity), infinity);
    near(softplus(-infinity), 0.0);
    near(logsumexp(&[]), -infinity);
    near(logsumexp(&[infinity, 1.0]), infinity);
    near(log_add_exp(-infinity, -infinity), -infinity);
    near(log_add_exp(infinity, infinity), infinity);
    near(log_sub_exp(-infinity, -infinity), -infinity);
    near(log_sub_exp(2.0, 2.0), -infinity);
}

#[test]
fn nan_goes_in_and_out() {
    let functions = [
        erfcx,
        ndtr,
        log_ndtr,
        d_log_ndtr,
        norm_pdf,
        ndtri,
        ndtri_exp,
        log_ei_helper,
        d_log_ei_helper,
        ei_helper,
        log1mexp,
        log1pexp,
        inverse_softplus,
        sigmoid,
        digamma,
    ];
    for (i, function) in functions.iter().enumerate() {
        assert!(function(f64::NAN).is_nan(), "function {i}");
    }
    assert!(ndtri(-0.1).is_nan() && ndtri(1.1).is_nan() && ndtri_exp(0.1).is_nan());
    assert!(digamma(0.0).is_nan() && digamma(-3.0).is_nan());
    assert!(logsumexp(&[1.0, f64::NAN]).is_nan());
}

#[test]
fn the_far_left_tail_stays_finite() {
    for z in [-1e10, -1e50, -1e150] {
        assert!(log_ndtr(z).is_finite() && log_ei_helper(z).is_finite());
        assert!((d_log_ndtr(z) / -z - 1.0).abs() < 1e-15);
        assert!((d_log_ei_helper(z) / -z - 1.0).abs() < 1e-15);
    }
}

#[test]
fn expected_improvement_and_its_logarithm_agree() {
    for i in -300..100 {
        let z = f64::from(i) * 0.1;
        let direct = ei_helper(z);
        assert!(
            (libm::log(direct) - log_ei_helper(z)).abs() < 1e-12 * (1.0 + z * z),
            "{z}"
        );
    }
}

#[test]
fn sums_of_exponentials_shift() {
    let x = [1000.0, 1001.0, 999.0];
    let shifted = logsumexp(&[0.0, 1.0, -1.0]) + 1000.0;
    assert!((logsumexp(&x) - shifted).abs() < 1e-12);
    assert!((log_add_exp(-1000.0, -1001.0) - logsumexp(&[-1000.0, -1001.0])).abs() < 1e-12);
    let difference = log_sub_exp(-1000.0, -1001.0);
    assert!((log_add_exp(difference, -1001.0) + 1000.0).abs() < 1e-12);
}
