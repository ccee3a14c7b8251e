//! What comes in from outside the build.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::caps;
use crate::git::Git;
use crate::image_name::ImageName;
use crate::op::Lowering;

/// Something that comes in from outside the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An image in a registry.
    Image(Image),
    /// Files of the client.
    Local(Local),
    /// A Git repository.
    Git(Git),
    /// A file on the web.
    Http(Http),
    /// An image in an OCI layout of the client.
    OciLayout(OciLayout),
}

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its full name, such as `docker.io/library/alpine:latest`.
    pub reference: String,
    /// Whether an image that the daemon has already will do.
    pub resolve: ResolveMode,
    /// The digest that it must have.
    pub checksum: Option<String>,
    /// How many layers to take, from the lowest; all if absent.
    pub layer_limit: Option<u32>,
    /// Keep it out of what users see as their images.
    pub internal: bool,
}

/// Whether an image that the daemon has already will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolveMode {
    /// As the daemon finds best.
    #[default]
    Default,
    /// The registry is always asked.
    Pull,
    /// The registry is asked only for an image that the daemon has not.
    Local,
}

/// Files of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Which of the client's directories, such as `context`.
    pub name: String,
    /// The session of the client that has it; any client of the build if empty.
    pub session: String,
    /// Patterns of the only paths to send; all if empty.
    pub include: Vec<String>,
    /// Patterns of paths not to send, as in `.dockerignore`.
    pub exclude: Vec<String>,
    /// The only paths to send, with what symbolic links lead to; all if empty.
    pub follow: Vec<String>,
    /// Transfers with the same hint send only what changed since the last one.
    pub shared_key_hint: String,
    /// How changes since the last transfer are found; by metadata if absent.
    pub differ: Option<Differ>,
    /// Tells apart builds of clients that have no session, such as `larder compile`.
    pub unique: String,
}

/// How changed files are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differ {
    /// Not at all: everything is sent.
    None,
    /// By size, time, mode and owner.
    Metadata,
}

/// A file on the web.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// Where it is.
    pub url: String,
    /// The digest that it must have, with its algorithm.
    pub checksum: Option<String>,
    /// What it is called in the result; what the server or the URL says if empty.
    pub filename: String,
    /// Its mode; 0600 if absent.
    pub mode: Option<u32>,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The secret with the value of the `Authorization` header; none if empty.
    pub auth_header_secret: String,
    /// More headers of the request. The daemon takes `accept` and `user-agent`.
    pub headers: BTreeMap<String, String>,
}

/// An image in an OCI layout of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OciLayout {
    /// Its name with a digest.
    pub reference: String,
    /// The session of the client that has it.
    pub session: String,
    /// Which of the client's layouts.
    pub store: String,
    /// How many layers to take, from the lowest; all if absent.
    pub layer_limit: Option<u32>,
}

impl Image {
    /// An image, resolved as the daemon finds best.
    pub fn new(name: &ImageName) -> Self {
        Self {
            reference: name.to_string(),
            resolve: ResolveMode::Default,
            checksum: None,
            layer_limit: None,
            internal: false,
        }
    }
}

impl Local {
    /// All of a client's directory.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

impl Http {
    /// A file, whatever it is.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }
}

impl OciLayout {
    /// An image in a layout that any client of the build has.
    pub fn new(reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            ..Self::default()
        }
    }
}

/// A source's identifier and attributes. None is ever empty: prost writes such an entry as no
/// other protobuf library does, and to BuildKit it means the same as a missing one.
pub(crate) struct Attributes<'a, 'g> {
    op: pb::SourceOp,
    to: &'a mut Lowering<'g>,
}

impl<'a, 'g> Attributes<'a, 'g> {
    pub(crate) fn new(identifier: String, cap: &'static str, to: &'a mut Lowering<'g>) -> Self {
        to.need(cap);
        let op = pb::SourceOp {
            identifier,
            attrs: BTreeMap::new(),
        };
        Self { op, to }
    }

    /// An attribute that every daemon takes.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.op.attrs.insert(key.to_owned(), value);
        }
    }

    /// An attribute that takes a capability.
    pub(crate) fn set_with(&mut self, cap: &'static str, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.to.need(cap);
            self.set(key, value);
        }
    }

    pub(crate) fn done(self) -> pb::SourceOp {
        self.op
    }
}

