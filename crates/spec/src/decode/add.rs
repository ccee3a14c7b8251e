//! `add` steps.

use larder_diagnostic::{Diagnostic, Span, Spanned, quote};

use super::{Decoder, Slot};
use crate::language::{ADD, ADD_STEP};
use crate::model::{Add, Step, StepKind};
use crate::template::{Part, Template};
use crate::tree::Kind;

/// What a source is, as far as it can be told before args are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A file behind an URL.
    File,
    /// A repository.
    Git,
    /// One of the two.
    Remote,
    /// Below the context.
    Path,
    /// It begins with an arg.
    Unknown,
}

fn classify(source: &Template) -> Source {
    if matches!(source.parts.first(), Some(Part::Arg { .. })) {
        return Source::Unknown;
    }
    let parts = source.parts.iter().map(|part| match part {
        Part::Text(text) => text.as_str(),
        Part::Arg { .. } => "x",
    });
    let written: String = parts.collect();
    let scheme = ["git://", "ssh://"].iter().any(|p| written.starts_with(p));
    if scheme || is_scp(&written) {
        return Source::Git;
    }
    if !written.starts_with("https://") && !written.starts_with("http://") {
        return Source::Path;
    }
    let path = written.split(['?', '#']).next().unwrap_or_default();
    if path.strip_suffix(".git").is_some() {
        Source::Git
    } else if matches!(source.parts.last(), Some(Part::Arg { .. })) {
        Source::Remote
    } else {
        Source::File
    }
}

/// Whether it is an address as `scp` and git take it: `git@example.org:shop.git`.
fn is_scp(written: &str) -> bool {
    let host = written.split_once(':').map_or("", |(host, _)| host);
    host.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !host.contains('/')
}

/// The places of the keys that go with some sources only.
#[derive(Default)]
struct Keys {
    checksum: Option<Span>,
    reference: Option<Span>,
    subdir: Option<Span>,
    keep_git: Option<Span>,
    unpack: Option<Span>,
}

