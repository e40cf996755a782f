//! Programs of others, measured beside ours: NePS' own PriMO in its Python environment, and PyTorch
//! ([`torch`]).
//!
//! [`environment`] makes the environment, [`Neps`] talks to the script that runs in it, [`duel`]
//! runs both sides in turns, [`table`] writes what came out.

pub mod duel;
pub mod table;
pub mod torch;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

/// The version of `neural-pipeline-search` that is measured.
pub const NEPS_VERSION: &str = "0.17.0";

const PACKAGE: &str = "neural-pipeline-search";
const SCRIPT: &str = include_str!("../peers/neps_primo.py");
/// Left in an environment that is complete.
const MARK: &str = "complete";

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

/// The Python interpreter of an environment that has NePS: made in `folder` by `venv` and `pip` at
/// the first call, which loads some gigabytes.
///
/// # Errors
/// If there is no Python, or it cannot make environments, or pip cannot install the package.
pub fn environment(folder: &Path) -> anyhow::Result<PathBuf> {
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if folder.join(MARK).exists() {
        return Ok(python);
    }
    let base = ["python3", "python"]
        .into_iter()
        .find(|name| succeeds(Command::new(name).arg("--version").stdout(Stdio::null())))
        .context(
            "no `python3` found: install Python 3.11 or later, or name one with NePS by --python",
        )?;
    ensure!(
        succeeds(Command::new(base).args(["-m", "venv"]).arg(folder)),
        "`{base} -m venv {}` failed: install Python's venv module, or use --python",
        folder.display()
    );
    ensure!(
        succeeds(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .arg(format!("{PACKAGE}=={NEPS_VERSION}"))
        ),
        "pip could not install {PACKAGE} {NEPS_VERSION} into {}: it needs Python 3.11 or later and a package index",
        folder.display()
    );
    let mark = folder.join(MARK);
    std::fs::write(&mark, NEPS_VERSION)
        .with_context(|| format!("cannot write {}", mark.display()))?;
    Ok(python)
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// A Python process that runs NePS' PriMO, one job after the other, on one thread.
#[derive(Debug)]
pub struct Neps {
    child: Child,
    // `None` once closed, which ends the process.
    jobs: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Version by package.
    pub versions: BTreeMap<String, String>,
}

impl Neps {
    /// Starts the process.
    ///
    /// # Errors
    /// If `python` does not start or does not have NePS in the version measured.
    pub fn start(python: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .envs(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"].map(|v| (v, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} did not start", python.display()))?;
        let jobs = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no pipe to read")?);
        let versions = BTreeMap::new();
        let mut neps = Self {
            child,
            jobs,
            answers,
            versions,
        };
        let hello: Hello = neps
            .read()
            .with_context(|| format!("{} has no working {PACKAGE}", python.display()))?;
        neps.versions = hello.versions;
        let found = neps.versions.get(PACKAGE).map_or("none", String::as_str);
        ensure!(
            found == NEPS_VERSION,
            "{PACKAGE} {NEPS_VERSION} is measured, {} has {found}",
            python.display()
        );
        Ok(neps)
    }

    /// Makes one run.
    ///
    /// # Errors
    /// If NePS fails or the process has ended.
    pub fn run(&mut self, job: &Job<'_>) -> anyhow::Result<Vec<Evaluation>> {
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        let jobs = self.jobs.as_mut().context("the process was closed")?;
        jobs.write_all(line.as_bytes())
            .and_then(|()| jobs.flush())
            .context("the process takes no jobs any more")?;
        match self.read()? {
            Answer::Evaluations(evaluations) => Ok(evaluations),
            Answer::Error(error) => bail!("NePS failed: {error}"),
        }
    }

    fn read<T: for<'a> Deserialize<'a>>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the process ended");
        serde_json::from_str(&line).with_context(|| format!("not an answer: {}", line.trim()))
    }
}

impl Drop for Neps {
    fn drop(&mut self) {
        self.jobs = None;
        // Nothing is left to do about a process that cannot be waited for.
        let _ = self.child.wait();
    }
}
