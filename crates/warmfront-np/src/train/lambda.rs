//! The weight of the auxiliary likelihood over the iterations.

use super::Lambda;

/// What the weight depends on beside the iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Multiplier {
    /// Of a constraint: its multiplier.
    pub(super) value: f64,
    /// Of a constraint: the bound on the loss, known after the first iteration.
    pub(super) bound: Option<f64>,
}

impl Multiplier {
    pub(super) fn new(lambda: Option<Lambda>) -> Self {
        let value = match lambda {
            Some(Lambda::Constraint { start, .. }) => start,
            _ => 0.0,
        };
        Self { value, bound: None }
    }

    /// The weight in an iteration of `of`.
    pub(super) fn weight(&self, lambda: Lambda, iteration: u64, of: u64) -> f64 {
        match lambda {
            Lambda::Fixed(value) => value,
            Lambda::Schedule { from, to } => {
                let done = iteration as f64 / of.saturating_sub(1).max(1) as f64;
                from + (to - from) * done.min(1.0)
            }
            Lambda::Constraint { .. } => self.value,
        }
    }

    /// Learns the loss of the iteration.
    pub(super) fn observe(&mut self, lambda: Lambda, loss: f64) {
        let Lambda::Constraint { slack, rate, .. } = lambda else {
            return;
        };
        if !loss.is_finite() {
            return;
        }
        let bound = *self.bound.get_or_insert(loss + slack);
        self.value = (self.value + rate * (loss - bound)).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn schedule_reaches_its_ends() {
        let schedule = Lambda::Schedule { from: 2.0, to: 0.5 };
        let multiplier = Multiplier::new(Some(schedule));
        assert_close(multiplier.weight(schedule, 0, 11), 2.0, 1e-12, 0.0, "first");
        assert_close(multiplier.weight(schedule, 5, 11), 1.25, 1e-12, 0.0, "half");
        assert_close(multiplier.weight(schedule, 10, 11), 0.5, 1e-12, 0.0, "last");
        assert_close(multiplier.weight(schedule, 0, 1), 2.0, 1e-12, 0.0, "only");
    }

    #[test]
    fn multiplier_rises_above_the_bound_and_falls_to_zero_below() {
        let constraint = Lambda::Constraint {
            start: 1.0,
            slack: 0.1,
            rate: 2.0,
        };
        let mut multiplier = Multiplier::new(Some(constraint));
        multiplier.observe(constraint, 0.5);
        let weight = multiplier.weight(constraint, 1, 9);
        assert_close(weight, 0.8, 1e-12, 0.0, "slack");
        multiplier.observe(constraint, 1.6);
        let weight = multiplier.weight(constraint, 2, 9);
        assert_close(weight, 2.8, 1e-12, 0.0, "above");
        multiplier.observe(constraint, f64::NAN);
        multiplier.observe(constraint, -9.0);
        let weight = multiplier.weight(constraint, 3, 9);
        assert_close(weight, 0.0, 0.0, 0.0, "below");
    }
}
