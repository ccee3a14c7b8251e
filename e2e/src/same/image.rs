use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Layer, layer::Tree, registry::get};
use crate::unique;

/// An image of one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// What its manifest calls the config.
    pub config: Value,
    /// Those of its manifest.
    pub annotations: Value,
    /// From the lowest.
    pub layers: Vec<Arc<Layer>>,
}

impl Image {
    pub(super) fn tree(&self) -> Tree<'_> {
        let mut tree = Tree::new();
        for layer in &self.layers {
            layer.apply(&mut tree);
        }
        tree
    }
}

/// Images in a repository of a registry. A layer that several have is read once.
///
/// The repository is new, and for one build at a time: where two pushed to one, the registry was seen to
/// refuse a manifest, presumably as long as a blob that both push is not there for good.
#[derive(Debug)]
pub struct Images {
    registry: String,
    repository: String,
    layers: Arc<Mutex<BTreeMap<String, Arc<Layer>>>>,
}

impl Images {
    /// Images of the registry at this host and port, without TLS.
    pub fn new(registry: &str) -> Self {
        Self {
            registry: registry.to_owned(),
            repository: new_repository(),
            layers: Arc::default(),
        }
    }

    /// Images in another repository, for another build at the same time.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            registry: self.registry.clone(),
            repository: new_repository(),
            layers: Arc::clone(&self.layers),
        }
    }

    /// The repository, without the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The images under a digest, by platform: of a manifest, one whose platform is empty. What
    /// attests of images is left out.
    pub fn pull(&self, digest: &str) -> Result<BTreeMap<String, Image>> {
        let manifest = self.json("manifests", digest)?;
        let Some(listed) = manifest["manifests"].as_array() else {
            let image = self.image(&manifest)?;
            return Ok(BTreeMap::from([(String::new(), image)]));
        };
        let mut images = BTreeMap::new();
        for one in listed {
            let platform = &one["platform"];
            let part = |key: &str| platform[key].as_str().unwrap_or_default().to_owned();
            if part("os") == "unknown" {
                continue;
            }
            let manifest = self.json("manifests", text(&one["digest"])?)?;
            let parts = ["os", "architecture", "variant"].map(part);
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let platform = parts.join("/");
            images.insert(platform, self.image(&manifest)?);
        }
        Ok(images)
    }

    fn image(&self, manifest: &Value) -> Result<Image> {
        let config = self.json("blobs", text(&manifest["config"]["digest"])?)?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        let layers = layers.iter().map(|layer| self.layer(layer));
        Ok(Image {
            config,
            annotations: manifest["annotations"].clone(),
            layers: layers.collect::<Result<_>>()?,
        })
    }

    fn layer(&self, described: &Value) -> Result<Arc<Layer>> {
        let digest = text(&described["digest"])?;
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layer) = layers.get(digest) {
            return Ok(Arc::clone(layer));
        }
        let blob = self.get("blobs", digest)?;
        let media = text(&described["mediaType"])?;
        let layer = match media.rsplit(['.', '+']).next() {
            Some("gzip") => Layer::gzip(&*blob),
            Some("tar") => Layer::tar(&*blob),
            _ => bail!("layers of the type {media} are not known"),
        };
        let layer = Arc::new(layer.with_context(|| format!("cannot read the layer {digest}"))?);
        layers.insert(digest.to_owned(), Arc::clone(&layer));
        Ok(layer)
    }

    fn json(&self, kind: &str, digest: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.get(kind, digest)?)?)
    }

    fn get(&self, kind: &str, digest: &str) -> Result<Vec<u8>> {
        let repository = &self.repository;
        get(&self.registry, &format!("/v2/{repository}/{kind}/{digest}"))
    }
}

fn new_repository() -> String {
    format!("larder-e2e/same-{}", unique())
}

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .context("a manifest lacks a digest or a type")
}
