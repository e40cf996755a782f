use warmfront_testkit::assert_close;

use super::factor::normal_cdf;
use super::*;
use crate::{Purpose, Seed};

fn space() -> SearchSpace {
    SearchSpace::builder()
        .param("x", Domain::real(0.0, 2.0))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("n", Domain::integer(1, 4))
        .when("kind", ["b"])
        .build()
        .expect("valid")
}

#[test]
fn densities_integrate_to_one() {
    let space = SearchSpace::unit_cube(1);
    for (centre, confidence) in [(0.0, 0.75), (0.3, 0.5), (1.0, 0.99), (0.5, 1e-9)] {
        let belief = Belief::uniform(&space, 0)
            .with("x0", centre, confidence)
            .expect("valid");
        let steps = 20_000;
        let middle = |i: i32| (f64::from(i) + 0.5) / f64::from(steps);
        let density = |i| belief.ln_density(&UnitPoint::clamped([middle(i)])).exp();
        let integral = (0..steps).map(density).sum::<f64>() / f64::from(steps);
        assert_close(integral, 1.0, 1e-6, 0.0, "integral");
    }
}

#[test]
fn factors_multiply_and_the_inactive_say_nothing() {
    let space = space();
    let only = |name: &str, value: Value| {
        Belief::uniform(&space, 1)
            .with(name, value, 0.75)
            .expect("valid")
    };
    let centre = Config::new().with("x", 1.5).with("kind", "b").with("n", 3);
    let whole = Belief::new(&space, 1, &centre, 0.75).expect("valid");
    let at_b = space.encode(&centre).expect("valid");
    let parts = only("x", 1.5.into()).ln_density(&at_b)
        + only("kind", "b".into()).ln_density(&at_b)
        + only("n", 3.into()).ln_density(&at_b);
    assert_close(whole.ln_density(&at_b), parts, 1e-14, 0.0, "product");
    assert_eq!(whole.objective(), 1);

    let at_a = space
        .encode(&Config::new().with("x", 1.5).with("kind", "a"))
        .expect("valid");
    assert_close(
        only("n", 3.into()).ln_density(&at_a),
        0.0,
        0.0,
        0.0,
        "inactive",
    );
    assert_close(
        only("kind", "b".into()).ln_density(&at_a),
        0.125_f64.ln(),
        1e-14,
        0.0,
        "rest",
    );
    assert_close(
        Belief::uniform(&space, 0).ln_density(&at_a),
        0.0,
        0.0,
        0.0,
        "uniform",
    );
}

#[test]
fn samples_follow_the_belief() {
    let space = space();
    let centre = Config::new().with("x", 1.6).with("kind", "b");
    let belief = Belief::new(&space, 0, &centre, 0.75).expect("valid");
    let mut rng = Seed(5).stream(Purpose::Init, 0);
    let draws = 4000;
    let (mut below, mut b) = (0, 0);
    for _ in 0..draws {
        let point = belief.sample(&mut rng);
        assert_eq!(space.canonical(&point), point);
        let config = space.decode(&point);
        below += i32::from(config.number("x").expect("active") < 1.0);
        b += i32::from(config.text("kind") == Some("b"));
    }
    let share = |count: i32| f64::from(count) / f64::from(draws);
    // P(u < ½) for a normal at 0.8 with deviation ¼, truncated to [0, 1].
    let cdf = |u: f64| normal_cdf((u - 0.8) / 0.25);
    let expected = (cdf(0.5) - cdf(0.0)) / (cdf(1.0) - cdf(0.0));
    assert_close(share(below), expected, 0.0, 0.03, "below the middle");
    assert_close(share(b), 0.75, 0.0, 0.03, "the believed choice");
}

#[test]
fn rows_are_drawn_by_density() {
    let rows: Vec<_> = [0.1, 0.5, 0.9].map(|x| UnitPoint::clamped([x])).to_vec();
    let space = SearchSpace::unit_cube(1)
        .with_table(rows.clone())
        .expect("valid");
    let belief = Belief::uniform(&space, 0)
        .with("x0", 0.9, 0.999)
        .expect("valid");
    let mut rng = Seed(6).stream(Purpose::Init, 0);
    assert!((0..50).all(|_| belief.sample(&mut rng) == rows[2]));
    let uniform = Belief::uniform(&space, 0);
    let first = (0..3000)
        .filter(|_| uniform.sample(&mut rng) == rows[0])
        .count();
    assert!((870..=1130).contains(&first), "{first}");
}

