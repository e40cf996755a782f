//! A fixed list of points that was best on the training tasks: what a policy must beat to show that it
//! uses what it sees.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context as _;
use rand::Rng;
use warmfront_core::{
    Candidate, Observation, Purpose, SearchSpace, Seed, Strategy, StrategyError, UnitPoint,
};
use warmfront_gp::Surrogate as _;
use warmfront_linalg::Mat;

use super::families::{Hall, subset};
use super::sources::conditional::{latent_draws, unwarp};
use super::task::{Table, squared_distance};

/// Raised when a change makes other lists.
pub const VERSION: u32 = 2;

/// Rows of each training table that the portfolio is chosen from: so many of the best, and as many at
/// random.
const ROWS: usize = 30;

/// Functions that each training table stands for besides itself.
const DRAWS: usize = 64;

/// The `count` points of the training tables that lower the mean regret over the training tasks most,
/// one after the other.
///
/// Half of a training task's weight is on the table itself: true costs at its own rows, the mean of its
/// surrogate at those of others. The other half is on draws of the surrogate, functions like the table
/// with their optimum elsewhere; without them the list would be complete as soon as it held the best row
/// of each table. Costs count as parts of the range of the table.
///
/// # Errors
/// If the surrogates of the training tables cannot be fitted.
pub fn choose(hall: &Hall, count: usize, seed: Seed) -> anyhow::Result<Vec<Vec<f64>>> {
    let surrogates = hall.surrogates()?;
    let mut rng = seed.stream(Purpose::Init, 0);
    // Rows with the table that they are of.
    let mut pool: Vec<(usize, usize)> = Vec::new();
    for (index, table) in hall.train.iter().enumerate() {
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by(|&a, &b| table.costs[a].total_cmp(&table.costs[b]));
        let others = order.split_off(ROWS.min(order.len()));
        let drawn = subset(others.len(), ROWS, &mut rng);
        let rows = order
            .into_iter()
            .chain(drawn.into_iter().map(|i| others[i]));
        pool.extend(rows.map(|row| (index, row)));
    }
    let point = |&(table, row): &(usize, usize)| hall.train[table].row(row);
    let x: Vec<f64> = pool.iter().flat_map(point).copied().collect();
    let points = Mat::from_fn(pool.len(), hall.dim(), |i, k| x[i * hall.dim() + k]);
    let mut values = Vec::new();
    for (index, (table, gp)) in hall.train.iter().zip(surrogates).enumerate() {
        let mean = gp.predict(points.as_ref()).mean;
        let mean: Vec<f64> = (0..pool.len()).map(|i| mean[(i, 0)]).collect();
        let mut itself = regrets(table, &mean);
        let (low, high) = table.range();
        for (value, (of, row)) in itself.iter_mut().zip(&pool) {
            if *of == index && high > low {
                *value = (table.costs[*row] - low) / (high - low);
            }
        }
        values.push((0.5, itself));
        let draws = latent_draws(gp, &x, DRAWS, &mut rng)
            .with_context(|| format!("no draws near {}", table.name))?;
        for draw in draws {
            values.push((0.5 / DRAWS as f64, regrets(table, &draw)));
        }
    }
    Ok(greedy(&values, count)
        .into_iter()
        .map(|i| point(&pool[i]).to_vec())
        .collect())
}

/// The costs with these normal scores, as parts of the table's range.
fn regrets(table: &Table, scores: &[f64]) -> Vec<f64> {
    let (low, high) = table.range();
    let range = if high > low { high - low } else { 1.0 };
    let costs = unwarp(table, scores);
    costs
        .iter()
        .map(|cost| ((cost - low) / range).clamp(-1.0, 1.0))
        .collect()
}

/// Indices that lower the weighted mean over the tasks of the least value so far most.
///
/// `values` holds a weight and the values of all candidates for each task. When nothing more can be
/// gained, the list goes on as if it began.
#[must_use]
pub fn greedy(values: &[(f64, Vec<f64>)], count: usize) -> Vec<usize> {
    let candidates = values.first().map_or(0, |v| v.1.len());
    let mut best = vec![1.0_f64; values.len()];
    let mut free: Vec<usize> = (0..candidates).collect();
    let mut order = Vec::new();
    let mut fresh = true;
    while order.len() < count.min(candidates) {
        let mut gains = vec![0.0; candidates];
        for ((weight, values), best) in values.iter().zip(&best) {
            for &i in &free {
                gains[i] += weight * (best - values[i]).max(0.0);
            }
        }
        // The first of several that gain as much.
        let next = free
            .iter()
            .copied()
            .reduce(|a, b| if gains[b] > gains[a] + 1e-12 { b } else { a });
        let Some(next) = next else { break };
        if gains[next] < 1e-9 && !fresh {
            best.fill(1.0);
            fresh = true;
            continue;
        }
        fresh = false;
        free.retain(|&i| i != next);
        order.push(next);
        for (best, (_, values)) in best.iter_mut().zip(values) {
            *best = best.min(values[next]);
        }
    }
    order
}

/// Proposes a list of points in their order, whatever is told; of a table the nearest free row.
pub struct Portfolio {
    space: SearchSpace,
    points: Arc<Vec<Vec<f64>>>,
    told: HashSet<UnitPoint>,
}

impl Portfolio {
    /// Of these points.
    #[must_use]
    pub fn new(space: &SearchSpace, points: Arc<Vec<Vec<f64>>>) -> Self {
        Self {
            space: space.clone(),
            points,
            told: HashSet::new(),
        }
    }

