//! The folder that a run leaves for people.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::claims;
use super::gains::{self, Gain};
use super::gallery::{self, Picture};
use super::page;
use super::quantile_page;
use super::replication::{Replicated, replicate};
use super::study::{Group, Moments, Study};
use super::tables::table_recipes;
use super::traces::{self, Over};
use super::wins::{Choice, count};
use crate::claims::Claim;
use crate::profile::Section;
use crate::report::{Input, rounded, write_rows, write_text};
use crate::store;

/// Everything that is computed once and shown in several places.
pub struct Digest<'a> {
    /// The runs.
    pub study: Study<'a>,
    /// Beside the released runs.
    pub replicated: Vec<Replicated>,
    /// Decided.
    pub claims: Vec<Claim>,
    /// The check of the statement on information gain.
    pub gains: Vec<Gain>,
    /// Task models to look at.
    pub pictures: Vec<Picture>,
}

/// Writes the report into `out` and returns the path of its page.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, input: &Input<'_>) -> anyhow::Result<PathBuf> {
    let plots = out.join("plots");
    std::fs::create_dir_all(&plots)
        .with_context(|| format!("cannot create the folder {}", plots.display()))?;
    // First of all what took hours.
    store::write_measures(&out.join("measures.csv"), input.finished)?;
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let study = Study::new(input.plan, input.finished);
    let replicated = replicate(&study)?;
    let reference = &input.experiment.reference_method;
    let most = study
        .groups
        .iter()
        .map(|g| g.evaluations)
        .max()
        .unwrap_or(0);
    let digest = Digest {
        claims: claims::decide(&study, &replicated, reference, &label),
        gains: gains::table()?,
        pictures: gallery::pictures(most)?,
        replicated,
        study,
    };

    write_rows(&out.join("summary.csv"), summary_rows(&digest.study))?;
    write_rows(&out.join("traces.csv"), trace_rows(&digest.study))?;
    write_rows(&out.join("wins.csv"), win_rows(&digest.study))?;
    write_rows(&out.join("replication.csv"), digest.replicated.iter())?;
    write_rows(&out.join("gains.csv"), digest.gains.iter())?;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    write_text(
        &out.join("quantiles.md"),
        &quantile_page::page(&digest.study, &problem, &label),
    )?;
    input.setup.write(&out.join("SETUP.md"))?;
    for picture in &digest.pictures {
        let file = format!("{}.svg", picture.name);
        write_text(&plots.join(file), &picture.drawing.standalone())?;
    }
    let begun = |g: &&Group| g.section != Section::Fronts && !digest.study.present(g).is_empty();
    for group in digest.study.groups.iter().filter(begun) {
        let title = page::trace_title(input, group);
        let drawing = traces::plot(&digest.study, group, &title, &label);
        let file = format!("offline-{}-{}.svg", group.section.name(), group.problem);
        write_text(&plots.join(file), &drawing.standalone())?;
    }
    let path = out.join("report.html");
    write_text(&path, &page::page(input, &digest))?;
    Ok(path)
}

/// One line for each problem, method and recipe, at the end and in the middle.
#[derive(Debug, Serialize)]
struct SummaryRow<'a> {
    section: &'static str,
    problem: &'a str,
    method: &'a str,
    recipe: &'static str,
    evaluations: u32,
    seeds: usize,
    mean_q05: f64,
    sd_q05: Option<f64>,
    mean_q25: f64,
    sd_q25: Option<f64>,
    mean_q50: f64,
    sd_q50: Option<f64>,
    mean_q75: f64,
    sd_q75: Option<f64>,
    mean_q95: f64,
    sd_q95: Option<f64>,
}

fn summary_rows<'a>(study: &'a Study<'_>) -> Vec<SummaryRow<'a>> {
    let mut rows = Vec::new();
    for group in &study.groups {
        let moments = [group.evaluations / 4, group.evaluations / 2].map(Some);
        for method in study.present(group) {
            for recipe in table_recipes() {
                for at in moments.into_iter().chain([None]) {
                    let of = |q| Moments::of(&study.quantile(group, (method, recipe), at, q));
                    let row = [5, 25, 50, 75, 95].map(of);
                    let [Some(a), Some(b), Some(c), Some(d), Some(e)] = row else {
                        continue;
                    };
                    let sd = |m: Moments| m.sd.is_finite().then_some(rounded(m.sd));
                    rows.push(SummaryRow {
                        section: group.section.name(),
                        problem: &group.problem,
                        method,
                        recipe,
                        evaluations: at.unwrap_or(group.evaluations),
                        seeds: study.runs(group, method).len(),
                        mean_q05: rounded(a.mean),
                        sd_q05: sd(a),
                        mean_q25: rounded(b.mean),
                        sd_q25: sd(b),
                        mean_q50: rounded(c.mean),
                        sd_q50: sd(c),
                        mean_q75: rounded(d.mean),
                        sd_q75: sd(d),
                        mean_q95: rounded(e.mean),
                        sd_q95: sd(e),
                    });
                }
            }
        }
    }
    rows
}

#[derive(Debug, Serialize)]
struct TraceRow<'a> {
    section: &'static str,
    problem: &'a str,
    method: &'a str,
    over: &'static str,
    evaluations: u32,
    mean: f64,
    sd: Option<f64>,
}

fn trace_rows<'a>(study: &'a Study<'_>) -> Vec<TraceRow<'a>> {
    let mut rows = Vec::new();
    for group in &study.groups {
        for method in study.present(group) {
            for over in [Over::Initial, Over::Pool] {
                for (evaluations, m) in traces::trace(study, group, method, over) {
                    rows.push(TraceRow {
                        section: group.section.name(),
                        problem: &group.problem,
                        method,
                        over: over.name(),
                        evaluations,
                        mean: rounded(m.mean),
                        sd: m.sd.is_finite().then_some(rounded(m.sd)),
                    });
                }
            }
        }
    }
    rows
}

#[derive(Debug, Serialize)]
struct WinRow<'a> {
    section: &'static str,
    first: &'a str,
    second: &'a str,
    recipes: &'static str,
    first_better: usize,
    second_better: usize,
    cells: usize,
}

/// Every pair of methods that share a problem, once.
fn win_rows<'a>(study: &'a Study<'_>) -> Vec<WinRow<'a>> {
    let mut rows = Vec::new();
    for section in [Section::Main, Section::Cases] {
        let groups = study.section(section);
        let mut methods: Vec<&str> = Vec::new();
        for method in groups.iter().flat_map(|g| study.present(g)) {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        for (index, first) in methods.iter().enumerate() {
            for second in &methods[index + 1..] {
                for choice in Choice::all() {
                    let count = count(study, &groups, [first, second], choice);
                    if count.cells > 0 {
                        rows.push(WinRow {
                            section: section.name(),
                            first,
                            second,
                            recipes: choice.name(),
                            first_better: count.better,
                            second_better: count.worse,
                            cells: count.cells,
                        });
                    }
                }
            }
        }
    }
    rows
}
