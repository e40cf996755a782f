//! One suggestion from a fitted model: building the acquisition function and maximising it.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use warmfront_acq::{AcquisitionConfig, AcquisitionContext, MaximizeConfig, maximize};
use warmfront_bench::inputs::{DIM, REFERENCE, tradeoff};
use warmfront_core::{Purpose, SearchSpace, Seed};
use warmfront_gp::{Dataset, ExactGpConfig, IndependentGps};
use warmfront_linalg::Mat;

const MONTE_CARLO: AcquisitionConfig = AcquisitionConfig::QLogNehvi { samples: 128 };

fn suggestion(c: &mut Criterion) {
    let mut group = c.benchmark_group("suggestion");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for (name, acquisition, m, n) in [
        ("log_ehvi", AcquisitionConfig::LogEhvi, 2, 50),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 2, 100),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 3, 50),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 3, 100),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 3, 200),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 4, 50),
        ("log_ehvi", AcquisitionConfig::LogEhvi, 4, 200),
        ("qlog_nehvi", MONTE_CARLO, 2, 50),
        ("qlog_nehvi", MONTE_CARLO, 2, 100),
        ("qlog_nehvi", MONTE_CARLO, 2, 200),
        ("qlog_nehvi", MONTE_CARLO, 3, 50),
        ("qlog_nehvi", MONTE_CARLO, 3, 100),
        ("qlog_nehvi", MONTE_CARLO, 3, 200),
        ("qlog_nehvi", MONTE_CARLO, 4, 50),
    ] {
        let data = tradeoff(m, n);
        let (x, y) = (data.x.to_mat(), data.y.to_mat());
        let dataset = Dataset::new(x.clone(), y.clone()).expect("generated finite");
        let mut rng = Seed(0).stream(Purpose::Tell, 0);
        let model = IndependentGps::fit(&dataset, &ExactGpConfig::default(), &[], &mut rng)
            .expect("the data is benign");
        let reference = vec![REFERENCE; m];
        let pending = Mat::zeros(0, DIM);
        let context = AcquisitionContext {
            model: &model,
            observed: x.as_ref(),
            costs: y.as_ref(),
            pending: pending.as_ref(),
            reference: Some(&reference),
        };
        let space = SearchSpace::unit_cube(DIM);
        let config = MaximizeConfig::default();
        group.bench_function(BenchmarkId::new(format!("{name}/m{m}"), n), |b| {
            b.iter(|| {
                let mut rng = Seed(0).stream(Purpose::Ask, 0);
                let function = acquisition
                    .build(context, &mut rng)
                    .expect("the model is usable");
                maximize(&*function, &space, &[], &config, &mut rng)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, suggestion);
criterion_main!(benches);
