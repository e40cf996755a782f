//! Properties of the encoding, over random spaces and random points.

use proptest::collection::vec;
use proptest::prelude::*;
use warmfront_core::{Belief, Config, Domain, Purpose, Scale, SearchSpace, Seed, UnitPoint, Value};

fn domain() -> impl Strategy<Value = Domain> {
    let scale = prop_oneof![Just(Scale::Linear), Just(Scale::Log)];
    prop_oneof![
        (-1e3..1e3_f64, 1e-3..1e4_f64).prop_map(|(low, width)| Domain::real(low, low + width)),
        (-12..6_i32, 1..12_i32)
            .prop_map(|(low, width)| Domain::log_real(10_f64.powi(low), 10_f64.powi(low + width))),
        (1..1000_i64, 1..5000_i64, scale).prop_map(|(low, width, scale)| Domain::Integer {
            low,
            high: low + width,
            scale
        }),
        (any::<i64>(), any::<i64>())
            .prop_filter("a range", |(a, b)| a != b)
            .prop_map(|(a, b)| Domain::integer(a.min(b), a.max(b))),
        (1..1_000_000_i64, 1..Domain::MAX_LOG_INTEGER / 2)
            .prop_map(|(low, width)| Domain::log_integer(low, low + width)),
        (1..9_usize)
            .prop_map(|k| Domain::ordinal((0..k).map(|i| (i * i) as f64).collect::<Vec<_>>())),
        (1..6_usize).prop_map(|k| Domain::categorical((0..k).map(|i| format!("c{i}")))),
    ]
}

/// Some value of a discrete domain, to make a condition of.
fn some_value(domain: &Domain, pick: usize) -> Option<Value> {
    match domain {
        Domain::Real { .. } => None,
        Domain::Integer { low, .. } => Some((*low).into()),
        Domain::Ordinal { values } => Some(values[pick % values.len()].into()),
        Domain::Categorical { choices } => Some(choices[pick % choices.len()].as_str().into()),
    }
}

prop_compose! {
    fn space()(
        domains in vec((domain(), any::<prop::sample::Index>(), any::<Option<u8>>()), 1..8)
    ) -> SearchSpace {
        let mut builder = SearchSpace::builder().param("always", Domain::real(0.0, 1.0));
        for (index, (domain, parent, condition)) in domains.iter().enumerate() {
            builder = builder.param(format!("p{index}"), domain.clone());
            if let (Some(pick), true) = (condition, index > 0) {
                let parent = parent.index(index);
                if let Some(value) = some_value(&domains[parent].0, usize::from(*pick)) {
                    builder = builder.when(format!("p{parent}"), [value]);
                }
            }
        }
        builder.build().expect("valid by construction")
    }
}

fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..=1.0_f64, 1 => Just(0.0), 1 => Just(0.5), 1 => Just(1.0)]
}

prop_compose! {
    fn space_and_point()(space in space())(
        coords in vec(coordinate(), space.dim()),
        space in Just(space),
    ) -> (SearchSpace, UnitPoint) {
        (space, UnitPoint::new(coords).expect("inside"))
    }
}

/// A configuration made of the user's values, with what conditions switch off left out.
fn config_of(space: &SearchSpace, picks: &[f64]) -> Config {
    let mut config = Config::new();
    for (parameter, pick) in space.parameters().iter().zip(picks) {
        let active = parameter.conditions().iter().all(|condition| {
            let parent = config.get(&condition.parent);
            let equal = |value: &Value| match (parent, value.as_f64()) {
                (Some(parent), Some(number)) => parent.as_f64() == Some(number),
                (parent, _) => parent == Some(value),
            };
            condition.values.iter().any(equal)
        });
        if !active {
            continue;
        }
        let index = |count: usize| ((pick * count as f64) as usize).min(count - 1);
        let value: Value = match parameter.domain() {
            &Domain::Real { low, high, .. } => (low + pick * (high - low)).clamp(low, high).into(),
            &Domain::Integer { low, high, .. } => {
                let offset = (pick * high.abs_diff(low) as f64) as u64;
                low.saturating_add_unsigned(offset).min(high).into()
            }
            Domain::Ordinal { values } => values[index(values.len())].into(),
            Domain::Categorical { choices } => choices[index(choices.len())].as_str().into(),
        };
        config.set(parameter.name(), value);
    }
    config
}

/// A belief in everything that counts at a point.
fn belief_at(space: &SearchSpace, point: &UnitPoint, confidence: f64) -> Belief {
    Belief::new(space, 0, &space.decode(point), confidence).expect("decoded values fit")
}

fn confidence() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.01..0.99_f64, 1 => Just(1e-12), 1 => Just(1.0 - f64::EPSILON / 2.0)]
}

