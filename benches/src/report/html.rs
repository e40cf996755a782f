//! The page: self-contained, no script, readable in light and dark.

use std::fmt::Write as _;

use super::svg::escape;
use super::{Digest, Input, plot, table};
use crate::claims::{LEVEL, Verdict, error_text, p_text};
use crate::profile::Section;
use crate::results::{Band, ProblemCurves};

const CSS: &str = include_str!("style.css");

/// Name of a problem's section in the page, and of its plots' files.
pub(super) fn anchor(curves: &ProblemCurves) -> String {
    match curves.entry.section {
        Section::Ablation => format!("ablation-{}", curves.entry.problem),
        Section::Main | Section::Scaling => curves.entry.problem.clone(),
    }
}

pub(super) fn plot_title(input: &Input<'_>, curves: &ProblemCurves, band: Band) -> String {
    let (title, _) = input.catalogue.describe_problem(&curves.entry.problem);
    let band = match band {
        Band::MeanAndError => "mean and standard error",
        Band::MedianAndQuartiles => "median and quartiles",
    };
    format!("{title}: relative hypervolume regret against evaluations, {band}")
}

/// The whole page.
pub(super) fn page(input: &Input<'_>, digest: &Digest) -> String {
    let mut out = String::new();
    let title = escape(&input.experiment.title);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n\
         <input class=\"switch\" type=\"radio\" name=\"band\" id=\"show-mean\" checked>\n\
         <input class=\"switch\" type=\"radio\" name=\"band\" id=\"show-median\">\n"
    );
    header(&mut out, input, digest);
    out.push_str("<main>\n");
    notices(&mut out, input);
    overview(&mut out, input, digest);
    claims(&mut out, input, digest);
    problems(&mut out, input, digest, Section::Main);
    problems(&mut out, input, digest, Section::Ablation);
    scaling(&mut out, digest);
    setup(&mut out, input);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn header(out: &mut String, input: &Input<'_>, digest: &Digest) {
    let profile = &input.experiment.profiles[input.profile];
    let count = |verdict| {
        digest
            .claims
            .iter()
            .filter(|c| c.verdict == verdict)
            .count()
    };
    let _ = write!(
        out,
        "<header>\n<h1>{}</h1>\n<p class=\"soft\">Reproduction of {}, profile <b>{}</b>. {}</p>\n<nav>",
        escape(&input.experiment.title),
        escape(&input.experiment.paper),
        escape(input.profile),
        escape(&profile.summary)
    );
    let has = |section| digest.curves.iter().any(|c| c.entry.section == section);
    for (id, text, shown) in [
        ("overview", "Overview", true),
        ("claims", "Claims", true),
        ("main", "Problems", has(Section::Main)),
        ("ablation", "Ablation", has(Section::Ablation)),
        ("scaling", "Scaling", digest.scaling.is_some()),
        ("setup", "Set-up", true),
    ] {
        if shown {
            let _ = write!(out, "<a href=\"#{id}\">{text}</a> ");
        }
    }
    let evaluations: usize = input.finished.values().map(|r| r.steps.len()).sum();
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

fn notices(out: &mut String, input: &Input<'_>) {
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

fn overview(out: &mut String, input: &Input<'_>, digest: &Digest) {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let mut methods: Vec<String> = Vec::new();
    let mut tables = Vec::new();
    for (curves, rows) in digest.curves.iter().zip(&digest.tables) {
        if curves.entry.section == Section::Main {
            for method in &curves.entry.methods {
                if !methods.contains(method) {
                    methods.push(method.clone());
                }
            }
            let (title, _) = input.catalogue.describe_problem(&curves.entry.problem);
            tables.push((title, rows.clone()));
        }
    }
    let reference = label(&input.experiment.reference_method);
    let _ = write!(
        out,
        "<h2 id=\"overview\">Overview</h2>\n<p>Median relative regret after the last evaluation: the \
         part of the best known hypervolume that is still missing, over all seeds (with one \
         objective, hypervolume is the distance from the reference value). Smaller is better, the \
         best of each column is bold. Against {0}: ▼ significantly worse, ▲ significantly better, ≈ \
         no significant difference (paired Wilcoxon test at {LEVEL}, Holm's correction).</p>\n",
        escape(&reference)
    );
    out.push_str(&table::overview(&tables, &methods, &label));
    out.push_str("<dl class=\"methods\">\n");
    for method in &methods {
        let (label, text) = input.catalogue.describe_method(method);
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&label), escape(&text));
    }
    out.push_str("</dl>\n");
}

