//! Plans `add`: what an URL or a repository holds, and archives of the context.

use buildkit_llb::{Git, Http, Source, git_url};
use larder_diagnostic::{Diagnostic, Span, Spanned, quote};
use larder_spec::model::{Add, Step};
use larder_spec::template::Template;

use crate::model::{CopyFrom, PlannedCopy};
use crate::stage::Builder;
use crate::web;

/// What a source of `add` is.
enum Origin {
    /// A path or pattern of the context.
    Path(String),
    /// A file on the web.
    Url(String),
    /// A repository.
    Git(Box<Git>),
}

impl Builder<'_, '_> {
    pub(crate) fn add(&mut self, step: &Step, add: &Add) {
        let origins: Vec<Option<(Origin, Span)>> = add
            .src
            .iter()
            .map(|template| Some((self.origin(template)?, template.span)))
            .collect();
        let dest = self.destination(&add.dest, add.src.len(), false);
        let owner = self.owner(add.chown.as_ref());
        let exclude = self.exclusions(&add.exclude);
        let Some(mut origins) = origins.into_iter().collect::<Option<Vec<_>>>() else {
            return;
        };
        let fits = self.check_kinds(add, &origins);
        let checksum = self.checksum(add.checksum.as_ref(), &origins);
        let told = self.tell_repositories(add, &mut origins);
        let (Some(dest), Some(owner), Some(exclude), Some(checksum), true, true) =
            (dest, owner, exclude, checksum, fits, told)
        else {
            return;
        };
        let shown: Vec<String> = origins.iter().map(|(origin, _)| origin.show()).collect();
        let mut copies = Vec::with_capacity(origins.len());
        for (origin, span) in origins {
            let (from, src, unpack) = match origin {
                Origin::Path(path) => (CopyFrom::Context, path, add.unpack.unwrap_or(true)),
                Origin::Git(mut git) => {
                    git.checksum = checksum.clone().or(git.checksum.take());
                    (
                        CopyFrom::Source(Box::new(Source::Git(*git))),
                        String::new(),
                        false,
                    )
                }
                Origin::Url(url) => {
                    let unpack = add.unpack.unwrap_or(false);
                    let Some(filename) = self.file_name(&url, &dest, unpack, span) else {
                        return;
                    };
                    let http = Http {
                        checksum: checksum.clone(),
                        filename: filename.clone(),
                        ..Http::new(url)
                    };
                    (
                        CopyFrom::Source(Box::new(Source::Http(http))),
                        filename,
                        unpack,
                    )
                }
            };
            copies.push(PlannedCopy {
                mode: add.chmod.as_ref().map(|mode| mode.value),
                exclude: exclude.clone(),
                unpack,
                ..PlannedCopy::new(from, vec![src], dest.clone(), owner)
            });
        }
        let name = self.name(step, || {
            format!("add {} to {dest}", crate::names::paths(&shown))
        });
        self.push_copies(name, step.span, copies, add.link);
    }

    fn origin(&mut self, template: &Template) -> Option<Origin> {
        let written = self.expand_maybe(template)?;
        let span = template.span;
        // To Git it is an address, but it looks like a path.
        if !written.starts_with("github.com/") {
            match git_url::parse(&written) {
                Ok(Some(git)) => return Some(Origin::Git(Box::new(git))),
                Ok(None) => {}
                Err(message) => {
                    self.planner.report(Diagnostic::error(span, message).hint(
                        "an address of a repository is written like \
                         `https://example.org/app.git?tag=v1`",
                    ));
                    return None;
                }
            }
        }
        let Some((scheme, _)) = written.split_once("://") else {
            let path = self.path_source(&written, span, &CopyFrom::Context, false)?;
            return Some(Origin::Path(path));
        };
        let diagnostic = if !matches!(scheme, "http" | "https") {
            Diagnostic::error(
                span,
                format!("{} cannot be fetched", quote(&web::shown(&written))),
            )
            .hint("`add` takes `http://` and `https://`, and repositories as `git` has them")
        } else if !web::is_url(&written) {
            Diagnostic::error(span, format!("{} is no URL", quote(&web::shown(&written))))
                .hint("an URL is written like `https://example.org/app.tar.gz`")
        } else {
            return Some(Origin::Url(written));
        };
        self.planner.report(diagnostic);
        None
    }

    /// Whether what is said of the sources makes sense for what they are.
    fn check_kinds(&mut self, add: &Add, origins: &[(Origin, Span)]) -> bool {
        let other_than_git = origins.iter().any(|(origin, _)| !origin.is_git());
        let first_git = origins.iter().find(|(origin, _)| origin.is_git());
        let first_url = origins.iter().find(|(origin, _)| origin.is_url());
        let first = origins.first().map(|(_, span)| *span);
        let mut wrong = Vec::new();
        let of_git = [
            (
                "ref",
                add.reference.as_ref().map(|reference| reference.span),
            ),
            ("subdir", add.subdir.as_ref().map(|subdir| subdir.span)),
            ("keep-git", first.filter(|_| add.keep_git)),
        ];
        for (key, span) in of_git {
            let Some(span) = span else { continue };
            if other_than_git {
                wrong.push(
                    Diagnostic::error(span, format!("`{key}` is for repositories alone")).hint(
                        "the address of a repository starts with `git@`, `git://` or `ssh://`, or \
                         ends in `.git`",
                    ),
                );
            } else if origins.len() > 1 && key != "keep-git" {
                wrong.push(
                    Diagnostic::error(span, format!("`{key}` is for a single repository"))
                        .hint("write a step for each"),
                );
            }
        }
        if let (Some((_, span)), Some(true)) = (first_git, add.unpack) {
            wrong.push(
                Diagnostic::error(
                    *span,
                    "a repository is no archive: there is nothing to unpack",
                )
                .hint("leave `unpack` out"),
            );
        }
        if let (Some(_), Some(pattern)) = (first_url, add.exclude.first()) {
            wrong.push(
                Diagnostic::error(pattern.span, "of what an URL holds nothing can be left out")
                    .hint("`exclude` is for directories of the context and for repositories"),
            );
        }
        let right = wrong.is_empty();
        for diagnostic in wrong {
            self.planner.report(diagnostic);
        }
        right
    }

