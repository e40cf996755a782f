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
}

/// A relative change of the median, with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    estimate: f64,
    low: f64,
    high: f64,
}

impl Change {
    fn mark(self) -> &'static str {
        match self {
            Self { low, .. } if low > MARKED => "SLOWER",
            Self { high, .. } if high < -MARKED => "FASTER",
            Self { estimate, .. } if estimate > MARKED => "slower?",
            Self { estimate, .. } if estimate < -MARKED => "faster?",
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

/// Whether a bench is slower by more than is marked, with its whole confidence interval.
pub(super) fn has_regressed(measured: &[Measurement]) -> bool {
    let changes = measured.iter().filter_map(|m| m.change);
    changes.into_iter().any(|change| change.low > MARKED)
}

/// Every bench with its median, and its change where there is one.
pub(super) fn table(measured: &[Measurement]) -> String {
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let mut text = String::from("\n");
    for Measurement {
        name,
        median,
        change,
    } in measured
    {
        let _ = write!(text, "{name:width$}  {:>10}", duration(*median));
        if let Some(change) = change {
            let percent = |v: f64| format!("{:+.1}", 100.0 * v);
            let _ = write!(
                text,
                "  {:>6} % ({} to {})  {}",
                percent(change.estimate),
                percent(change.low),
                percent(change.high),
                change.mark()
            );
        }
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
    fn a_slowdown_counts_when_its_whole_interval_is_beyond_the_mark() {
        let check = |test: &str, change| {
            let measured = read_of(test, &[("gp/fit/50", 1e6, Some(change))]);
            let mark = measured[0].change.unwrap().mark();
            (mark, has_regressed(&measured))
        };
        assert_eq!(check("slower", [0.15, 0.12, 0.18]), ("SLOWER", true));
        assert_eq!(check("perhaps", [0.15, 0.05, 0.25]), ("slower?", false));
        assert_eq!(check("little", [0.05, 0.02, 0.08]), ("", false));
        assert_eq!(check("faster", [-0.3, -0.4, -0.2]), ("FASTER", false));
    }

    #[test]
    fn the_table_has_every_bench() {
        let benches = [
            ("hv/m3/100", 1234.5, Some([0.2, 0.15, 0.25])),
            ("boxes/m3", 98.0, None),
        ];
        let text = table(&read_of("table", &benches));
        let expected = "\nboxes/m3      98.0 ns\n\
                        hv/m3/100     1.23 µs   +20.0 % (+15.0 to +25.0)  SLOWER\n";
        assert_eq!(text, expected);
    }
}
