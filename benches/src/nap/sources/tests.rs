use warmfront_core::{Purpose, Seed};
use warmfront_gp::Surrogate;
use warmfront_linalg::Mat;

use super::conditional::{fit_surrogate, joint_draw, moved_rows, unwarp};
use super::*;
use crate::nap::families::{FamilySpec, Halls};

fn toy() -> Table {
    let x: Vec<f64> = (0..120).map(|i| f64::from(i * 37 % 120) / 119.0).collect();
    let costs = x
        .chunks_exact(2)
        .map(|p| (3.0 * p[0]).sin() + p[1] * p[1])
        .collect();
    Table {
        name: "toy".into(),
        dim: 2,
        x,
        costs,
    }
}

fn hall() -> Arc<Hall> {
    let spec = FamilySpec::find("gp").expect("defined");
    Halls::new(None, 3).get(spec).expect("no data needed")
}

#[test]
fn posterior_draws_have_the_mean_and_variance_of_the_model() {
    let gp = fit_surrogate(&toy(), false, Seed(1)).expect("a fit");
    let x = [0.2, 0.7, 0.9, 0.1, 0.5, 0.5];
    let points = Mat::from_fn(3, 2, |i, k| x[2 * i + k]);
    let truth = gp.posterior(points.as_ref()).expect("a posterior");
    let count = 4000;
    let mut rng = Seed(2).stream(Purpose::Init, 0);
    let (mut mean, mut square, mut cross) = ([0.0; 3], [0.0; 3], 0.0);
    for _ in 0..count {
        let values = joint_draw(&gp, &x, &mut rng).expect("a draw");
        let centred: Vec<f64> = (0..3).map(|i| values[i] - truth.mean[(i, 0)]).collect();
        for i in 0..3 {
            mean[i] += centred[i] / f64::from(count);
            square[i] += centred[i] * centred[i] / f64::from(count);
        }
        cross += centred[0] * centred[2] / f64::from(count);
    }
    for i in 0..3 {
        let variance = truth.covariance[(i, i)] + gp.noise_variance();
        let error = (variance / f64::from(count)).sqrt();
        assert!(mean[i].abs() < 5.0 * error, "{i}: {} of {error}", mean[i]);
        assert!(
            (square[i] / variance - 1.0).abs() < 0.15,
            "{i}: {} of {variance}",
            square[i]
        );
    }
    let variance = truth.covariance[(0, 0)] + gp.noise_variance();
    assert!((cross - truth.covariance[(2, 0)]).abs() < 0.1 * variance);
}

#[test]
fn draws_of_a_table_have_its_distribution_of_costs() {
    let table = toy();
    let (low, high) = table.range();
    // Far out, the ends are passed by a little.
    let values = unwarp(&table, &[-9.0, -1e-9, 9.0]);
    assert!(values[0] < low && values[0] > low - (high - low));
    assert!(values[2] > high && values[2] < high + (high - low));
    assert!((values[1] - stats_median(&table.costs)).abs() < 0.05);
}

fn stats_median(values: &[f64]) -> f64 {
    crate::stats::median(values)
}

#[test]
fn rows_move_within_the_cube_and_categories_stay_one_hot() {
    let table = Table {
        name: "t".into(),
        dim: 4,
        x: vec![1.0, 0.0, 0.0, 0.99, 0.0, 1.0, 0.0, 0.0],
        costs: vec![0.0, 1.0],
    };
    let mut rng = Seed(4).stream(Purpose::Init, 0);
    let augmentation = Augmentation::published();
    let categories = std::slice::from_ref(&(0..3));
    let x = moved_rows(&table, categories, &augmentation, 200, &mut rng);
    let mut seen = [0; 3];
    for point in x.chunks_exact(4) {
        let hot: Vec<usize> = (0..3).filter(|&k| point[k] > 0.5).collect();
        assert_eq!(hot.len(), 1);
        seen[hot[0]] += 1;
        assert!((point[..3].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(point[3] <= 0.05 || (0.94..=1.0).contains(&point[3]));
    }
    assert!(seen.iter().all(|&count| count > 30), "{seen:?}");
}

#[test]
fn sources_are_deterministic_and_mixtures_draw_from_all_parts() {
    let hall = hall();
    let sources = [
        Source::Rows(Arc::clone(&hall)),
        Source::Prior(GpPrior::new(3), 0.1),
        Source::Analytic(3),
        Source::Mixture(vec![
            (1.0, Source::Analytic(3)),
            (1.0, Source::Prior(GpPrior::new(3), 0.0)),
        ]),
    ];
    for source in &sources {
        assert_eq!(source.dim(), 3);
        let draw = |seed| source.table(30, &mut Seed(seed).stream(Purpose::Init, 0));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).len(), 30);
    }
    let near = |augmentation| {
        let source = Source::conditional(&hall, augmentation).expect("surrogates");
        source.table(30, &mut Seed(1).stream(Purpose::Init, 0))
    };
    assert_eq!(near(Augmentation::default()), near(Augmentation::default()));
    assert_eq!(near(Augmentation::published()).len(), 30);
    let names: std::collections::BTreeSet<bool> = (0..20)
        .map(|seed| {
            let mut rng = Seed(seed).stream(Purpose::Init, 0);
            sources[3].table(5, &mut rng).name == "gp"
        })
        .collect();
    assert_eq!(names.len(), 2);
}
