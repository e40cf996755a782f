//! Who takes part, and how its process is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::protocol::{Answer, Request, Task};
use crate::cell::fnv1a;
use crate::peer::environment::{self, RustProgram};
use crate::peer::worker::Worker;

const SCRIPT: &str = include_str!("../../../peers/peers.py");
const RUST: RustProgram<'_> = RustProgram {
    name: "rust-peers",
    manifest: include_str!("../../../peers/rust/Cargo.toml.txt"),
    lock: include_str!("../../../peers/rust/Cargo.lock.txt"),
    source: include_str!("../../../peers/rust/main.rs.txt"),
};

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

    /// The versions that are measured, its own package's first.
    #[must_use]
    pub fn requirements(self) -> &'static [(&'static str, &'static str)] {
        const TORCH: (&str, &str) = ("torch", "2.15.0");
        const NUMPY: (&str, &str) = ("numpy", "2.4.6");
        // Its L-BFGS-B decides how many evaluations BoTorch and Optuna take.
        const SCIPY: (&str, &str) = ("scipy", "1.17.1");
        match self {
            Self::Ours | Self::OneThread => &[("warmfront", env!("CARGO_PKG_VERSION"))],
            Self::Botorch => &[
                ("botorch", "0.18.1"),
                ("gpytorch", "1.15.2"),
                ("linear_operator", "0.6.1"),
                TORCH,
                NUMPY,
                SCIPY,
            ],
            Self::Moocore => &[("moocore", "0.3.2"), NUMPY],
            Self::Pygmo => &[("pygmo", "2.20.0"), NUMPY],
            Self::Optuna => &[("optuna", "5.0.0"), TORCH, NUMPY, SCIPY],
            Self::Egobox => &[("egobox-ego", "0.42.0"), ("egobox-gp", "0.37.1")],
            Self::Friedrich => &[("friedrich", "0.6.0")],
        }
    }

    /// Sixteen hexadecimal digits that change with anything that runs on this side: our executable, or
    /// the script or program that speaks for a library, with the versions that it requires.
    #[must_use]
    pub fn fingerprint(self) -> &'static str {
        static PRINTS: OnceLock<[String; 3]> = OnceLock::new();
        let prints = PRINTS.get_or_init(|| {
            // A program that cannot be read must not be taken for another one.
            let here = std::env::current_exe().and_then(std::fs::read);
            let here = here.map_or_else(
                |error| format!("unknown: {error}, process {}", std::process::id()),
                |bytes| print(&[&bytes]),
            );
            let packages = packages().join(" ");
            let RustProgram {
                manifest,
                lock,
                source,
                ..
            } = RUST;
            [
                here,
                print(&[SCRIPT.as_bytes(), packages.as_bytes()]),
                print(&[manifest.as_bytes(), lock.as_bytes(), source.as_bytes()]),
            ]
        });
        match self.origin() {
            Origin::Here => &prints[0],
            Origin::Python => &prints[1],
            Origin::Rust => &prints[2],
        }
    }

    /// Whether a process that said these versions is what is measured.
    fn check(self, found: &BTreeMap<String, String>) -> anyhow::Result<()> {
        for (package, version) in self.requirements() {
            let found = found.get(*package).map_or("none", String::as_str);
            // What follows a plus names a build, as in `2.15.0+cpu`.
            let release = found.split('+').next().unwrap_or(found);
            ensure!(
                release == *version,
                "{package} {version} is measured, this has {found}"
            );
        }
        Ok(())
    }

    fn origin(self) -> Origin {
        match self {
            Self::Ours | Self::OneThread => Origin::Here,
            Self::Botorch | Self::Moocore | Self::Pygmo | Self::Optuna => Origin::Python,
            Self::Egobox | Self::Friedrich => Origin::Rust,
        }
    }
}

/// Sixteen hexadecimal digits of these bytes.
fn print(parts: &[&[u8]]) -> String {
    format!("{:016x}", fnv1a(&parts.join(&0)))
}

/// The packages of the Python environment.
#[must_use]
pub fn packages() -> Vec<String> {
    let sides = [Side::Botorch, Side::Moocore, Side::Pygmo, Side::Optuna];
    let all: BTreeSet<_> = sides.iter().flat_map(|side| side.requirements()).collect();
    all.into_iter()
        .map(|(package, version)| format!("{package}=={version}"))
        .collect()
}