proptest! {
    #[test]
    fn canonical_is_idempotent_bit_for_bit((space, point) in space_and_point()) {
        let once = space.canonical(&point);
        prop_assert_eq!(space.canonical(&once), once);
    }

    #[test]
    fn canonical_means_the_same((space, point) in space_and_point()) {
        prop_assert_eq!(space.decode(&space.canonical(&point)), space.decode(&point));
    }

    #[test]
    fn decode_gives_what_encode_accepts((space, point) in space_and_point()) {
        let config = space.decode(&point);
        let encoded = space.encode(&config).expect("decoded from a point");
        let canonical = space.canonical(&point);
        for parameter in space.parameters() {
            for coord in parameter.coords() {
                let (got, expected) = (encoded.coords()[coord], canonical.coords()[coord]);
                match parameter.domain() {
                    Domain::Real { low, high, scale: Scale::Linear } => {
                        // A value near 1e3 on a range of 1e-3 resolves no finer than this.
                        let resolution = 4.0 * f64::EPSILON * low.abs().max(high.abs()) / (high - low);
                        prop_assert!((got - expected).abs() <= 1e-12_f64.max(resolution));
                    }
                    Domain::Real { .. } => prop_assert!((got - expected).abs() <= 1e-12),
                    _ => prop_assert_eq!(got.to_bits(), expected.to_bits()),
                }
            }
        }
    }

    #[test]
    fn encode_undoes_decode_for_discrete_spaces((space, point) in space_and_point()) {
        let config: Config = space.decode(&point);
        let again = space.decode(&space.encode(&config).expect("decoded from a point"));
        for (name, value) in config.iter() {
            if !matches!(space.parameter(name).expect("known").domain(), Domain::Real { .. }) {
                prop_assert_eq!(again.get(name), Some(value));
            }
        }
        prop_assert_eq!(config.len(), again.len());
    }

    #[test]
    fn buckets_have_equal_widths(low in -1000..1000_i64, width in 1..200_i64, coord in 0.0..1.0_f64) {
        let space = SearchSpace::builder()
            .param("n", Domain::integer(low, low + width))
            .build()
            .expect("valid");
        let value = space
            .decode(&UnitPoint::new([coord]).expect("inside"))
            .integer("n")
            .expect("an integer");
        let part = coord * (width + 1) as f64;
        let offset = (value - low) as f64;
        prop_assert!(offset <= part + 1e-9 && part <= offset + 1.0 + 1e-9);
    }

    #[test]
    fn decode_undoes_encode(
        (space, picks) in space().prop_flat_map(|space| {
            let picks = vec(coordinate(), space.parameters().len());
            (Just(space), picks)
        })
    ) {
        let config = config_of(&space, &picks);
        let decoded = space.decode(&space.encode(&config).expect("made to fit"));
        prop_assert_eq!(decoded.len(), config.len());
        for parameter in space.parameters() {
            let values = (config.get(parameter.name()), decoded.get(parameter.name()));
            match (values, parameter.domain()) {
                ((Some(value), Some(got)), &Domain::Real { low, high, scale }) => {
                    let (value, got) = (value.as_f64().expect("real"), got.as_f64().expect("real"));
                    let unit = match scale {
                        Scale::Linear => low.abs().max(high.abs()),
                        Scale::Log => value * (high / low).ln().max(1.0),
                    };
                    prop_assert!((value - got).abs() <= 1e-13 * unit.max(value.abs()));
                }
                // Ranges beyond 2^50 are resolved into fewer steps.
                ((Some(value), Some(got)), &Domain::Integer { low, high, .. })
                    if high.abs_diff(low) >= 1 << 50 =>
                {
                    let (value, got) = (value.as_i64(), got.as_i64());
                    let distance = value.expect("whole").abs_diff(got.expect("whole"));
                    prop_assert!(distance <= high.abs_diff(low) >> 49);
                }
                ((value, got), _) => prop_assert_eq!(value, got),
            }
        }
    }

    #[test]
    fn beliefs_are_finite_and_about_configurations(
        (space, centre) in space_and_point(), confidence in confidence(), step in any::<u64>()
    ) {
        let belief = belief_at(&space, &centre, confidence);
        let mut rng = Seed(step).stream(Purpose::Init, 0);
        for point in [&centre, &space.sample(&mut rng), &belief.sample(&mut rng), &belief.mode()] {
            let canonical = space.canonical(point);
            let ln_density = belief.ln_density(point);
            prop_assert!(ln_density.is_finite());
            prop_assert_eq!(ln_density.to_bits(), belief.ln_density(&canonical).to_bits());
            let mut gradient = vec![0.0; space.dim()];
            prop_assert!(belief.ln_density_gradient(point.coords(), &mut gradient).is_finite());
            prop_assert!(gradient.iter().all(|slope| slope.is_finite()));
        }
        for point in [belief.sample(&mut rng), belief.mode()] {
            prop_assert_eq!(space.canonical(&point), point);
        }
        if confidence > 0.5 {
            prop_assert_eq!(belief.mode(), space.canonical(&space.encode(&space.decode(&centre)).expect("valid")));
        }
    }

    #[test]
    fn densities_of_one_parameter_integrate_to_one(
        domain in domain(), at in coordinate(), confidence in 0.01..0.95_f64
    ) {
        let space = SearchSpace::builder()
            .param("p", domain)
            .param("other", Domain::real(0.0, 1.0))
            .build()
            .expect("valid");
        let width = space.parameters()[0].coords().len();
        if width == 1 && !matches!(space.parameters()[0].domain(), Domain::Categorical { .. }) {
            let belief = belief_at(&space, &UnitPoint::clamped([at, 0.5]), confidence)
                .with("other", 0.5, 1e-12)
                .expect("valid");
            // What `other` says at its middle, to be taken out.
            let other = Belief::uniform(&space, 0)
                .with("other", 0.5, 1e-12)
                .expect("valid")
                .ln_density(&UnitPoint::clamped([at, 0.5]));
            let steps = 4000;
            let density = |i: i32| {
                let coord = (f64::from(i) + 0.5) / f64::from(steps);
                (belief.ln_density(&UnitPoint::clamped([coord, 0.5])) - other).exp()
            };
            let integral = (0..steps).map(density).sum::<f64>() / f64::from(steps);
            prop_assert!((integral - 1.0).abs() < 0.02, "{integral}");
        }
    }
}
