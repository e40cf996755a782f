//! What criterion has measured, and what changed since it was measured before.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use serde_json::Value;

/// Relative changes of the median beyond this are marked.
const MARKED: f64 = 0.1;

/// One bench.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measurement {
    name: String,
    /// Nanoseconds per iteration.
    median: f64,
    /// Relative change against the baseline, if it has this bench.
    pub(super) change: Option<Change>,
    /// The change when it was measured a second time.
    again: Option<Change>,
}

/// A relative change of the median, with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    estimate: f64,
    low: f64,
    high: f64,
}

impl Measurement {
    /// Whether the median is beyond the mark, in both measurements where there are two.
    fn is_slower(&self) -> bool {
        let changes = || self.change.iter().chain(&self.again);
        changes().count() > 0 && changes().all(|change| change.estimate > MARKED)
    }

    fn mark(&self) -> &'static str {
        match (self.change, self.again) {
            (_, Some(_)) if self.is_slower() => "SLOWER, twice",
            (Some(_), Some(_)) => "slower once, not again",
            (Some(Change { estimate, .. }), None) if estimate > MARKED => "slower?",
            (Some(Change { high, .. }), _) if high < -MARKED => "FASTER",
            (Some(Change { estimate, .. }), _) if estimate < -MARKED => "faster?",
            _ => "",
        }
    }
}

/// The benches below `folder` that were measured since `start`, by name.
pub(super) fn read(
    folder: &Path,
    start: SystemTime,
    baseline: Option<&str>,
) -> anyhow::Result<Vec<Measurement>> {
    let mut found = Vec::new();
    collect(folder, start, baseline, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Whether a bench below `folder` has a measurement of this name.
pub(super) fn is_saved(folder: &Path, name: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    let mut folders = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir());
    folders.any(|inner| {
        (inner.ends_with(name) && inner.join("estimates.json").exists()) || is_saved(&inner, name)
    })
}

fn collect(
    folder: &Path,
    start: SystemTime,
    baseline: Option<&str>,
    found: &mut Vec<Measurement>,
) -> anyhow::Result<()> {
    let estimates = folder.join("new/estimates.json");
    if let Ok(file) = estimates.metadata() {
        // Whole seconds are what some file systems keep.
        let fresh = file.modified()? + std::time::Duration::from_secs(1) >= start;
        if fresh {
            found.push(measurement(folder, baseline)?);
        }
        return Ok(());
    }
    // Nothing was measured where there is no folder.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, start, baseline, found)?;
        }
    }
    Ok(())
}

fn measurement(folder: &Path, baseline: Option<&str>) -> anyhow::Result<Measurement> {
    let name = json(&folder.join("new/benchmark.json"))?["full_id"]
        .as_str()
        .context("a bench without a name")?
        .to_owned();
    let [median, ..] = estimate(&folder.join("new/estimates.json"))?;
    let known = baseline.is_some_and(|name| folder.join(name).join("estimates.json").exists());
    let change = match known {
        true => {
            let [estimate, low, high] = estimate(&folder.join("change/estimates.json"))?;
            Some(Change {
                estimate,
                low,
                high,
            })
        }
        false => None,
    };
    Ok(Measurement {
        name,
        median,
        change,
        again: None,
    })
}

fn json(path: &Path) -> anyhow::Result<Value> {
    let context = || format!("cannot read {}", path.display());
    let text = std::fs::read(path).with_context(context)?;
    serde_json::from_slice(&text).with_context(context)
}

/// The median with the ends of its confidence interval.
fn estimate(path: &Path) -> anyhow::Result<[f64; 3]> {
    let value = json(path)?;
    let median = &value["median"];
    let interval = &median["confidence_interval"];
    let number = |of: &Value| {
        let context = || format!("{} has no median", path.display());
        of.as_f64().with_context(context)
    };
    Ok([
        number(&median["point_estimate"])?,
        number(&interval["lower_bound"])?,
        number(&interval["upper_bound"])?,
    ])
}

/// The names of the benches that are slower by more than is marked.
pub(super) fn slower(measured: &[Measurement]) -> Vec<&str> {
    let slower = measured.iter().filter(|m| m.is_slower());
    slower.map(|m| &*m.name).collect()
}

/// A pattern that fits these names and nothing else.
pub(super) fn filter(names: &[&str]) -> String {
    let escaped: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    format!("^({})$", escaped.join("|"))
}

