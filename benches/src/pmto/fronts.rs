//! Several objectives: one strategy for all tasks against a strategy for each.

use std::fmt::Write as _;

use super::claims::FEWEST;
use super::measure::Measures;
use super::multi;
use super::study::{Group, Moments, Study};
use super::tables::{END, Label, head, short, with_sd};
use crate::cell::{Cell, CellResult};
use crate::claims::{Claim, LEVEL, Verdict};
use crate::methods::{MethodSpec, method};
use crate::profile::Section;
use crate::report::svg::escape;
use crate::stats::rank_sum;

/// Points of the trace that are kept.
const TRACE_POINTS: usize = 10;
/// Families on which the strategy for all tasks must be better.
const FAMILIES: usize = 3;

/// The strategy of ours that chooses its tasks.
const OURS: &str = "multi-pmto";
/// The same with fixed tasks.
const FIXED: &str = "multi-pmto-ft";
/// A strategy for each task.
const ALONE: &str = "alone-qlognehvi";

/// Methods of [`multi`] as the catalogue shows them.
pub const METHODS: &[MethodSpec] = &[
    method(
        "multi-random",
        "Random, several objectives",
        1,
        "uniform solutions of eight fixed tasks",
    ),
    method(
        ALONE,
        "qLogNEHVI, task by task",
        1,
        "independent processes and noisy expected hypervolume improvement on each of eight fixed tasks",
    ),
    method(
        FIXED,
        "Multi-objective PMTO, fixed tasks",
        1,
        "one model of all objectives, solutions and tasks; eight fixed tasks",
    ),
    method(
        OURS,
        "Multi-objective PMTO",
        1,
        "the same, tasks and preferences chosen by the method",
    ),
];

/// Title and description of a problem.
#[must_use]
pub fn describe(problem: &str) -> Option<(String, String)> {
    let text = if problem.starts_with("shifted-") {
        "Two objectives, five inputs, three task parameters; the front's solutions move with the task."
    } else {
        "Two objectives, five inputs, two task parameters that bend the inputs."
    };
    multi::PROBLEMS
        .contains(&problem)
        .then(|| (problem.to_uppercase(), text.to_owned()))
}

/// Whether a method is one of those for several objectives.
#[must_use]
pub fn is_multi(method: &str) -> bool {
    METHODS.iter().any(|m| m.name == method)
}

/// Runs a cell of several objectives.
///
/// # Errors
/// As [`multi::run`].
pub fn run(cell: &Cell, base: u64) -> anyhow::Result<CellResult> {
    let seed = base.wrapping_add(u64::from(cell.seed));
    let evaluations = cell.evaluations as usize;
    let run = multi::run(&cell.problem, &cell.method, seed, evaluations)?;
    let mut measures = Measures::default();
    for (name, value) in run.measures {
        measures.set(format!("front/{name}"), value);
    }
    let rounds = run.trace.len();
    for point in 1..=TRACE_POINTS {
        let round = point * rounds / TRACE_POINTS;
        if let Some(value) = round.checked_sub(1).and_then(|r| run.trace.get(r)) {
            let spent = round * multi::TASKS;
            measures.set(format!("front/trace/{spent:04}"), *value);
        }
    }
    Ok(CellResult {
        measures: measures.finish(),
        ..CellResult::default()
    })
}

/// Measures of the table, with what they are.
const COLUMNS: [(&str, &str); 5] = [
    ("front/offline/half", "offline, half"),
    ("front/offline", "offline, end"),
    ("front/online/nearest", "unseen, nearest front"),
    ("front/online/map", "unseen, map"),
    ("front/online/refined", "unseen, map refined"),
];

/// Relative hypervolumes, problem by problem.
pub(super) fn table(out: &mut String, study: &Study<'_>, [problem, method]: [Label<'_>; 2]) {
    let mut columns = vec!["problem", "method", "seeds"];
    columns.extend(COLUMNS.map(|c| c.1));
    head(out, &columns);
    for group in study.section(Section::Fronts) {
        let methods = study.present(group);
        for name in &methods {
            let _ = write!(
                out,
                "<tr><th>{}</th><th>{}</th><td>{}</td>",
                escape(&problem(&group.problem)),
                escape(&method(name)),
                study.runs(group, name).len()
            );
            for (measure, _) in COLUMNS {
                let of = |m: &str| study.moments(group, m, measure);
                let most = methods
                    .iter()
                    .filter_map(|m| of(m).map(|x| x.mean))
                    .fold(f64::NEG_INFINITY, f64::max);
                let _ = match of(name) {
                    Some(m) if m.mean >= most => {
                        write!(out, "<td class=\"best\">{}</td>", with_sd(m))
                    }
                    Some(m) => write!(out, "<td>{}</td>", with_sd(m)),
                    None => write!(out, "<td>–</td>"),
                };
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str(END);
}

/// The best of several measures of a method by its mean, larger is better.
fn best(
    study: &Study<'_>,
    group: &Group,
    method: &str,
    measures: &[&'static str],
) -> Option<(&'static str, Vec<f64>)> {
    measures
        .iter()
        .filter_map(|measure| {
            let values = study.values(group, method, measure);
            let mean = Moments::of(&values)?.mean;
            Some((*measure, values, mean))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2))
        .map(|(measure, values, _)| (measure, values))
}

/// On how many families one strategy for all tasks is better than one for each.
pub(super) fn claims(study: &Study<'_>, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    const ONLINE: [&str; 3] = [
        "front/online/nearest",
        "front/online/map",
        "front/online/refined",
    ];
    let mut claims = Vec::new();
    for (method, measures, what) in [
        (FIXED, &["front/offline"][..], "on the tasks evaluated"),
        (
            OURS,
            &ONLINE[..],
            "on unseen tasks, both by the same kinds of map",
        ),
    ] {
        let (mut won, mut decided) = (0, 0);
        let mut notes = Vec::new();
        for group in study.section(Section::Fronts) {
            let (Some((how, ours)), Some((their_how, theirs))) = (
                best(study, group, method, measures),
                best(study, group, ALONE, measures),
            ) else {
                continue;
            };
            let test = rank_sum(&ours, &theirs);
            let decidable = ours.len() >= FEWEST && theirs.len() >= FEWEST;
            decided += usize::from(decidable);
            // Larger is better here.
            won += usize::from(decidable && test.loses(LEVEL));
            let mean = |values: &[f64]| Moments::of(values).map_or(f64::NAN, |m| m.mean);
            let name = |measure: &str| measure.trim_start_matches("front/").to_owned();
            notes.push(format!(
                "{}: {} ({}) against {} ({}), p = {:.3}",
                group.problem,
                short(mean(&ours)),
                name(how),
                short(mean(&theirs)),
                name(their_how),
                test.p
            ));
        }
        if notes.is_empty() {
            continue;
        }
        let verdict = match (won >= FAMILIES, decided >= FAMILIES) {
            (true, _) => Verdict::Holds,
            (false, true) => Verdict::Fails,
            (false, false) => Verdict::Open,
        };
        claims.push(Claim {
            statement: format!("{} is better than {} {what}", label(method), label(ALONE)),
            source: "the paper's open question",
            rule: "holds when the relative hypervolume is significantly larger on at least three families \
                   (rank-sum, 0.05), each by the best of its ways to answer",
            problem: String::new(),
            verdict,
            test: None,
            note: format!("{won} of {}; {}", notes.len(), notes.join("; ")),
        });
    }
    claims
}
