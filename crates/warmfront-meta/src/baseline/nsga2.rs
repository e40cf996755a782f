//! A non-dominated sorting genetic algorithm.

mod operators;
mod population;

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use warmfront_core::{
    Candidate, Objectives, Observation, SearchSpace, Strategy, StrategyError, UnitPoint,
};

use crate::data::{TrialLog, check_pending};
use crate::initial_design::exploratory_point;
use crate::{FailurePolicy, MetaError};
use population::{Individual, rank_and_crowd, survivors};

/// How often a child that is no new configuration is bred anew.
const ATTEMPTS: usize = 64;

/// The settings of [`Nsga2`].
#[derive(Debug, Clone, PartialEq)]
pub struct Nsga2Config {
    /// Individuals of a generation, at least 2. Budgets of tens of evaluations want 10 to 20.
    pub population: usize,
    /// Probability that a child has two parents; otherwise it is a mutated copy of one.
    pub crossover_probability: f64,
    /// Distribution index of the simulated binary crossover, at least 0: large means children
    /// close to their parents.
    pub crossover_index: f64,
    /// Probability that a parameter is mutated; `None` is one over the number of parameters.
    pub mutation_probability: Option<f64>,
    /// Distribution index of the polynomial mutation, at least 0: large means small steps.
    pub mutation_index: f64,
}

impl Default for Nsga2Config {
    /// 16 individuals; the original's crossover probability 0.9 and indices 20.
    fn default() -> Self {
        Self {
            population: 16,
            crossover_probability: 0.9,
            crossover_index: 20.0,
            mutation_probability: None,
            mutation_index: 20.0,
        }
    }
}

impl Nsga2Config {
    fn check(&self) -> Result<(), MetaError> {
        let probability = "a probability";
        let at_least_0 = "a finite number of at least 0";
        let mutation = self.mutation_probability.unwrap_or(0.0);
        let settings = [
            (
                "the population size",
                self.population as f64,
                self.population >= 2,
                "at least 2",
            ),
            (
                "the crossover probability",
                self.crossover_probability,
                (0.0..=1.0).contains(&self.crossover_probability),
                probability,
            ),
            (
                "the mutation probability",
                mutation,
                (0.0..=1.0).contains(&mutation),
                probability,
            ),
            (
                "the crossover index",
                self.crossover_index,
                (0.0..f64::INFINITY).contains(&self.crossover_index),
                at_least_0,
            ),
            (
                "the mutation index",
                self.mutation_index,
                (0.0..f64::INFINITY).contains(&self.mutation_index),
                at_least_0,
            ),
        ];
        match settings.into_iter().find(|(.., valid, _)| !valid) {
            Some((what, value, _, expected)) => Err(MetaError::Setting {
                what,
                value,
                expected,
            }),
            None => Ok(()),
        }
    }
}

/// NSGA-II: binary tournaments on rank and crowding distance, simulated binary crossover and
/// polynomial mutation of numbers, uniform crossover and random resetting of categories.
///
/// A generation is a group of as many trials as there are individuals, in the order in which they
/// were told; the population is what survives all full groups. Nothing else is remembered, so that
/// a run can be replayed from its observations, and workers may finish in any order. Until the
/// first generation has been placed, candidates are uniform. Failed trials, and those that lack a
/// cost, rank behind all others. Every child is a configuration that is neither told nor pending,
/// as long as one can be found; a numeric mutation moves at least to the neighbouring value, and a
/// parameter that counts in the child but in neither parent is drawn anew.
///
/// What published comparisons with multi-objective methods under 20 evaluations call "NSGA-II" is
/// often only the first, random population of 40; that is
/// [`RandomSearch`](super::RandomSearch), and no such mode is offered here.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_core::{Objectives, SearchSpace, Strategy};
/// use warmfront_meta::baseline::{Nsga2, Nsga2Config};
///
/// let space = SearchSpace::unit_cube(3);
/// let strategy = Nsga2::new(&space, &Objectives::minimize_all(2), Nsga2Config::default())?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// assert_eq!(strategy.ask(NonZeroUsize::MIN, &[], &mut rng)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Deb, Pratap, Agarwal and Meyarivan 2002, *A fast and elitist multiobjective genetic algorithm:
/// NSGA-II*; Deb and Agrawal 1995 (simulated binary crossover).
#[derive(Debug, Clone)]
pub struct Nsga2 {
    space: SearchSpace,
    objectives: usize,
    config: Nsga2Config,
    log: TrialLog,
    parents: Vec<Individual>,
}

