//! What a stage stands on, and what it passes on to those that stand on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, Span, quote};
use larder_inject::distribution::{self, distribution};
use larder_spec::model::{AnnotationLevel, Stage};

use crate::accounts::Accounts;
use crate::facts::ImageFact;
use crate::from::From;
use crate::image::ImageConfig;
use crate::model::{Base, ImageId};
use crate::planner::Planner;
use crate::request::NamedContext;
use crate::users::{Origin, Users};

/// A filesystem, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub config: ImageConfig,
    /// Whether `config` is that of the base image, and not a stand-in.
    pub complete: bool,
    /// What its steps run on.
    pub platform: Platform,
    pub users: Users,
    /// `debian-13`; `None` until the image's files were read.
    pub distribution: Option<String>,
    /// What its stages left in stores, by tool: `` `go mod download` in step 2 of deps ``.
    pub stores: BTreeMap<&'static str, String>,
    /// Names of variables that are as the image at the bottom has them.
    pub image_env: BTreeSet<String>,
    /// Annotations of its stages.
    pub annotations: BTreeMap<(AnnotationLevel, String), String>,
    /// Config of the image at the bottom.
    pub bottom: Option<Arc<ImageConfig>>,
}

impl Ground {
    /// About how many bytes its config takes, which each stage above has, too.
    pub(crate) fn size(&self) -> usize {
        let config = &self.config.config;
        let parts = config.exposed_ports.len() + config.labels.len() + config.volumes.len();
        64 * (parts + self.config.history.len() + self.annotations.len())
    }
}

/// What a stage starts from, which runs on `platform` unless it stands on another one.
pub(crate) fn ground(
    planner: &mut Planner<'_>,
    from: &From,
    stage: &Stage,
    platform: Option<&Platform>,
    done: &[Option<Ground>],
) -> Ground {
    let span = stage.from.span;
    let wanted = platform;
    let platform = wanted.unwrap_or(&planner.request.platform).clone();
    match from {
        From::Stage(index) => {
            let mut ground = done[*index].clone().unwrap_or_else(|| unknown(platform));
            // They are for builds that start from the image.
            ground.config.config.on_build.clear();
            if let (Some(wanted), Some(written)) = (wanted, &stage.platform)
                && *wanted != ground.platform
            {
                let below = &planner.spec.stages[*index].name.value;
                let message = format!("the stage {} is for {}", quote(below), ground.platform);
                let error = Diagnostic::error(written.span, message)
                    .hint("a stage runs on what it stands on: give `platform` to that stage");
                planner.report(error);
            }
            ground
        }
        From::Unclear => unknown(platform),
        From::Scratch => Ground {
            config: ImageConfig::default(),
            complete: true,
            users: Users {
                accounts: Arc::new(Accounts::scratch()),
                image: None,
            },
            distribution: Some("scratch".to_owned()),
            ..unknown(platform)
        },
        From::Image { written, reference } => {
            let image = image_id(planner, reference, &platform);
            let fact = planner.image_of(&image);
            let origin = (written.clone(), Origin::Image(image));
            match fact {
                Some(fact) => of_image(planner, fact, origin, platform, span),
                None => Ground {
                    users: Users {
                        image: Some(origin),
                        accounts: Arc::new(Accounts::missing()),
                    },
                    ..unknown(platform)
                },
            }
        }
        From::Named(key) => of_context(planner, key, platform, span),
    }
}

/// An image for a platform.
fn image_id(planner: &Planner<'_>, reference: &str, platform: &Platform) -> ImageId {
    ImageId {
        reference: reference.to_owned(),
        platform: other(planner, platform),
    }
}

/// The platform, if it is not the one which the build is for.
pub(crate) fn other(planner: &Planner<'_>, platform: &Platform) -> Option<Platform> {
    Some(platform.clone()).filter(|platform| *platform != planner.request.platform)
}

/// What [`Base`] a plan says.
pub(crate) fn base(
    planner: &Planner<'_>,
    from: &From,
    platform: &Platform,
    position: &[usize],
) -> Base {
    match from {
        From::Stage(index) => Base::Stage(position[*index]),
        From::Scratch | From::Unclear => Base::Scratch,
        From::Named(key) => Base::Context(key.clone()),
        From::Image { reference, .. } => {
            Base::Image(pinned_id(planner, image_id(planner, reference, platform)))
        }
    }
}

/// A reference with the digest that was found for it, for the platform which the build is for.
pub(crate) fn pinned(planner: &Planner<'_>, reference: &str) -> String {
    pinned_id(planner, ImageId::new(reference)).reference
}

fn pinned_id(planner: &Planner<'_>, image: ImageId) -> ImageId {
    let fact = planner.facts.images.get(&image);
    match fact.and_then(|fact| fact.digest.as_deref()) {
        Some(digest) if !image.reference.contains('@') => ImageId {
            reference: format!("{}@{digest}", image.reference),
            ..image
        },
        _ => image,
    }
}

/// Something about which nothing is known.
fn unknown(platform: Platform) -> Ground {
    Ground {
        config: ImageConfig::default(),
        complete: false,
        platform,
        users: Users {
            accounts: Arc::new(Accounts::missing()),
            image: None,
        },
        distribution: None,
        stores: BTreeMap::new(),
        image_env: BTreeSet::new(),
        annotations: BTreeMap::new(),
        bottom: None,
    }
}

fn of_image(
    planner: &mut Planner<'_>,
    fact: &ImageFact,
    (written, origin): (String, Origin),
    platform: Platform,
    span: Span,
) -> Ground {
    Ground {
        users: Users {
            accounts: planner.accounts(&origin, || Accounts::of(fact)),
            image: Some((written, origin)),
        },
        distribution: match (&fact.accounts, fact.assumed) {
            (_, true) => Some(distribution::UNKNOWN.to_owned()),
            (Some(files), _) => Some(distribution(files.os_release.as_deref())),
            (None, _) => None,
        },
        ..configured(planner, &fact.config, platform, span)
    }
}

/// The files of a named context, as the image that they are, or an image that says nothing.
fn of_context(planner: &mut Planner<'_>, key: &str, platform: Platform, span: Span) -> Ground {
    let known = planner.facts.contexts.get(key);
    let fact = ImageFact {
        accounts: known.map(|known| known.accounts.clone()),
        assumed: known.is_some_and(|known| known.assumed),
        ..ImageFact::default()
    };
    let written = crate::from::shown(key).to_owned();
    let origin = (written, Origin::Context(key.to_owned()));
    match planner.request.contexts.get(key) {
        Some(NamedContext::Built { config, .. }) => {
            let config = (**config).clone();
            let fact = ImageFact { config, ..fact };
            of_image(planner, &fact, origin, platform, span)
        }
        _ => Ground {
            bottom: None,
            ..of_image(planner, &fact, origin, platform, span)
        },
    }
}

/// Something with this config, of which nothing else is known.
fn configured(
    planner: &mut Planner<'_>,
    config: &ImageConfig,
    platform: Platform,
    span: Span,
) -> Ground {
    let bottom = Some(Arc::new(config.clone()));
    let mut config = config.clone();
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
        bottom,
        ..unknown(platform)
    }
}
