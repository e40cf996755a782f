//! The paper's claims, each decided from the results by a stated rule.

use std::cmp::Ordering;

use crate::profile::Section;
use crate::results::{Band, ProblemCurves, Score};
use crate::stats::{self, Paired};

/// Level of the paired tests, after Holm's correction over the problems of one claim.
pub const LEVEL: f64 = 0.05;
/// With fewer pairs no two-sided signed-rank test reaches [`LEVEL`].
pub const FEWEST_PAIRS: usize = 6;
/// The early budget of the data-efficiency claims.
pub const EARLY: usize = 10;
/// The late budget that the early one is compared with.
pub const LATE: usize = 30;

/// What the results say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Supported by the rule of the claim.
    Holds,
    /// Contradicted by it.
    Fails,
    /// Too few pairs, or no significant difference.
    Open,
}

impl Verdict {
    /// As in the report.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "does not hold",
            Self::Open => "not decidable",
        }
    }
}

/// One claim on one problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What is claimed.
    pub statement: String,
    /// Who claims it.
    pub source: &'static str,
    /// The rule that decides.
    pub rule: &'static str,
    /// Name of the problem.
    pub problem: String,
    /// The decision.
    pub verdict: Verdict,
    /// The paired comparison and its corrected p-value, if the claim is about one.
    pub test: Option<(Paired, f64)>,
    /// Further numbers, in words.
    pub note: String,
}

/// Direction that a comparison must have for the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Significantly better.
    Better,
    /// Not significantly worse.
    NotWorse,
    /// Median difference at most zero; fails only when significantly worse.
    Reaches,
}

impl Rule {
    /// As in the report.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Better => {
                "holds when significantly better, does not hold when significantly worse"
            }
            Self::NotWorse => {
                "holds when there is no significant loss, does not hold when significantly worse"
            }
            Self::Reaches => {
                "holds when the median paired difference is at most 0, does not hold when significantly worse"
            }
        }
    }

    /// The verdict on a comparison with a corrected p-value.
    pub(crate) fn decide(self, result: &Paired, p: f64) -> Verdict {
        let better = p < LEVEL && result.direction == Ordering::Less;
        let worse = p < LEVEL && result.direction == Ordering::Greater;
        match self {
            _ if result.pairs < FEWEST_PAIRS => Verdict::Open,
            _ if worse => Verdict::Fails,
            Self::Better if better => Verdict::Holds,
            Self::NotWorse => Verdict::Holds,
            Self::Reaches if result.median_difference <= 0.0 => Verdict::Holds,
            Self::Better | Self::Reaches => Verdict::Open,
        }
    }
}

/// All claims about `reference` that the results speak to. `label` names methods for people.
#[must_use]
pub fn decide(
    problems: &[ProblemCurves],
    reference: &str,
    label: &dyn Fn(&str) -> String,
) -> Vec<Claim> {
    let main: Vec<&ProblemCurves> = problems
        .iter()
        .filter(|p| p.entry.section == Section::Main)
        .collect();
    let ablation: Vec<&ProblemCurves> = problems
        .iter()
        .filter(|p| p.entry.section == Section::Ablation)
        .collect();
    let ours = label(reference);
    let mut claims = Vec::new();
    for rival in ["mo-gp", "ind-gp"] {
        claims.extend(compare(
            &main,
            (reference, rival),
            &|p| {
                let early = Score::At(EARLY.min(p.entry.evaluations as usize));
                (early, early)
            },
            Rule::Better,
            format!(
                "After {EARLY} evaluations {ours} is ahead of {}",
                label(rival)
            ),
            "abstract: data efficiency against methods without meta-data",
        ));
    }
    for rival in ["mo-gp", "ind-gp"] {
        claims.extend(three_fold(&main, reference, rival, label));
    }
    let anytime = |_: &ProblemCurves| (Score::Anytime, Score::Anytime);
    // With one objective the two are the same method.
    let several: Vec<&ProblemCurves> = main
        .iter()
        .copied()
        .filter(|p| p.entry.objectives > 1)
        .collect();
    claims.extend(compare(
        &several,
        (reference, "ind-scaml"),
        &anytime,
        Rule::Better,
        format!("Over the whole run {ours} beats {}", label("ind-scaml")),
        "text on the Hartmann family; disputed in reviews",
    ));
    for (rival, source) in [
        (
            "ind-ablr",
            "HPOBench and Terrain: no clear winner between the two",
        ),
        ("ind-rgpe", "abstract: consistently competitive"),
    ] {
        claims.extend(compare(
            &main,
            (reference, rival),
            &anytime,
            Rule::NotWorse,
            format!(
                "Over the whole run {ours} is competitive with {}",
                label(rival)
            ),
            source,
        ));
    }
    for (own, rival, what) in [
        (
            reference,
            "smog-rho0",
            "Modelling correlated objectives helps",
        ),
        (
            reference,
            "smog-shared-weights",
            "One weight per task and objective helps",
        ),
        // Both start from the same design, so that the meta-data alone make the difference.
        ("smog-equal-init", "smog-no-meta", "Meta-data help"),
    ] {
        claims.extend(compare(
            &ablation,
            (own, rival),
            &anytime,
            Rule::Better,
            format!("{what}: {} beats {}", label(own), label(rival)),
            "our ablation: a review attributes the gains to the prior mean",
        ));
    }
    claims.extend(linear(problems, reference));
    claims
}

