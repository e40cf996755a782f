//! SMOG on data as users bring it.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use warmfront_core::{
    Candidate, Costs, MetaDataset, Observation, Outcome, TaskRecord, TrialId, UnitPoint,
};
use warmfront_gp::{DifferentiableSurrogate, Surrogate};
use warmfront_linalg::{Mat, MatRef};
use warmfront_meta::smog::{SmogConfig, WeightSign};
use warmfront_testkit::{ugly_matrix, unit_points};

const META: usize = 6;
const TARGET: usize = 4;

fn record(x: &[f64], y: &[f64], missing: usize) -> TaskRecord {
    let observations = (0..META)
        .map(|i| {
            let cost = |o: usize| ((2 * i + o) % 7 != missing).then_some(y[2 * i + o]);
            Observation {
                trial: TrialId(i as u64),
                candidate: Candidate::at(UnitPoint::new(&x[2 * i..2 * i + 2]).expect("inside")),
                outcome: Outcome::Complete(Costs::new([cost(0), cost(1)]).expect("finite")),
            }
        })
        .collect();
    TaskRecord::new(observations)
}

fn all_finite(a: MatRef<'_, f64>) -> bool {
    (0..a.ncols()).all(|j| (0..a.nrows()).all(|i| a[(i, j)].is_finite()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Any finite data give finite answers with variances that are not negative.
    #[test]
    fn ugly_data_gives_finite_answers(
        points in unit_points(2 * META + TARGET, 2),
        first in ugly_matrix(META, 2),
        second in ugly_matrix(META, 2),
        target in ugly_matrix(TARGET, 2),
        missing in 0_usize..9,
        n in 0..=TARGET,
        signed: bool,
    ) {
        let (x1, rest) = points.split_at(2 * META);
        let (x2, xt) = rest.split_at(2 * META);
        let meta = MetaDataset::new(vec![record(x1, &first, missing), record(x2, &second, 9)]);
        let mut config = SmogConfig::default();
        config.meta_fit.restarts = 0;
        config.target_fit.restarts = 1;
        if signed {
            config.sign = WeightSign::Signed;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut smog = config.build(2, 2, &meta, &mut rng).expect("shapes are right");
        let x = Mat::from_fn(n, 2, |i, k| xt[2 * i + k]);
        let y = Mat::from_fn(n, 2, |i, o| target[2 * i + o]);
        let model = smog.fit_target(x.as_ref(), y.as_ref(), &mut rng).expect("usable posterior");
        let z = Mat::from_fn(TARGET, 2, |i, k| xt[2 * i + k]);
        let marginals = model.predict(z.as_ref());
        prop_assert!(all_finite(marginals.mean.as_ref()));
        prop_assert!(all_finite(marginals.variance.as_ref()));
        for i in 0..TARGET {
            prop_assert!(marginals.variance[(i, 0)] >= 0.0 && marginals.variance[(i, 1)] >= 0.0);
        }
        let anchored = model.anchor(x.as_ref());
        let answer = anchored.query(z.as_ref());
        prop_assert!(all_finite(answer.covariance.as_ref()) && all_finite(answer.cross.as_ref()));
        prop_assert!(all_finite(anchored.anchors().covariance.as_ref()));
    }
}
