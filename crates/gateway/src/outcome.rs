//! What a build comes to.

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
        let mut refs = wire::RefMap::default();
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
            let reference = wire::Ref::from(image.reference);
            if list {
                refs.refs.insert(id, reference);
            } else {
                out.refs = Some(wire::Refs::One(reference));
            }
        }
        if list {
            out.refs = Some(wire::Refs::Many(refs));
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
    fn a_list_has_keys_by_platform() {
        let result = Outcome::List(vec![
            image("linux/amd64", "r1", None),
            image("linux/arm64", "r2", None),
        ])
        .into_wire();
        let Some(wire::Refs::Many(refs)) = &result.refs else {
            panic!("{:?}", result.refs);
        };
        assert_eq!(refs.refs["linux/amd64"].id, "r1");
        assert_eq!(refs.refs["linux/arm64"].id, "r2");
        assert_eq!(
            text(&result, "containerimage.config/linux/arm64").as_deref(),
            Some("config of r2")
        );
        assert_eq!(text(&result, "containerimage.config"), None);
    }
}
