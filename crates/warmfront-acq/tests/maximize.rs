//! The maximiser on utilities whose maximum is known.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_acq::{AcquisitionFunction, MaximizeConfig, Maximum, maximize};
use warmfront_core::{Domain, SearchSpace, UnitPoint, Value};
use warmfront_linalg::{Mat, MatMut, MatRef};

/// A concave utility with its peak at `peak`, with or without a gradient.
struct Peak {
    peak: Vec<f64>,
    smooth: bool,
}

impl AcquisitionFunction for Peak {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        let pairs = self.peak.iter().enumerate();
        -pairs.map(|(j, p)| (x[(0, j)] - p).powi(2)).sum::<f64>()
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        if !self.smooth {
            return None;
        }
        for (j, p) in self.peak.iter().enumerate() {
            gradient[(0, j)] = -2.0 * (x[(0, j)] - p);
        }
        Some(self.utility(x))
    }
}

fn search(
    acqf: &dyn AcquisitionFunction,
    space: &SearchSpace,
    exclude: &[UnitPoint],
    config: &MaximizeConfig,
) -> Option<Maximum> {
    maximize(
        acqf,
        space,
        exclude,
        config,
        &mut ChaCha8Rng::seed_from_u64(7),
    )
}

fn point(coords: &[f64]) -> UnitPoint {
    UnitPoint::new(coords).expect("inside the cube")
}

#[track_caller]
fn assert_near(found: &UnitPoint, expected: &[f64], tolerance: f64) {
    for (f, e) in found.coords().iter().zip(expected) {
        assert!(
            (f - e).abs() <= tolerance,
            "{found:?}, expected {expected:?}"
        );
    }
}

#[test]
fn finds_a_peak_inside_and_on_the_faces() {
    let config = MaximizeConfig::default();
    for smooth in [true, false] {
        let inside = Peak {
            peak: vec![0.123, 0.777, 0.5],
            smooth,
        };
        let space = SearchSpace::unit_cube(3);
        let top = search(&inside, &space, &[], &config).expect("no table");
        assert_near(&top.point, &inside.peak, 1e-3);
        assert!(!top.repeated);
        let outside = Peak {
            peak: vec![-0.4, 1.8, 0.5],
            smooth,
        };
        let top = search(&outside, &space, &[], &config).expect("no table");
        assert_near(&top.point, &[0.0, 1.0, 0.5], 1e-3);
    }
}

#[test]
fn an_excluded_peak_gives_way_to_the_next_best() {
    let peak = Peak {
        peak: vec![2.0, -1.0],
        smooth: true,
    };
    let space = SearchSpace::unit_cube(2);
    let corner = point(&[1.0, 0.0]);
    let config = MaximizeConfig::default();
    let top = search(&peak, &space, &[], &config).expect("no table");
    assert_eq!(top.point, corner);
    let next = search(&peak, &space, std::slice::from_ref(&corner), &config).expect("no table");
    assert_ne!(next.point, corner);
    assert!(!next.repeated && next.utility < top.utility);
}

fn mixed() -> SearchSpace {
    SearchSpace::builder()
        .param("rate", Domain::log_real(1e-4, 1.0))
        .param("layers", Domain::integer(1, 9))
        .param("width", Domain::log_integer(1, 1000))
        .param("kind", Domain::categorical(["a", "b", "c", "d"]))
        .param("flag", Domain::categorical(["no", "yes"]))
        .build()
        .expect("a valid space")
}

#[test]
fn finds_the_best_canonical_point_of_a_mixed_space() {
    let space = mixed();
    // rate, layers, width, kind one-hot, flag.
    let peak = Peak {
        peak: vec![0.31, 0.62, 0.4, 0.1, 0.2, 0.9, 0.0, 0.8],
        smooth: true,
    };
    let top = search(&peak, &space, &[], &MaximizeConfig::default()).expect("no table");
    assert_eq!(space.canonical(&top.point), top.point);
    let config = space.decode(&top.point);
    assert_eq!(config.text("kind"), Some("c"));
    assert_eq!(config.text("flag"), Some("yes"));
    // Buckets of a ninth: 0.62 is in the sixth.
    assert!((top.point.coords()[1] - 5.5 / 9.0).abs() < 1e-12);
    assert!((top.point.coords()[0] - 0.31).abs() < 1e-3);
    assert!(
        (top.point.coords()[2] - 0.4).abs() < 0.02,
        "{:?}",
        top.point
    );
}

