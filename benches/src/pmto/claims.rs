//! The claims, each decided from the results by a stated rule.

use super::fronts;
use super::replication::{Replicated, WITHIN};
use super::study::{AS_RUN, Group, Moments, OWN_RECIPE, PUBLISHED_RECIPE, RELEASED, Study};
use super::tables::{short, with_sd};
use super::wins::{Choice, Duel, count, count_with, duels, lost_to_any};
use crate::claims::{Claim, LEVEL, Verdict};
use crate::profile::Section;
use crate::stats::{self, rank_sum};

/// With fewer runs of a method nothing is decided.
pub const FEWEST: usize = 5;
/// Published cells that must agree.
const AGREE: usize = 30;
/// The published number of significantly better cells.
const PUBLISHED_WINS: usize = 31;
/// Cells that our variant must win or tie.
const WIN_OR_TIE: usize = 36;
/// Cells of the whole experiment.
const CELLS: usize = 40;
/// Fraction of a uniform draw that lies within 0.02 of a face.
const UNIFORM_BOUNDARY: f64 = 0.04;

/// Variants that are not among the methods which ours is measured against.
const HYBRID: &str = "pmto-hybrid";
/// The variant for many solution coordinates.
const WIDE: &str = "pmto-high";

/// All claims that the results speak to, and the duels of the reference method.
#[must_use]
pub fn decide(
    study: &Study<'_>,
    replicated: &[Replicated],
    reference: &str,
    label: &dyn Fn(&str) -> String,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    claims.extend(replication(replicated));
    claims.extend(anchors(study));
    claims.extend(published_wins(study, label));
    claims.extend(best_of_others(study, reference, label));
    claims.extend(half_budget(study, reference, label));
    claims.extend(hybrid(study, label));
    claims.extend(wide(study, label));
    claims.extend(fronts::claims(study, label));
    claims.extend(transfer(study, label));
    claims
}

fn claim(
    statement: impl Into<String>,
    source: &'static str,
    rule: &'static str,
    (problem, verdict, note): (&str, Verdict, String),
) -> Claim {
    Claim {
        statement: statement.into(),
        source,
        rule,
        problem: problem.to_owned(),
        verdict,
        test: None,
        note,
    }
}

fn verdict(decidable: bool, holds: bool) -> Verdict {
    match (decidable, holds) {
        (false, _) => Verdict::Open,
        (true, true) => Verdict::Holds,
        (true, false) => Verdict::Fails,
    }
}

fn replication(all: &[Replicated]) -> Option<Claim> {
    let ours: Vec<&Replicated> = all.iter().filter(|r| r.is_headline()).collect();
    let seeds = ours.iter().map(|r| r.seeds).min()?;
    let agree = ours.iter().filter(|r| r.agrees()).count();
    let better = ours.iter().filter(|r| r.is_better()).count();
    let outside: Vec<String> = ours
        .iter()
        .filter(|r| !r.agrees() && r.distance().is_finite())
        .map(|r| {
            let side = if r.is_better() { "better" } else { "worse" };
            format!("{} Q{} {side}", r.problem, r.quantile)
        })
        .collect();
    let mut note = format!(
        "{agree} of {} within {WITHIN} deviations, {better} better, {} worse",
        ours.len(),
        outside.len() - better
    );
    if !outside.is_empty() {
        note += &format!(": {}", outside.join(", "));
    }
    let decidable = ours.len() == CELLS && seeds >= FEWEST;
    Some(claim(
        "The variant as run reproduces the quantiles of the released runs",
        "released runs",
        "holds when at least 30 of 40 means are within two combined standard deviations",
        ("", verdict(decidable, agree >= AGREE), note),
    ))
}

