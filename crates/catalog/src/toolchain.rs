//! Versions of interpreters and compilers, as images tell them.

/// An interpreter or a compiler whose version official images have in a variable.
#[derive(Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// As data files and ids call it: `node`.
    pub name: &'static str,
    /// The variable: `NODE_VERSION`.
    pub variable: &'static str,
    /// How many numbers of the version matter to what is made with it.
    pub numbers: usize,
}

/// Every toolchain, by name.
pub static TOOLCHAINS: &[Toolchain] = &[
    toolchain("deno", "DENO_VERSION", 2),
    toolchain("go", "GOLANG_VERSION", 2),
    toolchain("java", "JAVA_VERSION", 1),
    toolchain("node", "NODE_VERSION", 1),
    toolchain("php", "PHP_VERSION", 2),
    toolchain("python", "PYTHON_VERSION", 2),
    toolchain("r", "R_VERSION", 2),
    toolchain("ruby", "RUBY_VERSION", 2),
    toolchain("rust", "RUST_VERSION", 2),
];

const fn toolchain(name: &'static str, variable: &'static str, numbers: usize) -> Toolchain {
    Toolchain {
        name,
        variable,
        numbers,
    }
}

impl Toolchain {
    /// `node-22`, if the variables tell the version.
    pub fn version(&self, env: &[(String, String)]) -> Option<String> {
        let (_, value) = env.iter().find(|(name, _)| name == self.variable)?;
        // `v22.1.0`, `jdk-21.0.5+11`.
        let digits = value.find(|c: char| c.is_ascii_digit())?;
        let version = value[digits..]
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let numbers: Vec<&str> = version.split('.').take(self.numbers).collect();
        Some(format!("{}-{}", self.name, numbers.join(".")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_official_images() {
        assert!(TOOLCHAINS.is_sorted_by_key(|toolchain| toolchain.name));
        for (variable, value, version) in [
            ("PYTHON_VERSION", "3.12.7", Some("python-3.12")),
            ("NODE_VERSION", "22.11.0", Some("node-22")),
            ("NODE_VERSION", "v22", Some("node-22")),
            ("NODE_VERSION", "lts", None),
            ("GOLANG_VERSION", "1.23.4", Some("go-1.23")),
            ("RUST_VERSION", "1.95.0", Some("rust-1.95")),
            ("JAVA_VERSION", "jdk-21.0.5+11", Some("java-21")),
            ("JAVA_VERSION", "jdk8u432-b06", Some("java-8")),
            ("RUBY_VERSION", "3.4.1", Some("ruby-3.4")),
            ("PHP_VERSION", "8.4.0RC1", Some("php-8.4")),
            ("R_VERSION", "4.5.2", Some("r-4.5")),
            ("DENO_VERSION", "2.9.6", Some("deno-2.9")),
        ] {
            let env = [(variable.to_owned(), value.to_owned())];
            let found = TOOLCHAINS.iter().find_map(|known| known.version(&env));
            assert_eq!(found.as_deref(), version, "{variable}={value}");
        }
    }
}
