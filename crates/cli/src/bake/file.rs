//! The bake file.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Serialize, Serializer};

/// What a bake file says.
#[derive(Default, Serialize)]
pub(super) struct BakeFile {
    group: BTreeMap<&'static str, Group>,
    target: BTreeMap<String, Target>,
}

#[derive(Default, Serialize)]
struct Group {
    targets: Vec<String>,
}

/// One image. Lists of options are texts, as every buildx takes them.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Target {
    #[serde(serialize_with = "escaped")]
    pub(super) context: String,
    #[serde(serialize_with = "escaped")]
    pub(super) dockerfile: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) contexts: BTreeMap<Text, Text>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) args: BTreeMap<Text, Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cache_from: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cache_to: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) secret: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ssh: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) output: Vec<Text>,
}

/// Text in which bake finds nothing to replace.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(String);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        escaped(&self.0, serializer)
    }
}

fn escaped<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&escape(text))
}

/// Bake files of JSON are templates of HCL, with `${…}` and `%{…}`.
fn escape(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A list of texts.
pub(super) fn list(texts: impl IntoIterator<Item = String>) -> Vec<Text> {
    texts.into_iter().map(Text).collect()
}

/// A mapping of texts.
pub(super) fn texts(texts: BTreeMap<String, String>) -> BTreeMap<Text, Text> {
    let texts = texts.into_iter();
    texts
        .map(|(name, value)| (Text(name), Text(value)))
        .collect()
}

impl BakeFile {
    /// One target more, which is in the group `default` as well.
    pub(super) fn add(&mut self, name: String, target: Target) {
        let targets = &mut self.group.entry("default").or_default().targets;
        targets.push(name.clone());
        targets.sort();
        self.target.insert(name, target);
    }

    /// As it is written.
    pub(super) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
