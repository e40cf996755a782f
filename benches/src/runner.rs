//! Runs cells on several threads, stores each as it finishes, and says how long it will take.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cell::{Cell, CellResult};
use crate::store::Store;

/// Knows how to run a cell.
pub trait Work: Sync {
    /// Runs one cell from scratch. The result may depend on the cell alone.
    ///
    /// # Errors
    /// When the method or the problem fails; the other cells go on.
    fn run(&self, cell: &Cell) -> anyhow::Result<CellResult>;
}

/// How to run.
#[derive(Debug, Clone, Default)]
pub struct RunConfig {
    /// Number of threads; 0 for one per core.
    pub jobs: usize,
    /// No cell starts later than this.
    pub time_limit: Option<Duration>,
    /// Whether to report progress on standard error.
    pub progress: bool,
}

/// What a run leaves.
#[derive(Debug, Default)]
pub struct RunOutcome {
    /// Results of all finished cells, earlier runs included.
    pub finished: BTreeMap<Cell, CellResult>,
    /// Cells whose method or problem failed, with the reason.
    pub failures: Vec<(Cell, String)>,
    /// How many of the finished cells were there before.
    pub reused: usize,
    /// How many cells were not started because of the time limit.
    pub left: usize,
}

/// Runs every cell that `store` does not hold yet.
///
/// Cells start in the order given: the exclusive ones first, one at a time (they are few, and a time
/// limit must not cut off all of them), then the others on all threads. Each runs inside a rayon pool of one thread: with as many cells as cores in flight,
/// parallel loops inside a method would only disturb the times.
///
/// # Errors
/// When a finished cell cannot be stored, for example because the disk is full. What is stored
/// stays.
pub fn run(
    cells: &[Cell],
    work: &dyn Work,
    store: &Store,
    config: &RunConfig,
) -> anyhow::Result<RunOutcome> {
    let mut outcome = RunOutcome::default();
    let mut open = Vec::new();
    for cell in cells {
        if outcome.finished.contains_key(cell) {
            continue;
        }
        match store.load(cell) {
            Some(result) => {
                outcome.finished.insert(cell.clone(), result);
            }
            None => open.push(cell),
        }
    }
    outcome.reused = outcome.finished.len();
    let jobs = match config.jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let (alone, shared): (Vec<_>, Vec<_>) = open.iter().copied().partition(|c| c.exclusive);
    let state = State::new(config, jobs, &open, outcome);
    state.drain(&alone, 1, work, store)?;
    state.drain(&shared, jobs, work, store)?;
    Ok(state.finish())
}

struct State {
    start: Instant,
    time_limit: Option<Duration>,
    stop: AtomicBool,
    inner: Mutex<(RunOutcome, Forecast)>,
    bar: ProgressBar,
    /// Progress as lines, for outputs that are no terminal.
    plain: bool,
}

impl State {
    #[expect(clippy::disallowed_methods, reason = "progress needs a clock")]
    fn new(config: &RunConfig, jobs: usize, open: &[&Cell], outcome: RunOutcome) -> Self {
        let bar = if config.progress && !open.is_empty() {
            ProgressBar::with_draw_target(Some(open.len() as u64), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = "{elapsed_precise} [{bar:32}] {pos}/{len} cells {msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("a constant template"));
        bar.enable_steady_tick(Duration::from_millis(500));
        let plain = config.progress && bar.is_hidden() && !open.is_empty();
        Self {
            start: Instant::now(),
            time_limit: config.time_limit,
            stop: AtomicBool::new(false),
            inner: Mutex::new((outcome, Forecast::new(open, jobs))),
            bar,
            plain,
        }
    }

    fn drain(
        &self,
        cells: &[&Cell],
        jobs: usize,
        work: &dyn Work,
        store: &Store,
    ) -> anyhow::Result<()> {
        let next = AtomicUsize::new(0);
        let worker = || -> anyhow::Result<()> {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .context("cannot start a worker thread")?;
            while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.stop.load(Ordering::Relaxed) || self.out_of_time() {
                    self.lock().0.left += 1;
                    continue;
                }
                if let Err(error) = pool.install(|| self.one(cell, work, store)) {
                    self.stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let jobs = jobs.min(cells.len());
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
            let join = |w: std::thread::ScopedJoinHandle<'_, _>| w.join().expect("work is caught");
            workers
                .into_iter()
                .map(join)
                .collect::<Vec<anyhow::Result<()>>>()
        })
        .into_iter()
        .collect()
    }

    /// Runs and stores one cell; only a failure to store is an error.
    #[expect(clippy::disallowed_methods, reason = "the forecast needs a clock")]
    fn one(&self, cell: &Cell, work: &dyn Work, store: &Store) -> anyhow::Result<()> {
        let start = Instant::now();
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| work.run(cell)))
            .unwrap_or_else(|payload| Err(anyhow::anyhow!("panicked: {}", panic_text(&*payload))));
        let seconds = start.elapsed().as_secs_f64();
        if let Ok(result) = &result {
            store.save(cell, result)?;
        }
        let mut guard = self.lock();
        let (outcome, forecast) = &mut *guard;
        match result {
            Ok(result) => {
                outcome.finished.insert(cell.clone(), result);
            }
            Err(error) => outcome.failures.push((cell.clone(), format!("{error:#}"))),
        }
        forecast.finished(cell, seconds);
        self.report(forecast);
        Ok(())
    }

