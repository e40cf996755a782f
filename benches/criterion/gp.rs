//! Gaussian-process regression: likelihood, whole fit, prediction.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use warmfront_bench::inputs::{DIM, Data, regression, test_points};
use warmfront_core::{Purpose, Seed};
use warmfront_gp::{
    Dataset, ExactGp, ExactGpConfig, ExactLikelihood, Hyperparameters, KernelKind, MapObjective,
    Standardization, Surrogate,
};

const KERNELS: [(&str, KernelKind); 2] =
    [("rbf", KernelKind::Rbf), ("matern52", KernelKind::Matern52)];

fn config(kernel: KernelKind) -> ExactGpConfig {
    ExactGpConfig {
        kernel,
        ..ExactGpConfig::default()
    }
}

fn dataset(n: usize) -> Dataset {
    let Data { x, y } = regression(n);
    Dataset::new(x.to_mat(), y.to_mat()).expect("generated finite")
}

fn fitted(data: &Dataset, config: &ExactGpConfig) -> ExactGp {
    let mut rng = Seed(0).stream(Purpose::Tell, 0);
    ExactGp::fit(data, config, &mut rng).expect("the data is benign")
}

fn likelihood(c: &mut Criterion) {
    let mut group = c.benchmark_group("likelihood_gradient");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700));
    for (name, kernel) in KERNELS {
        for n in [50, 100, 200, 500, 1000, 2000] {
            let data = dataset(n);
            let standardization = Standardization::of(data.output(0));
            let y: Vec<f64> = data
                .output(0)
                .iter()
                .map(|&v| standardization.apply(v))
                .collect();
            let config = config(kernel);
            let likelihood = ExactLikelihood::new(data.x(), &y, &config);
            let mut workspace = likelihood.workspace();
            let mut values = [1.0; DIM + 1];
            values[DIM] = 0.01;
            let mut gradient = [0.0; DIM + 1];
            group.bench_function(BenchmarkId::new(name, n), |b| {
                b.iter(|| {
                    gradient.fill(0.0);
                    likelihood.evaluate(&values, &mut gradient, &mut workspace)
                });
            });
        }
    }
    group.finish();
}

fn fit(c: &mut Criterion) {
    let mut group = c.benchmark_group("gp_fit");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for (name, kernel) in KERNELS {
        for n in [50, 100, 200, 500, 1000] {
            let data = dataset(n);
            let config = config(kernel);
            group.bench_function(BenchmarkId::new(name, n), |b| {
                b.iter(|| fitted(&data, &config));
            });
        }
    }
    group.finish();
}

fn predict(c: &mut Criterion) {
    let mut group = c.benchmark_group("gp_predict_10000");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let x = test_points().to_mat();
    for (name, kernel) in KERNELS {
        for n in [50, 100, 200, 500, 1000, 2000] {
            let data = dataset(n);
            // Fitting so many takes longer than predicting, and changes nothing about it.
            let gp = if n <= 500 {
                fitted(&data, &config(kernel))
            } else {
                let at = Hyperparameters {
                    lengthscales: vec![1.0; DIM],
                    outputscale: 1.0,
                    noise: 0.01,
                    mean: 0.0,
                };
                let standardization = Standardization::of(data.output(0));
                ExactGp::with_hyperparameters(&data, kernel, &at, standardization)
                    .expect("the data is benign")
            };
            group.bench_function(BenchmarkId::new(name, n), |b| {
                b.iter(|| gp.predict(x.as_ref()));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, likelihood, fit, predict);
criterion_main!(benches);
