//! Memory of this process, where the system tells it.

/// An entry of the process' status in MB: `VmRSS` for what it holds now, `VmHWM` for the most it held.
pub(crate) fn status(entry: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|l| l.starts_with(entry))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<f64>()
        .ok()
        .map(|kb| kb * 1.024e-3)
}

/// Forgets the most that was held so far, for a measurement that begins now.
pub(crate) fn reset_peak() {
    // Where the system cannot, the peak includes what came before.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
