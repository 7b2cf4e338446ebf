//! The packages of the workspace and what they depend on, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::workspace;

/// Crates that decide and never act: no IO, clock, environment, threads or hidden randomness.
pub(super) const PURE: &[&str] = &["fleet", "allocate", "replay", "diagnose", "purchase", "advise", "control"];

/// What `cargo metadata` says, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

/// A package, of the workspace or from outside.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) manifest_path: String,
    dependencies: Vec<Dependency>,
}

/// A line of a package's dependency tables.
#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for a normal dependency.
    kind: Option<String>,
    /// Set for packages of this workspace only: dependencies by path are allowed nowhere else.
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

/// An arrow between two crates of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) purpose: Purpose,
}

/// What a dependency is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// In the crate itself, or in its build script.
    Program,
    /// In its tests.
    Tests,
}

impl Metadata {
    /// Asks cargo, with every feature on.
    pub(super) fn read() -> anyhow::Result<Self> {
        let output = workspace::cargo().args(["metadata", "--format-version", "1", "--all-features"]).output()?;
        if !output.status.success() {
            bail!("`cargo metadata` failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).context("`cargo metadata` printed something else than expected")
    }

    /// The packages of the workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The pure crates that exist.
    pub(super) fn pure_members(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| PURE.contains(&package.name.as_str()))
    }

    /// Every dependency of a workspace crate on another.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for member in self.members() {
            for dependency in member.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
                let purpose = match dependency.kind.as_deref() {
                    Some("dev") => Purpose::Tests,
                    _ => Purpose::Program,
                };
                arrows.push(Arrow { from: member.name.clone(), to: dependency.name.clone(), purpose });
            }
        }
        arrows.sort();
        arrows
    }

    /// Every package that `member` is linked with, each with a shortest path to it. Dependencies of tests and of build
    /// scripts are not followed: what they do is not in the program.
    pub(super) fn linked_with<'a>(&'a self, member: &'a Package) -> Vec<Vec<&'a str>> {
        let names: BTreeMap<&str, &str> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();

        // By id, not name: two versions of a crate may depend on different things.
        let mut seen = BTreeSet::from([member.id.as_str()]);
        let mut waiting = VecDeque::from([(member.id.as_str(), vec![member.name.as_str()])]);
        let mut paths = Vec::new();
        while let Some((id, path)) = waiting.pop_front() {
            for edge in nodes.get(id).map(|node| node.deps.as_slice()).unwrap_or_default() {
                let linked = edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
                if linked && seen.insert(&edge.pkg) {
                    let mut longer = path.clone();
                    longer.push(names[edge.pkg.as_str()]);
                    paths.push(longer.clone());
                    waiting.push_back((&edge.pkg, longer));
                }
            }
        }
        paths
    }
}

/// A workspace written as JSON, for the tests of the steps that read it.
#[cfg(test)]
pub(super) fn example(json: &str) -> Metadata {
    serde_json::from_str(json).unwrap()
}
