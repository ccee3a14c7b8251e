//! Ids of cache mounts.
//!
//! What BuildKit knows a cache by, and what people see in `buildctl du`, so its form is a contract:
//!
//! ```text
//! [NAMESPACE]/larder/SCOPE/CACHE[/distribution:NAME][/platform:NAME][/toolchain:NAME]/owner:OWNER
//!
//! SCOPE  shared | project:NAME
//! CACHE  a name of the catalogue | own:NAME
//! OWNER  UID.GID | NAME@HASH
//! ```
//!
//! An owner whose numbers nobody knows has the name that it was given, and eight hexadecimal digits
//! that tell it apart from others of that name; its directory is anybody's to write to.
//!
//! Names are text of any kind. In an id a slash in them is written `+`, and what is no ASCII letter,
//! digit, `.`, `_` or `-` as `%` and two hexadecimal digits for each byte of UTF-8. Every id has one
//! spelling: reading and writing are each other's inverse.

use std::fmt;
use std::str::FromStr;

/// An id, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// `BUILDKIT_CACHE_MOUNT_NS`, not empty.
    pub namespace: Option<String>,
    /// The project it belongs to; none if every project shares it.
    pub project: Option<String>,
    /// The catalogue's name of the cache, or the author's.
    pub cache: String,
    /// Whether the name is the author's.
    pub own: bool,
    /// `debian-13`, for caches that need it.
    pub distribution: Option<String>,
    /// `linux/amd64`, for caches that need it.
    pub platform: Option<String>,
    /// `node-22`, for caches that need it where it is known.
    pub toolchain: Option<String>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// An owner of whom no numbers are known, which are 0 then.
    pub name: Option<Named>,
}

/// An owner by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// As an operation has it: `app`, `app:staff`.
    pub user: String,
    /// Differs where the name may stand for other numbers.
    pub hash: u32,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            Escaped(namespace).fmt(f)?;
        }
        f.write_str("/larder/")?;
        match &self.project {
            Some(project) => write!(f, "project:{}", Escaped(project))?,
            None => f.write_str("shared")?,
        }
        let own = if self.own { "own:" } else { "" };
        write!(f, "/{own}{}", Escaped(&self.cache))?;
        let keys = [
            ("distribution", &self.distribution),
            ("platform", &self.platform),
            ("toolchain", &self.toolchain),
        ];
        for (key, name) in keys {
            if let Some(name) = name {
                write!(f, "/{key}:{}", Escaped(name))?;
            }
        }
        match &self.name {
            Some(Named { user, hash }) => write!(f, "/owner:{}@{hash:08x}", Escaped(user)),
            None => write!(f, "/owner:{}.{}", self.uid, self.gid),
        }
    }
}

/// The text is not an id that Larder writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a cache of larder")
    }
}

impl std::error::Error for NotOurs {}

impl FromStr for Id {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Id, NotOurs> {
        // The spelling is checked as a whole: there is one.
        read(text)
            .filter(|id| id.to_string() == text)
            .ok_or(NotOurs)
    }
}