/// Rises towards the value 900 of a log-scaled integer in steps of one value, flat within each.
struct Step;

impl AcquisitionFunction for Step {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        let span = (1000.5_f64 / 0.5).ln();
        let width = (0.5_f64.ln() + x[(0, 0)] * span).exp().round();
        -(width - 900.0).abs() - (x[(0, 1)] - 0.5).powi(2)
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        gradient[(0, 0)] = 0.0;
        gradient[(0, 1)] = -2.0 * (x[(0, 1)] - 0.5);
        Some(self.utility(x))
    }
}

#[test]
fn the_next_value_of_a_large_integer_on_a_log_scale_is_tried() {
    let space = SearchSpace::builder()
        .param("width", Domain::log_integer(1, 1000))
        .param("x", Domain::real(0.0, 1.0))
        .build()
        .expect("a valid space");
    let top = search(&Step, &space, &[], &MaximizeConfig::default()).expect("no table");
    let config = space.decode(&top.point);
    assert_eq!(config.get("width"), Some(&Value::Integer(900)));
}

#[test]
fn conditional_coordinates_that_do_not_count_stay_canonical() {
    let space = SearchSpace::builder()
        .param("solver", Domain::categorical(["x", "y", "z"]))
        .param("depth", Domain::integer(0, 3000))
        .param("momentum", Domain::real(0.0, 1.0))
        .when("solver", ["y"])
        .build()
        .expect("a valid space");
    // The relaxed optimum wants a momentum that the best solver does not have.
    let peak = Peak {
        peak: vec![1.0, 0.0, 0.0, 0.25, 0.9],
        smooth: true,
    };
    let top = search(&peak, &space, &[], &MaximizeConfig::default()).expect("no table");
    assert_eq!(space.canonical(&top.point), top.point);
    assert_eq!(space.decode(&top.point).text("solver"), Some("x"));
}

#[test]
fn small_discrete_spaces_are_searched_exhaustively_until_nothing_is_left() {
    let space = SearchSpace::builder()
        .param("n", Domain::log_integer(1, 6))
        .param("c", Domain::categorical(["p", "q", "r"]))
        .build()
        .expect("a valid space");
    let peak = Peak {
        peak: vec![0.7, 0.4, 0.5, 0.0],
        smooth: false,
    };
    let config = MaximizeConfig::default();
    let mut exclude = Vec::new();
    let mut before = f64::INFINITY;
    for _ in 0..18 {
        let top = search(&peak, &space, &exclude, &config).expect("no table");
        assert!(!top.repeated && !exclude.contains(&top.point));
        assert!(top.utility <= before);
        before = top.utility;
        exclude.push(top.point);
    }
    let again = search(&peak, &space, &exclude, &config).expect("no table");
    assert!(again.repeated && exclude[0] == again.point);
}

#[test]
fn tables_are_scored_row_by_row_and_can_be_exhausted() {
    let rows: Vec<UnitPoint> = (0..300)
        .map(|i| point(&[f64::from(i) / 299.0, f64::from(i * 37 % 300) / 299.0]))
        .collect();
    let space = SearchSpace::unit_cube(2)
        .with_table(rows.clone())
        .expect("distinct rows");
    let peak = Peak {
        peak: vec![0.3, 0.6],
        smooth: true,
    };
    let config = MaximizeConfig::default();
    let utility = |p: &UnitPoint| peak.utility(MatRef::from_row_major_slice(p.coords(), 1, 2));
    let mut order = rows.clone();
    order.sort_by(|a, b| utility(b).total_cmp(&utility(a)));
    for k in [0, 1, 150, 299] {
        let top = search(&peak, &space, &order[..k], &config).expect("rows are left");
        assert_eq!(top.point, order[k]);
    }
    assert_eq!(search(&peak, &space, &rows, &config), None);
}

