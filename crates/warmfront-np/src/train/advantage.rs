//! Returns and advantages.

/// Returns to go: `G_t = r_t + γ·G_{t+1}`, with `G = 0` after the last reward.
#[must_use]
pub fn discounted(rewards: &[f64], discount: f64) -> Vec<f64> {
    let mut returns = rewards.to_vec();
    for t in (0..returns.len().saturating_sub(1)).rev() {
        returns[t] += discount * returns[t + 1];
    }
    returns
}

/// Generalised advantages: `A_t = δ_t + γλ·A_{t+1}`, `δ_t = r_t + γ·V_{t+1} − V_t`, with `V = 0` after
/// the last step: the horizon is part of the state.
///
/// # Panics
/// If there is not one value per reward.
///
/// # References
/// Schulman et al. 2016 (arXiv 1506.02438), equation 16.
#[must_use]
#[track_caller]
pub fn gae(rewards: &[f64], values: &[f64], discount: f64, lambda: f64) -> Vec<f64> {
    assert_eq!(rewards.len(), values.len(), "one value per reward");
    let mut advantages = vec![0.0; rewards.len()];
    let (mut next_value, mut next_advantage) = (0.0, 0.0);
    for t in (0..rewards.len()).rev() {
        let delta = rewards[t] + discount * next_value - values[t];
        next_advantage = delta + discount * lambda * next_advantage;
        next_value = values[t];
        advantages[t] = next_advantage;
    }
    advantages
}

/// Differences between returns below this are noise, not worth the full size of an advantage.
const SPREAD_FLOOR: f64 = 1e-3;

/// Standardises the returns of a group of runs (`runs[k][t]`, all of one length) at each time over the
/// runs.
///
/// # Panics
/// If the runs differ in length.
#[track_caller]
pub fn standardise_groups(runs: &mut [Vec<f64>]) {
    let steps = runs.first().map_or(0, Vec::len);
    assert!(
        runs.iter().all(|run| run.len() == steps),
        "the runs of a group differ in length"
    );
    for t in 0..steps {
        let (mean, deviation) = moments(runs.iter().map(|run| run[t]));
        for run in runs.iter_mut() {
            run[t] = (run[t] - mean) / (deviation + SPREAD_FLOOR);
        }
    }
}

/// Takes from the returns of runs what a number known before each decision explains of them.
///
/// `runs[k][t]` and `known[k][t]` are in groups of `group` runs next to each other. At each time one
/// slope is fitted to the deviations from the means of the groups, over all groups, and
/// `slope · (known − group's mean)` is subtracted. The number does not depend on the decision, so with a
/// given slope the gradient would keep its mean and lose variance; the slope is fitted to the same
/// returns, which leaves a bias of the order of one over the number of runs. Returns the share of the deviations' squares that was
/// explained, if there were any.
///
/// # Panics
/// If `group` is 0, or the shapes differ.
#[track_caller]
pub fn explain_by(runs: &mut [Vec<f64>], known: &[Vec<f64>], group: usize) -> Option<f64> {
    assert_eq!(runs.len(), known.len(), "one known number per return");
    let longest = runs.iter().map(Vec::len).max().unwrap_or(0);
    let (mut all, mut explained) = (0.0, 0.0);
    for t in 0..longest {
        let groups = || {
            let pairs = runs.chunks(group).zip(known.chunks(group));
            pairs.filter(move |(runs, _)| runs[0].len() > t)
        };
        let centers: Vec<(f64, f64)> = groups()
            .map(|(runs, known)| {
                let (mean, _) = moments(runs.iter().map(|run| run[t]));
                let (center, _) = moments(known.iter().map(|run| run[t]));
                (mean, center)
            })
            .collect();
        let (mut square, mut product) = (0.0, 0.0);
        for ((runs, known), &(mean, center)) in groups().zip(&centers) {
            for (run, known) in runs.iter().zip(known) {
                let (off, from) = (run[t] - mean, known[t] - center);
                all += off * off;
                square += from * from;
                product += off * from;
            }
        }
        if square <= 0.0 {
            continue;
        }
        let slope = product / square;
        explained += slope * product;
        let mut centers = centers.into_iter();
        for (runs, known) in runs.chunks_mut(group).zip(known.chunks(group)) {
            if runs[0].len() <= t {
                continue;
            }
            let (_, center) = centers
                .next()
                .expect("one for each group that is this long");
            for (run, known) in runs.iter_mut().zip(known) {
                run[t] -= slope * (known[t] - center);
            }
        }
    }
    (all > 0.0).then(|| explained / all)
}

