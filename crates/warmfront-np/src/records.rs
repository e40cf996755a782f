//! How often a random search improves: Lemma 3.1 of the NAP paper in closed form.
//!
//! Under a policy that draws at random, the number `m` of evaluations that improve on all before them
//! grows as the logarithm of the horizon. The *reward* of the paper is not zero at the others (it is
//! the best value so far); what is sparse are its increments, the part that tells actions apart.
//!
//! # References
//! Maraval et al. 2023 (arXiv 2305.15930), Lemma 3.1; Rényi 1962 on records.

/// The expected number of records among `steps` exchangeable values without ties: the harmonic
/// number `H_T`. The first value counts as a record.
///
/// ```
/// use warmfront_np::records;
///
/// assert!((records::expected(24) - 3.775958).abs() < 1e-6);
/// // After 5 initial points, 100 more:
/// assert!((records::expected(105) - records::expected(5) - 2.9526).abs() < 1e-4);
/// ```
#[must_use]
pub fn expected(steps: usize) -> f64 {
    (1..=steps).rev().map(|t| 1.0 / t as f64).sum()
}

/// The variance of the number of records among `steps` values without ties: `H_T − Σ 1/t²`.
#[must_use]
pub fn variance(steps: usize) -> f64 {
    (1..=steps)
        .rev()
        .map(|t| (1.0 - 1.0 / t as f64) / t as f64)
        .sum()
}

/// The probabilities of `0, 1, …, steps` records among `steps` values without ties.
///
/// These are unsigned Stirling numbers of the first kind over `T!`, by the recursion over `t`: the
/// `t`-th value is a record with probability `1/t`, whatever came before.
#[must_use]
pub fn probabilities(steps: usize) -> Vec<f64> {
    let mut p = vec![1.0];
    for t in 1..=steps {
        let record = 1.0 / t as f64;
        let mut next = vec![0.0; t + 1];
        for (k, &probability) in p.iter().enumerate() {
            next[k] += probability * (1.0 - record);
            next[k + 1] += probability * record;
        }
        p = next;
    }
    p
}

/// The expected number of records when `steps` rows of a table are drawn without replacement; ties
/// are no records. `values` are larger-is-better; `steps` beyond the table add nothing.
///
/// `Σ_t Σ_v (c_v / N) · C(L_v, t−1) / C(N−1, t−1)`, where the distinct value `v` is that of `c_v` rows
/// and `L_v` rows lie below it.
#[must_use]
pub fn expected_without_replacement(values: &[f64], steps: usize) -> f64 {
    let n = values.len();
    let sum = |count: usize, below: usize| {
        // The ratio of the two binomials, from t to t + 1, is (L − t + 1)/(N − t).
        let (mut ratio, mut sum) = (1.0, 0.0);
        for t in 1..=steps.min(n) {
            sum += ratio;
            if below < t {
                break;
            }
            ratio *= (below + 1 - t) as f64 / (n - t) as f64;
        }
        sum * count as f64 / n as f64
    };
    levels(values).map(|(count, below)| sum(count, below)).sum()
}

/// The expected number of records when `steps` rows of a table are drawn with replacement:
/// `Σ_t Σ_v (c_v / N)(L_v / N)^{t−1}`.
#[must_use]
pub fn expected_with_replacement(values: &[f64], steps: usize) -> f64 {
    let n = values.len() as f64;
    levels(values)
        .map(|(count, below)| {
            let share = below as f64 / n;
            // A geometric sum; the share is below 1.
            let sum = -(steps as f64 * share.ln()).exp_m1() / (1.0 - share);
            count as f64 / n * if below == 0 { steps.min(1) as f64 } else { sum }
        })
        .sum()
}

