//! Objectives, and the only sign flip of the workspace.
//!
//! Users speak of *objectives*, which may be maximised. Everything below speaks of
//! *costs*, of which smaller is better. [`Objectives::to_costs`] leads from one to the other.

use crate::ObjectiveError;

/// Whether small or large values of an objective are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smaller is better.
    Minimize,
    /// Larger is better.
    Maximize,
}

impl Direction {
    fn sign(self) -> f64 {
        match self {
            Self::Minimize => 1.0,
            Self::Maximize => -1.0,
        }
    }
}

/// A named quantity to make small or large.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Objective {
    /// Its name, unique among the objectives.
    pub name: Box<str>,
    /// Whether it is minimised or maximised.
    pub direction: Direction,
}

impl Objective {
    /// An objective to minimise.
    pub fn minimize(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            direction: Direction::Minimize,
        }
    }

    /// An objective to maximise.
    pub fn maximize(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            direction: Direction::Maximize,
        }
    }
}

/// The objectives of a problem, at least one, with distinct names.
///
/// ```
/// use warmfront_core::{Objective, Objectives};
///
/// let objectives = Objectives::new([Objective::maximize("accuracy"), Objective::minimize("time")])?;
/// let costs = objectives.to_costs(&[0.9, 12.0])?;
/// assert_eq!(costs.values(), [Some(-0.9), Some(12.0)]);
/// assert!(objectives.to_costs(&[f64::NAN, 12.0]).is_err());
/// # Ok::<(), warmfront_core::ObjectiveError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Objectives(Box<[Objective]>);

impl Objectives {
    /// Collects objectives.
    ///
    /// # Errors
    /// If there are none, or a name is empty or used twice.
    pub fn new(objectives: impl IntoIterator<Item = Objective>) -> Result<Self, ObjectiveError> {
        let objectives: Box<[Objective]> = objectives.into_iter().collect();
        if objectives.is_empty() {
            return Err(ObjectiveError::NoObjectives);
        }
        for (index, objective) in objectives.iter().enumerate() {
            if objective.name.is_empty() {
                return Err(ObjectiveError::EmptyName { index });
            }
            if objectives[..index]
                .iter()
                .any(|earlier| earlier.name == objective.name)
            {
                return Err(ObjectiveError::DuplicateName {
                    name: objective.name.to_string(),
                });
            }
        }
        Ok(Self(objectives))
    }

    /// `count` minimised objectives named `f1`, `f2`, ….
    ///
    /// # Panics
    /// If `count` is 0.
    #[must_use]
    #[track_caller]
    pub fn minimize_all(count: usize) -> Self {
        assert!(count > 0, "at least one objective is needed, got 0");
        Self(
            (1..=count)
                .map(|o| Objective::minimize(format!("f{o}")))
                .collect(),
        )
    }

    /// Number of objectives `m`.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The objectives in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Objective> {
        self.0.iter()
    }

    /// Turns raw values (the user's signs, length `m`) into costs.
    ///
    /// # Errors
    /// If a value is NaN or infinite: report a failed evaluation as
    /// [`Outcome::Failed`](crate::Outcome::Failed), a single missing value with
    /// [`to_costs_partial`](Self::to_costs_partial).
    ///
    /// # Panics
    /// If `raw` does not have one value per objective.
    #[track_caller]
    pub fn to_costs(&self, raw: &[f64]) -> Result<Costs, ObjectiveError> {
        assert_eq!(
            raw.len(),
            self.len(),
            "one value per objective (left: values, right: objectives)"
        );
        self.flip(raw.iter().map(|&value| Some(value)))
    }

    /// Turns raw values of which some are missing (length `m`) into costs.
    ///
    /// # Errors
    /// If a given value is NaN or infinite.
    ///
    /// # Panics
    /// If `raw` does not have one entry per objective.
    #[track_caller]
    pub fn to_costs_partial(&self, raw: &[Option<f64>]) -> Result<Costs, ObjectiveError> {
        assert_eq!(
            raw.len(),
            self.len(),
            "one value per objective (left: values, right: objectives)"
        );
        self.flip(raw.iter().copied())
    }

    /// Turns costs back into the user's signs; missing stays missing.
    ///
    /// # Panics
    /// If `costs` does not have one value per objective.
    #[must_use]
    #[track_caller]
    pub fn to_raw(&self, costs: &Costs) -> Vec<Option<f64>> {
        assert_eq!(
            costs.len(),
            self.len(),
            "one cost per objective (left: costs, right: objectives)"
        );
        let signed = |(objective, cost): (&Objective, &Option<f64>)| {
            cost.map(|cost| objective.direction.sign() * cost)
        };
        self.0.iter().zip(costs.values()).map(signed).collect()
    }

    fn flip(&self, raw: impl Iterator<Item = Option<f64>>) -> Result<Costs, ObjectiveError> {
        let signed = |(objective, value): (&Objective, Option<f64>)| match value {
            Some(value) if !value.is_finite() => Err(ObjectiveError::NonFinite {
                name: objective.name.to_string(),
                value,
            }),
            value => Ok(value.map(|value| objective.direction.sign() * value)),
        };
        Ok(Costs(
            self.0
                .iter()
                .zip(raw)
                .map(signed)
                .collect::<Result<_, _>>()?,
        ))
    }
}

