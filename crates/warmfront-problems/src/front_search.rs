//! An approximate Pareto front by evolutionary search over the noise-free problem.
//!
//! A generational genetic algorithm with non-dominated sorting and crowding, simulated binary
//! crossover and polynomial mutation, and an archive of the best points seen. It is meant for
//! problems that cost microseconds, to have a front to measure regret against. Points of mixed
//! spaces are made canonical; of a table all rows are evaluated instead.
//!
//! # References
//! Deb, Pratap, Agarwal, Meyarivan 2002 (NSGA-II); Deb, Agrawal 1995 (crossover and mutation).

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Purpose, SearchSpace, Seed, UnitPoint};
use warmfront_math::distribution::open_uniform;
use warmfront_pareto::dominates;

use crate::Problem;
use crate::sample::{Design, design_points, non_dominated};

const CROSSOVER_PROBABILITY: f64 = 0.9;
const CROSSOVER_INDEX: f64 = 15.0;
const MUTATION_INDEX: f64 = 20.0;
/// Independent searches that share one archive: a population soon gathers in one valley, which may
/// be the wrong one. A single minimum, without a front to spread along, needs more of them.
const RESTARTS: usize = 3;
const SINGLE_RESTARTS: usize = 5;

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontBudget {
    /// Points per generation, at least 4.
    pub population: usize,
    /// Generations after the first.
    pub generations: usize,
    /// Most points to return; the most crowded are left out.
    pub archive: usize,
}

impl Default for FrontBudget {
    fn default() -> Self {
        Self {
            population: 120,
            generations: 200,
            archive: 400,
        }
    }
}

/// Non-dominated points found, in ascending order of the first cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ApproximateFront {
    /// The points.
    pub points: Vec<UnitPoint>,
    /// Their costs (length m each).
    pub costs: Vec<Vec<f64>>,
    /// How many evaluations were made.
    pub evaluations: usize,
}

#[derive(Clone)]
struct Individual {
    point: UnitPoint,
    costs: Vec<f64>,
}

/// Searches the noise-free problem for its Pareto front, or its minimum if there is one objective.
///
/// The result is the same for the same problem, budget and seed. It is empty only if nothing could
/// be evaluated.
///
/// # Panics
/// If `budget.population` is below 4 or `budget.archive` is 0.
#[must_use]
#[track_caller]
pub fn approximate_front(
    problem: &dyn Problem,
    budget: &FrontBudget,
    seed: Seed,
) -> ApproximateFront {
    assert!(
        budget.population >= 4,
        "a population needs 4 points, got {}",
        budget.population
    );
    assert!(
        budget.archive > 0,
        "the archive must hold at least one point"
    );
    let mut search = Search {
        problem,
        budget: *budget,
        rng: seed.stream(Purpose::Init, 0),
        archive: Vec::new(),
        evaluations: 0,
    };
    if let Some(rows) = problem.space().table() {
        search.evaluate(rows.to_vec());
    } else {
        let single = problem.objectives().len() == 1;
        for _ in 0..if single { SINGLE_RESTARTS } else { RESTARTS } {
            let population = search.evolve();
            if let (true, Some(best)) = (single && problem.space().is_box(), population.first()) {
                search.polish(best.clone());
            }
        }
    }
    let mut archive = search.archive;
    archive.sort_by(|a, b| lexicographic(&a.costs, &b.costs));
    let (points, costs) = archive
        .into_iter()
        .map(|best| (best.point, best.costs))
        .unzip();
    ApproximateFront {
        points,
        costs,
        evaluations: search.evaluations,
    }
}

fn lexicographic(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    let mut pairs = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
    pairs
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

struct Search<'a> {
    problem: &'a dyn Problem,
    budget: FrontBudget,
    rng: ChaCha8Rng,
    archive: Vec<Individual>,
    evaluations: usize,
}

