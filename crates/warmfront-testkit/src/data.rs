//! The folder of data sets that are too large for the repository.

use std::panic::Location;
use std::path::PathBuf;

/// The folder named by the environment variable `WARMFRONT_DATA`, if it is set and exists.
///
/// A test that needs it returns early on `None`; the line printed names the caller.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that may read the environment"
)]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
#[must_use]
#[track_caller]
pub fn data_folder() -> Option<PathBuf> {
    let caller = Location::caller();
    let Ok(folder) = std::env::var("WARMFRONT_DATA") else {
        eprintln!("skipped: {caller} (WARMFRONT_DATA is not set)");
        return None;
    };
    let folder = PathBuf::from(folder);
    if !folder.is_dir() {
        eprintln!(
            "skipped: {caller} (WARMFRONT_DATA is not a folder: {})",
            folder.display()
        );
        return None;
    }
    Some(folder)
}
