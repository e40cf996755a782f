//! Solves a box of tasks offline, saves the task model, and answers tasks from the saved model alone.
//!
//! Without arguments everything happens in memory; with `save FILE` and `load FILE θ…` the two
//! phases are two programs.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::num::NonZeroUsize;

use warmfront_core::{
    Costs, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed, Strategy, TrialId,
    UnitPoint,
};
use warmfront_meta::pmto::{InitialDesign, PmtoConfig, TaskModel};

/// The best gains of a controller depend on load and friction, which the task states.
fn cost(gains: &[f64], task: &[f64]) -> f64 {
    let (load, friction) = (task[0], task[1]);
    let proportional = 0.2 + 0.5 * load;
    let derivative = 0.7 - 0.4 * friction * load;
    4.0 * (gains[0] - proportional).powi(2) + (gains[1] - derivative).powi(2)
}

fn offline() -> Result<TaskModel, Box<dyn Error>> {
    let seed = Seed(1);
    let config = PmtoConfig {
        initial: InitialDesign::Joint { samples: 20 },
        ..PmtoConfig::improved()
    };
    let (space, objectives) = (SearchSpace::unit_cube(2), Objectives::minimize_all(1));
    let mut pmto = config.build(&space, 2, &objectives, &mut seed.stream(Purpose::Init, 0))?;
    for step in 0..80 {
        let batch = pmto.ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?;
        for candidate in batch {
            let Some(task) = &candidate.task else {
                continue;
            };
            let value = cost(candidate.point.coords(), task.coords());
            let observation = Observation {
                trial: TrialId(step),
                outcome: Outcome::Complete(Costs::from_values(vec![value])?),
                candidate,
            };
            pmto.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
        }
    }
    Ok(pmto.task_model()?)
}

fn answer(model: &TaskModel, task: &UnitPoint, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let solution = model.solution(task);
    let regret = cost(solution.mean.coords(), task.coords());
    writeln!(
        out,
        "task {:?}: solution {:.3?} ± {:.3?}, cost {regret:.5}",
        task.coords(),
        solution.mean.coords(),
        solution.sd
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["save", file] => offline()?.save(BufWriter::new(File::create(file)?))?,
        ["load", file, task @ ..] => {
            let model = TaskModel::load(BufReader::new(File::open(file)?))?;
            let task: Vec<f64> = task.iter().map(|t| t.parse()).collect::<Result<_, _>>()?;
            if task.len() != model.task_dim() {
                return Err(format!("expected {} task coordinates", model.task_dim()).into());
            }
            answer(&model, &UnitPoint::new(task)?, &mut out)?;
        }
        _ => {
            let mut bytes = Vec::new();
            offline()?.save(&mut bytes)?;
            let model = TaskModel::load(&bytes[..])?;
            for task in [[0.1, 0.9], [0.5, 0.5], [0.95, 0.2]] {
                answer(&model, &UnitPoint::new(task)?, &mut out)?;
            }
        }
    }
    Ok(())
}
