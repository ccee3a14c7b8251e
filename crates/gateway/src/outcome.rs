//! What a build comes to.

use std::collections::BTreeMap;

use buildkit_llb::Platform;
use serde::Serialize;

use crate::{RawResult, Ref, wire};

/// A finished build.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One image, exported as such.
    Single(Box<Image>),
    /// A list of images, even if it has one entry.
    List(Vec<Image>),
    /// What another frontend made of it, or the answer to a request other than a build.
    Raw(RawResult),
}

/// A filesystem and what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// What it is for.
    pub platform: Platform,
    /// Its filesystem.
    pub reference: Ref,
    /// JSON of its config.
    pub config: Vec<u8>,
    /// JSON of the config of the image that it was made from, if any.
    pub base_config: Option<Vec<u8>>,
    /// What is said of it beside its config.
    pub annotations: Vec<Annotation>,
    /// The time of its files and of itself, in seconds since 1970, if it is set.
    pub epoch: Option<i64>,
}

/// Something that is said of an image beside its config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// What it is put on.
    pub on: AnnotatedPart,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// What an annotation is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotatedPart {
    /// The manifest of a platform.
    Manifest,
    /// What the index says of that manifest.
    ManifestDescriptor,
    /// The index. Only a list of images has one: daemons refuse such an annotation elsewhere.
    Index,
    /// What an OCI layout says of the index. As for the index.
    IndexDescriptor,
}

impl Annotation {
    /// The metadata that it is; `platform` in a list of images.
    fn name(&self, platform: Option<&str>) -> String {
        let part = match self.on {
            AnnotatedPart::Manifest => "manifest",
            AnnotatedPart::ManifestDescriptor => "manifest-descriptor",
            AnnotatedPart::Index => "index",
            AnnotatedPart::IndexDescriptor => "index-descriptor",
        };
        let key = &self.key;
        match platform.filter(|_| self.on.is_of_a_platform()) {
            Some(platform) => format!("annotation-{part}[{platform}].{key}"),
            None => format!("annotation-{part}.{key}"),
        }
    }
}

impl AnnotatedPart {
    /// Whether each platform has one of its own; a list of images has one otherwise.
    pub fn is_of_a_platform(self) -> bool {
        matches!(
            self,
            AnnotatedPart::Manifest | AnnotatedPart::ManifestDescriptor
        )
    }
}

impl Outcome {
    pub(crate) fn into_wire(self) -> wire::Result {
        let (images, list) = match self {
            Outcome::Single(image) => (vec![*image], false),
            Outcome::List(images) => (images, true),
            Outcome::Raw(result) => return result.into_wire(),
        };
        let mut out = wire::Result::default();
        out.metadata
            .insert("refs.platforms".to_owned(), platforms(&images));
        let mut refs = BTreeMap::new();
        for image in images {
            let id = image.platform.to_string();
            let suffix = if list {
                format!("/{id}")
            } else {
                String::new()
            };
            out.metadata
                .insert(format!("containerimage.config{suffix}"), image.config);
            if let Some(base) = image.base_config {
                out.metadata
                    .insert(format!("containerimage.base.config{suffix}"), base);
            }
            if let Some(epoch) = image.epoch {
                out.metadata.insert(
                    format!("source.date.epoch{suffix}"),
                    epoch.to_string().into_bytes(),
                );
            }
            for annotation in image.annotations {
                let name = annotation.name(list.then_some(&id));
                out.metadata.insert(name, annotation.value.into_bytes());
            }
            let reference = wire::Ref::from(image.reference);
            if list {
                refs.insert(id, reference);
            } else {
                out.refs = Some(wire::Refs::One(reference));
            }
        }
        if list {
            let refs = refs.into_iter();
            let refs = refs.map(|(name, value)| wire::Entry { name, value });
            let refs = refs.collect();
            out.refs = Some(wire::Refs::Many(wire::RefMap { refs }));
        }
        out
    }
}

#[derive(Serialize)]
struct Platforms {
    #[serde(rename = "Platforms")]
    platforms: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Platform")]
    platform: OciPlatform,
}

#[derive(Serialize)]
struct OciPlatform {
    architecture: String,
    os: String,
    #[serde(rename = "os.version", skip_serializing_if = "String::is_empty")]
    os_version: String,
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    os_features: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    variant: String,
}

