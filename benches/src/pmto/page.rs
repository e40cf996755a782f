//! The page: quantiles first, then claims, then what stands behind them.

use std::fmt::Write as _;

use super::checks;
use super::claims::scored;
use super::methods::recipes;
use super::replication::Replicated;
use super::report::Digest;
use super::study::{AS_RUN, Group, PUBLISHED_RECIPE, RELEASED};
use super::tables::{self, short};
use super::traces;
use crate::claims::{Claim, Verdict};
use crate::profile::Section;
use crate::report::svg::escape;
use crate::report::{Input, parts};

/// Title of the plot of offline costs.
pub(super) fn trace_title(input: &Input<'_>, group: &Group) -> String {
    let (name, _) = input.catalogue.describe_problem(&group.problem);
    format!("{name}: mean best cost of the tasks of the initial design against evaluations")
}

/// The whole page.
pub(super) fn page(input: &Input<'_>, digest: &Digest<'_>) -> String {
    let mut out = parts::start(&input.experiment.title, &[]);
    let has = |section| {
        let groups = digest.study.section(section);
        groups.iter().any(|g| !digest.study.present(g).is_empty())
    };
    parts::header(
        &mut out,
        input,
        &digest.claims,
        &[
            ("overview", "Overview", true),
            ("claims", "Claims", true),
            ("wins", "Wins", has(Section::Main)),
            ("replication", "Replication", !digest.replicated.is_empty()),
            ("main", "Families", has(Section::Main)),
            ("cases", "Case studies", has(Section::Cases)),
            ("wide", "Many inputs", has(Section::Wide)),
            ("fronts", "Several objectives", has(Section::Fronts)),
            ("pictures", "Task models", true),
            ("transfer", "Transfer", has(Section::Transfer)),
            ("budgets", "Budget", true),
            ("coverage", "Coverage", true),
            ("gains", "Information", true),
            ("setup", "Set-up", true),
        ],
    );
    out.push_str("<main>\n");
    parts::notices(&mut out, input);
    overview(&mut out, input, digest);
    claims(&mut out, input, &digest.claims);
    wins(&mut out, input, digest);
    replication(&mut out, input, &digest.replicated);
    problems(&mut out, input, digest, Section::Main);
    problems(&mut out, input, digest, Section::Cases);
    problems(&mut out, input, digest, Section::Wide);
    several(&mut out, input, digest);
    pictures(&mut out, digest);
    transfer(&mut out, input, digest);
    all_checks(&mut out, input, digest);
    gains(&mut out, digest);
    parts::facts(&mut out, input);
    out.push_str(
        "<footer>Beside this page: <code>measures.csv</code> (one row per run and measure), \
         <code>quantiles.md</code> and <code>summary.csv</code> (quantiles by problem, method and recipe), \
         <code>traces.csv</code> (costs over evaluations), <code>wins.csv</code> (all pairs of methods), \
         <code>replication.csv</code>, <code>gains.csv</code>, <code>plots/</code> (every plot as SVG), \
         <code>SETUP.md</code>, and <code>cells/</code> (finished runs, from which an interrupted run \
         goes on).</footer>\n</main>\n</body>\n</html>\n",
    );
    out
}

fn overview(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    let reference = &input.experiment.reference_method;
    let _ = write!(
        out,
        "<h2 id=\"overview\">Overview</h2>\n<p>After the offline phase a task model answers a dense grid \
         of unseen tasks; the cost of its answers has quantiles over these tasks. Shown is the median, \
         mean ± standard deviation over seeds, with the recipe of the task model that has the least mean, \
         its name beside it. Smaller is better. Against {}: ▼ significantly worse, ▲ significantly \
         better, ≈ no significant difference (rank-sum test at 0.05, not corrected).</p>\n",
        escape(&method(reference))
    );
    let groups = scored(&digest.study);
    tables::overview(out, &digest.study, &groups, reference, [&problem, &method]);
    out.push_str("<dl class=\"methods\">\n");
    let mut shown: Vec<&str> = Vec::new();
    for name in digest.study.groups.iter().flat_map(|g| &g.methods) {
        if shown.contains(&name.as_str()) {
            continue;
        }
        shown.push(name);
        let (label, text) = input.catalogue.describe_method(name);
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&label), escape(&text));
    }
    for recipe in recipes() {
        let _ = writeln!(
            out,
            "<dt>recipe {}</dt><dd>{}</dd>",
            recipe.name,
            escape(recipe.text)
        );
    }
    out.push_str(
        "<dt>refined</dt><dd>recipe noise, and then the mean of the forward model descended from there; \
         on a thousand tasks</dd>\n</dl>\n",
    );
}

