//! What the pages of all experiments have in common.

use std::fmt::Write as _;

use super::Input;
use super::svg::escape;
use crate::cell::{Cell, CellResult};
use crate::claims::{Claim, Verdict, p_text};

const CSS: &str = include_str!("style.css");

/// The head of a page up to its body, with a switch between the named views.
pub(crate) fn start(title: &str, views: &[&str]) -> String {
    let title = escape(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
    );
    for (index, view) in views.iter().enumerate() {
        let checked = if index == 0 { " checked" } else { "" };
        let _ = writeln!(
            out,
            "<input class=\"switch\" type=\"radio\" name=\"band\" id=\"show-{view}\"{checked}>"
        );
    }
    out
}

/// Title, links and counts.
pub(crate) fn header(
    out: &mut String,
    input: &Input<'_>,
    claims: &[Claim],
    links: &[(&str, &str, bool)],
) {
    let profile = &input.experiment.profiles[input.profile];
    let count = |verdict| claims.iter().filter(|c| c.verdict == verdict).count();
    let _ = write!(
        out,
        "<header>\n<h1>{}</h1>\n<p class=\"soft\">Reproduction of {}, profile <b>{}</b>. {}</p>\n<nav>",
        escape(&input.experiment.title),
        escape(&input.experiment.paper),
        escape(input.profile),
        escape(&profile.summary)
    );
    for (id, text, shown) in links {
        if *shown {
            let _ = write!(out, "<a href=\"#{id}\">{text}</a> ");
        }
    }
    let count_of = |(cell, result): (&Cell, &CellResult)| match result.measures.is_empty() {
        true => result.steps.iter().map(|s| s.suggestions).sum(),
        false => cell.evaluations,
    };
    let evaluations: u32 = input.finished.iter().map(count_of).sum();
    let seconds: f64 = input.finished.values().map(|r| r.method_seconds()).sum();
    let time = if seconds < 5400.0 {
        format!("{:.0} min", (seconds / 60.0).ceil())
    } else {
        format!("{:.1} h", seconds / 3600.0)
    };
    out.push_str("</nav>\n<div class=\"cards\">\n");
    for (number, text) in [
        (input.finished.len().to_string(), "finished runs"),
        (evaluations.to_string(), "evaluations"),
        (time, "spent inside the methods"),
        (count(Verdict::Holds).to_string(), "claims hold"),
        (count(Verdict::Fails).to_string(), "do not hold"),
        (count(Verdict::Open).to_string(), "not decidable"),
    ] {
        let _ = writeln!(
            out,
            "<div class=\"card\"><b>{number}</b><span>{text}</span></div>"
        );
    }
    out.push_str("</div>\n</header>\n");
}

/// What is missing, and why.
pub(crate) fn notices(out: &mut String, input: &Input<'_>) {
    if input.left > 0 {
        let _ = writeln!(
            out,
            "<div class=\"notice\"><b>{} runs are still to come.</b> The numbers below use complete \
             seeds only; the same command goes on where it stopped.</div>",
            input.left
        );
    }
    if !input.plan.skipped.is_empty() {
        out.push_str("<div class=\"notice\"><b>Not run:</b><ul>\n");
        for (problem, reason) in &input.plan.skipped {
            let (title, _) = input.catalogue.describe_problem(problem);
            let _ = writeln!(out, "<li>{}: {}</li>", escape(&title), escape(reason));
        }
        out.push_str("</ul></div>\n");
    }
    if !input.failures.is_empty() {
        let _ = writeln!(
            out,
            "<div class=\"notice\"><b>{} runs failed:</b><ul>",
            input.failures.len()
        );
        for (cell, reason) in input.failures.iter().take(20) {
            let _ = writeln!(
                out,
                "<li>{}: {}</li>",
                escape(&cell.label()),
                escape(reason)
            );
        }
        out.push_str("</ul></div>\n");
    }
}

/// Every claim with its verdict.
pub(crate) fn claims(out: &mut String, input: &Input<'_>, claims: &[Claim]) {
    out.push_str(
        "<h2 id=\"claims\">Claims</h2>\n<p>Each claim is decided by a rule that the code states for \
         all runs; the p-values are two-sided, paired by seed, and corrected over the problems of the \
         claim. Differences are in log10 of the relative regret: −0.30 is half the regret, −1 a \
         tenth.</p>\n<div class=\"scroll\"><table class=\"claims\"><thead><tr><th>claim</th>\
         <th>problem</th><th>verdict</th><th title=\"median paired difference\">difference</th>\
         <th title=\"seeds won, lost, tied\">W / L / T</th><th>p</th><th>further</th></tr></thead><tbody>\n",
    );
    if claims.is_empty() {
        out.push_str("<tr><td colspan=\"7\">no claim can be tested with these results</td></tr>\n");
    }
    for (index, claim) in claims.iter().enumerate() {
        out.push_str("<tr>");
        let first = index == 0 || claims[index - 1].statement != claim.statement;
        if first {
            let span = claims[index..]
                .iter()
                .take_while(|c| c.statement == claim.statement)
                .count();
            let _ = write!(
                out,
                "<td class=\"statement\" rowspan=\"{span}\">{}<small>{}; {}</small></td>",
                escape(&claim.statement),
                escape(claim.source),
                escape(claim.rule)
            );
        }
        let (title, _) = input.catalogue.describe_problem(&claim.problem);
        let class = match claim.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Open => "open",
        };
        let numbers = match &claim.test {
            Some((test, p)) => format!(
                "<td class=\"n\">{}</td><td class=\"n\">{} / {} / {}</td><td class=\"n\">{}</td>",
                format!("{:+.2}", test.median_difference).replace('-', "−"),
                test.wins,
                test.losses,
                test.ties,
                p_text(*p)
            ),
            None => "<td></td><td></td><td></td>".to_owned(),
        };
        let _ = writeln!(
            out,
            "<td class=\"n\">{}</td><td><span class=\"pill {class}\">{}</span></td>{numbers}\
             <td class=\"further\">{}</td></tr>",
            escape(&title),
            claim.verdict.text(),
            escape(&claim.note)
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// Machine, versions and data, and the files beside the page.
pub(crate) fn setup(out: &mut String, input: &Input<'_>) {
    facts(out, input);
    out.push_str(
        "<footer>Beside this page: <code>results.csv</code> (one row per run and evaluation), \
         <code>summary.csv</code> (the tables above), <code>plots/</code> (every plot as SVG), \
         <code>SETUP.md</code>, and <code>cells/</code> (finished runs, from which an interrupted \
         run goes on).</footer>\n",
    );
}

/// Machine, versions and data.
pub(crate) fn facts(out: &mut String, input: &Input<'_>) {
    out.push_str(
        "<h2 id=\"setup\">Set-up</h2>\n<div class=\"scroll\"><table class=\"facts\"><tbody>\n",
    );
    for (name, value) in &input.setup.facts {
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td></tr>",
            escape(name),
            escape(value)
        );
    }
    out.push_str("</tbody></table></div>\n");
    if !input.setup.data.is_empty() {
        out.push_str(
            "<h3>Data</h3>\n<div class=\"scroll\"><table><thead><tr><th>file</th><th>bytes</th>\
             <th>CRC-32</th></tr></thead><tbody>\n",
        );
        for file in &input.setup.data {
            let _ = writeln!(
                out,
                "<tr><th>{}</th><td>{}</td><td>{:08x}</td></tr>",
                escape(&file.path),
                file.bytes,
                file.crc32
            );
        }
        out.push_str("</tbody></table></div>\n");
    }
}
