//! The paper's claims, and our own, each decided from the results by a stated rule.

use std::cmp::Ordering;

use super::methods::is_primo;
use super::ranks::Ranks;
use super::replication::Replicated;
use super::speedup::{SpeedUp, median_ratio};
use super::study::{PUBLISHED_RIVAL, Study, told};
use crate::claims::{Claim, FEWEST_PAIRS, LEVEL, Rule, Verdict, compare, error_text};
use crate::profile::Section;
use crate::results::Score;
use crate::stats::{self, Paired};

/// When misleading priors must be overcome enough to be no worse than random search.
const RECOVERED: usize = 10;
/// Part of its own hypervolume without priors that must be kept under misleading ones.
const KEPT: f64 = 0.9;
/// The published speed-up.
const SPEED_UP: f64 = 10.0;
/// Numbers of the replication that must agree, of the 32 published ones.
const AGREE: usize = 28;
const PUBLISHED: usize = 32;

/// All claims that the results speak to. `label` names methods for people.
#[must_use]
pub fn decide(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let mut claims = Vec::new();
    let reference = study.reference.as_str();
    for method in [reference, "primo-as-run"] {
        claims.extend(ranks(study, method, label));
    }
    claims.extend(variants(study, label));
    claims.extend(recovery(study, label));
    claims.extend(speed(study, label));
    claims.extend(ablation(study, label));
    claims.extend(single(study, label));
    claims.extend(replication(&study.replicated));
    claims
}

