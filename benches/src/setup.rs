//! What a reader needs to judge or repeat a run: versions, machine, data.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

/// Names and values for the report, in order.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Name and value.
    pub facts: Vec<(String, String)>,
    /// Data files that were read: path inside the data folder, bytes, CRC-32.
    pub data: Vec<DataFile>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataFile {
    /// Path inside the data folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-32 (IEEE) of the content.
    pub crc32: u32,
}

impl DataFile {
    /// Describes `content`, read from `path` inside the data folder.
    #[must_use]
    pub fn new(path: impl Into<String>, content: &[u8]) -> Self {
        Self {
            path: path.into(),
            bytes: content.len() as u64,
            crc32: crc32fast::hash(content),
        }
    }
}

impl Setup {
    /// Adds a fact.
    pub fn add(&mut self, name: &str, value: impl ToString) {
        self.facts.push((name.into(), value.to_string()));
    }

    /// Adds what can be found out about program, compiler and machine.
    pub fn add_environment(&mut self) {
        self.add(
            "program",
            format!("warmfront {}", env!("CARGO_PKG_VERSION")),
        );
        self.add("commit at the time of the report", commit());
        self.add(
            "compiler",
            output("rustc", &["--version"]).unwrap_or_else(|| "unknown".into()),
        );
        self.add("processor", processor());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        self.add("threads of the machine", threads);
        self.add(
            "system",
            format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        );
        self.add("finished", now());
    }

    /// Writes facts and data files as a Markdown page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = String::from("# Set-up\n\n| | |\n|---|---|\n");
        for (name, value) in &self.facts {
            text.push_str(&format!("| {name} | {value} |\n"));
        }
        if !self.data.is_empty() {
            text.push_str("\n| data file | bytes | CRC-32 |\n|---|---|---|\n");
            for file in &self.data {
                text.push_str(&format!(
                    "| {} | {} | {:08x} |\n",
                    file.path, file.bytes, file.crc32
                ));
            }
        }
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The commit of the checkout, and whether it was changed since.
pub(crate) fn commit() -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    let Some(hash) = output("git", &["-C", here, "rev-parse", "--short=12", "HEAD"]) else {
        return "not in a git checkout".to_owned();
    };
    let changed = output(
        "git",
        &["-C", here, "status", "--porcelain", "--untracked-files=no"],
    );
    if changed.is_some() {
        format!("{hash}, with local changes")
    } else {
        hash
    }
}

fn processor() -> String {
    let linux = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
    linux
        .or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .unwrap_or_else(|| std::env::consts::ARCH.into())
}

/// The processor as exactly as the system tells, and its threads: where two differ, times do.
pub(crate) fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let entry = |name: &str| {
            let mut lines = text.lines().filter_map(|l| l.split_once(':'));
            lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
        };
        let numbers = ["cpu family", "model", "stepping"].map(|n| entry(n).unwrap_or_default());
        let flags = entry("flags").unwrap_or_default();
        let widest = ["avx512f", "avx2"]
            .into_iter()
            .find(|wide| flags.split(' ').any(|flag| flag == *wide));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "{} {} {}, {threads} threads",
            processor(),
            numbers.join("."),
            widest.unwrap_or("")
        )
    })
}

/// Date and time, UTC.
#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
pub(crate) fn now() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// Year, month and day of a number of days since 1970-01-01, by counting.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |y: u64| (y.is_multiple_of(4) && !y.is_multiple_of(100)) || y.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month as u64 + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let check = |days, expected| assert_eq!(civil(days), expected);
        check(0, (1970, 1, 1));
        check(59, (1970, 3, 1));
        check(11_016, (2000, 2, 29));
        check(20_454, (2026, 1, 1));
    }

    #[test]
    fn checksum_of_a_data_file() {
        // The check value of CRC-32.
        assert_eq!(DataFile::new("x", b"123456789").crc32, 0xcbf4_3926);
    }
}