impl Search<'_> {
    /// Evaluates points, puts the good ones into the archive and returns those that have costs.
    fn evaluate(&mut self, points: Vec<UnitPoint>) -> Vec<Individual> {
        let candidates: Vec<Candidate> = points.into_iter().map(Candidate::at).collect();
        self.evaluations += candidates.len();
        let outcomes = self.problem.noise_free_batch(&candidates);
        let evaluated: Vec<Individual> = candidates
            .into_iter()
            .zip(outcomes)
            .filter_map(|(candidate, outcome)| {
                let costs = outcome?.costs()?.complete()?;
                Some(Individual {
                    point: candidate.point,
                    costs,
                })
            })
            .collect();
        self.archive(&evaluated);
        evaluated
    }

    fn archive(&mut self, newcomers: &[Individual]) {
        let mut all = std::mem::take(&mut self.archive);
        for newcomer in newcomers {
            let beaten = |kept: &Individual| {
                dominates(&kept.costs, &newcomer.costs)
                    || lexicographic(&kept.costs, &newcomer.costs).is_eq()
            };
            if !all.iter().any(beaten) {
                all.retain(|kept| !dominates(&newcomer.costs, &kept.costs));
                all.push(newcomer.clone());
            }
        }
        self.archive = keep(all, self.budget.archive);
    }

    /// One search; the last population in order of merit.
    fn evolve(&mut self) -> Vec<Individual> {
        let size = self.budget.population;
        let first = design_points(self.problem.space(), 4 * size, Design::Sobol, &mut self.rng);
        let first = self.evaluate(first);
        let mut population = keep(first, size);
        for _ in 0..self.budget.generations {
            // With fewer than two parents there is nothing to cross; the archive holds what is.
            if population.len() < 2 {
                break;
            }
            let children = self.offspring(&population);
            population.extend(self.evaluate(children));
            population = keep(population, size);
        }
        population
    }

    fn offspring(&mut self, population: &[Individual]) -> Vec<UnitPoint> {
        // `keep` leaves the population in order of merit, so the smaller index wins a tournament.
        let space: &SearchSpace = self.problem.space();
        let count = population.len() as u64;
        let rng = &mut self.rng;
        let mut children = Vec::with_capacity(self.budget.population + 1);
        while children.len() < self.budget.population {
            let mut parent = || {
                let (a, b) = (rng.random_range(0..count), rng.random_range(0..count));
                population[a.min(b) as usize].point.coords()
            };
            let (mother, father) = (parent(), parent());
            for mut child in cross(mother, father, rng) {
                mutate(&mut child, rng);
                children.push(space.canonical(&UnitPoint::clamped(child)));
            }
        }
        children.truncate(self.budget.population);
        children
    }

    /// Coordinate search around a point of a single-objective problem: the genetic algorithm finds
    /// the valley, but only a few digits of its bottom.
    fn polish(&mut self, mut best: Individual) {
        let mut step = 0.02;
        while step > 1e-9 {
            let coords = best.point.coords();
            let mut trials = Vec::with_capacity(2 * coords.len());
            for j in 0..coords.len() {
                for delta in [-step, step] {
                    let mut trial = coords.to_vec();
                    trial[j] += delta;
                    trials.push(UnitPoint::clamped(trial));
                }
            }
            let trials = self.evaluate(trials);
            let better = trials
                .into_iter()
                .min_by(|a, b| a.costs[0].total_cmp(&b.costs[0]));
            match better {
                Some(better) if better.costs[0] < best.costs[0] => best = better,
                _ => step *= 0.5,
            }
        }
    }
}

/// The `count` best: by front, then by crowding distance; in that order.
fn keep(mut all: Vec<Individual>, count: usize) -> Vec<Individual> {
    if all.first().is_some_and(|first| first.costs.len() == 1) {
        all.sort_by(|a, b| a.costs[0].total_cmp(&b.costs[0]));
        all.truncate(count);
        return all;
    }
    let costs: Vec<Vec<f64>> = all
        .iter()
        .map(|individual| individual.costs.clone())
        .collect();
    let mut left: Vec<usize> = (0..all.len()).collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(count);
    while chosen.len() < count && !left.is_empty() {
        let remaining: Vec<Vec<f64>> = left.iter().map(|&index| costs[index].clone()).collect();
        let front: Vec<usize> = non_dominated(&remaining)
            .into_iter()
            .map(|position| left[position])
            .collect();
        let distance = crowding(&costs, &front);
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&a, &b| distance[b].total_cmp(&distance[a]).then(a.cmp(&b)));
        chosen.extend(order.into_iter().map(|position| front[position]));
        left.retain(|index| !front.contains(index));
    }
    chosen.truncate(count);
    let mut all: Vec<Option<Individual>> = all.into_iter().map(Some).collect();
    chosen
        .into_iter()
        .filter_map(|index| all[index].take())
        .collect()
}

/// Distance of each member of `front` to its neighbours along each objective, scaled by the
/// objective's range; infinite at the ends (Deb et al. 2002).
fn crowding(costs: &[Vec<f64>], front: &[usize]) -> Vec<f64> {
    let mut distance = vec![0.0; front.len()];
    let Some(&first) = front.first() else {
        return distance;
    };
    let mut order: Vec<usize> = (0..front.len()).collect();
    for o in 0..costs[first].len() {
        let value = |position: usize| costs[front[position]][o];
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let (low, high) = (order[0], order[order.len() - 1]);
        let range = value(high) - value(low);
        distance[low] = f64::INFINITY;
        distance[high] = f64::INFINITY;
        if range > 0.0 {
            for triple in order.windows(3) {
                distance[triple[1]] += (value(triple[2]) - value(triple[0])) / range;
            }
        }
    }
    distance
}