/// Single numbers of the released runs.
fn anchors(study: &Study<'_>) -> Vec<Claim> {
    struct Anchor {
        problem: &'static str,
        method: &'static str,
        measure: &'static str,
        what: &'static str,
        expected: (f64, f64),
    }
    const ALL: [Anchor; 6] = [
        Anchor {
            problem: "sphere-i",
            method: "pmto-ft-beta1",
            measure: "trace/initial/2000",
            what: "FT, β = 1: mean best cost of the tasks",
            expected: (0.069, 0.03),
        },
        Anchor {
            problem: "sphere-i",
            method: "pmto-ft-beta1",
            measure: "iso/q50",
            what: "FT, β = 1, iso: median",
            expected: (3.68, 0.16),
        },
        Anchor {
            problem: "sphere-i",
            method: "pmto-ft-beta1",
            measure: "ard/q50",
            what: "FT, β = 1, ard: median",
            expected: (0.05, 0.03),
        },
        Anchor {
            problem: "sphere-i",
            method: RELEASED,
            measure: "ard70/q50",
            what: "PMTO, ard70: median",
            expected: (0.54, 0.83),
        },
        Anchor {
            problem: "ackley-i",
            method: RELEASED,
            measure: "ard70/q50",
            what: "PMTO, ard70: median",
            expected: (0.35, 0.17),
        },
        Anchor {
            problem: "rastrigin-i",
            method: RELEASED,
            measure: "ard70/q50",
            what: "PMTO, ard70: median",
            expected: (57.4, 9.2),
        },
    ];
    let rule = "holds when the mean is not above the released one by more than the tolerance; lower \
                may be the exact factorisation";
    let mut claims = Vec::new();
    for anchor in ALL {
        let (expected, tolerance) = anchor.expected;
        let found = study.groups.iter().find_map(|g| {
            let here = g.problem == anchor.problem && g.section != Section::Transfer;
            let values = study.values(g, anchor.method, anchor.measure);
            (here && !values.is_empty()).then_some(values)
        });
        let Some(values) = found else { continue };
        let Some(moments) = Moments::of(&values) else {
            continue;
        };
        let note = format!(
            "{}: {}, expected {expected} within {tolerance}",
            anchor.what,
            with_sd(moments)
        );
        let holds = moments.mean <= expected + tolerance;
        let decided = verdict(values.len() >= FEWEST, holds);
        claims.push(claim(
            "Anchors of the released runs are met",
            "released runs",
            rule,
            (anchor.problem, decided, note),
        ));
    }
    for group in study.section(Section::Main) {
        let (added, boundary) = (
            study.moments(group, AS_RUN, "tasks/added"),
            study.moments(group, AS_RUN, "tasks/boundary"),
        );
        if let (Some(added), Some(boundary)) = (added, boundary) {
            let holds = boundary.mean > 2.0 * UNIFORM_BOUNDARY;
            let decided = verdict(study.runs(group, AS_RUN).len() >= FEWEST, holds);
            let note = format!(
                "{:.0} tasks added, {:.0} % of their coordinates on a face",
                added.mean,
                100.0 * boundary.mean
            );
            claims.push(claim(
                "Task evolution collapses to the boundary of the box",
                "released runs: 14 to 81 %, uniform would be 4 %",
                "holds above 8 %",
                (&group.problem, decided, note),
            ));
        }
    }
    claims
}

/// "Significantly better in 31 of 40 quantiles".
fn published_wins(study: &Study<'_>, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let groups = study.section(Section::Main);
    let mut claims = Vec::new();
    for rival in ["st", "mt", "pmto-ft", "pmto-rt", "self"] {
        let seeds = study.fewest(&groups, &[AS_RUN, rival]);
        let pairings = [
            (
                "its recipe ard70 against iso",
                count_with(study, &groups, [(AS_RUN, PUBLISHED_RECIPE), (rival, "iso")]),
            ),
            (
                "both with ard70",
                count(
                    study,
                    &groups,
                    [AS_RUN, rival],
                    Choice::Same(PUBLISHED_RECIPE),
                ),
            ),
            (
                "each with its best recipe",
                count(study, &groups, [AS_RUN, rival], Choice::Best),
            ),
        ];
        for (pairing, count) in pairings.into_iter().filter(|(_, c)| c.cells > 0) {
            let decidable = count.cells == CELLS && seeds >= FEWEST;
            let note = format!(
                "{pairing}: better in {} of {}, worse in {}",
                count.better, count.cells, count.worse
            );
            let decided = verdict(decidable, count.better >= PUBLISHED_WINS);
            claims.push(claim(
                format!(
                    "{} is significantly better than {} in 31 of 40 quantiles",
                    label(AS_RUN),
                    label(rival)
                ),
                "abstract; the pairing of recipes is not stated",
                "holds when at least 31 of 40 cells have a rank-sum p < 0.05 in its favour",
                ("", decided, note),
            ));
        }
    }
    claims
}

