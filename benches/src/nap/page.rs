//! The page: regret and rank first, then claims, then what stands behind them.

use std::fmt::Write as _;

use super::controls::improvements;
use super::curves::{self, Shown};
use super::methods::knows_range;
use super::policies::VALIDATION_AT;
use super::report::{Digest, seconds};
use super::study::{Duel, Group, duels};
use super::training;
use crate::claims::{Claim, LEVEL, Verdict, p_text};
use crate::profile::Section;
use crate::report::svg::escape;
use crate::report::{Input, parts};

/// Title of a plot.
pub(super) fn plot_title(input: &Input<'_>, group: &Group<'_>, shown: Shown) -> String {
    let (name, _) = input.catalogue.describe_problem(&group.entry.problem);
    match shown {
        Shown::Regret => format!("{name}: mean normalised regret against evaluations"),
        Shown::Rank => format!("{name}: mean rank against evaluations"),
    }
}

/// The whole page.
pub(super) fn page(input: &Input<'_>, digest: &Digest<'_>) -> String {
    let mut out = parts::start(&input.experiment.title, &[]);
    let has = |section| digest.study.section(section).next().is_some();
    parts::header(
        &mut out,
        input,
        &digest.claims,
        &[
            ("overview", "Overview", true),
            ("claims", "Claims", true),
            ("main", "Families", has(Section::Main)),
            ("controls", "Controls", !digest.loops.is_empty()),
            ("ablation", "Ablation", has(Section::Ablation)),
            ("serving", "Serving", has(Section::Serving)),
            ("records", "Lemma 3.1", true),
            ("training", "Training", !digest.trained.is_empty()),
            ("setup", "Set-up", true),
        ],
    );
    out.push_str("<main>\n");
    parts::notices(&mut out, input);
    overview(&mut out, input, digest);
    claims(&mut out, input, &digest.claims);
    groups(&mut out, input, digest, Section::Main);
    loops(&mut out, input, digest);
    groups(&mut out, input, digest, Section::Ablation);
    groups(&mut out, input, digest, Section::Serving);
    records(&mut out, digest);
    training(&mut out, digest);
    parts::facts(&mut out, input);
    out.push_str(
        "<footer>Beside this page: <code>results.csv</code> (one row per run and evaluation; the column \
         <code>hypervolume</code> is 1 − normalised regret, <code>row</code> the row of the table), \
         <code>summary.csv</code>, <code>tests.csv</code>, <code>controls.csv</code>, \
         <code>records.csv</code>, <code>training.csv</code>, <code>plots/</code> (every plot as SVG), \
         <code>policies/</code> (trained policies with their curves), <code>SETUP.md</code>, and \
         <code>cells/</code> (finished runs, from which an interrupted run goes on).</footer>\n\
         </main>\n</body>\n</html>\n",
    );
    out
}

fn overview(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    let reference = &input.experiment.reference_method;
    let _ = writeln!(
        out,
        "<h2 id=\"overview\">Overview</h2>\n<p>Mean normalised regret of the best evaluation so far, over \
         held-out tasks and seeds: 0 is the best row of a table, 1 the worst. All methods start with the \
         same five evaluations of a task and a seed, which count. Smaller is better, the best of each \
         column is bold. ± is a standard error over tasks. Against {0}: ▼ significantly worse, ▲ \
         significantly better, ≈ neither (signed-rank tests at {LEVEL}, both over tasks and seeds and over \
         the tasks' means, Holm's correction over methods and evaluations). A method that is told what the \
         others are not takes no part in any of this.</p>",
        escape(&input.catalogue.describe_method(reference).0)
    );
    for group in digest.study.section(Section::Main) {
        let (title, _) = input.catalogue.describe_problem(&group.entry.problem);
        let _ = writeln!(
            out,
            "<h3><a href=\"#main-{}\">{}</a></h3>",
            group.entry.problem,
            escape(&title)
        );
        table(out, input, group, reference);
    }
    out.push_str("<dl class=\"methods\">\n");
    let mut shown: Vec<&str> = Vec::new();
    for (name, _) in digest.study.groups.iter().flat_map(|g| &g.methods) {
        if shown.contains(&name.as_str()) {
            continue;
        }
        shown.push(name);
        let (label, text) = input.catalogue.describe_method(name);
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&label), escape(&text));
    }
    out.push_str("</dl>\n");
}