fn escaped(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/_- ".contains(c);
    let mut text = String::new();
    for c in name.chars() {
        if !plain(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Notes down the second measurement of those that were measured twice.
pub(super) fn confirm(measured: &mut [Measurement], again: &[Measurement]) {
    for one in measured.iter_mut().filter(|one| one.is_slower()) {
        let second = again.iter().find(|m| m.name == one.name);
        one.again = second.and_then(|m| m.change);
    }
}

/// Whether a bench is slower by more than is marked, both times it was measured.
pub(super) fn has_regressed(measured: &[Measurement]) -> bool {
    measured.iter().any(Measurement::is_slower)
}

/// Every bench with its median, and its change where there is one.
pub(super) fn table(measured: &[Measurement]) -> String {
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let mut text = String::from("\n");
    for one in measured {
        let _ = write!(text, "{:width$}  {:>10}", one.name, duration(one.median));
        let percent = |v: f64| format!("{:+.1}", 100.0 * v);
        if let Some(change) = one.change {
            let _ = write!(
                text,
                "  {:>6} % ({} to {})",
                percent(change.estimate),
                percent(change.low),
                percent(change.high)
            );
        }
        if let Some(again) = one.again {
            let _ = write!(text, ", again {} %", percent(again.estimate));
        }
        let _ = write!(text, "  {}", one.mark());
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        v if v < 1e3 => (v, "ns"),
        v if v < 1e6 => (v / 1e3, "µs"),
        v if v < 1e9 => (v / 1e6, "ms"),
        v => (v / 1e9, "s"),
    };
    let digits = usize::from(value < 100.0) + usize::from(value < 10.0);
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimates(median: [f64; 3]) -> String {
        let [point, low, high] = median;
        let interval =
            format!(r#"{{"confidence_level": 0.95, "lower_bound": {low}, "upper_bound": {high}}}"#);
        format!(r#"{{"median": {{"point_estimate": {point}, "confidence_interval": {interval}}}}}"#)
    }

    /// Criterion's files of benches: name, median, and the change against a baseline if it has the bench.
    fn read_of(test: &str, benches: &[(&str, f64, Option<[f64; 3]>)]) -> Vec<Measurement> {
        let root = std::env::temp_dir().join(format!("warmfront-{test}-{}", std::process::id()));
        for (name, median, change) in benches {
            let folder = root.join(name);
            let put = |file: &str, text: String| {
                let path = folder.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            };
            put("new/estimates.json", estimates([*median; 3]));
            put("new/benchmark.json", format!(r#"{{"full_id": "{name}"}}"#));
            if let Some(change) = change {
                put("before/estimates.json", estimates([*median; 3]));
                put("change/estimates.json", estimates(*change));
            }
        }
        let read = read(&root, SystemTime::UNIX_EPOCH, Some("before"));
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 40);
        let none = super::read(&root, later, None);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(none.unwrap(), [], "measured earlier");
        read.unwrap()
    }

    #[test]
    fn a_slowdown_counts_when_it_is_found_twice() {
        let once = |test: &str, change| read_of(test, &[("gp/fit/50", 1e6, Some(change))]);
        let marked = |test: &str, change| {
            let measured = once(test, change);
            (measured[0].mark(), slower(&measured).len())
        };
        assert_eq!(marked("slower", [0.15, 0.12, 0.18]), ("slower?", 1));
        // The confidence interval does not know of other work on the machine.
        assert_eq!(marked("perhaps", [0.15, 0.05, 0.25]), ("slower?", 1));
        assert_eq!(marked("little", [0.05, 0.02, 0.08]), ("", 0));
        assert_eq!(marked("faster", [-0.3, -0.4, -0.2]), ("FASTER", 0));
        assert_eq!(marked("faster?", [-0.15, -0.3, 0.1]), ("faster?", 0));

        let twice = |test: &str, second: f64| {
            let mut measured = once(test, [0.15, 0.05, 0.25]);
            confirm(&mut measured, &once(test, [second, 0.0, 0.3]));
            (measured[0].mark(), has_regressed(&measured))
        };
        assert_eq!(twice("twice", 0.12), ("SLOWER, twice", true));
        assert_eq!(twice("drift", 0.02), ("slower once, not again", false));
    }

    #[test]
    fn a_slowdown_that_was_not_measured_again_counts() {
        let mut measured = read_of("lost", &[("a", 1e6, Some([0.2, 0.1, 0.3]))]);
        confirm(&mut measured, &[]);
        assert!(has_regressed(&measured));
        assert!(!has_regressed(&read_of("new", &[("a", 1e6, None)])));
    }

    #[test]
    fn filters_fit_names_only() {
        let names = ["gp_fit/rbf/50", "a.b (c)"];
        assert_eq!(filter(&names), r"^(gp_fit/rbf/50|a\.b \(c\))$");
    }

    #[test]
    fn the_table_has_every_bench() {
        let benches = [
            ("hv/m3/100", 1234.5, Some([0.2, 0.15, 0.25])),
            ("boxes/m3", 98.0, None),
        ];
        let text = table(&read_of("table", &benches));
        let expected = "\nboxes/m3      98.0 ns\n\
                        hv/m3/100     1.23 µs   +20.0 % (+15.0 to +25.0)  slower?\n";
        assert_eq!(text, expected);
    }
}
