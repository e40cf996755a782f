//! SMOG against a model without meta-data on one task, with the meta-models saved and read back.
//!
//! Prints the hypervolume of both after each evaluation.

use std::num::NonZeroUsize;
use std::sync::Arc;

use warmfront::core::{Observation, Outcome, Purpose, Seed, Strategy, TrialId};
use warmfront::meta::baseline::IndependentGpModel;
use warmfront::meta::smog::{MetaModels, Smog, SmogConfig, fit_meta};
use warmfront::meta::{ModelBased, ModelBasedConfig, TargetModel};
use warmfront::pareto::{Points, hypervolume};
use warmfront::problems::{HardHartmann, Problem, TaskFamily};

type Error = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Error> {
    let seed = Seed(3);
    let family = HardHartmann::new(2, seed);
    let past: Vec<usize> = (0..8).collect();
    let meta = family.metadata(&past, 64, &mut seed.stream(Purpose::Init, 0));
    let problem = family.task(8);
    let (d, m) = (problem.space().dim(), problem.objectives().len());

    // Fitted once, then kept: the next target task only reads the bytes.
    let config = SmogConfig::default();
    let models = fit_meta(&meta, d, m, &config, &mut seed.stream(Purpose::Init, 1))?;
    let mut bytes = Vec::new();
    models.save(&mut bytes)?;
    println!(
        "meta-models of {} tasks take {} bytes",
        meta.len(),
        bytes.len()
    );
    let models = MetaModels::load(bytes.as_slice(), &meta, d, m, &config)?;

    let warm = run(Smog::new(Arc::new(models), config), problem.as_ref(), seed)?;
    let cold = run(IndependentGpModel::default(), problem.as_ref(), seed)?;
    println!("evaluations      SMOG   without meta-data");
    for (i, (warm, cold)) in warm.iter().zip(&cold).enumerate() {
        println!("{:>11} {warm:>9.4} {cold:>19.4}", i + 1);
    }
    Ok(())
}

/// Hypervolume of the noise-free outcomes after each of twenty evaluations.
fn run<M: TargetModel>(model: M, problem: &dyn Problem, seed: Seed) -> Result<Vec<f64>, Error> {
    let reference = problem.reference_point().value.to_vec();
    let config = ModelBasedConfig {
        reference_point: Some(reference.clone()),
        ..ModelBasedConfig::default()
    };
    let mut rng = seed.stream(Purpose::Init, 2);
    let mut strategy = ModelBased::new(
        model,
        problem.space(),
        problem.objectives(),
        config,
        &mut rng,
    )?;
    let (mut seen, mut volumes) = (Vec::new(), Vec::new());
    for step in 0..20 {
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?
            .remove(0);
        if let Some(Outcome::Complete(costs)) = problem.noise_free(&candidate) {
            seen.extend(costs.complete().unwrap_or_default());
        }
        volumes.push(hypervolume(
            Points::new(&seen, reference.len())?,
            &reference,
        ));
        let outcome = problem.evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, step))?;
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome,
        };
        strategy.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
    }
    Ok(volumes)
}
