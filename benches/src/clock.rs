//! Time on the clock and processor time, where the system tells it.

use std::time::Instant;

/// Seconds of the calling thread.
pub(crate) fn thread_seconds() -> Option<f64> {
    nanoseconds("/proc/thread-self/schedstat")
}

/// Seconds of all threads of this process that have not ended.
fn threads_seconds() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let of = |task: std::fs::DirEntry| nanoseconds(task.path().join("schedstat"));
    tasks.map(|task| of(task.ok()?)).sum()
}

fn nanoseconds(path: impl AsRef<std::path::Path>) -> Option<f64> {
    let text = std::fs::read_to_string(path).ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}

/// Seconds of all threads of this process, those that have ended included.
pub(crate) fn process_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything, blanks and brackets included.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    Some(ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0)
}

/// A time that has passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lap {
    /// On the clock.
    pub(crate) seconds: f64,
    /// Of processor time, where the system tells.
    pub(crate) cpu_seconds: Option<f64>,
}

impl Default for Lap {
    fn default() -> Self {
        Self {
            seconds: 0.0,
            cpu_seconds: Some(0.0),
        }
    }
}

impl Lap {
    pub(crate) fn plus(self, other: Self) -> Self {
        let cpu = self.cpu_seconds.zip(other.cpu_seconds);
        Self {
            seconds: self.seconds + other.seconds,
            cpu_seconds: cpu.map(|(a, b)| a + b),
        }
    }
}

/// Measures time on the clock and on the processor.
pub(crate) struct Stopwatch {
    start: Instant,
    cpu: Option<f64>,
    read: fn() -> Option<f64>,
}

impl Stopwatch {
    /// Processor time is that of the calling thread.
    pub(crate) fn of_thread() -> Self {
        Self::start(thread_seconds)
    }

    /// Processor time is that of all threads that live from now to the lap, a pool's for example.
    pub(crate) fn of_threads() -> Self {
        Self::start(threads_seconds)
    }

    #[expect(clippy::disallowed_methods, reason = "experiments measure time")]
    fn start(read: fn() -> Option<f64>) -> Self {
        // The system counts a running thread's time when it could be replaced by another.
        std::thread::yield_now();
        Self {
            cpu: read(),
            start: Instant::now(),
            read,
        }
    }

    /// The time since the start.
    pub(crate) fn lap(&self) -> Lap {
        let seconds = self.seconds();
        std::thread::yield_now();
        let cpu = self.cpu.zip((self.read)());
        Lap {
            seconds,
            cpu_seconds: cpu.map(|(before, now)| now - before),
        }
    }

    /// Seconds on the clock since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_worked_at_least_as_long_as_its_thread() {
        if let (Some(thread), Some(process)) = (thread_seconds(), process_seconds()) {
            // Ticks of a hundredth of a second.
            assert!(
                thread >= 0.0 && thread <= process + 0.05,
                "{thread}, {process}"
            );
        }
    }

    #[test]
    fn work_is_counted_at_once_and_in_every_thread() {
        let watch = Stopwatch::of_threads();
        let alone = Stopwatch::of_thread();
        let mut x = 1.0_f64;
        while alone.seconds() < 0.002 {
            x = x.sin();
        }
        std::hint::black_box(x);
        let (alone, all) = (alone.lap(), watch.lap());
        if let (Some(alone), Some(all)) = (alone.cpu_seconds, all.cpu_seconds) {
            assert!(alone > 0.0 && all >= alone, "{alone}, {all}");
        }
    }
}
