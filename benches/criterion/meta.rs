//! Models of the meta-tasks, what one more observation of the target costs, and a step of a plain loop.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use warmfront_acq::{AcquisitionConfig, AcquisitionContext, MaximizeConfig, maximize};
use warmfront_core::{
    Candidate, Costs, MetaDataset, Observation, Outcome, Purpose, SearchSpace, Seed, Strategy,
    TrialId, UnitPoint,
};
use warmfront_gp::{MultiOutputConfig, MultiOutputData, MultiOutputGp};
use warmfront_linalg::Mat;
use warmfront_meta::baseline::IndependentGpModel;
use warmfront_meta::smog::{Smog, SmogConfig, fit_meta};
use warmfront_meta::{ModelBased, ModelBasedConfig};
use warmfront_problems::{
    Design, HartmannFamily, Problem, Synthetic, TaskFamily, design_points, dtlz2, hartmann6,
};

/// Objectives of the target in [`target_step`].
const OBJECTIVES: usize = 2;
/// Observations of each meta-task there.
const PER_TASK: usize = 64;
/// Observations of the target there.
const TARGET: usize = 20;

fn metadata(family: &HartmannFamily, tasks: usize, per_task: usize) -> MetaDataset {
    let tasks: Vec<usize> = (1..=tasks).collect();
    family.metadata(&tasks, per_task, &mut Seed(1).stream(Purpose::Evaluate, 0))
}

/// Inputs and costs of one task.
fn matrices(meta: &MetaDataset, task: usize) -> (Mat<f64>, Mat<f64>) {
    let rows: Vec<_> = meta.tasks[task].complete().collect();
    let (d, m) = (rows[0].0.coords().len(), rows[0].1.len());
    (
        Mat::from_fn(rows.len(), d, |i, j| rows[i].0.coords()[j]),
        Mat::from_fn(rows.len(), m, |i, o| rows[i].1[o]),
    )
}

fn meta_task(c: &mut Criterion) {
    let mut group = c.benchmark_group("meta_task_fit");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    for m in [2, 4] {
        for n in [64, 128] {
            let (x, y) = matrices(&metadata(&HartmannFamily::new(m, Seed(0)), 1, n), 0);
            let data = MultiOutputData::new(x.as_ref(), y.as_ref()).expect("generated finite");
            let config = MultiOutputConfig::default();
            group.bench_function(BenchmarkId::new(format!("o{m}"), n), |b| {
                b.iter(|| {
                    let mut rng = Seed(0).stream(Purpose::Tell, 0);
                    MultiOutputGp::fit(&data, &config, &mut rng)
                });
            });
        }
    }
    group.finish();
}

fn target_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("smog");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let family = HartmannFamily::new(OBJECTIVES, Seed(0));
    // The models of the meta-tasks are only the setting here: one search for each is enough.
    let mut quick = SmogConfig::default();
    quick.meta_fit.restarts = 0;
    let (x, y) = matrices(&metadata(&family, 1, TARGET), 0);
    let before = TARGET - 1;
    for tasks in [2, 4, 8, 16, 32] {
        let meta = metadata(&family, tasks, PER_TASK);
        let mut rng = Seed(0).stream(Purpose::Tell, 1);
        let meta =
            fit_meta(&meta, x.ncols(), OBJECTIVES, &quick, &mut rng).expect("the data is benign");
        let mut smog = Smog::new(Arc::new(meta), SmogConfig::default());
        smog.fit_target(x.subrows(0, before), y.subrows(0, before), &mut rng)
            .expect("the data is benign");
        group.bench_function(BenchmarkId::new("fit", tasks), |b| {
            b.iter_batched(
                || smog.clone(),
                |mut smog| {
                    let mut rng = Seed(0).stream(Purpose::Tell, 2);
                    smog.fit_target(x.as_ref(), y.as_ref(), &mut rng)
                },
                BatchSize::LargeInput,
            );
        });
        let model = smog
            .fit_target(x.as_ref(), y.as_ref(), &mut rng)
            .expect("the data is benign");
        let space = SearchSpace::unit_cube(x.ncols());
        let pending = Mat::zeros(0, x.ncols());
        let context = AcquisitionContext {
            model: &model,
            observed: x.as_ref(),
            costs: y.as_ref(),
            pending: pending.as_ref(),
            reference: None,
        };
        let acquisition = AcquisitionConfig::default_for(OBJECTIVES);
        group.bench_function(BenchmarkId::new("suggestion", tasks), |b| {
            b.iter(|| {
                let mut rng = Seed(0).stream(Purpose::Ask, 0);
                let function = acquisition
                    .build(context, &mut rng)
                    .expect("the model is usable");
                maximize(
                    &*function,
                    &space,
                    &[],
                    &MaximizeConfig::default(),
                    &mut rng,
                )
            });
        });
    }
    group.finish();
}

/// Evaluations before the step of [`loop_step`].
const EVALUATIONS: usize = 44;

/// Spread points with their costs.
fn observations(problem: &Synthetic) -> Vec<Observation> {
    let mut rng = Seed(0).stream(Purpose::Init, 1);
    let points = design_points(problem.space(), EVALUATIONS + 1, Design::Sobol, &mut rng);
    let observe = |(trial, point): (u64, UnitPoint)| {
        let costs: Vec<f64> = problem.value(point.coords());
        Observation {
            trial: TrialId(trial),
            candidate: Candidate::at(point),
            outcome: Outcome::Complete(Costs::from_values(costs).expect("finite")),
        }
    };
    (0..).zip(points).map(observe).collect()
}

/// One more observation, and the next proposal.
fn loop_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("loop_step");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for (name, problem) in [("hartmann6", hartmann6()), ("dtlz2", dtlz2(6, 2))] {
        let observed = observations(&problem);
        let several = problem.objectives().len() > 1;
        let strategy = || {
            let config = ModelBasedConfig {
                acquisition: several.then_some(AcquisitionConfig::LogEhvi),
                initial_trials: Some(EVALUATIONS),
                ..ModelBasedConfig::default()
            };
            let mut rng = Seed(0).stream(Purpose::Tell, 0);
            let mut strategy = ModelBased::new(
                IndependentGpModel::low_noise(),
                problem.space(),
                problem.objectives(),
                config,
                &mut rng,
            )
            .expect("no reference point is given");
            strategy
                .tell(&observed[..EVALUATIONS], &mut rng)
                .expect("of the problem");
            strategy
        };
        group.bench_function(BenchmarkId::new(name, EVALUATIONS + 1), |b| {
            b.iter_batched(
                strategy,
                |mut strategy| {
                    let mut rng = Seed(0).stream(Purpose::Ask, 0);
                    strategy
                        .tell(&observed[EVALUATIONS..], &mut rng)
                        .expect("of the problem");
                    strategy.ask(NonZeroUsize::MIN, &[], &mut rng)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, meta_task, target_step, loop_step);
criterion_main!(benches);
