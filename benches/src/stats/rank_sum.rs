//! The rank-sum test of two independent samples.
//!
//! # References
//! Wilcoxon (1945); Mann and Whitney (1947).

use std::cmp::Ordering;

use warmfront_math::special::ndtr;

use super::ranks;

/// Samples of together at most this size are tested by the exact distribution.
const EXACT: usize = 50;

/// Outcome of a comparison of two independent samples, smaller is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum {
    /// Two-sided p-value; 1 when a sample is empty.
    pub p: f64,
    /// `Less` when the first sample tends to be smaller.
    pub direction: Ordering,
}

impl RankSum {
    /// Whether the first sample is significantly smaller.
    #[must_use]
    pub fn wins(&self, level: f64) -> bool {
        self.p < level && self.direction.is_lt()
    }

    /// Whether the first sample is significantly larger.
    #[must_use]
    pub fn loses(&self, level: f64) -> bool {
        self.p < level && self.direction.is_gt()
    }
}

/// Wilcoxon's rank-sum test (Mann-Whitney U), two-sided.
///
/// Equal values share their average rank. Up to 50 values the null distribution is enumerated,
/// conditionally on ties: twice the smaller tail. Beyond, it is approximated by a normal with tie
/// correction.
///
/// ```
/// use warmfront_bench::stats::rank_sum;
///
/// let test = rank_sum(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]);
/// assert!((test.p - 2.0 / 252.0).abs() < 1e-12 && test.wins(0.05));
/// ```
#[must_use]
pub fn rank_sum(first: &[f64], second: &[f64]) -> RankSum {
    let (n, m) = (first.len(), second.len());
    if n == 0 || m == 0 {
        return RankSum {
            p: 1.0,
            direction: Ordering::Equal,
        };
    }
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let ranks = ranks(&all);
    // Averaged ranks are halves of whole numbers.
    let doubled: Vec<usize> = ranks.iter().map(|r| (2.0 * r).round() as usize).collect();
    let own: usize = doubled[..n].iter().sum();
    let expected = n * (n + m + 1);
    let p = if n + m <= EXACT {
        exact(&doubled, n, own)
    } else {
        normal(&doubled, n, own)
    };
    RankSum {
        p,
        direction: own.cmp(&expected),
    }
}

/// Twice the smaller tail of the sum of `n` of the doubled ranks.
fn exact(doubled: &[usize], n: usize, own: usize) -> f64 {
    let total: usize = doubled.iter().sum();
    // counts[k][s]: number of subsets of size k with sum s.
    let mut counts = vec![vec![0.0_f64; total + 1]; n + 1];
    counts[0][0] = 1.0;
    for (seen, &rank) in doubled.iter().enumerate() {
        for k in (1..=n.min(seen + 1)).rev() {
            let (smaller, larger) = counts.split_at_mut(k);
            let from = &smaller[k - 1];
            for (s, count) in larger[0].iter_mut().enumerate().skip(rank) {
                *count += from[s - rank];
            }
        }
    }
    let all: f64 = counts[n].iter().sum();
    let below: f64 = counts[n][..=own].iter().sum();
    let above: f64 = counts[n][own..].iter().sum();
    (2.0 * below.min(above) / all).min(1.0)
}

fn normal(doubled: &[usize], n: usize, own: usize) -> f64 {
    let all = doubled.len() as f64;
    let (n, m) = (n as f64, all - n as f64);
    let mut sorted = doubled.to_vec();
    sorted.sort_unstable();
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|group| {
            let t = group.len() as f64;
            t * t * t - t
        })
        .sum();
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = (own as f64 / 2.0 - n * (all + 1.0) / 2.0).abs();
    (2.0 * ndtr(-distance / variance.sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_equal_values_are_no_difference() {
        for (a, b) in [(&[][..], &[1.0][..]), (&[2.0; 4][..], &[2.0; 5][..])] {
            let test = rank_sum(a, b);
            assert!((test.p - 1.0).abs() < 1e-12);
            assert_eq!(test.direction, Ordering::Equal);
        }
        assert!((rank_sum(&[2.0; 40], &[2.0; 40]).p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn exchanging_the_samples_exchanges_the_direction() {
        let (a, b) = ([1.0, 2.0, 2.0, 7.0], [2.0, 3.0, 9.0, 9.0, 10.0]);
        let (there, back) = (rank_sum(&a, &b), rank_sum(&b, &a));
        assert!((there.p - back.p).abs() < 1e-12);
        assert_eq!(there.direction, Ordering::Less);
        assert_eq!(back.direction, Ordering::Greater);
        assert!(!there.wins(0.05) && !there.loses(0.05));
    }
}
