//! Closed forms against exact values.

#[path = "support/toy.rs"]
mod toy;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use toy::Fixed;
use warmfront_acq::{
    AcquisitionContext, AcquisitionFunction, ExpectedImprovement, Incumbent,
    LogExpectedHypervolumeImprovement, LogExpectedImprovement,
};
use warmfront_linalg::Mat;
use warmfront_testkit::{Golden, assert_close};

/// Builds costs and model out of a case stated for maximisation, and hands the context to `check`.
fn with_context(
    model: &Fixed,
    costs: &Mat<f64>,
    reference: Option<&[f64]>,
    check: impl FnOnce(AcquisitionContext<'_>),
) {
    let observed = Mat::zeros(costs.nrows(), 1);
    let pending = Mat::<f64>::zeros(0, 1);
    check(AcquisitionContext {
        model,
        observed: observed.as_ref(),
        costs: costs.as_ref(),
        pending: pending.as_ref(),
        reference,
    });
}

#[test]
fn expected_improvement_is_exact_in_both_tails() {
    let x = Mat::<f64>::zeros(1, 1);
    for case in Golden::parse(include_str!("golden/expected_improvement.json")).cases() {
        let model = Fixed {
            mean: vec![-case.f64("mean")],
            sd: vec![case.f64("sd")],
        };
        let costs = Mat::from_fn(1, 1, |_, _| -case.f64("best"));
        with_context(&model, &costs, Some(&[10.0]), |context| {
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let log_ei = LogExpectedImprovement::new(context, Incumbent::Observed, &mut rng)
                .expect("finite")
                .utility(x.as_ref());
            assert_close(log_ei, case.f64("log_ei"), 1e-8, 0.0, "ln EI");
            let ei = ExpectedImprovement::new(context, Incumbent::Observed, &mut rng)
                .expect("finite")
                .utility(x.as_ref());
            assert_close(ei, case.f64("ei"), 1e-8, 1e-300, "EI");
        });
    }
}

#[test]
fn expected_hypervolume_improvement_is_exact() {
    let x = Mat::<f64>::zeros(1, 1);
    for case in Golden::parse(include_str!("golden/ehvi.json")).cases() {
        let negated = |key: &str| -> Vec<f64> { case.vec(key).iter().map(|v| -v).collect() };
        let model = Fixed {
            mean: negated("mean"),
            sd: case.vec("sd"),
        };
        let front = case.rows("front");
        let costs = Mat::from_fn(front.len(), model.mean.len(), |i, o| -front[i][o]);
        let reference = negated("reference");
        with_context(&model, &costs, Some(&reference), |context| {
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let value = LogExpectedHypervolumeImprovement::new(context, &mut rng)
                .expect("finite")
                .utility(x.as_ref());
            assert_close(value, case.f64("log_ehvi"), 1e-8, 1e-8, "ln EHVI");
            assert_close(value.exp(), case.f64("ehvi"), 1e-8, 0.0, "EHVI");
        });
    }
}
