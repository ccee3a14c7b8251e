//! What a stage stands on, and what it passes on to those that stand on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use larder_diagnostic::{Diagnostic, Span};
use larder_inject::distribution::{self, distribution};
use larder_spec::model::AnnotationLevel;

use crate::accounts::Accounts;
use crate::facts::ImageFact;
use crate::image::ImageConfig;
use crate::model::{Base, ImageId};
use crate::planner::Planner;
use crate::stages::From;
use crate::users::Users;

/// A filesystem, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub config: ImageConfig,
    /// Whether `config` is that of the base image, and not a stand-in.
    pub complete: bool,
    pub users: Users,
    /// `debian-13`; `None` until the image's files were read.
    pub distribution: Option<String>,
    /// What its stages left in stores, by tool: `` `go mod download` in step 2 of deps ``.
    pub stores: BTreeMap<&'static str, String>,
    /// Names of variables that are as the image at the bottom has them.
    pub image_env: BTreeSet<String>,
    /// Annotations of its stages.
    pub annotations: Vec<(AnnotationLevel, String, String)>,
    /// Config of the image at the bottom.
    pub bottom: Option<Arc<ImageConfig>>,
}

/// What a stage starts from.
pub(crate) fn ground(
    planner: &mut Planner<'_>,
    from: &From,
    span: Span,
    done: &[Option<Ground>],
) -> Ground {
    match from {
        From::Stage(index) => {
            let mut ground = done[*index].clone().unwrap_or_else(unknown);
            // They are for builds that start from the image.
            ground.config.config.on_build.clear();
            ground
        }
        From::Unclear => unknown(),
        From::Scratch => Ground {
            config: ImageConfig::default(),
            complete: true,
            users: Users {
                accounts: Arc::new(Accounts::scratch()),
                image: None,
            },
            distribution: Some("scratch".to_owned()),
            stores: BTreeMap::new(),
            image_env: BTreeSet::new(),
            annotations: Vec::new(),
            bottom: None,
        },
        From::Image { written, reference } => {
            let image = Some((written.clone(), reference.clone()));
            match planner.image(reference) {
                Some(fact) => of_image(planner, fact, image, span),
                None => Ground {
                    users: Users {
                        image,
                        ..unknown().users
                    },
                    ..unknown()
                },
            }
        }
    }
}

/// What [`Base`] a plan says, and which reference it pulls.
pub(crate) fn base(planner: &Planner<'_>, from: &From, position: &[usize]) -> Base {
    match from {
        From::Stage(index) => Base::Stage(position[*index]),
        From::Scratch | From::Unclear => Base::Scratch,
        From::Image { reference, .. } => Base::Image(ImageId {
            reference: pinned(planner, reference),
            platform: None,
        }),
    }
}

/// A reference with the digest that was found for it.
pub(crate) fn pinned(planner: &Planner<'_>, reference: &str) -> String {
    let fact = planner.facts.images.get(reference);
    match fact.and_then(|fact| fact.digest.as_deref()) {
        Some(digest) if !reference.contains('@') => format!("{reference}@{digest}"),
        _ => reference.to_owned(),
    }
}

/// Something about which nothing is known.
fn unknown() -> Ground {
    Ground {
        config: ImageConfig::default(),
        complete: false,
        users: Users {
            accounts: Arc::new(Accounts::missing()),
            image: None,
        },
        distribution: None,
        stores: BTreeMap::new(),
        image_env: BTreeSet::new(),
        annotations: Vec::new(),
        bottom: None,
    }
}

fn of_image(
    planner: &mut Planner<'_>,
    fact: &ImageFact,
    image: Option<(String, String)>,
    span: Span,
) -> Ground {
    let reference = image.as_ref().map_or("", |(_, reference)| reference);
    let accounts = planner.accounts(reference, fact);
    let mut config = fact.config.clone();
    let triggers = std::mem::take(&mut config.config.on_build);
    if !triggers.is_empty() {
        planner.report(
            Diagnostic::warning(
                span,
                format!(
                    "the image has {} `ONBUILD` instructions, which are not run",
                    triggers.len()
                ),
            )
            .lint("onbuild-not-run")
            .hint(format!(
                "write what they do as steps: {}",
                triggers.join("; ")
            )),
        );
    }
    let names = config.config.env.iter();
    Ground {
        image_env: names
            .filter_map(|entry| Some(entry.split_once('=')?.0.to_owned()))
            .collect(),
        config,
        complete: true,
        users: Users { accounts, image },
        distribution: match (&fact.accounts, fact.assumed) {
            (_, true) => Some(distribution::UNKNOWN.to_owned()),
            (Some(files), _) => Some(distribution(files.os_release.as_deref())),
            (None, _) => None,
        },
        stores: BTreeMap::new(),
        annotations: Vec::new(),
        bottom: Some(Arc::new(fact.config.clone())),
    }
}
