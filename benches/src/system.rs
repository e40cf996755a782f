//! What `reproduce` needs of an experiment: cells that run, names, data and a report.

use std::path::{Path, PathBuf};

use crate::cell::Cell;
use crate::data::DataFolder;
use crate::lab::Lab;
use crate::nap::lab::NapLab;
use crate::pmto::lab::PmtoLab;
use crate::primo::lab::PrimoLab;
use crate::profile::{Catalogue, Plan};
use crate::report::Input;
use crate::runner::{RunConfig, Work};

/// One reproduced paper.
pub trait System: Work + Catalogue {
    /// The data folder, if one was given.
    fn data(&self) -> Option<&DataFolder>;

    /// Reads all data that a plan needs, so that a damaged file stops a run at its start.
    ///
    /// # Errors
    /// If a file cannot be read or is not what it should be.
    fn check(&self, plan: &Plan) -> anyhow::Result<()>;

    /// Makes what the cells that are still to be run need beyond data, for example trains policies, and
    /// keeps it in the folder. It keeps to the time limit; cells that lack something then are not
    /// [`ready`](Self::ready).
    ///
    /// # Errors
    /// If it cannot be made or kept.
    fn prepare(&self, open: &[&Cell], out: &Path, config: &RunConfig) -> anyhow::Result<()> {
        let _ = (open, out, config);
        Ok(())
    }

    /// Takes over what stands beside a `results.csv` of an earlier run and is not in it.
    ///
    /// # Errors
    /// If a file beside it is damaged.
    fn add_recorded(&self, results: &Path) -> anyhow::Result<()> {
        let _ = results;
        Ok(())
    }

    /// Whether [`prepare`](Self::prepare) had the time to make what a cell needs; those that it had not
    /// are left for the next time.
    fn ready(&self, cell: &Cell) -> bool {
        let _ = cell;
        true
    }

    /// Writes the report into a folder and returns the path of its page.
    ///
    /// # Errors
    /// If a file cannot be written.
    fn write_report(&self, out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf>;
}

/// The system with this name: one of [`SYSTEMS`](crate::profile::SYSTEMS).
#[must_use]
pub fn system(name: &str, data: Option<DataFolder>, base: u64) -> Box<dyn System> {
    match name {
        "nap" => Box::new(NapLab::new(data, base)),
        "pmto" => Box::new(PmtoLab::new(base)),
        "primo" => Box::new(PrimoLab::new(data, base)),
        _ => Box::new(Lab::new(data, base)),
    }
}
