//! Families: tasks come back the same, differ from each other, and supply meta-data.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use warmfront_core::{Candidate, Seed, UnitPoint};
use warmfront_problems::{
    Design, FrontBudget, HardHartmann, HartmannFamily, HpobenchXgb, HpobenchXgbConfig, Problem,
    Provenance, Sinusoidal, TaskFamily, Terrain, approximate_front,
};
use warmfront_testkit::data_folder;

fn families(seed: u64) -> Vec<Box<dyn TaskFamily>> {
    vec![
        Box::new(Sinusoidal::new(2, Seed(seed))),
        Box::new(HartmannFamily::new(2, Seed(seed))),
        Box::new(HardHartmann::new(2, Seed(seed))),
        Box::new(Terrain::new(Seed(seed)).with_design(Design::Sobol)),
    ]
}

fn costs(problem: &dyn Problem) -> Vec<f64> {
    let point = UnitPoint::new(vec![0.37; problem.space().dim()]).expect("inside");
    let outcome = problem.noise_free(&Candidate::at(point)).expect("known");
    outcome
        .costs()
        .and_then(|costs| costs.complete())
        .expect("finite")
}

#[test]
fn tasks_depend_on_seed_and_index_only() {
    for ((first, again), other) in families(1).iter().zip(families(1)).zip(families(2)) {
        assert_eq!(first.len(), None);
        let value = |family: &dyn TaskFamily, index| costs(&*family.task(index));
        assert_eq!(value(&**first, 5), value(&*again, 5), "{}", first.name());
        assert_ne!(value(&**first, 5), value(&**first, 6), "{}", first.name());
        assert_ne!(value(&**first, 5), value(&*other, 5), "{}", first.name());
        let (task, same) = (first.task(2), again.task(2));
        assert_eq!(task.reference_point().value, same.reference_point().value);
        let provenance = task.reference_point().provenance;
        assert!(matches!(provenance, Provenance::Approximated { .. }));
    }
}

#[test]
fn meta_data_has_the_asked_shape_and_noise() {
    for family in families(3) {
        let draw = || family.metadata(&[4, 1, 9], 16, &mut ChaCha8Rng::seed_from_u64(5));
        let metadata = draw();
        assert_eq!(metadata, draw());
        assert_eq!(metadata.len(), 3);
        let dim = family.task(0).space().dim();
        assert!(metadata.check(dim, 2).is_ok());
        for (record, index) in metadata.tasks.iter().zip([4, 1, 9]) {
            assert_eq!(record.observations.len(), 16);
            let task = family.task(index);
            let exact = record
                .observations
                .iter()
                .filter(|seen| task.noise_free(&seen.candidate).as_ref() == Some(&seen.outcome))
                .count();
            let expected = if family.name() == "terrain" { 16 } else { 0 };
            assert_eq!(exact, expected, "{}", family.name());
        }
    }
    let none = Sinusoidal::new(1, Seed(1)).metadata(&[0], 0, &mut ChaCha8Rng::seed_from_u64(0));
    assert!(none.tasks[0].observations.is_empty());
}

#[test]
fn fronts_can_be_searched_for_in_every_family() {
    let budget = FrontBudget {
        population: 24,
        generations: 15,
        archive: 100,
    };
    for family in families(4) {
        let task = family.task(0);
        let front = approximate_front(&*task, &budget, Seed(1));
        let reference = task.reference_point().value.to_vec();
        let under = front.costs.iter().filter(|cost| {
            cost.iter()
                .zip(&reference)
                .all(|(cost, bound)| cost < bound)
        });
        assert!(under.count() >= 3, "{}", family.name());
    }
}

fn tables(config: HpobenchXgbConfig) -> Option<HpobenchXgb> {
    let folder = data_folder()?.join("hpobench-xgb");
    let bytes: Vec<Vec<u8>> = (0..48)
        .map(|task| std::fs::read(folder.join(format!("task_{task:02}.npy"))).expect("is there"))
        .collect();
    Some(HpobenchXgb::from_npy(&bytes, config).expect("readable"))
}

#[test]
fn hpobench_tables_are_48_tasks_whose_rows_are_found() {
    let Some(family) = tables(HpobenchXgbConfig::default()) else {
        return;
    };
    assert_eq!(family.len(), Some(48));
    let rows: Vec<usize> = (0..48)
        .map(|index| family.task(index).space().table().expect("a table").len())
        .collect();
    assert_eq!(rows[..47], [1000; 47]);
    assert_eq!(rows[47], 897);
    let task = family.task(0);
    let table = task.space().table().expect("a table");
    // The first row of the first file and its value.
    let config = task.space().decode(&table[0]);
    let rate = config.number("learning_rate").expect("a column");
    assert!((rate - 0.348_937_088_235_085_24).abs() < 1e-12, "{rate}");
    let outcome = task
        .noise_free(&Candidate::at(table[0].clone()))
        .expect("known");
    let value = outcome
        .costs()
        .and_then(|costs| costs.complete())
        .expect("finite")[0];
    assert!((value - 0.128_703_703_703_703_65).abs() < 1e-15, "{value}");
    let best = task.optimum().expect("one objective").value.cost;
    assert!((best - 0.125_37).abs() < 1e-5, "{best}");
}

#[test]
fn meta_data_of_a_table_repeats_no_row() {
    let Some(family) = tables(HpobenchXgbConfig::default()) else {
        return;
    };
    let metadata = family.metadata(&[47], 5000, &mut ChaCha8Rng::seed_from_u64(6));
    let mut points: Vec<Vec<u64>> = metadata.tasks[0]
        .observations
        .iter()
        .map(|seen| {
            seen.candidate
                .point
                .coords()
                .iter()
                .map(|u| u.to_bits())
                .collect()
        })
        .collect();
    points.sort();
    points.dedup();
    assert_eq!(points.len(), 897);
}

#[test]
fn the_published_direction_and_the_log_scale_are_options() {
    use warmfront_core::Direction;
    let published = HpobenchXgbConfig {
        log_scale: false,
        direction: Direction::Maximize,
    };
    let (Some(ours), Some(theirs)) = (tables(HpobenchXgbConfig::default()), tables(published))
    else {
        return;
    };
    let (ours, theirs) = (ours.task(20), theirs.task(20));
    let spread = |problem: &dyn Problem| {
        let rows = problem.space().table().expect("a table");
        rows.iter().filter(|row| row.coords()[4] < 0.1).count()
    };
    assert!(spread(&*theirs) > 500, "{}", spread(&*theirs));
    assert!(spread(&*ours) < 200, "{}", spread(&*ours));
    let first = |problem: &dyn Problem| {
        let row = problem.space().table().expect("a table")[0].clone();
        let outcome = problem.noise_free(&Candidate::at(row)).expect("known");
        outcome
            .costs()
            .and_then(|costs| costs.complete())
            .expect("finite")[0]
    };
    assert_eq!(first(&*ours).to_bits(), (-first(&*theirs)).to_bits());
}
