//! The page: ranks first, then claims, then every problem under every condition.

use std::fmt::Write as _;

use super::claims::moments;
use super::priors::describe;
use super::ranks::Ranks;
use super::replication::{METHOD, Replicated};
use super::speedup::{SpeedUp, median_ratio};
use super::study::{Study, View, told};
use crate::claims::{Claim, error_text};
use crate::profile::{Section, base_name};
use crate::report::plot::{self, Labels, Line, Vertical, style};
use crate::report::svg::{Drawing, escape};
use crate::report::{Input, parts, table};
use crate::results::Band;

/// Methods in the plots; tables have all.
pub const SHOWN: [&str; 8] = [
    "random",
    "moasha-prior",
    "mo-priorband",
    "pibo-rw",
    "bo-rw-proper",
    "nehvi-bo",
    "primo",
    "primo-as-run",
];
const COST: &str = "cost, in evaluations at full fidelity";

/// Name of a view's section in the page, and of its plot's file.
pub(super) fn anchor(view: &View) -> String {
    let entry = &view.curves.entry;
    let condition = if view.condition.is_empty() {
        String::new()
    } else {
        format!("-{}", view.condition)
    };
    format!("{}-{}{condition}", entry.section.name(), entry.problem)
}

/// Mean rank against cost.
pub(super) fn rank_plot(ranks: &Ranks, label: &dyn Fn(&str) -> String) -> Drawing {
    let line = |(i, method): (usize, &&str)| {
        let band = (1..=ranks.units)
            .map(|unit| {
                let (mean, error) = ranks.at(method, unit)?;
                // One seed has no error: a band without width.
                let error = if error.is_finite() { error } else { 0.0 };
                Some([mean, mean - error, mean + error])
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Line {
            style: style(method, i),
            label: label(method),
            band,
        })
    };
    let title = format!("Mean rank against cost, {}", ranks.condition);
    let labels = Labels {
        title: &title,
        horizontal: COST,
        vertical: Vertical::Rank,
    };
    let lines = SHOWN.iter().enumerate().filter_map(line).collect();
    plot::chart(labels, ranks.units as u32, lines)
}

/// Regret against cost of a readable choice of methods.
pub(super) fn regret_plot(input: &Input<'_>, view: &View) -> Drawing {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let mut curves = view.curves.clone();
    if curves.entry.section != Section::Ablation {
        let shown = |m: &str| SHOWN.contains(&base_name(m));
        curves.methods.retain(|m| shown(&m.method));
    }
    let (name, _) = input.catalogue.describe_problem(&curves.entry.problem);
    let title = format!(
        "{name}, {}: relative hypervolume regret against cost",
        describe(&view.condition)
    );
    plot::regret(&curves, Band::MeanAndError, (&title, COST), &label)
}

/// The whole page.
pub(super) fn page(input: &Input<'_>, study: &Study, claims: &[Claim]) -> String {
    let mut out = parts::start(&input.experiment.title, &[]);
    let has = |section| {
        study
            .views
            .iter()
            .any(|v| v.curves.entry.section == section)
    };
    parts::header(
        &mut out,
        input,
        claims,
        &[
            ("ranks", "Ranks", !study.ranks.is_empty()),
            ("claims", "Claims", true),
            ("speed", "Speed-up", !study.speed.is_empty()),
            ("regret", "Regret", has(Section::Main)),
            ("replication", "Replication", !study.replicated.is_empty()),
            ("main", "Problems", has(Section::Main)),
            ("ablation", "Ablation", has(Section::Ablation)),
            ("single", "One objective", has(Section::Single)),
            ("long", "Longer budget", has(Section::Long)),
            ("setup", "Set-up", true),
        ],
    );
    out.push_str("<main>\n");
    parts::notices(&mut out, input);
    ranks(&mut out, input, study);
    parts::claims(&mut out, input, claims);
    speed(&mut out, input, study);
    regret(&mut out, input, study);
    replication(&mut out, input, &study.replicated);
    for section in [
        Section::Main,
        Section::Ablation,
        Section::Single,
        Section::Long,
    ] {
        problems(&mut out, input, study, section);
    }
    parts::setup(&mut out, input);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn ranks(out: &mut String, input: &Input<'_>, study: &Study) {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let all: Vec<&Ranks> = study.ranks.iter().chain(&study.overall).collect();
    let Some(last) = all.last() else { return };
    let _ = write!(
        out,
        "<h2 id=\"ranks\">Ranks</h2>\n<p>On each problem and seed the methods are ranked by \
         hypervolume (1 is best, ties share); shown is the mean over {} problems, and over {} seeds \
         with its standard error. First number: after the first quarter of the budget; second: at its \
         end. Methods without priors are run once and are the same under every condition. \
         The best of each column is bold, PriMO is marked.</p>\n",
        last.problems.len(),
        last.seeds()
    );
    let mut missing: Vec<&String> = all.iter().flat_map(|r| &r.missing).collect();
    missing.sort();
    missing.dedup();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|m| label(m)).collect();
        let _ = writeln!(
            out,
            "<p class=\"soft\">Not finished on all problems, and left out: {}.</p>",
            escape(&names.join(", "))
        );
    }
    out.push_str("<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>method</th>");
    for ranks in &all {
        for (moment, unit) in moments(ranks.units) {
            let _ = write!(
                out,
                "<th title=\"after {unit} units\">{}, {moment}</th>",
                escape(&ranks.condition)
            );
        }
    }
    out.push_str("</tr></thead><tbody>\n");
    let mut methods: Vec<&String> = last.methods.iter().collect();
    let end = |m: &str| last.at(m, last.units).map_or(f64::INFINITY, |r| r.0);
    methods.sort_by(|a, b| end(a).total_cmp(&end(b)));
    for method in methods {
        let class = match *method == study.reference {
            true => " class=\"row-own\"",
            false => "",
        };
        let _ = write!(out, "<tr{class}><th>{}</th>", escape(&label(method)));
        for ranks in &all {
            for (_, unit) in moments(ranks.units) {
                let best = ranks
                    .methods
                    .iter()
                    .filter_map(|m| ranks.at(m, unit))
                    .map(|r| r.0)
                    .fold(f64::INFINITY, f64::min);
                let _ = match ranks.at(method, unit) {
                    Some((mean, error)) => write!(
                        out,
                        "<td{}>{mean:.2} ± {}</td>",
                        if mean <= best + 1e-9 {
                            " class=\"best\""
                        } else {
                            ""
                        },
                        error_text(error)
                    ),
                    None => write!(out, "<td>–</td>"),
                };
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    for ranks in &all {
        let _ = write!(
            out,
            "<figure>\n{}<figcaption>Mean rank over problems with its standard error over seeds, {}. \
             Ranks are among all {} methods; a few are drawn.</figcaption>\n</figure>\n",
            rank_plot(ranks, &label).inline(),
            match ranks.condition.as_str() {
                "overall" => "average of all conditions",
                condition => describe(condition),
            },
            ranks.methods.len()
        );
    }
    out.push_str("<dl class=\"methods\">\n");
    for method in &last.methods {
        let (label, text) = input.catalogue.describe_method(method);
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&label), escape(&text));
    }
    out.push_str("</dl>\n");
}

fn speed(out: &mut String, input: &Input<'_>, study: &Study) {
    if study.speed.is_empty() {
        return;
    }
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let _ = write!(
        out,
        "<h2 id=\"speed\">Speed-up</h2>\n<p>The cost that a rival needs for the mean hypervolume at \
         which it ends, over the cost that {} needs for the same. A dash: not reached within the budget, \
         which counts as 0 in the medians. With a budget of B no ratio can exceed B.</p>\n",
        escape(&label(&study.reference))
    );
    for (all, title) in [
        (
            &study.speed,
            "The best baseline by mean hypervolume at the end",
        ),
        (&study.published_speed, "The rival of the published figure"),
    ] {
        speed_table(out, input, all, title);
    }
}

fn speed_table(out: &mut String, input: &Input<'_>, all: &[SpeedUp], title: &str) {
    if all.is_empty() {
        return;
    }
    let mut conditions: Vec<&str> = Vec::new();
    let mut problems: Vec<&str> = Vec::new();
    for s in all {
        if !conditions.contains(&s.condition.as_str()) {
            conditions.push(&s.condition);
        }
        if !problems.contains(&s.problem.as_str()) {
            problems.push(&s.problem);
        }
    }
    let _ = write!(
        out,
        "<h3>{}</h3>\n<div class=\"scroll\"><table><thead><tr><th>problem</th>",
        escape(title)
    );
    for condition in &conditions {
        let _ = write!(out, "<th>{}</th>", escape(condition));
    }
    out.push_str("</tr></thead><tbody>\n");
    for problem in &problems {
        let (name, _) = input.catalogue.describe_problem(problem);
        let _ = write!(out, "<tr><th>{}</th>", escape(&name));
        for condition in &conditions {
            let found = all
                .iter()
                .find(|s| s.problem == *problem && s.condition == *condition);
            let _ = match found {
                Some(s) => write!(
                    out,
                    "<td>{} <small>{} / {}, {}</small></td>",
                    s.ours
                        .map_or("–".to_owned(), |_| format!("{:.1}", s.ratio())),
                    s.theirs,
                    s.ours.map_or("–".to_owned(), |o| o.to_string()),
                    escape(&input.catalogue.describe_method(&s.rival).0)
                ),
                None => write!(out, "<td></td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("<tr class=\"row-own\"><th>median</th>");
    for condition in &conditions {
        let mine: Vec<SpeedUp> = all
            .iter()
            .filter(|s| s.condition == *condition)
            .cloned()
            .collect();
        let _ = write!(out, "<td>{:.1}</td>", median_ratio(&mine));
    }
    out.push_str("</tr>\n</tbody></table></div>\n");
}

fn regret(out: &mut String, input: &Input<'_>, study: &Study) {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let main = |v: &&View| v.curves.entry.section == Section::Main;
    let mut conditions: Vec<&str> = Vec::new();
    for view in study.views.iter().filter(main) {
        if !conditions.contains(&view.condition.as_str()) {
            conditions.push(&view.condition);
        }
    }
    if conditions.is_empty() {
        return;
    }
    out.push_str(
        "<h2 id=\"regret\">Regret at the end</h2>\n<p>Median relative regret when the budget is spent: \
         the part of the best hypervolume known for the problem that is still missing; 100 % is no point \
         at full fidelity below the reference point; less than 0.1 % counts as 0.1 %. ▼ significantly worse than PriMO, ▲ significantly \
         better, ≈ neither (paired Wilcoxon test, Holm's correction over the methods of a problem).</p>\n",
    );
    for condition in conditions {
        let mine: Vec<&View> = study
            .views
            .iter()
            .filter(main)
            .filter(|v| v.condition == condition)
            .collect();
        let mut methods: Vec<String> = Vec::new();
        let mut tables = Vec::new();
        for view in mine {
            for method in &view.curves.entry.methods {
                if !methods.contains(method) {
                    methods.push(method.clone());
                }
            }
            let (title, _) = input.catalogue.describe_problem(&view.curves.entry.problem);
            tables.push((title, anchor(view), view.rows.clone()));
        }
        let _ = writeln!(out, "<h3>{}</h3>", escape(&capital(describe(condition))));
        out.push_str(&table::overview(&tables, &methods, &label));
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn replication(out: &mut String, input: &Input<'_>, all: &[Replicated]) {
    if all.is_empty() {
        return;
    }
    let agree = all.iter().filter(|r| r.agrees()).count();
    let _ = write!(
        out,
        "<h2 id=\"replication\">Replication</h2>\n<p>{} beside the published runs: mean hypervolume \
         after 10 and 20 evaluations, counted by the rule of the published plots (an evaluation at full \
         fidelity counts one, cheap ones when their cost passes another whole number). Within two combined \
         standard errors: <b>{agree} of {}</b>.</p>\n\
         <div class=\"scroll\"><table><thead><tr><th>problem</th><th>priors</th><th>after</th>\
         <th>published</th><th>ours</th><th>seeds</th><th>standard errors apart</th><th></th></tr></thead>\
         <tbody>\n",
        escape(&input.catalogue.describe_method(METHOD).0),
        all.len()
    );
    for r in all {
        let distance = r.distance();
        let (class, word) = match r.agrees() {
            true => ("holds", "agrees"),
            false if distance.is_finite() => ("fails", "differs"),
            false => ("open", "one seed"),
        };
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{:.1} ± {:.1}</td><td>{:.1} ± {}</td><td>{}</td>\
             <td>{}</td><td><span class=\"pill {class}\">{word}</span></td></tr>",
            escape(&input.catalogue.describe_problem(&r.problem).0),
            escape(&r.condition),
            r.at,
            r.published,
            r.published_error,
            r.ours,
            error_text(r.our_error),
            r.seeds,
            if distance.is_finite() {
                format!("{distance:+.1}")
            } else {
                "–".into()
            }
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn problems(out: &mut String, input: &Input<'_>, study: &Study, section: Section) {
    let label = |m: &str| input.catalogue.describe_method(m).0;
    let mut shown = study
        .views
        .iter()
        .filter(|v| v.curves.entry.section == section)
        .peekable();
    if shown.peek().is_none() {
        return;
    }
    out.push_str(match section {
        Section::Ablation => {
            "<h2 id=\"ablation\">Ablation</h2>\n<p>One choice of PriMO is changed at a time, on the same \
             seeds.</p>\n"
        }
        Section::Long => {
            "<h2 id=\"long\">Longer budget</h2>\n<p>A few methods with more evaluations: the only runs \
             that could show a ten-fold speed-up.</p>\n"
        }
        Section::Single => {
            "<h2 id=\"single\">One objective</h2>\n<p>The same methods; hypervolume is the distance from \
             the reference value.</p>\n"
        }
        _ => {
            "<h2 id=\"main\">Problems</h2>\n<p>All methods share seeds, budget and reference points. Only \
             evaluations at full fidelity score; cheap ones cost, and continuing a configuration costs the \
             difference. All Gaussian processes propose by the same local search from ten starts.</p>\n"
        }
    });
    let mut last = "";
    for view in shown {
        let entry = &view.curves.entry;
        if last != entry.problem {
            let (name, text) = input.catalogue.describe_problem(&entry.problem);
            let _ = writeln!(
                out,
                "<h3>{}</h3>\n<p class=\"soft\">{}</p>",
                escape(&name),
                escape(&text)
            );
        }
        last = &entry.problem;
        let _ = write!(
            out,
            "<section id=\"{}\">\n<figure>\n{}<figcaption>{}: mean of log10 regret with its standard error, \
             {} seeds.</figcaption>\n</figure>\n",
            escape(&anchor(view)),
            regret_plot(input, view).inline(),
            escape(&capital(describe(&view.condition))),
            view.curves.seeds()
        );
        let reference = told(&study.reference, &view.condition);
        let _ = write!(
            out,
            "<details><summary>All methods</summary>\n{}</details>\n</section>\n",
            table::html(&view.rows, &label, &reference)
        );
    }
}
