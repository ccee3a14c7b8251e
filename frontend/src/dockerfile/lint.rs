//! Warnings of the catalogue among those of a Dockerfile's own frontend.

use larder_diagnostic::SourceFile;
use larder_inject::definition::{Injected, show};
use larder_plan::lints::{Wanted, about, rule};

use crate::ask::finding::Finding;

/// Which warnings are wanted, over what the file says.
pub(super) const CONFIG: &str = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
/// The name of the warning about comments to Larder that are wrong.
const COMMENT: &str = "comment";

/// What there is to warn of and is wanted, in the order of the commands; one that two platforms share is
/// one.
pub(super) fn findings(injected: &Injected, config: Option<&str>, file: &[u8]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    for mistake in &injected.mistakes {
        add(Finding {
            rule: rule(COMMENT),
            about: None,
            detail: format!("{}: {}", mistake.message, mistake.hint),
            location: Some((mistake.file.clone(), mistake.line..=mistake.line)),
        });
    }
    for exec in &injected.execs {
        for defeat in &exec.decision.defeated {
            let name = show::lint(defeat.harm);
            add(Finding {
                rule: rule(name),
                about: about(name),
                detail: format!("{}: {}", show::sentence(defeat), defeat.hint),
                location: exec.location.clone(),
            });
        }
    }
    let wanted = wanted(config, file);
    found.retain(|finding| !wanted.skips(&finding.rule));
    found
}

/// What makes no sense is for the Dockerfile's own frontend to say.
pub(super) fn wanted(config: Option<&str>, file: &[u8]) -> Wanted {
    let file = SourceFile::new("", String::from_utf8_lossy(file));
    Wanted::of(config, &file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_can_be_skipped() {
        let file = b"# syntax=x\n# check=error=true;skip=A, LarderComment\nFROM x\n";
        let of_file = wanted(None, file);
        assert!(of_file.skips("LarderComment") && of_file.skips("A"));
        assert!(!of_file.skips("LarderCacheDefeated"));
        assert!(wanted(Some("skip=all"), file).skips("B"));
        assert_eq!(wanted(Some(""), file), Wanted::default());
        for other in [
            &b"FROM x\n# check=skip=all\n"[..],
            b"# check=what\n",
            b"# caf\xe9",
        ] {
            assert_eq!(wanted(None, other), Wanted::default());
        }
    }
}