/// Every other method of the main part.
#[must_use]
pub fn rivals<'s>(study: &'s Study<'_>, reference: &str, with_hybrid: bool) -> Vec<&'s str> {
    let mut rivals: Vec<&str> = Vec::new();
    for group in study.section(Section::Main) {
        for method in study.present(group) {
            let other = method != reference && (with_hybrid || method != HYBRID);
            if other && !rivals.contains(&method) {
                rivals.push(method);
            }
        }
    }
    rivals
}

fn best_of_others(
    study: &Study<'_>,
    reference: &str,
    label: &dyn Fn(&str) -> String,
) -> Vec<Claim> {
    let groups = study.section(Section::Main);
    let mut claims = Vec::new();
    for with_hybrid in [false, true] {
        let rivals = rivals(study, reference, with_hybrid);
        if with_hybrid && !rivals.contains(&HYBRID) {
            continue;
        }
        for (recipe, what) in [
            (Some(OWN_RECIPE), "with its own recipe"),
            (None, "with its best recipe"),
        ] {
            let duels = duels(study, &groups, (reference, recipe), &rivals);
            if duels.is_empty() {
                continue;
            }
            let mut all = vec![reference];
            all.extend(&rivals);
            let decidable = duels.len() == CELLS && study.fewest(&groups, &all) >= FEWEST;
            let lost: Vec<&Duel> = duels.iter().filter(|d| d.test.loses(LEVEL)).collect();
            let won = duels.iter().filter(|d| d.test.wins(LEVEL)).count();
            let ties = duels.len() - won - lost.len();
            let mut note = format!(
                "wins {won}, ties {ties}, loses {} of {}, against {} methods{}",
                lost.len(),
                duels.len(),
                rivals.len(),
                if with_hybrid {
                    ", the hybrid among them"
                } else {
                    ""
                }
            );
            let any = lost_to_any(study, &groups, (reference, recipe), &rivals);
            note += &format!(
                "; in {any} cells some method with some recipe is better by the same test"
            );
            for duel in &lost {
                note += &format!(
                    "; {} Q{} to {}/{}",
                    duel.problem,
                    duel.quantile,
                    label(&duel.rival),
                    duel.recipe
                );
            }
            let decided = verdict(decidable, won + ties >= WIN_OR_TIE);
            claims.push(claim(
                format!(
                    "{} {what} wins or ties against the best of all other methods and recipes of each \
                     cell",
                    label(reference)
                ),
                "our aim",
                "holds when at least 36 of 40 cells are not significantly worse (rank-sum, 0.05)",
                ("", decided, note),
            ));
        }
    }
    claims
}

fn half_budget(study: &Study<'_>, reference: &str, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let mut claims = Vec::new();
    for group in study.section(Section::Main) {
        let half = group.evaluations / 2;
        let early = study.quantile(group, (reference, OWN_RECIPE), Some(half), 50);
        let Some(recipe) = study.best_recipe(group, AS_RUN) else {
            continue;
        };
        if early.is_empty() {
            continue;
        }
        let median = |recipe| stats::median(&study.quantile(group, (AS_RUN, recipe), None, 50));
        let (ours, published, best) = (
            stats::median(&early),
            median(PUBLISHED_RECIPE),
            median(recipe),
        );
        let decidable = early.len() >= FEWEST && study.runs(group, AS_RUN).len() >= FEWEST;
        let note = format!(
            "{} at {half}; {} at the end {} ({PUBLISHED_RECIPE}), with its best recipe {} ({recipe})",
            short(ours),
            label(AS_RUN),
            short(published),
            short(best)
        );
        claims.push(claim(
            format!(
                "{} reaches the median of {} with half the evaluations",
                label(reference),
                label(AS_RUN)
            ),
            "our aim",
            "holds when the median over seeds of Q50 is at most that of the rival, each with its own recipe",
            (&group.problem, verdict(decidable, ours <= published), note),
        ));
    }
    claims
}