/// A side's process, after it has said which versions it has.
#[derive(Debug)]
pub struct Party {
    worker: Worker,
    alive: bool,
    /// What it has prepared.
    pub(super) task: Option<Task>,
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
            Answer::Hello(versions) => Ok(Self {
                worker,
                alive: true,
                task: None,
                versions,
            }),
            Answer::Error(error) => bail!("{error}"),
            other => bail!("expected the versions, got {other:?}"),
        }
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// If the process fails, or answers that it cannot.
    pub fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let answer = self.worker.ask(request);
        self.alive &= answer.is_ok();
        match answer? {
            Answer::Error(error) => bail!("{error}"),
            answer => Ok(answer),
        }
    }

    /// Whether it goes on answering: one that says that it cannot do something does.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive
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
            .and_then(|party| side.check(&party.versions).map(|()| party))
            .with_context(|| format!("{} does not run", side.label()))
    }

    /// A copy of this program, whose other processes may start hours later: by then another build may stand
    /// in its place.
    fn copy_of_ours(&self) -> anyhow::Result<PathBuf> {
        let here = std::env::current_exe()?;
        let folder = self.folder.join("ours");
        let copy = folder.join(Side::Ours.fingerprint());
        if !copy.exists() {
            // What earlier builds have left.
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder)?;
            let new = folder.join("new");
            std::fs::copy(&here, &new)
                .with_context(|| format!("cannot copy {}", here.display()))?;
            ensure!(
                print(&[&std::fs::read(&new)?]) == Side::Ours.fingerprint(),
                "this program was built anew since it began"
            );
            std::fs::rename(&new, &copy)?;
        }
        Ok(copy)
    }

    fn make(&self, origin: Origin) -> anyhow::Result<PathBuf> {
        if origin != Origin::Here {
            crate::inputs::write(&self.folder.join("inputs"))?;
        }
        match (origin, &self.python) {
            (Origin::Here, _) => self.copy_of_ours(),
            (Origin::Python, Some(python)) => Ok(python.clone()),
            (Origin::Python, None) => environment::python(&self.folder.join("venv"), &packages()),
            (Origin::Rust, _) => environment::rust(&self.folder.join("rust"), RUST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_workspace_has_the_versions_measured() {
        let required = [Side::Egobox, Side::Friedrich].map(Side::requirements);
        for (package, version) in required.concat() {
            let line = format!("{package} = \"={version}\"");
            assert!(RUST.manifest.lines().any(|l| l == line), "{line}");
            let locked = format!("name = \"{package}\"\nversion = \"{version}\"\n");
            assert!(RUST.lock.contains(&locked), "{locked}");
            let said = format!("\"{package}\": \"{version}\"");
            assert!(RUST.source.contains(&said), "{said}");
        }
        assert!(RUST.manifest.contains(&format!("name = \"{}\"", RUST.name)));
    }

    #[test]
    fn only_the_versions_measured_take_part() {
        let found = |torch: &str| {
            let versions = [("optuna", "5.0.0"), ("torch", torch), ("numpy", "2.4.6")];
            let scipy = ("scipy", "1.17.1");
            let versions = versions.into_iter().chain([scipy]);
            versions
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect()
        };
        let check = |torch| Side::Optuna.check(&found(torch));
        assert!(check("2.15.0").is_ok() && check("2.15.0+cpu").is_ok());
        let error = check("2.15.1").unwrap_err().to_string();
        assert_eq!(error, "torch 2.15.0 is measured, this has 2.15.1");
        assert!(Side::Botorch.check(&found("2.15.0")).is_err());
    }

    #[test]
    fn sides_have_fingerprints_of_what_runs() {
        let prints = [Side::Ours, Side::Botorch, Side::Egobox].map(Side::fingerprint);
        assert!(prints.iter().all(|p| p.len() == 16), "{prints:?}");
        assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2]);
        assert_eq!(Side::Ours.fingerprint(), Side::OneThread.fingerprint());
        assert!(packages().contains(&"torch==2.15.0".to_owned()));
    }
}
