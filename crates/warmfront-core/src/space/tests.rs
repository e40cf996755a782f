use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

fn single(domain: Domain) -> SearchSpace {
    SearchSpace::builder()
        .param("p", domain)
        .build()
        .expect("valid")
}

fn point<const D: usize>(coords: [f64; D]) -> UnitPoint {
    UnitPoint::new(coords).expect("inside")
}

fn conditional() -> SearchSpace {
    SearchSpace::builder()
        .param("model", Domain::categorical(["svm", "tree", "knn"]))
        .param("kernel", Domain::categorical(["linear", "poly"]))
        .when("model", ["svm"])
        .param("degree", Domain::integer(2, 5))
        .when("kernel", ["poly"])
        .param("depth", Domain::integer(1, 10))
        .when("model", ["tree"])
        .build()
        .expect("valid")
}

#[test]
fn discrete_values_sit_at_bucket_centres() {
    let check = |domain: Domain, value: Value, expected: &[f64]| {
        let space = single(domain);
        let config = Config::new().with("p", value.clone());
        let encoded = space.encode(&config).expect("a value of the domain");
        assert_eq!(encoded.coords(), expected, "{value}");
        assert_eq!(space.decode(&encoded), config);
    };
    check(Domain::integer(1, 4), 1.into(), &[0.125]);
    check(Domain::integer(1, 4), 4.into(), &[0.875]);
    check(Domain::integer(-1, 0), 0.into(), &[0.75]);
    check(
        Domain::ordinal([16.0, 32.0, 64.0, 128.0]),
        32.0.into(),
        &[0.375],
    );
    check(
        Domain::categorical(["a", "b", "c"]),
        "b".into(),
        &[0.0, 1.0, 0.0],
    );
    check(Domain::categorical(["a", "b"]), "a".into(), &[0.0]);
    check(Domain::categorical(["a", "b"]), "b".into(), &[1.0]);
    check(Domain::real(-2.0, 2.0), 1.0.into(), &[0.75]);
}

#[test]
fn buckets_are_equally_wide() {
    let space = single(Domain::integer(0, 3));
    let check = |coord: f64, value: i64| {
        assert_eq!(
            space.decode(&point([coord])).integer("p"),
            Some(value),
            "{coord}"
        );
    };
    check(0.0, 0);
    check(0.249_999, 0);
    check(0.25, 1);
    check(0.5, 2);
    check(0.75, 3);
    check(1.0, 3);
}

#[test]
fn log_scales_put_ratios_at_equal_distances() {
    let space = single(Domain::log_real(1e-4, 1.0));
    let encoded = |value: f64| {
        space
            .encode(&Config::new().with("p", value))
            .expect("in range")
            .coords()[0]
    };
    warmfront_testkit::assert_close(encoded(1e-2), 0.5, 1e-15, 0.0, "middle");
    warmfront_testkit::assert_close(encoded(1e-3), 0.25, 1e-15, 0.0, "quarter");
    assert_eq!(space.decode(&point([1.0])).number("p"), Some(1.0));
    assert_eq!(space.decode(&point([0.0])).number("p"), Some(1e-4));

    // The bucket of 1 in 1..=3 runs from ln ½ to ln 3/2, out of ln ½ to ln 7/2.
    let space = single(Domain::log_integer(1, 3));
    let edge = 3.0_f64.ln() / 7.0_f64.ln();
    assert_eq!(space.decode(&point([edge - 1e-9])).integer("p"), Some(1));
    assert_eq!(space.decode(&point([edge + 1e-9])).integer("p"), Some(2));
}

#[test]
fn every_log_integer_round_trips() {
    let check = |low: i64, high: i64, values: &mut dyn Iterator<Item = i64>| {
        let space = single(Domain::log_integer(low, high));
        for value in values {
            let config = Config::new().with("p", value);
            let encoded = space.encode(&config).expect("in range");
            assert_eq!(space.decode(&encoded), config);
            assert_eq!(space.canonical(&encoded), encoded);
        }
    };
    check(1, 2000, &mut (1..=2000));
    let top = Domain::MAX_LOG_INTEGER;
    check(1, top, &mut (top - 500..=top));
    check(top - 500, top, &mut (top - 500..=top));
}

#[test]
fn integer_ranges_may_fill_the_type() {
    let space = single(Domain::integer(i64::MIN, i64::MAX));
    assert_eq!(space.cardinality(), Some(u64::MAX));
    assert_eq!(space.decode(&point([0.0])).integer("p"), Some(i64::MIN));
    assert_eq!(space.decode(&point([0.5])).integer("p"), Some(0));
    let top = space
        .decode(&point([1.0]))
        .integer("p")
        .expect("an integer");
    assert!(top > i64::MAX - (1 << 15), "{top}");
    for value in [i64::MIN, -1, 0, 1, i64::MAX] {
        let encoded = space
            .encode(&Config::new().with("p", value))
            .expect("in range");
        assert_eq!(space.canonical(&encoded), encoded, "{value}");
    }
}

