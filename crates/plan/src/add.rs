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

/// A source, and where it is.
struct Found {
    origin: Origin,
    span: Span,
    /// It has no args, so that the parser has told already what does not go with it.
    literal: bool,
}

impl Builder<'_, '_> {
    pub(crate) fn add(&mut self, step: &Step, add: &Add) {
        let found: Vec<Option<Found>> = add
            .src
            .iter()
            .map(|template| {
                Some(Found {
                    origin: self.origin(template)?,
                    span: template.span,
                    literal: template.literal().is_some(),
                })
            })
            .collect();
        let dest = self.destination(&add.dest, add.src.len(), false);
        let owner = self.owner(add.chown.as_ref());
        let exclude = self.exclusions(&add.exclude);
        let Some(mut found) = found.into_iter().collect::<Option<Vec<_>>>() else {
            return;
        };
        let fits = self.check_kinds(add, &found);
        let told = self.tell_repositories(add, &mut found);
        let checksum = self.checksum(add.checksum.as_ref(), &found);
        let (Some(dest), Some(owner), Some(exclude), Ok(checksum), true, true) =
            (dest, owner, exclude, checksum, fits, told)
        else {
            return;
        };
        let shown: Vec<String> = found.iter().map(|one| one.origin.show()).collect();
        let mut copies = Vec::with_capacity(found.len());
        for one in found {
            let (from, src, unpack) = match one.origin {
                Origin::Path(path) => (CopyFrom::Context, path, add.unpack.unwrap_or(true)),
                Origin::Git(mut git) => {
                    git.checksum = checksum.clone().or(git.checksum.take());
                    let source = Box::new(Source::Git(*git));
                    (CopyFrom::Source(source), String::new(), false)
                }
                Origin::Url(url) => {
                    let unpack = add.unpack.unwrap_or(false);
                    let Some(filename) = self.file_name(&url, &dest, unpack, one.span) else {
                        return;
                    };
                    let http = Http {
                        checksum: checksum.clone(),
                        filename: filename.clone(),
                        ..Http::new(url)
                    };
                    let source = Box::new(Source::Http(http));
                    (CopyFrom::Source(source), filename, unpack)
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
        let shown = quote(&web::shown(&written));
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
        let diagnostic = if web::means_git(&written) {
            Diagnostic::error(span, format!("{shown} is no address of a repository")).hint(
                "it is written like `https://example.org/app.git` or `git@example.org:app.git`",
            )
        } else if web::is_url(&written) {
            return Some(Origin::Url(written));
        } else if written.starts_with("http://") || written.starts_with("https://") {
            Diagnostic::error(span, format!("{shown} is no URL"))
                .hint("an URL is written like `https://example.org/app.tar.gz`")
        } else if written.contains("://") {
            Diagnostic::error(span, format!("{shown} cannot be fetched"))
                .hint("write an URL with `https://`, or of a git repository")
        } else {
            let path = self.path_source(&written, span, &CopyFrom::Context, false)?;
            return Some(Origin::Path(path));
        };
        self.planner.report(diagnostic);
        None
    }

    /// Whether what is said of the sources makes sense for what they are.
    fn check_kinds(&mut self, add: &Add, found: &[Found]) -> bool {
        // A key of one source beside several; the parser has said it.
        let several = found.len() > 1;
        let of_one = add.checksum.is_some() || add.reference.is_some() || add.subdir.is_some();
        let mut right = !several || !(of_one || add.keep_git);
        for one in found {
            let mut wrong = Vec::new();
            if !one.is_git() && !several {
                let of_git = [
                    ("ref", add.reference.as_ref().map(|key| key.span)),
                    ("subdir", add.subdir.as_ref().map(|key| key.span)),
                    ("keep-git", Some(one.span).filter(|_| add.keep_git)),
                ];
                for (key, span) in of_git {
                    let Some(span) = span else { continue };
                    let message = format!("`{key}` of what is not a git repository");
                    let mut diagnostic = Diagnostic::error(span, message).hint(
                        "a repository ends in `.git`, or begins with `git@`, `git://` or `ssh://`",
                    );
                    if span != one.span {
                        diagnostic = diagnostic.label(one.span, "the source");
                    }
                    wrong.push(diagnostic);
                }
            }
            if one.is_git() && add.unpack == Some(true) {
                wrong.push(
                    Diagnostic::error(one.span, "`unpack` of a git repository")
                        .hint("remove it; a repository is no archive"),
                );
            }
            right &= wrong.is_empty();
            if one.literal && !several {
                wrong.clear();
            }
            if let (Origin::Url(_), Some(pattern)) = (&one.origin, add.exclude.first()) {
                wrong.push(
                    Diagnostic::error(pattern.span, "`exclude` of what an URL holds")
                        .label(one.span, "the source")
                        .hint(
                            "remove it; a single file is fetched, and an archive is unpacked whole",
                        ),
                );
                right = false;
            }
            for diagnostic in wrong {
                self.planner.report(diagnostic);
            }
        }
        right
    }

    /// The checksum of the one source, in the form of its kind.
    fn checksum(
        &mut self,
        checksum: Option<&Spanned<Template>>,
        found: &[Found],
    ) -> Result<Option<String>, Reported> {
        let (Some(checksum), [one]) = (checksum, found) else {
            return Ok(None);
        };
        let written = self.expand_maybe(&checksum.value).ok_or(Reported)?;
        let read = match &one.origin {
            Origin::Path(_) => Err((
                "`checksum` of files of the build context".to_owned(),
                "remove it; the build context is yours",
            )),
            Origin::Url(_) => web::sha256(&written),
            Origin::Git(git) => web::commit(&written).and_then(|commit| match &git.checksum {
                Some(other) if *other != commit => Err((
                    format!(
                        "{} is not the commit that the address names",
                        quote(&commit)
                    ),
                    "name the commit once",
                )),
                _ => Ok(commit),
            }),
        };
        read.map(Some).map_err(|(message, hint)| {
            let literal = one.literal && checksum.value.literal().is_some();
            if !literal || web::parser_takes(&written, one.is_git()) {
                self.planner
                    .report(Diagnostic::error(checksum.span, message).hint(hint));
            }
            Reported
        })
    }

    /// Says to repositories what of them is wanted; `false` if that is wrong.
    fn tell_repositories(&mut self, add: &Add, found: &mut [Found]) -> bool {
        let reference = add.reference.as_ref().map(|reference| {
            let text = self.expand_maybe(&reference.value)?;
            self.not_empty(text, "ref", "the default branch", reference.span)
        });
        let subdir = add.subdir.as_ref().map(|subdir| {
            let text = self.expand_maybe(subdir)?;
            let text = self.not_empty(text, "subdir", "all of the repository", subdir.span)?;
            let any = CopyFrom::Source(Box::new(Source::Git(Git::new(""))));
            let below = crate::paths::below(&text);
            if below.is_none() {
                self.planner
                    .report(crate::copy::outside(&text, subdir.span, &any));
            }
            below
        });
        if matches!(reference, Some(None)) || matches!(subdir, Some(None)) {
            return false;
        }
        let (reference, subdir) = (reference.flatten(), subdir.flatten());
        let mut right = true;
        for one in found {
            let span = one.span;
            let Origin::Git(git) = &mut one.origin else {
                continue;
            };
            git.keep_git_dir |= add.keep_git;
            if let Some(commit) = git.checksum.take() {
                match web::commit(&commit) {
                    Ok(commit) => git.checksum = Some(commit),
                    Err((message, hint)) => {
                        right = false;
                        self.planner
                            .report(Diagnostic::error(span, message).hint(hint));
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

/// A mistake that was reported.
struct Reported;

impl Found {
    fn is_git(&self) -> bool {
        matches!(self.origin, Origin::Git(_))
    }
}

impl Origin {
    /// For people: without secrets.
    fn show(&self) -> String {
        match self {
            Origin::Path(path) => path.clone(),
            Origin::Url(url) => web::shown(url),
            Origin::Git(git) => web::shown_git(git),
        }
    }
}
