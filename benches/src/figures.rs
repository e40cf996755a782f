//! Times of benches that run once, kept where Criterion keeps its own: they are saved and compared like them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

/// Where times go, by the arguments that Criterion understands as well: `--save-baseline NAME`,
/// `--baseline NAME`, and a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    folder: PathBuf,
    save: Option<String>,
    baseline: Option<String>,
    filter: Option<String>,
}

impl Figures {
    /// By the arguments of this program, in the target folder that it stands in.
    ///
    /// # Errors
    /// If it stands in no target folder.
    pub fn from_arguments() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        // The program stands in `target/PROFILE/deps`.
        let target = program.ancestors().nth(3).context("no target folder")?;
        Ok(Self::new(
            &target.join("criterion"),
            std::env::args().skip(1),
        ))
    }

    fn new(folder: &Path, arguments: impl IntoIterator<Item = String>) -> Self {
        let mut figures = Self {
            folder: folder.to_owned(),
            save: None,
            baseline: None,
            filter: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--save-baseline" => figures.save = arguments.next(),
                "--baseline" | "--baseline-lenient" => figures.baseline = arguments.next(),
                // What else Criterion understands means nothing here.
                other if other.starts_with('-') => {}
                _ => figures.filter = Some(argument),
            }
        }
        figures
    }

    /// Whether a figure with this name is asked for: the filter is a part of it, or `^(A|B)$` with whole names.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let Some(filter) = &self.filter else {
            return true;
        };
        match filter
            .strip_prefix("^(")
            .and_then(|rest| rest.strip_suffix(")$"))
        {
            Some(names) => names.split('|').any(|n| n.replace('\\', "") == name),
            None => name.contains(&**filter),
        }
    }

    /// Keeps a time under a name whose parts are separated by slashes.
    ///
    /// # Errors
    /// If a file cannot be written, or what is compared with cannot be read.
    pub fn put(&self, name: &str, seconds: f64) -> anyhow::Result<()> {
        let folder = self.folder.join(name);
        let write = |of: &str, file: &str, value: serde_json::Value| {
            let path = folder.join(of).join(file);
            let context = || format!("cannot write {}", path.display());
            std::fs::create_dir_all(folder.join(of)).with_context(context)?;
            std::fs::write(&path, value.to_string()).with_context(context)
        };
        // One time has no spread that could be known.
        let estimates = |value: f64| {
            let interval = json!({"lower_bound": value, "upper_bound": value});
            json!({"median": {"point_estimate": value, "confidence_interval": interval}})
        };
        let nanoseconds = 1e9 * seconds;
        write("new", "estimates.json", estimates(nanoseconds))?;
        write("new", "benchmark.json", json!({"full_id": name}))?;
        if let Some(save) = &self.save {
            write(save, "estimates.json", estimates(nanoseconds))?;
        }
        let Some(baseline) = &self.baseline else {
            return Ok(());
        };
        let path = folder.join(baseline).join("estimates.json");
        if !path.exists() {
            return Ok(());
        }
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let before: serde_json::Value = serde_json::from_slice(&text)?;
        let before = before["median"]["point_estimate"]
            .as_f64()
            .with_context(|| format!("{} has no median", path.display()))?;
        write(
            "change",
            "estimates.json",
            estimates(nanoseconds / before - 1.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(folder: &Path, arguments: &[&str]) -> Figures {
        Figures::new(folder, arguments.iter().map(|a| (*a).to_owned()))
    }

    #[test]
    fn filters_are_parts_or_whole_names() {
        let wants = |filter: &[&str], name: &str| figures(Path::new("x"), filter).wants(name);
        assert!(wants(&["--bench"], "pmto/run"));
        assert!(wants(&["pmto"], "pmto/run") && !wants(&["smog"], "pmto/run"));
        let whole = ["^(gp/fit|pmto/run)$", "--full"];
        assert!(wants(&whole, "pmto/run") && !wants(&whole, "pmto/run/2"));
    }

    #[test]
    fn times_are_saved_and_compared() {
        let name = format!("warmfront-figures-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let read = |path: &str| -> Option<f64> {
            let text = std::fs::read(folder.join("a/b").join(path)).ok()?;
            let value: serde_json::Value = serde_json::from_slice(&text).ok()?;
            value["median"]["point_estimate"].as_f64()
        };
        let save = figures(&folder, &["--save-baseline", "before", "--bench"]);
        save.put("a/b", 2.0).unwrap();
        let saved = (read("before/estimates.json"), read("change/estimates.json"));
        let compare = figures(&folder, &["--baseline-lenient", "before", "--bench"]);
        compare.put("a/b", 3.0).unwrap();
        let compared = (read("new/estimates.json"), read("change/estimates.json"));
        // A name that was not saved does not stop the others.
        let unknown = figures(&folder, &["--baseline-lenient", "never"]).put("a/b", 3.0);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(saved, (Some(2e9), None));
        assert_eq!(compared, (Some(3e9), Some(0.5)));
        assert!(unknown.is_ok());
    }
}
