//! Where an expert believes good configurations lie.
//!
//! # References
//! PriMO (arXiv 2511.08371): beliefs per objective, a centre and a confidence per parameter.

mod factor;
mod set;

use rand::{Rng, RngExt};

pub use set::Beliefs;

use crate::{Config, Domain, Parameter, SearchSpace, SpaceError, UnitPoint, Value};
use factor::{Bell, Factor, most_likely, pick};

/// An expert's belief about where one objective is good: a density over a search space.
///
/// It is a product over parameters, and integrates to one:
///
/// | parameter | with a centre and a confidence `c` | with weights |
/// |---|---|---|
/// | real | normal on the unit interval of its encoding, around the centre, with standard deviation `1 − c`, truncated to the interval | – |
/// | integer | the mean of that normal over the bucket of each value | – |
/// | ordinal | the same | the mass of each value by the width of its bucket |
/// | categorical | mass `c` on the centre, any other alike | the mass of each choice |
///
/// Parameters without either, and those inactive at a point, say nothing.
///
/// ```
/// use warmfront_core::{Belief, Config, Domain, SearchSpace};
///
/// let space = SearchSpace::builder()
///     .param("rate", Domain::log_real(1e-5, 1e-1))
///     .param("optimizer", Domain::categorical(["adam", "sgd", "lion"]))
///     .build()?;
/// let belief = Belief::uniform(&space, 0)
///     .with("rate", 1e-3, 0.75)?
///     .with_weights("optimizer", &[("adam", 5.0), ("sgd", 4.0), ("lion", 1.0)])?;
///
/// let near = Config::new().with("rate", 1e-3).with("optimizer", "adam");
/// let far = Config::new().with("rate", 1e-1).with("optimizer", "lion");
/// assert!(belief.ln_density(&space.encode(&near)?) > belief.ln_density(&space.encode(&far)?));
/// assert_eq!(space.decode(&belief.mode()).text("optimizer"), Some("adam"));
/// # Ok::<(), warmfront_core::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    objective: usize,
    space: SearchSpace,
    // One per parameter; `None` is uniform.
    factors: Vec<Option<Factor>>,
}

impl Belief {
    /// A belief with the same confidence in each value of `centre`, which may be partial.
    ///
    /// # Errors
    /// If a value does not fit its parameter, or `confidence` is not in `(0, 1)`.
    pub fn new(
        space: &SearchSpace,
        objective: usize,
        centre: &Config,
        confidence: f64,
    ) -> Result<Self, SpaceError> {
        centre
            .iter()
            .try_fold(Self::uniform(space, objective), |belief, (name, value)| {
                belief.with(name, value.clone(), confidence)
            })
    }

    /// The belief that says nothing.
    #[must_use]
    pub fn uniform(space: &SearchSpace, objective: usize) -> Self {
        Self {
            objective,
            space: space.clone(),
            factors: vec![None; space.parameters().len()],
        }
    }