#[test]
fn nonsense_is_refused() {
    let space = space();
    let check = |name: &str, value: Value, confidence: f64, message: &str| {
        let error = Belief::uniform(&space, 0)
            .with(name, value, confidence)
            .expect_err("bad");
        assert_eq!(error.to_string(), message);
    };
    check(
        "x",
        1.0.into(),
        1.0,
        "the confidence in `x` is 1, outside (0, 1)",
    );
    check(
        "x",
        1.0.into(),
        f64::NAN,
        "the confidence in `x` is NaN, outside (0, 1)",
    );
    check("x", 3.0.into(), 0.5, "`x` is 3, outside [0, 2]");
    check("kind", "d".into(), 0.5, "`kind` has no value \"d\"");
    check(
        "y",
        3.0.into(),
        0.5,
        "the search space has no parameter `y`",
    );
}

/// A space of one parameter `p`.
fn only(domain: Domain) -> SearchSpace {
    SearchSpace::builder()
        .param("p", domain)
        .build()
        .expect("valid")
}

/// The integral of a belief over the one coordinate of its space, as the point itself decodes it.
fn riemann_sum(belief: &Belief, steps: i32) -> f64 {
    let middle = |i: i32| (f64::from(i) + 0.5) / f64::from(steps);
    let density = |i| belief.ln_density(&UnitPoint::clamped([middle(i)])).exp();
    (0..steps).map(density).sum::<f64>() / f64::from(steps)
}

/// The sum over all values of mass, which is density times the width of what decodes to it.
fn total_mass(belief: &Belief) -> f64 {
    let parameter = &belief.space().parameters()[0];
    parameter
        .encodings()
        .map(|coords| {
            let level = belief.space().levels(&coords)[0].expect("unconditional");
            let width = SearchSpace::bucket_of(parameter, level).map_or(1.0, |(a, b)| b - a);
            width * belief.ln_density(&UnitPoint::clamped(coords)).exp()
        })
        .sum()
}

#[test]
fn densities_of_discrete_numbers_integrate_to_one() {
    let centres: [(Domain, [Value; 3]); 7] = [
        (Domain::integer(1, 4), [1, 3, 4].map(Value::from)),
        (Domain::integer(-1, 0), [-1, 0, 0].map(Value::from)),
        (Domain::integer(-50, 950), [-50, 0, 949].map(Value::from)),
        (Domain::log_integer(1, 3), [1, 2, 3].map(Value::from)),
        (
            Domain::log_integer(16, 512),
            [16, 100, 512].map(Value::from),
        ),
        (Domain::log_integer(1, 1024), [1, 2, 1000].map(Value::from)),
        (
            Domain::ordinal([1.0, 10.0, 7.0]),
            [1.0, 10.0, 7.0].map(Value::from),
        ),
    ];
    for (domain, values) in centres {
        let space = only(domain.clone());
        for value in values {
            for confidence in [1e-9, 0.5, 0.75, 0.99, 0.9999] {
                let belief = Belief::uniform(&space, 0)
                    .with("p", value.clone(), confidence)
                    .expect("valid");
                let what = format!("{domain:?} {value} {confidence}");
                assert_close(total_mass(&belief), 1.0, 1e-11, 0.0, &what);
                // A step across an edge of a bucket is off by up to the peak by the steps.
                let steps = 8000;
                let edge = belief.ln_density(&belief.mode()).exp() / f64::from(steps);
                let error = 4.0 * edge + 1e-6;
                assert_close(riemann_sum(&belief, steps), 1.0, 0.0, error, &what);
            }
        }
    }
}

#[test]
fn masses_of_listed_values_sum_to_one() {
    for count in [2, 3, 7] {
        let names: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
        let space = only(Domain::categorical(names.clone()));
        let weights: Vec<(&String, f64)> = names.iter().zip([5.0, 0.25].repeat(4)).collect();
        let uniform = Belief::uniform(&space, 0);
        let believed = uniform.clone().with("p", "c1", 0.75).expect("valid");
        let weighed = uniform.with_weights("p", &weights).expect("valid");
        assert_close(total_mass(&believed), 1.0, 1e-14, 0.0, "centre");
        assert_close(total_mass(&weighed), 1.0, 1e-14, 0.0, "weights");
        let at = |belief: &Belief, choice: &str| {
            let config = Config::new().with("p", choice);
            belief.ln_density(&space.encode(&config).expect("valid"))
        };
        assert_close(at(&believed, "c1"), 0.75_f64.ln(), 1e-14, 0.0, "its mass");
        let ratio = at(&weighed, "c0") - at(&weighed, "c1");
        assert_close(ratio, 20.0_f64.ln(), 1e-14, 0.0, "ratio of the weights");
    }
    let space = only(Domain::ordinal([16.0, 0.5, 64.0]));
    let belief = Belief::uniform(&space, 0)
        .with_weights("p", &[("64", 1.0), ("16", 2.0), ("0.5", 1.0)])
        .expect("valid");
    assert_close(total_mass(&belief), 1.0, 1e-14, 0.0, "ordinal");
    assert_close(riemann_sum(&belief, 3000), 1.0, 1e-12, 0.0, "ordinal");
    let first = belief.ln_density(&UnitPoint::clamped([0.0]));
    assert_close(
        first,
        1.5_f64.ln(),
        1e-14,
        0.0,
        "half of the mass on a third",
    );
}