/// One claim per problem that both methods finished on, Holm's correction over them.
pub(crate) fn compare(
    problems: &[&ProblemCurves],
    (reference, rival): (&str, &str),
    scores: &dyn Fn(&ProblemCurves) -> (Score, Score),
    rule: Rule,
    statement: String,
    source: &'static str,
) -> Vec<Claim> {
    let tested: Vec<(&ProblemCurves, Paired)> = problems
        .iter()
        .filter_map(|p| {
            let (ours, theirs) = scores(p);
            Some((*p, p.compare((reference, ours), (rival, theirs))?))
        })
        .collect();
    // Entries that cannot be decided anyway must not make the others harder to decide.
    let enough = |r: &Paired| r.pairs >= FEWEST_PAIRS;
    let raw: Vec<f64> = tested
        .iter()
        .filter(|(_, r)| enough(r))
        .map(|(_, r)| r.p)
        .collect();
    let mut holm = stats::holm(&raw).into_iter();
    let corrected: Vec<f64> = tested
        .iter()
        .map(|(_, r)| {
            if enough(r) {
                holm.next().unwrap_or(1.0)
            } else {
                r.p
            }
        })
        .collect();
    let claim = |((p, result), q): (&(&ProblemCurves, Paired), f64)| Claim {
        statement: statement.clone(),
        source,
        rule: rule.text(),
        problem: p.entry.problem.clone(),
        verdict: rule.decide(result, q),
        test: Some((*result, q)),
        note: String::new(),
    };
    tested.iter().zip(corrected).map(claim).collect()
}

/// A standard error for people: a dash when there is none.
#[must_use]
pub fn error_text(error: f64) -> String {
    if error.is_finite() {
        format!("{error:.2}")
    } else {
        "–".into()
    }
}

/// A p-value for people.
#[must_use]
pub fn p_text(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

/// `reference` reaches in [`EARLY`] evaluations what `rival` reaches in [`LATE`].
fn three_fold(
    problems: &[&ProblemCurves],
    reference: &str,
    rival: &str,
    label: &dyn Fn(&str) -> String,
) -> Vec<Claim> {
    let statement = format!(
        "{} reaches in {EARLY} evaluations what {} reaches in {LATE}",
        label(reference),
        label(rival)
    );
    let long: Vec<&ProblemCurves> = problems
        .iter()
        .copied()
        .filter(|p| p.entry.evaluations as usize >= LATE)
        .collect();
    let mut claims = compare(
        &long,
        (reference, rival),
        &|_| (Score::At(EARLY), Score::At(LATE)),
        Rule::Reaches,
        statement.clone(),
        "abstract: data efficiency against methods without meta-data",
    );
    for p in problems {
        let Some(crossing) = crossing(p, reference, rival) else {
            continue;
        };
        match claims.iter_mut().find(|c| c.problem == p.entry.problem) {
            Some(claim) => claim.note = crossing,
            None => claims.push(Claim {
                statement: statement.clone(),
                source: "abstract: data efficiency against methods without meta-data",
                rule: Rule::Reaches.text(),
                problem: p.entry.problem.clone(),
                verdict: Verdict::Open,
                test: None,
                note: format!("{crossing}; {} were run", p.entry.evaluations),
            }),
        }
    }
    claims
}

/// When the rival's median reaches the reference's median after [`EARLY`] evaluations.
fn crossing(p: &ProblemCurves, reference: &str, rival: &str) -> Option<String> {
    let band = p.method(reference)?.band(Band::MedianAndQuartiles);
    let target = band.get(EARLY - 1)?[0];
    p.method(rival)?;
    Some(match p.first_reaching(rival, target) {
        Some(evaluation) => format!("its median gets there at evaluation {evaluation}"),
        None => format!(
            "its median does not get there in {} evaluations",
            p.entry.evaluations
        ),
    })
}

/// Times against the number of meta-tasks, from problems called `scaling-M`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Number of meta-tasks, seconds to fit to their data, seconds of one suggestion.
    pub points: Vec<(f64, f64, f64)>,
}

