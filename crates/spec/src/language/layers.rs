//! `registry-cache`, and the kinds of places for layers that it may name.

use super::{Key, Mapping, Shape};

pub(super) const REGISTRY_CACHE: Key = key!(
    "registry-cache": Shape::OneOf(&[
        Shape::Word(&["none"]),
        Shape::Template,
        Shape::Mapping(&LAYER_CACHE),
        INLINE,
        LOCAL,
        GHA,
        S3,
        AZBLOB,
    ]),
    "Where the layers of builds are kept for other machines: a reference in a registry, or a mapping. Every build \
     looks for them there; `larder build`, `larder bake` and pipelines of `larder ci` write them. See \
     [the layer cache](registry-cache.md).",
    "\"registry:5000/shop/cache:${BRANCH:-main}\"",
    default "nothing"
);

const INLINE: Shape = Shape::Mapping(&INLINE_CACHE);
const LOCAL: Shape = Shape::Mapping(&LOCAL_CACHE);
const GHA: Shape = Shape::Mapping(&GHA_CACHE);
const S3: Shape = Shape::Mapping(&S3_CACHE);
const AZBLOB: Shape = Shape::Mapping(&AZBLOB_CACHE);

/// What `import` and `export` take: nothing, one place, or several.
const PLACES: Shape = Shape::OneOf(&[
    Shape::Word(&["none"]),
    Shape::Template,
    REGISTRY,
    INLINE,
    LOCAL,
    GHA,
    S3,
    AZBLOB,
    Shape::List(&PLACE),
]);

const PLACE: Shape = Shape::OneOf(&[Shape::Template, REGISTRY, INLINE, LOCAL, GHA, S3, AZBLOB]);

const REGISTRY: Shape = Shape::Mapping(&REGISTRY_PLACE);

const SWITCH: Shape = Shape::OneOf(&[Shape::Bool, Shape::Arg]);
const TIME: Shape = Shape::OneOf(&[Shape::Duration, Shape::Arg]);

const REF: Key = key!(
    "ref": Shape::Template,
    "The reference in a registry, without credentials.",
    "\"registry:5000/shop/cache:main\""
);

const MODE: Key = key!(
    "mode": Shape::OneOf(&[Shape::Word(&["min", "max"]), Shape::Arg]),
    "What is exported: with `max` the layers of every step, with `min` those of the result alone.",
    "min",
    default "`max`"
);

const COMPRESSION: Key = key!(
    "compression": Shape::OneOf(&[Shape::Word(&["uncompressed", "gzip", "estargz", "zstd"]), Shape::Arg]),
    "How exported layers are compressed.",
    "zstd",
    default "BuildKit's, `gzip`"
);

const COMPRESSION_LEVEL: Key = key!(
    "compression-level": Shape::OneOf(&[Shape::Integer(0, 22), Shape::Arg]),
    "How hard: 0 to 9 for `gzip` and `estargz`, 0 to 22 for `zstd`.",
    "3",
    default "the compression's own"
);

const FORCE_COMPRESSION: Key = key!(
    "force-compression": SWITCH,
    "Whether layers that are there already in another compression are compressed anew.",
    "true",
    default "`false`"
);

const OCI_MEDIATYPES: Key = key!(
    "oci-mediatypes": SWITCH,
    "Whether manifests have OCI's media types; without them, Docker's.",
    "true",
    default "BuildKit's, `true`"
);

const IMAGE_MANIFEST: Key = key!(
    "image-manifest": SWITCH,
    "Whether the cache is an image manifest, as some registries need it, and no index.",
    "true",
    default "BuildKit's: `true` since version 0.21"
);

const IGNORE_ERROR: Key = key!(
    "ignore-error": SWITCH,
    "Whether a build succeeds whose export failed.",
    "false",
    default "`true`"
);

const INSECURE: Key = key!(
    "insecure": SWITCH,
    "Whether the registry is spoken to without TLS: BuildKit's `registry.insecure`.",
    "true",
    default "what the builder's configuration says"
);

const NAME: Key = key!(
    "name": Shape::Template,
    "The name of the manifest; an export takes several, separated by `;`.",
    "shop",
    default "`buildkit`"
);

const PREFIX: Key = key!(
    "prefix": Shape::Template,
    "What the names of all files begin with.",
    "shop/"
);

const BLOBS_PREFIX: Key = key!(
    "blobs_prefix": Shape::Template,
    "What the names of layers begin with, after `prefix`.",
    "blobs/",
    default "`blobs/`"
);

const MANIFESTS_PREFIX: Key = key!(
    "manifests_prefix": Shape::Template,
    "What the names of manifests begin with, after `prefix`.",
    "manifests/",
    default "`manifests/`"
);

