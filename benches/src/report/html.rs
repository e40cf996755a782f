//! The page: self-contained, no script, readable in light and dark.

use std::fmt::Write as _;

use super::svg::escape;
use super::{Digest, Input, parts, plot, table};
use crate::claims::{LEVEL, error_text};
use crate::profile::Section;
use crate::results::{Band, ProblemCurves};

/// Name of a problem's section in the page, and of its plots' files.
pub(super) fn anchor(curves: &ProblemCurves) -> String {
    match curves.entry.section {
        Section::Main | Section::Scaling => curves.entry.problem.clone(),
        section => format!("{}-{}", section.name(), curves.entry.problem),
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
    let mut out = parts::start(&input.experiment.title, &["mean", "median"]);
    let has = |section| digest.curves.iter().any(|c| c.entry.section == section);
    parts::header(
        &mut out,
        input,
        &digest.claims,
        &[
            ("overview", "Overview", true),
            ("claims", "Claims", true),
            ("main", "Problems", has(Section::Main)),
            ("ablation", "Ablation", has(Section::Ablation)),
            ("scaling", "Scaling", digest.scaling.is_some()),
            ("setup", "Set-up", true),
        ],
    );
    out.push_str("<main>\n");
    parts::notices(&mut out, input);
    overview(&mut out, input, digest);
    parts::claims(&mut out, input, &digest.claims);
    problems(&mut out, input, digest, Section::Main);
    problems(&mut out, input, digest, Section::Ablation);
    scaling(&mut out, digest);
    parts::setup(&mut out, input);
    out.push_str("</main>\n</body>\n</html>\n");
    out
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
            tables.push((title, anchor(curves), rows.clone()));
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
        _ => {
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
        let (name, text) = input.catalogue.describe_problem(&curves.entry.problem);
        let _ = write!(
            out,
            "<section id=\"{}\">\n<h3>{}</h3>\n<p class=\"soft\">{}</p>\n",
            escape(&anchor(curves)),
            escape(&name),
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
            let title = plot_title(input, curves, band);
            let drawing = plot::regret(curves, band, (&title, "evaluations"), &label);
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
