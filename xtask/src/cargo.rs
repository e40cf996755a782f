//! Starting cargo, and reading what it says about the workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The workspace root: the parent of this package's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a package folder inside the workspace has a parent")
        .to_owned()
}

/// `cargo ARGS` in the workspace root, with the cargo that started us.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    // What cargo told this process about the package xtask must not leak into other builds:
    // build scripts would see changed variables and run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// What `cargo metadata` says, dependencies included.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let output = cargo(&["metadata", "--format-version", "1", "--locked"])
        .stderr(Stdio::piped())
        .output()
        .context("cargo metadata did not start")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let value: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let members = strings(&value["workspace_members"]);
    let packages = value["packages"]
        .as_array()
        .context("cargo metadata has no packages")?
        .iter()
        .map(|package| Package::read(package, &members))
        .collect::<anyhow::Result<_>>()?;
    Ok(Metadata { packages })
}

/// The part of `cargo metadata` that the checks use.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

impl Metadata {
    /// The packages of this workspace, sorted by name.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members: Vec<_> = self.packages.iter().filter(|p| p.member).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) license: Option<String>,
    pub(crate) manifest: PathBuf,
    pub(crate) member: bool,
    pub(crate) dependencies: Vec<Dependency>,
    /// Features that are not on by default, without those cargo makes for optional dependencies.
    pub(crate) optional_features: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) requirement: String,
    pub(crate) dev: bool,
    /// Inside this workspace, by path.
    pub(crate) internal: bool,
}

impl Package {
    fn read(value: &Value, members: &[String]) -> anyhow::Result<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let name = text("name").context("a package without a name")?;
        let id = text("id").context("a package without an id")?;
        let dependencies = value["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|d| Dependency {
                name: d["name"].as_str().unwrap_or_default().to_owned(),
                requirement: d["req"].as_str().unwrap_or_default().to_owned(),
                dev: d["kind"].as_str() == Some("dev"),
                internal: d["path"].is_string(),
            })
            .collect();
        let mut optional_features = Vec::new();
        if let Some(features) = value["features"].as_object() {
            let default = strings(features.get("default").unwrap_or(&Value::Null));
            for (feature, enables) in features {
                let implicit = strings(enables) == [format!("dep:{feature}")];
                if feature != "default" && !default.contains(feature) && !implicit {
                    optional_features.push(feature.clone());
                }
            }
        }
        Ok(Self {
            version: text("version").unwrap_or_default(),
            description: text("description").unwrap_or_default(),
            license: text("license"),
            manifest: text("manifest_path").unwrap_or_default().into(),
            member: members.contains(&id),
            name,
            dependencies,
            optional_features,
        })
    }
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str())
        .map(str::to_owned)
        .collect()
}