/// `registry-cache` as a mapping.
pub static LAYER_CACHE: Mapping = Mapping {
    name: "registry-cache",
    of: "`registry-cache`",
    doc: "Where layers are kept. What stands beside `import` and `export` holds for each place in both that takes it.",
    keys: &[
        key!(
            "type": Shape::Word(&["registry"]),
            "The kind of place. The others have tables of their own.",
            "registry",
            default "`registry`"
        ),
        REF,
        key!(
            "import": PLACES,
            "Where layers are looked for: a reference, a mapping, a list of these, or `none`.",
            "[\"registry:5000/shop/cache:${BRANCH:-main}\", \"registry:5000/shop/cache:main\"]",
            default "`ref`"
        ),
        key!(
            "export": PLACES,
            "Where clients write layers: a reference, a mapping, a list of these, or `none`.",
            "{ref: \"registry:5000/shop/cache:main\", compression: zstd}",
            default "`ref`"
        ),
        MODE,
        COMPRESSION,
        COMPRESSION_LEVEL,
        FORCE_COMPRESSION,
        OCI_MEDIATYPES,
        IMAGE_MANIFEST,
        IGNORE_ERROR,
        INSECURE,
    ],
    elsewhere: OF_REGISTRY,
};

/// A place in a registry.
pub static REGISTRY_PLACE: Mapping = Mapping {
    name: "registry-place",
    of: "a layer cache in a registry",
    doc: "A place in an image registry. What is not set is as beside `import` and `export`. Imports have `ref` and \
          `insecure` alone.",
    keys: &[
        key!(
            "type": Shape::Word(&["registry"]),
            "The kind of place.",
            "registry",
            default "`registry`"
        ),
        REF,
        MODE,
        COMPRESSION,
        COMPRESSION_LEVEL,
        FORCE_COMPRESSION,
        OCI_MEDIATYPES,
        IMAGE_MANIFEST,
        IGNORE_ERROR,
        INSECURE,
    ],
    elsewhere: OF_REGISTRY,
};

const OF_REGISTRY: &[(&str, &str)] = &[
    ("registry.insecure", "did you mean `insecure`?"),
    ("cache-from", "did you mean `import`?"),
    ("cache-to", "did you mean `export`?"),
    ("image", "did you mean `ref`?"),
    ("reference", "did you mean `ref`?"),
    ("bucket", "add `type: s3`"),
    ("container", "add `type: azblob`"),
    ("dest", "add `type: local`"),
    ("scope", "add `type: gha`"),
    ("src", "add `type: local`"),
];

/// The metadata of the image.
pub static INLINE_CACHE: Mapping = Mapping {
    name: "inline-cache",
    of: "an inline layer cache",
    doc: "Within the image that is built, in mode `min`. It is for `export` alone; imported is it by the image's \
          own reference.",
    keys: &[key!(
        required "type": Shape::Word(&["inline"]),
        "The kind of place.",
        "inline"
    )],
    elsewhere: &[
        ("mode", "leave it out: it is `min`"),
        ("ref", "leave it out: it is in the image that is built"),
    ],
};

/// A directory of the client's.
pub static LOCAL_CACHE: Mapping = Mapping {
    name: "local-cache",
    of: "a local layer cache",
    doc: "In a directory of the client's, as an OCI layout.",
    keys: &[
        key!(
            required "type": Shape::Word(&["local"]),
            "The kind of place.",
            "local"
        ),
        key!(
            "src": Shape::Template,
            "The directory to import from; for imports alone.",
            ".cache/layers"
        ),
        key!(
            "dest": Shape::Template,
            "The directory to export to; for exports alone.",
            ".cache/layers"
        ),
        key!(
            "tag": Shape::Template,
            "The tag in the directory's index.",
            "main",
            default "`latest`"
        ),
        key!(
            "digest": Shape::Template,
            "The digest in the directory, in place of a tag; for imports alone.",
            "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
        ),
        MODE,
        COMPRESSION,
        COMPRESSION_LEVEL,
        FORCE_COMPRESSION,
        OCI_MEDIATYPES,
        IMAGE_MANIFEST,
        Key {
            default: "`false`",
            ..IGNORE_ERROR
        },
        key!(
            "reset": SWITCH,
            "Whether an export removes what it does not use; for clients from May 2026 on.",
            "true",
            default "`false`"
        ),
    ],
    elsewhere: &[
        (
            "path",
            "write `src` to import from it, and `dest` to export to it",
        ),
        (
            "ref",
            "write `src` to import from it, and `dest` to export to it",
        ),
        ("target", "did you mean `dest`?"),
        ("source", "did you mean `src`?"),
    ],
};

