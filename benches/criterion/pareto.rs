//! Hypervolume, contributions, box decomposition and sorting of fronts.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use warmfront_bench::inputs::{FrontShape, REFERENCE, cloud, front};
use warmfront_pareto::{
    BoxDecomposition, HypervolumeWorkspace, contributions, non_dominated, non_dominated_sort,
};

fn quick<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    group
}

fn hypervolume(c: &mut Criterion) {
    let mut group = quick(c, "hypervolume");
    for (m, sizes) in [
        (2, &[10, 100, 1000][..]),
        (3, &[10, 100, 1000]),
        (4, &[10, 100, 1000]),
        (5, &[10, 100, 500]),
        (6, &[10, 100, 500]),
        (7, &[10, 100, 300]),
        (8, &[10, 50, 100, 200]),
    ] {
        for &n in sizes {
            let table = front(FrontShape::Concave, m, n);
            let reference = vec![REFERENCE; m];
            let mut workspace = HypervolumeWorkspace::new();
            group.bench_function(BenchmarkId::new(format!("m{m}"), n), |b| {
                b.iter(|| workspace.hypervolume(table.points(), &reference));
            });
        }
    }
    group.finish();
}

fn alone(c: &mut Criterion) {
    let mut group = quick(c, "contributions");
    for (m, sizes) in [
        (2, &[100, 1000][..]),
        (3, &[100, 1000]),
        (4, &[50, 100, 200, 500]),
        (5, &[50, 100, 200, 500]),
    ] {
        for &n in sizes {
            let table = front(FrontShape::Concave, m, n);
            let reference = vec![REFERENCE; m];
            group.bench_function(BenchmarkId::new(format!("m{m}"), n), |b| {
                b.iter(|| contributions(table.points(), &reference));
            });
        }
    }
    group.finish();
}

fn decomposition(c: &mut Criterion) {
    let mut group = quick(c, "box_decomposition");
    for (m, sizes) in [
        (2, &[10, 50, 100][..]),
        (3, &[10, 50, 100]),
        (4, &[10, 50, 100]),
        (5, &[10, 50]),
    ] {
        for &n in sizes {
            let table = front(FrontShape::Concave, m, n);
            let reference = vec![REFERENCE; m];
            group.bench_function(BenchmarkId::new(format!("m{m}"), n), |b| {
                b.iter(|| BoxDecomposition::from_points(table.points(), &reference));
            });
        }
    }
    group.finish();
}

fn sorting(c: &mut Criterion) {
    for name in ["non_dominated", "non_dominated_sort"] {
        let mut group = quick(c, name);
        for m in [2, 3, 4, 6] {
            for n in [100, 1000, 10_000] {
                let table = cloud(m, n);
                group.bench_function(BenchmarkId::new(format!("m{m}"), n), |b| {
                    if name == "non_dominated" {
                        b.iter(|| non_dominated(table.points()));
                    } else {
                        b.iter(|| non_dominated_sort(table.points()));
                    }
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, hypervolume, alone, decomposition, sorting);
criterion_main!(benches);
