//! What evaluations cost when a configuration can be continued.

use std::collections::HashMap;
use std::fmt;

use warmfront_core::{Candidate, Fidelity, UnitPoint};

/// Sums of paid differences round: so much, in full evaluations, is no overdraft.
const ROUNDING: f64 = 1e-9;

type Cost = Box<dyn Fn(Fidelity) -> f64 + Send + Sync>;

/// What has been paid for, in full evaluations; continuing a configuration pays the difference.
///
/// A configuration evaluated again at a fidelity it has reached already is run afresh and paid in
/// full. Configurations are told apart by their point, which must be canonical.
///
/// ```
/// use warmfront_core::{Candidate, Fidelity, UnitPoint};
/// use warmfront_meta::multi_fidelity::FidelityBudget;
///
/// let mut budget = FidelityBudget::new(1.1);
/// let full = Candidate::at(UnitPoint::new([0.5])?);
/// let part = full.clone().with_fidelity(Fidelity::new(0.25)?);
/// assert!(budget.try_spend(&part));
/// assert_eq!(budget.cost_of(&full), 0.75);
/// assert!(budget.try_spend(&full));
/// assert!(!budget.try_spend(&part), "a second run is not free");
/// assert_eq!(budget.spent(), 1.0);
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
pub struct FidelityBudget {
    total: f64,
    spent: f64,
    paid: HashMap<UnitPoint, Fidelity>,
    cost: Cost,
}

impl FidelityBudget {
    /// Nothing paid yet of `total` full evaluations; an evaluation costs its fidelity.
    #[must_use]
    pub fn new(total: f64) -> Self {
        Self {
            total,
            spent: 0.0,
            paid: HashMap::new(),
            cost: Box::new(Fidelity::value),
        }
    }

    /// The same where an evaluation from scratch costs `cost(fidelity)` full evaluations, which
    /// does not decrease with the fidelity.
    #[must_use]
    pub fn with_cost(self, cost: impl Fn(Fidelity) -> f64 + Send + Sync + 'static) -> Self {
        Self {
            cost: Box::new(cost),
            ..self
        }
    }

    /// What the candidate would cost now.
    #[must_use]
    pub fn cost_of(&self, candidate: &Candidate) -> f64 {
        let fidelity = candidate.fidelity.unwrap_or(Fidelity::FULL);
        let whole = (self.cost)(fidelity);
        match self.paid.get(&candidate.point) {
            Some(&paid) if paid < fidelity => (whole - (self.cost)(paid)).max(0.0),
            _ => whole,
        }
    }

    /// Pays for the candidate if what remains suffices; returns whether it did.
    pub fn try_spend(&mut self, candidate: &Candidate) -> bool {
        let cost = self.cost_of(candidate);
        // A cost that is not a number buys nothing.
        let affordable = self.spent + cost <= self.total + ROUNDING;
        if !affordable {
            return false;
        }
        self.spent += cost;
        let fidelity = candidate.fidelity.unwrap_or(Fidelity::FULL);
        let paid = self.paid.entry(candidate.point.clone()).or_insert(fidelity);
        if fidelity > *paid {
            *paid = fidelity;
        }
        true
    }

    /// What has been paid, in full evaluations.
    #[must_use]
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// What is left, in full evaluations.
    #[must_use]
    pub fn remaining(&self) -> f64 {
        (self.total - self.spent).max(0.0)
    }
}

impl fmt::Debug for FidelityBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FidelityBudget")
            .field("total", &self.total)
            .field("spent", &self.spent)
            .field("configurations", &self.paid.len())
            .finish_non_exhaustive()
    }
}
