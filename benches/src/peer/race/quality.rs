//! Whether the results of two sides agree, or ours is at least as good.

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
    /// A log posterior per point that is not lower, with no more evaluations.
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
    /// Nothing: it is measured elsewhere.
    None,
}

/// What came out of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether ours is as good.
    pub good: bool,
    /// The numbers.
    pub text: String,
}

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

impl Quality {
    /// The entry of the results that each side judges.
    #[must_use]
    pub fn judged(self) -> Option<&'static str> {
        match self {
            Self::LogPosterior => Some("fitted"),
            Self::Utility => Some("point"),
            _ => None,
        }
    }

    /// Whether the peer judges as well: a utility has other samples there.
    #[must_use]
    pub fn has_two_judges(self) -> bool {
        self == Self::Utility
    }

    /// Compares results. `judged` holds for each round what each judge thinks of ours and of theirs.
    ///
    /// # Errors
    /// If a result lacks what is compared.
    pub fn check(
        self,
        ours: &Values,
        theirs: &Values,
        judged: &[Vec<[f64; 2]>],
    ) -> anyhow::Result<Option<Verdict>> {
        let both = |name: &str| Ok((entry(ours, name)?, entry(theirs, name)?));
        let verdict = match self {
            Self::None => return Ok(None),
            Self::Gradient => {
                let (value, gradient) = (both("likelihood")?, both("gradient")?);
                agree(&[value, gradient], ROUNDING)
            }
            Self::Predictions => agree(&[both("means")?, both("variances")?], ROUNDING),
            Self::Volume => agree(&[both("volume")?], VOLUME),
            Self::Volumes => agree(&[both("volumes")?], VOLUME),
            Self::Labels => identical(&[both("labels")?]),
            Self::Identical => {
                let pairs: Vec<_> = ours
                    .keys()
                    .map(|k| both(k))
                    .collect::<anyhow::Result<_>>()?;
                identical(&pairs)
            }
            Self::LogPosterior => {
                let gain = median(&gains(judged));
                let (mine, other) = both("evaluations")?;
                let (mine, other) = (mine[0], other[0]);
                Verdict {
                    good: gain >= -LOG_POSTERIOR && mine <= other,
                    text: format!(
                        "log posterior per point {gain:+.1e}, {mine:.0} evaluations to {other:.0}"
                    ),
                }
            }
            Self::Utility => {
                let gains = gains(judged);
                let (gain, least) = (median(&gains), quantile(&gains, 0.0));
                let most = quantile(&gains, 1.0);
                Verdict {
                    good: gain >= -UTILITY,
                    text: format!("log utility {gain:+.4} ({least:+.4} to {most:+.4})"),
                }
            }
            Self::TestError => {
                let (mine, other) = both("means")?;
                let (mine, other) = (test_error(mine), test_error(other));
                Verdict {
                    good: mine <= other * (1.0 + ERROR),
                    text: format!("test error {mine:.4} to {other:.4}"),
                }
            }
        };
        Ok(Some(verdict))
    }
}

fn entry<'a>(values: &'a Values, name: &str) -> anyhow::Result<&'a [f64]> {
    match values.get(name) {
        Some(values) if !values.is_empty() => Ok(values),
        _ => anyhow::bail!("a result has no `{name}`"),
    }
}

/// What ours is better by in each round, the mean of its judges.
fn gains(judged: &[Vec<[f64; 2]>]) -> Vec<f64> {
    let gain = |judges: &Vec<[f64; 2]>| {
        let gains = judges.iter().map(|[ours, theirs]| ours - theirs);
        gains.sum::<f64>() / judges.len() as f64
    };
    judged.iter().map(gain).collect()
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
        good: largest <= tolerance,
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
        good: count == 0,
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
            let verdict = Quality::Volume.check(&a, &b, &[]).unwrap();
            verdict.unwrap().good
        };
        assert!(check(1.0, 1.0 + 1e-12));
        assert!(!check(1.0, 1.0 + 1e-9));
        assert!(!check(f64::NAN, 1.0));
        assert!(!check(1.0, f64::NAN));
    }

    #[test]
    fn labels_must_be_the_same() {
        let check = |a: &[f64], b: &[f64]| {
            let (a, b) = (values(&[("labels", a)]), values(&[("labels", b)]));
            Quality::Labels.check(&a, &b, &[]).unwrap().unwrap()
        };
        assert!(check(&[0.0, 1.0], &[0.0, 1.0]).good);
        assert_eq!(check(&[0.0, 1.0], &[0.0, 2.0]).text, "1 entries differ");
        assert!(!check(&[0.0, 1.0], &[0.0]).good);
    }

    #[test]
    fn a_fit_needs_as_high_a_posterior_and_no_more_evaluations() {
        let side = |evaluations: f64| values(&[("evaluations", &[evaluations])]);
        let check = |judged: [f64; 2], mine, other| {
            let judged = [vec![judged]];
            let verdict = Quality::LogPosterior.check(&side(mine), &side(other), &judged);
            verdict.unwrap().unwrap().good
        };
        assert!(check([-0.5, -0.5], 20.0, 50.0));
        assert!(check([-0.5005, -0.5], 20.0, 50.0));
        assert!(!check([-0.51, -0.5], 20.0, 50.0));
        assert!(!check([-0.5, -0.5], 60.0, 50.0));
    }

    #[test]
    fn points_are_judged_by_both_sides_in_every_round() {
        let none = Values::new();
        let check = |judged: &[Vec<[f64; 2]>]| {
            let verdict = Quality::Utility.check(&none, &none, judged).unwrap();
            verdict.unwrap()
        };
        let better = vec![[-3.0, -3.1], [-3.05, -3.0]];
        let worse = vec![[-3.5, -3.0], [-3.5, -3.0]];
        let verdict = check(&[better.clone(), worse.clone(), better.clone()]);
        assert!(verdict.good);
        assert_eq!(verdict.text, "log utility +0.0250 (-0.5000 to +0.0250)");
        assert!(!check(&[better, worse.clone(), worse]).good);
        assert!(!check(&[]).good, "no judge, no verdict");
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Quality::Volume.check(&Values::new(), &Values::new(), &[]);
        assert!(error.unwrap_err().to_string().contains("`volume`"));
    }
}