fn table(out: &mut String, input: &Input<'_>, group: &Group<'_>, reference: &str) {
    let points = group.points();
    let duels = duels(group, reference);
    let ranks: std::collections::BTreeMap<_, _> = group.ranks().into_iter().collect();
    let label = labels(input, group.entry.section);
    out.push_str("<div class=\"scroll\"><table class=\"overview\"><thead><tr><th></th>");
    for at in &points {
        let _ = write!(out, "<th>regret, {at}</th>");
    }
    for at in &points {
        let _ = write!(out, "<th>rank, {at}</th>");
    }
    out.push_str("<th>seconds a proposal</th></tr></thead><tbody>\n");
    let means: Vec<Vec<(f64, f64)>> = group.methods.iter().map(|(m, _)| group.curve(m)).collect();
    for (index, (method, _)) in group.methods.iter().enumerate() {
        let fair = !knows_range(method);
        let own = if method == reference {
            " class=\"row-own\""
        } else {
            ""
        };
        let _ = write!(out, "<tr{own}><th>{}</th>", escape(&label(method)));
        for at in &points {
            let place = *at as usize - 1;
            let (mean, error) = means[index][place];
            let least = (group.methods.iter().zip(&means))
                .filter(|((method, _), _)| !knows_range(method))
                .map(|(_, m)| m[place].0)
                .fold(f64::INFINITY, f64::min);
            let class = if fair && mean <= least {
                " class=\"best\""
            } else {
                ""
            };
            let duel = duels.iter().find(|d| d.method == *method && d.at == *at);
            let _ = write!(
                out,
                "<td{class}>{} <small>± {}</small> <span>{}</span></td>",
                number(mean),
                number(error),
                duel.map_or("", mark)
            );
        }
        for at in &points {
            let rank = ranks.get(method).map(|r| r[*at as usize - 1].0);
            let rank = rank.map_or("–".to_owned(), |rank| format!("{rank:.2}"));
            let _ = write!(out, "<td>{rank}</td>");
        }
        let _ = writeln!(out, "<td>{:.3}</td></tr>", seconds(group, method));
    }
    let _ = writeln!(
        out,
        "</tbody></table></div>\n<p class=\"soft\">{} runs of each method on {} tasks.</p>",
        group.common.len(),
        group.tasks()
    );
}

/// What methods are called in a section: the ablation varies λ, and says what it is by default.
fn labels<'a>(input: &'a Input<'_>, section: Section) -> impl Fn(&str) -> String + 'a {
    move |method| {
        let label = input.catalogue.describe_method(method).0;
        match section {
            Section::Ablation if method == "nap" => format!("{label} (λ = 1)"),
            _ => label,
        }
    }
}

/// How a rival stands against the reference.
fn mark(duel: &Duel) -> &'static str {
    match duel.decided() {
        Some(std::cmp::Ordering::Less) => "▼",
        Some(_) => "▲",
        None => "≈",
    }
}

fn number(value: f64) -> String {
    match value {
        v if !v.is_finite() => "–".into(),
        v if v >= 0.1 => format!("{v:.3}"),
        v => format!("{v:.4}"),
    }
}

