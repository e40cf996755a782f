//! PMTO: a whole offline run, and one answer of its task model.
//!
//! The run takes about a minute, so that it is timed once instead of by Criterion's samples. `--save-baseline`
//! and `--baseline` mean what they mean there.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time and prints it"
)]

use std::num::NonZeroUsize;
use std::time::Instant;

use warmfront_bench::figures::Figures;
use warmfront_core::{Observation, Purpose, Seed, Strategy as _, TrialId, UnitPoint};
use warmfront_meta::pmto::{Pmto, PmtoConfig};
use warmfront_problems::Problem as _;
use warmfront_problems::parametric::{
    ParametricFunction, ParametricProblem as _, ParametricSynthetic, TaskShift,
};

const EVALUATIONS: u64 = 2000;
const QUERIES: u32 = 20_000;

/// Runs the offline phase and returns the seconds spent in the strategy.
fn offline(problem: &ParametricSynthetic, config: &PmtoConfig) -> (Pmto, f64) {
    let seed = Seed(1);
    let mut rng = seed.stream(Purpose::Init, 0);
    let mut pmto = config
        .build(
            problem.space(),
            problem.task_dim(),
            problem.objectives(),
            &mut rng,
        )
        .expect("the configuration is a named one");
    let mut seconds = 0.0;
    for trial in 0..EVALUATIONS {
        let start = Instant::now();
        let candidate = pmto
            .ask(
                NonZeroUsize::MIN,
                &[],
                &mut seed.stream(Purpose::Ask, trial),
            )
            .expect("a box never runs out")
            .remove(0);
        seconds += start.elapsed().as_secs_f64();
        let outcome = problem
            .evaluate(&candidate, &mut seed.stream(Purpose::Evaluate, trial))
            .expect("the candidate carries its task");
        let observation = Observation {
            trial: TrialId(trial),
            candidate,
            outcome,
        };
        let start = Instant::now();
        pmto.tell(&[observation], &mut seed.stream(Purpose::Tell, trial))
            .expect("told what was asked");
        seconds += start.elapsed().as_secs_f64();
    }
    (pmto, seconds)
}

fn main() {
    let figures = Figures::from_arguments().expect("cargo puts a bench into the target folder");
    let put = |name: &str, seconds: f64| {
        if figures.wants(name) {
            let kept = figures.put(name, seconds);
            kept.expect("the target folder can be written");
        }
    };
    let ackley = ParametricSynthetic::new(ParametricFunction::Ackley, TaskShift::I, 4, 5);
    for (short, config) in [
        ("improved", PmtoConfig::improved()),
        ("as-run", PmtoConfig::as_run()),
    ] {
        let names = ["run", "task-model", "answer"].map(|what| format!("pmto/{short}/{what}"));
        if !names.iter().any(|name| figures.wants(name)) {
            continue;
        }
        let (pmto, seconds) = offline(&ackley, &config);
        println!(
            "{}: {EVALUATIONS} evaluations of Ackley-I (V = 4, D = 5), one thread: {seconds:.1} s",
            config.name
        );
        put(&names[0], seconds);
        let start = Instant::now();
        let model = pmto.task_model().expect("tasks are solved");
        let seconds = start.elapsed().as_secs_f64();
        println!("  task model: {seconds:.2} s");
        put(&names[1], seconds);
        let tasks: Vec<UnitPoint> = (0..QUERIES)
            .map(|i| {
                let share = |k: u32| (f64::from(i) * f64::from(2 * k + 1).sqrt()).fract();
                UnitPoint::clamped((1..=5).map(share).collect::<Vec<_>>())
            })
            .collect();
        let start = Instant::now();
        let sum: f64 = tasks
            .iter()
            .map(|task| model.solution(task).mean.coords()[0])
            .sum();
        let each = start.elapsed().as_secs_f64() / f64::from(QUERIES);
        println!(
            "  one answer with its uncertainty: {:.1} µs (mean of x0 {:.3})",
            1e6 * each,
            sum / f64::from(QUERIES)
        );
        put(&names[2], each);
    }
}
