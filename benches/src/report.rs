//! The folder that a run leaves for people: one HTML page, plots, and the numbers as CSV.

mod html;
pub(crate) mod parts;
pub mod plane;
pub mod plot;
pub mod style;
pub mod svg;
pub mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cell::{Cell, CellResult};
use crate::claims::{self, Claim, Scaling};
use crate::profile::{Catalogue, Experiment, Plan, Section};
use crate::results::{Band, ProblemCurves};
use crate::setup::Setup;
use crate::store;

/// Everything that a report is made of.
pub struct Input<'a> {
    /// What was asked for.
    pub experiment: &'a Experiment,
    /// Name of the profile.
    pub profile: &'a str,
    /// What was to be run.
    pub plan: &'a Plan,
    /// What has finished.
    pub finished: &'a BTreeMap<Cell, CellResult>,
    /// Cells that failed, with the reason.
    pub failures: &'a [(Cell, String)],
    /// Cells that are still to be run.
    pub left: usize,
    /// Names for people.
    pub catalogue: &'a dyn Catalogue,
    /// Machine, versions, data.
    pub setup: &'a Setup,
}

/// Writes the report into `out` and returns the path of its page.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
    let plots = out.join("plots");
    std::fs::create_dir_all(&plots)
        .with_context(|| format!("cannot create the folder {}", plots.display()))?;
    let digest = Digest::new(input);

    store::write_results(&out.join("results.csv"), input.finished)?;
    let rows: Vec<table::Row> = digest.tables.iter().flatten().cloned().collect();
    table::write_csv(&out.join("summary.csv"), &rows)?;
    input.setup.write(&out.join("SETUP.md"))?;

    let label = |m: &str| input.catalogue.describe_method(m).0;
    for curves in digest
        .curves
        .iter()
        .filter(|c| c.entry.section != Section::Scaling)
    {
        for (band, name) in [
            (Band::MeanAndError, "mean"),
            (Band::MedianAndQuartiles, "median"),
        ] {
            let title = html::plot_title(input, curves, band);
            let file = format!("{}-{name}.svg", html::anchor(curves));
            write_text(
                &plots.join(file),
                &plot::regret(curves, band, (&title, "evaluations"), &label).standalone(),
            )?;
        }
    }
    if let Some(scaling) = &digest.scaling {
        write_text(
            &plots.join("scaling.svg"),
            &plot::scaling(scaling).standalone(),
        )?;
    }
    let page = out.join("report.html");
    write_text(&page, &html::page(input, &digest))?;
    Ok(page)
}

/// Writes a text file.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// To six significant digits.
pub(crate) fn rounded(value: f64) -> f64 {
    if value.abs() > 1e-300 {
        let unit = 10_f64.powi(5 - value.abs().log10().floor() as i32);
        let rounded = (value * unit).round() / unit;
        if rounded.is_finite() { rounded } else { value }
    } else {
        value
    }
}

/// Writes a CSV file with a line for each row.
pub(crate) fn write_rows<T: Serialize>(
    path: &Path,
    rows: impl IntoIterator<Item = T>,
) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(context)?;
    for row in rows {
        writer.serialize(row).with_context(context)?;
    }
    writer.flush().with_context(context)
}

/// What is computed once and shown in several places.
struct Digest {
    curves: Vec<ProblemCurves>,
    /// Rows of each of `curves`.
    tables: Vec<Vec<table::Row>>,
    claims: Vec<Claim>,
    scaling: Option<Scaling>,
}

impl Digest {
    fn new(input: &Input<'_>) -> Self {
        let reference = &input.experiment.reference_method;
        let curves: Vec<_> = input
            .plan
            .entries
            .iter()
            .map(|e| ProblemCurves::new(e, input.finished))
            .collect();
        let tables = curves.iter().map(|c| table::rows(c, reference)).collect();
        let label = |m: &str| input.catalogue.describe_method(m).0;
        let claims = claims::decide(&curves, reference, &label);
        let scaling = Scaling::new(&curves, reference);
        Self {
            curves,
            tables,
            claims,
            scaling,
        }
    }
}
