//! What happened in training.

use std::fmt::Write;

/// A phase of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Supervised.
    WarmUp,
    /// PPO.
    Policy,
}

/// One optimiser iteration: a step of the warm-up, or an iteration of PPO with all its steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// In which phase.
    pub phase: Phase,
    /// How many iterations of the phase are done, this one included.
    pub step: u64,
    /// How many the phase has.
    pub of: u64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The mean negative log-likelihood of queries, if there were any.
    pub nll: Option<f64>,
    /// The mean norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// Of the second phase.
    pub policy: Option<PolicyProgress>,
}

/// One iteration of PPO.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyProgress {
    /// Decisions made.
    pub decisions: u64,
    /// States trained on, counted once for each pass over them.
    pub states: u64,
    /// The mean sum of discounted rewards of a run.
    pub returns: f64,
    /// The mean normalised simple regret at the end of a run.
    pub regret: f64,
    /// The mean clipped surrogate, as a loss.
    pub policy_loss: f64,
    /// The mean squared error of the value head, if it is trained.
    pub value_loss: Option<f64>,
    /// The share of the returns' variance that the baseline explained: the value head, or, within the
    /// runs on a task, the incumbent.
    pub explained_variance: Option<f64>,
    /// The mean entropy of the policy over the candidates it could draw.
    pub entropy: f64,
    /// The share of states whose ratio was beyond the clip.
    pub clipped: f64,
    /// The approximate divergence `E[(ratio − 1) − ln ratio]` from the policy that acted.
    pub divergence: f64,
    /// The largest distance of a ratio from 1 in the first minibatch, before any update.
    pub first_ratio_error: f64,
    /// The weight of the auxiliary likelihood.
    pub lambda: f64,
}

/// A training curve as CSV, one row for each iteration.
#[must_use]
pub fn curve_csv(curve: &[Progress]) -> String {
    let mut csv = String::from(
        "phase,step,learning_rate,nll,gradient_norm,decisions,states,returns,regret,policy_loss,\
         value_loss,explained_variance,entropy,clipped,divergence,\
         first_ratio_error,lambda\n",
    );
    for row in curve {
        let phase = match row.phase {
            Phase::WarmUp => "warm-up",
            Phase::Policy => "policy",
        };
        let policy = row.policy.as_ref();
        let count = |field: fn(&PolicyProgress) -> u64| {
            policy.map_or(String::new(), |p| field(p).to_string())
        };
        let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.6e}"));
        let of = |field: fn(&PolicyProgress) -> f64| number(policy.map(field));
        let columns = [
            phase.to_owned(),
            row.step.to_string(),
            number(Some(row.learning_rate)),
            number(row.nll),
            number(Some(row.gradient_norm)),
            count(|p| p.decisions),
            count(|p| p.states),
            of(|p| p.returns),
            of(|p| p.regret),
            of(|p| p.policy_loss),
            number(policy.and_then(|p| p.value_loss)),
            number(policy.and_then(|p| p.explained_variance)),
            of(|p| p.entropy),
            of(|p| p.clipped),
            of(|p| p.divergence),
            of(|p| p.first_ratio_error),
            of(|p| p.lambda),
        ];
        writeln!(csv, "{}", columns.join(",")).expect("a string takes everything");
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_columns_of_the_head() {
        let warm_up = Progress {
            phase: Phase::WarmUp,
            step: 1,
            of: 2,
            learning_rate: 1e-3,
            nll: Some(0.5),
            gradient_norm: 2.0,
            policy: None,
        };
        let policy = Progress {
            phase: Phase::Policy,
            nll: None,
            policy: Some(PolicyProgress {
                decisions: 10,
                states: 5,
                returns: 1.0,
                regret: 0.25,
                policy_loss: -0.1,
                value_loss: None,
                explained_variance: None,
                entropy: 1.5,
                clipped: 0.0,
                divergence: 0.0,
                first_ratio_error: 0.0,
                lambda: 1.0,
            }),
            ..warm_up.clone()
        };
        let csv = curve_csv(&[warm_up, policy]);
        let columns: Vec<usize> = csv.lines().map(|l| l.matches(',').count()).collect();
        assert_eq!(columns, [16, 16, 16]);
        assert!(csv.contains("\npolicy,1,1.000000e-3,,2.000000e0,10,5,1.000000e0,2.500000e-1"));
    }
}
