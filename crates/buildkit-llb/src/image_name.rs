//! Names of images.

use std::fmt;
use std::str::FromStr;

/// The full name of an image, such as `docker.io/library/alpine:latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A text that names no image, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidImageName {
    text: String,
    reason: &'static str,
}

impl InvalidImageName {
    /// Why, in words that go behind "the image name `x` is not valid: ".
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for InvalidImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, reason } = self;
        write!(f, "`{text}` is not an image name: {reason}")
    }
}

impl std::error::Error for InvalidImageName {}

const HUB: &str = "docker.io";

impl ImageName {
    /// Reads a name as Docker does: without a registry it is Docker Hub's, without an owner there
    /// it is in `library`, without tag and digest it has the tag `latest`.
    pub fn parse(text: &str) -> Result<Self, InvalidImageName> {
        Self::read(text).map_err(|reason| InvalidImageName {
            text: text.to_owned(),
            reason,
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err("64 hexadecimal digits are the id of an image, which has no registry");
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if !digest.is_none_or(is_digest) {
            return Err("behind `@` there must be a digest such as `sha256:` and 64 digits");
        }
        let (registry, rest) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => (HUB, name),
        };
        if !is_host(registry) {
            return Err("the registry is not a host name with an optional port");
        }
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !tag.is_none_or(is_tag) {
            return Err(
                "a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with \
                        none of the last two",
            );
        }
        check_repository(repository)?;
        let hub = registry == HUB || registry == "index.docker.io";
        let repository = if hub && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        if repository.len() > 255 {
            return Err("it has more than 255 characters");
        }
        let latest = if digest.is_none() {
            Some("latest")
        } else {
            None
        };
        Ok(Self {
            registry: if hub { HUB } else { registry }.to_owned(),
            repository,
            tag: tag.or(latest).map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The registry's host name and port, such as `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name in the registry, such as `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, such as `latest`.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, such as `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The same name with a digest, which then says alone which image it is.
    pub fn with_digest(mut self, digest: impl Into<String>) -> Result<Self, InvalidImageName> {
        let digest = digest.into();
        if !is_digest(&digest) {
            return Err(InvalidImageName {
                text: digest,
                reason: "a digest is `sha256:` and 64 lower-case hexadecimal digits",
            });
        }
        self.digest = Some(digest);
        Ok(self)
    }

    /// As people write it: `alpine` for `docker.io/library/alpine:latest`, `alpine:3` for
    /// `docker.io/library/alpine:3`.
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let short = match full.strip_prefix("docker.io/library/") {
            Some(short) if !short.contains('/') => short,
            _ => match full.strip_prefix("docker.io/") {
                Some(short) if !is_registry(short.split('/').next().unwrap_or_default()) => short,
                _ => &full,
            },
        };
        if self.digest.is_none() {
            short.strip_suffix(":latest").unwrap_or(short).to_owned()
        } else {
            short.to_owned()
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for ImageName {
    type Err = InvalidImageName;

    fn from_str(text: &str) -> Result<Self, InvalidImageName> {
        Self::parse(text)
    }
}

/// Whether the first part of a name is a registry, and not somebody on Docker Hub.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':', '[']) || first == "localhost" || first.bytes().any(is_upper)
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else {
                return false;
            };
            let is_address =
                !address.is_empty() && address.bytes().all(|c| c.is_ascii_hexdigit() || c == b':');
            match (is_address, port.strip_prefix(':')) {
                (true, Some(port)) => return is_port(port),
                (is_address, None) => return is_address && port.is_empty(),
                (false, Some(_)) => return false,
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let of_label = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(of_label)
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit())
}

fn check_repository(repository: &str) -> Result<(), &'static str> {
    if repository.bytes().any(is_upper) {
        return Err("only the registry and the tag may have upper-case letters");
    }
    if repository.split('/').all(is_component) {
        return Ok(());
    }
    Err(
        "between slashes there must be lower-case letters and digits, separated by `.`, `_`, \
         `__` or dashes",
    )
}

/// Letters and digits, in groups separated by `.`, `_`, `__` or any number of dashes.
fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|c| c == b'-');
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component.split(is_word).all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let of_tag = |c: u8| c.is_ascii_alphanumeric() || b"_.-".contains(&c);
    (1..=128).contains(&tag.len()) && tag.bytes().all(of_tag) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    let digits = |hex: &str, count| hex.len() == count && hex.bytes().all(is_lower_hex);
    match digest.split_once(':') {
        Some(("sha256", hex)) => digits(hex, 64),
        Some(("sha384", hex)) => digits(hex, 96),
        Some(("sha512", hex)) => digits(hex, 128),
        _ => false,
    }
}

fn is_lower_hex(digit: u8) -> bool {
    digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)
}

fn is_upper(c: u8) -> bool {
    c.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::ImageName;

    const SHA: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_become_full_and_familiar() {
        for (text, full, familiar) in [
            ("alpine", "docker.io/library/alpine:latest", "alpine"),
            (
                "alpine:3.20",
                "docker.io/library/alpine:3.20",
                "alpine:3.20",
            ),
            (
                "larder/frontend:1",
                "docker.io/larder/frontend:1",
                "larder/frontend:1",
            ),
            (
                "docker.io/alpine",
                "docker.io/library/alpine:latest",
                "alpine",
            ),
            (
                "index.docker.io/library/alpine",
                "docker.io/library/alpine:latest",
                "alpine",
            ),
            ("library/a/b", "docker.io/library/a/b:latest", "library/a/b"),
            ("localhost/app", "localhost/app:latest", "localhost/app"),
            (
                "localhost:5000/app:v1",
                "localhost:5000/app:v1",
                "localhost:5000/app:v1",
            ),
            (
                "registry:5000/app",
                "registry:5000/app:latest",
                "registry:5000/app",
            ),
            ("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app"),
            (
                "[2001:db8::1]/app",
                "[2001:db8::1]/app:latest",
                "[2001:db8::1]/app",
            ),
            ("gcr.io/a/b__c/d-.e:T", "", ""),
            (
                "gcr.io/a/b__c/d--e:T",
                "gcr.io/a/b__c/d--e:T",
                "gcr.io/a/b__c/d--e:T",
            ),
            ("Example/app", "Example/app:latest", "Example/app"),
        ] {
            let name = ImageName::parse(text);
            if full.is_empty() {
                assert!(name.is_err(), "{text}");
                continue;
            }
            let name = name.expect(text);
            assert_eq!(name.to_string(), full, "{text}");
            assert_eq!(name.familiar(), familiar, "{text}");
            assert_eq!(ImageName::parse(full), Ok(name.clone()), "{text}");
            assert_eq!(ImageName::parse(familiar), Ok(name), "{text}");
        }
    }

    #[test]
    fn a_digest_makes_a_tag_superfluous() {
        let name = ImageName::parse(&format!("alpine@{SHA}")).unwrap();
        assert_eq!((name.tag(), name.digest()), (None, Some(SHA)));
        assert_eq!(name.to_string(), format!("docker.io/library/alpine@{SHA}"));
        let both = ImageName::parse("alpine:3")
            .unwrap()
            .with_digest(SHA)
            .unwrap();
        assert_eq!(both.familiar(), format!("alpine:3@{SHA}"));
        assert_eq!(ImageName::parse(&both.to_string()), Ok(both));
        assert!(
            ImageName::parse("alpine")
                .unwrap()
                .with_digest("sha256:0")
                .is_err()
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, reason) in [
            ("", "empty"),
            ("Alpine", "upper-case"),
            ("docker.io/library/Alpine", "upper-case"),
            ("alpine:", "tag"),
            ("alpine:-x", "tag"),
            (&format!("alpine:{}", "x".repeat(129)), "tag"),
            ("alpine@sha256:12", "digest"),
            ("alpine@", "digest"),
            (&SHA["sha256:".len()..], "id"),
            ("a//b", "slashes"),
            ("/a", "slashes"),
            ("a/", "slashes"),
            ("a___b", "slashes"),
            ("-a", "slashes"),
            ("a..b", "slashes"),
            ("a b", "slashes"),
            ("a\u{e9}", "slashes"),
            ("[::1/app", "registry"),
            ("[zz]/app", "registry"),
            ("host:/app", "registry"),
            ("host:80x/app", "registry"),
            (".a/app", "registry"),
            ("a-.b/app", "registry"),
            (&"a".repeat(256), "255"),
        ] {
            let error = ImageName::parse(text).expect_err(text);
            assert!(error.reason().contains(reason), "{error}");
        }
    }
}
