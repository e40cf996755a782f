//! Training steps of the neural acquisition process in PyTorch and here, in turns.
//!
//! Both sides are processes that answer lines with lines: the program itself as a worker, and the
//! script `peers/nap_torch.py`. Parameters and batch are the same, and so must loss, logits and
//! gradients be.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use warmfront_linalg::single::{Visible, softmax_rows};
use warmfront_np::{Context, Heads, Network, NetworkConfig, OutputGradient, Tape};

use super::worker::Worker;
use crate::clock::Stopwatch;
use crate::memory::{reset_peak, status};

const SCRIPT: &str = include_str!("../../peers/nap_torch.py");

/// Largest difference of logits, and of gradients relative to the largest one of their tensor.
const TOLERANCE: f32 = 1e-4;

/// The work of one step: forward and backward passes of a batch of contexts.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The network.
    pub network: NetworkConfig,
    /// Contexts in a batch.
    pub batch: usize,
    /// Evaluations in a context.
    pub history: usize,
    /// Candidates in a context.
    pub queries: usize,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            network: NetworkConfig {
                feed_forward: 512,
                ..NetworkConfig::compact(6)
            },
            batch: 16,
            history: 50,
            queries: 200,
        }
    }
}

/// One batch and a network for it.
#[derive(Debug, Clone)]
pub struct Steps {
    /// The network.
    pub network: Network,
    contexts: Vec<Context>,
    /// The bucket of each candidate's value.
    targets: Vec<Vec<usize>>,
    tape: Tape,
    by: OutputGradient,
    /// Gradient of the last step by all parameters.
    pub gradient: Vec<f32>,
    /// Logits of the last step.
    pub logits: Vec<f32>,
}

impl Steps {
    /// A batch of random points, values and targets.
    ///
    /// # Errors
    /// If the network's configuration does not fit together.
    pub fn new(workload: &Workload, seed: u64) -> anyhow::Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let network = Network::new(workload.network.clone(), &mut rng)?;
        let mut draw = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32)
                .collect()
        };
        let (d, buckets) = (workload.network.inputs, workload.network.bar.buckets());
        let contexts = (0..workload.batch)
            .map(|_| Context {
                history_x: draw(workload.history * d),
                history_y: draw(workload.history),
                queries: draw(workload.queries * d),
                incumbent: 1.0,
                progress: 0.5,
            })
            .collect();
        let targets = (0..workload.batch)
            .map(|_| {
                let values = draw(workload.queries);
                values
                    .iter()
                    .map(|v| (v * buckets as f32) as usize)
                    .collect()
            })
            .collect();
        Ok(Self {
            gradient: vec![0.0; network.parameters().len()],
            network,
            contexts,
            targets,
            tape: Tape::default(),
            by: OutputGradient::default(),
            logits: Vec::new(),
        })
    }

    /// One step: the mean negative log-likelihood of the targets' buckets and its gradient.
    pub fn step(&mut self) -> f32 {
        let buckets = self.network.config().bar.buckets();
        let candidates: usize = self.targets.iter().map(Vec::len).sum();
        let share = 1.0 / candidates as f32;
        self.gradient.fill(0.0);
        self.logits.clear();
        let mut loss = 0.0_f64;
        for (context, targets) in self.contexts.iter().zip(&self.targets) {
            let output = self
                .network
                .forward_train(context, Heads::BAR, &mut self.tape);
            self.logits.extend_from_slice(&output.logits);
            self.by.logits.clone_from(&output.logits);
            softmax_rows(&mut self.by.logits, buckets, Visible::Same(buckets), 1.0);
            for (row, &target) in self.by.logits.chunks_exact_mut(buckets).zip(targets) {
                loss -= f64::from(row[target].ln());
                row[target] -= 1.0;
                row.iter_mut().for_each(|p| *p *= share);
            }
            self.network
                .backward(&mut self.tape, &self.by, &mut self.gradient);
        }
        (loss / candidates as f64) as f32
    }
}

