//! Programs of others, measured beside ours.
//!
//! [`environment`] makes what they need to run, a [`Worker`] is one of their processes. The
//! comparisons: [`race`] with the libraries that one would otherwise use, workload by workload; [`duel`] with
//! NePS' own PriMO ([`Neps`]), written up by [`table`]; [`torch`] with PyTorch's training step.

pub mod duel;
pub mod environment;
pub mod race;
pub mod table;
pub mod torch;
pub mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use worker::Worker;

/// The version of `neural-pipeline-search` that is measured.
pub const NEPS_VERSION: &str = "0.17.0";

const PACKAGE: &str = "neural-pipeline-search";
const SCRIPT: &str = include_str!("../peers/neps_primo.py");

/// One run to be made by NePS.
#[derive(Debug, Clone, Serialize)]
pub struct Job<'a> {
    /// Name of the problem.
    pub problem: &'a str,
    /// Seed of the generators that NePS draws from.
    pub seed: u32,
    /// What may be spent, in full evaluations.
    pub budget: f64,
    /// Full evaluations (counted as NePS does) until the Gaussian process takes over.
    pub initial_design_size: u32,
    /// The confidence in every coordinate of the centres.
    pub confidence: f64,
    /// The prior's centre of each objective.
    pub centers: Vec<Option<Vec<f64>>>,
}

/// One evaluation of a run, of either side.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Evaluation {
    /// The point in the unit cube.
    pub x: Vec<f64>,
    /// The fraction of the full budget, in `(0, 1]`.
    pub fidelity: f64,
    /// The objectives, minimised.
    pub objectives: Vec<f64>,
    /// Seconds to suggest it.
    pub seconds: f64,
    /// Seconds of processor time to suggest it, where the system tells.
    pub cpu_seconds: Option<f64>,
}

#[derive(Deserialize)]
struct Hello {
    versions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Evaluations(Vec<Evaluation>),
    Error(String),
}

/// The Python interpreter of an environment that has NePS, made in `folder` at the first call, which loads
/// some gigabytes.
///
/// # Errors
/// As [`environment::python`].
pub fn neps_environment(folder: &Path) -> anyhow::Result<PathBuf> {
    environment::python(folder, &[format!("{PACKAGE}=={NEPS_VERSION}")])
}

/// A Python process that runs NePS' PriMO, one job after the other, on one thread.
#[derive(Debug)]
pub struct Neps {
    worker: Worker,
    /// Version by package.
    pub versions: BTreeMap<String, String>,
}

impl Neps {
    /// Starts the process.
    ///
    /// # Errors
    /// If `python` does not start or does not have NePS in the version measured.
    pub fn start(python: &Path) -> anyhow::Result<Self> {
        let mut worker = Worker::start(Command::new(python).args(["-c", SCRIPT]), 1)?;
        let hello: Hello = worker
            .read()
            .with_context(|| format!("{} has no working {PACKAGE}", python.display()))?;
        let found = hello.versions.get(PACKAGE).map_or("none", String::as_str);
        ensure!(
            found == NEPS_VERSION,
            "{PACKAGE} {NEPS_VERSION} is measured, {} has {found}",
            python.display()
        );
        Ok(Self {
            worker,
            versions: hello.versions,
        })
    }

    /// Makes one run.
    ///
    /// # Errors
    /// If NePS fails or the process has ended.
    pub fn run(&mut self, job: &Job<'_>) -> anyhow::Result<Vec<Evaluation>> {
        match self.worker.ask(job)? {
            Answer::Evaluations(evaluations) => Ok(evaluations),
            Answer::Error(error) => bail!("NePS failed: {error}"),
        }
    }
}