/// Simulated binary crossover; each coordinate is crossed with probability one half.
fn cross(mother: &[f64], father: &[f64], rng: &mut impl Rng) -> [Vec<f64>; 2] {
    let mut children = [mother.to_vec(), father.to_vec()];
    if open_uniform(rng) > CROSSOVER_PROBABILITY {
        return children;
    }
    for j in 0..mother.len() {
        let (u, swap) = (open_uniform(rng), open_uniform(rng));
        if open_uniform(rng) < 0.5 {
            continue;
        }
        let exponent = 1.0 / (CROSSOVER_INDEX + 1.0);
        let spread = if u < 0.5 {
            (2.0 * u).powf(exponent)
        } else {
            (0.5 / (1.0 - u)).powf(exponent)
        };
        let (middle, half) = (0.5 * (mother[j] + father[j]), 0.5 * (father[j] - mother[j]));
        let sign = if swap < 0.5 { -1.0 } else { 1.0 };
        children[0][j] = (middle - sign * spread * half).clamp(0.0, 1.0);
        children[1][j] = (middle + sign * spread * half).clamp(0.0, 1.0);
    }
    children
}

/// Polynomial mutation of each coordinate with probability 1/d.
fn mutate(point: &mut [f64], rng: &mut impl Rng) {
    let probability = 1.0 / point.len() as f64;
    for coord in point {
        let (chance, u) = (open_uniform(rng), open_uniform(rng));
        if chance >= probability {
            continue;
        }
        let exponent = 1.0 / (MUTATION_INDEX + 1.0);
        let delta = if u < 0.5 {
            (2.0 * u).powf(exponent) - 1.0
        } else {
            1.0 - (2.0 * (1.0 - u)).powf(exponent)
        };
        *coord = (*coord + delta).clamp(0.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TaskFamily as _, branin_currin, dtlz2, hartmann6, zdt1};

    const SHORT: FrontBudget = FrontBudget {
        population: 60,
        generations: 80,
        archive: 200,
    };

    /// The area under `reference` that two-objective costs, sorted by the first, dominate.
    fn area(costs: &[Vec<f64>], reference: &[f64]) -> f64 {
        let mut area = 0.0;
        let mut ceiling = reference[1];
        for cost in costs {
            area += (reference[0] - cost[0]).max(0.0) * (ceiling - cost[1]).max(0.0);
            ceiling = ceiling.min(cost[1]);
        }
        area
    }

    #[test]
    fn no_family_member_loses_an_end_of_its_front() {
        // Every objective is the one function of the task, moved: all have its minimum.
        for seed in 0..4 {
            let single = crate::HartmannFamily::new(1, Seed(seed)).task(8);
            let minimum = approximate_front(single.as_ref(), &SHORT, Seed(seed)).costs[0][0];
            let problem = crate::HartmannFamily::new(2, Seed(seed)).task(8);
            let front = approximate_front(problem.as_ref(), &SHORT, Seed(seed));
            for o in 0..2 {
                let least = front
                    .costs
                    .iter()
                    .map(|c| c[o])
                    .fold(f64::INFINITY, f64::min);
                assert!(
                    least < minimum + 0.1,
                    "seed {seed}, objective {o}: {least} of {minimum}"
                );
            }
        }
    }

    #[test]
    fn two_objective_fronts_come_close_to_the_known_hypervolume() {
        let check = |problem: &dyn Problem, share: f64| {
            let front = approximate_front(problem, &SHORT, Seed(1));
            let found = area(&front.costs, problem.reference_point().value);
            let best = problem.max_hypervolume().expect("known").value;
            assert!(
                found > share * best,
                "{}: {found} of {best}",
                problem.name()
            );
            assert!(
                found < 1.001 * best,
                "{}: {found} above {best}",
                problem.name()
            );
        };
        check(&zdt1(6), 0.999);
        check(&branin_currin(), 0.99);
    }

    #[test]
    fn a_single_objective_is_minimised_to_the_digits_published() {
        let front = approximate_front(&hartmann6(), &SHORT, Seed(3));
        assert_eq!(front.costs.len(), 1);
        assert!(
            (front.costs[0][0] + 3.322_37).abs() < 1e-4,
            "{}",
            front.costs[0][0]
        );
    }

    #[test]
    fn same_seed_same_front_and_the_archive_is_bounded() {
        let budget = FrontBudget {
            population: 20,
            generations: 10,
            archive: 15,
        };
        let problem = dtlz2(6, 3);
        let front = approximate_front(&problem, &budget, Seed(7));
        assert_eq!(front, approximate_front(&problem, &budget, Seed(7)));
        assert!(front.costs.len() <= 15);
        assert_eq!(non_dominated(&front.costs).len(), front.costs.len());
    }
}