fn claims(out: &mut String, input: &Input<'_>, claims: &[Claim]) {
    out.push_str(
        "<h2 id=\"claims\">Claims</h2>\n<p>Each claim is decided by a rule that the code states for all \
         runs; with fewer than five runs of a method, or without all 40 cells, nothing is decided. A \
         cell is one of five quantiles on one of eight families.</p>\n<div class=\"scroll\">\
         <table class=\"claims\"><thead><tr><th>claim</th><th>problem</th><th>verdict</th>\
         <th>further</th></tr></thead><tbody>\n",
    );
    if claims.is_empty() {
        out.push_str("<tr><td colspan=\"4\">no claim can be tested with these results</td></tr>\n");
    }
    for (index, claim) in claims.iter().enumerate() {
        out.push_str("<tr>");
        if index == 0 || claims[index - 1].statement != claim.statement {
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
        let problem = match claim.problem.as_str() {
            "" => "all families".to_owned(),
            name => input.catalogue.describe_problem(name).0,
        };
        let class = match claim.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Open => "open",
        };
        let _ = writeln!(
            out,
            "<td class=\"n\">{}</td><td><span class=\"pill {class}\">{}</span></td>\
             <td class=\"further\">{}</td></tr>",
            escape(&problem),
            claim.verdict.text(),
            escape(&claim.note)
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn wins(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let reference = &input.experiment.reference_method;
    for (section, title) in [
        (Section::Main, "<h2 id=\"wins\">Wins</h2>\n"),
        (Section::Cases, "<h3>Case studies</h3>\n"),
    ] {
        let groups = digest.study.section(section);
        if groups.iter().all(|g| digest.study.present(g).is_empty()) {
            continue;
        }
        let _ = writeln!(
            out,
            "{title}<p>In how many cells (five quantiles of each problem) the first method is \
             significantly better : worse (two-sided rank-sum test at 0.05): both with the same recipe, \
             and each with the one that has its least mean of medians on the problem.</p>"
        );
        tables::wins(out, &digest.study, &groups, reference, &method);
    }
}

fn replication(out: &mut String, input: &Input<'_>, all: &[Replicated]) {
    if all.is_empty() {
        return;
    }
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    let _ = write!(
        out,
        "<h2 id=\"replication\">Replication</h2>\n<p>Quantiles recomputed from the released runs beside \
         those of our runs of the same methods: agreement is a difference of means within two combined \
         standard deviations. The released forward models were trained by iterative solvers in single \
         precision, ours are exact: better is no error, worse would be one.</p>\n<h3>{} with recipe {}</h3>\n",
        escape(&method(RELEASED)),
        PUBLISHED_RECIPE
    );
    let headline: Vec<&Replicated> = all.iter().filter(|r| r.is_headline()).collect();
    tables::replication(out, &headline, &problem);
    for (name, recipe, note) in [
        (
            AS_RUN,
            PUBLISHED_RECIPE,
            ", from other tasks with each seed",
        ),
        ("pmto-ft-beta1", "ard", ""),
        ("pmto-ft", "ard", " (released with β = 1)"),
    ] {
        let rows: Vec<&Replicated> = all
            .iter()
            .filter(|r| r.method == name && r.recipe == recipe)
            .collect();
        if !rows.is_empty() {
            let _ = writeln!(
                out,
                "<h3>{} with recipe {recipe}{note}</h3>",
                escape(&method(name))
            );
            tables::replication(out, &rows, &problem);
        }
    }
    out.push_str("<h3>All methods and recipes</h3>\n");
    tables::agreement(out, all, &method);
}

fn problems(out: &mut String, input: &Input<'_>, digest: &Digest<'_>, section: Section) {
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let mut groups = digest.study.section(section);
    groups.retain(|g| !digest.study.present(g).is_empty());
    if groups.is_empty() {
        return;
    }
    out.push_str(match section {
        Section::Wide => "<h2 id=\"wide\">Many inputs</h2>\n",
        Section::Cases => "<h2 id=\"cases\">Case studies</h2>\n",
        _ => {
            "<h2 id=\"main\">Families</h2>\n<p>Offline: mean over the tasks of the initial design of the \
             best cost so far, which a method may have left for other tasks. Online: quantiles over the \
             grid of unseen tasks for every recipe, mean ± standard deviation over seeds; the least of \
             each column is bold.</p>\n"
        }
    });
    for group in groups {
        let (name, text) = input.catalogue.describe_problem(&group.problem);
        let title = trace_title(input, group);
        let _ = write!(
            out,
            "<section id=\"{}-{}\">\n<h3>{}</h3>\n<p class=\"soft\">{}</p>\n<figure>\n{}<figcaption>\
             Mean over seeds; the band is a standard deviation.</figcaption>\n</figure>\n",
            section.name(),
            group.problem,
            escape(&name),
            escape(&text),
            traces::plot(&digest.study, group, &title, &method).inline()
        );
        let reference = &input.experiment.reference_method;
        tables::quantiles(out, &digest.study, group, reference, &method);
        out.push_str("</section>\n");
    }
}

fn several(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    let groups = digest.study.section(Section::Fronts);
    if groups.iter().all(|g| digest.study.present(g).is_empty()) {
        return;
    }
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    let _ = writeln!(
        out,
        "<h2 id=\"fronts\">Several objectives</h2>\n<p>Hypervolume over that of the true front, mean ± \
         standard deviation over seeds, larger is better; all methods spend the same number of evaluations \
         in total. Offline: of what was evaluated, on {} fixed tasks, after half and all of them. Unseen: \
         of the {} solutions that are named for each of {} other tasks without an evaluation, by the front \
         of the nearest fixed task, by the map from task and preference to solutions, and by that map \
         refined. The map is made of the evaluations of every method.</p>",
        super::multi::TASKS,
        super::multi::FRONT,
        super::multi::TESTS
    );
    super::fronts::table(out, &digest.study, [&problem, &method]);
}

fn pictures(out: &mut String, digest: &Digest<'_>) {
    out.push_str(
        "<h2 id=\"pictures\">Task models</h2>\n<p>Two small runs of the published and of the improved \
         method, made when this page was written.</p>\n",
    );
    for picture in &digest.pictures {
        let _ = write!(
            out,
            "<figure id=\"{}\">\n{}<figcaption>{}</figcaption>\n</figure>\n",
            picture.name,
            picture.drawing.inline(),
            escape(&picture.caption)
        );
    }
}

fn transfer(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    if digest.study.section(Section::Transfer).is_empty() {
        return;
    }
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    out.push_str(
        "<h2 id=\"transfer\">Negative transfer</h2>\n<p>The same function over a box of tasks whose \
         optimal solution moves smoothly, and over one where it jumps at random. Methods with one model of \
         all tasks beside those with one for each, both with the published and with proper fits. Offline: \
         mean best cost of the tasks of the initial design. A fitted lengthscale of tasks far below the \
         distance of tasks says that they have nothing in common.</p>\n",
    );
    checks::transfer(out, &digest.study, [&problem, &method]);
}

fn all_checks(out: &mut String, input: &Input<'_>, digest: &Digest<'_>) {
    let method = |m: &str| input.catalogue.describe_method(m).0;
    let problem = |p: &str| input.catalogue.describe_problem(p).0;
    let groups = scored(&digest.study);
    out.push_str(
        "<h2 id=\"budgets\">Offline budget</h2>\n<p>Mean over seeds of the median (Q50) when the task \
         model is made after a quarter, after half and after all of the evaluations of the same runs: no \
         method knows its budget.</p>\n",
    );
    checks::budgets(out, &digest.study, &groups, [&problem, &method]);
    out.push_str(
        "<h2 id=\"coverage\">Coverage of the task box</h2>\n<p>Evaluated tasks; how many of them a method \
         added, and the share of their coordinates within 0.02 of a face (4 % if uniform); distance from \
         unseen tasks to the nearest evaluated one; rank correlation of this distance with the cost of the \
         answer (recipe noise); and how much worse the worst answers are than the middle one.</p>\n",
    );
    checks::coverage(out, &digest.study, &groups, [&problem, &method]);
    out.push_str(
        "<h2 id=\"times\">Times</h2>\n<p>Seconds of a run: proposals, fits and planning, processor time \
         of both with evaluations, and the measurements, which are no part of the method.</p>\n",
    );
    checks::times(out, &digest.study, &groups, [&problem, &method]);
}

fn gains(out: &mut String, digest: &Digest<'_>) {
    out.push_str(
        "<h2 id=\"gains\">Information gain</h2>\n<p>Gain ½ log det(I + K/σ²) in nats of one model of all \
         tasks and of one for each, on random designs: 20 uniform tasks of five parameters, uniform \
         solutions of four coordinates, squared-exponential kernels, σ² = 0.01; means over five designs. \
         By Fischer's inequality the first is never larger.</p>\n<div class=\"scroll\">\
         <table class=\"numbers\"><thead><tr><th>ℓ of solutions</th><th>ℓ of tasks</th><th>evaluations \
         per task</th><th>unified</th><th>independent</th><th>ratio</th><th>another program, one \
         design</th></tr></thead><tbody>\n",
    );
    for gain in &digest.gains {
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.3}</td><td>{}</td></tr>",
            gain.solution_lengthscale,
            gain.task_lengthscale,
            gain.per_task,
            short(gain.unified),
            short(gain.independent),
            gain.ratio(),
            gain.expected_ratio
                .map_or("–".to_owned(), |r| format!("{r:.3}"))
        );
    }
    out.push_str("</tbody></table></div>\n");
}