    fn nearest(&self, point: &[f64], taken: &HashSet<UnitPoint>) -> Option<UnitPoint> {
        let Some(rows) = self.space.table() else {
            let point = self.space.canonical(&UnitPoint::clamped(point.to_vec()));
            return (!taken.contains(&point)).then_some(point);
        };
        let free = rows.iter().filter(|row| !taken.contains(*row));
        let nearest = free.min_by(|a, b| {
            let distance = |row: &UnitPoint| squared_distance(row.coords(), point);
            distance(a).total_cmp(&distance(b))
        });
        nearest.cloned()
    }
}

impl Strategy for Portfolio {
    fn name(&self) -> &str {
        "portfolio"
    }

    fn tell(&mut self, batch: &[Observation], _: &mut dyn Rng) -> Result<(), StrategyError> {
        for observation in batch {
            self.told.insert(observation.candidate.point.clone());
        }
        Ok(())
    }

    fn ask(
        &self,
        q: NonZeroUsize,
        pending: &[Candidate],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Candidate>, StrategyError> {
        let mut taken = self.told.clone();
        taken.extend(pending.iter().map(|c| c.point.clone()));
        let mut picks = Vec::new();
        // The list begins where the told points end: those before it are the initial ones.
        let mut place = taken.len().saturating_sub(self.skipped());
        while picks.len() < q.get() {
            let point = match self.points.get(place) {
                Some(point) => self.nearest(point, &taken),
                // After the end of the list, at random.
                None => Some(self.space.sample(rng)).filter(|p| !taken.contains(p)),
            };
            place += 1;
            let Some(point) = point else {
                if place > self.points.len() + 10_000 {
                    return Err(StrategyError::Exhausted {
                        requested: q.get(),
                        available: picks.len(),
                    });
                }
                continue;
            };
            taken.insert(point.clone());
            picks.push(Candidate::at(point));
        }
        Ok(picks)
    }
}

impl Portfolio {
    /// Told points that are not of the list: all runs begin with as many shared ones.
    fn skipped(&self) -> usize {
        super::lab::INITIAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_complements_itself() {
        // The second candidate is good everywhere, the others on one task each.
        let values = [
            (1.0, vec![0.0, 0.3, 0.9, 0.5]),
            (1.0, vec![0.9, 0.3, 0.0, 0.6]),
        ];
        assert_eq!(greedy(&values, 3), [1, 0, 2]);
        assert!(greedy(&[], 3).is_empty());
    }

    #[test]
    fn the_list_starts_over_when_nothing_is_gained() {
        // Two groups of three candidates: one of each in turn, and not one group after the other.
        let values = [
            (1.0, vec![0.0, 0.1, 0.2, 0.9, 0.9, 0.9]),
            (1.0, vec![0.9, 0.9, 0.9, 0.0, 0.1, 0.2]),
        ];
        assert_eq!(greedy(&values, 6), [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn a_list_longer_than_there_are_tasks_stays_spread_out() {
        let spec = super::super::families::FamilySpec::find("gp-2").expect("defined");
        let halls = super::super::families::Halls::new(None, 3);
        let hall = halls.get(spec).expect("no data needed");
        let list = choose(&hall, 60, Seed(0)).expect("surrogates");
        assert_eq!(list.len(), 60);
        assert!(list.len() > 2 * hall.train.len());
        let spread = |points: &[Vec<f64>]| {
            let nearest = |i: usize| {
                let others = (0..points.len()).filter(|&j| j != i);
                let distances = others.map(|j| squared_distance(&points[i], &points[j]).sqrt());
                distances.fold(f64::INFINITY, f64::min)
            };
            (0..points.len()).map(nearest).sum::<f64>() / points.len() as f64
        };
        // The end of the list is not a heap of neighbours: it is spread out nearly as its beginning.
        let (early, late) = (spread(&list[..20]), spread(&list[40..]));
        assert!(late > 0.4 * early, "{late}, at first {early}");
    }

    #[test]
    fn outcomes_do_not_matter_and_no_row_comes_twice() {
        let rows: Vec<UnitPoint> = (0..12)
            .map(|i| UnitPoint::clamped(vec![f64::from(i) / 11.0]))
            .collect();
        let space = SearchSpace::unit_cube(1)
            .with_table(rows.clone())
            .expect("distinct rows");
        let run = |sign: f64| {
            let mut portfolio = Portfolio::new(&space, Arc::new(vec![vec![0.46]; 20]));
            let mut rng = Seed(1).stream(Purpose::Ask, 0);
            let mut asked = Vec::new();
            for trial in 0..12_u64 {
                let candidate = if trial < super::super::lab::INITIAL as u64 {
                    Candidate::at(rows[trial as usize].clone())
                } else {
                    let one = portfolio.ask(NonZeroUsize::MIN, &[], &mut rng);
                    one.expect("a free row").remove(0)
                };
                asked.push(candidate.point.clone());
                let costs = warmfront_core::Costs::from_values(vec![sign * trial as f64]);
                let observation = Observation {
                    trial: warmfront_core::TrialId(trial),
                    candidate,
                    outcome: warmfront_core::Outcome::Complete(costs.expect("finite")),
                };
                portfolio.tell(&[observation], &mut rng).expect("told");
            }
            asked
        };
        let asked = run(1.0);
        assert_eq!(asked, run(-1.0));
        assert_eq!(asked.iter().collect::<HashSet<_>>().len(), 12);
        // The free row nearest to the first of the list.
        assert_eq!(asked[5], rows[5]);
    }
}
