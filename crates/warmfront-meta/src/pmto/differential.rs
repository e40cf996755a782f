//! Differential evolution in a box: rand/1 mutants with binomial crossover.

use rand::{Rng, RngExt};

/// Weights of differential evolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Differential {
    /// Weight of the difference of two individuals.
    pub(super) scale: f64,
    /// Probability that a coordinate comes from the mutant.
    pub(super) crossover: f64,
}

impl Differential {
    /// A trial for individual `target`: a mutant of three others crossed with it, clamped to the box.
    ///
    /// With fewer than four individuals the three are not all distinct from each other and `target`.
    pub(super) fn trial(
        self,
        population: &[Vec<f64>],
        target: usize,
        (low, high): (&[f64], &[f64]),
        rng: &mut dyn Rng,
    ) -> Vec<f64> {
        let others = three_others(population.len(), target, rng);
        let [a, b, c] = others.map(|i| &population[i]);
        let dim = population[target].len();
        let forced = rng.random_range(0..dim.max(1) as u64) as usize;
        (0..dim)
            .map(|k| {
                let mutated = rng.random::<f64>() < self.crossover || k == forced;
                let value = if mutated {
                    a[k] + self.scale * (b[k] - c[k])
                } else {
                    population[target][k]
                };
                value.clamp(low[k], high[k])
            })
            .collect()
    }

    /// The best point of a box after some generations, by `scores` of many points (larger is better).
    pub(super) fn maximize(
        self,
        (low, high): (&[f64], &[f64]),
        size: usize,
        generations: usize,
        scores: &dyn Fn(&[Vec<f64>]) -> Vec<f64>,
        rng: &mut dyn Rng,
    ) -> Vec<f64> {
        let mut population: Vec<Vec<f64>> = (0..size.max(1))
            .map(|_| {
                let sides = low.iter().zip(high);
                sides
                    .map(|(l, h)| l + (h - l) * rng.random::<f64>())
                    .collect()
            })
            .collect();
        let mut values = scores(&population);
        for _ in 0..generations {
            let trials: Vec<Vec<f64>> = (0..population.len())
                .map(|i| self.trial(&population, i, (low, high), rng))
                .collect();
            for (i, (trial, value)) in trials.iter().zip(scores(&trials)).enumerate() {
                if value >= values[i] || values[i].is_nan() {
                    population[i].clone_from(trial);
                    values[i] = value;
                }
            }
        }
        let mut best = 0;
        for (i, value) in values.iter().enumerate() {
            if *value > values[best] || values[best].is_nan() {
                best = i;
            }
        }
        population.swap_remove(best)
    }
}

/// Three numbers below `n`, distinct from each other and `target` where there are enough.
fn three_others(n: usize, target: usize, rng: &mut dyn Rng) -> [usize; 3] {
    let mut chosen = [target; 3];
    for place in 0..3 {
        // A draw that was taken already is repeated: among four individuals one of four is free.
        for _ in 0..64 {
            let draw = rng.random_range(0..n as u64) as usize;
            chosen[place] = draw;
            if draw != target && !chosen[..place].contains(&draw) {
                break;
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const PUBLISHED: Differential = Differential {
        scale: 0.6,
        crossover: 0.7,
    };

    #[test]
    fn finds_the_best_point_and_stays_in_the_box() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let scores = |points: &[Vec<f64>]| -> Vec<f64> {
            points
                .iter()
                .map(|x| {
                    assert!((0.2..=0.6).contains(&x[0]) && (0.5..=1.0).contains(&x[1]));
                    -(x[0] - 0.3).powi(2) - (x[1] - 0.4).powi(2)
                })
                .collect()
        };
        let sides = (&[0.2, 0.5][..], &[0.6, 1.0][..]);
        let best = PUBLISHED.maximize(sides, 20, 50, &scores, &mut rng);
        assert!(
            (best[0] - 0.3).abs() < 1e-3 && (best[1] - 0.5).abs() < 1e-3,
            "{best:?}"
        );
    }

    #[test]
    fn mutants_mix_three_others() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..200 {
            let mut chosen = three_others(4, 2, &mut rng).to_vec();
            chosen.sort_unstable();
            assert_eq!(chosen, [0, 1, 3]);
        }
        let same = vec![vec![0.3, 0.7]; 5];
        let sides = (&[0.0; 2][..], &[1.0; 2][..]);
        assert_eq!(PUBLISHED.trial(&same, 0, sides, &mut rng), same[0]);
        // Too few individuals are no reason to fail.
        assert_eq!(PUBLISHED.trial(&same[..1], 0, sides, &mut rng), same[0]);
    }
}