fn claims(out: &mut String, input: &Input<'_>, digest: &Digest) {
    out.push_str(
        "<h2 id=\"claims\">Claims</h2>\n<p>Each claim is decided by a rule that the code states for \
         all runs; the p-values are two-sided, paired by seed, and corrected over the problems of the \
         claim. Differences are in log10 of the relative regret: −0.30 is half the regret, −1 a \
         tenth.</p>\n<div class=\"scroll\"><table class=\"claims\"><thead><tr><th>claim</th>\
         <th>problem</th><th>verdict</th><th title=\"median paired difference\">difference</th>\
         <th title=\"seeds won, lost, tied\">W / L / T</th><th>p</th><th>further</th></tr></thead><tbody>\n",
    );
    if digest.claims.is_empty() {
        out.push_str("<tr><td colspan=\"7\">no claim can be tested with these results</td></tr>\n");
    }
    for (index, claim) in digest.claims.iter().enumerate() {
        out.push_str("<tr>");
        let first = index == 0 || digest.claims[index - 1].statement != claim.statement;
        if first {
            let span = digest.claims[index..]
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

fn problems(out: &mut String, input: &Input<'_>, digest: &Digest, section: Section) {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let reference = &input.experiment.reference_method;
    let mut shown = digest
        .curves
        .iter()
        .zip(&digest.tables)
        .filter(|(c, _)| c.entry.section == section)
        .peekable();
    if shown.peek().is_none() {
        return;
    }
    out.push_str(match section {
        Section::Ablation => {
            "<h2 id=\"ablation\">Ablation</h2>\n<p>Which part of the method does the work: one \
             choice is changed at a time, on the same seeds.</p>\n"
        }
        Section::Main | Section::Scaling => {
            "<h2 id=\"main\">Problems</h2>\n<p>Regret is what is missing to the best known \
             hypervolume of noise-free values, as a fraction of it. Hypervolume counts below the \
             worst values of a dense sample (or of the published data). All methods share seeds, noise, \
             reference points, budgets and, where they use one, the initial Sobol design. All but Random and \
             Sobol maximise the same acquisition function: LogEI for one objective, qLogNEHVI with 128 \
             samples for two to four, ParEGO for more.</p>\n"
        }
    });
    out.push_str(
        "<div class=\"switches\"><label for=\"show-mean\">mean ± standard error</label>\
         <label for=\"show-median\">median and quartiles</label></div>\n",
    );
    for (curves, rows) in shown {
        let (title, text) = input.catalogue.describe_problem(&curves.entry.problem);
        let _ = write!(
            out,
            "<section id=\"{}\">\n<h3>{}</h3>\n<p class=\"soft\">{}</p>\n",
            escape(&anchor(curves)),
            escape(&title),
            escape(&text)
        );
        for (band, class, caption) in [
            (
                Band::MeanAndError,
                "mean",
                "Mean of log10 regret with its standard error",
            ),
            (
                Band::MedianAndQuartiles,
                "median",
                "Median with first and third quartile",
            ),
        ] {
            let drawing = plot::regret(curves, band, &plot_title(input, curves, band), &label);
            let tasks = match curves.entry.tasks {
                0 | 1 => String::new(),
                n if curves.entry.every_task => format!(", each the average of {n} target tasks"),
                n => format!(", cycling through {n} target tasks"),
            };
            let _ = write!(
                out,
                "<figure class=\"{class}\">\n{}<figcaption>{caption}, {} seeds{tasks}.</figcaption>\n</figure>\n",
                drawing.inline(),
                curves.seeds()
            );
        }
        out.push_str(&table::html(rows, &label, reference));
        out.push_str("</section>\n");
    }
}

fn scaling(out: &mut String, digest: &Digest) {
    let Some(times) = &digest.scaling else { return };
    let slope = |s: Option<(f64, f64)>| match s {
        Some((slope, error)) => format!("{slope:.2} ± {}", error_text(error)),
        None => "unknown".into(),
    };
    let _ = write!(
        out,
        "<h2 id=\"scaling\">Scaling</h2>\n<p>Seconds on one thread, with nothing else running from \
         this program. The log-log slope is <b>{}</b> for fitting to the meta-data (once per run) and \
         <b>{}</b> for one suggestion (model update and proposal); 1 is linear.</p>\n\
         <figure>\n{}<figcaption>Both axes logarithmic; slopes in parentheses.</figcaption></figure>\n\
         <div class=\"scroll\"><table><thead><tr><th>meta-tasks</th><th>fit to meta-data</th>\
         <th>one suggestion</th></tr></thead><tbody>\n",
        slope(times.fit_slope()),
        slope(times.suggestion_slope()),
        plot::scaling(times).inline()
    );
    for (tasks, fit, suggestion) in &times.points {
        let _ = writeln!(
            out,
            "<tr><th>{tasks}</th><td>{fit:.4} s</td><td>{suggestion:.4} s</td></tr>"
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn setup(out: &mut String, input: &Input<'_>) {
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
    out.push_str(
        "<footer>Beside this page: <code>results.csv</code> (one row per run and evaluation), \
         <code>summary.csv</code> (the tables above), <code>plots/</code> (every plot as SVG), \
         <code>SETUP.md</code>, and <code>cells/</code> (finished runs, from which an interrupted \
         run goes on).</footer>\n",
    );
}
