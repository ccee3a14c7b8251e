//! The messages of LLB as JSON has them: the name of each field, its number, and what it holds, in the
//! order in which BuildKit writes them. The fields of a oneof come last.

/// A message's fields: name, number, kind.
pub(super) type Fields = &'static [(&'static str, u32, Kind)];

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// In base 64.
    Bytes,
    Bool,
    /// A number of any width, or its digits as text.
    Int,
    /// One of these names, which stand for 0, 1, and so on.
    Enum(&'static [&'static str]),
    Message(Fields),
    /// Several.
    Many(&'static Kind),
    /// Several numbers, in one piece.
    Ints,
    /// By name.
    Map(&'static Kind),
    /// Nobody needs it.
    Dropped,
}

use Kind::{Bool, Bytes, Dropped, Enum, Int, Ints, Many, Map, Message, Text};

const TEXTS: Kind = Many(&Text);

/// What an operation is, one of these.
pub(super) const OPS: [&str; 7] = [
    "exec",
    "source",
    "file",
    "build",
    "merge",
    "diff",
    "passthrough",
];

pub(super) const OP: Fields = &[
    (
        "inputs",
        1,
        Many(&Message(&[("digest", 1, Text), ("index", 2, Int)])),
    ),
    ("platform", 10, Message(PLATFORM)),
    ("constraints", 11, Message(&[("filter", 1, TEXTS)])),
    ("exec", 2, Message(EXEC)),
    (
        "source",
        3,
        Message(&[("identifier", 1, Text), ("attrs", 2, Map(&Text))]),
    ),
    (
        "file",
        4,
        Message(&[("actions", 2, Many(&Message(ACTION)))]),
    ),
    ("merge", 6, Message(&[("inputs", 1, Many(&INPUT))])),
    (
        "diff",
        7,
        Message(&[("lower", 1, INPUT), ("upper", 2, INPUT)]),
    ),
    (
        "passthrough",
        8,
        Message(&[("id", 1, Text), ("outputs", 2, Ints)]),
    ),
];

const INPUT: Kind = Message(&[("input", 1, Int)]);

const PLATFORM: Fields = &[
    ("Architecture", 1, Text),
    ("OS", 2, Text),
    ("Variant", 3, Text),
    ("OSVersion", 4, Text),
    ("OSFeatures", 5, TEXTS),
];

const EXEC: Fields = &[
    ("meta", 1, Message(META)),
    ("mounts", 2, Many(&Message(MOUNT))),
    ("network", 3, Enum(&["UNSET", "HOST", "NONE"])),
    ("security", 4, Enum(&["SANDBOX", "INSECURE"])),
    (
        "secretenv",
        5,
        Many(&Message(&[
            ("ID", 1, Text),
            ("name", 2, Text),
            ("optional", 3, Bool),
        ])),
    ),
    (
        "cdiDevices",
        6,
        Many(&Message(&[("name", 1, Text), ("optional", 2, Bool)])),
    ),
];

const META: Fields = &[
    ("args", 1, TEXTS),
    ("env", 2, TEXTS),
    ("cwd", 3, Text),
    ("user", 4, Text),
    (
        "proxyEnv",
        5,
        Message(&[
            ("httpProxy", 1, Text),
            ("httpsProxy", 2, Text),
            ("ftpProxy", 3, Text),
            ("noProxy", 4, Text),
            ("allProxy", 5, Text),
        ]),
    ),
    (
        "extraHosts",
        6,
        Many(&Message(&[("Host", 1, Text), ("IP", 2, Text)])),
    ),
    ("hostname", 7, Text),
    (
        "ulimit",
        9,
        Many(&Message(&[
            ("Name", 1, Text),
            ("Soft", 2, Int),
            ("Hard", 3, Int),
        ])),
    ),
    ("cgroupParent", 10, Text),
    ("removeMountStubsRecursive", 11, Bool),
    ("validExitCodes", 12, Ints),
];

const MOUNT: Fields = &[
    ("input", 1, Int),
    ("selector", 2, Text),
    ("dest", 3, Text),
    ("output", 4, Int),
    ("readonly", 5, Bool),
    (
        "mountType",
        6,
        Enum(&["BIND", "SECRET", "SSH", "CACHE", "TMPFS"]),
    ),
    ("TmpfsOpt", 19, Message(&[("size", 1, Int)])),
    (
        "cacheOpt",
        20,
        Message(&[
            ("ID", 1, Text),
            ("sharing", 2, Enum(&["SHARED", "PRIVATE", "LOCKED"])),
        ]),
    ),
    ("secretOpt", 21, Message(SECRET)),
    ("SSHOpt", 22, Message(SECRET)),
    ("resultID", 23, Text),
    ("contentCache", 24, Enum(&["DEFAULT", "ON", "OFF"])),
];

const SECRET: Fields = &[
    ("ID", 1, Text),
    ("uid", 2, Int),
    ("gid", 3, Int),
    ("mode", 4, Int),
    ("optional", 5, Bool),
];

const ACTION: Fields = &[
    ("input", 1, Int),
    ("secondaryInput", 2, Int),
    ("output", 3, Int),
    ("copy", 4, Message(COPY)),
    (
        "mkfile",
        5,
        Message(&[
            ("path", 1, Text),
            ("mode", 2, Int),
            ("data", 3, Bytes),
            ("owner", 4, OWNER),
            ("timestamp", 5, Int),
        ]),
    ),
    (
        "mkdir",
        6,
        Message(&[
            ("path", 1, Text),
            ("mode", 2, Int),
            ("makeParents", 3, Bool),
            ("owner", 4, OWNER),
            ("timestamp", 5, Int),
        ]),
    ),
    (
        "rm",
        7,
        Message(&[
            ("path", 1, Text),
            ("allowNotFound", 2, Bool),
            ("allowWildcard", 3, Bool),
        ]),
    ),
    (
        "symlink",
        8,
        Message(&[
            ("oldpath", 1, Text),
            ("newpath", 2, Text),
            ("owner", 3, OWNER),
            ("timestamp", 4, Int),
        ]),
    ),
];

const COPY: Fields = &[
    ("src", 1, Text),
    ("dest", 2, Text),
    ("owner", 3, OWNER),
    ("mode", 4, Int),
    ("followSymlink", 5, Bool),
    ("dirCopyContents", 6, Bool),
    ("attemptUnpackDockerCompatibility", 7, Bool),
    ("createDestPath", 8, Bool),
    ("allowWildcard", 9, Bool),
    ("allowEmptyWildcard", 10, Bool),
    ("timestamp", 11, Int),
    ("includePatterns", 12, TEXTS),
    ("excludePatterns", 13, TEXTS),
    ("alwaysReplaceExistingDestPaths", 14, Bool),
    ("modeStr", 15, Text),
    ("requiredPaths", 16, TEXTS),
];

const OWNER: Kind = Message(&[("user", 1, USER), ("group", 2, USER)]);

const USER: Kind = Message(&[
    (
        "byName",
        1,
        Message(&[("name", 1, Text), ("input", 2, Int)]),
    ),
    ("byID", 2, Int),
]);

/// What is said of an operation.
pub(super) const METADATA: Fields = &[
    ("ignore_cache", 1, Bool),
    ("description", 2, Map(&Text)),
    ("export_cache", 4, Message(&[("Value", 1, Bool)])),
    ("caps", 5, Map(&Bool)),
    (
        "progress_group",
        6,
        Message(&[("id", 1, Text), ("name", 2, Text), ("weak", 3, Bool)]),
    ),
    (
        "linux_resources",
        7,
        Message(&[
            ("memory", 1, Int),
            ("memorySwap", 2, Int),
            ("cpuShares", 3, Int),
            ("cpuPeriod", 4, Int),
            ("cpuQuota", 5, Int),
            ("cpusetCpus", 6, Text),
            ("cpusetMems", 7, Text),
        ]),
    ),
];

/// Source files and locations.
pub(super) const SOURCE: Fields = &[
    (
        "locations",
        1,
        Map(&Message(&[("locations", 1, Many(&Message(LOCATION)))])),
    ),
    (
        "infos",
        2,
        Many(&Message(&[
            ("filename", 1, Text),
            ("data", 2, Bytes),
            ("definition", 3, Dropped),
            ("language", 4, Text),
        ])),
    ),
];

const LOCATION: Fields = &[
    ("sourceIndex", 1, Int),
    (
        "ranges",
        2,
        Many(&Message(&[("start", 1, POSITION), ("end", 2, POSITION)])),
    ),
];

const POSITION: Kind = Message(&[("line", 1, Int), ("character", 2, Int)]);