impl<'a> IntoIterator for &'a Objectives {
    type Item = &'a Objective;
    type IntoIter = std::slice::Iter<'a, Objective>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Objective values with the direction folded in: smaller is better, finite or missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs(Box<[Option<f64>]>);

impl Costs {
    /// Collects costs of which some may be missing.
    ///
    /// # Errors
    /// If a given cost is NaN or infinite.
    pub fn new(values: impl Into<Box<[Option<f64>]>>) -> Result<Self, ObjectiveError> {
        let values = values.into();
        let bad = |(index, value): (usize, &Option<f64>)| {
            value
                .filter(|value| !value.is_finite())
                .map(|value| (index, value))
        };
        match values.iter().enumerate().find_map(bad) {
            Some((index, value)) => Err(ObjectiveError::NonFiniteCost { index, value }),
            None => Ok(Self(values)),
        }
    }

    /// Collects costs that are all known.
    ///
    /// # Errors
    /// If a cost is NaN or infinite.
    pub fn from_values(values: Vec<f64>) -> Result<Self, ObjectiveError> {
        Self::new(values.into_iter().map(Some).collect::<Box<[_]>>())
    }

    /// Number of objectives `m`, missing ones included.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "problems have at least one objective"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The costs; `None` is missing.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.0
    }

    /// All costs, or `None` if one is missing.
    #[must_use]
    pub fn complete(&self) -> Option<Vec<f64>> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy_and_time() -> Objectives {
        Objectives::new([Objective::maximize("accuracy"), Objective::minimize("time")])
            .expect("distinct names")
    }

    #[test]
    fn directions_flip_and_flip_back() {
        let objectives = accuracy_and_time();
        let costs = objectives.to_costs(&[0.5, -3.0]).expect("finite");
        assert_eq!(costs.complete(), Some(vec![-0.5, -3.0]));
        assert_eq!(objectives.to_raw(&costs), [Some(0.5), Some(-3.0)]);

        let partial = objectives
            .to_costs_partial(&[None, Some(1.0)])
            .expect("finite");
        assert_eq!(partial.complete(), None);
        assert_eq!(partial.values(), [None, Some(1.0)]);
        assert_eq!(objectives.to_raw(&partial), [None, Some(1.0)]);
    }

    #[test]
    fn non_finite_values_are_named() {
        let check = |raw: [f64; 2], message: &str| {
            let error = accuracy_and_time().to_costs(&raw).expect_err("non-finite");
            assert_eq!(error.to_string(), message);
        };
        check(
            [f64::NAN, 0.0],
            "objective `accuracy` has the non-finite value NaN",
        );
        check(
            [0.0, f64::NEG_INFINITY],
            "objective `time` has the non-finite value -inf",
        );
        assert_eq!(
            Costs::from_values(vec![0.0, f64::INFINITY]),
            Err(ObjectiveError::NonFiniteCost {
                index: 1,
                value: f64::INFINITY
            })
        );
    }

    #[test]
    fn names_are_distinct_and_not_empty() {
        assert_eq!(Objectives::new([]), Err(ObjectiveError::NoObjectives));
        assert_eq!(
            Objectives::new([Objective::minimize("a"), Objective::maximize("a")]),
            Err(ObjectiveError::DuplicateName { name: "a".into() })
        );
        assert_eq!(
            Objectives::new([Objective::minimize("")]),
            Err(ObjectiveError::EmptyName { index: 0 })
        );
        let names: Vec<_> = Objectives::minimize_all(2)
            .iter()
            .map(|o| o.name.to_string())
            .collect();
        assert_eq!(names, ["f1", "f2"]);
    }
}
