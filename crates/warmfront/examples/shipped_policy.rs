//! The policy that comes with the library beside a Gaussian process and random search, on functions
//! that it was not trained on.
//!
//! Prints the median regret over ten seeds after 10, 20 and 40 evaluations, and milliseconds per suggestion.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use warmfront::core::{Observation, Purpose, Seed, Strategy, TrialId};
use warmfront::meta::baseline::{IndependentGpModel, RandomSearch};
use warmfront::meta::{ModelBased, ModelBasedConfig};
use warmfront::np::{NapConfig, Policy};
use warmfront::problems::{Problem, problem_by_name};

type Error = Box<dyn std::error::Error>;

const SEEDS: u64 = 10;
const AT: [u64; 3] = [10, 20, 40];

/// The best cost at the evaluations `AT`, and the time spent on suggestions.
#[expect(clippy::disallowed_methods, reason = "suggestions are timed")]
fn run(
    strategy: &mut dyn Strategy,
    problem: &dyn Problem,
    seed: Seed,
) -> Result<(Vec<f64>, Duration), Error> {
    let (mut best, mut time) = (f64::INFINITY, Duration::ZERO);
    let mut at = Vec::new();
    for step in 0..AT[AT.len() - 1] {
        let start = Instant::now();
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?
            .remove(0);
        time += start.elapsed();
        let outcome = problem.evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, step))?;
        let costs = outcome.costs().and_then(|costs| costs.complete());
        best = best.min(costs.ok_or("a formula is always complete")?[0]);
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome,
        };
        let start = Instant::now();
        strategy.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
        time += start.elapsed();
        if AT.contains(&(step + 1)) {
            at.push(best);
        }
    }
    Ok((at, time))
}

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Error> {
    let policy = Arc::new(Policy::shipped());
    println!("{:10} {:8} regret after {AT:?}", "", "");
    for (name, dim, minimum) in [
        ("branin", 2, 0.397_887_36),
        ("hartmann3", 3, -3.862_782_15),
        ("hartmann6", 6, -3.322_368_01),
    ] {
        let problem = problem_by_name(name, dim, 1)?;
        let (space, objectives) = (problem.space(), problem.objectives());
        for method in ["policy", "GP", "random"] {
            let (mut regrets, mut spent) = (vec![Vec::new(); AT.len()], Duration::ZERO);
            for seed in (0..SEEDS).map(Seed) {
                let init = &mut seed.stream(Purpose::Init, 0);
                let mut strategy: Box<dyn Strategy> = match method {
                    "policy" => Box::new(NapConfig::default().build(
                        Arc::clone(&policy),
                        space,
                        objectives,
                    )?),
                    "GP" => Box::new(ModelBased::new(
                        IndependentGpModel::default(),
                        space,
                        objectives,
                        ModelBasedConfig::default(),
                        init,
                    )?),
                    _ => Box::new(RandomSearch::new(space, objectives)),
                };
                let (best, time) = run(&mut *strategy, &*problem, seed)?;
                spent += time;
                for (regrets, best) in regrets.iter_mut().zip(best) {
                    regrets.push(best - minimum);
                }
            }
            print!("{name:10} {method:8}");
            for regrets in &mut regrets {
                regrets.sort_by(f64::total_cmp);
                let middle = regrets.len() / 2;
                print!(
                    " {:>8.4}",
                    f64::midpoint(regrets[middle - 1], regrets[middle])
                );
            }
            let suggestions = (SEEDS * AT[AT.len() - 1]) as f64;
            println!("   {:>5.1} ms", 1e3 * spent.as_secs_f64() / suggestions);
        }
    }
    Ok(())
}
