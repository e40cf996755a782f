//! Tests and summaries.
//!
//! # References
//! Wilcoxon (1945) for the signed-rank test, Holm (1979) for the correction.

mod rank_sum;

use std::cmp::Ordering;

pub use rank_sum::{RankSum, rank_sum};
use warmfront_math::special::ndtr;

/// Mean and its standard error; the error is NaN for fewer than two values.
#[must_use]
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    if values.is_empty() {
        return (f64::NAN, f64::NAN);
    }
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, f64::NAN);
    }
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// Quantile by linear interpolation between order statistics (`p` in `[0, 1]`).
///
/// NaN for no values.
#[must_use]
pub fn quantile(values: &[f64], p: f64) -> f64 {
    quantiles(values, &[p])[0]
}

/// Several quantiles of the same values.
#[must_use]
pub fn quantiles(values: &[f64], p: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return vec![f64::NAN; p.len()];
    };
    let at = |p: &f64| {
        let position = p.clamp(0.0, 1.0) * last as f64;
        let low = position.floor() as usize;
        let high = (low + 1).min(last);
        sorted[low] + (position - low as f64) * (sorted[high] - sorted[low])
    };
    p.iter().map(at).collect()
}

/// The median.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Outcome of a comparison of paired values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Number of pairs.
    pub pairs: usize,
    /// Pairs in which the first is smaller by more than the tie threshold.
    pub wins: usize,
    /// Pairs in which the second is.
    pub losses: usize,
    /// The rest.
    pub ties: usize,
    /// Median of first minus second.
    pub median_difference: f64,
    /// Two-sided p-value of the signed-rank test; 1 when there is nothing to test.
    pub p: f64,
    /// Where the signed ranks lie: `Less` when the first tends to be smaller.
    ///
    /// With many ties the median difference is 0 and does not tell the direction of a significant
    /// test.
    pub direction: Ordering,
}

/// Differences smaller than this are ties: values are logarithms of regret.
const TIE: f64 = 1e-9;

/// Compares paired values, smaller is better, with Wilcoxon's signed-rank test.
///
/// Zero differences are dropped, tied ranks averaged. Up to 25 differences the null distribution is
/// enumerated (conditionally on ties), beyond it is approximated by a normal with tie correction.
///
/// # Panics
/// If the lengths differ.
#[must_use]
#[track_caller]
pub fn paired(first: &[f64], second: &[f64]) -> Paired {
    assert_eq!(
        first.len(),
        second.len(),
        "pairs need equal lengths (left: first, right: second)"
    );
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let wins = differences.iter().filter(|d| **d < -TIE).count();
    let losses = differences.iter().filter(|d| **d > TIE).count();
    let ranks = SignedRanks::new(&differences);
    Paired {
        pairs: differences.len(),
        wins,
        losses,
        ties: differences.len() - wins - losses,
        median_difference: median(&differences),
        p: ranks.p(),
        direction: (2 * ranks.positive).cmp(&ranks.total()),
    }
}

/// Two-sided p-value of the signed-rank test for differences symmetric about zero.
#[must_use]
pub fn signed_rank(differences: &[f64]) -> f64 {
    SignedRanks::new(differences).p()
}

/// Ranks of the differences that are not ties.
struct SignedRanks {
    /// Twice the rank, so that averaged ranks stay whole numbers.
    doubled: Vec<usize>,
    /// Sum of those of the positive differences.
    positive: usize,
    /// Sum of t³ − t over the groups of equal size.
    tie_term: f64,
}

impl SignedRanks {
    fn new(differences: &[f64]) -> Self {
        let mut values: Vec<f64> = differences
            .iter()
            .copied()
            .filter(|d| d.abs() > TIE)
            .collect();
        values.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let n = values.len();
        let mut doubled = vec![0_usize; n];
        let mut tie_term = 0.0;
        let mut start = 0;
        while start < n {
            let size = values[start].abs();
            let end = start
                + values[start..]
                    .iter()
                    .take_while(|v| v.abs() <= size + TIE)
                    .count();
            for rank in &mut doubled[start..end] {
                *rank = start + end + 1;
            }
            let t = (end - start) as f64;
            tie_term += t * t * t - t;
            start = end;
        }
        let positive: usize = values
            .iter()
            .zip(&doubled)
            .filter(|(v, _)| **v > 0.0)
            .map(|(_, r)| r)
            .sum();
        Self {
            doubled,
            positive,
            tie_term,
        }
    }

    fn total(&self) -> usize {
        self.doubled.iter().sum()
    }

    fn p(&self) -> f64 {
        let smaller = self.positive.min(self.total() - self.positive);
        match self.doubled.len() {
            0 => return 1.0,
            1..=25 => return exact_two_sided(&self.doubled, smaller),
            _ => {}
        }
        let n = self.doubled.len() as f64;
        let mean = n * (n + 1.0) / 4.0;
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - self.tie_term / 48.0;
        let z = (smaller as f64 / 2.0 - mean) / variance.sqrt();
        (2.0 * ndtr(z)).min(1.0)
    }
}

/// Probability that a random sign pattern is at least as extreme as `smaller`.
fn exact_two_sided(doubled: &[usize], smaller: usize) -> f64 {
    let total: usize = doubled.iter().sum();
    // counts[s]: number of sign patterns whose positive (doubled) ranks sum to s.
    let mut counts = vec![0.0_f64; total + 1];
    counts[0] = 1.0;
    for rank in doubled {
        for s in (*rank..=total).rev() {
            counts[s] += counts[s - rank];
        }
    }
    let below: f64 = counts[..=smaller].iter().sum();
    (2.0 * below / (doubled.len() as f64).exp2()).min(1.0)
}

