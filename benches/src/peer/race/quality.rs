//! Whether the results of two sides agree, or ours is at least as good.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::ours;
use super::protocol::Values;
use crate::inputs;
use crate::stats::{median, quantile};

/// What is asked of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The same value and gradient.
    Gradient,
    /// A log posterior per point that is not lower in the eyes of either side, with no more evaluations.
    LogPosterior,
    /// An error at test points that is not larger; for models that differ.
    TestError,
    /// The same means and variances.
    Predictions,
    /// A point of a utility that is not lower, in the eyes of both sides on average and the median round:
    /// no search finds the best point every time.
    Utility,
    /// The same volume.
    Volume,
    /// The same volume of every point.
    Volumes,
    /// The same label of every point.
    Labels,
    /// The same numbers, to the last digit.
    Identical,
    /// A final score of an optimisation that reaches the goal or is not worse, the median of the rounds.
    Score,
}

/// Who says what a result is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// Both sides, about this entry of the results.
    BothSides(&'static str),
    /// This entry itself: larger is better.
    Number(&'static str),
}

/// What came out of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether ours is as good; `None` where that could not be found out.
    pub good: Option<bool>,
    /// The numbers, or why it could not be found out.
    pub text: String,
}

impl Verdict {
    /// It could not be found out.
    #[must_use]
    pub fn unknown(reason: impl std::fmt::Display) -> Self {
        Self {
            good: None,
            text: format!("not checked: {reason}"),
        }
    }
}

/// The slack of the checks, in words for a page.
pub const SLACK: &str = "A result is as good if values computed in another order agree to 1e-6 of the largest, \
    hypervolumes to 1e-10, and labels exactly; if a fit's log posterior per point is at most 1e-3 lower in the eyes of \
    both sides (each with the priors) and it took no more evaluations, or, where the models differ, its error at 1000 \
    test points is at most 2 % larger; if the logarithm of a suggested point's utility, the mean of both sides' \
    judgements and the median of the rounds (one round where the peer takes minutes), is at most 0.02 lower; if a \
    loop's final score, the median of the rounds, reaches the goal of whole optimisations or the peer's. A utility of \
    zero in the eyes of a side counts as worse than any.";

/// Largest relative difference of values that are computed in different orders.
const ROUNDING: f64 = 1e-6;
/// The same of hypervolumes.
const VOLUME: f64 = 1e-10;
/// How much a log posterior per point may be lower.
const LOG_POSTERIOR: f64 = 1e-3;
/// How much the logarithm of a utility may be lower.
const UTILITY: f64 = 0.02;
/// How much larger, relatively, a test error may be.
const ERROR: f64 = 0.02;
/// From which difference on it is said that two judges do not compute the same.
const JUDGES: f64 = 1e-6;

/// A finite gain that no logarithm of a utility reaches.
const ENDLESS: f64 = 1e300;

fn signed(gain: f64) -> String {
    match gain {
        g if g.abs() < 1e9 => format!("{g:+.4}"),
        g if g > 0.0 => "+∞".to_owned(),
        _ => "−∞".to_owned(),
    }
}

impl Quality {
    /// Who judges, where results are not compared entry by entry.
    #[must_use]
    pub fn judge(self) -> Option<Judge> {
        match self {
            Self::LogPosterior => Some(Judge::BothSides("fitted")),
            Self::Utility => Some(Judge::BothSides("point")),
            Self::Score => Some(Judge::Number("score")),
            _ => None,
        }
    }

    /// Whether results depend on the round's seed, so that every round is judged.
    #[must_use]
    pub fn differs_by_round(self) -> bool {
        matches!(self, Self::Utility | Self::Score)
    }

    /// Compares results. `judged` holds for each round what each judge thinks of ours and of theirs.
    #[must_use]
    pub fn check(self, ours: &Values, theirs: &Values, judged: &[Vec<[f64; 2]>]) -> Verdict {
        self.compare(ours, theirs, judged)
            .unwrap_or_else(|error| Verdict::unknown(format!("{error:#}")))
    }

