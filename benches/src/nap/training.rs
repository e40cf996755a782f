//! Training curves and what training cost.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::policies::Record;
use crate::report::plane::{Axis, Plane};
use crate::report::svg::{Drawing, Stroke};
use crate::report::{rounded, write_rows};

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

/// The policies of these recipes: those in the folder of a run with their curves, others as recorded, in
/// the order of their names.
///
/// # Errors
/// If a file of a finished policy cannot be read.
pub fn trained(
    out: &Path,
    keys: &BTreeSet<String>,
    recorded: &[Record],
) -> anyhow::Result<Vec<Trained>> {
    let mut all = Vec::new();
    // No folder: nothing was trained here.
    for entry in std::fs::read_dir(out.join("policies"))
        .into_iter()
        .flatten()
    {
        let path = entry.context("cannot list the policies")?.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let context = || format!("{} is no record of a policy", path.display());
        let record: Record =
            serde_json::from_slice(&std::fs::read(&path)?).with_context(context)?;
        // Others may have been trained in this folder before.
        if keys.contains(&record.key) {
            let mut reader = csv::Reader::from_path(path.with_extension("csv"))?;
            let rows = reader.deserialize().collect::<Result<_, _>>()?;
            all.push(Trained { record, rows });
        }
    }
    for record in recorded {
        let known = |t: &Trained| t.record.key == record.key;
        if keys.contains(&record.key) && !all.iter().any(known) {
            let (record, rows) = (record.clone(), Vec::new());
            all.push(Trained { record, rows });
        }
    }
    all.sort_by(|a, b| a.record.name.cmp(&b.record.name));
    Ok(all)
}

/// A line of `training.csv`.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    name: String,
    family: String,
    variant: String,
    key: String,
    parameters: usize,
    warm_up_steps: u64,
    iterations: u64,
    decisions: u64,
    processor_hours: f64,
    hours: f64,
    /// Three lists of numbers with blanks between them.
    validation_policy: String,
    validation_expected_improvement: String,
    validation_random: String,
}

/// Writes the records of policies as a table, which [`read`] reads again.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, trained: &[Trained]) -> anyhow::Result<()> {
    let list = |values: &[f64]| {
        let texts: Vec<String> = values.iter().map(|v| rounded(*v).to_string()).collect();
        texts.join(" ")
    };
    let line = |t: &Trained| {
        let r = &t.record;
        let [policy, improvement, random] = &r.validation;
        Line {
            name: r.name.clone(),
            family: r.family.clone(),
            variant: r.variant.clone(),
            key: r.key.clone(),
            parameters: r.parameters,
            warm_up_steps: r.steps[0],
            iterations: r.steps[1],
            decisions: r.decisions,
            processor_hours: rounded(r.processor_seconds / 3600.0),
            hours: rounded(r.seconds / 3600.0),
            validation_policy: list(policy),
            validation_expected_improvement: list(improvement),
            validation_random: list(random),
        }
    };
    write_rows(path, trained.iter().map(line))
}

/// The records in a `training.csv`; none if there is no such file.
///
/// # Errors
/// If it is damaged.
pub fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let context = || format!("{} is no table of policies", path.display());
    let list = |text: &str| -> anyhow::Result<Vec<f64>> {
        let numbers = text.split(' ').filter(|part| !part.is_empty());
        let numbers = numbers.map(str::parse::<f64>);
        Ok(numbers.collect::<Result<_, _>>()?)
    };
    let mut reader = csv::Reader::from_path(path).with_context(context)?;
    let record = |line: Result<Line, csv::Error>| -> anyhow::Result<Record> {
        let line = line?;
        Ok(Record {
            validation: [
                list(&line.validation_policy)?,
                list(&line.validation_expected_improvement)?,
                list(&line.validation_random)?,
            ],
            name: line.name,
            family: line.family,
            variant: line.variant,
            key: line.key,
            parameters: line.parameters,
            steps: [line.warm_up_steps, line.iterations],
            decisions: line.decisions,
            processor_seconds: 3600.0 * line.processor_hours,
            seconds: 3600.0 * line.hours,
        })
    };
    let records = reader.deserialize().map(record);
    records.collect::<Result<_, _>>().with_context(context)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let record = Record {
            name: "gp-nap".into(),
            family: "gp".into(),
            variant: "nap".into(),
            key: "0123456789abcdef".into(),
            parameters: 12,
            steps: [3, 4],
            decisions: 5,
            processor_seconds: 7200.0,
            seconds: 3600.0,
            validation: [vec![0.5, 0.25], vec![1e-7, f64::NAN], Vec::new()],
        };
        let path = std::env::temp_dir().join(format!("training-{}.csv", std::process::id()));
        let rows = Vec::new();
        write(&path, &[Trained { record, rows }]).expect("written");
        let back = read(&path).expect("read");
        std::fs::remove_file(&path).expect("removed");
        assert!(read(&path).expect("nothing to read").is_empty());
        let keys = |key: &str| BTreeSet::from([key.to_owned()]);
        let shown = |key: &str| trained(Path::new("/nowhere"), &keys(key), &back).expect("read");
        assert!(shown("another").is_empty());
        let [one] = &shown("0123456789abcdef")[..] else {
            panic!("one policy");
        };
        assert_eq!(one.record.steps, [3, 4]);
        assert!((one.record.processor_seconds - 7200.0).abs() < 1e-9);
        assert_eq!(one.record.validation[0], [0.5, 0.25]);
        assert!(one.record.validation[1][1].is_nan() && one.record.validation[2].is_empty());
    }
}
