//! PriMO on a live problem, with an expert's priors from a file: which model predicts the quality of
//! wines well, at how few operations?
//!
//! `primo_beliefs [FILE]` reads `wine.json` beside this file, or another definition of the same
//! problem. Prints the Pareto front found for the price of 12 full trainings.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use warmfront::core::{Config, Costs, Definition, Observation, Purpose, Seed, Strategy, TrialId};
use warmfront::meta::multi_fidelity::FidelityBudget;
use warmfront::meta::primo::PrimoConfig;
use warmfront::pareto::{Points, non_dominated};
use warmfront::problems::{Problem, WineTuning};

type Error = Box<dyn std::error::Error>;

/// In full trainings.
const BUDGET: f64 = 12.0;

#[allow(clippy::print_stderr, reason = "a program says what is wrong")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |cause| cause.source());
            let causes: String = causes.map(|cause| format!(": {cause}")).collect();
            eprintln!("error: {error}{causes}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn run() -> Result<(), Error> {
    let text = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => include_bytes!("wine.json").to_vec(),
    };
    let definition = Definition::from_json(&text)?;
    let seed = Seed(7);
    let problem = WineTuning::new(seed);
    check(&definition, &problem)?;
    let Definition {
        space,
        objectives,
        beliefs,
    } = definition;

    let mut rng = seed.stream(Purpose::Init, 0);
    let mut primo = PrimoConfig::default().build(&space, &objectives, beliefs, &mut rng)?;
    let mut budget = FidelityBudget::new(BUDGET);
    let mut step = 0;
    loop {
        let candidate = primo
            .ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?
            .remove(0);
        // Going on with a training pays for its new epochs only. This problem trains anew instead,
        // with the same result.
        if !budget.try_spend(&candidate) {
            break;
        }
        let outcome = problem.evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, step))?;
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome,
        };
        primo.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
        step += 1;
    }

    let full: Vec<(Config, Vec<f64>)> = primo
        .log()
        .full()
        .filter_map(|entry| Some((space.decode(&entry.point), entry.complete()?)))
        .collect();
    let costs: Vec<f64> = full.iter().flat_map(|(_, costs)| costs.clone()).collect();
    let mut front = non_dominated(Points::new(&costs, objectives.len())?);
    front.sort_by(|&a, &b| full[a].1[0].total_cmp(&full[b].1[0]));

    println!("{:>9} {:>12}  configuration", "error", "operations");
    for (config, costs) in front.into_iter().map(|row| &full[row]) {
        let raw = objectives.to_raw(&Costs::from_values(costs.clone())?);
        let value = |objective: usize| raw[objective].unwrap_or(f64::NAN);
        // The problem counts operations by their logarithm.
        let operations = 10.0_f64.powf(value(1));
        println!("{:>9.4} {operations:>12.0}  {}", value(0), shown(config));
    }
    println!(
        "(always predicting the mean: {:.4})",
        problem.constant_error()
    );
    let tried: HashSet<_> = primo.log().entries().iter().map(|e| &e.point).collect();
    println!(
        "{} configurations, {} of them trained to the last epoch, for the price of {:.2} full trainings",
        tried.len(),
        primo.log().full().count(),
        budget.spent(),
    );
    Ok(())
}

/// That the file defines what the problem is: a candidate of one is then a candidate of the other.
fn check(definition: &Definition, problem: &WineTuning) -> Result<(), Error> {
    let (given, known) = (&definition.space, problem.space());
    for parameter in known.parameters() {
        let name = parameter.name();
        let Some(found) = given.parameter(name) else {
            return Err(format!("the file lacks the parameter `{name}`").into());
        };
        let (wanted, found) = (
            (parameter.domain(), parameter.conditions()),
            (found.domain(), found.conditions()),
        );
        if found != wanted {
            return Err(format!(
                "the parameter `{name}` is {found:?} in the file and {wanted:?} in the problem"
            )
            .into());
        }
    }
    let mut names = given.parameters().iter().map(|parameter| parameter.name());
    if let Some(name) = names.find(|name| known.parameter(name).is_none()) {
        return Err(format!("the problem has no parameter `{name}`").into());
    }
    if given.parameters() != known.parameters() {
        return Err("the parameters are in another order than in the problem".into());
    }
    if given.fidelity() != known.fidelity() {
        let (found, wanted) = (given.fidelity(), known.fidelity());
        return Err(
            format!("the fidelity is {found:?} in the file and {wanted:?} in the problem").into(),
        );
    }
    let (found, wanted) = (&definition.objectives, problem.objectives());
    if found != wanted {
        return Err(format!(
            "the objectives are {found:?} in the file and {wanted:?} in the problem"
        )
        .into());
    }
    Ok(())
}

fn shown(config: &Config) -> String {
    let value = |(name, value): (&str, &warmfront::core::Value)| match value.as_f64() {
        Some(number) if number.fract() != 0.0 && number < 0.01 => format!("{name} {number:.0e}"),
        Some(number) if number.fract() != 0.0 => format!("{name} {number:.2}"),
        _ => format!("{name} {value}").replace('"', ""),
    };
    config.iter().map(value).collect::<Vec<_>>().join(", ")
}
