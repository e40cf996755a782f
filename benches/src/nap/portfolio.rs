//! A fixed list of points that was best on the training tasks: what a policy must beat to show that it
//! uses what it sees.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rand::Rng;
use warmfront_core::{
    Candidate, Observation, Purpose, SearchSpace, Seed, Strategy, StrategyError, UnitPoint,
};
use warmfront_gp::Surrogate as _;
use warmfront_linalg::Mat;
use warmfront_math::special::ndtr;

use super::families::{Hall, subset};
use super::task::squared_distance;

/// Rows of all training tables together that the portfolio is chosen from.
const POOL: usize = 1200;

/// The `count` points of the training tables that lower the mean regret over the training tasks most,
/// one after the other.
///
/// What a row of one table is worth on another task is the mean of that task's surrogate there, as the
/// part of the table's costs that are lower. When nothing more is gained, points follow by their mean
/// over the tasks.
///
/// # Errors
/// If the surrogates of the training tables cannot be fitted.
pub fn choose(hall: &Hall, count: usize, seed: Seed) -> anyhow::Result<Vec<Vec<f64>>> {
    let surrogates = hall.surrogates()?;
    let mut rng = seed.stream(Purpose::Init, 0);
    let each = POOL / hall.train.len().max(1);
    let mut pool: Vec<Vec<f64>> = Vec::new();
    for table in &hall.train {
        for row in subset(table.len(), each, &mut rng) {
            pool.push(table.row(row).to_vec());
        }
    }
    let points = Mat::from_fn(pool.len(), hall.dim(), |i, k| pool[i][k]);
    let values: Vec<Vec<f64>> = surrogates
        .iter()
        .map(|gp| {
            let mean = gp.predict(points.as_ref()).mean;
            (0..pool.len()).map(|i| ndtr(mean[(i, 0)])).collect()
        })
        .collect();
    Ok(greedy(&values, count)
        .into_iter()
        .map(|i| pool[i].clone())
        .collect())
}

/// Indices that lower the mean over the rows of `values` of the least value so far most.
#[must_use]
pub fn greedy(values: &[Vec<f64>], count: usize) -> Vec<usize> {
    let candidates = values.first().map_or(0, Vec::len);
    let mean = |i: usize| values.iter().map(|v| v[i]).sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = (0..candidates).map(mean).collect();
    let mut best = vec![1.0_f64; values.len()];
    let mut taken = vec![false; candidates];
    let mut order = Vec::new();
    while order.len() < count.min(candidates) {
        let gain = |i: usize| -> f64 {
            let each = values.iter().zip(&best);
            each.map(|(v, b)| (b - v[i]).max(0.0)).sum()
        };
        let free = (0..candidates).filter(|&i| !taken[i]);
        // Equal gains, and above all none, are ordered by the mean.
        let next = free.max_by(|&a, &b| {
            let gains = (gain(a), gain(b));
            let order = if (gains.0 - gains.1).abs() > 1e-9 {
                gains.0.total_cmp(&gains.1)
            } else {
                means[b].total_cmp(&means[a])
            };
            order.then(b.cmp(&a))
        });
        let Some(next) = next else { break };
        taken[next] = true;
        order.push(next);
        for (b, v) in best.iter_mut().zip(values) {
            *b = b.min(v[next]);
        }
    }
    order
}

/// Proposes a list of points in their order, whatever is told; of a table the nearest free row.
pub struct Portfolio {
    space: SearchSpace,
    points: Vec<Vec<f64>>,
    told: HashSet<UnitPoint>,
}

impl Portfolio {
    /// Of these points.
    #[must_use]
    pub fn new(space: &SearchSpace, points: Vec<Vec<f64>>) -> Self {
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
        let values = [vec![0.0, 0.3, 0.9, 0.5], vec![0.9, 0.3, 0.0, 0.6]];
        assert_eq!(greedy(&values, 4), [1, 0, 2, 3]);
        assert!(greedy(&[], 3).is_empty());
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
            let mut portfolio = Portfolio::new(&space, vec![vec![0.46]; 20]);
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
