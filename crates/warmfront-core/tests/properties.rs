//! Properties of the encoding, over random spaces and random points.

use proptest::collection::vec;
use proptest::prelude::*;
use warmfront_core::{Config, Domain, Scale, SearchSpace, UnitPoint};

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
fn some_value(domain: &Domain, pick: usize) -> Option<warmfront_core::Value> {
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
}
