//! The fidelities of successive halving.

use warmfront_core::{Fidelity, FidelityRange, SearchSpace};

use crate::MetaError;

/// Fidelities closer than this, relatively, are the same.
const SAME: f64 = 1e-9;

/// The budgets of successive halving, ascending; the last is full.
///
/// ```
/// use warmfront_core::FidelityRange;
/// use warmfront_meta::multi_fidelity::Rungs;
///
/// let epochs = FidelityRange::integer("epoch", 1, 52)?;
/// let rungs = Rungs::geometric(&epochs, 3)?;
/// let budgets: Vec<f64> = rungs.iter().map(|fidelity| epochs.budget(fidelity)).collect();
/// assert_eq!(budgets, [1.0, 5.0, 17.0, 52.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rungs {
    fidelities: Vec<Fidelity>,
    eta: u32,
}

impl Rungs {
    /// `⌊log_eta(high / low)⌋ + 1` budgets `high / eta^i`, truncated where budgets are whole.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if `eta` is below 2.
    pub fn geometric(range: &FidelityRange, eta: u32) -> Result<Self, MetaError> {
        check_eta(eta)?;
        let (low, high) = (range.low(), range.high());
        let mut fidelities = Vec::new();
        let mut budget = high;
        // By repeated division with a tolerance: the logarithm of 81/1 to base 3 is not exactly 4.
        while budget >= low * (1.0 - SAME) {
            let whole = if range.is_integer() {
                (budget * (1.0 + f64::EPSILON)).floor()
            } else {
                budget
            };
            let fidelity = range.fidelity(whole.clamp(low, high)).map_err(|error| {
                MetaError::Strategy(warmfront_core::StrategyError::model(error))
            })?;
            fidelities.push(fidelity);
            budget /= f64::from(eta);
        }
        fidelities.reverse();
        Ok(Self { fidelities, eta })
    }

    /// Full evaluations only.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if `eta` is below 2.
    pub fn full_only(eta: u32) -> Result<Self, MetaError> {
        check_eta(eta)?;
        Ok(Self {
            fidelities: vec![Fidelity::FULL],
            eta,
        })
    }

    /// The rungs of a space: [`geometric`](Self::geometric) if it has fidelities, else full
    /// evaluations only.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if `eta` is below 2.
    pub fn of(space: &SearchSpace, eta: u32) -> Result<Self, MetaError> {
        match space.fidelity() {
            Some(range) => Self::geometric(range, eta),
            None => Self::full_only(eta),
        }
    }

    /// Number of rungs, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.fidelities.len()
    }

    /// The last rung, of full evaluations.
    #[must_use]
    pub fn top(&self) -> usize {
        self.fidelities.len() - 1
    }

    /// Of so many configurations one is continued.
    #[must_use]
    pub fn eta(&self) -> u32 {
        self.eta
    }

    /// The fidelity of rung `i`.
    ///
    /// # Panics
    /// If there is no such rung.
    #[must_use]
    #[track_caller]
    pub fn fidelity(&self, i: usize) -> Fidelity {
        assert!(
            i < self.fidelities.len(),
            "rung {i} of {}",
            self.fidelities.len()
        );
        self.fidelities[i]
    }

    /// All fidelities, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Fidelity> + '_ {
        self.fidelities.iter().copied()
    }

    /// The rung of a fidelity, `None` if it lies between rungs.
    #[must_use]
    pub fn index_of(&self, fidelity: Fidelity) -> Option<usize> {
        self.fidelities
            .iter()
            .position(|&rung| same(rung, fidelity))
    }
}

fn check_eta(eta: u32) -> Result<(), MetaError> {
    if eta < 2 {
        return Err(MetaError::Setting {
            what: "eta",
            value: eta.into(),
            expected: "at least 2",
        });
    }
    Ok(())
}

/// Whether two fidelities are the same up to rounding.
pub(super) fn same(a: Fidelity, b: Fidelity) -> bool {
    (a.value() - b.value()).abs() <= SAME * a.value().max(b.value())
}

/// Whether `a` is at least `b` up to rounding.
pub(super) fn reaches(a: Fidelity, b: Fidelity) -> bool {
    a >= b || same(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(low: u32, high: u32, eta: u32) -> Vec<f64> {
        let range = FidelityRange::integer("epoch", low, high).unwrap();
        let rungs = Rungs::geometric(&range, eta).unwrap();
        rungs
            .iter()
            .map(|fidelity| range.budget(fidelity))
            .collect()
    }

    #[test]
    fn rungs_are_those_of_the_published_runs() {
        assert_eq!(budgets(1, 199, 3), [2.0, 7.0, 22.0, 66.0, 199.0]);
        assert_eq!(budgets(1, 99, 3), [1.0, 3.0, 11.0, 33.0, 99.0]);
        assert_eq!(budgets(1, 74, 3), [2.0, 8.0, 24.0, 74.0]);
        assert_eq!(budgets(1, 19, 3), [2.0, 6.0, 19.0]);
        assert_eq!(budgets(1, 52, 3), [1.0, 5.0, 17.0, 52.0]);
        assert_eq!(budgets(1, 100, 3), [1.0, 3.0, 11.0, 33.0, 100.0]);
    }

    #[test]
    fn powers_of_eta_lose_no_rung() {
        for exponent in 1..=12 {
            assert_eq!(
                budgets(1, 3_u32.pow(exponent), 3).len(),
                exponent as usize + 1
            );
        }
        assert_eq!(budgets(80, 200, 3), [200.0]);
        let tenth = FidelityRange::real("share", 0.1, 1.0).unwrap();
        assert_eq!(Rungs::geometric(&tenth, 10).unwrap().len(), 2);
        let ninth = FidelityRange::real("share", 1.0 / 9.0, 1.0).unwrap();
        let rungs = Rungs::geometric(&ninth, 3).unwrap();
        assert_eq!(rungs.len(), 3);
        for (i, fidelity) in rungs.iter().enumerate() {
            assert_eq!(rungs.index_of(fidelity), Some(i));
        }
        assert_eq!(rungs.index_of(Fidelity::new(0.5).unwrap()), None);
        assert!(Rungs::geometric(&ninth, 1).is_err());
    }
}
