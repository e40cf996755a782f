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
}