#[test]
fn real_ranges_may_span_the_type() {
    let space = single(Domain::real(f64::MIN, f64::MAX));
    assert_eq!(space.decode(&point([0.0])).number("p"), Some(f64::MIN));
    assert_eq!(space.decode(&point([0.5])).number("p"), Some(0.0));
    assert_eq!(space.decode(&point([1.0])).number("p"), Some(f64::MAX));
    let half = space
        .encode(&Config::new().with("p", f64::MAX / 2.0))
        .expect("in range");
    assert_eq!(half.coords(), [0.75]);
}

#[test]
fn single_values_take_no_coordinates() {
    let space = SearchSpace::builder()
        .param("task", Domain::categorical(["1063"]))
        .param("size", Domain::ordinal([3.0]))
        .param("x", Domain::real(0.0, 1.0))
        .build()
        .expect("valid");
    assert_eq!(space.dim(), 1);
    let config = space.decode(&point([0.25]));
    assert_eq!(
        config,
        Config::new()
            .with("task", "1063")
            .with("size", 3.0)
            .with("x", 0.25)
    );
    assert_eq!(space.encode(&config).expect("valid").coords(), [0.25]);
}

#[test]
fn ties_between_choices_go_to_the_first() {
    let space = single(Domain::categorical(["a", "b", "c"]));
    let check = |coords: [f64; 3], choice: &str| {
        assert_eq!(space.decode(&point(coords)).text("p"), Some(choice));
    };
    check([0.0, 0.0, 0.0], "a");
    check([0.2, 0.7, 0.7], "b");
    check([0.2, 0.7, 0.71], "c");
    let space = single(Domain::categorical(["a", "b"]));
    assert_eq!(space.decode(&point([0.5])).text("p"), Some("a"));
}

#[test]
fn inactive_parameters_are_absent_and_undecided() {
    let space = conditional();
    assert_eq!(space.dim(), 6);
    let tree = Config::new().with("model", "tree").with("depth", 1);
    let encoded = space.encode(&tree).expect("valid");
    assert_eq!(encoded.coords(), [0.0, 1.0, 0.0, 0.5, 0.5, 0.05]);
    assert_eq!(space.decode(&encoded), tree);

    // The kernel coordinate says "poly", but without "svm" there is no kernel and so no degree.
    let config = space.decode(&point([0.0, 0.0, 1.0, 1.0, 1.0, 1.0]));
    assert_eq!(config, Config::new().with("model", "knn"));
    let canonical = space.canonical(&point([0.0, 0.0, 1.0, 1.0, 1.0, 1.0]));
    assert_eq!(canonical.coords(), [0.0, 0.0, 1.0, 0.5, 0.5, 0.5]);

    let one_hot = SearchSpace::builder()
        .param("on", Domain::categorical(["no", "yes"]))
        .param("which", Domain::categorical(["a", "b", "c", "d"]))
        .when("on", ["yes"])
        .build()
        .expect("valid");
    let off = one_hot
        .encode(&Config::new().with("on", "no"))
        .expect("valid");
    assert_eq!(off.coords(), [0.0, 0.25, 0.25, 0.25, 0.25]);
}

#[test]
fn encoding_names_what_is_wrong() {
    let space = conditional();
    let check = |config: Config, message: &str| {
        assert_eq!(
            space.encode(&config).expect_err("invalid").to_string(),
            message
        );
    };
    let tree = || Config::new().with("model", "tree");
    check(tree(), "no value for the parameter `depth`");
    check(tree().with("depth", 11), "`depth` is 11, outside [1, 10]");
    check(
        tree().with("depth", 1.5),
        "`depth` expects a whole number, got 1.5",
    );
    check(
        tree().with("depth", "deep"),
        "`depth` expects a whole number, got \"deep\"",
    );
    check(
        tree().with("depth", 3).with("degree", 2),
        "`degree` is inactive in this configuration but has the value 2",
    );
    check(
        tree().with("depth", 3).with("size", 2),
        "the search space has no parameter `size`",
    );
    check(
        Config::new().with("model", "mlp"),
        "`model` has no value \"mlp\"",
    );
    check(
        Config::new().with("model", 1),
        "`model` expects a choice, got 1",
    );

    let real = single(Domain::real(0.0, 1.0));
    let error = real
        .encode(&Config::new().with("p", f64::NAN))
        .expect_err("NaN");
    assert_eq!(error.to_string(), "`p` is NaN, outside [0, 1]");
    assert!(
        real.encode(&Config::new().with("p", 1)).is_ok(),
        "a whole number is a number"
    );
}

