//! What a daemon gives to the process that it starts.

use std::collections::BTreeMap;

use buildkit_llb::Platform;

use super::{Options, context_key, values, wrong};
use crate::{CacheImport, Failure};

/// What a daemon gives to the process that it starts, as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The client's options by name: `build-arg:VERSION`.
    pub options: BTreeMap<String, String>,
    /// The client's session.
    pub session: String,
    /// JSON of the daemon's workers.
    pub workers: String,
}

/// What says where the file to build is.
const LOCATING: [&str; 7] = [
    "cmdline",
    "contextkey",
    "contextsubdir",
    "dockerfilekey",
    "filename",
    "requestid",
    "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR",
];

impl Given {
    /// Of the variables of a process: `BUILDKIT_FRONTEND_OPT_…`, `BUILDKIT_SESSION_ID`,
    /// `BUILDKIT_WORKERS`.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Given {
        let mut given = Given::default();
        for (name, value) in variables {
            if name.starts_with("BUILDKIT_FRONTEND_OPT_") {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                given.options.insert(key.to_owned(), value.to_owned());
            } else if name == "BUILDKIT_SESSION_ID" {
                given.session = value;
            } else if name == "BUILDKIT_WORKERS" {
                given.workers = value;
            }
        }
        given
    }

    /// An option that is there and not empty.
    pub fn option(&self, name: &str) -> Option<&str> {
        let value = self.options.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// What the client wants in place of a build, `--call`.
    pub fn request_id(&self) -> Option<&str> {
        self.option("requestid")
    }

    /// `--cache-from`.
    pub fn cache_imports(&self) -> Result<Vec<CacheImport>, Failure> {
        cache_imports(&self.options)
    }

    /// What the daemon runs on, if it says so.
    pub fn worker_platform(&self) -> Result<Option<Platform>, Failure> {
        values::worker_platform(&self.workers).map_err(wrong("BUILDKIT_WORKERS"))
    }

    /// All options, read.
    pub fn read(&self) -> Result<Options, Failure> {
        let mut options = Options::read(&self.options)?;
        options.session.clone_from(&self.session);
        options.worker_platform = self.worker_platform()?;
        Ok(options)
    }

    /// Only those that say where the file to build is; all others are as if they were not given.
    pub fn read_location(&self) -> Result<Options, Failure> {
        let context = context_key(&self.options);
        let locates = |key: &str| {
            key == context || LOCATING.contains(&key) || key.starts_with("local-sessionid:")
        };
        let mut options = self.options.clone();
        options.retain(|key, _| locates(key));
        Given {
            options,
            ..self.clone()
        }
        .read()
    }
}

pub(super) fn cache_imports(
    options: &BTreeMap<String, String>,
) -> Result<Vec<CacheImport>, Failure> {
    let text = |key: &str| options.get(key).map(String::as_str).unwrap_or_default();
    let mut imports = match text("cache-imports") {
        "" => Vec::new(),
        json => values::cache_imports(json).map_err(wrong("cache-imports"))?,
    };
    for import in values::cache_from(text("cache-from")) {
        if !imports.contains(&import) {
            imports.push(import);
        }
    }
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::NoCacheOption;

    fn given(variables: &[(&str, &str)]) -> Given {
        let owned = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        Given::from_env(variables.iter().map(owned))
    }

    #[test]
    fn variables_of_the_process() {
        let options = given(&[
            ("PATH", "/bin"),
            ("BUILDKIT_FRONTEND_OPT_0", "build-arg:A=x=y"),
            ("BUILDKIT_FRONTEND_OPT_1", "no-cache="),
            ("BUILDKIT_FRONTEND_OPT_12", "local-sessionid:context=s2"),
            ("BUILDKIT_SESSION_ID", "s1"),
            (
                "BUILDKIT_WORKERS",
                r#"[{"platforms":[{"os":"linux","architecture":"arm64"}]}]"#,
            ),
        ])
        .read()
        .unwrap();
        assert_eq!(options.build_args["A"], "x=y");
        assert_eq!(options.no_cache, NoCacheOption::All);
        assert_eq!(options.session_of("dockerfile"), "s1");
        assert_eq!(options.session_of("context"), "s2");
        assert_eq!(options.worker_platform.unwrap().to_string(), "linux/arm64");
    }

    #[test]
    fn where_the_file_is_can_be_read_beside_what_is_wrong() {
        let given = given(&[
            ("BUILDKIT_FRONTEND_OPT_0", "filename=x.Dockerfile"),
            ("BUILDKIT_FRONTEND_OPT_1", "platform=linux"),
            ("BUILDKIT_FRONTEND_OPT_2", "local-sessionid:dockerfile=s2"),
            ("BUILDKIT_FRONTEND_OPT_3", "contextkey=c"),
            ("BUILDKIT_FRONTEND_OPT_4", "c=https://example.org/x.tar.gz"),
            ("BUILDKIT_SESSION_ID", "s1"),
        ]);
        assert!(given.read().is_err());
        let options = given.read_location().unwrap();
        assert_eq!(options.filename.as_deref(), Some("x.Dockerfile"));
        assert_eq!(options.session_of("dockerfile"), "s2");
        assert_ne!(options.context, crate::options::ContextOption::Local);
    }
}
