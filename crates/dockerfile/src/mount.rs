//! Mounts in the words of a Dockerfile.

use std::fmt;

/// A mount of a `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mount {
    /// A cache.
    Cache(CacheMount),
    /// A directory that is empty whenever the `RUN` starts, and gone after it.
    Tmpfs {
        /// Where, absolute.
        target: String,
    },
    /// A file of a stage, read-only.
    File {
        /// The stage's name.
        stage: String,
        /// Where, absolute; it is at the same path in the stage.
        target: String,
    },
}

/// A cache mount of a `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheMount {
    /// The id, without the namespace.
    pub id: String,
    /// Where, absolute and clean.
    pub target: String,
    /// `shared`, `private` or `locked`.
    pub sharing: &'static str,
    /// Owner of its directory.
    pub uid: u32,
    /// Group of its directory.
    pub gid: u32,
    /// Mode of its directory.
    pub mode: u32,
}

/// A value that BuildKit would read as something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// It.
    pub value: String,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be written in a flag", self.value)
    }
}

impl std::error::Error for Unwritable {}

impl Mount {
    /// `--mount=…`. What is BuildKit's default is left out.
    pub fn flag(&self) -> Result<String, Unwritable> {
        let mut flag = String::from("--mount=type=");
        match self {
            Mount::Cache(cache) => {
                flag.push_str("cache");
                if cache.id != cache.target {
                    push(&mut flag, "id", &cache.id)?;
                }
                push(&mut flag, "target", &cache.target)?;
                if cache.sharing != "shared" {
                    push(&mut flag, "sharing", cache.sharing)?;
                }
                // One of them suffices for a directory of its own, so all of a default are left out.
                if (cache.uid, cache.gid, cache.mode) != (0, 0, 0o755) {
                    push(&mut flag, "uid", &cache.uid.to_string())?;
                    push(&mut flag, "gid", &cache.gid.to_string())?;
                    if cache.mode != 0o755 {
                        push(&mut flag, "mode", &format!("{:04o}", cache.mode))?;
                    }
                }
            }
            Mount::Tmpfs { target } => {
                flag.push_str("tmpfs");
                push(&mut flag, "target", target)?;
            }
            Mount::File { stage, target } => {
                flag.push_str("bind");
                push(&mut flag, "from", stage)?;
                push(&mut flag, "source", target)?;
                push(&mut flag, "target", target)?;
            }
        }
        Ok(flag)
    }
}

fn push(flag: &mut String, key: &str, value: &str) -> Result<(), Unwritable> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:+%@=~".contains(c);
    if value.is_empty() || !value.chars().all(plain) {
        return Err(Unwritable {
            value: value.to_owned(),
        });
    }
    flag.extend([",", key, "=", value]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pip() -> CacheMount {
        CacheMount {
            id: "/root/.cache/pip".to_owned(),
            target: "/root/.cache/pip".to_owned(),
            sharing: "shared",
            uid: 0,
            gid: 0,
            mode: 0o755,
        }
    }

    #[test]
    fn defaults_are_left_out() {
        let flag = |cache| Mount::Cache(cache).flag();
        let plain = "--mount=type=cache,target=/root/.cache/pip".to_owned();
        assert_eq!(flag(pip()), Ok(plain.clone()));
        let locked = CacheMount {
            sharing: "locked",
            id: "pip".to_owned(),
            ..pip()
        };
        let written = "--mount=type=cache,id=pip,target=/root/.cache/pip,sharing=locked";
        assert_eq!(flag(locked), Ok(written.to_owned()));
        let owned = CacheMount { gid: 1000, ..pip() };
        assert_eq!(flag(owned), Ok(plain.clone() + ",uid=0,gid=1000"));
        let open = CacheMount {
            mode: 0o1777,
            ..pip()
        };
        assert_eq!(flag(open), Ok(plain + ",uid=0,gid=0,mode=1777"));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        for value in ["/a b", "/$HOME", "/a,b", "/a\"b", "/a\\b", "", "/ä", "/a'"] {
            let cache = CacheMount {
                target: value.to_owned(),
                ..pip()
            };
            let value = value.to_owned();
            assert_eq!(Mount::Cache(cache).flag(), Err(Unwritable { value }));
        }
    }
}