impl<'src> Decoder<'_, 'src> {
    pub(super) fn add_step(&mut self, slot: Slot<'_, 'src>) -> Option<Step> {
        let (mut name, mut add) = (None, None);
        for field in self.fields(slot.node, &ADD_STEP) {
            match field.key {
                "add" => add = self.add(field),
                _ => name = self.template(field, "text"),
            }
        }
        let kind = StepKind::Add(Box::new(add?));
        let span = slot.span();
        Some(Step { name, kind, span })
    }

    fn add(&mut self, slot: Slot<'_, 'src>) -> Option<Add> {
        let mut add = Add {
            src: Vec::new(),
            dest: Template::text(".", slot.span()),
            checksum: None,
            reference: None,
            subdir: None,
            keep_git: false,
            unpack: None,
            chown: None,
            chmod: None,
            exclude: Vec::new(),
            link: false,
        };
        if !matches!(slot.kind(), Kind::Mapping(_)) {
            if self.is_an_instruction(slot) {
                return None;
            }
            let expected = "an URL or a path, a list of them, or a mapping with `src`";
            add.src = self.sources(slot, expected, "add")?;
            return self.all_sources(&add.src).then_some(add);
        }
        let mut keys = Keys::default();
        let (mut src, mut dest) = (None, Some(add.dest.clone()));
        for field in self.whole(slot, &ADD, "say what is added") {
            match field.key {
                "src" => src = self.sources(field, "an URL or a path, or a list of them", "add"),
                "dest" => dest = self.template(field, "a path"),
                "checksum" => {
                    keys.checksum = Some(field.at);
                    let sum = self.template(field, "a checksum");
                    add.checksum = sum.map(|sum| Spanned::new(sum, field.span()));
                }
                "ref" => {
                    keys.reference = Some(field.at);
                    add.reference = self.reference(field);
                }
                "subdir" => {
                    keys.subdir = Some(field.at);
                    add.subdir = self.template(field, "a path");
                }
                "keep-git" => {
                    keys.keep_git = Some(field.at);
                    add.keep_git = self.bool(field).unwrap_or(false);
                }
                "unpack" => {
                    keys.unpack = Some(field.at);
                    add.unpack = self.bool(field);
                }
                "chown" => add.chown = self.user(field),
                "chmod" => add.chmod = self.mode(field),
                "exclude" => add.exclude = self.patterns(field),
                _ => add.link = self.bool(field).unwrap_or(false),
            }
        }
        add.src = src?;
        add.dest = dest?;
        if !self.all_sources(&add.src) {
            return None;
        }
        self.one_name_for_one(&add.src, &add.dest);
        self.agree(&add, &keys);
        Some(add)
    }

    /// A branch, a tag or a commit.
    fn reference(&mut self, slot: Slot<'_, 'src>) -> Option<Spanned<Template>> {
        let reference = self.template(slot, "a branch, tag or commit")?;
        let span = reference.span;
        if let Some(text) = reference.literal()
            && (text.starts_with('-') || text.contains(|c: char| c.is_whitespace() || c == ':'))
        {
            let message = format!("{} cannot be a branch, tag or commit", quote(&text));
            let hint = "write one name; the directory in the repository is `subdir`";
            self.error(span, message, hint);
            return None;
        }
        Some(Spanned::new(reference, span))
    }

    /// Whether each can be a source.
    fn all_sources(&mut self, src: &[Template]) -> bool {
        let mut good = true;
        for source in src {
            if classify(source) != Source::Path {
                continue;
            }
            let written = source.to_string();
            let advice = if written.starts_with("docker-image://") {
                "copy from an image: `copy: {from: image, src: …}`"
            } else if written.contains("://") {
                "write an URL with `https://`, or of a git repository"
            } else if ["github.com/", "gitlab.com/"]
                .iter()
                .any(|p| written.starts_with(p))
            {
                "write `https://` before it, and `.git` behind it for the repository"
            } else if written.starts_with("www.") {
                "write `https://` before it"
            } else {
                good &= self.in_context(source);
                continue;
            };
            let message = format!("`add` cannot read {}", quote(&written));
            self.error(source.span, message, advice);
            good = false;
        }
        good
    }

    /// Reports what does not go with the sources.
    fn agree(&mut self, add: &Add, keys: &Keys) {
        let of_one = [
            (keys.checksum, "checksum"),
            (keys.reference, "ref"),
            (keys.subdir, "subdir"),
            (keys.keep_git, "keep-git"),
        ];
        let [only] = add.src.as_slice() else {
            for (at, key) in of_one.into_iter().filter_map(|(at, key)| Some((at?, key))) {
                let message = format!("`{key}` of several sources");
                self.error(at, message, "write a step for the source that it is of");
            }
            return;
        };
        let source = classify(only);
        let mut no = |at: Option<Span>, message: &str, hint: &str| {
            if let Some(at) = at {
                let diagnostic = Diagnostic::error(at, message).label(only.span, "the source");
                self.report.push(diagnostic.hint(hint));
            }
        };
        if matches!(source, Source::File | Source::Path) {
            let hint = "a repository ends in `.git`, or begins with `git@`, `git://` or `ssh://`";
            no(
                keys.reference,
                "`ref` of what is not a git repository",
                hint,
            );
            no(
                keys.subdir,
                "`subdir` of what is not a git repository",
                hint,
            );
            no(
                keys.keep_git,
                "`keep-git` of what is not a git repository",
                hint,
            );
        }
        if source == Source::Path {
            let hint = "remove it; the build context is yours";
            no(
                keys.checksum,
                "`checksum` of files of the build context",
                hint,
            );
        }
        if source == Source::Git {
            let hint = "remove it; a repository is no archive";
            no(keys.unpack, "`unpack` of a git repository", hint);
            let written = only.to_string();
            if written.contains(['#', '?']) {
                let hint = "write it in one of the two places";
                no(
                    keys.reference,
                    "`ref` beside an URL that says it already",
                    hint,
                );
                no(
                    keys.subdir,
                    "`subdir` beside an URL that says it already",
                    hint,
                );
            }
        }
        self.checksum(add, source);
    }

    /// Reports a checksum of another form than the source's.
    fn checksum(&mut self, add: &Add, source: Source) {
        let Some(checksum) = &add.checksum else {
            return;
        };
        let Some(text) = checksum.value.literal() else {
            return;
        };
        let hex = |text: &str| {
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            text.bytes().all(hex)
        };
        let (good, hint) = match source {
            Source::Git => (
                hex(&text) && matches!(text.len(), 40 | 64),
                "write the whole commit, 40 digits from 0 to f",
            ),
            Source::File => {
                let digest = text.split_once(':').is_some_and(|(kind, digest)| {
                    let length = match kind {
                        "sha256" => 64,
                        "sha384" => 96,
                        "sha512" => 128,
                        _ => 0,
                    };
                    hex(digest) && digest.len() == length
                });
                let bare = hex(&text) && text.len() == 64;
                let hint = if bare {
                    "write `sha256:` before it"
                } else {
                    "write `sha256:` and 64 digits from 0 to f"
                };
                (digest, hint)
            }
            Source::Remote | Source::Path | Source::Unknown => return,
        };
        if !good {
            let what = if source == Source::Git {
                "commit"
            } else {
                "checksum"
            };
            let message = format!("{} is not a {what}", quote(&text));
            self.error(checksum.span, message, hint);
        }
    }
}
