//! Our side: answers requests as the other sides do.

mod gp;
mod optimise;
mod pareto;
mod suggest;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use anyhow::{Context as _, bail};

pub(super) use self::gp::CHECKED;
use self::optimise::Optimisation;
use super::protocol::{Answer, Measured, Point, Request, Task, Values, Work};
use crate::clock::Stopwatch;
use crate::memory;

/// A piece of work that is ready to be measured.
trait Call {
    /// Does it once.
    fn run(&mut self) -> anyhow::Result<()>;

    /// Sets the seed of work that draws.
    fn seed(&mut self, seed: u32) {
        let _ = seed;
    }

    /// What came out the last time.
    fn values(&self) -> Values;

    /// What this side thinks of results; larger is better.
    fn judge(&self, candidates: &[Vec<f64>]) -> anyhow::Result<Vec<f64>> {
        bail!("nothing to judge about {} results", candidates.len())
    }
}

fn prepare(task: &Task) -> anyhow::Result<Box<dyn Call>> {
    Ok(match task.work {
        Work::GpGradient => Box::new(gp::Gradient::new(task)?),
        Work::GpFit => Box::new(gp::Fit::new(task)?),
        Work::GpPredict => Box::new(gp::Predict::new(task)?),
        Work::Suggest => Box::new(suggest::Suggest::new(task)?),
        Work::Boxes | Work::Hypervolume | Work::Contributions => {
            Box::new(pareto::Front::new(task)?)
        }
        Work::Filter | Work::Ranks => Box::new(pareto::Cloud::new(task)),
    })
}

fn values<const N: usize>(entries: [(&str, Vec<f64>); N]) -> Values {
    entries.map(|(k, v)| (k.to_owned(), v)).into()
}

/// Answers `input` line by line until it ends.
///
/// # Errors
/// If a line cannot be read, means nothing, or an answer cannot be written.
pub fn serve(input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    let mut side = Ours::default();
    let versions = BTreeMap::from([("warmfront".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let mut answer = Answer::Hello(versions);
    let mut lines = input.lines();
    loop {
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
        let Some(line) = lines.next() else {
            return Ok(());
        };
        let request: Request = serde_json::from_str(&line?)?;
        answer = side
            .answer(request)
            .unwrap_or_else(|error| Answer::Error(format!("{error:#}")));
    }
}

#[derive(Default)]
struct Ours {
    call: Option<Box<dyn Call>>,
    optimisation: Option<Optimisation>,
}

impl Ours {
    fn answer(&mut self, request: Request) -> anyhow::Result<Answer> {
        match request {
            Request::Prepare { task } => {
                // Frees what the last task holds.
                self.call = None;
                self.call = Some(prepare(&task)?);
                Ok(Answer::Ready)
            }
            Request::Measure { seconds, seed } => {
                let call = self.call.as_mut().context("nothing was prepared")?;
                call.seed(seed);
                Ok(Answer::Measured(measure(&mut **call, seconds)?))
            }
            Request::Judge { candidates } => {
                let call = self.call.as_ref().context("nothing was prepared")?;
                Ok(Answer::Judged(call.judge(&candidates)?))
            }
            Request::Start { run } => {
                self.optimisation = Some(Optimisation::new(&run)?);
                Ok(Answer::Ready)
            }
            Request::Step { y } => {
                let optimisation = self.optimisation.as_mut().context("nothing was started")?;
                let watch = Stopwatch::of_threads();
                let x = optimisation.step(y)?;
                let lap = watch.lap();
                Ok(Answer::Point(Point {
                    x,
                    seconds: lap.seconds,
                    cpu_seconds: lap.cpu_seconds.unwrap_or(lap.seconds),
                }))
            }
            Request::Memory => {
                let peak = memory::status("VmHWM").context("the system does not tell")?;
                Ok(Answer::Memory(peak))
            }
        }
    }
}

fn measure(call: &mut dyn Call, seconds: f64) -> anyhow::Result<Measured> {
    let watch = Stopwatch::of_threads();
    let mut calls = 0;
    while calls == 0 || watch.seconds() < seconds {
        call.run()?;
        calls += 1;
    }
    let lap = watch.lap();
    let per_call = |seconds: f64| seconds / f64::from(calls);
    Ok(Measured {
        calls,
        seconds: per_call(lap.seconds),
        cpu_seconds: per_call(lap.cpu_seconds.unwrap_or(lap.seconds)),
        values: call.values(),
    })
}

#[cfg(test)]
mod tests;