fn claims(out: &mut String, input: &Input<'_>, claims: &[Claim]) {
    out.push_str(
        "<h2 id=\"claims\">Claims</h2>\n<p>Each claim is decided by a rule that the code states for all \
         runs. Pairs are tasks and seeds, but seeds of one task are not independent tasks: the test of the \
         tasks' means must agree. Families of fewer than six test tasks decide nothing.</p>\n<div class=\"scroll\"><table class=\"claims\">\
         <thead><tr><th>claim</th><th>family</th><th>verdict</th><th>W / L / T</th><th>further</th></tr>\
         </thead><tbody>\n",
    );
    if claims.is_empty() {
        out.push_str("<tr><td colspan=\"5\">no claim can be tested with these results</td></tr>\n");
    }
    for (index, claim) in claims.iter().enumerate() {
        out.push_str("<tr>");
        if index == 0 || claims[index - 1].statement != claim.statement {
            let same = claims[index..].iter();
            let span = same.take_while(|c| c.statement == claim.statement).count();
            let _ = write!(
                out,
                "<td class=\"statement\" rowspan=\"{span}\">{}<small>{}; {}</small></td>",
                escape(&claim.statement),
                escape(claim.source),
                escape(claim.rule)
            );
        }
        let class = match claim.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Open => "open",
        };
        let counts = claim.test.map_or(String::new(), |(t, _)| {
            format!("{} / {} / {}", t.wins, t.losses, t.ties)
        });
        let _ = writeln!(
            out,
            "<td class=\"n\">{}</td><td><span class=\"pill {class}\">{}</span></td><td class=\"n\">{counts}\
             </td><td class=\"further\">{}</td></tr>",
            escape(&input.catalogue.describe_problem(&claim.problem).0),
            claim.verdict.text(),
            escape(&claim.note)
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn groups(out: &mut String, input: &Input<'_>, digest: &Digest<'_>, section: Section) {
    let mut shown = digest.study.section(section).peekable();
    if shown.peek().is_none() {
        return;
    }
    let reference = &input.experiment.reference_method;
    let label = labels(input, section);
    out.push_str(match section {
        Section::Ablation => {
            "<h2 id=\"ablation\">Ablation</h2>\n<p>One choice of the training is changed at a time; \
             variants that have a warm-up share it. Each variant was trained once: a difference between two \
             of them is one between two trainings, and includes what another seed of the same training \
             would change. The errors and tests here do not know of that.</p>\n"
        }
        Section::Serving => {
            "<h2 id=\"serving\">Serving</h2>\n<p>The same recipe from other random numbers, which is what chance in \
             training changes; and the ways to show a policy a long history, whose price in quality is seen \
             here at a hundred evaluations.</p>\n"
        }
        _ => {
            "<h2 id=\"main\">Families</h2>\n<p>The band is a standard error over tasks. Regrets \
             below 0.0001 are drawn there.</p>\n"
        }
    });
    for group in shown {
        let (title, text) = input.catalogue.describe_problem(&group.entry.problem);
        let _ = writeln!(
            out,
            "<section id=\"{}-{}\">\n<h3>{}</h3>\n<p class=\"soft\">{}</p>",
            section.name(),
            group.entry.problem,
            escape(&title),
            escape(&text)
        );
        for shown in [Shown::Regret, Shown::Rank] {
            let title = plot_title(input, group, shown);
            let _ = write!(
                out,
                "<figure>\n{}<figcaption>{}.</figcaption>\n</figure>\n",
                curves::plot(group, shown, &title, &label).inline(),
                escape(&title)
            );
        }
        if section != Section::Main {
            table(out, input, group, reference);
        }
        tests(out, input, group, reference);
        out.push_str("</section>\n");
    }
}

fn tests(out: &mut String, input: &Input<'_>, group: &Group<'_>, reference: &str) {
    let duels = duels(group, reference);
    if duels.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>{} against each method</summary>\n<div class=\"scroll\"><table><thead><tr>\
         <th>method</th><th>after</th><th>mean difference</th><th>runs W / L / T</th><th>p</th>\
         <th>tasks W / L / T</th><th>p</th></tr></thead><tbody>\n",
        escape(&input.catalogue.describe_method(reference).0)
    );
    for duel in &duels {
        let counts = |t: &crate::stats::Paired| format!("{} / {} / {}", t.wins, t.losses, t.ties);
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&input.catalogue.describe_method(&duel.method).0),
            duel.at,
            format!("{:+.4}", duel.difference).replace('-', "−"),
            counts(&duel.pairs.0),
            p_text(duel.pairs.1),
            counts(&duel.tasks.0),
            p_text(duel.tasks.1)
        );
    }
    out.push_str("</tbody></table></div>\n</details>\n");
}

