//! Results of other frontends.

use std::collections::BTreeMap;

use buildkit_proto::moby::buildkit::v1::frontend::{self as wire, result};
use buildkit_proto::pb;

use crate::{CacheImport, Ref};

/// What to have another frontend build.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontendRequest {
    /// The daemon's name for it: `dockerfile.v0`, or `gateway.v0` for an image, which the option
    /// `source` names.
    pub frontend: String,
    /// The client's options, by name.
    pub options: BTreeMap<String, String>,
    /// Definitions that the client gives beside them.
    pub inputs: BTreeMap<String, pb::Definition>,
    /// Where steps may be found done already.
    pub cache_imports: Vec<CacheImport>,
}

/// What a frontend returned, as the daemon gave it. All that is not replaced goes back as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawResult {
    wire: wire::Result,
}

/// A reference's place in a result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The only one.
    Whole,
    /// That of a platform, by the daemon's name for it.
    Platform(String),
    /// That of an attestation of a platform, by its number there.
    Attestation(String, usize),
}

impl RawResult {
    pub(crate) fn new(wire: wire::Result) -> RawResult {
        RawResult { wire }
    }

    pub(crate) fn into_wire(self) -> wire::Result {
        self.wire
    }

    /// A result without any filesystem: what a request other than a build is answered with.
    pub fn answer<'a>(metadata: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> RawResult {
        let metadata = metadata
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        RawResult::new(wire::Result {
            metadata,
            result: Some(result::Result::Ref(wire::Ref::default())),
            ..wire::Result::default()
        })
    }

    /// Every filesystem of the result, with what it is solved from if the daemon says so. Empty ones
    /// are left out.
    pub fn references(&self) -> BTreeMap<Place, Option<&pb::Definition>> {
        let mut found = BTreeMap::new();
        match &self.wire.result {
            Some(result::Result::Ref(one)) => add(&mut found, Place::Whole, one),
            Some(result::Result::Refs(map)) => {
                for (platform, one) in &map.refs {
                    add(&mut found, Place::Platform(platform.clone()), one);
                }
            }
            Some(result::Result::RefDeprecated(id)) if !id.is_empty() => {
                found.insert(Place::Whole, None);
            }
            Some(result::Result::RefsDeprecated(map)) => {
                for (platform, _) in map.refs.iter().filter(|(_, id)| !id.is_empty()) {
                    found.insert(Place::Platform(platform.clone()), None);
                }
            }
            Some(result::Result::RefDeprecated(_)) | None => {}
        }
        for (platform, list) in &self.wire.attestations {
            for (number, attestation) in list.attestation.iter().enumerate() {
                if let Some(one) = &attestation.r#ref {
                    let place = Place::Attestation(platform.clone(), number);
                    add(&mut found, place, one);
                }
            }
        }
        found
    }

    /// Puts another filesystem in the place of one that is there. Does nothing where none is.
    pub fn replace(&mut self, place: &Place, by: Ref) {
        let there = match (place, &mut self.wire.result) {
            (Place::Whole, Some(result::Result::Ref(one))) => Some(one),
            (Place::Platform(platform), Some(result::Result::Refs(map))) => {
                map.refs.get_mut(platform)
            }
            (Place::Attestation(platform, number), _) => {
                let list = self.wire.attestations.get_mut(platform);
                list.and_then(|list| list.attestation.get_mut(*number))
                    .and_then(|attestation| attestation.r#ref.as_mut())
            }
            _ => None,
        };
        if let Some(there) = there {
            *there = wire::Ref {
                id: by.id,
                def: by.definition,
            };
        }
    }

    /// What is said of the result under a name.
    pub fn metadata(&self, name: &str) -> Option<&[u8]> {
        self.wire.metadata.get(name).map(Vec::as_slice)
    }

    /// Says something else of the result.
    pub fn set_metadata(&mut self, name: &str, value: Vec<u8>) {
        self.wire.metadata.insert(name.to_owned(), value);
    }
}

fn add<'a>(
    found: &mut BTreeMap<Place, Option<&'a pb::Definition>>,
    place: Place,
    reference: &'a wire::Ref,
) {
    if !reference.id.is_empty() {
        found.insert(place, reference.def.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(id: &str) -> wire::Ref {
        wire::Ref {
            id: id.to_owned(),
            def: (!id.is_empty()).then(|| pb::Definition {
                def: vec![id.as_bytes().to_vec()],
                ..pb::Definition::default()
            }),
        }
    }

    fn two_platforms() -> wire::Result {
        let attestation = |id: Option<&str>| wire::Attestation {
            r#ref: id.map(reference),
            path: "/sbom.json".to_owned(),
            ..wire::Attestation::default()
        };
        let list = wire::Attestations {
            attestation: vec![attestation(None), attestation(Some("sbom"))],
        };
        let refs = ["linux/amd64", "linux/arm64", "linux/riscv64"]
            .map(|platform| (platform.to_owned(), reference(&platform[..8])));
        let mut refs = wire::RefMap { refs: refs.into() };
        refs.refs.insert("linux/riscv64".to_owned(), reference(""));
        wire::Result {
            metadata: [("refs.platforms".to_owned(), b"{}".to_vec())].into(),
            attestations: [("linux/amd64".to_owned(), list)].into(),
            result: Some(result::Result::Refs(refs)),
        }
    }

    #[test]
    fn every_filesystem_has_a_place() {
        let raw = RawResult::new(two_platforms());
        let places: Vec<Place> = raw.references().into_keys().collect();
        assert_eq!(
            places,
            [
                Place::Platform("linux/amd64".to_owned()),
                Place::Platform("linux/arm64".to_owned()),
                Place::Attestation("linux/amd64".to_owned(), 1),
            ]
        );
        let whole = RawResult::new(wire::Result {
            result: Some(result::Result::Ref(reference("r"))),
            ..wire::Result::default()
        });
        assert_eq!(whole.references()[&Place::Whole].unwrap().def, [b"r"]);
        assert!(RawResult::answer([]).references().is_empty());
    }

    #[test]
    fn only_what_is_replaced_changes() {
        let mut raw = RawResult::new(two_platforms());
        let new = Ref {
            id: "new".to_owned(),
            definition: None,
        };
        for place in [
            Place::Platform("linux/arm64".to_owned()),
            Place::Attestation("linux/amd64".to_owned(), 1),
            Place::Attestation("linux/amd64".to_owned(), 0),
            Place::Attestation("linux/arm64".to_owned(), 0),
            Place::Platform("none".to_owned()),
            Place::Whole,
        ] {
            raw.replace(&place, new.clone());
        }
        let mut expected = two_platforms();
        let Some(result::Result::Refs(map)) = &mut expected.result else {
            panic!("no map");
        };
        let new = wire::Ref {
            id: "new".to_owned(),
            def: None,
        };
        map.refs.insert("linux/arm64".to_owned(), new.clone());
        let list = expected.attestations.get_mut("linux/amd64").unwrap();
        list.attestation[1].r#ref = Some(new);
        assert_eq!(raw.into_wire(), expected);
    }

    #[test]
    fn references_of_old_daemons_say_nothing_of_their_origin() {
        let raw = RawResult::new(wire::Result {
            result: Some(result::Result::RefDeprecated("r".to_owned())),
            ..wire::Result::default()
        });
        assert_eq!(raw.references(), BTreeMap::from([(Place::Whole, None)]));
    }
}