    /// The checksum of the one source, in the form of its kind; `Some(None)` without one.
    #[expect(
        clippy::option_option,
        reason = "wrong, absent, and there are three things"
    )]
    fn checksum(
        &mut self,
        checksum: Option<&Spanned<Template>>,
        origins: &[(Origin, Span)],
    ) -> Option<Option<String>> {
        let Some(checksum) = checksum else {
            return Some(None);
        };
        let written = self.expand_maybe(&checksum.value)?;
        let found = match origins {
            [(Origin::Path(_), _)] => Err((
                "`checksum` is for URLs and repositories".to_owned(),
                "files of the context are what they are",
            )),
            [(Origin::Url(_), _)] => web::sha256(&written),
            [(Origin::Git(git), _)] => web::commit(&written).and_then(|commit| {
                let other = git.checksum.as_ref().filter(|other| **other != commit);
                match other {
                    Some(other) => Err((
                        format!(
                            "{} and {} of the address differ",
                            quote(&commit),
                            quote(other)
                        ),
                        "name the commit once",
                    )),
                    None => Ok(commit),
                }
            }),
            _ => Err((
                "`checksum` is for a single source".to_owned(),
                "write a step for each",
            )),
        };
        match found {
            Ok(checksum) => Some(Some(checksum)),
            Err((message, hint)) => {
                self.planner
                    .report(Diagnostic::error(checksum.span, message).hint(hint));
                None
            }
        }
    }

    /// Says to repositories what of them is wanted; `false` if that is wrong.
    fn tell_repositories(&mut self, add: &Add, origins: &mut [(Origin, Span)]) -> bool {
        let reference = add.reference.as_ref().map(|reference| {
            let text = self.expand_maybe(&reference.value)?;
            self.not_empty(text, "ref", "the default branch", reference.span)
        });
        let subdir = add.subdir.as_ref().map(|subdir| {
            let text = self.expand_maybe(subdir)?;
            let text = self.not_empty(text, "subdir", "all of the repository", subdir.span)?;
            let any = CopyFrom::Source(Box::new(Source::Git(Git::new(""))));
            match crate::paths::below(&text) {
                Some(below) => Some(below),
                None => {
                    self.planner
                        .report(crate::copy::outside(&text, subdir.span, &any));
                    None
                }
            }
        });
        if matches!(reference, Some(None)) || matches!(subdir, Some(None)) {
            return false;
        }
        let (reference, subdir) = (reference.flatten(), subdir.flatten());
        let mut right = true;
        for (origin, span) in origins {
            let Origin::Git(git) = origin else { continue };
            git.keep_git_dir |= add.keep_git;
            if let Some(commit) = git.checksum.take() {
                match web::commit(&commit) {
                    Ok(commit) => git.checksum = Some(commit),
                    Err((message, hint)) => {
                        right = false;
                        self.planner
                            .report(Diagnostic::error(*span, message).hint(hint));
                    }
                }
            }
            let slots = [
                (
                    "ref",
                    &reference,
                    &mut git.reference,
                    add.reference.as_ref().map(|r| r.span),
                ),
                (
                    "subdir",
                    &subdir,
                    &mut git.subdir,
                    add.subdir.as_ref().map(|s| s.span),
                ),
            ];
            for (key, wanted, slot, span) in slots {
                let Some(wanted) = wanted else { continue };
                if slot.is_empty() || slot == wanted {
                    slot.clone_from(wanted);
                    continue;
                }
                right = false;
                self.planner.report(
                    Diagnostic::error(
                        span,
                        format!(
                            "`{key}` is {}, but the address has {}",
                            quote(wanted),
                            quote(slot)
                        ),
                    )
                    .hint("say it once"),
                );
            }
        }
        right
    }

    fn not_empty(&mut self, text: String, key: &str, all: &str, span: Span) -> Option<String> {
        if !text.is_empty() {
            return Some(text);
        }
        self.planner.report(
            Diagnostic::error(span, format!("`{key}` is empty"))
                .hint(format!("leave it out for {all}")),
        );
        None
    }

    /// What a file of the web is called before it is copied, or unpacked, to `dest`.
    fn file_name(&mut self, url: &str, dest: &str, unpack: bool, span: Span) -> Option<String> {
        if let Some(name) = web::file_name(url) {
            return Some(name);
        }
        let last = dest.rsplit('/').next().unwrap_or_default();
        if !last.is_empty() {
            return Some(last.to_owned());
        }
        if unpack {
            return Some("archive".to_owned());
        }
        self.planner.report(
            Diagnostic::error(
                span,
                format!("{} has no file name", quote(&web::shown(url))),
            )
            .hint("end `dest` with the name of the file"),
        );
        None
    }
}

impl Origin {
    fn is_git(&self) -> bool {
        matches!(self, Origin::Git(_))
    }

    fn is_url(&self) -> bool {
        matches!(self, Origin::Url(_))
    }

    /// For people: without secrets.
    fn show(&self) -> String {
        match self {
            Origin::Path(path) => path.clone(),
            Origin::Url(url) => web::shown(url),
            Origin::Git(git) => web::shown_git(git),
        }
    }
}
