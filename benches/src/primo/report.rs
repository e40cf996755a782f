//! The folder that a run leaves for people.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::claims;
use super::page;
use super::ranks::Ranks;
use super::study::Study;
use crate::profile::Section;
use crate::report::{Input, table, write_rows, write_text};
use crate::store;

/// Writes the report into `out` and returns the path of its page.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
    let plots = out.join("plots");
    std::fs::create_dir_all(&plots)
        .with_context(|| format!("cannot create the folder {}", plots.display()))?;
    let study = Study::new(
        &input.experiment.reference_method,
        input.plan,
        input.finished,
    )?;
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let claims = claims::decide(&study, &label);

    store::write_results(&out.join("results.csv"), input.finished)?;
    let rows: Vec<table::Row> = study.views.iter().flat_map(|v| v.rows.clone()).collect();
    table::write_csv(&out.join("summary.csv"), &rows)?;
    write_rows(&out.join("ranks.csv"), rank_rows(&study))?;
    write_rows(&out.join("speedup.csv"), speed_rows(&study))?;
    write_rows(&out.join("replication.csv"), study.replicated.iter())?;
    write_rows(&out.join("runs.csv"), run_rows(input))?;
    input.setup.write(&out.join("SETUP.md"))?;

    for ranks in study.ranks.iter().chain(&study.overall) {
        let file = format!("ranks-{}.svg", ranks.condition);
        write_text(
            &plots.join(file),
            &page::rank_plot(ranks, &label).standalone(),
        )?;
    }
    for view in &study.views {
        let file = format!("{}.svg", page::anchor(view));
        write_text(
            &plots.join(file),
            &page::regret_plot(input, view).standalone(),
        )?;
    }
    let path = out.join("report.html");
    write_text(&path, &page::page(input, &study, &claims))?;
    Ok(path)
}

#[derive(Debug, Serialize)]
struct RankRow {
    condition: String,
    unit: usize,
    method: String,
    rank: f64,
    standard_error: f64,
    seeds: usize,
    problems: usize,
}

fn rank_rows(study: &Study) -> Vec<RankRow> {
    let mut rows = Vec::new();
    for ranks in study.ranks.iter().chain(&study.overall) {
        for unit in 1..=ranks.units {
            for method in &ranks.methods {
                rows.extend(rank_row(ranks, method, unit));
            }
        }
    }
    rows
}

fn rank_row(ranks: &Ranks, method: &str, unit: usize) -> Option<RankRow> {
    let (rank, standard_error) = ranks.at(method, unit)?;
    Some(RankRow {
        condition: ranks.condition.clone(),
        unit,
        method: method.to_owned(),
        rank,
        standard_error,
        seeds: ranks.seeds(),
        problems: ranks.problems.len(),
    })
}

/// One run in one short line: small enough to be kept with the code, where `results.csv` is not.
#[derive(Debug, Serialize)]
struct RunRow<'a> {
    problem: &'a str,
    method: &'a str,
    seed: u32,
    quarter: f64,
    half: f64,
    last: f64,
    optimum: f64,
    suggestions: u32,
    seconds: f64,
}

fn run_rows<'a>(input: &'a Input<'_>) -> impl Iterator<Item = RunRow<'a>> {
    input.finished.iter().map(|(cell, result)| {
        let units = result.steps.len();
        let at = |unit: usize| {
            let step = unit.max(1).checked_sub(1).and_then(|u| result.steps.get(u));
            step.map_or(0.0, |step| significant(step.hypervolume))
        };
        RunRow {
            problem: &cell.problem,
            method: &cell.method,
            seed: cell.seed,
            quarter: at(units / 4),
            half: at(units / 2),
            last: at(units),
            optimum: significant(result.optimum),
            suggestions: result.steps.iter().map(|s| s.suggestions).sum(),
            seconds: (result.method_seconds() * 1e3).round() / 1e3,
        }
    })
}

/// Rounded to seven significant digits.
fn significant(value: f64) -> f64 {
    if value.abs() > 0.0 && value.is_finite() {
        let unit = 10_f64.powi(6 - value.abs().log10().floor() as i32);
        (value * unit).round() / unit
    } else {
        value
    }
}

#[derive(Debug, Serialize)]
struct SpeedRow {
    section: &'static str,
    condition: String,
    problem: String,
    rival: String,
    target_hypervolume: f64,
    rival_cost: usize,
    own_cost: Option<usize>,
    ratio: f64,
}

fn speed_rows(study: &Study) -> Vec<SpeedRow> {
    let all = study.speed.iter().chain(&study.published_speed);
    all.map(|s| SpeedRow {
        section: Section::Main.name(),
        condition: s.condition.clone(),
        problem: s.problem.clone(),
        rival: s.rival.clone(),
        target_hypervolume: s.target,
        rival_cost: s.theirs,
        own_cost: s.ours,
        ratio: s.ratio(),
    })
    .collect()
}