#[test]
fn the_whole_density_integrates_to_one_under_conditions() {
    let space = space();
    let belief = Belief::uniform(&space, 0)
        .with("x", 1.7, 0.75)
        .and_then(|b| b.with_weights("kind", &[("a", 1.0), ("b", 2.0), ("c", 3.0)]))
        .and_then(|b| b.with("n", 2, 0.6))
        .expect("valid");
    let steps = 2000;
    let mut integral = 0.0;
    for i in 0..steps {
        for kind in ["a", "b", "c"] {
            let config = Config::new()
                .with("x", 2.0 * (f64::from(i) + 0.5) / f64::from(steps))
                .with("kind", kind);
            // Four values, each decoded from a quarter of the coordinate.
            let (configs, width) = match kind {
                "b" => ((1..=4).map(|n| config.clone().with("n", n)).collect(), 0.25),
                _ => (vec![config], 1.0),
            };
            for config in configs {
                let point = space.encode(&config).expect("valid");
                integral += width * belief.ln_density(&point).exp() / f64::from(steps);
            }
        }
    }
    assert_close(integral, 1.0, 1e-6, 0.0, "integral");
}

#[test]
fn mean_densities_are_exact_where_they_can_be_checked_and_finite_elsewhere() {
    let bell = Bell::new(0.3, 0.2);
    let total = normal_cdf(0.7 / 0.2) - normal_cdf(-0.3 / 0.2);
    for (low, high) in [(0.0, 1.0), (0.0, 0.3), (0.1, 0.5), (0.3, 0.31), (0.4, 0.9)] {
        let [below, above] = [low, high].map(|x: f64| normal_cdf((x - 0.3) / 0.2));
        let expected = (above - below) / total / (high - low);
        let mean = bell.ln_mean_density(low, high).exp();
        assert_close(mean, expected, 1e-12, 0.0, "by the distribution function");
    }
    // Narrow intervals have the density itself, where differences would have cancelled.
    let narrow = bell.ln_mean_density(0.6, 0.6 + 1e-13);
    assert_close(narrow, bell.ln_density(0.6), 1e-11, 0.0, "narrow");
    let none = bell.ln_mean_density(0.6, 0.6);
    assert_close(none, bell.ln_density(0.6), 0.0, 0.0, "of no width");
    // ∫ₐ^∞ exp(−(t² − a²)/2) dt → 1/a, and the interval is far from where the mass is.
    let sharp = Bell::new(0.0, 1e-4);
    let far = sharp.ln_mean_density(0.5, 1.0);
    let expected = sharp.ln_density(0.5) - (5000.0_f64 * 5000.0).ln();
    assert_close(far, expected, 1e-12, 0.0, "far");
    let needle = Bell::new(1.0, f64::EPSILON / 2.0);
    assert!(needle.ln_mean_density(0.0, 0.5).is_finite());
    assert!(needle.ln_density(0.0).is_finite());
}