/// First quarter of a budget, and its end.
#[must_use]
pub fn moments(units: usize) -> [(&'static str, usize); 2] {
    [("anytime", (units / 4).max(1)), ("final", units)]
}

fn ranks(study: &Study, method: &str, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let good = study.ranks.iter().find(|r| r.condition == "good");
    let mut claims = Vec::new();
    for (ranks, what, source) in [
        (
            study.overall.as_ref(),
            "has the best rank over all conditions",
            "abstract: best overall rank, anytime and final",
        ),
        (
            good,
            "has the best rank under good priors",
            "abstract: uses good priors",
        ),
    ] {
        let Some(ranks) = ranks else { continue };
        for (moment, unit) in moments(ranks.units) {
            let statement = format!("{} {what}, {moment}", label(method));
            claims.extend(best_rank(ranks, unit, method, label, statement, source));
        }
    }
    claims
}

/// Against every method that is no variant of PriMO.
fn best_rank(
    ranks: &Ranks,
    unit: usize,
    method: &str,
    label: &dyn Fn(&str) -> String,
    statement: String,
    source: &'static str,
) -> Option<Claim> {
    let (mine, error) = ranks.at(method, unit)?;
    let ours = ranks.of(method, unit);
    let mut rivals: Vec<(&String, f64, Paired)> = ranks
        .methods
        .iter()
        .filter(|m| !is_primo(m))
        .filter_map(|m| {
            let mean = ranks.at(m, unit)?.0;
            Some((m, mean, stats::paired(&ours, &ranks.of(m, unit))))
        })
        .collect();
    rivals.sort_by(|a, b| a.1.total_cmp(&b.1));
    let corrected = stats::holm(&rivals.iter().map(|r| r.2.p).collect::<Vec<_>>());
    let decided = |q: f64, direction, r: &Paired| q < LEVEL && r.direction == direction;
    let mut each = rivals.iter().zip(&corrected);
    let ahead = each.clone().all(|(r, q)| decided(*q, Ordering::Less, &r.2));
    let behind = each.any(|(r, q)| decided(*q, Ordering::Greater, &r.2));
    let (next, next_mean, test) = rivals.first()?;
    let verdict = match () {
        () if ours.len() < FEWEST_PAIRS => Verdict::Open,
        () if ahead => Verdict::Holds,
        () if behind => Verdict::Fails,
        () => Verdict::Open,
    };
    Some(Claim {
        statement,
        source,
        rule: "holds when significantly ahead of every baseline, does not hold when significantly behind \
               one; by the seeds' mean ranks over problems, Holm's correction over the baselines",
        problem: format!("{} problems", ranks.problems.len()),
        verdict,
        test: Some((*test, corrected[0])),
        note: format!(
            "rank {mine:.2} ± {} of {}; best baseline: {}, {next_mean:.2} (difference in ranks)",
            error_text(error),
            ranks.methods.len(),
            label(next)
        ),
    })
}

/// The improved variant against the others, in mean rank.
fn variants(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let Some(ranks) = &study.overall else {
        return Vec::new();
    };
    let reference = study.reference.as_str();
    let mut claims = Vec::new();
    for rival in ["primo-as-run", "primo-paper"] {
        for (moment, unit) in moments(ranks.units) {
            let (Some(ours), Some(theirs)) = (ranks.at(reference, unit), ranks.at(rival, unit))
            else {
                continue;
            };
            let test = stats::paired(&ranks.of(reference, unit), &ranks.of(rival, unit));
            claims.push(Claim {
                statement: format!(
                    "{} has a better rank than {}, {moment}",
                    label(reference),
                    label(rival)
                ),
                source: "ours",
                rule: Rule::Better.text(),
                problem: format!("{} problems", ranks.problems.len()),
                verdict: Rule::Better.decide(&test, test.p),
                test: Some((test, test.p)),
                note: format!(
                    "rank {:.2} against {:.2} (difference in ranks)",
                    ours.0, theirs.0
                ),
            });
        }
    }
    claims
}

fn recovery(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let mut claims = Vec::new();
    for method in [study.reference.as_str(), "primo-as-run"] {
        for (condition, adjective) in [
            ("misleading", "misleading"),
            ("overconfident", "over-confident"),
        ] {
            let name = told(method, condition);
            claims.extend(compare(
                &study.under(Section::Main, condition),
                (&name, "random"),
                &|p| {
                    let at = Score::At(RECOVERED.min(p.entry.evaluations as usize));
                    (at, at)
                },
                Rule::NotWorse,
                format!(
                    "With {adjective} priors {} is not worse than {} after {RECOVERED} evaluations",
                    label(method),
                    label("random")
                ),
                "text: recovers from bad priors",
            ));
            claims.extend(kept(study, method, condition, adjective, label));
        }
    }
    claims
}

/// Most of its own hypervolume without priors is reached in spite of misleading ones.
fn kept(
    study: &Study,
    method: &str,
    condition: &str,
    adjective: &str,
    label: &dyn Fn(&str) -> String,
) -> Vec<Claim> {
    // Its own: the variants do not reach the same without priors.
    let alone = match method {
        "primo-as-run" => "primo-as-run-no-prior",
        _ => "primo-no-prior",
    };
    let one = |curves: &super::curves::Curves| {
        let last = curves.entry.evaluations as usize;
        let (with, _) = curves.at(&told(method, condition), last)?;
        let (without, _) = curves.at(alone, last)?;
        let seeds = curves.method(alone)?.len();
        Some(Claim {
            statement: format!(
                "With {adjective} priors {} ends within 10 % of the hypervolume of {}",
                label(method),
                label(alone)
            ),
            source: "text: recovers from bad priors",
            rule: "holds when the mean hypervolume at the end is at least 90 % of that without priors",
            problem: curves.entry.problem.clone(),
            verdict: match with >= KEPT * without {
                _ if seeds < FEWEST_PAIRS || without <= 0.0 => Verdict::Open,
                true => Verdict::Holds,
                false => Verdict::Fails,
            },
            test: None,
            note: match without > 0.0 {
                true => format!("{:.1} % of it", 100.0 * with / without),
                false => "nothing is reached without priors".into(),
            },
        })
    };
    study.main.iter().filter_map(one).collect()
}

fn speed(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let ours = label(&study.reference);
    let seeds = study.ranks.iter().map(super::ranks::Ranks::seeds).min();
    let seeds = seeds.unwrap_or(0);
    let claim = |all: &[SpeedUp], rival: &str| {
        let good: Vec<SpeedUp> = all
            .iter()
            .filter(|s| s.condition == "good")
            .cloned()
            .collect();
        if good.is_empty() {
            return None;
        }
        let median = median_ratio(&good);
        let reached = good.iter().filter(|s| s.ours.is_some()).count();
        let most = good.iter().map(SpeedUp::ratio).fold(0.0, f64::max);
        let everywhere = median_ratio(all);
        Some(Claim {
            statement: format!(
                "Under good priors {ours} is ten times as fast as {rival} to where that ends"
            ),
            source: "abstract: about ten-fold speed-up, from one pair of numbers on one problem",
            rule: "holds when the median over problems of their cost over ours is at least 10; not \
                   reaching it counts as 0",
            problem: format!("{} problems", good.len()),
            verdict: match median {
                _ if seeds < FEWEST_PAIRS => Verdict::Open,
                m if m >= SPEED_UP => Verdict::Holds,
                _ => Verdict::Fails,
            },
            test: None,
            note: format!(
                "median {median:.1}, largest {most:.1}, reached on {reached} of {}; over all \
                 conditions the median is {everywhere:.1}",
                good.len()
            ),
        })
    };
    [
        claim(&study.speed, "the best baseline"),
        claim(&study.published_speed, &label(PUBLISHED_RIVAL)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ablation(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let reference = study.reference.as_str();
    let anytime = |_: &crate::results::ProblemCurves| (Score::Anytime, Score::Anytime);
    let mut claims = Vec::new();
    for (condition, rival, with_prior, what) in [
        (
            "good",
            "primo-no-init",
            true,
            "The cheap initial design helps",
        ),
        ("good", "primo-no-prior", false, "Good priors help"),
        (
            "misleading",
            "primo-no-decay",
            true,
            "Decay helps against misleading priors",
        ),
        (
            "misleading",
            "primo-no-trust",
            true,
            "Judging priors by the data helps against misleading ones",
        ),
        (
            "misleading",
            "primo-no-greedy",
            true,
            "Leaving the prior out by chance helps against misleading priors",
        ),
    ] {
        let rival_name = match with_prior {
            true => told(rival, condition),
            false => rival.to_owned(),
        };
        claims.extend(compare(
            &study.under(Section::Ablation, condition),
            (&told(reference, condition), &rival_name),
            &anytime,
            Rule::Better,
            format!("{what}: {} beats {}", label(reference), label(rival)),
            "our ablation",
        ));
    }
    claims
}

fn single(study: &Study, label: &dyn Fn(&str) -> String) -> Vec<Claim> {
    let reference = told(&study.reference, "good");
    let mut claims = Vec::new();
    for (rival, with_prior) in [
        ("hyperband-rw", false),
        ("bo-rw", false),
        ("mo-priorband", true),
        ("pibo-rw", true),
    ] {
        let name = match with_prior {
            true => told(rival, "good"),
            false => rival.to_owned(),
        };
        claims.extend(compare(
            &study.under(Section::Single, "good"),
            (&reference, &name),
            &|p| {
                let end = Score::At(p.entry.evaluations as usize);
                (end, end)
            },
            Rule::Better,
            format!(
                "With one objective and a good prior {} ends ahead of {}",
                label(&reference),
                label(rival)
            ),
            "text: best with one objective too",
        ));
    }
    claims
}

fn replication(all: &[Replicated]) -> Option<Claim> {
    let seeds = all.iter().map(|r| r.seeds).min()?;
    let agree = all.iter().filter(|r| r.agrees()).count();
    Some(Claim {
        statement: "The variant as run reproduces the published runs".into(),
        source: "published raw runs",
        rule: "holds when at least 28 of 32 mean hypervolumes are within two combined standard errors",
        problem: "LCBench".into(),
        verdict: match agree {
            _ if all.len() < PUBLISHED || seeds < FEWEST_PAIRS => Verdict::Open,
            a if a >= AGREE => Verdict::Holds,
            _ => Verdict::Fails,
        },
        test: None,
        note: format!("{agree} of {} agree", all.len()),
    })
}