#[test]
fn building_names_what_is_wrong() {
    let check = |builder: SearchSpaceBuilder, message: &str| {
        assert_eq!(builder.build().expect_err("invalid").to_string(), message);
    };
    let p = |domain| SearchSpace::builder().param("p", domain);
    check(
        SearchSpace::builder(),
        "a search space needs at least one parameter",
    );
    check(
        p(Domain::categorical(["a"])),
        "every parameter of the search space has only one value",
    );
    check(
        SearchSpace::builder().param("", Domain::real(0.0, 1.0)),
        "parameter 0 has an empty name",
    );
    check(
        p(Domain::real(0.0, 1.0)).param("p", Domain::real(0.0, 1.0)),
        "parameter name `p` is used twice",
    );
    check(
        p(Domain::real(1.0, 1.0)),
        "`p` needs finite bounds with low < high, got [1, 1]",
    );
    check(
        p(Domain::real(0.0, f64::NAN)),
        "`p` needs finite bounds with low < high, got [0, NaN]",
    );
    check(
        p(Domain::real(0.0, f64::INFINITY)),
        "`p` needs finite bounds with low < high, got [0, inf]",
    );
    check(
        p(Domain::log_real(0.0, 1.0)),
        "`p` has a log scale, which needs low > 0, got 0",
    );
    check(
        p(Domain::integer(3, 3)),
        "`p` needs integer bounds with low < high, got [3, 3]",
    );
    check(
        p(Domain::log_integer(0, 3)),
        "`p` has a log scale, which needs low > 0, got 0",
    );
    check(
        p(Domain::log_integer(1, i64::MAX)),
        "`p` is a log-scaled integer up to 9223372036854775807, at most 1099511627776 is supported",
    );
    check(p(Domain::ordinal([])), "`p` needs at least one value");
    check(
        p(Domain::ordinal([1.0, 2.0, 1.0])),
        "`p` lists the value 1 twice",
    );
    check(
        p(Domain::ordinal([1.0, f64::NAN])),
        "`p` has the non-finite value NaN",
    );
    check(
        p(Domain::categorical::<&str>([])),
        "`p` needs at least one value",
    );
    check(
        p(Domain::categorical(["a", "a"])),
        "`p` lists the value \"a\" twice",
    );

    let q = |parent| p(parent).param("q", Domain::real(0.0, 1.0));
    check(
        SearchSpace::builder()
            .when("p", [1])
            .param("p", Domain::integer(0, 1)),
        "the condition on `p` follows no parameter",
    );
    check(
        q(Domain::integer(0, 1)).when("r", [1]),
        "`q` depends on `r`, which is not an earlier parameter",
    );
    check(
        q(Domain::integer(0, 1)).when("q", [1]),
        "`q` depends on `q`, which is not an earlier parameter",
    );
    check(
        q(Domain::real(0.0, 1.0)).when("p", [0.5]),
        "`q` depends on `p`, a real parameter: only discrete ones can be compared",
    );
    check(
        q(Domain::integer(0, 1)).when("p", [2]),
        "`q` depends on `p` being 2, which it cannot be",
    );
    check(
        q(Domain::integer(0, 1)).when::<i64>("p", []),
        "`q` depends on `p` taking one of no values",
    );
}