#[derive(Serialize, Deserialize)]
struct Job {
    seed: u64,
    sizes: BTreeMap<String, usize>,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    history_x: Vec<Vec<f32>>,
    history_y: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    targets: Vec<Vec<usize>>,
}

/// What a side computed at the first step.
#[derive(Debug, Serialize, Deserialize)]
struct First {
    loss: f32,
    logits: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
    version: String,
}

/// How long one step took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// By the clock.
    pub seconds: f64,
    /// Of processor time.
    pub cpu_seconds: f64,
}

/// Memory of a process in MB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident before the first step: interpreter, libraries, parameters, batch.
    pub before: f64,
    /// The most at any time.
    pub peak: f64,
}

/// One side's steps.
#[derive(Debug)]
pub struct Side {
    /// Its name: `ours` or a variant of the script.
    pub name: String,
    /// Version of what computed it.
    pub version: String,
    /// One entry a round.
    pub steps: Vec<Seconds>,
    /// Memory of its process.
    pub memory: Memory,
}

/// Runs `rounds` steps of every side in turns, after one that is compared and not measured.
///
/// # Errors
/// If a process fails, or two sides disagree.
pub fn duel(
    workload: &Workload,
    python: &Path,
    variants: &[String],
    rounds: usize,
    mut tell: impl FnMut(&str),
) -> anyhow::Result<Vec<Side>> {
    const SEED: u64 = 1;
    let steps = Steps::new(workload, SEED)?;
    let job = serde_json::to_string(&job(&steps, SEED))?;
    let ours = std::env::current_exe()?;
    let mut sides = Vec::new();
    let mut workers = Vec::new();
    let mut first: Option<First> = None;
    for name in std::iter::once("ours").chain(variants.iter().map(String::as_str)) {
        let mut command = if name == "ours" {
            let mut command = Command::new(&ours);
            command.arg("--worker");
            command
        } else {
            let mut command = Command::new(python);
            command.args(["-W", "ignore", "-c", SCRIPT, name]);
            command
        };
        let mut worker = Worker::start(&mut command, 1)?;
        worker.tell(&job)?;
        let answer: First = worker.read().with_context(|| format!("`{name}` failed"))?;
        sides.push(Side {
            name: name.to_owned(),
            version: answer.version.clone(),
            steps: Vec::new(),
            memory: Memory {
                before: 0.0,
                peak: 0.0,
            },
        });
        match &first {
            None => first = Some(answer),
            Some(ours) => tell(&agreement(ours, &answer, name)?),
        }
        workers.push(worker);
    }
    for round in 0..rounds {
        let mut line = format!("round {}:", round + 1);
        for (worker, side) in workers.iter_mut().zip(&mut sides) {
            worker.tell("step")?;
            let seconds: Seconds = worker.read()?;
            let _ = write!(line, " {} {:.3} s", side.name, seconds.seconds);
            side.steps.push(seconds);
        }
        tell(&line);
    }
    for (mut worker, side) in workers.into_iter().zip(&mut sides) {
        worker.close();
        side.memory = worker.read()?;
    }
    Ok(sides)
}

fn job(steps: &Steps, seed: u64) -> Job {
    let config = steps.network.config();
    let sizes = [
        ("inputs", config.inputs),
        ("layers", config.layers),
        ("width", config.width),
        ("feed_forward", config.feed_forward),
        ("heads", config.heads),
    ];
    let tensors = steps.network.tensors();
    let list =
        |of: fn(&Context) -> &Vec<f32>| steps.contexts.iter().map(|c| of(c).clone()).collect();
    Job {
        seed,
        sizes: sizes.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        tensors: tensors
            .map(|(name, shape, values)| (name.to_owned(), (shape.to_vec(), values.to_vec())))
            .collect(),
        history_x: list(|c| &c.history_x),
        history_y: list(|c| &c.history_y),
        queries: list(|c| &c.queries),
        targets: steps.targets.clone(),
    }
}

