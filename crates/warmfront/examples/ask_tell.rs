//! The plain loop, without meta-data: two objectives of DTLZ2, thirty evaluations.
//!
//! Prints the hypervolume after each evaluation.

use std::num::NonZeroUsize;

use warmfront::core::{Observation, Outcome, Purpose, Seed, Strategy, TrialId};
use warmfront::meta::baseline::IndependentGpModel;
use warmfront::meta::{ModelBased, ModelBasedConfig};
use warmfront::pareto::{Points, hypervolume};
use warmfront::problems::{Problem, problem_by_name};

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = Seed(1);
    let problem = problem_by_name("dtlz2", 6, 2)?;
    let (space, objectives) = (problem.space(), problem.objectives());
    let reference = problem.reference_point().value.to_vec();
    let config = ModelBasedConfig {
        reference_point: Some(reference.clone()),
        ..ModelBasedConfig::default()
    };
    let mut strategy = ModelBased::new(
        IndependentGpModel::default(),
        space,
        objectives,
        config,
        &mut seed.stream(Purpose::Init, 0),
    )?;

    let mut seen = Vec::new();
    for step in 0..30 {
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?
            .remove(0);
        let outcome = problem.evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, step))?;
        if let Outcome::Complete(costs) = &outcome {
            seen.extend(costs.complete().unwrap_or_default());
        }
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome,
        };
        strategy.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
        let volume = hypervolume(Points::new(&seen, objectives.len())?, &reference);
        println!("{:>2} evaluations: hypervolume {volume:.4}", step + 1);
    }
    Ok(())
}
