//! A training step and a proposal of the neural acquisition process, on one thread.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use warmfront_bench::inputs::regression;
use warmfront_bench::peer::torch::{Steps, Workload};
use warmfront_np::{Heads, HistoryAttention, Network, NetworkConfig, Utility};

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("np");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(5));
    let Ok(mut steps) = Steps::new(&Workload::default(), 1) else {
        return;
    };
    group.bench_function("step", |b| b.iter(|| steps.step()));
    group.finish();
}

/// One core: the same number of threads as a proposal may take.
fn propose(c: &mut Criterion) {
    let mut group = c.benchmark_group("np");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut config = NetworkConfig::compact(6);
    let points = |n: usize| -> Vec<f32> {
        let x = regression(n).x.to_mat();
        (0..n)
            .flat_map(|i| (0..6).map(move |j| (i, j)))
            .map(|at| x[at] as f32)
            .collect()
    };
    let (x, candidates) = (points(100), points(1000));
    let y: Vec<f32> = (0..100).map(|i| (i as f32 * 0.37).sin()).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let (Ok(network), Ok(pool)) = (Network::new(config.clone(), &mut rng), pool) else {
        return;
    };
    group.bench_function("propose_100_1000", |b| {
        b.iter(|| {
            pool.install(|| {
                let history = network.encode(&x, &y);
                network.score(&history, &candidates, 1.0, 0.5, Heads::ACQUISITION)
            })
        });
    });
    let history = network.encode(&x, &y);
    group.bench_function("gradients_100_16", |b| {
        b.iter(|| {
            network.score_gradients(&history, &candidates[..96], 1.0, 0.5, Utility::Acquisition)
        });
    });
    config.attention = HistoryAttention::Causal;
    let Ok(network) = Network::new(config, &mut rng) else {
        return;
    };
    let history = network.encode(&x, &y);
    group.bench_function("append_100", |b| {
        b.iter(|| {
            let mut history = history.clone();
            network.append(&mut history, &x[..6], 0.5);
            history
        });
    });
    group.finish();
}

criterion_group!(benches, step, propose);
criterion_main!(benches);
