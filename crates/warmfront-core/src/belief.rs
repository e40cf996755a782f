//! Where an expert believes good configurations lie.
//!
//! # References
//! PriMO (arXiv 2511.08371): beliefs per objective, a centre and a confidence per parameter.

use std::f64::consts::{LN_2, PI, SQRT_2};

use rand::{Rng, RngExt};

use crate::{Config, Domain, SearchSpace, SpaceError, UnitPoint, Value};

#[derive(Debug, Clone, PartialEq)]
enum Factor {
    /// Truncated normal of the parameter's one coordinate.
    Normal { centre: f64, spread: f64 },
    /// Mass `confidence` on one choice, the rest shared by the others.
    Choice {
        level: i64,
        others: f64,
        confidence: f64,
    },
}

/// An expert's belief about where one objective is good: a density over a search space.
///
/// It is a product over parameters. A number is normally distributed on the unit interval of its
/// encoding, around the centre, with standard deviation `1 − confidence`, truncated to the
/// interval. A category is the centre with probability `confidence`, else any other alike.
/// Parameters without a centre, and those inactive at a point, say nothing.
///
/// ```
/// use warmfront_core::{Belief, Config, Domain, SearchSpace};
///
/// let space = SearchSpace::builder()
///     .param("rate", Domain::log_real(1e-5, 1e-1))
///     .param("optimizer", Domain::categorical(["adam", "sgd"]))
///     .build()?;
/// let centre = Config::new().with("rate", 1e-3).with("optimizer", "adam");
/// let belief = Belief::new(&space, 0, &centre, 0.75)?;
///
/// let far = Config::new().with("rate", 1e-1).with("optimizer", "sgd");
/// assert!(belief.ln_density(&space.encode(&centre)?) > belief.ln_density(&space.encode(&far)?));
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

    /// The same belief with a centre and a confidence for one parameter.
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
        let parameters = self.space.parameters();
        let Some(index) = parameters
            .iter()
            .position(|parameter| parameter.name() == name)
        else {
            return Err(SpaceError::UnknownParameter {
                name: name.to_owned(),
            });
        };
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(SpaceError::Confidence {
                name: name.to_owned(),
                value: confidence,
            });
        }
        let parameter = &parameters[index];
        let level = SearchSpace::level_of(parameter, &centre)?;
        self.factors[index] = match parameter.domain() {
            _ if parameter.coords().is_empty() => None,
            Domain::Categorical { choices } => Some(Factor::Choice {
                level,
                others: (choices.len() - 1) as f64,
                confidence,
            }),
            _ => {
                let centre = SearchSpace::coordinate_of(parameter, &centre)?;
                Some(Factor::Normal {
                    centre,
                    spread: 1.0 - confidence,
                })
            }
        };
        Ok(self)
    }

    /// The objective it is about.
    #[must_use]
    pub fn objective(&self) -> usize {
        self.objective
    }

    /// The logarithm of the density at a point: density in numeric coordinates, probability of
    /// categories. Finite everywhere.
    ///
    /// # Panics
    /// If `point` does not have as many coordinates as the space.
    #[must_use]
    #[track_caller]
    pub fn ln_density(&self, point: &UnitPoint) -> f64 {
        self.space.assert_dim(point);
        let levels = self.space.levels(point);
        let parameters = self.space.parameters();
        let term =
            |((factor, parameter), level): ((&Option<Factor>, &crate::Parameter), &Option<i64>)| {
                match (factor, level) {
                    (None, _) | (_, None) => 0.0,
                    (Some(Factor::Normal { centre, spread }), _) => ln_truncated_normal(
                        point.coords()[parameter.coords().start],
                        *centre,
                        *spread,
                    ),
                    (
                        Some(Factor::Choice {
                            level: centre,
                            others,
                            confidence,
                        }),
                        Some(level),
                    ) => {
                        if level == centre {
                            confidence.ln()
                        } else {
                            ((1.0 - confidence) / others).ln()
                        }
                    }
                }
            };
        self.factors
            .iter()
            .zip(parameters)
            .zip(&levels)
            .map(term)
            .sum()
    }

    /// Draws a canonical point from the belief; in a space restricted to a table, a row with
    /// probability proportional to its density.
    #[must_use]
    pub fn sample<R>(&self, rng: &mut R) -> UnitPoint
    where
        R: Rng + ?Sized,
    {
        if let Some(rows) = self.space.table() {
            return rows[self.sample_row(rows, rng)].clone();
        }
        let mut coords: Vec<f64> = (0..self.space.dim()).map(|_| rng.random::<f64>()).collect();
        for (factor, parameter) in self.factors.iter().zip(self.space.parameters()) {
            let out = &mut coords[parameter.coords()];
            match *factor {
                None => {}
                Some(Factor::Normal { centre, spread }) => {
                    out[0] = truncated_normal_quantile(out[0], centre, spread);
                }
                Some(Factor::Choice {
                    level,
                    others,
                    confidence,
                }) => {
                    let level = level as usize;
                    let chosen = if rng.random::<f64>() < confidence {
                        level
                    } else {
                        let other = rng.random_range(0..others as u64) as usize;
                        other + usize::from(other >= level)
                    };
                    if let [only] = out {
                        *only = chosen as f64;
                    } else {
                        out.fill(0.0);
                        out[chosen] = 1.0;
                    }
                }
            }
        }
        self.space.canonical(&UnitPoint::clamped(coords))
    }

    fn sample_row<R>(&self, rows: &[UnitPoint], rng: &mut R) -> usize
    where
        R: Rng + ?Sized,
    {
        let ln_densities: Vec<f64> = rows.iter().map(|row| self.ln_density(row)).collect();
        // Shifted by the largest, so that far rows underflow rather than all of them.
        let largest = ln_densities
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = ln_densities.iter().map(|ln| (ln - largest).exp()).collect();
        let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
        for (row, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return row;
            }
        }
        weights.len() - 1
    }
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