/// Mean and standard deviation; 0 of nothing.
pub(super) fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::{assert_all_close, assert_close};

    use super::*;

    #[test]
    fn returns_by_hand() {
        let returns = discounted(&[1.0, 0.0, 4.0], 0.5);
        assert_all_close(&returns, &[2.0, 2.0, 4.0], 1e-15, 0.0, "returns");
        assert!(discounted(&[], 0.5).is_empty());
    }

    #[test]
    fn gae_with_lambda_one_is_return_minus_value() {
        let (rewards, values) = ([0.3, -1.0, 2.0, 0.5], [0.2, 0.7, -0.4, 1.0]);
        let advantages = gae(&rewards, &values, 0.9, 1.0);
        let returns = discounted(&rewards, 0.9);
        for t in 0..4 {
            assert_close(advantages[t], returns[t] - values[t], 1e-12, 1e-12, "λ = 1");
        }
        // λ = 0: the temporal difference.
        let advantages = gae(&rewards, &values, 0.9, 0.0);
        let differences = [0.3 + 0.63 - 0.2, -1.0 - 0.36 - 0.7, 2.0 + 0.9 + 0.4, -0.5];
        assert_all_close(&advantages, &differences, 1e-12, 1e-12, "λ = 0");
    }

    #[test]
    fn groups_have_mean_zero_at_each_time() {
        let mut runs = vec![vec![1.0, 5.0], vec![2.0, 5.0], vec![6.0, 5.0]];
        standardise_groups(&mut runs);
        for t in 0..2 {
            let sum: f64 = runs.iter().map(|run| run[t]).sum();
            assert_close(sum, 0.0, 0.0, 1e-12, "sum");
            assert_close(runs[t][1], 0.0, 0.0, 1e-12, "no spread, no advantage");
        }
        let square: f64 = runs.iter().map(|run| run[0] * run[0]).sum();
        assert_close(square / 3.0, 1.0, 2e-3, 0.0, "variance");
    }

    #[test]
    fn what_is_known_is_taken_from_returns() {
        // Returns are 3·known plus the group's own level plus a rest that is not correlated.
        let known = vec![
            vec![1.0, 0.5],
            vec![2.0, 0.5],
            vec![3.0, 0.5],
            vec![4.0],
            vec![4.0],
            vec![7.0],
        ];
        let rest = [0.1, -0.2, 0.1, 0.2, -0.2, 0.0];
        let mut runs: Vec<Vec<f64>> = known
            .iter()
            .zip(rest)
            .enumerate()
            .map(|(k, (known, rest))| {
                let level = if k < 3 { 10.0 } else { -5.0 };
                known.iter().map(|x| level + 3.0 * x + rest).collect()
            })
            .collect();
        let last = runs[0][1];
        let share = explain_by(&mut runs, &known, 3).unwrap();
        assert!(share > 0.99 && share < 1.0, "{share}");
        for (k, rest) in rest.into_iter().enumerate() {
            let level = if k < 3 { 16.0 } else { 10.0 };
            assert_close(runs[k][0], level + rest, 1e-12, 0.0, "the rest is left");
        }
        assert_close(runs[0][1], last, 0.0, 0.0, "nothing known, nothing taken");
        assert!(explain_by(&mut [vec![1.0], vec![1.0]], &[vec![0.0], vec![1.0]], 2).is_none());
    }
}