/// The largest differences; an error where they are no rounding.
fn agreement(ours: &First, theirs: &First, name: &str) -> anyhow::Result<String> {
    let largest = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(x, y)| (x - y).abs())
            .fold(0.0_f32, f32::max)
    };
    ensure!(
        ours.logits.len() == theirs.logits.len(),
        "`{name}` has other logits"
    );
    let logits = largest(&ours.logits, &theirs.logits);
    let mut gradients = 0.0_f32;
    for (tensor, theirs) in &theirs.gradients {
        let ours = ours
            .gradients
            .get(tensor)
            .with_context(|| format!("no {tensor}"))?;
        let scale = theirs.iter().fold(1e-6_f32, |a, b| a.max(b.abs()));
        gradients = gradients.max(largest(ours, theirs) / scale);
    }
    let loss = (ours.loss - theirs.loss).abs();
    ensure!(
        logits < TOLERANCE && loss < TOLERANCE && gradients < 10.0 * TOLERANCE,
        "`{name}` differs: loss by {loss:e}, logits by {logits:e}, gradients by {gradients:e}"
    );
    Ok(format!(
        "{name}: loss differs by {loss:.1e}, logits by {logits:.1e}, gradients by {gradients:.1e} of the largest"
    ))
}

/// Our side: answers `input` as the script does.
///
/// # Errors
/// If a line cannot be read, or means nothing.
pub fn serve(workload: &Workload, input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    let mut output = BufWriter::new(output);
    let mut lines = input.lines();
    let line = lines.next().context("no job")??;
    let job: Job = serde_json::from_str(&line)?;
    let mut steps = Steps::new(workload, job.seed)?;
    drop((line, job));
    let before = status("VmRSS").unwrap_or(0.0);
    reset_peak();
    let loss = steps.step();
    let tensors = steps.network.layout().tensors().iter();
    let first = First {
        loss,
        logits: steps.logits.clone(),
        gradients: tensors
            .map(|t| (t.name.clone(), steps.gradient[t.range.clone()].to_vec()))
            .collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let used = status("VmHWM").unwrap_or(0.0);
    // Piece by piece: as one text it would be larger than all the rest.
    serde_json::to_writer(&mut output, &first)?;
    writeln!(output)?;
    drop(first);
    output.flush()?;
    reset_peak();
    for line in lines {
        line?;
        let watch = Stopwatch::of_thread();
        steps.step();
        let lap = watch.lap();
        let answer = Seconds {
            seconds: lap.seconds,
            cpu_seconds: lap.cpu_seconds.unwrap_or(lap.seconds),
        };
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
    }
    let peak = status("VmHWM").unwrap_or(0.0).max(used);
    writeln!(
        output,
        "{}",
        serde_json::to_string(&Memory { before, peak })?
    )?;
    output.flush()?;
    Ok(())
}

/// The table of all sides, ratios to ours.
#[must_use]
pub fn table(sides: &[Side]) -> String {
    let median = |of: fn(&Seconds) -> f64, side: &Side| {
        let mut values: Vec<f64> = side.steps.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let mut out = String::from(
        "| side | version | seconds a step | processor seconds | ratio of rounds (median, least) | peak memory, MB | above start, MB |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let Some(ours) = sides.first() else {
        return out;
    };
    for side in sides {
        let mut ratios: Vec<f64> = side
            .steps
            .iter()
            .zip(&ours.steps)
            .map(|(a, b)| a.cpu_seconds / b.cpu_seconds)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
        let least = ratios.first().copied().unwrap_or(f64::NAN);
        let _ = writeln!(
            out,
            "| {} | {} | {:.3} | {:.3} | {ratio:.2}, {least:.2} | {:.0} | {:.0} |",
            side.name,
            side.version,
            median(|s| s.seconds, side),
            median(|s| s.cpu_seconds, side),
            side.memory.peak,
            side.memory.peak - side.memory.before,
        );
    }
    out
}
