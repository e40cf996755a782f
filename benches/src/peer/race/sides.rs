//! Who takes part, and how its process is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::protocol::{Answer, Request};
use crate::peer::environment;
use crate::peer::worker::Worker;

const SCRIPT: &str = include_str!("../../../peers/peers.py");
const RUST_MANIFEST: &str = include_str!("../../../peers/rust/Cargo.toml.txt");
const RUST_SOURCE: &str = include_str!("../../../peers/rust/main.rs.txt");
/// The package of the manifest.
const RUST_PROGRAM: &str = "rust-peers";

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Warmfront.
    Ours,
    /// The same on one thread, where ours has several.
    OneThread,
    /// BoTorch.
    Botorch,
    /// moocore.
    Moocore,
    /// pygmo.
    Pygmo,
    /// Optuna.
    Optuna,
    /// egobox.
    Egobox,
    /// friedrich.
    Friedrich,
}

/// Where a side comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Here,
    Python,
    Rust,
}

impl Side {
    /// Name in tables.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OneThread => "one thread",
            Self::Botorch => "BoTorch",
            Self::Moocore => "moocore",
            Self::Pygmo => "pygmo",
            Self::Optuna => "Optuna",
            Self::Egobox => "egobox",
            Self::Friedrich => "friedrich",
        }
    }

    /// Name on command lines and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OneThread => "one-thread",
            Self::Botorch => "botorch",
            Self::Moocore => "moocore",
            Self::Pygmo => "pygmo",
            Self::Optuna => "optuna",
            Self::Egobox => "egobox",
            Self::Friedrich => "friedrich",
        }
    }

    /// The version that is measured.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Ours | Self::OneThread => env!("CARGO_PKG_VERSION"),
            Self::Botorch => "0.18.1",
            Self::Moocore => "0.3.2",
            Self::Pygmo => "2.20.0",
            Self::Optuna => "5.0.0",
            Self::Egobox => "0.42.0",
            Self::Friedrich => "0.6.0",
        }
    }

    fn origin(self) -> Origin {
        match self {
            Self::Ours | Self::OneThread => Origin::Here,
            Self::Botorch | Self::Moocore | Self::Pygmo | Self::Optuna => Origin::Python,
            Self::Egobox | Self::Friedrich => Origin::Rust,
        }
    }
}

/// The packages of the Python environment.
#[must_use]
pub fn packages() -> Vec<String> {
    [Side::Botorch, Side::Moocore, Side::Pygmo, Side::Optuna]
        .map(|side| format!("{}=={}", side.name(), side.version()))
        .to_vec()
}

/// A side's process, after it has said which versions it has.
#[derive(Debug)]
pub struct Party {
    worker: Worker,
    /// Version by package.
    pub versions: BTreeMap<String, String>,
}

impl Party {
    /// Starts a process that speaks the protocol.
    ///
    /// # Errors
    /// If it does not start or lacks something.
    pub fn start(command: &mut Command, threads: usize, limit: Duration) -> anyhow::Result<Self> {
        let mut worker = Worker::start(command, threads)?;
        worker.limit = Some(limit);
        match worker.read()? {
            Answer::Hello(versions) => Ok(Self { worker, versions }),
            Answer::Error(error) => bail!("{error}"),
            other => bail!("expected the versions, got {other:?}"),
        }
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// If the process fails, or answers that it cannot.
    pub fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        match self.worker.ask(request)? {
            Answer::Error(error) => bail!("{error}"),
            answer => Ok(answer),
        }
    }
}

/// Starts sides; what they need is made when the first of them is started.
#[derive(Debug)]
pub struct Launcher {
    folder: PathBuf,
    python: Option<PathBuf>,
    limit: Duration,
    /// What starts a side, or why it cannot be started.
    ready: BTreeMap<Origin, Result<PathBuf, String>>,
}

impl Launcher {
    /// Keeps environments and inputs in `folder`; `python` names an interpreter that has the packages, in
    /// place of an environment of our own; no answer may take longer than `limit`.
    #[must_use]
    pub fn new(folder: &Path, python: Option<PathBuf>, limit: Duration) -> Self {
        Self {
            folder: folder.to_owned(),
            python,
            limit,
            ready: BTreeMap::new(),
        }
    }

    /// Starts the process of a side.
    ///
    /// # Errors
    /// If what it needs cannot be made, or it does not start. What cannot be made is not tried again.
    pub fn start(&mut self, side: Side, threads: usize) -> anyhow::Result<Party> {
        let origin = side.origin();
        if !self.ready.contains_key(&origin) {
            let made = self.make(origin).map_err(|error| format!("{error:#}"));
            self.ready.insert(origin, made);
        }
        let program = match &self.ready[&origin] {
            Ok(program) => program,
            Err(reason) => bail!("{reason}"),
        };
        let mut command = Command::new(program);
        let inputs = self.folder.join("inputs");
        match origin {
            Origin::Here => command.arg("--worker"),
            Origin::Python => command
                .args(["-W", "ignore", "-c", SCRIPT, side.name()])
                .arg(inputs),
            Origin::Rust => command.arg(side.name()).arg(inputs),
        };
        let threads = if side == Side::OneThread { 1 } else { threads };
        Party::start(&mut command, threads, self.limit)
            .with_context(|| format!("{} does not run", side.label()))
    }

    fn make(&self, origin: Origin) -> anyhow::Result<PathBuf> {
        if origin != Origin::Here {
            crate::inputs::write(&self.folder.join("inputs"))?;
        }
        match (origin, &self.python) {
            (Origin::Here, _) => Ok(std::env::current_exe()?),
            (Origin::Python, Some(python)) => Ok(python.clone()),
            (Origin::Python, None) => environment::python(&self.folder.join("venv"), &packages()),
            (Origin::Rust, _) => {
                let folder = self.folder.join("rust");
                environment::rust(&folder, RUST_PROGRAM, RUST_MANIFEST, RUST_SOURCE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_workspace_has_the_versions_measured() {
        for (package, version) in [
            ("egobox-ego", Side::Egobox.version()),
            ("friedrich", Side::Friedrich.version()),
        ] {
            let line = format!("{package} = \"={version}\"");
            assert!(RUST_MANIFEST.lines().any(|l| l == line), "{line}");
        }
        assert!(RUST_MANIFEST.contains(&format!("name = \"{RUST_PROGRAM}\"")));
    }
}