#[test]
fn values_are_drawn_as_often_as_their_mass_says() {
    let ordinal = Domain::ordinal([1.0, 2.0, 4.0]);
    let category = Domain::categorical(["a", "b", "c"]);
    let pair = Domain::categorical(["a", "b"]);
    let centred = |domain: Domain, centre: Value, confidence| {
        Belief::uniform(&only(domain), 0)
            .with("p", centre, confidence)
            .expect("valid")
    };
    let weighed = |domain: Domain, weights: &[(&str, f64)]| {
        Belief::uniform(&only(domain), 0)
            .with_weights("p", weights)
            .expect("valid")
    };
    let beliefs = [
        centred(Domain::integer(1, 5), 5.into(), 0.75),
        centred(Domain::log_integer(1, 8), 2.into(), 0.75),
        centred(ordinal.clone(), 4.0.into(), 0.5),
        centred(category.clone(), "b".into(), 0.6),
        centred(pair.clone(), "b".into(), 0.9),
        weighed(ordinal, &[("1", 3.0), ("2", 1.0), ("4", 6.0)]),
        weighed(category, &[("a", 3.0), ("b", 1.0), ("c", 6.0)]),
        weighed(pair, &[("b", 3.0), ("a", 1.0)]),
    ];
    let mut rng = Seed(7).stream(Purpose::Init, 0);
    let draws = 4000;
    for belief in beliefs {
        let parameter = &belief.space().parameters()[0];
        let points: Vec<UnitPoint> = parameter.encodings().map(UnitPoint::clamped).collect();
        let mut counts = vec![0; points.len()];
        for _ in 0..draws {
            let point = belief.sample(&mut rng);
            counts[points.iter().position(|p| *p == point).expect("a value")] += 1;
        }
        for (point, count) in points.iter().zip(counts) {
            let level = belief.space().levels(point.coords())[0].expect("active");
            let width = SearchSpace::bucket_of(parameter, level).map_or(1.0, |(a, b)| b - a);
            let mass = width * belief.ln_density(point).exp();
            let deviation = (mass * (1.0 - mass) / f64::from(draws)).sqrt();
            let what = format!("{parameter:?} {point:?}");
            let share = f64::from(count) / f64::from(draws);
            assert_close(share, mass, 0.0, 4.5 * deviation, &what);
        }
    }
}

#[test]
fn gradients_agree_with_differences_and_are_added() {
    let space = SearchSpace::builder()
        .param("x", Domain::log_real(1e-4, 1.0))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("n", Domain::log_integer(1, 64))
        .param("size", Domain::ordinal([1.0, 2.0, 8.0]))
        .param("pair", Domain::categorical(["u", "v"]))
        .param("inner", Domain::real(-1.0, 1.0))
        .when("pair", ["v"])
        .param("free", Domain::real(0.0, 1.0))
        .build()
        .expect("valid");
    let belief = Belief::uniform(&space, 0)
        .with("x", 0.01, 0.75)
        .and_then(|b| b.with("kind", "b", 0.75))
        .and_then(|b| b.with("n", 3, 0.9))
        .and_then(|b| b.with_weights("size", &[("1", 1.0), ("2", 1.0), ("8", 3.0)]))
        .and_then(|b| b.with("pair", "v", 0.75))
        .and_then(|b| b.with("inner", 1.0, 0.5))
        .expect("valid");
    for pair in [0.2, 0.8] {
        let coords = [0.7, 0.2, 0.9, 0.3, 0.15, 0.5, pair, 0.4, 0.6];
        let mut gradient = [1.0; 9];
        let value = belief.ln_density_gradient(&coords, &mut gradient);
        for i in 0..9 {
            let step = 1e-6;
            let [below, above] = [-step, step].map(|by| {
                let mut moved = coords;
                moved[i] += by;
                belief.ln_density_gradient(&moved, &mut [0.0; 9])
            });
            let slope = (above - below) / (2.0 * step);
            assert_close(gradient[i] - 1.0, slope, 1e-7, 1e-7, &format!("slope {i}"));
        }
        let inner = gradient[7] - 1.0;
        assert_eq!(inner.abs() > 0.0, pair > 0.5, "only where it is active");
        // Apart from `n`, which is smooth in one and a bucket's mean in the other.
        let smooth = belief.ln_density(&UnitPoint::clamped(coords));
        assert_close(value, smooth, 0.0, 0.1, "value");
    }
}

#[test]
fn modes_are_centres_and_largest_weights() {
    let space = SearchSpace::builder()
        .param("x", Domain::real(0.0, 2.0))
        .param("free", Domain::real(0.0, 2.0))
        .param("kind", Domain::categorical(["a", "b", "c"]))
        .param("pair", Domain::categorical(["u", "v"]))
        .param("size", Domain::ordinal([1.0, 2.0, 8.0]))
        .param("n", Domain::integer(1, 4))
        .when("kind", ["c"])
        .build()
        .expect("valid");
    let belief = Belief::uniform(&space, 0)
        .with("x", 1.5, 0.75)
        .and_then(|b| b.with_weights("kind", &[("a", 1.0), ("b", 2.0), ("c", 2.0)]))
        .and_then(|b| b.with("size", 8.0, 0.3))
        .and_then(|b| b.with("n", 1, 0.3))
        .expect("valid");
    let expected = Config::new()
        .with("x", 1.5)
        .with("free", 1.0)
        .with("kind", "b")
        .with("pair", "u")
        .with("size", 8.0);
    assert_eq!(space.decode(&belief.mode()), expected);
    let belief = belief.with("kind", "c", 0.5).expect("valid");
    let replaced = expected.with("kind", "c").with("n", 1);
    assert_eq!(space.decode(&belief.mode()), replaced);
    assert_eq!(space.canonical(&belief.mode()), belief.mode());

    let rows: Vec<_> = [0.1, 0.5, 0.9].map(|x| UnitPoint::clamped([x])).to_vec();
    let table = SearchSpace::unit_cube(1)
        .with_table(rows.clone())
        .expect("valid");
    let belief = Belief::uniform(&table, 0)
        .with("x0", 0.8, 0.5)
        .expect("valid");
    assert_eq!(belief.mode(), rows[2]);
}

