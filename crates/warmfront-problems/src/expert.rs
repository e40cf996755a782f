//! Beliefs of made-up experts, from knowing to misled, about any problem.
//!
//! # References
//! PriMO (arXiv 2511.08371), section on priors: of uniform configurations evaluated at full
//! fidelity, the best by an objective makes a good prior about it and the worst a misleading one.

use rand::Rng;
use warmfront_core::{Belief, Beliefs, Candidate, Config, Domain, SearchSpace, UnitPoint};
use warmfront_math::distribution::standard_normal;

use crate::sample::design_points;
use crate::{Design, Problem, ProblemError};

/// Configurations evaluated at once: enough for problems that are faster in batches.
const CHUNK: usize = 4096;

/// How much an expert knows about an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpertQuality {
    /// Centred where the best of the sample is, moved by a hundredth of each range.
    Good,
    /// Centred where the best of the sample is, moved by an eighth of each range.
    Medium,
    /// Centred where the worst of the sample is.
    Bad,
    /// As bad, and nearly sure of it: confidence 0.99 whatever the others'.
    Overconfident,
}

impl ExpertQuality {
    /// The confidence of the overconfident.
    pub const OVERCONFIDENCE: f64 = 0.99;

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Medium => "medium",
            Self::Bad => "bad",
            Self::Overconfident => "overconfident",
        }
    }

    /// Standard deviation of how far the centre is moved, in shares of each range.
    fn spread(self) -> f64 {
        match self {
            Self::Good => 0.01,
            Self::Medium => 0.125,
            Self::Bad | Self::Overconfident => 0.0,
        }
    }
}

/// The best and the worst of uniform configurations of a problem, by each objective.
///
/// Finding them takes most of the time; beliefs of any quality are then quickly made.
///
/// ```
/// use warmfront_core::{Purpose, Seed};
/// use warmfront_problems::{ExpertQuality, ExpertSample, MomfPark};
///
/// let problem = MomfPark::inverted();
/// let mut rng = Seed(1).stream(Purpose::Init, 0);
/// let sample = ExpertSample::draw(&problem, 500, &mut rng)?;
/// let good = sample.beliefs(&[ExpertQuality::Good; 2], 0.75, &mut rng)?;
/// let mixed = [ExpertQuality::Good, ExpertQuality::Bad];
/// let mixed = sample.beliefs(&mixed, 0.75, &mut rng)?;
/// assert_eq!((good.len(), mixed.len()), (2, 2));
/// # Ok::<(), warmfront_problems::ProblemError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExpertSample {
    space: SearchSpace,
    // One per objective: the lowest and the highest cost.
    extremes: Vec<(UnitPoint, UnitPoint)>,
}