    /// The same belief with a centre and a confidence for one parameter, replacing what it said.
    ///
    /// # Errors
    /// If the value does not fit the parameter, or `confidence` is not in `(0, 1)`.
    pub fn with(
        mut self,
        name: &str,
        centre: impl Into<Value>,
        confidence: f64,
    ) -> Result<Self, SpaceError> {
        let centre = centre.into();
        let index = self.index_of(name)?;
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(SpaceError::Confidence {
                name: name.to_owned(),
                value: confidence,
            });
        }
        let parameter = &self.space.parameters()[index];
        let level = SearchSpace::level_of(parameter, &centre)?;
        self.factors[index] = match parameter.domain() {
            _ if parameter.coords().is_empty() => None,
            Domain::Categorical { choices } => {
                Some(Factor::choice(level, choices.len(), confidence))
            }
            _ => {
                let centre = SearchSpace::coordinate_of(parameter, &centre)?;
                Some(Factor::Normal(Bell::new(centre, 1.0 - confidence)))
            }
        };
        Ok(self)
    }

    /// The same belief with a weight for each value of a categorical or ordinal parameter,
    /// replacing what it said. Weights need not sum to one; the values of an ordinal parameter are
    /// written as text.
    ///
    /// # Errors
    /// If the parameter is real or integer, a value is unknown, weighed twice or left out, or a
    /// weight is not positive and finite: a weight of 0 would forbid the value for good.
    pub fn with_weights<S: AsRef<str>>(
        mut self,
        name: &str,
        weights: &[(S, f64)],
    ) -> Result<Self, SpaceError> {
        let index = self.index_of(name)?;
        let parameter = &self.space.parameters()[index];
        let named = |text: &str| match parameter.domain() {
            // Text that is no number stays text, which is then refused as such.
            Domain::Ordinal { .. } => text.parse().map_or_else(|_| text.into(), Value::Real),
            _ => Value::from(text),
        };
        let listed: Vec<Value> = match parameter.domain() {
            Domain::Ordinal { values } => values.iter().copied().map(Value::Real).collect(),
            Domain::Categorical { choices } => choices
                .iter()
                .map(|choice| choice.as_str().into())
                .collect(),
            _ => {
                return Err(SpaceError::WeightsOfNumber {
                    name: name.to_owned(),
                });
            }
        };
        let mut given = vec![None; listed.len()];
        for (choice, weight) in weights {
            let value = named(choice.as_ref());
            let level = SearchSpace::level_of(parameter, &value)? as usize;
            let name = name.to_owned();
            if !(*weight > 0.0 && weight.is_finite()) {
                let weight = *weight;
                return Err(SpaceError::Weight {
                    name,
                    value,
                    weight,
                });
            }
            if given[level].replace(*weight).is_some() {
                return Err(SpaceError::RepeatedWeight { name, value });
            }
        }
        let missing = |(weight, value): (&Option<f64>, &Value)| {
            weight.ok_or_else(|| SpaceError::MissingWeight {
                name: name.to_owned(),
                value: value.clone(),
            })
        };
        let weights = given
            .iter()
            .zip(&listed)
            .map(missing)
            .collect::<Result<Vec<f64>, _>>()?;
        self.factors[index] = (!parameter.coords().is_empty()).then(|| Factor::weights(&weights));
        Ok(self)
    }

    /// The objective it is about.
    #[must_use]
    pub fn objective(&self) -> usize {
        self.objective
    }

    /// The space it is about.
    #[must_use]
    pub fn space(&self) -> &SearchSpace {
        &self.space
    }

    /// The logarithm of the density at a point: density in numeric coordinates, probability of
    /// categories. Finite everywhere, and the same for all points of one configuration but for its
    /// real parameters.
    ///
    /// # Panics
    /// If `point` does not have as many coordinates as the space.
    #[must_use]
    #[track_caller]
    pub fn ln_density(&self, point: &UnitPoint) -> f64 {
        self.space.assert_dim(point);
        self.sum(point.coords(), |parameter, factor, level| match factor {
            Factor::Normal(bell) => match SearchSpace::bucket_of(parameter, level) {
                Some((low, high)) => bell.ln_mean_density(low, high),
                None => bell.ln_density(point.coords()[parameter.coords().start]),
            },
            Factor::Masses(ln_masses) => ln_mass_density(parameter, ln_masses, level),
        })
    }

    /// Adds the gradient of the smooth logarithmic density at any coordinates to `gradient`, and
    /// returns that density; for searches that round to a value at the end.
    ///
    /// It differs from [`ln_density`](Self::ln_density) in integer and ordinal parameters with a
    /// centre, which count as if they were real. Categories, weighted values and inactive
    /// parameters have no gradient.
    ///
    /// # Panics
    /// If either slice does not have one entry per coordinate of the space.
    #[track_caller]
    pub fn ln_density_gradient(&self, coords: &[f64], gradient: &mut [f64]) -> f64 {
        let dim = self.space.dim();
        assert_eq!(
            (coords.len(), gradient.len()),
            (dim, dim),
            "lengths of the point and of its gradient (left) and dimension of the space"
        );
        self.sum(coords, |parameter, factor, level| match factor {
            Factor::Normal(bell) => {
                let at = parameter.coords().start;
                gradient[at] += bell.slope(coords[at]);
                bell.ln_density(coords[at])
            }
            Factor::Masses(ln_masses) => ln_mass_density(parameter, ln_masses, level),
        })
    }

    /// The canonical point with each parameter at its most likely value: its centre, the first of
    /// the largest weights, the middle or first value where the belief says nothing. In a space
    /// restricted to a table, the first of the rows with the largest density.
    #[must_use]
    pub fn mode(&self) -> UnitPoint {
        if let Some(rows) = self.space.table() {
            return rows[most_likely(&self.ln_densities(rows))].clone();
        }
        let mut coords = vec![0.5; self.space.dim()];
        for (factor, parameter) in self.factors.iter().zip(self.space.parameters()) {
            let out = &mut coords[parameter.coords()];
            match factor {
                None => {}
                Some(Factor::Normal(bell)) => out[0] = bell.centre(),
                Some(Factor::Masses(ln_masses)) => {
                    SearchSpace::write_level(parameter, most_likely(ln_masses), out);
                }
            }
        }
        self.space.canonical(&UnitPoint::clamped(coords))
    }

    /// Draws a canonical point from the belief; in a space restricted to a table, a row with
    /// probability proportional to its density.
    #[must_use]
    pub fn sample<R>(&self, rng: &mut R) -> UnitPoint
    where
        R: Rng + ?Sized,
    {
        if let Some(rows) = self.space.table() {
            return rows[pick(&self.ln_densities(rows), rng.random())].clone();
        }
        let mut coords: Vec<f64> = (0..self.space.dim()).map(|_| rng.random::<f64>()).collect();
        for (factor, parameter) in self.factors.iter().zip(self.space.parameters()) {
            let out = &mut coords[parameter.coords()];
            match factor {
                None => {}
                // Rounding to a value gives it the mass of its bucket.
                Some(Factor::Normal(bell)) => out[0] = bell.quantile(out[0]),
                Some(Factor::Masses(ln_masses)) => {
                    SearchSpace::write_level(parameter, pick(ln_masses, out[0]), out);
                }
            }
        }
        self.space.canonical(&UnitPoint::clamped(coords))
    }

    fn index_of(&self, name: &str) -> Result<usize, SpaceError> {
        let named = |parameter: &Parameter| parameter.name() == name;
        let index = self.space.parameters().iter().position(named);
        index.ok_or_else(|| SpaceError::UnknownParameter {
            name: name.to_owned(),
        })
    }

    /// The sum of a term for each active parameter of which the belief says something.
    fn sum(&self, coords: &[f64], mut term: impl FnMut(&Parameter, &Factor, i64) -> f64) -> f64 {
        let levels = self.space.levels(coords);
        self.factors
            .iter()
            .zip(self.space.parameters())
            .zip(levels)
            .map(|((factor, parameter), level)| match (factor, level) {
                (Some(factor), Some(level)) => term(parameter, factor, level),
                _ => 0.0,
            })
            .sum()
    }

    fn ln_densities(&self, rows: &[UnitPoint]) -> Vec<f64> {
        rows.iter().map(|row| self.ln_density(row)).collect()
    }
}

/// The mass of a category; of an ordinal value by the width of its bucket.
fn ln_mass_density(parameter: &Parameter, ln_masses: &[f64], level: i64) -> f64 {
    let ln_width = match SearchSpace::bucket_of(parameter, level) {
        Some((low, high)) => (high - low).ln(),
        None => 0.0,
    };
    ln_masses[level as usize] - ln_width
}

#[cfg(test)]
mod tests;
