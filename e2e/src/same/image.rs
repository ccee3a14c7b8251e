use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Layer, layer::Tree, registry::get};

/// An image of one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// What its manifest calls the config.
    pub config: Value,
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

/// Images in a registry. A layer that several have is read once.
#[derive(Debug)]
pub struct Images {
    registry: String,
    layers: Mutex<BTreeMap<String, Arc<Layer>>>,
}

impl Images {
    /// Images of the registry at this host and port, without TLS.
    pub fn new(registry: &str) -> Self {
        Self {
            registry: registry.to_owned(),
            layers: Mutex::default(),
        }
    }

    /// The images under a digest, by platform: of a manifest, one whose platform is empty. What
    /// attests of images is left out.
    pub fn pull(&self, repository: &str, digest: &str) -> Result<BTreeMap<String, Image>> {
        let manifest = self.json(repository, "manifests", digest)?;
        let Some(listed) = manifest["manifests"].as_array() else {
            let image = self.image(repository, &manifest)?;
            return Ok(BTreeMap::from([(String::new(), image)]));
        };
        let mut images = BTreeMap::new();
        for one in listed {
            let platform = &one["platform"];
            let part = |key: &str| platform[key].as_str().unwrap_or_default().to_owned();
            if part("os") == "unknown" {
                continue;
            }
            let manifest = self.json(repository, "manifests", text(&one["digest"])?)?;
            let platform = format!("{}/{}{}", part("os"), part("architecture"), part("variant"));
            images.insert(platform, self.image(repository, &manifest)?);
        }
        Ok(images)
    }

    fn image(&self, repository: &str, manifest: &Value) -> Result<Image> {
        let config = self.json(repository, "blobs", text(&manifest["config"]["digest"])?)?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        let layers = layers.iter().map(|layer| self.layer(repository, layer));
        Ok(Image {
            config,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    fn layer(&self, repository: &str, described: &Value) -> Result<Arc<Layer>> {
        let digest = text(&described["digest"])?;
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layer) = layers.get(digest) {
            return Ok(Arc::clone(layer));
        }
        let blob = self.get(repository, "blobs", digest)?;
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

    fn json(&self, repository: &str, kind: &str, digest: &str) -> Result<Value> {
        Ok(serde_json::from_slice(
            &self.get(repository, kind, digest)?,
        )?)
    }

    fn get(&self, repository: &str, kind: &str, digest: &str) -> Result<Vec<u8>> {
        get(&self.registry, &format!("/v2/{repository}/{kind}/{digest}"))
    }
}

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .context("a manifest lacks a digest or a type")
}
