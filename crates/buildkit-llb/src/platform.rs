//! Operating system and processor.

use std::fmt;
use std::str::FromStr;

use buildkit_proto::pb;

/// An operating system and a processor, as images name them: `linux/amd64`, `linux/arm/v7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor, such as `amd64`.
    pub architecture: String,
    /// Which generation of it, such as `v7`; empty for the usual one.
    pub variant: String,
    /// Which version of the operating system; Windows alone has one.
    pub os_version: String,
    /// What the operating system must be able to do; Windows alone has any.
    pub os_features: Vec<String>,
}

/// A text that names no platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPlatform(String);

impl fmt::Display for InvalidPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a platform: expected `os/architecture` or `os/architecture/variant`, \
             such as `linux/amd64`",
            self.0
        )
    }
}

impl std::error::Error for InvalidPlatform {}

impl Platform {
    /// A platform by its usual names.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = os.to_ascii_lowercase();
        let (architecture, variant) = normalise(architecture, variant);
        Self {
            os: if os == "macos" {
                "darwin".to_owned()
            } else {
                os
            },
            architecture,
            variant,
            os_version: String::new(),
            os_features: Vec::new(),
        }
    }

    /// Linux on the processor that this program was compiled for.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            other => other,
        };
        Self::new("linux", architecture, "")
    }

    /// Reads `os/architecture` or `os/architecture/variant`, in any of the names that are in use,
    /// such as `linux/x86_64` for `linux/amd64` and `linux/arm64/v8` for `linux/arm64`. An
    /// operating system's version may stand behind it: `windows(10.0.17763)/amd64`.
    pub fn parse(text: &str) -> Result<Self, InvalidPlatform> {
        let invalid = || InvalidPlatform(text.to_owned());
        let mut parts = text.split('/');
        let os = parts.next().unwrap_or_default();
        let (os, version) = match os.split_once('(') {
            Some((os, version)) => (os, version.strip_suffix(')').ok_or_else(invalid)?),
            None => (os, ""),
        };
        let architecture = parts.next().ok_or_else(invalid)?;
        let variant = parts.next();
        let is_word = |word: &str| {
            let of_word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            !word.is_empty() && word.chars().all(of_word)
        };
        let words = [Some(os), Some(architecture), variant];
        if parts.next().is_some() || !words.into_iter().flatten().all(is_word) {
            return Err(invalid());
        }
        let version_is_fine = version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !version_is_fine {
            return Err(invalid());
        }
        let mut platform = Self::new(os, architecture, variant.unwrap_or_default());
        version.clone_into(&mut platform.os_version);
        Ok(platform)
    }

    pub(crate) fn lower(&self) -> pb::Platform {
        pb::Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            variant: self.variant.clone(),
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone(),
        }
    }

    /// Nothing without an operating system and a processor.
    pub(crate) fn lift(platform: pb::Platform) -> Option<Self> {
        let named = !platform.os.is_empty() && !platform.architecture.is_empty();
        named.then(|| Self {
            os_version: platform.os_version,
            os_features: platform.os_features,
            ..Self::new(&platform.os, &platform.architecture, &platform.variant)
        })
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        Self::parse(text)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        if !self.os_version.is_empty() {
            write!(f, "({})", self.os_version)?;
        }
        write!(f, "/{}", self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

/// One name for what has several.
fn normalise(architecture: &str, variant: &str) -> (String, String) {
    let architecture = architecture.to_ascii_lowercase();
    let variant = variant.to_ascii_lowercase();
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("i386" | "x86", variant) => ("386", variant),
        ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "" | "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        ("powerpc64le", variant) => ("ppc64le", variant),
        others => others,
    };
    (architecture.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Platform;

    #[test]
    fn every_name_becomes_the_usual_one() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/x86_64/v3", "linux/amd64/v3"),
            ("linux/arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("Linux/ARM64", "linux/arm64"),
            ("linux/arm64/v9", "linux/arm64/v9"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm/v5", "linux/arm/v5"),
            ("linux/i386", "linux/386"),
            ("linux/riscv64", "linux/riscv64"),
            ("macos/arm64", "darwin/arm64"),
            ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
        ] {
            let platform = Platform::parse(text).expect(text);
            assert_eq!(platform.to_string(), expected, "{text}");
            assert_eq!(Platform::parse(expected), Ok(platform));
        }
    }

    #[test]
    fn other_texts_are_errors() {
        for text in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "linux/arm/v7/x",
            "li nux/amd64",
            "linux/amd64/",
            "windows(10/amd64",
            "windows(1 0)/amd64",
            "linux/ämd64",
        ] {
            assert!(Platform::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_host_is_a_platform() {
        let host = Platform::host();
        assert_eq!(host.os, "linux");
        assert_eq!(host.to_string().parse(), Ok(host));
    }
}