#[test]
fn weights_of_any_size_keep_densities_finite() {
    let space = only(Domain::categorical(["a", "b", "c"]));
    let belief = Belief::uniform(&space, 0)
        .with_weights("p", &[("a", f64::MAX), ("b", f64::MAX), ("c", 1e-320)])
        .expect("valid");
    let at = |choice: &str| {
        let config = Config::new().with("p", choice);
        belief.ln_density(&space.encode(&config).expect("valid"))
    };
    assert_close(at("a"), 0.5_f64.ln(), 1e-14, 0.0, "half");
    assert!(at("c").is_finite() && at("c") < -1000.0);
    let mut rng = Seed(8).stream(Purpose::Init, 0);
    assert!((0..50).all(|_| space.decode(&belief.sample(&mut rng)).text("p") != Some("c")));
}

#[test]
fn bad_weights_are_refused() {
    let space = SearchSpace::builder()
        .param("kind", Domain::categorical(["a", "b"]))
        .param("size", Domain::ordinal([1.0, 2.5]))
        .param("x", Domain::real(0.0, 1.0))
        .param("n", Domain::integer(1, 2))
        .build()
        .expect("valid");
    let check = |name: &str, weights: &[(&str, f64)], message: &str| {
        let error = Belief::uniform(&space, 0)
            .with_weights(name, weights)
            .expect_err("bad");
        assert_eq!(error.to_string(), message);
    };
    let positive = "it must be above 0 and finite";
    check(
        "kind",
        &[("a", 1.0), ("b", 0.0)],
        &format!("the weight of \"b\" in `kind` is 0, {positive}"),
    );
    check(
        "kind",
        &[("a", f64::NAN), ("b", 1.0)],
        &format!("the weight of \"a\" in `kind` is NaN, {positive}"),
    );
    check(
        "size",
        &[("2.50", f64::INFINITY), ("1", 1.0)],
        &format!("the weight of 2.5 in `size` is inf, {positive}"),
    );
    check(
        "kind",
        &[("a", 1.0), ("b", 1.0), ("a", 1.0)],
        "`kind` weighs \"a\" twice",
    );
    check("size", &[("1", 1.0), ("1.0", 1.0)], "`size` weighs 1 twice");
    check(
        "size",
        &[("1", 1.0)],
        "the weights of `size` leave out 2.5, every value needs one above 0",
    );
    check("kind", &[("c", 1.0)], "`kind` has no value \"c\"");
    check("size", &[("3", 1.0)], "`size` has no value 3");
    check(
        "size",
        &[("big", 1.0)],
        "`size` expects a number, got \"big\"",
    );
    for number in ["x", "n"] {
        check(
            number,
            &[("1", 1.0)],
            &format!("`{number}` lists no values to weigh: it takes a centre and a confidence"),
        );
    }
    check("y", &[("1", 1.0)], "the search space has no parameter `y`");
}

#[test]
fn sets_of_beliefs_are_checked() {
    let space = space();
    let about = |objective| Belief::uniform(&space, objective);
    let beliefs = Beliefs::new(3, vec![about(2), about(0)]).expect("valid");
    assert_eq!((beliefs.len(), beliefs.is_empty()), (3, false));
    let objectives: Vec<usize> = beliefs.iter().map(Belief::objective).collect();
    assert_eq!(objectives, [0, 2]);
    assert_eq!(beliefs.get(2), Some(&about(2)));
    assert_eq!((beliefs.get(1), beliefs.get(3)), (None, None));
    let none = Beliefs::new(2, Vec::new()).expect("valid");
    assert_eq!(none, Beliefs::none(2));
    assert!(none.is_empty());

    let check = |beliefs: Vec<Belief>, message: &str| {
        let error = Beliefs::new(2, beliefs).expect_err("bad");
        assert_eq!(error.to_string(), message);
    };
    check(
        vec![about(0), about(2)],
        "a belief is about objective 2, there are 2",
    );
    check(
        vec![about(1), about(1)],
        "two beliefs are about objective 1",
    );
    let other = Belief::uniform(&SearchSpace::unit_cube(1), 1);
    check(
        vec![about(0), other],
        "belief 1 is about another search space than belief 0",
    );
}
