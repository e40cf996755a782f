//! An evolutionary maximiser over the unit box: tournament, simulated binary crossover, polynomial mutation.

use rand::{Rng, RngExt};

/// Two values closer than this are not crossed.
const SAME: f64 = 1e-14;

/// Sizes and probabilities of the search.
///
/// The defaults are those of the published runs, which take them from pymoo's NSGA-II.
#[derive(Debug, Clone, PartialEq)]
pub struct EvolutionConfig {
    /// Individuals, at least 1.
    pub population: usize,
    /// Generations after the random first one.
    pub generations: usize,
    /// Probability that two parents are crossed.
    pub crossover: f64,
    /// Distribution index of the crossover; larger keeps children nearer to their parents.
    pub crossover_index: f64,
    /// Probability that a crossed pair exchanges information in one coordinate.
    pub crossover_coordinate: f64,
    /// Probability that a child is mutated.
    pub mutation: f64,
    /// Distribution index of the mutation.
    pub mutation_index: f64,
    /// Probability that one coordinate of a mutated child changes; `None`: `min(½, 1/D)`.
    pub mutation_coordinate: Option<f64>,
}

impl Default for EvolutionConfig {
    fn default() -> Self {
        Self {
            population: 100,
            generations: 50,
            crossover: 0.9,
            crossover_index: 15.0,
            crossover_coordinate: 0.5,
            mutation: 0.9,
            mutation_index: 20.0,
            mutation_coordinate: None,
        }
    }
}

/// Crosses two points of the unit box by simulated binary crossover; the children are in it too.
///
/// # References
/// Deb, Agrawal 1995, *Simulated binary crossover for continuous search space*, in the form for
/// bounded variables.
///
/// # Panics
/// If the parents differ in length.
#[track_caller]
pub fn simulated_binary_crossover(
    a: &[f64],
    b: &[f64],
    config: &EvolutionConfig,
    rng: &mut dyn Rng,
) -> (Vec<f64>, Vec<f64>) {
    assert!(
        a.len() == b.len(),
        "parents of {} and {} coordinates",
        a.len(),
        b.len()
    );
    let (mut first, mut second) = (a.to_vec(), b.to_vec());
    if rng.random::<f64>() >= config.crossover {
        return (first, second);
    }
    for k in 0..a.len() {
        let (low, high) = (a[k].min(b[k]), a[k].max(b[k]));
        if rng.random::<f64>() >= config.crossover_coordinate || high - low <= SAME {
            continue;
        }
        let u: f64 = rng.random();
        let spread = |room: f64| {
            let exponent = 1.0 / (config.crossover_index + 1.0);
            let alpha = 2.0 - (1.0 + 2.0 * room / (high - low)).powf(-1.0 / exponent);
            if u * alpha <= 1.0 {
                (u * alpha).powf(exponent)
            } else {
                (2.0 - u * alpha).recip().powf(exponent)
            }
        };
        let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
        let mut near_low = (centre - spread(low) * half).clamp(0.0, 1.0);
        let mut near_high = (centre + spread(1.0 - high) * half).clamp(0.0, 1.0);
        if rng.random::<f64>() < 0.5 {
            std::mem::swap(&mut near_low, &mut near_high);
        }
        first[k] = near_low;
        second[k] = near_high;
    }
    (first, second)
}

/// Mutates a point of the unit box in place by polynomial mutation; it stays in the box.
///
/// # References
/// Deb, Goyal 1996, *A combined genetic adaptive search (GeneAS) for engineering design*.
pub fn polynomial_mutation(x: &mut [f64], config: &EvolutionConfig, rng: &mut dyn Rng) {
    if rng.random::<f64>() >= config.mutation {
        return;
    }
    let chance = config
        .mutation_coordinate
        .unwrap_or_else(|| (1.0 / x.len().max(1) as f64).min(0.5));
    let power = config.mutation_index + 1.0;
    for value in x {
        if rng.random::<f64>() >= chance {
            continue;
        }
        let u: f64 = rng.random();
        let step = if u < 0.5 {
            let rest = 2.0 * u + (1.0 - 2.0 * u) * (1.0 - *value).powf(power);
            rest.powf(1.0 / power) - 1.0
        } else {
            let rest = 2.0 * (1.0 - u) + (2.0 * u - 1.0) * value.powf(power);
            1.0 - rest.powf(1.0 / power)
        };
        *value = (*value + step).clamp(0.0, 1.0);
    }
}

/// The best point of the unit box that an evolutionary search finds, with its score.
///
/// Parents are chosen by binary tournaments; parents and children compete for the next generation
/// and copies are dropped. Scores that are not numbers count as −∞. Departure from the published
/// runs: those seed the search alike in every call, here it draws from `rng`.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use warmfront_meta::pmto::{EvolutionConfig, maximize_in_box};
///
/// let mut rng = ChaCha8Rng::seed_from_u64(3);
/// let score = |x: &[f64]| -(x[0] - 0.25).powi(2) - x[1];
/// let (best, _) = maximize_in_box(2, &score, &EvolutionConfig::default(), &mut rng);
/// assert!((best[0] - 0.25).abs() < 0.02 && best[1] < 0.01);
/// ```
pub fn maximize_in_box(
    dim: usize,
    score: &dyn Fn(&[f64]) -> f64,
    config: &EvolutionConfig,
    rng: &mut dyn Rng,
) -> (Vec<f64>, f64) {
    let size = config.population.max(1);
    let rated = |x: Vec<f64>| {
        let value = score(&x);
        let value = if value.is_nan() {
            f64::NEG_INFINITY
        } else {
            value
        };
        (x, value)
    };
    let mut population: Vec<(Vec<f64>, f64)> = (0..size)
        .map(|_| rated((0..dim).map(|_| rng.random()).collect()))
        .collect();
    for _ in 0..config.generations {
        let mut children = Vec::with_capacity(size + 1);
        while children.len() < size {
            let mother = tournament(&population, rng);
            let father = tournament(&population, rng);
            let (mut first, mut second) = simulated_binary_crossover(
                &population[mother].0,
                &population[father].0,
                config,
                rng,
            );
            polynomial_mutation(&mut first, config, rng);
            polynomial_mutation(&mut second, config, rng);
            children.push(rated(first));
            children.push(rated(second));
        }
        children.truncate(size);
        population.append(&mut children);
        // Stable, so that of equals the elder stays.
        population.sort_by(|a, b| b.1.total_cmp(&a.1));
        population.dedup_by(|a, b| a.0 == b.0);
        population.truncate(size);
    }
    let mut best = 0;
    for (index, individual) in population.iter().enumerate() {
        if individual.1 > population[best].1 {
            best = index;
        }
    }
    population.swap_remove(best)
}

fn tournament(population: &[(Vec<f64>, f64)], rng: &mut dyn Rng) -> usize {
    let mut draw = || rng.random_range(0..population.len() as u64) as usize;
    let (a, b) = (draw(), draw());
    if population[b].1 > population[a].1 {
        b
    } else {
        a
    }
}
