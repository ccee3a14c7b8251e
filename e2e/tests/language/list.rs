//! What BuildKit's Dockerfile frontend knows, of `frontend/dockerfile/instructions` in its repository, and
//! which options of `docker buildx build` reach a frontend.

/// Instructions, and the flags and forms of each.
const INSTRUCTIONS: &[(&str, &[&str])] = &[
    (
        "ADD",
        &[
            "--checksum",
            "--chmod",
            "--chown",
            "--exclude",
            "--keep-git-dir",
            "--link",
            "--unpack",
        ],
    ),
    ("ARG", &["="]),
    ("CMD", &["["]),
    (
        "COPY",
        &[
            "--chmod",
            "--chown",
            "--exclude",
            "--from",
            "--link",
            "--parents",
            "<<",
        ],
    ),
    ("ENTRYPOINT", &["["]),
    ("ENV", &[]),
    ("EXPOSE", &[]),
    ("FROM", &["--platform", "AS", "scratch"]),
    (
        "HEALTHCHECK",
        &[
            "--interval",
            "--retries",
            "--start-interval",
            "--start-period",
            "--timeout",
            "NONE",
        ],
    ),
    ("LABEL", &[]),
    ("MAINTAINER", &[]),
    ("ONBUILD", &[]),
    (
        "RUN",
        &[
            "--device",
            "--mount=type=bind",
            "--mount=type=bind from=",
            "--mount=type=bind rw",
            "--mount=type=bind source=",
            "--mount=type=cache",
            "--mount=type=cache from=",
            "--mount=type=cache id=",
            "--mount=type=cache mode=",
            "--mount=type=cache readonly",
            "--mount=type=cache sharing=",
            "--mount=type=cache source=",
            "--mount=type=cache uid=",
            "--mount=type=secret",
            "--mount=type=secret env=",
            "--mount=type=secret mode=",
            "--mount=type=secret required=",
            "--mount=type=secret target=",
            "--mount=type=secret uid=",
            "--mount=type=ssh",
            "--mount=type=ssh id=",
            "--mount=type=ssh required=",
            "--mount=type=ssh target=",
            "--mount=type=tmpfs",
            "--mount=type=tmpfs size=",
            "--network",
            "--security",
            "<<",
            "[",
        ],
    ),
    ("SHELL", &[]),
    ("STOPSIGNAL", &[]),
    ("USER", &[]),
    ("VOLUME", &[]),
    ("WORKDIR", &[]),
];

/// Options that change what a frontend makes.
const OPTIONS: &[&str] = &[
    "--add-host",
    "--allow",
    "--annotation",
    "--build-arg",
    "--build-arg=BUILDKIT_MULTI_PLATFORM",
    "--build-arg=BUILDKIT_SANDBOX_HOSTNAME",
    "--build-arg=HTTP_PROXY",
    "--build-arg=SOURCE_DATE_EPOCH",
    "--build-context",
    "--cgroup-parent",
    "--label",
    "--network",
    "--no-cache-filter",
    "--platform",
    "--pull",
    "--secret",
    "--shm-size",
    "--ssh",
    "--target",
    "--ulimit",
];

/// Everything that some row has to show.
pub(crate) fn all() -> impl Iterator<Item = String> {
    let instructions = INSTRUCTIONS.iter().flat_map(|(name, parts)| {
        let parts = parts.iter().map(move |part| format!("{name} {part}"));
        std::iter::once((*name).to_owned()).chain(parts)
    });
    instructions.chain(OPTIONS.iter().map(|&option| option.to_owned()))
}

/// The instructions of a Dockerfile, each with its continuation lines and without comments.
pub(crate) fn instructions(dockerfile: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in dockerfile.lines() {
        if line.trim_start().starts_with('#') || line.trim().is_empty() {
            continue;
        }
        match found.last_mut() {
            Some(last) if goes_on => {
                last.push(' ');
                last.push_str(line);
            }
            _ => found.push(line.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    found
}

/// Whether an instruction is of a kind, and has every part of it.
pub(crate) fn has(instruction: &str, feature: &str) -> bool {
    let mut words = feature.split(' ');
    let name = words.next().unwrap_or_default();
    let mut rest = instruction.split_whitespace();
    rest.next() == Some(name) && words.all(|word| instruction.contains(word))
}

#[test]
fn features_are_found_in_instructions() {
    let all = instructions("# RUN x\nRUN a \\\n  --mount=type=cache,id=b\n\nCOPY . .\n");
    assert_eq!(all, ["RUN a \\   --mount=type=cache,id=b", "COPY . ."]);
    assert!(has(&all[0], "RUN --mount=type=cache id="));
    assert!(!has(&all[0], "RUN --mount=type=bind"));
    assert!(!has(&all[1], "RUN"));
}
