//! What the environment says.

use std::env::{self, VarError};

use anyhow::{Result, bail};

/// A variable, if it is set.
pub(crate) fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("the variable {name} is not UTF-8"),
    }
}