impl Source {
    pub(crate) fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        match self {
            Self::Image(image) => image.lower(to),
            Self::Local(local) => local.lower(to),
            Self::Git(git) => git.lower(to),
            Self::Http(http) => http.lower(to),
            Self::OciLayout(layout) => layout.lower(to),
        }
    }
}

impl Image {
    fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        let identifier = format!("docker-image://{}", self.reference);
        let mut attrs = Attributes::new(identifier, caps::IMAGE, to);
        match self.resolve {
            ResolveMode::Default => {}
            ResolveMode::Pull => {
                attrs.set_with(caps::IMAGE_RESOLVE_MODE, "image.resolvemode", "pull");
            }
            ResolveMode::Local => attrs.set("image.resolvemode", "local"),
        }
        if self.internal {
            attrs.set("image.recordtype", "internal");
        }
        if let Some(limit) = self.layer_limit {
            let limit = limit.to_string();
            attrs.set_with(caps::IMAGE_LAYER_LIMIT, "image.layerlimit", limit);
        }
        let checksum = self.checksum.unwrap_or_default();
        attrs.set_with(caps::IMAGE_CHECKSUM, "image.checksum", checksum);
        attrs.done()
    }
}

impl Local {
    fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        let mut attrs = Attributes::new(format!("local://{}", self.name), caps::LOCAL, to);
        attrs.set_with(caps::LOCAL_SESSION, "local.session", self.session);
        attrs.set_with(caps::LOCAL_UNIQUE, "local.unique", self.unique);
        let include = json_array(&self.include);
        attrs.set_with(caps::LOCAL_INCLUDE, "local.includepattern", include);
        let exclude = json_array(&self.exclude);
        attrs.set_with(caps::LOCAL_EXCLUDE, "local.excludepatterns", exclude);
        let follow = json_array(&self.follow);
        attrs.set_with(caps::LOCAL_FOLLOW, "local.followpaths", follow);
        let hint = self.shared_key_hint;
        attrs.set_with(caps::LOCAL_HINT, "local.sharedkeyhint", hint);
        match self.differ {
            None => {}
            // An older daemon takes no notice, which costs time alone.
            Some(Differ::None) => attrs.set("local.differ", "none"),
            Some(Differ::Metadata) => attrs.set("local.differ", "metadata"),
        }
        attrs.done()
    }
}

/// A JSON array, or nothing for no items.
fn json_array(items: &[String]) -> String {
    if items.is_empty() {
        String::new()
    } else {
        serde_json::Value::from(items).to_string()
    }
}

impl Http {
    fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        let mut attrs = Attributes::new(self.url, caps::HTTP, to);
        let checksum = self.checksum.unwrap_or_default();
        attrs.set_with(caps::HTTP_CHECKSUM, "http.checksum", checksum);
        attrs.set("http.filename", self.filename);
        if let Some(mode) = self.mode {
            attrs.set_with(caps::HTTP_PERM, "http.perm", format!("0{mode:o}"));
        }
        for (key, id) in [("http.uid", self.uid), ("http.gid", self.gid)] {
            if id != 0 {
                attrs.set_with(caps::HTTP_OWNER, key, id.to_string());
            }
        }
        let secret = self.auth_header_secret;
        attrs.set_with(caps::HTTP_AUTH, "http.authheadersecret", secret);
        for (name, value) in self.headers {
            let key = format!("http.header.{}", name.to_ascii_lowercase());
            attrs.set_with(caps::HTTP_HEADER, &key, value);
        }
        attrs.done()
    }
}

impl OciLayout {
    fn lower(self, to: &mut Lowering<'_>) -> pb::SourceOp {
        let identifier = format!("oci-layout://{}", self.reference);
        let mut attrs = Attributes::new(identifier, caps::OCI_LAYOUT, to);
        attrs.set("oci.session", self.session);
        attrs.set("oci.store", self.store);
        if let Some(limit) = self.layer_limit {
            attrs.set("oci.layerlimit", limit.to_string());
        }
        attrs.done()
    }
}
