//! Caches for LLB that somebody else made.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use buildkit_llb::{Definition, Digest, Platform};
use clap::{Args, ValueEnum};
use larder_inject::definition::{
    Facts, ImageFact, ImageNeed, Injected, Injection, Mistake, Wish, inject, show,
};
use larder_inject::{Ids, Layout};

use crate::input::read_file;
use crate::{output, platform};

/// The size of the largest definition that is read, in bytes. A daemon takes a quarter of it.
const MAX_BYTES: usize = 64 << 20;
/// Each answer may lead to one more question, about the image of another.
const MAX_ROUNDS: usize = 1000;

/// Add caches to LLB that another frontend made
#[derive(Args)]
pub(crate) struct Inject {
    /// LLB, as `buildctl build` reads it, or as `docker buildx build --call=convertllb,format=json`
    /// prints it; `-` for stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value = "llb")]
    format: FormatName,
    /// Who shares the caches that are not for everyone
    #[arg(long, value_name = "NAME", default_value = "default")]
    project: String,
    /// What comes before the ids of caches, as `BUILDKIT_CACHE_MOUNT_NS` does in other builds
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// How caches are named
    #[arg(long, value_enum, default_value = "larder")]
    ids: IdsName,
    /// What operations that do not say so run on [default: Linux on this machine's processor]
    #[arg(long, value_name = "OS/ARCH", value_parser = platform)]
    platform: Option<Platform>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// The bytes that buildctl reads
    Llb,
    /// Each operation that runs a program, with its caches and the reason for each
    Plan,
    /// The same for programs
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum IdsName {
    /// By what they hold
    Larder,
    /// By where tools have them, as mounts in Dockerfiles are
    Dockerfile,
}

impl Inject {
    /// The bytes to write.
    pub(crate) fn run(self) -> Result<Vec<u8>> {
        if self.format == FormatName::Llb {
            output::refuse_terminal("look at what was added with --format plan")?;
        }
        let namespace = self.namespace.filter(|name| !name.is_empty());
        let wish = Wish {
            ids: match self.ids {
                IdsName::Larder => Ids::Larder,
                IdsName::Dockerfile => Ids::Dockerfile,
            },
            scope: None,
            project: self.project,
            namespace,
            platform: self.platform.unwrap_or_else(Platform::host),
            layout: Layout::Private,
        };
        let definition = read(&self.file)?;
        let injected =
            offline(&definition, &wish).with_context(|| self.file.display().to_string())?;
        Ok(match self.format {
            FormatName::Llb => {
                warn(&injected.mistakes);
                injected
                    .definitions
                    .first()
                    .map_or_else(Vec::new, Definition::to_bytes)
            }
            FormatName::Plan => show::text(&injected).into_bytes(),
            FormatName::Json => (show::json(&injected) + "\n").into_bytes(),
        })
    }
}

/// Reads LLB in either form; `-` is stdin.
pub(crate) fn read(file: &Path) -> Result<Definition> {
    let bytes = if file == Path::new("-") {
        from_stdin()?
    } else {
        read_file(file, MAX_BYTES)?
    };
    let shown = || file.display().to_string();
    ensure!(!bytes.is_empty(), "{}: there is nothing in it", shown());
    // No definition begins with a brace: it would be a field that LLB does not have.
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    if is_json {
        Definition::from_json(&bytes).with_context(shown)
    } else {
        Definition::from_bytes(&bytes).with_context(shown)
    }
}

fn from_stdin() -> Result<Vec<u8>> {
    let stdin = io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "LLB is not typed: pipe it in, or name a file"
    );
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    stdin
        .lock()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .context("-")?;
    ensure!(
        bytes.len() <= MAX_BYTES,
        "-: there are more than {MAX_BYTES} bytes, and no more are read"
    );
    Ok(bytes)
}

/// Injects without a daemon, and says what is assumed.
pub(crate) fn offline(definition: &Definition, wish: &Wish) -> Result<Injected> {
    let mut facts = Facts::new();
    let mut assumptions = Vec::new();
    for _ in 0..MAX_ROUNDS {
        match inject(std::slice::from_ref(definition), wish, &facts)? {
            Injection::Done(injected) => {
                assumptions.sort();
                assumptions.dedup();
                output::notes(&assumptions);
                return Ok(injected);
            }
            Injection::Needs(needs) => assume(needs, &mut facts, &mut assumptions),
        }
    }
    bail!("injecting asks for more and more; please report this, with the LLB")
}

fn assume(needs: BTreeMap<Digest, ImageNeed>, facts: &mut Facts, assumptions: &mut Vec<String>) {
    for (digest, need) in needs {
        let name = need.definition.vertices().last().map(|(_, name)| name);
        let name = name.unwrap_or_else(|| digest.to_string());
        let name = name.split('@').next().unwrap_or_default();
        assumptions.push(format!("{name}: {}", assumed(&need)));
        let fact = ImageFact {
            assumed: true,
            ..ImageFact::default()
        };
        facts.insert(digest, fact);
    }
}

/// What an image is taken for.
fn assumed(need: &ImageNeed) -> String {
    let asks = |part: &str| need.files.iter().any(|file| file.contains(part));
    let mut parts = Vec::new();
    if asks("passwd") {
        parts.push("users by name are told apart by name".to_owned());
    }
    if asks("os-release") {
        parts.push("a distribution like no other".to_owned());
    }
    parts.extend(
        need.directories
            .iter()
            .map(|path| format!("nothing in {path}")),
    );
    parts.join(", ")
}

/// Says what comments are wrong.
fn warn(mistakes: &[Mistake]) {
    for mistake in mistakes {
        let Mistake {
            file,
            line,
            message,
            hint,
        } = mistake;
        let hint = match hint.as_str() {
            "" => String::new(),
            hint => format!("  help: {hint}\n"),
        };
        output::say(&format!("warning: {file}:{line}: {message}\n{hint}"));
    }
}