/// The cache of GitHub Actions.
pub static GHA_CACHE: Mapping = Mapping {
    name: "gha-cache",
    of: "a layer cache of GitHub Actions",
    doc: "In the cache service of GitHub Actions. The client adds the tokens of the job.",
    keys: &[
        key!(
            required "type": Shape::Word(&["gha"]),
            "The kind of place.",
            "gha"
        ),
        key!(
            "scope": Shape::Template,
            "Which of the repository's caches.",
            "shop",
            default "`buildkit`"
        ),
        MODE,
        key!(
            "timeout": TIME,
            "How long the service may take.",
            "5m",
            default "`10m`"
        ),
        key!(
            "repository": Shape::Template,
            "The repository, by which existing entries are found.",
            "acme/shop"
        ),
        key!(
            "url": Shape::Template,
            "The address of the service; the client knows it inside a job.",
            "https://cache.example.com/",
            default "`$ACTIONS_CACHE_URL`"
        ),
        key!(
            "url_v2": Shape::Template,
            "The address of the service's second version.",
            "https://results.example.com/",
            default "`$ACTIONS_RESULTS_URL`"
        ),
        key!(
            "version": Shape::OneOf(&[Shape::Integer(1, 2), Shape::Arg]),
            "The version of the service.",
            "2",
            default "what the addresses say"
        ),
        IGNORE_ERROR,
    ],
    elsewhere: &[
        ("name", "did you mean `scope`?"),
        ("ref", "write `scope`, a name of your own"),
    ],
};

/// A bucket of S3.
pub static S3_CACHE: Mapping = Mapping {
    name: "s3-cache",
    of: "a layer cache in S3",
    doc: "In a bucket. The client or the builder has the credentials.",
    keys: &[
        key!(
            required "type": Shape::Word(&["s3"]),
            "The kind of place.",
            "s3"
        ),
        key!(
            "bucket": Shape::Template,
            "The bucket.",
            "acme-layers",
            default "`$AWS_BUCKET` of the builder"
        ),
        key!(
            "region": Shape::Template,
            "Its region.",
            "eu-west-1",
            default "`$AWS_REGION` of the builder"
        ),
        NAME,
        MODE,
        PREFIX,
        BLOBS_PREFIX,
        MANIFESTS_PREFIX,
        key!(
            "endpoint_url": Shape::Template,
            "The address of another service that speaks S3.",
            "https://s3.example.com"
        ),
        key!(
            "use_path_style": SWITCH,
            "Whether the bucket is in the path of addresses, and not in the host.",
            "true",
            default "`false`"
        ),
        key!(
            "disable_accept_encoding": SWITCH,
            "Whether requests are signed without `Accept-Encoding`, which some services change.",
            "true",
            default "`false`"
        ),
        key!(
            "upload_parallelism": Shape::OneOf(&[Shape::Integer(1, 1000), Shape::Arg]),
            "How many layers are written at once.",
            "8",
            default "`4`"
        ),
        key!(
            "touch_refresh": TIME,
            "How often the time of layers is renewed that are there already.",
            "12h",
            default "`24h`"
        ),
        key!(
            "retry_mode": Shape::OneOf(&[Shape::Word(&["standard", "adaptive"]), Shape::Arg]),
            "How requests are repeated.",
            "adaptive",
            default "`standard`"
        ),
        key!(
            "retry_max_attempts": Shape::OneOf(&[Shape::Integer(1, 1000), Shape::Arg]),
            "How often a request is sent at most.",
            "5",
            default "`3`"
        ),
        IGNORE_ERROR,
    ],
    elsewhere: &[
        ("endpoint", "did you mean `endpoint_url`?"),
        ("ref", "write `name`, and `bucket`"),
    ],
};

/// Azure Blob Storage.
pub static AZBLOB_CACHE: Mapping = Mapping {
    name: "azblob-cache",
    of: "a layer cache in Azure Blob Storage",
    doc: "In a container of Azure Blob Storage. The client or the builder has the credentials.",
    keys: &[
        key!(
            required "type": Shape::Word(&["azblob"]),
            "The kind of place.",
            "azblob"
        ),
        key!(
            "account_url": Shape::Template,
            "The address of the account.",
            "https://acme.blob.core.windows.net",
            default "`$BUILDKIT_AZURE_STORAGE_ACCOUNT_URL` of the builder"
        ),
        key!(
            "account_name": Shape::Template,
            "The name of the account.",
            "acme",
            default "the first part of the address's host"
        ),
        key!(
            "container": Shape::Template,
            "The container.",
            "layers",
            default "`buildkit-cache`"
        ),
        NAME,
        MODE,
        PREFIX,
        BLOBS_PREFIX,
        MANIFESTS_PREFIX,
        IGNORE_ERROR,
    ],
    elsewhere: &[
        ("bucket", "did you mean `container`?"),
        ("ref", "write `name`, and `container`"),
    ],
};
