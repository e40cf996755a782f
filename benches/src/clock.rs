//! Processor time, where the system tells it.

/// Seconds of the calling thread.
pub(crate) fn thread_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
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
}