/// The hybrid against the better of PMTO and PMTO-FT, all with the recipe that serves them best.
fn hybrid(study: &Study<'_>, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let mut claims = Vec::new();
    for group in study.section(Section::Main) {
        let of = |method: &str| {
            let recipe = study.best_recipe(group, method)?;
            let values = study.quantile(group, (method, recipe), None, 50);
            let mean = Moments::of(&values)?.mean;
            Some((values, mean, recipe))
        };
        let Some((ours, mean, recipe)) = of(HYBRID) else {
            continue;
        };
        let rivals = [AS_RUN, "pmto-ft"].into_iter();
        let best = rivals
            .filter_map(|m| Some((m, of(m)?)))
            .min_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let Some((rival, (theirs, their_mean, their_recipe))) = best else {
            continue;
        };
        let test = rank_sum(&ours, &theirs);
        let decidable = ours.len() >= FEWEST && theirs.len() >= FEWEST;
        let (difference, error) = difference(&ours, &theirs);
        let note = format!(
            "{mean:.4} ({recipe}) against {their_mean:.4} of {} ({their_recipe}): difference {difference:.2} ± \
             {error:.2}, p = {:.3}",
            label(rival),
            test.p
        );
        // A tie of few runs is no proof of being as good.
        let decided = match (decidable, test.loses(LEVEL), difference <= 0.0) {
            (true, true, _) => Verdict::Fails,
            (true, false, true) => Verdict::Holds,
            _ => Verdict::Open,
        };
        claims.push(claim(
            format!(
                "{} is not worse than the better of PMTO and PMTO-FT in the median",
                label(HYBRID)
            ),
            "the paper's open question",
            "holds when the mean of Q50 is not larger, fails when it is significantly so (rank-sum, 0.05), each \
             with its best recipe",
            (&group.problem, decided, note),
        ));
    }
    claims
}

/// Difference of two means with its standard error.
fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let (of_a, error_a) = stats::mean_and_error(a);
    let (of_b, error_b) = stats::mean_and_error(b);
    (of_a - of_b, error_a.hypot(error_b))
}

/// What a unified model loses on tasks that have nothing in common.
fn transfer(study: &Study<'_>, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let groups = study.section(Section::Transfer);
    let mut claims = Vec::new();
    for (unified, single) in [("pmto-ft", "st"), ("ft-map", "st-map")] {
        for group in &groups {
            let last = format!("trace/initial/{}", group.evaluations);
            let [ours, theirs] = [unified, single].map(|m| study.values(group, m, &last));
            let (Some(a), Some(b)) = (Moments::of(&ours), Moments::of(&theirs)) else {
                continue;
            };
            let test = rank_sum(&ours, &theirs);
            let lengths = study.moments(group, unified, "lengthscale/task");
            let note = format!(
                "mean best cost {:.3e} against {:.3e}, p = {:.3}; lengthscale of tasks {}",
                a.mean,
                b.mean,
                test.p,
                lengths.map_or("unknown".to_owned(), |l| short(l.mean))
            );
            let decidable = ours.len() >= FEWEST && theirs.len() >= FEWEST;
            claims.push(claim(
                format!("{} loses nothing against {}", label(unified), label(single)),
                "our check of negative transfer",
                "holds when the mean best cost of the tasks is not significantly worse (rank-sum, 0.05)",
                (&group.problem, verdict(decidable, !test.loses(LEVEL)), note),
            ));
        }
    }
    claims
}

/// Groups with a finished run that are neither checks of transfer nor repetitions.
#[must_use]
pub fn scored<'s>(study: &'s Study<'_>) -> Vec<&'s Group> {
    [Section::Main, Section::Cases, Section::Wide]
        .into_iter()
        .flat_map(|section| study.section(section))
        .filter(|group| !study.present(group).is_empty())
        .collect()
}

/// Sixty solution coordinates: the method made for many against the published one and random search.
fn wide(study: &Study<'_>, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let mut claims = Vec::new();
    for group in study.section(Section::Wide) {
        for rival in [AS_RUN, "random"] {
            let of = |method: &str| {
                let recipe = study.best_recipe(group, method)?;
                let values = study.quantile(group, (method, recipe), None, 50);
                Some((values, recipe))
            };
            let (Some((ours, recipe)), Some((theirs, their_recipe))) = (of(WIDE), of(rival)) else {
                continue;
            };
            let test = rank_sum(&ours, &theirs);
            let decidable = ours.len() >= FEWEST && theirs.len() >= FEWEST;
            let note = format!(
                "{} ({recipe}) against {} ({their_recipe}), p = {:.3}",
                short(stats::median(&ours)),
                short(stats::median(&theirs)),
                test.p
            );
            claims.push(claim(
                format!(
                    "In 60 dimensions {} has a better median than {}",
                    label(WIDE),
                    label(rival)
                ),
                "the paper's open question",
                "holds when Q50 is significantly smaller (rank-sum, 0.05), each with its best recipe",
                (&group.problem, verdict(decidable, test.wins(LEVEL)), note),
            ));
        }
    }
    claims
}

#[cfg(test)]
mod tests;
