//! Secrets of a spec, as variables of a pipeline.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::words::{is_variable, shell};

/// Beginnings of names that the systems, Docker or a shell take for themselves.
const TAKEN: [&str; 10] = [
    "GITHUB_",
    "GITLAB_",
    "CI_",
    "RUNNER_",
    "ACTIONS_",
    "DOCKER_",
    "BUILDX_",
    "BUILDKIT_",
    "LD_",
    "INPUT_",
];
/// Names that they, or pipelines of this command, have a use for.
const USED: [&str; 24] = [
    "CI",
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "PWD",
    "OLDPWD",
    "IFS",
    "ENV",
    "BASH_ENV",
    "PS4",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "IMAGE",
    "CACHE",
    "WRITE_CACHE",
    "PLATFORM",
    "ARCH",
    "RUNNER",
    "NODE_OPTIONS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// A secret that the spec wants.
pub(super) struct Secret {
    /// As the spec names it.
    pub(super) id: String,
    /// The variable, or on GitHub the secret, that has its value.
    pub(super) variable: String,
}

/// Each with its variable, unless two of them have the same.
pub(super) fn of(ids: impl Iterator<Item = String>) -> Result<Vec<Secret>> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut secrets = Vec::new();
    for id in ids {
        let variable = variable(&id);
        if let Some(other) = known.insert(variable.clone(), id.clone()) {
            if other == id {
                continue;
            }
            bail!(
                "the secrets `{other}` and `{id}` of the spec would both be the variable {variable}: rename one of \
                 them"
            );
        }
        secrets.push(Secret { id, variable });
    }
    Ok(secrets)
}

/// `npm-token` is in `NPM_TOKEN`, and `path` in `SECRET_PATH`.
pub(super) fn variable(id: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name: String = id.chars().map(letter).collect();
    let taken = TAKEN.iter().any(|start| name.starts_with(start)) || USED.contains(&&*name);
    if is_variable(&name) && !taken {
        name
    } else {
        format!("SECRET_{name}")
    }
}

/// A script for GitHub: files for those that are there, with many lines or one.
pub(super) fn files(secrets: &[Secret]) -> Vec<String> {
    let mut lines = vec![
        "umask 077".to_owned(),
        "{".to_owned(),
        "  echo 'files<<END'".to_owned(),
    ];
    for Secret { id, variable } in secrets {
        let file = format!("$RUNNER_TEMP/secret-{variable}");
        lines.extend([
            format!("  if [ -n \"${variable}\" ]; then"),
            format!("    printf %s \"${variable}\" > \"{file}\""),
            format!("    echo {}\"{file}\"", shell(&format!("{id}="))),
            "  fi".to_owned(),
        ]);
    }
    lines.extend([
        "  echo END".to_owned(),
        "} >> \"$GITHUB_OUTPUT\"".to_owned(),
    ]);
    lines
}

/// A line for GitLab: the secret, if it is there.
pub(super) fn option(secret: &Secret) -> String {
    let Secret { id, variable } = secret;
    let word = shell(&format!("id={id},env={variable}"));
    format!("if [ -n \"${variable}\" ]; then set -- \"$@\" --secret {word}; fi")
}