impl Nsga2 {
    /// Searches `space`.
    ///
    /// # Errors
    /// [`MetaError::Setting`] if a setting is outside its range.
    pub fn new(
        space: &SearchSpace,
        objectives: &Objectives,
        config: Nsga2Config,
    ) -> Result<Self, MetaError> {
        config.check()?;
        Ok(Self {
            space: space.clone(),
            objectives: objectives.len(),
            config,
            log: TrialLog::new(space.dim(), objectives.len(), FailurePolicy::Ignore),
            parents: Vec::new(),
        })
    }

    /// The points that children are bred from, best first: the survivors of all full generations.
    pub fn population(&self) -> impl Iterator<Item = &UnitPoint> {
        self.parents
            .iter()
            .map(|individual| &self.log.rows()[individual.row].0)
    }

    fn survivors(&self) -> Vec<Individual> {
        let costs = |row: usize| self.log.rows()[row].1.iter().copied().collect();
        let size = self.config.population;
        let full = self.log.len() / size * size;
        // While the first generation runs, whoever has been told may breed.
        if full == 0 {
            let rows = (0..self.log.len()).map(|row| (row, costs(row))).collect();
            return rank_and_crowd(rows, self.objectives);
        }
        (0..full / size).fold(Vec::new(), |parents: Vec<Individual>, generation| {
            let born = generation * size..(generation + 1) * size;
            let rows = parents.iter().map(|parent| parent.row).chain(born);
            let rows = rows.map(|row| (row, costs(row))).collect();
            survivors(rank_and_crowd(rows, self.objectives), size, self.objectives)
        })
    }

    fn tournament(&self, rng: &mut dyn Rng) -> &UnitPoint {
        let n = self.parents.len() as u64;
        let first = rng.random_range(0..n) as usize;
        let second = if n > 1 {
            (first + 1 + rng.random_range(0..n - 1) as usize) % n as usize
        } else {
            first
        };
        let (a, b) = (&self.parents[first], &self.parents[second]);
        let a_wins = a.better_than(b) || (!b.better_than(a) && rng.random());
        let winner = if a_wins { a } else { b };
        &self.log.rows()[winner.row].0
    }

    fn child(&self, taken: &HashSet<UnitPoint>, rng: &mut dyn Rng) -> Option<UnitPoint> {
        (0..ATTEMPTS).find_map(|_| {
            let (mother, father) = (self.tournament(rng), self.tournament(rng));
            let child = operators::breed(&self.space, mother, father, &self.config, rng);
            (!taken.contains(&child)).then_some(child)
        })
    }
}

impl Strategy for Nsga2 {
    fn name(&self) -> &str {
        "nsga2"
    }

    fn tell(&mut self, batch: &[Observation], _rng: &mut dyn Rng) -> Result<(), StrategyError> {
        self.log.extend(&self.space, batch)?;
        self.parents = self.survivors();
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        check_pending(&self.space, pending)?;
        let mut taken: HashSet<UnitPoint> = self.log.points().cloned().collect();
        taken.extend(pending.iter().map(|c| self.space.canonical(&c.point)));
        let placed = self.log.len() + pending.len();
        let mut picks = Vec::with_capacity(q.get());
        for _ in 0..q.get() {
            let founder = placed + picks.len() < self.config.population || self.parents.is_empty();
            let bred = if founder {
                let uniform = self.space.sample(rng);
                (!taken.contains(&uniform)).then_some(uniform)
            } else {
                self.child(&taken, rng)
            };
            let point = match bred {
                Some(point) => point,
                None => {
                    exploratory_point(&self.space, &taken, rng).ok_or(StrategyError::Exhausted {
                        requested: q.get(),
                        available: picks.len(),
                    })?
                }
            };
            taken.insert(point.clone());
            picks.push(Candidate::at(point));
        }
        Ok(picks)
    }
}

#[cfg(test)]
mod tests;
