//! Who reads the spec.

use anyhow::{Result, ensure};

use crate::variable::variable;

/// What the frontend is called where nothing else is said.
pub(crate) const FRONTEND: &str = "larder/frontend:1";
/// The variable that says otherwise.
const FRONTEND_VARIABLE: &str = "LARDER_FRONTEND";
/// The build arg that names the image of a frontend.
pub(crate) const SYNTAX: &str = "BUILDKIT_SYNTAX";

/// Who reads the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frontend {
    /// This image.
    Named(String),
    /// The image that the file's first lines name.
    FirstLine(String),
    /// The image of the build arg `BUILDKIT_SYNTAX`.
    Argument(String),
}

impl Frontend {
    /// What `--frontend` or the variable says.
    pub(crate) fn asked(option: Option<&str>) -> Result<Option<String>> {
        if let Some(image) = option {
            ensure!(
                !image.is_empty(),
                "--frontend: name an image, such as {FRONTEND}"
            );
            return Ok(Some(image.to_owned()));
        }
        Ok(variable(FRONTEND_VARIABLE)?.filter(|image| !image.is_empty()))
    }

    /// The one that was asked for, or that a spec's first lines name, or the usual one.
    pub(crate) fn of_spec(asked: Option<String>, text: &str) -> Frontend {
        match (asked, Frontend::of_first_lines(text)) {
            (Some(image), _) => Frontend::Named(image),
            (None, Some(line)) => Frontend::FirstLine(line),
            (None, None) => Frontend::Named(FRONTEND.to_owned()),
        }
    }

    /// What `# syntax=` says, if it is where BuildKit looks for it.
    pub(crate) fn of_first_lines(text: &str) -> Option<String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let skipped = usize::from(text.starts_with("#!"));
        for line in text.lines().skip(skipped) {
            let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
            let (name, value) = (name.trim_end().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "syntax" if !value.is_empty() => return Some(value.to_owned()),
                "check" | "escape" if !value.is_empty() => {}
                _ => return None,
            }
        }
        None
    }

    /// What the gateway is told: the image and, behind blanks, what more it is given.
    pub(crate) fn command_line(&self) -> &str {
        match self {
            Frontend::Named(line) | Frontend::FirstLine(line) | Frontend::Argument(line) => line,
        }
    }
}
