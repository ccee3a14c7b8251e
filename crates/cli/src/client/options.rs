//! What can be asked of either client, by the names of `docker buildx build`.

use std::path::PathBuf;

use buildkit_llb::Platform;

/// What is made, from what, and where it goes.
#[derive(clap::Args, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command"
)]
pub(crate) struct BuildOptions {
    /// The stage to build [default: the spec's `target`, or its last stage]
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// A value for a declared arg, or the name of a variable that has it; may be repeated
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]", value_parser = named)]
    pub(crate) build_args: Vec<String>,
    /// A directory, image or address that the spec knows by a name; may be repeated
    #[arg(long = "build-context", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) build_contexts: Vec<String>,
    /// What the image is for, such as linux/arm64; may be repeated, or a list with commas
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',', value_parser = platform)]
    pub(crate) platforms: Vec<String>,
    /// A name for the image; may be repeated
    #[arg(short = 't', long = "tag", value_name = "NAME")]
    pub(crate) tags: Vec<String>,
    /// Push the image under its names
    #[arg(long)]
    pub(crate) push: bool,
    /// Put the image into Docker
    #[arg(long)]
    pub(crate) load: bool,
    /// Where the result goes: `type=local,dest=DIR`, or a directory; may be repeated
    #[arg(short = 'o', long = "output", value_name = "OUTPUT")]
    pub(crate) outputs: Vec<String>,
    /// A secret of the build: `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`; may be repeated
    #[arg(long = "secret", value_name = "SECRET")]
    pub(crate) secrets: Vec<String>,
    /// An agent or keys of SSH: `default` or `ID=PATH`; may be repeated
    #[arg(long = "ssh", value_name = "SSH")]
    pub(crate) ssh: Vec<String>,
    /// A label of the image; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = named)]
    pub(crate) labels: Vec<String>,
    /// An annotation of the image; may be repeated
    #[arg(long = "annotation", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) annotations: Vec<String>,
    /// Run every step again; cache mounts keep what they hold
    #[arg(long, conflicts_with = "no_cache_filter")]
    pub(crate) no_cache: bool,
    /// Run the steps of a stage again; may be repeated
    #[arg(long, value_name = "STAGE")]
    pub(crate) no_cache_filter: Vec<String>,
    /// Look for newer images of the same name
    #[arg(long)]
    pub(crate) pull: bool,
    /// How the client shows what goes on: auto, plain, tty, rawjson or quiet
    #[arg(long, value_name = "HOW")]
    pub(crate) progress: Option<String>,
    /// A file for what the client knows of the result
    #[arg(long, value_name = "FILE")]
    pub(crate) metadata_file: Option<PathBuf>,
    /// Look for layers here too, before the places that the spec names; may be repeated
    #[arg(long, value_name = "CACHE")]
    pub(crate) cache_from: Vec<String>,
    /// Write layers here too; may be repeated
    #[arg(long, value_name = "CACHE")]
    pub(crate) cache_to: Vec<String>,
    /// The builder of buildx [default: that of buildx itself]
    #[arg(long, value_name = "NAME")]
    pub(crate) builder: Option<String>,
    /// List the image's packages beside it: true, false, or options
    #[arg(long, value_name = "SBOM")]
    pub(crate) sbom: Option<String>,
    /// Tell how the image was made beside it: true, false, or options such as mode=max
    #[arg(long, value_name = "PROVENANCE")]
    pub(crate) provenance: Option<String>,
}

fn named(text: &str) -> Result<String, &'static str> {
    match text.split_once('=') {
        Some(("", _)) => Err("write NAME=VALUE"),
        None if text.is_empty() => Err("write NAME=VALUE"),
        _ => Ok(text.to_owned()),
    }
}

fn pair(text: &str) -> Result<String, &'static str> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("write NAME=VALUE"),
    }
}

fn platform(text: &str) -> Result<String, String> {
    match text {
        "local" => Ok(text.to_owned()),
        _ => Platform::parse(text)
            .map(|_| text.to_owned())
            .map_err(|error| error.to_string()),
    }
}