    fn compare(
        self,
        ours: &Values,
        theirs: &Values,
        judged: &[Vec<[f64; 2]>],
    ) -> anyhow::Result<Verdict> {
        let both = |name: &str| anyhow::Ok((entry(ours, name)?, entry(theirs, name)?));
        Ok(match self {
            Self::Gradient => agree(&[both("posterior")?, both("gradient")?], ROUNDING),
            Self::Predictions => {
                let mut verdict = agree(&[both("means")?, both("variances")?], ROUNDING);
                if let Some(joint) = theirs.get("joint").and_then(|v| v.first()) {
                    let mode = if *joint > 0.5 { "joint" } else { "batch" };
                    verdict.text += &format!(", its {mode} mode was the faster");
                }
                verdict
            }
            Self::Volume => agree(&[both("volume")?], VOLUME),
            Self::Volumes => agree(&[both("volumes")?], VOLUME),
            Self::Labels => identical(&[both("labels")?]),
            Self::Identical => {
                ensure!(!ours.is_empty(), "there is no result");
                if !ours.keys().eq(theirs.keys()) {
                    return Ok(Verdict {
                        good: Some(false),
                        text: "results of different kinds".to_owned(),
                    });
                }
                let pairs: Vec<_> = ours
                    .keys()
                    .map(|k| both(k))
                    .collect::<anyhow::Result<_>>()?;
                identical(&pairs)
            }
            Self::LogPosterior => {
                let judges = judged.first().context("nobody judged")?;
                let gain = judges.iter().map(gain_of).fold(f64::INFINITY, f64::min);
                let (mine, other) = both("evaluations")?;
                let (mine, other) = (mine[0], other[0]);
                let mut text = format!(
                    "log posterior per point {gain:+.1e}, {mine:.0} evaluations to {other:.0}"
                );
                let spread = |side: usize| {
                    let of = || judges.iter().map(|judge| judge[side]);
                    of().fold(f64::MIN, f64::max) - of().fold(f64::MAX, f64::min)
                };
                let spread = spread(0).max(spread(1));
                if spread.is_nan() || spread > JUDGES {
                    text += &format!("; the judges differ by {spread:.0e}");
                }
                Verdict {
                    good: Some(gain >= -LOG_POSTERIOR && mine <= other),
                    text,
                }
            }
            Self::Utility => {
                // Quantiles lie between values, and between infinities there is nothing.
                let gain = |judges: &Vec<[f64; 2]>| mean_gain(judges).clamp(-ENDLESS, ENDLESS);
                let gains: Vec<f64> = judged.iter().map(gain).collect();
                ensure!(!gains.is_empty(), "nobody judged");
                let [least, gain, most] = [0.0, 0.5, 1.0].map(|p| quantile(&gains, p));
                let [least, middle, most] = [least, gain, most].map(signed);
                Verdict {
                    good: Some(gain >= -UTILITY),
                    text: format!("log utility {middle} ({least} to {most})"),
                }
            }
            Self::TestError => {
                let (mine, other) = both("means")?;
                let (mine, other) = (test_error(mine), test_error(other));
                Verdict {
                    good: Some(mine <= other * (1.0 + ERROR)),
                    text: format!("test error {mine:.4} to {other:.4}"),
                }
            }
            Self::Score => {
                let goal = entry(ours, "goal")?[0];
                let of = |side: usize| {
                    let scores = judged.iter().flatten().map(|pair| pair[side]);
                    median(&scores.collect::<Vec<f64>>())
                };
                let (mine, other) = (of(0), of(1));
                ensure!(mine.is_finite() && other.is_finite(), "a score is missing");
                // A regret is a score below zero.
                let name = if goal < 0.0 { "regret" } else { "share" };
                Verdict {
                    good: Some(mine >= goal || mine >= other),
                    text: format!("final {name} {:.4} to {:.4}", mine.abs(), other.abs()),
                }
            }
        })
    }
}

fn entry<'a>(values: &'a Values, name: &str) -> anyhow::Result<&'a [f64]> {
    match values.get(name) {
        Some(values) if !values.is_empty() => Ok(values),
        _ => anyhow::bail!("a result has no `{name}`"),
    }
}

/// What ours is better by in the eyes of a judge: −∞ where ours is worth nothing and theirs something,
/// or what ours is worth is no number.
fn gain_of([ours, theirs]: &[f64; 2]) -> f64 {
    match (*ours, *theirs) {
        (o, _) if o.is_nan() => f64::NEG_INFINITY,
        (_, t) if t.is_nan() => f64::INFINITY,
        (o, t) if o.total_cmp(&t).is_eq() => 0.0,
        (o, t) => o - t,
    }
}

/// What ours is better by in the eyes of its judges on average. A judge to whom ours is worth nothing
/// and theirs something decides alone; one to whom theirs, or both are worth nothing cannot say by how much.
fn mean_gain(judges: &[[f64; 2]]) -> f64 {
    let gains: Vec<f64> = judges.iter().map(gain_of).collect();
    if gains.iter().any(|gain| *gain < f64::MIN) {
        return f64::NEG_INFINITY;
    }
    let known: Vec<f64> = judges
        .iter()
        .zip(&gains)
        .filter(|(judge, _)| judge.iter().all(|v| v.is_finite()))
        .map(|(_, gain)| *gain)
        .collect();
    match known.len() {
        0 => gains.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        count => known.iter().sum::<f64>() / count as f64,
    }
}

