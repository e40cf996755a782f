//! Training curves and what training cost.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::policies::Record;
use crate::report::plane::{Axis, Plane};
use crate::report::svg::{Drawing, Stroke};

/// A trained policy, as it is found beside the report.
pub struct Trained {
    /// What it cost.
    pub record: Record,
    /// Its curve.
    pub rows: Vec<Row>,
}

/// One iteration.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    phase: String,
    step: f64,
    nll: Option<f64>,
    regret: Option<f64>,
}

/// All policies in the folder of a run, in the order of their names.
///
/// # Errors
/// If a file of a finished policy cannot be read.
pub fn trained(out: &Path) -> anyhow::Result<Vec<Trained>> {
    let mut names = Vec::new();
    // No folder: nothing was trained here.
    for entry in std::fs::read_dir(out.join("policies"))
        .into_iter()
        .flatten()
    {
        let path = entry.context("cannot list the policies")?.path();
        if path.extension().is_some_and(|e| e == "json") {
            names.push(path);
        }
    }
    names.sort();
    let read = |path: &std::path::PathBuf| -> anyhow::Result<Trained> {
        let context = || format!("{} is no record of a policy", path.display());
        let record = serde_json::from_slice(&std::fs::read(path)?).with_context(context)?;
        let mut reader = csv::Reader::from_path(path.with_extension("csv"))?;
        let rows = reader.deserialize().collect::<Result<_, _>>()?;
        Ok(Trained { record, rows })
    };
    names.iter().map(read).collect()
}

/// Colours of losses and regrets.
const LOSS: &str = "#0072b2";
const REGRET: &str = "#d55e00";

/// Loss and regret over training, each averaged over a fiftieth of it.
#[must_use]
pub fn plots(policy: &Trained) -> Vec<(&'static str, Drawing)> {
    let mut plots = Vec::new();
    for (name, phase, label, colour, value) in [
        (
            "loss-warm-up",
            "warm-up",
            "negative log-likelihood",
            LOSS,
            (|r: &Row| r.nll) as fn(&Row) -> Option<f64>,
        ),
        (
            "loss-policy",
            "policy",
            "negative log-likelihood",
            LOSS,
            |r| r.nll,
        ),
        (
            "regret",
            "policy",
            "regret at the end of a run",
            REGRET,
            |r| r.regret,
        ),
    ] {
        let points: Vec<(f64, f64)> = policy
            .rows
            .iter()
            .filter(|r| r.phase == phase)
            .filter_map(|r| Some((r.step, value(r)?)))
            .collect();
        if points.len() < 2 {
            continue;
        }
        let each = points.len().div_ceil(50);
        let smooth: Vec<(f64, f64)> = points
            .chunks(each)
            .map(|chunk| {
                let n = chunk.len() as f64;
                let sum = chunk.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
                (sum.0 / n, sum.1 / n)
            })
            .collect();
        let low = smooth.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = smooth.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        let margin = 0.05 * (high - low).max(1e-6);
        let mut plane = Plane::new(
            &format!("{}: {label} over training", policy.record.name),
            Axis {
                label: match phase {
                    "policy" => "iterations",
                    _ => "steps",
                },
                range: (0.0, points.last().map_or(1.0, |p| p.0)),
                log: false,
            },
            Axis {
                label,
                range: (low - margin, high + margin),
                log: false,
            },
        );
        plane.line(&smooth, Stroke::solid(colour, 2.2), label);
        plots.push((name, plane.finish()));
    }
    plots
}
