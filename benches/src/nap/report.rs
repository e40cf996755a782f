//! The folder that a run leaves for people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::claims;
use super::controls::{self, Loop, Records};
use super::curves::{self, Shown};
use super::families::{FamilySpec, Hall, Halls};
use super::page;
use super::study::{Group, Study, duels};
use super::training::{self, Trained};
use crate::claims::Claim;
use crate::profile::Section;
use crate::report::{Input, rounded, write_rows, write_text};
use crate::store;

/// Everything that is computed once and shown in several places.
pub struct Digest<'a> {
    /// The runs.
    pub study: Study<'a>,
    /// Decided.
    pub claims: Vec<Claim>,
    /// How open-loop methods are.
    pub loops: Vec<Loop>,
    /// Lemma 3.1.
    pub records: Vec<Records>,
    /// Policies with their curves.
    pub trained: Vec<Trained>,
}

/// Writes the report into `out` and returns the path of its page.
///
/// # Errors
/// When a file cannot be written, or that of a policy cannot be read.
pub fn write(
    out: &Path,
    input: &Input<'_>,
    halls: &Halls,
    trained: Vec<Trained>,
) -> anyhow::Result<PathBuf> {
    let folder = out.join("plots");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    // First of all what took hours.
    store::write_results(&out.join("results.csv"), input.finished)?;
    let reference = &input.experiment.reference_method;
    let study = Study::new(input.plan, input.finished);
    let mut loops = Vec::new();
    for group in study.section(Section::Main) {
        loops.extend(controls::loops(
            group,
            hall(halls, &group.entry.problem).as_deref(),
        ));
    }
    let mut claims = Vec::new();
    for group in study.section(Section::Main) {
        let own: Vec<Loop> = loops
            .iter()
            .filter(|l| l.problem == group.entry.problem)
            .cloned()
            .collect();
        claims.extend(claims::decide(group, reference, &own));
    }
    claims.sort_by(|a, b| a.statement.cmp(&b.statement));
    let tables = study.groups.iter().map(|g| hall(halls, &g.entry.problem));
    let tables = tables.flatten().find(|h| h.spec.data().is_some());
    let digest = Digest {
        claims,
        loops,
        records: controls::records(tables.as_deref()),
        trained,
        study,
    };

    write_rows(&out.join("summary.csv"), summary_rows(&digest.study))?;
    write_rows(&out.join("tests.csv"), test_rows(&digest.study, reference))?;
    write_rows(&out.join("controls.csv"), digest.loops.iter())?;
    write_rows(&out.join("records.csv"), digest.records.iter())?;
    training::write(&out.join("training.csv"), &digest.trained)?;
    input.setup.write(&out.join("SETUP.md"))?;
    let label = |m: &str| input.catalogue.describe_method(m).0;
    for group in &digest.study.groups {
        for (shown, name) in [(Shown::Regret, "regret"), (Shown::Rank, "rank")] {
            let title = page::plot_title(input, group, shown);
            let drawing = curves::plot(group, shown, &title, &label);
            let file = format!(
                "{}-{}-{name}.svg",
                group.entry.section.name(),
                group.entry.problem
            );
            write_text(&folder.join(file), &drawing.standalone())?;
        }
    }
    for policy in &digest.trained {
        for (name, drawing) in training::plots(policy) {
            let file = format!("training-{}-{name}.svg", policy.record.name);
            write_text(&folder.join(file), &drawing.standalone())?;
        }
    }
    let path = out.join("report.html");
    write_text(&path, &page::page(input, &digest))?;
    Ok(path)
}

/// A family; none without its data, which a report of recorded runs can do without.
fn hall(halls: &Halls, name: &str) -> Option<std::sync::Arc<Hall>> {
    let spec = FamilySpec::find(name)?;
    halls.get(spec).ok()
}

/// One line for each family, method and comparison point.
#[derive(Debug, Serialize)]
struct SummaryRow<'a> {
    section: &'static str,
    problem: &'a str,
    method: &'a str,
    evaluations: u32,
    runs: usize,
    mean_regret: f64,
    error: Option<f64>,
    mean_rank: Option<f64>,
    rank_error: Option<f64>,
    seconds_per_proposal: f64,
}

fn summary_rows<'a>(study: &'a Study<'_>) -> Vec<SummaryRow<'a>> {
    let mut rows = Vec::new();
    for group in &study.groups {
        let ranks: BTreeMap<_, _> = group.ranks().into_iter().collect();
        for (method, _) in &group.methods {
            let curve = group.curve(method);
            for at in group.points() {
                let place = at as usize - 1;
                let rank = ranks.get(method).map(|r| r[place]);
                let finite = |v: f64| v.is_finite().then_some(rounded(v));
                rows.push(SummaryRow {
                    section: group.entry.section.name(),
                    problem: &group.entry.problem,
                    method,
                    evaluations: at,
                    runs: group.common.len(),
                    mean_regret: rounded(curve[place].0),
                    error: finite(curve[place].1),
                    mean_rank: rank.map(|r| rounded(r.0)),
                    rank_error: rank.and_then(|r| finite(r.1)),
                    seconds_per_proposal: rounded(seconds(group, method)),
                });
            }
        }
    }
    rows
}

/// Mean seconds of a proposal, learning from the last outcome included.
pub(super) fn seconds(group: &Group<'_>, method: &str) -> f64 {
    let runs = group.runs(method);
    let steps = runs
        .into_iter()
        .flat_map(|runs| runs.values())
        .flat_map(|result| result.steps.iter().skip(super::lab::INITIAL));
    let (sum, count) = steps.fold((0.0, 0.0), |(s, n), step| {
        (s + step.ask_seconds + step.tell_seconds, n + 1.0)
    });
    sum / f64::max(count, 1.0)
}

#[derive(Debug, Serialize)]
struct TestRow<'a> {
    section: &'static str,
    problem: &'a str,
    method: String,
    evaluations: u32,
    mean_difference: f64,
    won: usize,
    lost: usize,
    tied: usize,
    p: f64,
    tasks_won: usize,
    tasks_lost: usize,
    tasks_p: f64,
}

fn test_rows<'a>(study: &'a Study<'_>, reference: &str) -> Vec<TestRow<'a>> {
    let mut rows = Vec::new();
    for group in &study.groups {
        for duel in duels(group, reference) {
            rows.push(TestRow {
                section: group.entry.section.name(),
                problem: &group.entry.problem,
                method: duel.method,
                evaluations: duel.at,
                mean_difference: rounded(duel.difference),
                won: duel.pairs.0.wins,
                lost: duel.pairs.0.losses,
                tied: duel.pairs.0.ties,
                p: rounded(duel.pairs.1),
                tasks_won: duel.tasks.0.wins,
                tasks_lost: duel.tasks.0.losses,
                tasks_p: rounded(duel.tasks.1),
            });
        }
    }
    rows
}