#[test]
fn tables_answer_with_their_rows() {
    let builder = || {
        SearchSpace::builder()
            .param("depth", Domain::integer(1, 3))
            .param("eta", Domain::real(0.0, 1.0))
    };
    let row = |depth: i64, eta: f64| Config::new().with("depth", depth).with("eta", eta);
    let rows = vec![row(1, 0.1), row(3, 0.9), row(3, 0.1)];
    let space = builder().table(rows.clone()).build().expect("valid");
    assert_eq!(space.cardinality(), Some(3));
    assert_eq!(space.continuous(), [false, false]);
    assert!(!space.is_box());
    let table = space.table().expect("restricted");
    for (index, config) in rows.iter().enumerate() {
        assert_eq!(space.row_of(&table[index]), Some(index));
        assert_eq!(&space.decode(&table[index]), config);
        assert_eq!(space.encode(config).expect("valid"), table[index]);
        assert_eq!(space.canonical(&table[index]), table[index]);
    }
    let off = point([0.8, 0.6]);
    assert_eq!(space.row_of(&off), None);
    assert_eq!(space.nearest_row(&off), Some(1));
    assert_eq!(space.canonical(&off), table[1]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..20 {
        assert!(space.row_of(&space.sample(&mut rng)).is_some());
    }

    let error = builder()
        .table(vec![row(1, 0.1), row(4, 0.1)])
        .build()
        .expect_err("out of range");
    assert_eq!(
        error.to_string(),
        "row 1 of the table is not a configuration of the space"
    );
    let source = std::error::Error::source(&error).expect("has a cause");
    assert_eq!(source.to_string(), "`depth` is 4, outside [1, 3]");
    let error = builder()
        .table(vec![row(1, 0.1), row(1, 0.1)])
        .build()
        .expect_err("repeated");
    assert_eq!(
        error,
        SpaceError::DuplicateRow {
            first: 0,
            second: 1
        }
    );
    assert_eq!(
        builder().table(Vec::new()).build(),
        Err(SpaceError::EmptyTable)
    );
    assert_eq!(
        SearchSpace::unit_cube(2).with_table(vec![point([0.5])]),
        Err(SpaceError::RowDimension {
            row: 0,
            expected: 2,
            found: 1
        })
    );
}

#[test]
fn a_table_of_points_keeps_them_as_they_are() {
    // Neither is a bucket centre: tables come with encodings of their own.
    let rows = vec![point([0.0]), point([0.4])];
    let space = single(Domain::integer(0, 9))
        .with_table(rows.clone())
        .expect("valid");
    assert_eq!(space.canonical(&rows[1]), rows[1]);
    assert_eq!(space.decode(&rows[1]).integer("p"), Some(4));
}

#[test]
fn boxes_and_sizes_are_recognised() {
    let cube = SearchSpace::unit_cube(3);
    assert!(cube.is_box());
    assert_eq!(cube.cardinality(), None);
    assert_eq!(cube.parameters()[2].name(), "x2");
    let space = conditional();
    assert!(!space.is_box());
    assert_eq!(space.cardinality(), Some(3 * 2 * 4 * 10));
    assert_eq!(space.parameter("degree").expect("present").coords(), 4..5);
    assert!(space.parameter("gamma").is_none());
}

#[test]
fn samples_cover_choices_evenly() {
    let space = single(Domain::categorical(["a", "b", "c", "d"]));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut counts = [0_u32; 4];
    for _ in 0..4000 {
        let sample = space.sample(&mut rng);
        assert_eq!(sample, space.canonical(&sample));
        counts[sample
            .coords()
            .iter()
            .position(|&c| c > 0.5)
            .expect("one is hot")] += 1;
    }
    // Five standard deviations around 1000.
    assert!(
        counts.iter().all(|count| (863..=1137).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn sampling_is_stable() {
    let space = SearchSpace::builder()
        .param("x", Domain::real(0.0, 1.0))
        .param("n", Domain::integer(0, 99))
        .build()
        .expect("valid");
    let mut rng = crate::Seed(0).stream(crate::Purpose::Init, 0);
    let config = space.decode(&space.sample(&mut rng));
    assert_eq!(
        (config.number("x"), config.integer("n")),
        (Some(0.720_656_928_278_629_3), Some(16))
    );
}

#[test]
fn encodings_and_neighbours_are_canonical_points() {
    let domains = [
        Domain::integer(-2, 4),
        Domain::log_integer(1, 1000),
        Domain::ordinal([0.5, 2.0, 3.0, 10.0]),
        Domain::categorical(["a", "b"]),
        Domain::categorical(["a", "b", "c"]),
    ];
    for domain in domains {
        let space = SearchSpace::builder()
            .param("p", domain)
            .build()
            .expect("a valid space");
        let parameter = &space.parameters()[0];
        let encodings: Vec<Vec<f64>> = parameter.encodings().collect();
        assert_eq!(Some(encodings.len() as u64), parameter.domain().count());
        let ordered = !matches!(parameter.domain(), Domain::Categorical { .. });
        for (i, coords) in encodings.iter().enumerate() {
            let point = UnitPoint::clamped(coords.clone());
            assert_eq!(space.canonical(&point), point);
            let beside = |step: isize| {
                let at = i.checked_add_signed(step).filter(|_| ordered)?;
                encodings.get(at).map(|coords| coords[0])
            };
            assert_eq!(parameter.adjacent(coords[0]), [beside(-1), beside(1)]);
        }
    }
}

#[test]
fn neighbours_exist_where_values_outnumber_the_coordinates() {
    let space = SearchSpace::builder()
        .param("p", Domain::integer(i64::MIN, i64::MAX))
        .param("x", Domain::real(0.0, 1.0))
        .build()
        .expect("a valid space");
    let [wide, real] = [0, 1].map(|i| &space.parameters()[i]);
    let at = |coord: f64| space.canonical(&UnitPoint::clamped(vec![coord, 0.0]));
    for next in wide.adjacent(0.3).into_iter().flatten() {
        assert_ne!(at(next), at(0.3));
        assert!((next - 0.3).abs() < 1e-14);
    }
    assert_eq!(wide.adjacent(0.0)[0], None);
    assert_eq!(wide.adjacent(1.0)[1], None);
    assert_eq!(real.adjacent(0.3), [None, None]);
    assert_eq!(real.encodings().count(), 0);
}
