//! Results of other frontends.

use std::collections::BTreeMap;

use buildkit_llb::{Definition, ImportError};

use crate::{CacheImport, Ref, wire};

/// What to have another frontend build.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontendRequest {
    /// The daemon's name for it: `dockerfile.v0`, or `gateway.v0` for an image, which the option
    /// `source` names.
    pub frontend: String,
    /// The client's options, by name.
    pub options: BTreeMap<String, String>,
    /// Definitions that the client gives beside them.
    pub inputs: BTreeMap<String, Definition>,
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
            refs: Some(wire::Refs::One(wire::Ref::default())),
            ..wire::Result::default()
        })
    }

    /// Every filesystem of the result, with what it is solved from if the daemon says so. Empty ones
    /// are left out.
    pub fn definitions(&self) -> Result<BTreeMap<Place, Option<Definition>>, ImportError> {
        let mut found = BTreeMap::new();
        let mut add = |place, reference: &wire::Ref| {
            if !reference.id.is_empty() {
                let bytes = reference.definition.as_ref();
                let definition = bytes.map(|bytes| Definition::from_bytes(bytes));
                found.insert(place, definition.transpose()?);
            }
            Ok(())
        };
        let old = |id: &String| wire::Ref {
            id: id.clone(),
            definition: None,
        };
        match &self.wire.refs {
            Some(wire::Refs::One(one)) => add(Place::Whole, one)?,
            Some(wire::Refs::Many(map)) => {
                for entry in &map.refs {
                    add(Place::Platform(entry.name.clone()), &entry.value)?;
                }
            }
            Some(wire::Refs::OneDeprecated(id)) => add(Place::Whole, &old(id))?,
            Some(wire::Refs::ManyDeprecated(map)) => {
                for (platform, id) in &map.refs {
                    add(Place::Platform(platform.clone()), &old(id))?;
                }
            }
            None => {}
        }
        for entry in &self.wire.attestations {
            for (number, attestation) in entry.value.attestation.iter().enumerate() {
                if let Some(one) = &attestation.reference {
                    add(Place::Attestation(entry.name.clone(), number), one)?;
                }
            }
        }
        Ok(found)
    }

    /// Puts another filesystem in the place of one that is there. Does nothing where none is.
    pub fn replace(&mut self, place: &Place, by: Ref) {
        let there = match (place, &mut self.wire.refs) {
            (Place::Whole, Some(wire::Refs::One(one))) => Some(one),
            (Place::Platform(platform), Some(wire::Refs::Many(map))) => {
                wire::value_mut(&mut map.refs, platform)
            }
            (Place::Attestation(platform, number), _) => {
                let list = wire::value_mut(&mut self.wire.attestations, platform);
                list.and_then(|list| list.attestation.get_mut(*number))
                    .and_then(|attestation| attestation.reference.as_mut())
            }
            _ => None,
        };
        if let Some(there) = there {
            *there = by.into();
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

#[cfg(test)]
mod tests {
    use buildkit_llb::{Constraints, Graph, Local, Meta, Source};
    use prost::Message as _;
    use prost::bytes::Bytes;

    use super::*;

    fn definition(name: &str) -> Definition {
        let mut graph = Graph::new();
        let source = Source::Local(Local::new(name));
        let vertex = graph.add(source, &Constraints::default(), Meta::default());
        graph.definition(vertex.only())
    }

    fn reference(id: &str) -> wire::Ref {
        wire::Ref {
            id: id.to_owned(),
            definition: (!id.is_empty()).then(|| wire::encoded(&definition(id))),
        }
    }

    fn entry<V: std::fmt::Debug + prost::Message + Default>(
        name: &str,
        value: V,
    ) -> wire::Entry<V> {
        let name = name.to_owned();
        wire::Entry { name, value }
    }

    fn two_platforms() -> wire::Result {
        let attestation = |id: Option<&str>| wire::Attestation {
            reference: id.map(reference),
            path: "/sbom.json".to_owned(),
            in_toto_subjects: vec![Bytes::from_static(b"\x08\x01")],
            ..wire::Attestation::default()
        };
        let list = wire::Attestations {
            attestation: vec![attestation(None), attestation(Some("sbom"))],
        };
        let refs = [
            ("linux/amd64", "one"),
            ("linux/arm64", "two"),
            ("linux/riscv64", ""),
        ];
        let refs = refs.map(|(platform, id)| entry(platform, reference(id)));
        wire::Result {
            metadata: [("refs.platforms".to_owned(), b"{}".to_vec())].into(),
            attestations: vec![entry("linux/amd64", list)],
            refs: Some(wire::Refs::Many(wire::RefMap { refs: refs.into() })),
        }
    }

    #[test]
    fn every_filesystem_has_a_place() {
        let raw = RawResult::new(two_platforms());
        assert_eq!(
            raw.definitions().unwrap(),
            BTreeMap::from([
                (
                    Place::Platform("linux/amd64".to_owned()),
                    Some(definition("one"))
                ),
                (
                    Place::Platform("linux/arm64".to_owned()),
                    Some(definition("two"))
                ),
                (
                    Place::Attestation("linux/amd64".to_owned(), 1),
                    Some(definition("sbom"))
                ),
            ])
        );
        let whole = RawResult::new(wire::Result {
            refs: Some(wire::Refs::One(reference("r"))),
            ..wire::Result::default()
        });
        let expected = BTreeMap::from([(Place::Whole, Some(definition("r")))]);
        assert_eq!(whole.definitions().unwrap(), expected);
        assert!(RawResult::answer([]).definitions().unwrap().is_empty());
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
        let Some(wire::Refs::Many(map)) = &mut expected.refs else {
            panic!("no map");
        };
        let new = wire::Ref::from(new);
        map.refs[1].value = new.clone();
        let list = &mut expected.attestations[0].value;
        list.attestation[1].reference = Some(new);
        assert_eq!(raw.into_wire(), expected);
    }

    #[test]
    fn definitions_keep_what_no_type_knows() {
        // An operation's limit on memory: field 7 of its metadata, in later daemons.
        let metadata = [&b"\x0a\x01x"[..], b"\x12\x04", b"\x3a\x02\x08\x09"].concat();
        let length = u8::try_from(metadata.len()).unwrap();
        let bytes = [&[0x12, length][..], &metadata].concat();
        let sent = wire::Result {
            refs: Some(wire::Refs::One(wire::Ref {
                id: "r".to_owned(),
                definition: Some(bytes.clone().into()),
            })),
            ..wire::Result::default()
        };
        let came = wire::Result::decode(sent.encode_to_vec().as_slice()).unwrap();
        let definitions = RawResult::new(came).definitions().unwrap();
        let kept = definitions[&Place::Whole].as_ref().unwrap();
        assert_eq!(kept.to_bytes(), bytes);
    }

    #[test]
    fn what_is_no_definition_is_an_error() {
        let raw = RawResult::new(wire::Result {
            refs: Some(wire::Refs::One(wire::Ref {
                id: "r".to_owned(),
                definition: Some(Bytes::from_static(b"\xff")),
            })),
            ..wire::Result::default()
        });
        assert!(raw.definitions().is_err());
    }

    #[test]
    fn references_of_old_daemons_say_nothing_of_their_origin() {
        let raw = RawResult::new(wire::Result {
            refs: Some(wire::Refs::OneDeprecated("r".to_owned())),
            ..wire::Result::default()
        });
        let expected = BTreeMap::from([(Place::Whole, None)]);
        assert_eq!(raw.definitions().unwrap(), expected);
    }
}
