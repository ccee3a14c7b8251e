//! What a daemon can do.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_proto::moby::buildkit::v1::{apicaps::ApiCap, frontend::PongResponse};

use crate::Failure;

/// Something that not every daemon can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The daemon's name for it.
    pub id: &'static str,
    /// What a frontend cannot do without it.
    pub what: &'static str,
    /// The first `BuildKit` release that has it.
    pub since: &'static str,
}

/// What this crate asks of a daemon.
pub mod cap {
    use super::Cap;

    /// Solving definitions.
    pub const SOLVE: Cap = Cap {
        id: "solve.base",
        what: "solve definitions",
        since: "v0.3.0",
    };
    /// Configs of images.
    pub const RESOLVE_IMAGE: Cap = Cap {
        id: "resolveimage",
        what: "resolve the config of an image",
        since: "v0.3.0",
    };
    /// Contents of a result's files.
    pub const READ_FILE: Cap = Cap {
        id: "readfile",
        what: "read files of a result",
        since: "v0.3.0",
    };
    /// Directories of a result.
    pub const READ_DIR: Cap = Cap {
        id: "readdir",
        what: "list directories of a result",
        since: "v0.3.0",
    };
    /// Size and kind of a result's files.
    pub const STAT_FILE: Cap = Cap {
        id: "statfile",
        what: "look at files of a result",
        since: "v0.3.0",
    };
    /// Returning a result, or an error.
    pub const RETURN: Cap = Cap {
        id: "return",
        what: "take a result from a frontend",
        since: "v0.3.0",
    };
    /// Returning results for several platforms.
    pub const RETURN_MAP: Cap = Cap {
        id: "returnmap",
        what: "take results for several platforms",
        since: "v0.3.0",
    };
    /// Cache imports of a solve.
    pub const IMPORT_CACHES: Cap = Cap {
        id: "importcaches",
        what: "import caches",
        since: "v0.4.0",
    };
    /// The form of references that this crate speaks.
    pub const REF_ARRAY: Cap = Cap {
        id: "proto.refarray",
        what: "take results in the form that is in use today",
        since: "v0.7.0",
    };
    /// Definitions that the client gives beside the options.
    pub const INPUTS: Cap = Cap {
        id: "frontend.inputs",
        what: "give inputs to a frontend",
        since: "v0.7.0",
    };
    /// Evaluating a result at once.
    pub const EVALUATE: Cap = Cap {
        id: "gateway.solve.evaluate",
        what: "evaluate a result before the frontend ends",
        since: "v0.8.0",
    };
    /// Warnings.
    pub const WARNINGS: Cap = Cap {
        id: "gateway.warnings",
        what: "show warnings of a frontend",
        since: "v0.10.0",
    };
    /// Resolving images as the build will, source policies included.
    pub const SOURCE_META: Cap = Cap {
        id: "source.metaresolver",
        what: "resolve the metadata of a source",
        since: "v0.13.0",
    };

    /// What no build can do without. `BuildKit` has all of it since v0.7.0.
    pub const NEEDED: [Cap; 5] = [SOLVE, RESOLVE_IMAGE, READ_FILE, RETURN, REF_ARRAY];
}

/// What one daemon can do, by its own account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    gateway: BTreeSet<String>,
    llb: BTreeSet<String>,
    /// What was switched off, and the daemon's words on why.
    disabled: BTreeMap<String, String>,
}

impl Capabilities {
    /// Whether the gateway can do this.
    pub fn has(&self, cap: Cap) -> bool {
        self.gateway.contains(cap.id)
    }

    /// An error that names what is missing, and the release that has it.
    pub fn require(&self, cap: Cap) -> Result<(), Failure> {
        if self.has(cap) {
            return Ok(());
        }
        Err(self.missing(cap.id, Some(cap.what), Some(cap.since)))
    }

    /// As [`Capabilities::require`], for what operations of a definition need: ids, each with the
    /// first release that has it, if known.
    pub fn require_llb<'a>(
        &self,
        needed: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Result<(), Failure> {
        for (id, since) in needed {
            if !self.has_llb(id) {
                return Err(self.missing(id, None, since));
            }
        }
        Ok(())
    }

    /// Whether operations may use this.
    pub fn has_llb(&self, id: &str) -> bool {
        self.llb.contains(id)
    }

    fn missing(&self, id: &str, what: Option<&str>, since: Option<&str>) -> Failure {
        Failure::Unsupported {
            cap: id.to_owned(),
            what: what.map(str::to_owned),
            since: since.map(str::to_owned),
            disabled: self.disabled.get(id).cloned(),
        }
    }
}

impl From<PongResponse> for Capabilities {
    fn from(pong: PongResponse) -> Capabilities {
        let mut caps = Capabilities::default();
        let Capabilities {
            gateway,
            llb,
            disabled,
        } = &mut caps;
        sort(pong.frontend_api_caps, gateway, disabled);
        sort(pong.llb_caps, llb, disabled);
        caps
    }
}

fn sort(
    from: Vec<ApiCap>,
    enabled: &mut BTreeSet<String>,
    disabled: &mut BTreeMap<String, String>,
) {
    for cap in from {
        if cap.enabled {
            enabled.insert(cap.id);
        } else {
            disabled.insert(cap.id, cap.disabled_reason_msg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api_cap(id: &str, enabled: bool) -> ApiCap {
        ApiCap {
            id: id.to_owned(),
            enabled,
            disabled_reason_msg: if enabled { "" } else { "graph driver" }.to_owned(),
            ..ApiCap::default()
        }
    }

    fn capabilities() -> Capabilities {
        Capabilities::from(PongResponse {
            frontend_api_caps: vec![api_cap("solve.base", true)],
            llb_caps: vec![api_cap("file.base", true), api_cap("mergeop", false)],
            workers: Vec::new(),
        })
    }

    #[test]
    fn a_missing_one_names_the_release() {
        let caps = capabilities();
        assert!(caps.require(cap::SOLVE).is_ok());
        assert_eq!(
            caps.require(cap::WARNINGS).unwrap_err().to_string(),
            "the daemon cannot show warnings of a frontend (capability `gateway.warnings`): \
             update it to BuildKit v0.10.0 or later"
        );
    }

    #[test]
    fn a_disabled_one_says_why() {
        let caps = capabilities();
        assert!(caps.require_llb([("file.base", None)]).is_ok());
        assert_eq!(
            caps.require_llb([("mergeop", Some("v0.10.0"))])
                .unwrap_err()
                .to_string(),
            "the daemon lacks the capability `mergeop`: it is switched off there: graph driver"
        );
        assert_eq!(
            caps.require_llb([("new", None)]).unwrap_err().to_string(),
            "the daemon lacks the capability `new`: update it to a later BuildKit"
        );
    }
}