fn ln_truncated_normal(x: f64, centre: f64, spread: f64) -> f64 {
    let z = (x - centre) / spread;
    // The centre lies in the interval, so the mass is at least a third: no cancellation.
    let mass = normal_cdf((1.0 - centre) / spread) - normal_cdf(-centre / spread);
    -0.5 * (z * z + LN_2 + PI.ln()) - spread.ln() - mass.ln()
}

/// Where the distribution function reaches `u`. By bisection: it is exact enough, cannot fail, and
/// one uniform gives one draw.
fn truncated_normal_quantile(u: f64, centre: f64, spread: f64) -> f64 {
    let cdf = |x: f64| normal_cdf((x - centre) / spread);
    let target = cdf(0.0) + u * (cdf(1.0) - cdf(0.0));
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if cdf(middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use warmfront_testkit::assert_close;

    use super::*;
    use crate::{Purpose, Seed};

    fn space() -> SearchSpace {
        SearchSpace::builder()
            .param("x", Domain::real(0.0, 2.0))
            .param("kind", Domain::categorical(["a", "b", "c"]))
            .param("n", Domain::integer(1, 4))
            .when("kind", ["b"])
            .build()
            .expect("valid")
    }

    #[test]
    fn densities_integrate_to_one() {
        let space = SearchSpace::unit_cube(1);
        for (centre, confidence) in [(0.0, 0.75), (0.3, 0.5), (1.0, 0.99), (0.5, 1e-9)] {
            let belief = Belief::uniform(&space, 0)
                .with("x0", centre, confidence)
                .expect("valid");
            let steps = 20_000;
            let middle = |i: i32| (f64::from(i) + 0.5) / f64::from(steps);
            let density = |i| belief.ln_density(&UnitPoint::clamped([middle(i)])).exp();
            let integral = (0..steps).map(density).sum::<f64>() / f64::from(steps);
            assert_close(integral, 1.0, 1e-6, 0.0, "integral");
        }
    }

    #[test]
    fn factors_multiply_and_the_inactive_say_nothing() {
        let space = space();
        let only = |name: &str, value: Value| {
            Belief::uniform(&space, 1)
                .with(name, value, 0.75)
                .expect("valid")
        };
        let centre = Config::new().with("x", 1.5).with("kind", "b").with("n", 3);
        let whole = Belief::new(&space, 1, &centre, 0.75).expect("valid");
        let at_b = space.encode(&centre).expect("valid");
        let parts = only("x", 1.5.into()).ln_density(&at_b)
            + only("kind", "b".into()).ln_density(&at_b)
            + only("n", 3.into()).ln_density(&at_b);
        assert_close(whole.ln_density(&at_b), parts, 1e-14, 0.0, "product");
        assert_eq!(whole.objective(), 1);

        let at_a = space
            .encode(&Config::new().with("x", 1.5).with("kind", "a"))
            .expect("valid");
        assert_close(
            only("n", 3.into()).ln_density(&at_a),
            0.0,
            0.0,
            0.0,
            "inactive",
        );
        assert_close(
            only("kind", "b".into()).ln_density(&at_a),
            0.125_f64.ln(),
            1e-14,
            0.0,
            "rest",
        );
        assert_close(
            Belief::uniform(&space, 0).ln_density(&at_a),
            0.0,
            0.0,
            0.0,
            "uniform",
        );
    }

    #[test]
    fn samples_follow_the_belief() {
        let space = space();
        let centre = Config::new().with("x", 1.6).with("kind", "b");
        let belief = Belief::new(&space, 0, &centre, 0.75).expect("valid");
        let mut rng = Seed(5).stream(Purpose::Init, 0);
        let draws = 4000;
        let (mut below, mut b) = (0, 0);
        for _ in 0..draws {
            let point = belief.sample(&mut rng);
            assert_eq!(space.canonical(&point), point);
            let config = space.decode(&point);
            below += i32::from(config.number("x").expect("active") < 1.0);
            b += i32::from(config.text("kind") == Some("b"));
        }
        let share = |count: i32| f64::from(count) / f64::from(draws);
        // P(u < ½) for a normal at 0.8 with deviation ¼, truncated to [0, 1].
        let cdf = |u: f64| normal_cdf((u - 0.8) / 0.25);
        let expected = (cdf(0.5) - cdf(0.0)) / (cdf(1.0) - cdf(0.0));
        assert_close(share(below), expected, 0.0, 0.03, "below the middle");
        assert_close(share(b), 0.75, 0.0, 0.03, "the believed choice");
    }

    #[test]
    fn rows_are_drawn_by_density() {
        let rows: Vec<_> = [0.1, 0.5, 0.9].map(|x| UnitPoint::clamped([x])).to_vec();
        let space = SearchSpace::unit_cube(1)
            .with_table(rows.clone())
            .expect("valid");
        let belief = Belief::uniform(&space, 0)
            .with("x0", 0.9, 0.999)
            .expect("valid");
        let mut rng = Seed(6).stream(Purpose::Init, 0);
        assert!((0..50).all(|_| belief.sample(&mut rng) == rows[2]));
        let uniform = Belief::uniform(&space, 0);
        let first = (0..3000)
            .filter(|_| uniform.sample(&mut rng) == rows[0])
            .count();
        assert!((870..=1130).contains(&first), "{first}");
    }

    #[test]
    fn nonsense_is_refused() {
        let space = space();
        let check = |name: &str, value: Value, confidence: f64, message: &str| {
            let error = Belief::uniform(&space, 0)
                .with(name, value, confidence)
                .expect_err("bad");
            assert_eq!(error.to_string(), message);
        };
        check(
            "x",
            1.0.into(),
            1.0,
            "the confidence in `x` is 1, outside (0, 1)",
        );
        check(
            "x",
            1.0.into(),
            f64::NAN,
            "the confidence in `x` is NaN, outside (0, 1)",
        );
        check("x", 3.0.into(), 0.5, "`x` is 3, outside [0, 2]");
        check("kind", "d".into(), 0.5, "`kind` has no value \"d\"");
        check(
            "y",
            3.0.into(),
            0.5,
            "the search space has no parameter `y`",
        );
    }
}
