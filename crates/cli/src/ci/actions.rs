//! The actions that workflows use, each at the commit of a release.
//!
//! A commit is the one that the tag of this version names in the action's repository on GitHub. To take a newer
//! release, look both up there (`git ls-remote --tags`).

/// An action of GitHub's at a release.
pub(super) struct Action {
    repository: &'static str,
    version: &'static str,
    commit: &'static str,
}

impl Action {
    /// As `uses` names it, with the version for people.
    pub(super) fn uses(&self) -> String {
        format!(
            "uses: {}@{} # {}",
            self.repository, self.commit, self.version
        )
    }
}

pub(super) const CHECKOUT: Action = Action {
    repository: "actions/checkout",
    version: "v7.0.1",
    commit: "3d3c42e5aac5ba805825da76410c181273ba90b1",
};
pub(super) const BUILDX: Action = Action {
    repository: "docker/setup-buildx-action",
    version: "v4.3.0",
    commit: "37fe631027851001ddb9b187196cc803df7f5f0e",
};
pub(super) const LOGIN: Action = Action {
    repository: "docker/login-action",
    version: "v4.1.0",
    commit: "4907a6ddec9925e35a0a9e82d7399ccc52663121",
};
pub(super) const METADATA: Action = Action {
    repository: "docker/metadata-action",
    version: "v6.2.0",
    commit: "dc802804100637a589fabce1cb79ff13a1411302",
};
pub(super) const BUILD: Action = Action {
    repository: "docker/build-push-action",
    version: "v7.3.0",
    commit: "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a",
};
pub(super) const UPLOAD: Action = Action {
    repository: "actions/upload-artifact",
    version: "v7.0.0",
    commit: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
};
pub(super) const DOWNLOAD: Action = Action {
    repository: "actions/download-artifact",
    version: "v8.0.1",
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
};
