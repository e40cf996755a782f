//! Changing configurations parameter by parameter, inside the unit cube.

use rand::{Rng, RngExt};
use warmfront_core::{Domain, Parameter, SearchSpace, UnitPoint};

/// For each parameter whether it counts at `point`.
pub(super) fn active(space: &SearchSpace, point: &UnitPoint) -> Vec<bool> {
    let config = space.decode(point);
    space
        .parameters()
        .iter()
        .map(|parameter| config.get(parameter.name()).is_some())
        .collect()
}

/// Writes a uniform draw of one parameter.
pub(super) fn redraw(coords: &mut [f64], rng: &mut dyn Rng) {
    for coord in coords {
        *coord = rng.random();
    }
}

/// Writes a choice of a categorical parameter other than the one at `coords`, all alike.
pub(super) fn other_choice(parameter: &Parameter, coords: &mut [f64], rng: &mut dyn Rng) {
    let current = coords.to_vec();
    let others: Vec<Vec<f64>> = parameter
        .encodings()
        .filter(|encoding| *encoding != current)
        .collect();
    if !others.is_empty() {
        let pick = rng.random_range(0..others.len() as u64) as usize;
        coords.copy_from_slice(&others[pick]);
    }
}

/// Takes each parameter of `base` with its probability of change from `source` instead.
///
/// A parameter that does not count in the point it would be taken from comes from the other one,
/// and from a uniform draw if it counts in neither: an inactive parameter has no value to inherit.
pub(super) fn mix(
    space: &SearchSpace,
    base: &UnitPoint,
    source: &UnitPoint,
    change: f64,
    rng: &mut dyn Rng,
) -> UnitPoint {
    let (in_base, in_source) = (active(space, base), active(space, source));
    let mut coords = vec![0.0; space.dim()];
    for (i, parameter) in space.parameters().iter().enumerate() {
        let range = parameter.coords();
        let changed = rng.random::<f64>() < change;
        let out = &mut coords[range.clone()];
        match (in_base[i], in_source[i]) {
            (false, false) => redraw(out, rng),
            (true, has) if !(changed && has) => out.copy_from_slice(&base.coords()[range]),
            _ => out.copy_from_slice(&source.coords()[range]),
        }
    }
    space.canonical(&UnitPoint::clamped(coords))
}

/// Whether the values of a parameter have an order, so that there is a way between two of them.
pub(super) fn is_ordered(parameter: &Parameter) -> bool {
    !matches!(parameter.domain(), Domain::Categorical { .. })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use warmfront_core::Config;

    use super::*;

    #[test]
    fn what_counts_nowhere_is_drawn_and_not_left_undecided() {
        let space = SearchSpace::builder()
            .param("kind", Domain::categorical(["a", "b"]))
            .param("rate", Domain::real(0.0, 1.0))
            .when("kind", ["b"])
            .build()
            .unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let a = space.encode(&Config::new().with("kind", "a")).unwrap();
        let b = space
            .encode(&Config::new().with("kind", "b").with("rate", 0.9))
            .unwrap();
        assert_eq!(active(&space, &a), [true, false]);
        // "rate" has a value in `b` alone, whichever of the two is the base.
        for (base, source) in [(&a, &b), (&b, &a)] {
            for _ in 0..20 {
                let mixed = mix(&space, base, source, 0.5, &mut rng);
                assert!(mixed == a || mixed == b, "{mixed:?}");
            }
        }
        let mut coords = a.coords()[..1].to_vec();
        other_choice(&space.parameters()[0], &mut coords, &mut rng);
        assert_eq!(coords, b.coords()[..1]);
    }
}
