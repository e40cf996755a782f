//! Crossover and mutation.

use rand::{Rng, RngExt};
use warmfront_core::{SearchSpace, UnitPoint};

use super::Nsga2Config;
use crate::baseline::variation::{active, is_ordered, other_choice, redraw};

/// One child of two parents, canonical.
pub(super) fn breed(
    space: &SearchSpace,
    mother: &UnitPoint,
    father: &UnitPoint,
    config: &Nsga2Config,
    rng: &mut dyn Rng,
) -> UnitPoint {
    let (in_mother, in_father) = (active(space, mother), active(space, father));
    let crossed = rng.random::<f64>() < config.crossover_probability;
    let mut coords = vec![0.0; space.dim()];
    for (i, parameter) in space.parameters().iter().enumerate() {
        let range = parameter.coords();
        let (a, b) = (
            &mother.coords()[range.clone()],
            &father.coords()[range.clone()],
        );
        let out = &mut coords[range];
        match (in_mother[i], in_father[i]) {
            (false, false) => redraw(out, rng),
            (false, true) => out.copy_from_slice(b),
            (true, true) if crossed => {
                let recombine: bool = rng.random();
                if recombine && is_ordered(parameter) && out.len() == 1 {
                    out[0] = simulated_binary(a[0], b[0], config.crossover_index, rng);
                } else {
                    out.copy_from_slice(if recombine { b } else { a });
                }
            }
            (true, _) => out.copy_from_slice(a),
        }
    }
    let searched = space
        .parameters()
        .iter()
        .filter(|parameter| !parameter.coords().is_empty());
    let probability = config
        .mutation_probability
        .unwrap_or_else(|| 1.0 / searched.count().max(1) as f64);
    for parameter in space.parameters() {
        let out = &mut coords[parameter.coords()];
        if out.is_empty() || rng.random::<f64>() >= probability {
            continue;
        }
        if !is_ordered(parameter) {
            other_choice(parameter, out, rng);
            continue;
        }
        let from = out[0];
        let to = polynomial(from, config.mutation_index, rng);
        // A step within the bucket of a discrete value would be rounded away.
        let [below, above] = parameter.adjacent(from);
        out[0] = match (to < from, below, above) {
            (true, Some(below), _) => to.min(below),
            (false, _, Some(above)) => to.max(above),
            _ => to,
        };
    }
    space.canonical(&UnitPoint::clamped(coords))
}

/// One child of two numbers in the unit interval, on either side alike.
///
/// The spread is bounded so that no child leaves the interval.
fn simulated_binary(a: f64, b: f64, index: f64, rng: &mut dyn Rng) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let gap = high - low;
    let (u, lower): (f64, bool) = (rng.random(), rng.random());
    if gap < 1e-14 {
        return a;
    }
    let room = if lower { low } else { 1.0 - high };
    let alpha = 2.0 - (1.0 + 2.0 * room / gap).powf(-(index + 1.0));
    let spread = if u * alpha <= 1.0 {
        (u * alpha).powf(1.0 / (index + 1.0))
    } else {
        (1.0 / (2.0 - u * alpha)).powf(1.0 / (index + 1.0))
    };
    let half = if lower { -0.5 } else { 0.5 };
    (0.5 * (low + high) + half * spread * gap).clamp(0.0, 1.0)
}

/// A number in the unit interval moved by a step of polynomial density that ends at the bounds.
fn polynomial(x: f64, index: f64, rng: &mut dyn Rng) -> f64 {
    let u: f64 = rng.random();
    let power = 1.0 / (index + 1.0);
    let step = if u < 0.5 {
        (2.0 * u + (1.0 - 2.0 * u) * (1.0 - x).powf(index + 1.0)).powf(power) - 1.0
    } else {
        1.0 - (2.0 * (1.0 - u) + (2.0 * u - 1.0) * x.powf(index + 1.0)).powf(power)
    };
    (x + step).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_core::Domain;
    use warmfront_testkit::assert_close;

    use super::*;

    #[test]
    fn crossover_keeps_the_mean_of_the_parents_and_mutation_that_of_the_point() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let n = 20_000;
        let mean = |draw: &mut dyn FnMut() -> f64| {
            let sum: f64 = (0..n).map(|_| draw()).sum();
            sum / f64::from(n)
        };
        let crossed = mean(&mut || simulated_binary(0.7, 0.4, 20.0, &mut rng));
        assert_close(crossed, 0.55, 0.0, 5e-3, "children of 0.4 and 0.7");
        let mutated = mean(&mut || polynomial(0.5, 20.0, &mut rng));
        assert_close(mutated, 0.5, 0.0, 2e-3, "mutants of 0.5");
    }

    #[test]
    fn operators_stay_inside_from_everywhere() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for a in [0.0, 1e-300, 0.3, 1.0] {
            for b in [0.0, 0.3, 1.0 - f64::EPSILON, 1.0] {
                for index in [0.0, 2.0, 1e6] {
                    for _ in 0..50 {
                        let child = simulated_binary(a, b, index, &mut rng);
                        let mutant = polynomial(child, index, &mut rng);
                        assert!((0.0..=1.0).contains(&child), "{a} {b} {index}: {child}");
                        assert!((0.0..=1.0).contains(&mutant), "{child} {index}: {mutant}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_certain_mutation_changes_every_discrete_value() {
        let space = SearchSpace::builder()
            .param("n", Domain::integer(1, 5))
            .param("kind", Domain::categorical(["a", "b", "c"]))
            .build()
            .unwrap();
        let config = Nsga2Config {
            mutation_probability: Some(1.0),
            ..Nsga2Config::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut same = 0;
        for _ in 0..100 {
            let parent = space.sample(&mut rng);
            let child = breed(&space, &parent, &parent, &config, &mut rng);
            let (before, after) = (space.decode(&parent), space.decode(&child));
            assert_ne!(before.text("kind"), after.text("kind"));
            same += usize::from(before.get("n") == after.get("n"));
        }
        // At an end of the range a step outwards leads nowhere.
        assert!(same < 35, "{same}");
    }
}
