//! What becomes of the images of a bake file.

use anyhow::{Result, bail};
use buildkit_llb::ImageName;
use larder_diagnostic::{Diagnostic, quote};

use super::spec::BakedSpec;

/// What stands for the name of a spec.
const NAME: &str = "{name}";

/// The names of images, and where they go.
#[derive(clap::Args)]
pub(super) struct Results {
    /// A name for each image, with {name} for that of its spec; may be repeated
    #[arg(short, long = "tag", value_name = "IMAGE:TAG")]
    tags: Vec<String>,
    /// Push the images
    #[arg(long, requires = "tags")]
    push: bool,
    /// Load the images into Docker, under the names of their specs if --tag gives none
    #[arg(long)]
    load: bool,
    /// Where results go, as buildx takes it, with {name} for the name of each spec; may be repeated
    #[arg(short, long = "output", value_name = "OPTION")]
    outputs: Vec<String>,
}

impl Results {
    /// One name is no name for many images.
    pub(super) fn check(&self, specs: usize) -> Result<()> {
        match self.tags.iter().find(|tag| !tag.contains(NAME)) {
            Some(tag) if specs > 1 => bail!(
                "--tag {tag}: {specs} images cannot have one name; write {NAME} for the name of each spec, as \
                 in `--tag registry:5000/team/{NAME}:v1`"
            ),
            _ => Ok(()),
        }
    }

    /// The names of an image.
    pub(super) fn tags(&self, spec: &mut BakedSpec) -> Vec<String> {
        let own = [NAME.to_owned()];
        let patterns = match self.tags.as_slice() {
            [] if self.load => own.as_slice(),
            tags => tags,
        };
        let mut tags = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let tag = pattern.replace(NAME, &spec.name);
            match ImageName::parse(&tag) {
                Ok(_) if tags.contains(&tag) => {}
                Ok(_) => tags.push(tag),
                Err(error) => {
                    let message =
                        format!("{} is no name of an image: {}", quote(&tag), error.reason());
                    spec.diagnostics.push(
                        Diagnostic::error(spec.place(), message)
                            .hint("write another `--tag`, or another `name` in the spec"),
                    );
                }
            }
        }
        tags
    }

    /// Where a result goes.
    pub(super) fn outputs(&self, spec: &BakedSpec) -> Vec<String> {
        let own = self.outputs.iter();
        let mut outputs: Vec<String> = own.map(|text| text.replace(NAME, &spec.name)).collect();
        if self.push {
            outputs.push("type=registry".to_owned());
        }
        if self.load {
            outputs.push("type=docker".to_owned());
        }
        outputs
    }
}