impl Scaling {
    /// Collects the times of one method; `None` without scaling problems.
    #[must_use]
    pub fn new(problems: &[ProblemCurves], method: &str) -> Option<Self> {
        let mut points: Vec<(f64, f64, f64)> = problems
            .iter()
            .filter(|p| p.entry.section == Section::Scaling)
            .filter_map(|p| {
                let tasks = p.entry.problem.strip_prefix("scaling-")?.parse().ok()?;
                let m = p.method(method)?;
                Some((tasks, m.setup_seconds, m.ask_seconds + m.tell_seconds))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        (!points.is_empty()).then_some(Self { points })
    }

    /// Log-log slope of the time of fitting to meta-data, and its standard error.
    #[must_use]
    pub fn fit_slope(&self) -> Option<(f64, f64)> {
        stats::log_log_slope(&self.points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>())
    }

    /// Log-log slope of the time of one suggestion (model update and proposal), and its error.
    #[must_use]
    pub fn suggestion_slope(&self) -> Option<(f64, f64)> {
        stats::log_log_slope(&self.points.iter().map(|p| (p.0, p.2)).collect::<Vec<_>>())
    }
}

fn linear(problems: &[ProblemCurves], reference: &str) -> Vec<Claim> {
    let Some(scaling) = Scaling::new(problems, reference) else {
        return Vec::new();
    };
    let last = scaling.points.len() - 1;
    let range = format!(
        "{} to {} meta-tasks",
        scaling.points[0].0, scaling.points[last].0
    );
    let claim = |what: &str, slope: Option<(f64, f64)>, ends: (f64, f64)| {
        let (slope, error) = slope?;
        Some(Claim {
            statement: format!("Time {what} grows at most linearly with the number of meta-tasks"),
            source: "abstract: scales linearly",
            rule: "holds when the log-log slope is at most 1.15, does not hold above 1.3",
            problem: "scaling".into(),
            verdict: match slope {
                s if scaling.points.len() < 3 || (s > 1.15 && s <= 1.3) => Verdict::Open,
                s if s <= 1.15 => Verdict::Holds,
                _ => Verdict::Fails,
            },
            test: None,
            note: format!(
                "slope {slope:.2} ± {} over {range} ({:.3} s to {:.3} s)",
                error_text(error),
                ends.0,
                ends.1
            ),
        })
    };
    let first = scaling.points[0];
    let end = scaling.points[last];
    [
        claim(
            "to fit the meta-data",
            scaling.fit_slope(),
            (first.1, end.1),
        ),
        claim(
            "of one suggestion",
            scaling.suggestion_slope(),
            (first.2, end.2),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(pairs: usize, median_difference: f64) -> Paired {
        Paired {
            pairs,
            wins: 0,
            losses: 0,
            ties: 0,
            median_difference,
            p: 1.0,
            direction: median_difference.total_cmp(&0.0),
        }
    }

    #[test]
    fn rules_decide_as_they_say() {
        let check = |rule: Rule, difference, p, expected| {
            assert_eq!(
                rule.decide(&result(20, difference), p),
                expected,
                "{rule:?} {difference} {p}"
            );
        };
        check(Rule::Better, -0.5, 0.01, Verdict::Holds);
        check(Rule::Better, -0.5, 0.2, Verdict::Open);
        check(Rule::Better, 0.5, 0.01, Verdict::Fails);
        check(Rule::NotWorse, 0.5, 0.2, Verdict::Holds);
        check(Rule::NotWorse, 0.5, 0.01, Verdict::Fails);
        check(Rule::Reaches, -0.1, 0.9, Verdict::Holds);
        check(Rule::Reaches, 0.1, 0.9, Verdict::Open);
        check(Rule::Reaches, 0.1, 0.01, Verdict::Fails);
        assert_eq!(Rule::NotWorse.decide(&result(5, -1.0), 0.01), Verdict::Open);
    }

    #[test]
    fn a_significant_loss_behind_ties_is_a_loss() {
        let mut worse = [0.0; 20];
        for (value, loss) in worse[11..].iter_mut().zip(1..) {
            *value = f64::from(loss);
        }
        let result = stats::paired(&worse, &[0.0; 20]);
        for rule in [Rule::Better, Rule::NotWorse, Rule::Reaches] {
            assert_eq!(rule.decide(&result, result.p), Verdict::Fails, "{rule:?}");
        }
        let result = stats::paired(&[0.0; 20], &worse);
        assert_eq!(Rule::Better.decide(&result, result.p), Verdict::Holds);
    }
}
