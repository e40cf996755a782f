//! Serving a neural acquisition process: one proposal from a table, and runs of 5000 evaluations.
//!
//! A long run is told evenly spread points, except that the strategy proposes its own at the steps that
//! are timed; with `--full` it proposes all. `--save-baseline` and `--baseline` keep and compare the times as
//! Criterion does, but not the memory. The largest memory is that of the whole process so far, so
//! the histories come in the order of what they need.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time and prints it"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use rand::RngExt;
use warmfront_bench::figures::Figures;
use warmfront_core::{
    Candidate, Costs, Objectives, Observation, Outcome, Purpose, SearchSpace, Seed, Strategy as _,
    TrialId, UnitPoint,
};
use warmfront_np::{
    About, History, HistoryAttention, Initialisation, Nap, NapConfig, Network, NetworkConfig,
    Policy,
};

const DIM: usize = 6;
const SEED: Seed = Seed(1);
const LONG: u64 = 5000;
/// The steps that are timed: ten up to each of these.
const TIMED: [u64; 3] = [100, 500, LONG];

/// A policy of the size for processors; how long it takes does not depend on its weights.
fn policy(attention: HistoryAttention) -> Arc<Policy> {
    let config = NetworkConfig {
        attention,
        initialisation: Initialisation::Scaled,
        ..NetworkConfig::compact(DIM)
    };
    let network = Network::new(config, &mut SEED.stream(Purpose::Init, 0));
    let about = About::new(&SearchSpace::unit_cube(DIM), LONG as usize);
    let policy = Policy::new(network.expect("a named configuration"), about);
    Arc::new(policy.expect("of the same dimension"))
}

fn build(space: &SearchSpace, history: History, screening: Option<usize>) -> Nap {
    let attention = match history {
        History::Cached => HistoryAttention::Causal,
        _ => HistoryAttention::Full,
    };
    let mut config = NapConfig {
        history,
        ..NapConfig::default()
    };
    config.maximize.screening = screening;
    config
        .build(policy(attention), space, &Objectives::minimize_all(1))
        .expect("the policy is for this space")
}

fn observe(trial: u64, candidate: Candidate) -> Observation {
    let x = candidate.point.coords();
    let cost = x
        .iter()
        .enumerate()
        .map(|(j, c)| (c - 0.1 * j as f64).powi(2) + 0.1 * (20.0 * c).sin())
        .sum();
    Observation {
        trial: TrialId(trial),
        candidate,
        outcome: Outcome::Complete(Costs::from_values(vec![cost]).expect("finite")),
    }
}

fn spread(space: &SearchSpace, trial: u64) -> Candidate {
    Candidate::at(space.sample(&mut SEED.stream(Purpose::Evaluate, trial)))
}

fn ask(nap: &Nap, trial: u64) -> Candidate {
    let mut rng = SEED.stream(Purpose::Ask, trial);
    let asked = nap.ask(NonZeroUsize::MIN, &[], &mut rng);
    asked.expect("there are points left").remove(0)
}

fn tell(nap: &mut Nap, batch: &[Observation]) {
    let mut rng = SEED.stream(Purpose::Tell, 0);
    nap.tell(batch, &mut rng).expect("told what was asked");
}

fn put(figures: &Figures, name: &str, seconds: f64) {
    if figures.wants(name) {
        let kept = figures.put(name, seconds);
        kept.expect("the target folder can be written");
    }
}

fn from_table(figures: &Figures) {
    const NAME: &str = "np_serve/table";
    if !figures.wants(NAME) {
        return;
    }
    let mut rng = SEED.stream(Purpose::Init, 1);
    let rows = (0..1100).map(|_| {
        let coords: Vec<f64> = (0..DIM).map(|_| rng.random()).collect();
        UnitPoint::clamped(coords)
    });
    let space = SearchSpace::unit_cube(DIM)
        .with_table(rows.collect())
        .expect("all rows differ");
    let mut nap = build(&space, History::Exact, None);
    let told: Vec<Observation> = (0..100)
        .map(|trial| {
            let row = &space.table().expect("made above")[trial as usize];
            observe(trial, Candidate::at(row.clone()))
        })
        .collect();
    tell(&mut nap, &told);
    let times: Vec<f64> = (0..21).map(|_| seconds(|| drop(ask(&nap, 0)))).collect();
    let seconds = median(times);
    println!(
        "table, history 100, 1000 candidates, one thread: {:.1} ms a proposal (median of 21)",
        1e3 * seconds
    );
    put(figures, NAME, seconds);
}

fn long_run(figures: &Figures, history: History, screening: Option<usize>, full: bool) {
    let screened = screening.map_or("all".into(), |k| k.to_string());
    // A run with `--full` finds other histories, and is no baseline for the others.
    let run = if full { "full" } else { "spread" };
    let kind = match history {
        History::TopK(k) => format!("top-{k}"),
        other => format!("{other:?}").to_lowercase(),
    };
    let name = |step: u64| format!("np_serve/{run}/{kind}/{screened}/{step}");
    if !TIMED.iter().any(|&step| figures.wants(&name(step))) {
        return;
    }
    let space = SearchSpace::unit_cube(DIM);
    let mut nap = build(&space, history, screening);
    let begin = Instant::now();
    let mut waiting = Vec::new();
    let mut times: Vec<(u64, f64)> = Vec::new();
    for trial in 0..LONG {
        let timed = TIMED.iter().find(|&&end| (end - 10..end).contains(&trial));
        if timed.is_none() && !full {
            waiting.push(observe(trial, spread(&space, trial)));
            continue;
        }
        tell(&mut nap, &waiting);
        waiting.clear();
        let mut candidate = None;
        let asked = seconds(|| candidate = Some(ask(&nap, trial)));
        let observation = observe(trial, candidate.expect("asked"));
        let told = seconds(|| tell(&mut nap, std::slice::from_ref(&observation)));
        if let Some(end) = timed {
            times.push((*end, asked + told));
        }
    }
    let at = |step| {
        let all = times.iter().filter(|(end, _)| *end == step);
        median(all.map(|(_, seconds)| *seconds).collect())
    };
    let steps = TIMED.map(|step| format!("{:.1} ms at {step}", 1e3 * at(step)));
    println!(
        "box, {history:?}, screened with {}: a step takes {}; last to 500th {:.1}; {:.0} s for the run, {} MB at most so far",
        screened,
        steps.join(", "),
        at(LONG) / at(500),
        begin.elapsed().as_secs_f64(),
        peak_megabytes()
    );
    for step in TIMED {
        put(figures, &name(step), at(step));
    }
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Largest resident memory of this process, where the system tells it.
fn peak_megabytes() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or("?".into(), |kb| (kb / 1024).to_string())
}

fn main() {
    let full = std::env::args().any(|arg| arg == "--full");
    let figures = Figures::from_arguments().expect("cargo puts a bench into the target folder");
    from_table(&figures);
    long_run(&figures, History::TopK(256), None, full);
    long_run(&figures, History::Cached, Some(256), full);
    long_run(&figures, History::Cached, None, false);
    long_run(&figures, History::Exact, None, false);
}
