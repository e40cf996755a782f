//! The whole stack on small problems: it optimises, and the number of threads does not matter.

use std::num::NonZeroUsize;

use warmfront::core::{Observation, Purpose, Seed, Strategy, TrialId};
use warmfront::meta::baseline::{IndependentGpModel, RandomSearch};
use warmfront::meta::smog::SmogConfig;
use warmfront::meta::{ModelBased, ModelBasedConfig, TargetModel};
use warmfront::pareto::{Points, hypervolume};
use warmfront::problems::{HartmannFamily, Problem, Sinusoidal, TaskFamily, problem_by_name};

/// Noise-free hypervolume after `steps` evaluations, and the points evaluated.
fn run(
    mut strategy: impl Strategy,
    problem: &dyn Problem,
    steps: u64,
    seed: Seed,
) -> (f64, Vec<Vec<f64>>) {
    let reference = problem.reference_point().value.to_vec();
    let (mut seen, mut points) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let mut asked = seed.stream(Purpose::Ask, step);
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut asked)
            .unwrap()
            .remove(0);
        let costs = problem.noise_free(&candidate).unwrap();
        seen.extend(costs.costs().and_then(|costs| costs.complete()).unwrap());
        points.push(candidate.point.coords().to_vec());
        let outcome = problem
            .evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, step))
            .unwrap();
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome,
        };
        strategy
            .tell(&[observation], &mut seed.stream(Purpose::Tell, step))
            .unwrap();
    }
    (
        hypervolume(Points::new(&seen, reference.len()).unwrap(), &reference),
        points,
    )
}

fn model_based<M: TargetModel>(model: M, problem: &dyn Problem, seed: Seed) -> ModelBased<M> {
    let config = ModelBasedConfig {
        reference_point: Some(problem.reference_point().value.to_vec()),
        ..ModelBasedConfig::default()
    };
    let mut rng = seed.stream(Purpose::Init, 0);
    ModelBased::new(
        model,
        problem.space(),
        problem.objectives(),
        config,
        &mut rng,
    )
    .unwrap()
}

#[test]
fn a_model_beats_random_search() {
    let problem = problem_by_name("branin_currin", 2, 2).unwrap();
    let mut wins = 0;
    for seed in [Seed(1), Seed(2), Seed(3)] {
        let model = model_based(IndependentGpModel::default(), problem.as_ref(), seed);
        let (guided, _) = run(model, problem.as_ref(), 16, seed);
        let random = RandomSearch::new(problem.space(), problem.objectives());
        let (blind, _) = run(random, problem.as_ref(), 16, seed);
        wins += usize::from(guided > blind);
    }
    assert_eq!(wins, 3);
}

/// SMOG on task 4 of a family, with `per_task` observations of each of tasks 0 to 3.
fn smog(family: &dyn TaskFamily, per_task: usize, seed: Seed) -> impl Strategy {
    let problem = family.task(4);
    let meta = family.metadata(&[0, 1, 2, 3], per_task, &mut seed.stream(Purpose::Init, 7));
    let mut rng = seed.stream(Purpose::Init, 8);
    let (d, m) = (problem.space().dim(), problem.objectives().len());
    let model = SmogConfig::default().build(d, m, &meta, &mut rng).unwrap();
    model_based(model, problem.as_ref(), seed)
}

#[test]
fn meta_data_saves_evaluations() {
    for seed in [Seed(1), Seed(2)] {
        let family = HartmannFamily::new(2, seed);
        let problem = family.task(4);
        let (warm, _) = run(smog(&family, 32, seed), problem.as_ref(), 5, seed);
        let cold = model_based(IndependentGpModel::default(), problem.as_ref(), seed);
        let (cold, _) = run(cold, problem.as_ref(), 5, seed);
        assert!(warm > cold, "seed {seed:?}: {warm} against {cold}");
    }
}

#[test]
fn the_number_of_threads_does_not_change_the_run() {
    let seed = Seed(5);
    let family = Sinusoidal::new(2, seed);
    let problem = family.task(4);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(smog(&family, 8, seed), problem.as_ref(), 4, seed).1)
    };
    assert_eq!(with(1), with(8));
}