fn read(text: &str) -> Option<Id> {
    let parts: Vec<&str> = text.split('/').collect();
    let (namespace, parts) = match parts.as_slice() {
        ["", "larder", rest @ ..] => (None, rest),
        [namespace, "larder", rest @ ..] => (Some(unescaped(namespace)?), rest),
        _ => return None,
    };
    let [scope, cache, keys @ .., owner] = parts else {
        return None;
    };
    let project = match scope.strip_prefix("project:") {
        Some(project) => Some(unescaped(project)?),
        None if *scope == "shared" => None,
        None => return None,
    };
    let (own, cache) = cache
        .strip_prefix("own:")
        .map_or((false, *cache), |name| (true, name));
    let (mut distribution, mut platform, mut toolchain) = (None, None, None);
    for key in keys {
        match key.split_once(':')? {
            ("distribution", name) => distribution = Some(unescaped(name)?),
            ("platform", name) => platform = Some(unescaped(name)?),
            ("toolchain", name) => toolchain = Some(unescaped(name)?),
            _ => return None,
        }
    }
    let owner = owner.strip_prefix("owner:")?;
    let (uid, gid, name) = if let Some((user, hash)) = owner.split_once('@') {
        let hash = u32::from_str_radix(hash, 16).ok()?;
        let user = unescaped(user)?;
        (0, 0, Some(Named { user, hash }))
    } else {
        let (uid, gid) = owner.split_once('.')?;
        (uid.parse().ok()?, gid.parse().ok()?, None)
    };
    Some(Id {
        namespace,
        project,
        cache: unescaped(cache)?,
        own,
        distribution,
        platform,
        toolchain,
        uid,
        gid,
        name,
    })
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(odd) = rest.bytes().position(|byte| !plain(byte)) {
            f.write_str(&rest[..odd])?;
            let character = rest[odd..].chars().next().unwrap_or_default();
            if character == '/' {
                f.write_str("+")?;
            } else {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    write!(f, "%{byte:02X}")?;
                }
            }
            rest = &rest[odd + character.len_utf8()..];
        }
        f.write_str(rest)
    }
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b'/'),
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
                bytes.push(u8::try_from(value).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pip() -> Id {
        Id {
            namespace: None,
            project: None,
            cache: "pip".to_owned(),
            own: false,
            distribution: Some("debian-13".to_owned()),
            platform: Some("linux/arm/v7".to_owned()),
            toolchain: None,
            uid: 1000,
            gid: 1000,
            name: None,
        }
    }

    #[test]
    fn reads_as_documented() {
        let text =
            "/larder/shared/pip/distribution:debian-13/platform:linux+arm+v7/owner:1000.1000";
        assert_eq!(pip().to_string(), text);
        let own = Id {
            namespace: Some("pr 7".to_owned()),
            project: Some("größe/x".to_owned()),
            cache: "a:b".to_owned(),
            own: true,
            distribution: None,
            platform: None,
            toolchain: None,
            uid: 0,
            gid: 0,
            name: None,
        };
        let text = "pr%207/larder/project:gr%C3%B6%C3%9Fe+x/own:a%3Ab/owner:0.0";
        assert_eq!(own.to_string(), text);
        assert_eq!(text.parse(), Ok(own));
    }

    #[test]
    fn the_toolchain_comes_last() {
        let id = Id {
            toolchain: Some("node-22".to_owned()),
            ..pip()
        };
        let text = "/larder/shared/pip/distribution:debian-13/platform:linux+arm+v7/toolchain:node-22/owner:1000.1000";
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn an_owner_may_have_a_name_alone() {
        let id = Id {
            uid: 0,
            gid: 0,
            name: Some(Named {
                user: "app:st@ff".to_owned(),
                hash: 0xbeef,
            }),
            distribution: None,
            platform: None,
            ..pip()
        };
        let text = "/larder/shared/pip/owner:app%3Ast%40ff@0000beef";
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn namespace_may_be_called_larder() {
        let id = Id {
            namespace: Some("larder".to_owned()),
            ..pip()
        };
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn refuses_other_spellings() {
        for text in [
            "",
            "/root/.cache/pip",
            "/larder/shared/pip",
            "/larder/shared/pip/owner:0",
            "/larder/shared/pip/owner:00.0",
            "/larder/shared/pip/owner:app@beef",
            "/larder/shared/pip/owner:app@0000BEEF",
            "/larder/shared/pip/owner:app@+000beef",
            "/larder/shared/pip/owner:app@0000beef@0000beef",
            "/larder/shared/pip/owner:0.0/",
            "/larder/everyone/pip/owner:0.0",
            "/larder/shared/p%69p/owner:0.0",
            "/larder/shared/p%c3%b6/owner:0.0",
            "/larder/shared/p%/owner:0.0",
            "/larder/shared/p p/owner:0.0",
            "larder/shared/pip/owner:0.0",
            "/larder/shared/pip/platform:a/distribution:b/owner:0.0",
            "/larder/shared/pip/toolchain:a/platform:b/owner:0.0",
            "/larder/shared/pip/toolchain:a/toolchain:b/owner:0.0",
        ] {
            assert_eq!(text.parse::<Id>(), Err(NotOurs), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(
            namespace in proptest::option::of(".{1,12}"),
            project in proptest::option::of(".{0,12}"),
            cache in ".{0,12}",
            distribution in proptest::option::of(".{0,12}"),
            platform in proptest::option::of(".{0,12}"),
            toolchain in proptest::option::of(".{0,12}"),
            (uid, gid) in any::<(u32, u32)>(),
            named in proptest::option::of((".{0,12}", any::<u32>())),
        ) {
            let name = named.map(|(user, hash)| Named { user, hash });
            let (uid, gid) = if name.is_some() { (0, 0) } else { (uid, gid) };
            let id = Id {
                namespace, project, cache, own: true, distribution, platform, toolchain, uid, gid, name,
            };
            let text = id.to_string();
            prop_assert!(text.is_ascii() && !text.contains(char::is_whitespace));
            prop_assert_eq!(text.parse(), Ok(id));
        }

        #[test]
        fn one_spelling(text in "(x/)?larder/(shared|project:[a%+]{0,3})/[a%+0-9A]{1,6}/owner:[0-9]\\.[0-9]") {
            if let Ok(id) = text.parse::<Id>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