/// Holm's step-down correction of a family of p-values, in the order given.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (step, index) in order.iter().enumerate() {
        let scaled = p_values[*index] * (p_values.len() - step) as f64;
        largest = largest.max(scaled.min(1.0));
        corrected[*index] = largest;
    }
    corrected
}

/// Ranks from 1, smallest first, ties averaged.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    // The two zeros are equal.
    let values: Vec<f64> = values.iter().map(|v| v + 0.0).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let first = values[order[start]];
        let same = |i: &&usize| values[**i].total_cmp(&first).is_eq();
        let end = start + order[start..].iter().take_while(same).count();
        for &i in &order[start..end] {
            ranks[i] = (start + end + 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// Spearman's rank correlation; NaN where one side is constant.
///
/// # Panics
/// If the lengths differ.
#[must_use]
#[track_caller]
pub fn rank_correlation(first: &[f64], second: &[f64]) -> f64 {
    assert_eq!(
        first.len(),
        second.len(),
        "pairs need equal lengths (left: first, right: second)"
    );
    let centre = (first.len() as f64 + 1.0) / 2.0;
    let [a, b] = [ranks(first), ranks(second)]
        .map(|ranks| ranks.into_iter().map(|r| r - centre).collect::<Vec<_>>());
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Average rank of each column over the rows of `values` (1 is best, ties share), smaller better.
#[must_use]
pub fn average_ranks(values: &[Vec<f64>]) -> Vec<f64> {
    let columns = values.first().map_or(0, Vec::len);
    let mut ranks = vec![0.0; columns];
    for row in values {
        for (rank, value) in ranks.iter_mut().zip(row) {
            let better = row.iter().filter(|v| **v < value - TIE).count() as f64;
            let equal = row.iter().filter(|v| (**v - value).abs() <= TIE).count() as f64;
            *rank += better + (equal + 1.0) / 2.0;
        }
    }
    for rank in &mut ranks {
        *rank /= values.len() as f64;
    }
    ranks
}

/// Least-squares slope of `ln y` against `ln x`, with its standard error (NaN for two points).
///
/// `None` for fewer than two distinct positive `x`.
#[must_use]
pub fn log_log_slope(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0)
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    let n = logs.len() as f64;
    let mean_x = logs.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_y = logs.iter().map(|p| p.1).sum::<f64>() / n;
    let sxx: f64 = logs.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    if logs.len() < 2 || sxx < 1e-12 {
        return None;
    }
    let sxy: f64 = logs.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let slope = sxy / sxx;
    let residual: f64 = logs
        .iter()
        .map(|p| (p.1 - mean_y - slope * (p.0 - mean_x)).powi(2))
        .sum();
    let error = if logs.len() > 2 {
        (residual / (n - 2.0) / sxx).sqrt()
    } else {
        f64::NAN
    };
    Some((slope, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn summaries() {
        close(median(&[3.0, 1.0, 2.0]), 2.0);
        close(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0]);
        close(mean, 2.0);
        close(error, (1.0_f64 / 3.0).sqrt());
        assert!(median(&[]).is_nan());
        assert!(mean_and_error(&[1.0]).1.is_nan());
    }

    #[test]
    fn signed_rank_of_nothing_and_of_one_sided_data() {
        close(signed_rank(&[0.0, 0.0]), 1.0);
        // All 2^n patterns are equally likely: two of them are this extreme.
        close(signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 2.0 / 64.0);
    }

    #[test]
    fn holm_is_monotone_and_capped() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (got, expected) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(*got, expected);
        }
        close(holm(&[0.9, 0.8])[0], 1.0);
    }

    #[test]
    fn ranks_share_ties() {
        let ranks = average_ranks(&[vec![1.0, 1.0, 3.0], vec![2.0, 1.0, 0.0]]);
        for (got, expected) in ranks.iter().zip([2.25, 1.75, 2.0]) {
            close(*got, expected);
        }
    }

    #[test]
    fn slope_of_a_power_law() {
        let points: Vec<_> = [1.0, 2.0, 4.0, 8.0]
            .map(|x: f64| (x, 3.0 * x.powf(1.5)))
            .to_vec();
        let (slope, error) = log_log_slope(&points).expect("four points");
        close(slope, 1.5);
        assert!(error < 1e-9);
        assert!(log_log_slope(&[(2.0, 1.0), (2.0, 3.0)]).is_none());
        let (slope, error) = log_log_slope(&[(1.0, 1.0), (2.0, 4.0)]).expect("two points");
        close(slope, 2.0);
        assert!(error.is_nan());
    }

    #[test]
    fn wins_and_losses() {
        let result = paired(&[1.0, 2.0, 3.0], &[2.0, 2.0, 1.0]);
        assert_eq!((result.wins, result.losses, result.ties), (1, 1, 1));
        assert_eq!(result.direction, Ordering::Greater);
    }

    #[test]
    fn ties_hide_the_direction_from_the_median_but_not_from_the_ranks() {
        // Eleven ties and nine losses.
        let first: Vec<f64> = (0..20).map(|i| f64::from((i - 10).max(0))).collect();
        let second = [0.0; 20];
        let result = paired(&first, &second);
        assert_eq!((result.wins, result.losses, result.ties), (0, 9, 11));
        close(result.median_difference, 0.0);
        close(result.p, 2.0 / 512.0);
        assert_eq!(result.direction, Ordering::Greater);
        assert_eq!(paired(&second, &first).direction, Ordering::Less);
        assert_eq!(paired(&second, &second).direction, Ordering::Equal);
    }
}
