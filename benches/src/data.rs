//! The folder with published data: read here, handed to the libraries as bytes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, bail};

use crate::setup::DataFile;

/// Sub-folders of which a data folder holds at least one.
const KNOWN: [&str; 2] = ["yahpo", "hpobench-xgb"];

/// A folder named by `--data`, and what has been read from it.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    files: Mutex<BTreeSet<DataFile>>,
}

impl DataFolder {
    /// Opens a folder after checking that it looks like one.
    ///
    /// # Errors
    /// If it does not exist, is no folder, or holds none of the known data sets.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let shown = root.display();
        let kind = std::fs::metadata(root)
            .with_context(|| format!("cannot open the data folder {shown}"))?;
        if !kind.is_dir() {
            bail!("the data folder {shown} is not a folder");
        }
        if !KNOWN.iter().any(|name| root.join(name).is_dir()) {
            bail!(
                "{shown} is not a data folder: it holds neither `{}`",
                KNOWN.join("` nor `")
            );
        }
        Ok(Self {
            root: root.to_owned(),
            files: Mutex::default(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a file or folder is there.
    #[must_use]
    pub fn has(&self, relative: &str) -> bool {
        self.root.join(relative).exists()
    }

    /// Why an experiment cannot have `needed`, a file or folder of published data, if it cannot.
    #[must_use]
    pub fn lacks(folder: Option<&Self>, needed: &str) -> Option<String> {
        match folder {
            None => Some(format!(
                "needs published data: --data DIR with `{needed}` inside"
            )),
            Some(folder) if !folder.has(needed) => {
                Some(format!("`{needed}` is not in {}", folder.root().display()))
            }
            Some(_) => None,
        }
    }

    /// Reads a file and notes its checksum.
    ///
    /// # Errors
    /// If it cannot be read or is empty.
    pub fn read(&self, relative: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.root.join(relative);
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.is_empty() {
            bail!("{} is empty", path.display());
        }
        self.files
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(DataFile::new(relative, &bytes));
        Ok(bytes)
    }

    /// The files of a folder with this extension, by name.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn list(&self, relative: &str, extension: &str) -> anyhow::Result<Vec<String>> {
        let path = self.root.join(relative);
        let context = || format!("cannot list {}", path.display());
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).with_context(context)? {
            let name = entry
                .with_context(context)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if Path::new(&name).extension().is_some_and(|e| e == extension) {
                names.push(format!("{relative}/{name}"));
            }
        }
        names.sort();
        Ok(names)
    }

    /// What has been read, by path.
    #[must_use]
    pub fn files(&self) -> Vec<DataFile> {
        let files = self
            .files
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        files.iter().cloned().collect()
    }
}
