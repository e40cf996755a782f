//! Numbers of a report: one row per problem and method, as CSV and as HTML.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::svg::escape;
use crate::claims::{LEVEL, error_text, p_text};
use crate::results::{ProblemCurves, Score};
use crate::stats;

/// Final numbers of one method on one problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// As in the profile.
    pub section: &'static str,
    /// Under which expert priors, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Name of the problem.
    pub problem: String,
    /// Name of the method.
    pub method: String,
    /// Number of finished seeds.
    pub seeds: usize,
    /// Number of evaluations.
    pub evaluations: u32,
    /// Mean of log10 regret after the last evaluation.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Median of log10 regret.
    pub median: f64,
    /// First quartile.
    pub lower_quartile: f64,
    /// Third quartile.
    pub upper_quartile: f64,
    /// Median of log10 regret after ten evaluations (or the last, if fewer).
    pub median_at_10: f64,
    /// Mean over seeds of the rank among the methods, 1 is best.
    pub rank: f64,
    /// Seeds on which it beats the reference method.
    pub wins: usize,
    /// Seeds on which the reference method beats it.
    pub losses: usize,
    /// The rest.
    pub ties: usize,
    /// Two-sided signed-rank test against the reference method; empty for itself.
    pub p: Option<f64>,
    /// The same after Holm's correction over the methods of the problem.
    pub p_holm: Option<f64>,
    /// Median paired difference to the reference method; positive is worse.
    pub difference: Option<f64>,
    /// Direction of the signed ranks of these differences; not in the CSV file.
    #[serde(skip)]
    pub direction: Option<Ordering>,
    /// Mean seconds to build the method.
    pub setup_seconds: f64,
    /// Mean seconds of a proposal.
    pub ask_seconds: f64,
    /// Mean seconds to take in an outcome.
    pub tell_seconds: f64,
}

/// The rows of one problem, every method compared with `reference`.
#[must_use]
pub fn rows(curves: &ProblemCurves, reference: &str) -> Vec<Row> {
    let last = curves.entry.evaluations as usize;
    let common: Vec<u32> = curves
        .methods
        .first()
        .into_iter()
        .flat_map(|m| m.curves.keys().copied())
        .filter(|seed| curves.methods.iter().all(|m| m.curves.contains_key(seed)))
        .collect();
    let finals: Vec<Vec<f64>> = common
        .iter()
        .map(|seed| {
            curves
                .methods
                .iter()
                .filter_map(|m| m.curves[seed].last().copied())
                .collect()
        })
        .collect();
    let ranks = stats::average_ranks(&finals);
    let end = Score::At(last);
    let tests: Vec<_> = curves
        .methods
        .iter()
        .map(|m| match m.method == reference {
            true => None,
            false => curves.compare((&m.method, end), (reference, end)),
        })
        .collect();
    let raw: Vec<f64> = tests.iter().flatten().map(|t| t.p).collect();
    let mut corrected = stats::holm(&raw).into_iter();
    let mut rows = Vec::new();
    for (index, (m, test)) in curves.methods.iter().zip(tests).enumerate() {
        let values = m.at(last);
        let (mean, standard_error) = stats::mean_and_error(&values);
        rows.push(Row {
            section: curves.entry.section.name(),
            condition: curves.entry.conditions.first().cloned(),
            problem: curves.entry.problem.clone(),
            method: m.method.clone(),
            seeds: m.curves.len(),
            evaluations: curves.entry.evaluations,
            mean,
            standard_error,
            median: stats::median(&values),
            lower_quartile: stats::quantile(&values, 0.25),
            upper_quartile: stats::quantile(&values, 0.75),
            median_at_10: stats::median(&m.at(last.min(10))),
            rank: ranks.get(index).copied().unwrap_or(f64::NAN),
            wins: test.map_or(0, |t| t.wins),
            losses: test.map_or(0, |t| t.losses),
            ties: test.map_or(0, |t| t.ties),
            p: test.map(|t| t.p),
            p_holm: test.and_then(|_| corrected.next()),
            difference: test.map(|t| t.median_difference),
            direction: test.map(|t| t.direction),
            setup_seconds: m.setup_seconds,
            ask_seconds: m.ask_seconds,
            tell_seconds: m.tell_seconds,
        });
    }
    rows
}

/// Writes rows as CSV.
///
/// # Errors
/// When the file cannot be written.
pub fn write_csv(path: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(context)?;
    for row in rows {
        writer.serialize(row).with_context(context)?;
    }
    writer.flush().with_context(context)
}

/// How a row compares with the reference method: a class for the style sheet and a mark.
fn mark(row: &Row) -> (&'static str, &'static str) {
    match (row.p_holm, row.direction) {
        (Some(p), Some(Ordering::Greater)) if p < LEVEL => ("worse", "▼"),
        (Some(p), Some(Ordering::Less)) if p < LEVEL => ("better", "▲"),
        (Some(_), _) => ("same", "≈"),
        (None, _) => ("own", "●"),
    }
}