/// Largest difference relative to the largest value of the same kind.
fn agree(pairs: &[(&[f64], &[f64])], tolerance: f64) -> Verdict {
    let mut largest = 0.0_f64;
    for (ours, theirs) in pairs {
        if ours.len() != theirs.len() {
            largest = f64::INFINITY;
            continue;
        }
        let scale = theirs.iter().fold(f64::MIN_POSITIVE, |a, b| a.max(b.abs()));
        for (a, b) in ours.iter().zip(*theirs) {
            let difference = (a - b).abs() / scale;
            largest = if difference.is_nan() {
                f64::INFINITY
            } else {
                largest.max(difference)
            };
        }
    }
    Verdict {
        good: Some(largest <= tolerance),
        text: match largest {
            d if d > 0.0 => format!("differ by {d:.0e}"),
            _ => "equal".to_owned(),
        },
    }
}

fn identical(pairs: &[(&[f64], &[f64])]) -> Verdict {
    let differ = |(a, b): &(&[f64], &[f64])| {
        let unlike = a.iter().zip(*b).filter(|(x, y)| x.total_cmp(y).is_ne());
        unlike.count() + a.len().abs_diff(b.len())
    };
    let count: usize = pairs.iter().map(differ).sum();
    Verdict {
        good: Some(count == 0),
        text: match count {
            0 => "equal".to_owned(),
            _ => format!("{count} entries differ"),
        },
    }
}