fn loops(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    if digest.loops.is_empty() {
        return;
    }
    out.push_str(
        "<h2 id=\"controls\">Controls</h2>\n<p>Does a method use what it sees? Overlap: mean share of common \
         rows among the first twenty queries of two runs on the same task from different starts (1 for a \
         fixed list). Same step: share of steps at which both ask for the very same row. Place of the \
         incumbent: where the best row so far stands among all evaluated ones, ordered by their distance \
         from the query (0 nearest). Correlation: Spearman's, between the distance of evaluated rows from \
         the query and their costs. Good rows lie in the same regions on many tasks, so that a fixed list \
         is near them, too: both stand beside their differences, run by run, from the policy that sees \
         shuffled outcomes and from the portfolio, ± a standard error over tasks. \
         Improvements: mean number of evaluations that were the best so far, the first included.</p>\n\
         <div class=\"scroll\"><table><thead><tr><th>family</th><th>method</th><th>overlap</th>\
         <th>same step</th><th>place of the incumbent</th><th>less shuffled</th><th>less portfolio</th>\
         <th>correlation</th><th>less shuffled</th><th>less portfolio</th><th>improvements</th></tr></thead><tbody>\n",
    );
    for l in &digest.loops {
        let group = digest
            .study
            .section(Section::Main)
            .find(|g| g.entry.problem == l.problem);
        let count = group
            .and_then(|g| g.runs(&l.method))
            .map_or(f64::NAN, improvements);
        let with = |mean: f64, error: f64| match mean.is_finite() {
            true => format!("{mean:.3} ± {error:.3}").replace('-', "−"),
            false => "–".into(),
        };
        let share = |v: f64| match v.is_finite() {
            true => format!("{v:.3}"),
            false => "–".into(),
        };
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td>{count:.2}</td></tr>",
            escape(&input.catalogue.describe_problem(&l.problem).0),
            escape(&input.catalogue.describe_method(&l.method).0),
            share(l.overlap),
            share(l.same_step),
            with(l.incumbent_place, l.incumbent_error),
            with(l.incumbent_less_shuffled, l.incumbent_less_shuffled_error),
            with(l.incumbent_less_portfolio, l.incumbent_less_portfolio_error),
            with(l.correlation, l.correlation_error),
            with(
                l.correlation_less_shuffled,
                l.correlation_less_shuffled_error
            ),
            with(
                l.correlation_less_portfolio,
                l.correlation_less_portfolio_error
            )
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn records(out: &mut String, digest: &Digest<'_>) {
    out.push_str(
        "<h2 id=\"records\">Lemma 3.1</h2>\n<p>How many of T rewards inform: the number of records among the \
         outcomes of random runs without repetition, beside the closed form for the table with its ties, \
         and the harmonic number H<sub>T</sub> that it is without ties. What is rare are the increments of \
         the reward: the running maximum itself is never zero.</p>\n<div class=\"scroll\"><table><thead><tr>\
         <th>values</th><th>T</th><th>random runs</th><th>closed form</th><th>standard errors apart</th>\
         <th>H<sub>T</sub></th></tr></thead><tbody>\n",
    );
    for r in &digest.records {
        let apart = format!("{:+.1}", (r.random - r.exact) / r.error).replace('-', "−");
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{:.3} ± {:.3}</td><td>{:.4}</td><td>{apart}</td><td>{:.4}</td>\
             </tr>",
            escape(&r.values),
            r.evaluations,
            r.random,
            r.error,
            r.exact,
            r.harmonic
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn training(out: &mut String, digest: &Digest<'_>) {
    if digest.trained.is_empty() {
        return;
    }
    let columns: String = VALIDATION_AT
        .iter()
        .map(|at| format!("<th>{at}</th>"))
        .collect();
    let _ = write!(
        out,
        "<h2 id=\"training\">Training</h2>\n<p>Processor time of all threads; a policy that begins with the \
         warm-up of another counts that, too. Validation: mean normalised regret on the validation tasks \
         (300 candidates of each), which no choice here was made by, after so many decisions, by the policy, by expected improvement of the same \
         network, and by chance.</p>\n<div class=\"scroll\"><table><thead><tr><th rowspan=\"2\">policy</th>\
         <th rowspan=\"2\">parameters</th><th rowspan=\"2\">warm-up steps</th><th rowspan=\"2\">iterations\
         </th><th rowspan=\"2\">decisions</th><th rowspan=\"2\">processor hours</th>\
         <th rowspan=\"2\">hours</th><th colspan=\"4\">validation: policy</th>\
         <th colspan=\"4\">expected improvement</th><th colspan=\"4\">random</th></tr>\
         <tr>{columns}{columns}{columns}</tr></thead><tbody>\n"
    );
    for trained in &digest.trained {
        let r = &trained.record;
        let _ = write!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{:.2}</td>",
            escape(&r.name),
            r.parameters,
            r.steps[0],
            r.steps[1],
            r.decisions,
            r.processor_seconds / 3600.0,
            r.seconds / 3600.0
        );
        for value in r.validation.iter().flatten() {
            let _ = write!(out, "<td>{}</td>", number(*value));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    for trained in &digest.trained {
        let plots = training::plots(trained);
        if plots.is_empty() {
            continue;
        }
        let name = escape(&trained.record.name);
        let _ = writeln!(out, "<details><summary>Curves of {name}</summary>");
        for (_, drawing) in plots {
            let _ = writeln!(out, "<figure>\n{}</figure>", drawing.inline());
        }
        out.push_str("</details>\n");
    }
}