    fn report(&self, forecast: &mut Forecast) {
        let left = Duration::from_secs(forecast.remaining_seconds() as u64);
        self.bar.inc(1);
        let left = indicatif::HumanDuration(left);
        self.bar.set_message(format!("about {left} left"));
        let percent = 100 * forecast.done / forecast.total.max(1);
        if self.plain && percent / 5 > forecast.reported / 5 {
            forecast.reported = percent;
            let spent = indicatif::HumanDuration(self.start.elapsed());
            progress_line(&format!(
                "{} of {} cells, {spent} spent, about {left} left",
                forecast.done, forecast.total
            ));
        }
    }

    fn out_of_time(&self) -> bool {
        self.time_limit
            .is_some_and(|limit| self.start.elapsed() >= limit)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (RunOutcome, Forecast)> {
        // A panic while holding the lock leaves counts that are still usable.
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn finish(self) -> RunOutcome {
        self.bar.finish_and_clear();
        let (mut outcome, _) = self
            .inner
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        outcome.failures.sort();
        outcome
    }
}

#[expect(clippy::print_stderr, reason = "progress of a command-line program")]
fn progress_line(text: &str) {
    eprintln!("{text}");
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
        .to_owned()
}

/// Remaining time from the measured cost of each method on each problem.
struct Forecast {
    jobs: usize,
    total: usize,
    done: usize,
    /// The percentage that was last printed as a line.
    reported: usize,
    open: HashMap<(String, String), usize>,
    /// Seconds and number of finished cells.
    measured: HashMap<(String, String), (f64, usize)>,
}

impl Forecast {
    fn new(open: &[&Cell], jobs: usize) -> Self {
        let mut counts = HashMap::new();
        for cell in open {
            *counts.entry(Self::kind(cell)).or_default() += 1;
        }
        Self {
            jobs,
            total: open.len(),
            done: 0,
            reported: 0,
            open: counts,
            measured: HashMap::new(),
        }
    }

    fn kind(cell: &Cell) -> (String, String) {
        (cell.method.clone(), cell.problem.clone())
    }

    fn finished(&mut self, cell: &Cell, seconds: f64) {
        self.done += 1;
        let kind = Self::kind(cell);
        if let Some(open) = self.open.get_mut(&kind) {
            *open -= 1;
        }
        let entry = self.measured.entry(kind).or_default();
        entry.0 += seconds;
        entry.1 += 1;
    }

    fn remaining_seconds(&self) -> f64 {
        let mean = |entries: &mut dyn Iterator<Item = &(f64, usize)>| {
            let (sum, count) = entries.fold((0.0, 0), |(s, c), e| (s + e.0, c + e.1));
            (count > 0).then(|| sum / count as f64)
        };
        let overall = mean(&mut self.measured.values()).unwrap_or(0.0);
        let mut seconds = 0.0;
        for (kind, open) in &self.open {
            // Unmeasured: the same method elsewhere says more than the average of all.
            let exact = mean(&mut self.measured.get(kind).into_iter());
            let same = self
                .measured
                .iter()
                .filter(|(k, _)| k.0 == kind.0)
                .map(|(_, v)| v);
            let each = exact.or_else(|| mean(&mut { same })).unwrap_or(overall);
            seconds += each * *open as f64;
        }
        seconds / self.jobs.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecast_uses_what_was_measured() {
        let cell = |method: &str, problem: &str, seed| Cell {
            seed,
            problem: problem.into(),
            task: 0,
            method: method.into(),
            evaluations: 1,
            fingerprint: String::new(),
            exclusive: false,
        };
        let cells: Vec<_> = (0..3)
            .flat_map(|s| {
                [
                    cell("slow", "p", s),
                    cell("fast", "p", s),
                    cell("slow", "q", s),
                ]
            })
            .collect();
        let open: Vec<&Cell> = cells.iter().collect();
        let mut forecast = Forecast::new(&open, 2);
        assert!(forecast.remaining_seconds() < 1e-12);
        forecast.finished(&cells[0], 10.0);
        forecast.finished(&cells[1], 1.0);
        // Two slow ones on p, two fast ones, three slow ones on q, on two threads.
        assert!((forecast.remaining_seconds() - (20.0 + 2.0 + 30.0) / 2.0).abs() < 1e-9);
    }
}