impl ExpertSample {
    /// Evaluates `samples` uniform configurations without noise at full fidelity; of a table at
    /// most all its rows. Evaluations that fail are skipped, and so are missing objectives.
    ///
    /// # Errors
    /// If no evaluation gives a value of an objective.
    pub fn draw(
        problem: &dyn Problem,
        samples: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, ProblemError> {
        let space = problem.space();
        let objectives = problem.objectives().len();
        let mut extremes: Vec<Option<Extremes>> = vec![None; objectives];
        let rows = space
            .table()
            .map(|_| design_points(space, samples, Design::Uniform, rng));
        let total = rows.as_ref().map_or(samples, Vec::len);
        for start in (0..total).step_by(CHUNK) {
            let end = (start + CHUNK).min(total);
            let points = match &rows {
                Some(rows) => rows[start..end].to_vec(),
                None => design_points(space, end - start, Design::Uniform, rng),
            };
            let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
            let outcomes = problem.noise_free_batch(&candidates);
            for (candidate, outcome) in candidates.iter().zip(outcomes) {
                let Some(costs) = outcome.as_ref().and_then(|outcome| outcome.costs()) else {
                    continue;
                };
                for (extremes, cost) in extremes.iter_mut().zip(costs.values()) {
                    if let Some(cost) = *cost {
                        Extremes::add(extremes, &candidate.point, cost);
                    }
                }
            }
        }
        let found = extremes
            .into_iter()
            .enumerate()
            .map(|(objective, extremes)| match extremes {
                Some(extremes) => Ok((extremes.best.0, extremes.worst.0)),
                None => Err(ProblemError::NothingToBelieve { objective, samples }),
            });
        Ok(Self {
            space: space.clone(),
            extremes: found.collect::<Result<_, _>>()?,
        })
    }

    /// One belief per objective, of the quality with its index.
    ///
    /// In a conditional space only the parameters that are active at the centre get one.
    ///
    /// # Errors
    /// If `confidence` is not in (0, 1).
    ///
    /// # Panics
    /// If there is not one quality per objective.
    #[track_caller]
    pub fn beliefs(
        &self,
        qualities: &[ExpertQuality],
        confidence: f64,
        rng: &mut dyn Rng,
    ) -> Result<Beliefs, ProblemError> {
        assert_eq!(
            qualities.len(),
            self.extremes.len(),
            "one quality per objective (left: qualities, right: objectives)"
        );
        let mut beliefs = Vec::with_capacity(qualities.len());
        for (objective, &quality) in qualities.iter().enumerate() {
            let centre = self.centre(objective, quality, rng);
            let confidence = match quality {
                ExpertQuality::Overconfident => ExpertQuality::OVERCONFIDENCE,
                _ => confidence,
            };
            let belief = Belief::new(&self.space, objective, &centre, confidence)?;
            beliefs.push(belief);
        }
        Ok(Beliefs::new(qualities.len(), beliefs)?)
    }

    /// The configuration on which a belief about an objective is centred.
    ///
    /// # Panics
    /// If there is no such objective.
    #[must_use]
    #[track_caller]
    pub fn centre(&self, objective: usize, quality: ExpertQuality, rng: &mut dyn Rng) -> Config {
        assert!(
            objective < self.extremes.len(),
            "objective {objective} of {}",
            self.extremes.len()
        );
        let (best, worst) = &self.extremes[objective];
        let point = match quality {
            ExpertQuality::Good | ExpertQuality::Medium => best,
            ExpertQuality::Bad | ExpertQuality::Overconfident => worst,
        };
        self.space.decode(&self.moved(point, quality.spread(), rng))
    }

    /// The point with its numbers moved by normal steps of standard deviation `spread` in the unit
    /// cube; categories stay, and so does which parameters are active.
    fn moved(&self, point: &UnitPoint, spread: f64, rng: &mut dyn Rng) -> UnitPoint {
        if spread <= 0.0 {
            return point.clone();
        }
        let mut coords = point.coords().to_vec();
        for parameter in self.space.parameters() {
            let name = parameter.name();
            let rules = |other: &warmfront_core::Parameter| {
                let conditions = other.conditions();
                conditions
                    .iter()
                    .any(|condition| &*condition.parent == name)
            };
            let category = matches!(parameter.domain(), Domain::Categorical { .. });
            if category || self.space.parameters().iter().any(rules) {
                continue;
            }
            for coordinate in &mut coords[parameter.coords()] {
                *coordinate += spread * standard_normal(rng);
            }
        }
        self.space.canonical(&UnitPoint::clamped(coords))
    }
}

/// Draws a sample and makes one belief per objective of it: [`ExpertSample::draw`], then
/// [`ExpertSample::beliefs`].
///
/// # Errors
/// As both.
///
/// # Panics
/// If there is not one quality per objective.
#[track_caller]
pub fn expert_beliefs(
    problem: &dyn Problem,
    qualities: &[ExpertQuality],
    samples: usize,
    confidence: f64,
    rng: &mut dyn Rng,
) -> Result<Beliefs, ProblemError> {
    ExpertSample::draw(problem, samples, rng)?.beliefs(qualities, confidence, rng)
}

#[derive(Debug, Clone)]
struct Extremes {
    best: (UnitPoint, f64),
    worst: (UnitPoint, f64),
}

impl Extremes {
    /// Of equal costs the first stays.
    fn add(extremes: &mut Option<Self>, point: &UnitPoint, cost: f64) {
        let Some(extremes) = extremes else {
            *extremes = Some(Self {
                best: (point.clone(), cost),
                worst: (point.clone(), cost),
            });
            return;
        };
        if cost < extremes.best.1 {
            extremes.best = (point.clone(), cost);
        }
        if cost > extremes.worst.1 {
            extremes.worst = (point.clone(), cost);
        }
    }
}

#[cfg(test)]
mod tests;
