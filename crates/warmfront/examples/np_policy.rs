//! A small policy, trained in seconds on two-dimensional bowls, written, read back and served on
//! tables that it has not seen.
//!
//! Prints the mean regret of the policy and of random search after each evaluation.

use std::num::NonZeroUsize;
use std::sync::Arc;

use rand::{Rng, RngExt};
use warmfront::core::{
    Costs, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed, Strategy, TrialId,
    UnitPoint,
};
use warmfront::meta::baseline::RandomSearch;
use warmfront::np::train::{PpoConfig, SupervisedConfig, TrainConfig, Trainer};
use warmfront::np::{About, NapConfig, NetworkConfig, Policy, Precision, Task, TaskSource};

type Error = Box<dyn std::error::Error>;

const ROWS: usize = 200;
const TASKS: u64 = 20;
const EVALUATIONS: u64 = 15;

/// Bowls of any place and width.
struct Bowls;

impl TaskSource for Bowls {
    fn dim(&self) -> usize {
        2
    }

    fn draw(&self, candidates: usize, rng: &mut dyn Rng) -> Task {
        let mut uniform = || rng.random::<f64>();
        let (a, b) = (uniform(), uniform());
        let (width, height) = (0.3 + uniform(), 0.3 + uniform());
        let x: Vec<f32> = (0..2 * candidates).map(|_| uniform() as f32).collect();
        let cost = |x: &[f32]| {
            let (u, v) = (f64::from(x[0]) - a, f64::from(x[1]) - b);
            (u / width).powi(2) + (v / height).powi(2)
        };
        let costs = x.chunks_exact(2).map(cost).collect();
        Task::new(2, x, costs).expect("all finite")
    }

    fn name(&self) -> &str {
        "bowls"
    }
}

fn train(seed: Seed) -> Result<Policy, Error> {
    let config = TrainConfig {
        warm_up: Some(SupervisedConfig {
            steps: 1500,
            batch: 8,
            learning_rate: 3e-3,
            history: (0, 20),
            queries: 40,
            ..SupervisedConfig::compact()
        }),
        policy: Some(PpoConfig {
            iterations: 10,
            tasks: 4,
            trajectories: 4,
            initial: (0, 2),
            horizon: (10, 15),
            candidates: 100,
            ..PpoConfig::compact()
        }),
        ..TrainConfig::two_phase()
    };
    let network = NetworkConfig {
        layers: 2,
        width: 32,
        feed_forward: 64,
        ..NetworkConfig::compact(2)
    };
    let mut trainer = Trainer::new(config, network, seed)?;
    while trainer.advance(&Bowls).is_some() {}
    let about = About {
        trained: "on bowls, for an example".into(),
        ..About::new(&SearchSpace::unit_cube(2), EVALUATIONS as usize)
    };
    Ok(trainer.finish(about)?)
}

/// The normalised regret after each evaluation.
fn run(
    mut strategy: impl Strategy,
    space: &SearchSpace,
    task: &Task,
    index: u64,
) -> Result<Vec<f64>, Error> {
    let seed = Seed(7).child(index);
    let mut best = f64::INFINITY;
    let mut curve = Vec::new();
    for step in 0..EVALUATIONS {
        let candidate = strategy
            .ask(NonZeroUsize::MIN, &[], &mut seed.stream(Purpose::Ask, step))?
            .remove(0);
        let row = space.row_of(&candidate.point).ok_or("not a row")?;
        let cost = task.costs()[row];
        best = best.min(cost);
        curve.push(task.regret(best));
        let observation = Observation {
            trial: TrialId(step),
            candidate,
            outcome: Outcome::Complete(Costs::from_values(vec![cost])?),
        };
        strategy.tell(&[observation], &mut seed.stream(Purpose::Tell, step))?;
    }
    Ok(curve)
}

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Error> {
    let mut file = Vec::new();
    train(Seed(1))?.write_with(&mut file, Precision::Half)?;
    println!("the policy takes {} bytes", file.len());
    let policy = Policy::read(&file[..])?;

    let one = Objectives::minimize_all(1);
    let policy = Arc::new(policy);
    let mut sums = vec![[0.0; 2]; EVALUATIONS as usize];
    for index in 0..TASKS {
        let task = Bowls.draw(ROWS, &mut Seed(2).stream(Purpose::Init, index));
        let rows = task.x().chunks_exact(2);
        let rows = rows.map(|x| UnitPoint::clamped([f64::from(x[0]), f64::from(x[1])]));
        let space = SearchSpace::unit_cube(2).with_table(rows.collect())?;
        let nap = NapConfig::default().build(policy.clone(), &space, &one)?;
        let curves = [
            run(nap, &space, &task, index)?,
            run(RandomSearch::new(&space, &one), &space, &task, index)?,
        ];
        for (method, curve) in curves.iter().enumerate() {
            for (sum, regret) in sums.iter_mut().zip(curve) {
                sum[method] += regret / TASKS as f64;
            }
        }
    }
    println!("evaluations     NAP   random");
    for (i, [nap, random]) in sums.iter().enumerate() {
        println!("{:>11} {nap:>7.4} {random:>8.4}", i + 1);
    }
    Ok(())
}
