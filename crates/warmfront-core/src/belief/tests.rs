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
