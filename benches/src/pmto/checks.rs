//! Tables of the checks: offline budget, coverage of the task box, negative transfer, times.

use std::fmt::Write as _;

use super::study::{Group, Moments, OWN_RECIPE, Study};
use super::tables::{END, Label, head, short, with_sd};
use crate::profile::Section;
use crate::report::svg::escape;

/// Medians in the middle of the runs and at their ends.
pub(super) fn budgets(
    out: &mut String,
    study: &Study<'_>,
    groups: &[&Group],
    [problem, method]: [Label<'_>; 2],
) {
    let early = ["ard70", "map", "noise"];
    let mut columns = vec!["problem", "method"];
    let names: Vec<String> = early
        .iter()
        .flat_map(|recipe| ["¼", "½", "all"].map(|part| format!("{recipe}, {part}")))
        .collect();
    columns.extend(names.iter().map(String::as_str));
    head(out, &columns);
    for group in groups {
        for name in study.present(group) {
            let moments = early.iter().flat_map(|recipe| {
                let parts = [
                    Some(group.evaluations / 4),
                    Some(group.evaluations / 2),
                    None,
                ];
                parts.map(|at| Moments::of(&study.quantile(group, (name, recipe), at, 50)))
            });
            let moments: Vec<Option<Moments>> = moments.collect();
            if moments.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(
                out,
                "<tr><th>{}</th><th>{}</th>",
                escape(&problem(&group.problem)),
                escape(&method(name))
            );
            for m in moments {
                let text = m.map_or("–".to_owned(), |m| short(m.mean));
                let _ = write!(out, "<td>{text}</td>");
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str(END);
}

/// How the pools cover the task box, and what that has to do with the errors.
pub(super) fn coverage(
    out: &mut String,
    study: &Study<'_>,
    groups: &[&Group],
    [problem, method]: [Label<'_>; 2],
) {
    head(
        out,
        &[
            "problem",
            "method",
            "tasks",
            "added",
            "on a face",
            "median distance",
            "largest distance",
            "rank correlation",
            "Q95 / Q50",
        ],
    );
    for group in groups {
        for name in study.present(group) {
            let of = |measure: &str| study.moments(group, name, measure).map(|m| m.mean);
            let text = |measure: &str| of(measure).map_or("–".to_owned(), short);
            let percent =
                of("tasks/boundary").map_or("–".to_owned(), |b| format!("{:.0} %", 100.0 * b));
            let quantile =
                |q: u32| Moments::of(&study.quantile(group, (name, OWN_RECIPE), None, q));
            let ratio = match (quantile(95), quantile(50)) {
                (Some(high), Some(middle)) if middle.mean > 0.0 => short(high.mean / middle.mean),
                _ => "–".into(),
            };
            let _ = writeln!(
                out,
                "<tr><th>{}</th><th>{}</th><td>{}</td><td>{}</td><td>{percent}</td><td>{}</td><td>{}</td>\
                 <td>{}</td><td>{ratio}</td></tr>",
                escape(&problem(&group.problem)),
                escape(&method(name)),
                text("tasks/pool"),
                text("tasks/added"),
                text("coverage/median"),
                text("coverage/largest"),
                text("coverage/rank"),
            );
        }
    }
    out.push_str(END);
}

/// Related tasks beside unrelated ones.
pub(super) fn transfer(out: &mut String, study: &Study<'_>, [problem, method]: [Label<'_>; 2]) {
    head(
        out,
        &[
            "problem",
            "method",
            "offline, half",
            "offline, end",
            "online Q50 (map)",
            "lengthscale of solutions",
            "lengthscale of tasks",
        ],
    );
    for group in study.section(Section::Transfer) {
        let end = group.evaluations;
        for name in study.present(group) {
            let text = |measure: &str| {
                let moments = study.moments(group, name, measure);
                moments.map_or("–".to_owned(), with_sd)
            };
            let _ = writeln!(
                out,
                "<tr><th>{}</th><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&problem(&group.problem)),
                escape(&method(name)),
                text(&format!("trace/initial/{}", end / 2)),
                text(&format!("trace/initial/{end}")),
                text("map/q50"),
                text("lengthscale/solution"),
                text("lengthscale/task"),
            );
        }
    }
    out.push_str(END);
}

/// Seconds of a run.
pub(super) fn times(
    out: &mut String,
    study: &Study<'_>,
    groups: &[&Group],
    [problem, method]: [Label<'_>; 2],
) {
    head(
        out,
        &["problem", "method", "ask", "tell", "processor", "measuring"],
    );
    for group in groups {
        for name in study.present(group) {
            let text = |measure: &str| {
                let moments = study.moments(group, name, measure);
                moments.map_or("–".to_owned(), |m| format!("{} s", short(m.mean)))
            };
            let _ = writeln!(
                out,
                "<tr><th>{}</th><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&problem(&group.problem)),
                escape(&method(name)),
                text("seconds/ask"),
                text("seconds/tell"),
                text("seconds/processor"),
                text("seconds/models"),
            );
        }
    }
    out.push_str(END);
}