/// Nonsense on one half of the cube, everywhere if `bad` is 1.
struct Broken {
    bad: f64,
}

impl AcquisitionFunction for Broken {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        if x[(0, 0)] <= self.bad {
            f64::NAN
        } else {
            x[(0, 0)]
        }
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        gradient.fill(f64::NAN);
        Some(self.utility(x))
    }
}

#[test]
fn a_utility_that_is_no_number_is_skipped() {
    let space = SearchSpace::unit_cube(2);
    let config = MaximizeConfig::default();
    let half = search(&Broken { bad: 0.5 }, &space, &[], &config).expect("no table");
    assert!(half.utility > 0.5);
    let all = search(&Broken { bad: 1.0 }, &space, &[], &config).expect("no table");
    assert!(all.utility.is_infinite() && all.utility < 0.0);
}

#[test]
fn threads_do_not_change_the_result() {
    let peak = Peak {
        peak: vec![0.3, 0.6, 0.4, 0.9, 0.0, 0.0, 0.1, 0.2],
        smooth: true,
    };
    for space in [SearchSpace::unit_cube(8), mixed()] {
        let run = |parallel| {
            let config = MaximizeConfig {
                parallel,
                ..MaximizeConfig::default()
            };
            search(&peak, &space, &[], &config)
        };
        assert_eq!(run(false), run(true));
        assert_eq!(run(false), run(false));
    }
}

/// Peaks only near its incumbents.
struct Needle;

impl AcquisitionFunction for Needle {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        let distance = (0..6).map(|j| (x[(0, j)] - 0.31).abs()).fold(0.0, f64::max);
        (0.02 - distance).max(0.0)
    }

    fn incumbents(&self) -> Mat<f64> {
        Mat::from_fn(1, 6, |_, _| 0.32)
    }
}

#[test]
fn perturbed_incumbents_are_scored() {
    let space = SearchSpace::unit_cube(6);
    let with = search(&Needle, &space, &[], &MaximizeConfig::default()).expect("no table");
    assert!(with.utility > 0.0);
    let config = MaximizeConfig {
        around_best: 0,
        ..MaximizeConfig::default()
    };
    let without = search(&Needle, &space, &[], &config).expect("no table");
    assert!(without.utility <= 0.0);
}

/// A wide hill, and a higher one at the far end of the first coordinate; the others are the same on
/// both.
struct TwoHills;

impl AcquisitionFunction for TwoHills {
    fn utility(&self, x: MatRef<'_, f64>) -> f64 {
        self.utility_gradient(x, Mat::zeros(1, x.ncols()).as_mut())
            .expect("smooth")
    }

    fn utility_gradient(&self, x: MatRef<'_, f64>, mut gradient: MatMut<'_, f64>) -> Option<f64> {
        let (near, far) = (x[(0, 0)] - 0.3, x[(0, 0)] - 1.0);
        let bump = 2.0 * (-0.5 * (far / 0.02).powi(2)).exp();
        let mut value = bump - near * near;
        gradient[(0, 0)] = -bump * far / 0.0004 - 2.0 * near;
        for j in 1..x.ncols() {
            let t = x[(0, j)] - 0.5;
            value -= 100.0 * t * t;
            gradient[(0, j)] = -200.0 * t;
        }
        Some(value)
    }
}

#[test]
fn a_hill_one_coordinate_away_from_another_is_found() {
    let space = SearchSpace::unit_cube(8);
    let found = |restarts| {
        let config = MaximizeConfig {
            restarts,
            ..MaximizeConfig::default()
        };
        let top = search(&TwoHills, &space, &[], &config).expect("no table");
        top.utility > 1.0
    };
    // The third local search is the first that starts from a move.
    assert!(!found(2) && found(3));
}
