//! Cholesky factorisation and what follows it, on kernel matrices.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use warmfront_bench::inputs::regression;
use warmfront_linalg::{
    JitterPolicy, JitteredCholesky, Mat, exp_in_place, rbf_in_place, symmetric_squared_distances,
};

fn covariance(n: usize) -> Mat<f64> {
    let data = regression(n);
    let mut k = symmetric_squared_distances(data.x.to_mat().as_ref(), &[2.0; 6]);
    for j in 0..n {
        rbf_in_place(k.col_as_slice_mut(j), 1.0);
        k[(j, j)] += 1e-3;
    }
    k
}

fn cholesky(c: &mut Criterion) {
    let mut group = c.benchmark_group("cholesky");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for n in [50, 100, 200, 500, 1000] {
        let k = covariance(n);
        let policy = JitterPolicy::default();
        group.bench_function(BenchmarkId::new("factorize", n), |b| {
            b.iter(|| JitteredCholesky::factorize(k.as_ref(), policy));
        });
        let Ok(factor) = JitteredCholesky::factorize(k.as_ref(), policy) else {
            continue;
        };
        group.bench_function(BenchmarkId::new("inverse", n), |b| {
            b.iter(|| factor.inverse());
        });
        group.bench_function(BenchmarkId::new("solve", n), |b| {
            let y = vec![1.0; n];
            b.iter(|| {
                let mut x = y.clone();
                factor.solve_slice_in_place(&mut x);
                x
            });
        });
    }
    group.finish();
}

fn elementwise(c: &mut Criterion) {
    let mut group = c.benchmark_group("elementwise");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let exponents: Vec<f64> = (0..10_000).map(|i| -0.003 * f64::from(i)).collect();
    group.bench_function("exp/10000", |b| {
        b.iter(|| {
            let mut values = exponents.clone();
            exp_in_place(&mut values);
            values
        });
    });
    group.finish();
}

criterion_group!(benches, cholesky, elementwise);
criterion_main!(benches);