fn platforms(images: &[Image]) -> Vec<u8> {
    let platforms = images
        .iter()
        .map(|image| Entry {
            id: image.platform.to_string(),
            platform: OciPlatform {
                architecture: image.platform.architecture.clone(),
                os: image.platform.os.clone(),
                os_version: image.platform.os_version.clone(),
                os_features: image.platform.os_features.clone(),
                variant: image.platform.variant.clone(),
            },
        })
        .collect();
    serde_json::to_vec(&Platforms { platforms }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn image(platform: &str, id: &str, base: Option<&str>) -> Image {
        Image {
            platform: Platform::parse(platform).unwrap(),
            reference: Ref {
                id: id.to_owned(),
                definition: None,
            },
            config: format!("config of {id}").into_bytes(),
            base_config: base.map(|text| text.as_bytes().to_vec()),
            annotations: Vec::new(),
            epoch: None,
        }
    }

    fn text(result: &wire::Result, key: &str) -> Option<String> {
        let value = result.metadata.get(key)?;
        Some(String::from_utf8(value.clone()).unwrap())
    }

    #[test]
    fn a_single_image_has_plain_keys() {
        let result =
            Outcome::Single(Box::new(image("linux/arm/v7", "r1", Some("base")))).into_wire();
        assert!(matches!(&result.refs, Some(wire::Refs::One(r)) if r.id == "r1"));
        assert_eq!(
            text(&result, "containerimage.config").as_deref(),
            Some("config of r1")
        );
        assert_eq!(
            text(&result, "containerimage.base.config").as_deref(),
            Some("base")
        );
        assert_eq!(
            text(&result, "refs.platforms").as_deref(),
            Some(
                r#"{"Platforms":[{"ID":"linux/arm/v7","Platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}"#
            )
        );
    }

    #[test]
    fn annotations_and_times_go_by_platform_in_a_list() {
        let said = |id: &str| {
            let on = |on, key: &str| Annotation {
                on,
                key: key.to_owned(),
                value: format!("{key} of {id}"),
            };
            Image {
                annotations: vec![
                    on(AnnotatedPart::Manifest, "m"),
                    on(AnnotatedPart::ManifestDescriptor, "d"),
                    on(AnnotatedPart::Index, "i"),
                    on(AnnotatedPart::IndexDescriptor, "x"),
                ],
                epoch: Some(-5),
                ..image("linux/arm/v7", id, None)
            }
        };
        let of = |result: &wire::Result| -> Vec<(String, String)> {
            (result.metadata.keys())
                .filter(|key| key.starts_with("annotation") || key.starts_with("source."))
                .map(|key| (key.clone(), text(result, key).unwrap()))
                .collect()
        };
        let own = |list: [(&str, &str); 3]| list.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let list = Outcome::List(vec![said("r1")]).into_wire();
        assert_eq!(
            of(&list)[..3],
            own([
                ("annotation-index-descriptor.x", "x of r1"),
                ("annotation-index.i", "i of r1"),
                ("annotation-manifest-descriptor[linux/arm/v7].d", "d of r1"),
            ])
        );
        let rest = &of(&list)[3..];
        assert_eq!(rest[0].0, "annotation-manifest[linux/arm/v7].m");
        assert_eq!(rest[1].0, "source.date.epoch/linux/arm/v7");
        let single = Outcome::Single(Box::new(said("r2"))).into_wire();
        assert_eq!(
            of(&single)[2..],
            own([
                ("annotation-manifest-descriptor.d", "d of r2"),
                ("annotation-manifest.m", "m of r2"),
                ("source.date.epoch", "-5"),
            ])
        );
    }

    #[test]
    fn a_list_has_keys_by_platform() {
        let result = Outcome::List(vec![
            image("linux/amd64", "r1", None),
            image("linux/arm64", "r2", None),
        ])
        .into_wire();
        let Some(wire::Refs::Many(refs)) = &result.refs else {
            panic!("{:?}", result.refs);
        };
        let ids = |entry: &wire::Entry<wire::Ref>| (entry.name.clone(), entry.value.id.clone());
        let expected = [("linux/amd64", "r1"), ("linux/arm64", "r2")];
        assert_eq!(
            refs.refs.iter().map(ids).collect::<Vec<_>>(),
            expected.map(|(name, id)| (name.to_owned(), id.to_owned()))
        );
        assert_eq!(
            text(&result, "containerimage.config/linux/arm64").as_deref(),
            Some("config of r2")
        );
        assert_eq!(text(&result, "containerimage.config"), None);
    }

    /// `map<string, Ref>`: a value that is not there crashes daemons.
    #[test]
    fn every_entry_of_a_list_has_a_value_on_the_wire() {
        let list = vec![
            image("linux/amd64", "", None),
            image("linux/arm64", "r", None),
        ];
        let Some(wire::Refs::Many(refs)) = Outcome::List(list).into_wire().refs else {
            panic!("no list");
        };
        let expected = [
            &b"\x0a\x0f\x0a\x0blinux/amd64\x12\x00"[..],
            b"\x0a\x12\x0a\x0blinux/arm64\x12\x03\x0a\x01r",
        ];
        assert_eq!(refs.encode_to_vec(), expected.concat());
    }
}
