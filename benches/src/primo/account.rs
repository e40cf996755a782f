//! What a run has paid.

use std::collections::HashMap;

use warmfront_core::UnitPoint;

/// Slack for sums of costs that are whole in exact arithmetic.
pub const SLACK: f64 = 1e-9;

/// A budget in evaluations at full fidelity; continuing a configuration costs the difference.
#[derive(Debug, Clone)]
pub struct Account {
    total: f64,
    spent: f64,
    paid: HashMap<UnitPoint, f64>,
}

impl Account {
    /// Nothing spent yet.
    #[must_use]
    pub fn new(total: f64) -> Self {
        Self {
            total,
            spent: 0.0,
            paid: HashMap::new(),
        }
    }

    /// Pays for an evaluation that costs `cost` from scratch; `false`, and nothing is paid, when the
    /// budget does not suffice.
    pub fn pay(&mut self, point: &UnitPoint, cost: f64) -> bool {
        let before = self.paid.get(point).copied().unwrap_or(0.0);
        let due = (cost - before).max(0.0);
        if self.spent + due > self.total + SLACK {
            return false;
        }
        self.spent += due;
        self.paid.insert(point.clone(), cost.max(before));
        true
    }

    /// Everything paid so far.
    #[must_use]
    pub fn spent(&self) -> f64 {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuing_costs_the_difference_and_the_budget_is_kept() {
        let at = |x: f64| UnitPoint::new([x]).expect("inside");
        let mut account = Account::new(2.0);
        let mut pay = |x, cost, expected: bool, spent: f64| {
            assert_eq!(account.pay(&at(x), cost), expected);
            assert!((account.spent() - spent).abs() < 1e-12);
        };
        pay(0.1, 0.1, true, 0.1);
        pay(0.1, 0.3, true, 0.3);
        pay(0.2, 1.0, true, 1.3);
        // Again, or for less: nothing more is due.
        pay(0.2, 1.0, true, 1.3);
        pay(0.2, 0.5, true, 1.3);
        pay(0.3, 0.8, false, 1.3);
        pay(0.1, 1.0, true, 2.0);
    }
}