/// For each distinct value, how many rows have it and how many lie below.
fn levels(values: &[f64]) -> impl Iterator<Item = (usize, usize)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut levels = Vec::new();
    let mut start = 0;
    while start < sorted.len() {
        let end = start + sorted[start..].partition_point(|&v| v <= sorted[start]);
        // A NaN is at or below nothing and still takes its row.
        let end = end.max(start + 1);
        levels.push((end - start, start));
        start = end;
    }
    levels.into_iter()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use warmfront_core::{Purpose, Seed};
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn table_of_moments() {
        let check = |steps, mean: f64, spread: f64| {
            assert_close(expected(steps), mean, 0.0, 6e-7, "mean");
            assert_close(variance(steps), spread, 0.0, 6e-7, "variance");
        };
        check(1, 1.0, 0.0);
        check(2, 1.5, 0.25);
        check(5, 2.283_333, 0.819_722);
        check(10, 2.928_968, 1.379_201);
        check(24, 3.775_958, 2.171_835);
        check(50, 4.499_205, 2.874_073);
        check(100, 5.187_378, 3.552_394);
        check(300, 6.282_664, 4.641_058);
        check(5000, 9.094_509, 7.449_775);
    }

    #[test]
    fn stirling_numbers() {
        let five: Vec<f64> = probabilities(5).iter().map(|p| p * 120.0).collect();
        for (p, expected) in five.iter().zip([0.0, 24.0, 50.0, 35.0, 10.0, 1.0]) {
            assert_close(*p, expected, 0.0, 1e-12, "T = 5");
        }
        let p = probabilities(24);
        for (k, expected) in (1..).zip([0.04167, 0.15560, 0.25714, 0.25365]) {
            assert_close(p[k], expected, 0.0, 6e-6, "T = 24");
        }
        let mean: f64 = p.iter().enumerate().map(|(k, p)| k as f64 * p).sum();
        assert_close(mean, expected(24), 1e-12, 0.0, "mean");
    }

    #[test]
    fn distinct_values_need_no_table() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40)).collect();
        for steps in [0, 1, 2, 10, 40] {
            let table = expected_without_replacement(&values, steps);
            assert_close(table, expected(steps), 1e-12, 1e-15, "without");
        }
        assert_close(
            expected_without_replacement(&values, 99),
            expected(40),
            1e-12,
            0.0,
            "beyond the table",
        );
        let long = expected_with_replacement(&values, 100_000);
        assert_close(long, expected(40), 1e-9, 0.0, "with, in the limit");
    }

    #[test]
    fn ties_against_monte_carlo() {
        let values = [1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 5.0, 5.0, 0.0, -1.0];
        let runs = 40_000;
        for steps in [2, 4, 9] {
            let mut rng = Seed(3).stream(Purpose::Evaluate, steps as u64);
            let (mut without, mut with) = (0, 0);
            for _ in 0..runs {
                let mut rows = values;
                let (mut best, mut best_again) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
                for t in 0..steps {
                    rows.swap(t, rng.random_range(t as u32..10) as usize);
                    without += u32::from(rows[t] > best);
                    best = best.max(rows[t]);
                    let again = values[rng.random_range(0..10_u32) as usize];
                    with += u32::from(again > best_again);
                    best_again = best_again.max(again);
                }
            }
            let mean = |count: u32| f64::from(count) / f64::from(runs);
            let exact = expected_without_replacement(&values, steps);
            assert_close(mean(without), exact, 0.0, 0.02, "without");
            let exact = expected_with_replacement(&values, steps);
            assert_close(mean(with), exact, 0.0, 0.02, "with");
        }
    }

    /// Tables 20, 33 and 34 of HPOBench-XGB: how often each value occurs, from the lowest up.
    #[test]
    fn tables_of_hpobench() {
        let check = |counts: &[u16], at_24: f64, at_100: f64| {
            let values: Vec<f64> = (0_u16..)
                .zip(counts)
                .flat_map(|(value, &count)| vec![f64::from(value); count.into()])
                .collect();
            assert_eq!(values.len(), 1000);
            let exact = expected_without_replacement(&values, 24);
            assert_close(exact, at_24, 0.0, 6e-5, "T = 24");
            let exact = expected_without_replacement(&values, 100);
            assert_close(exact, at_100, 0.0, 6e-5, "T = 100");
        };
        let twenty = [
            1, 1, 5, 8, 9, 17, 22, 40, 38, 50, 45, 61, 109, 468, 77, 28, 5, 6, 5, 1, 1, 2, 1,
        ];
        check(&twenty, 2.7196, 3.7605);
        let thirty_three = [
            2, 8, 27, 69, 75, 77, 92, 99, 104, 132, 96, 97, 64, 36, 13, 6, 1, 1, 1,
        ];
        check(&thirty_three, 3.2206, 4.1681);
        let thirty_four = [
            1, 6, 16, 41, 66, 85, 81, 78, 81, 46, 55, 25, 35, 17, 22, 25, 22, 13, 17, 23, 20, 17,
            10, 13, 15, 10, 9, 8, 4, 2, 7, 4, 3, 3, 2, 2, 3, 4, 2, 4, 2, 2, 2, 3, 2, 2, 2, 6, 2, 4,
            4, 3, 2, 3, 2, 2, 1, 3, 1, 1, 3, 1, 1, 1, 4, 1, 3, 3, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 3,
            2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ];
        check(&thirty_four, 3.6891, 5.0814);
    }
}