/// The final table of one problem.
#[must_use]
pub fn html(rows: &[Row], label: &dyn Fn(&str) -> String, reference: &str) -> String {
    let best = rows.iter().map(|r| r.median).fold(f64::INFINITY, f64::min);
    let mut out = String::from("<div class=\"scroll\"><table class=\"numbers\"><thead><tr>");
    let reference = label(reference);
    for (head, tip) in [
        ("method", ""),
        ("seeds", "finished seeds"),
        (
            "log₁₀ regret",
            "mean ± standard error after the last evaluation",
        ),
        ("median", "median relative regret after the last evaluation"),
        (
            "quartiles",
            "first and third quartile of the relative regret",
        ),
        (
            "median at 10",
            "median relative regret after ten evaluations",
        ),
        ("rank", "mean rank over seeds, 1 is best"),
        (
            "W / L / T",
            "seeds won, lost and tied against the reference method",
        ),
        (
            "p",
            "Wilcoxon signed-rank test, paired by seed, after Holm's correction",
        ),
        (
            "meta-fit",
            "seconds to build the method, fitting to meta-data included",
        ),
        ("step", "mean seconds of one model update and proposal"),
    ] {
        let text = match head {
            "W / L / T" | "p" => format!("{head} vs {reference}"),
            _ => head.to_owned(),
        };
        let _ = write!(out, "<th title=\"{}\">{}</th>", escape(tip), escape(&text));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        let (class, mark) = mark(row);
        let bold = if row.median <= best + 1e-12 {
            " class=\"best\""
        } else {
            ""
        };
        let versus = match row.p_holm {
            Some(p) => format!(
                "<td>{} / {} / {}</td><td class=\"{class}\">{} {mark}</td>",
                row.wins,
                row.losses,
                row.ties,
                p_text(p)
            ),
            None => "<td>–</td><td>–</td>".to_owned(),
        };
        let _ = writeln!(
            out,
            "<tr class=\"row-{class}\"><th>{}</th><td>{}</td><td>{:.2} ± {}</td>\
             <td{bold}>{}</td><td>{} – {}</td><td>{}</td><td>{}</td>{versus}\
             <td>{}</td><td>{}</td></tr>",
            escape(&label(&row.method)),
            row.seeds,
            row.mean,
            error_text(row.standard_error),
            percent(row.median),
            percent(row.lower_quartile),
            percent(row.upper_quartile),
            percent(row.median_at_10),
            rank_text(row.rank),
            seconds(row.setup_seconds),
            seconds(row.ask_seconds + row.tell_seconds),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Methods × problems (title, anchor, rows): median regret at the end, marked against the reference
/// method.
#[must_use]
pub fn overview(
    tables: &[(String, String, Vec<Row>)],
    methods: &[String],
    label: &dyn Fn(&str) -> String,
) -> String {
    let mut out =
        String::from("<div class=\"scroll\"><table class=\"overview\"><thead><tr><th></th>");
    for (title, anchor, _) in tables {
        let _ = write!(
            out,
            "<th><a href=\"#{}\">{}</a></th>",
            escape(anchor),
            escape(title)
        );
    }
    out.push_str("<th>mean rank</th></tr></thead><tbody>\n");
    for method in methods {
        let _ = write!(out, "<tr><th>{}</th>", escape(&label(method)));
        let mut ranks = Vec::new();
        for (_, _, rows) in tables {
            let best = rows.iter().map(|r| r.median).fold(f64::INFINITY, f64::min);
            match rows.iter().find(|r| r.method == *method) {
                Some(row) => {
                    ranks.push(row.rank);
                    let (class, mark) = mark(row);
                    let best = if row.median <= best + 1e-12 {
                        " best"
                    } else {
                        ""
                    };
                    let _ = write!(
                        out,
                        "<td class=\"{class}{best}\">{} <span>{mark}</span></td>",
                        percent(row.median)
                    );
                }
                None => out.push_str("<td class=\"none\">–</td>"),
            }
        }
        let (mean, _) = stats::mean_and_error(&ranks);
        let _ = writeln!(out, "<td>{}</td></tr>", rank_text(mean));
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn rank_text(rank: f64) -> String {
    if rank.is_finite() {
        format!("{rank:.1}")
    } else {
        "–".into()
    }
}

/// A relative regret, given as its logarithm, in per cent with two significant digits.
fn percent(log10: f64) -> String {
    let value = 100.0 * 10_f64.powf(log10);
    match value {
        v if !v.is_finite() => "–".into(),
        v if v >= 9.95 => format!("{v:.0} %"),
        v if v >= 0.995 => format!("{v:.1} %"),
        v if v >= 0.0995 => format!("{v:.2} %"),
        v if v >= 0.009_95 => format!("{v:.3} %"),
        v if v >= 0.000_995 => format!("{v:.4} %"),
        v => format!("{v:.0e} %"),
    }
}

fn seconds(value: f64) -> String {
    match value {
        v if v >= 10.0 => format!("{v:.0} s"),
        v if v >= 0.1 => format!("{v:.2} s"),
        v if v >= 1e-3 => format!("{:.1} ms", 1e3 * v),
        v => format!("{:.2} ms", 1e3 * v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(percent(0.0), "100 %");
        assert_eq!(percent(-2.0), "1.0 %");
        assert_eq!(percent(-2.5), "0.32 %");
        assert_eq!(percent(-3.2), "0.063 %");
        assert_eq!(seconds(0.0123), "12.3 ms");
        assert_eq!(seconds(12.3), "12 s");
    }
}