/// Root of the mean squared error of predictions at the first test points.
fn test_error(means: &[f64]) -> f64 {
    let function = warmfront_problems::hartmann6();
    let x = inputs::test_points();
    let count = means.len().min(ours::CHECKED);
    let errors = (0..count).map(|i| (means[i] - function.value(x.row(i))[0]).powi(2));
    (errors.sum::<f64>() / count as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(entries: &[(&str, &[f64])]) -> Values {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.to_vec()))
            .collect()
    }

    #[test]
    fn volumes_may_differ_by_rounding_only() {
        let check = |a: f64, b: f64| {
            let (a, b) = (values(&[("volume", &[a])]), values(&[("volume", &[b])]));
            Quality::Volume.check(&a, &b, &[]).good
        };
        assert_eq!(check(1.0, 1.0 + 1e-12), Some(true));
        assert_eq!(check(1.0, 1.0 + 1e-9), Some(false));
        assert_eq!(check(f64::NAN, 1.0), Some(false));
        assert_eq!(check(1.0, f64::NAN), Some(false));
        assert_eq!(check(1.0, f64::INFINITY), Some(false));
    }

    #[test]
    fn labels_must_be_the_same() {
        let check = |a: &[f64], b: &[f64]| {
            let (a, b) = (values(&[("labels", a)]), values(&[("labels", b)]));
            Quality::Labels.check(&a, &b, &[])
        };
        assert_eq!(check(&[0.0, 1.0], &[0.0, 1.0]).good, Some(true));
        assert_eq!(check(&[0.0, 1.0], &[0.0, 2.0]).text, "1 entries differ");
        assert_eq!(check(&[0.0, 1.0], &[0.0]).good, Some(false));
    }

    #[test]
    fn nothing_is_not_identical_to_anything() {
        let some = values(&[("point", &[0.5])]);
        let more = values(&[("point", &[0.5]), ("value", &[1.0])]);
        let (none, empty) = (Values::new(), values(&[("point", &[])]));
        let check = |a: &Values, b: &Values| Quality::Identical.check(a, b, &[]).good;
        assert_eq!(check(&some, &some), Some(true));
        assert_eq!(check(&some, &more), Some(false));
        assert_eq!(check(&more, &some), Some(false));
        assert_eq!(check(&some, &none), Some(false));
        assert_eq!(check(&none, &some), None);
        assert_eq!(check(&none, &none), None);
        assert_eq!(check(&empty, &empty), None);
    }

    #[test]
    fn a_fit_needs_as_high_a_posterior_and_no_more_evaluations() {
        let side = |evaluations: f64| values(&[("evaluations", &[evaluations])]);
        let check = |judged: &[[f64; 2]], mine, other| {
            let judged = [judged.to_vec()];
            Quality::LogPosterior.check(&side(mine), &side(other), &judged)
        };
        let same = [-0.5, -0.5];
        assert_eq!(check(&[same, same], 20.0, 50.0).good, Some(true));
        let lower = [-0.5005, -0.5];
        assert_eq!(check(&[lower, lower], 20.0, 50.0).good, Some(true));
        assert_eq!(check(&[[-0.51, -0.5]], 20.0, 50.0).good, Some(false));
        assert_eq!(check(&[same], 60.0, 50.0).good, Some(false));
        // Either judge may refuse.
        let split = check(&[same, [-0.6, -0.5]], 20.0, 50.0);
        assert_eq!(split.good, Some(false));
        assert!(
            split.text.ends_with("the judges differ by 1e-1"),
            "{split:?}"
        );
        let without = Quality::LogPosterior.check(&side(20.0), &side(50.0), &[]);
        assert_eq!(without.good, None);
    }

    #[test]
    fn points_are_judged_by_both_sides_in_every_round() {
        let none = Values::new();
        let check = |judged: &[Vec<[f64; 2]>]| Quality::Utility.check(&none, &none, judged);
        let better = vec![[-3.0, -3.1], [-3.05, -3.0]];
        let worse = vec![[-3.5, -3.0], [-3.5, -3.0]];
        let verdict = check(&[better.clone(), worse.clone(), better.clone()]);
        assert_eq!(verdict.good, Some(true));
        assert_eq!(verdict.text, "log utility +0.0250 (-0.5000 to +0.0250)");
        assert_eq!(check(&[better, worse.clone(), worse]).good, Some(false));
        assert_eq!(check(&[]).good, None, "no judge, no verdict");
    }

    #[test]
    fn a_point_worth_nothing_is_worse_than_any() {
        const NOTHING: f64 = f64::NEG_INFINITY;
        let none = Values::new();
        let good = |judges: &[[f64; 2]]| {
            let verdict = Quality::Utility.check(&none, &none, &[judges.to_vec()]);
            verdict.good.unwrap()
        };
        let rounds = [vec![[NOTHING, -3.0]], vec![[-3.0, -3.0]]];
        let verdict = Quality::Utility.check(&none, &none, &rounds);
        assert_eq!(verdict.good, Some(false));
        assert_eq!(verdict.text, "log utility −∞ (−∞ to +0.0000)");
        assert!(!good(&[[-3.0, -3.0], [NOTHING, -3.0]]));
        assert!(!good(&[[NOTHING, -3.0], [5.0, -3.0]]));
        assert!(!good(&[[f64::NAN, -3.0], [-3.0, -3.0]]));
        // Theirs is worth nothing to one judge: the other one says by how much.
        assert!(good(&[[-3.0, -3.0], [-3.0, NOTHING]]));
        assert!(!good(&[[-3.5, -3.0], [-3.0, NOTHING]]));
        assert!(good(&[[NOTHING, NOTHING], [-3.0, -3.0]]));
        assert!(good(&[[-3.0, NOTHING], [-3.0, NOTHING]]));
    }

    #[test]
    fn a_score_reaches_the_goal_or_the_peer() {
        let check = |goal: f64, rounds: &[[f64; 2]]| {
            let judged: Vec<_> = rounds.iter().map(|pair| vec![*pair]).collect();
            let ours = values(&[("goal", &[goal])]);
            Quality::Score.check(&ours, &Values::new(), &judged)
        };
        let verdict = check(-0.01, &[[-0.005, -0.001]]);
        assert_eq!(verdict.good, Some(true));
        assert_eq!(verdict.text, "final regret 0.0050 to 0.0010");
        assert_eq!(check(-0.01, &[[-0.1, -0.2]]).good, Some(true));
        assert_eq!(check(-0.01, &[[-0.1, -0.05]]).good, Some(false));
        let shares = [[0.70, 0.80], [0.73, 0.80], [0.75, 0.80]];
        assert_eq!(check(0.72, &shares).good, Some(true));
        assert_eq!(check(0.72, &[]).good, None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let verdict = Quality::Volume.check(&Values::new(), &Values::new(), &[]);
        assert!(verdict.good.is_none() && verdict.text.contains("`volume`"));
    }

    #[test]
    fn the_faster_mode_of_the_peer_is_named() {
        let side = |joint: Option<f64>| {
            let mut all = values(&[("means", &[1.0]), ("variances", &[2.0])]);
            all.extend(joint.map(|v| ("joint".to_owned(), vec![v])));
            all
        };
        let text = |joint| {
            Quality::Predictions
                .check(&side(None), &side(joint), &[])
                .text
        };
        assert_eq!(text(None), "equal");
        assert_eq!(text(Some(1.0)), "equal, its joint mode was the faster");
    }
}
