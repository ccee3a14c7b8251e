//! Definitions as the frontend of Dockerfiles makes them, from a language of that kind.

use std::collections::BTreeMap;

use buildkit_llb::{
    Access, Constraints, Copy, Definition, Exec, File, FileInput, Graph, Image, ImageName, Local,
    Meta, Mkfile, Mount, MountKind, Network, Op, Output, Platform, Sharing, SourceInfo,
};

pub(crate) fn here() -> Constraints {
    Constraints::on(Platform::new("linux", "amd64", ""))
}

struct Stage {
    root: Option<Output>,
    env: Vec<String>,
    user: String,
    cwd: String,
    shell: Vec<String>,
}

/// The definition of the last stage. Each line is an instruction; `RUN` has `--network`, `--mount` and
/// `--no-cache`, and `SCRIPT` runs a text, in which `;` ends a line, as a heredoc of its own.
pub(crate) fn definition(text: &str) -> Definition {
    let mut graph = Graph::new();
    let file = graph.source_file(SourceInfo {
        filename: "Dockerfile".to_owned(),
        data: text.as_bytes().to_vec(),
        language: "Dockerfile".to_owned(),
    });
    let mut stages: BTreeMap<String, Output> = BTreeMap::new();
    let mut stage: Option<(String, Stage)> = None;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "FROM" {
            if let Some((
                name,
                Stage {
                    root: Some(root), ..
                },
            )) = stage.take()
            {
                stages.insert(name, root);
            }
            let (base, name) = rest.split_once(" AS ").unwrap_or((rest, "last"));
            let root = match stages.get(base) {
                Some(root) => Some(*root),
                None if base == "scratch" => None,
                None => {
                    let image = Image::new(&ImageName::parse(base).expect("an image"));
                    Some(graph.add(image, &here(), Meta::named(base)).only())
                }
            };
            let new = Stage {
                root,
                env: vec!["PATH=/usr/bin:/bin".to_owned()],
                user: String::new(),
                cwd: "/app".to_owned(),
                shell: ["/bin/sh", "-c"].map(str::to_owned).into(),
            };
            stage = Some((name.to_owned(), new));
            continue;
        }
        let Some((_, stage)) = &mut stage else {
            continue;
        };
        match word {
            "ENV" => stage.env.push(rest.to_owned()),
            "USER" => rest.clone_into(&mut stage.user),
            "WORKDIR" => rest.clone_into(&mut stage.cwd),
            "SHELL" => stage.shell = rest.split(' ').map(str::to_owned).collect(),
            "COPY" => copy(&mut graph, stage, &stages, rest),
            "RUN" => {
                let exec = run(stage, &stages, rest);
                let meta = Meta {
                    ignore_cache: rest.starts_with("--no-cache "),
                    ..Meta::named(rest)
                };
                let output = exec.output("/").expect("a root");
                let vertex = graph.add(exec, &here(), meta);
                graph.locate(vertex, file, &[number..=number]);
                stage.root = Some(vertex.output(output));
            }
            "SCRIPT" => {
                let script = File::on(None).mkfile(Mkfile {
                    path: "EOF".to_owned(),
                    mode: 0o755,
                    data: rest.replace(';', "\n").into_bytes(),
                    owner: None,
                    time: None,
                });
                let script = graph.add(script, &here(), Meta::default()).only();
                let mut exec = run(stage, &stages, "/dev/pipes/EOF");
                exec.mounts
                    .push(Mount::bind(script, "/dev/pipes/").select("/"));
                let output = exec.output("/").expect("a root");
                let vertex = graph.add(exec, &here(), Meta::named(rest));
                graph.locate(vertex, file, &[number..=number]);
                stage.root = Some(vertex.output(output));
            }
            _ => assert!(word.is_empty() || word.starts_with('#'), "{line}"),
        }
    }
    let root = stage.and_then(|(_, stage)| stage.root);
    root.map_or_else(Definition::scratch, |root| graph.definition(root))
}

fn copy(graph: &mut Graph, stage: &mut Stage, stages: &BTreeMap<String, Output>, rest: &str) {
    let mut words: Vec<&str> = rest.split(' ').collect();
    let link = words.first() == Some(&"--link");
    if link {
        words.remove(0);
    }
    // A stage that is not there yet is the context.
    let from = match words.first().and_then(|word| word.strip_prefix("--from=")) {
        Some(name) => {
            words.remove(0);
            stages.get(name)
        }
        None => None,
    };
    let from = match from {
        Some(stage) => *stage,
        None => graph
            .add(Local::new("context"), &here(), Meta::default())
            .only(),
    };
    let [source, target] = words[..] else {
        panic!("{rest}");
    };
    let above = if target.starts_with('/') {
        ""
    } else {
        &stage.cwd
    };
    let copy = Copy {
        allow_wildcard: true,
        ..Copy::new(FileInput::Output(from), source, format!("{above}/{target}"))
    };
    let on = stage.root.filter(|_| !link);
    let copied = graph
        .add(File::on(on).copy(copy), &here(), Meta::default())
        .only();
    stage.root = match stage.root.filter(|_| link) {
        Some(root) => {
            let merge = Op::Merge(vec![root, copied]);
            Some(graph.add(merge, &here(), Meta::default()).only())
        }
        None => Some(copied),
    };
}

fn run(stage: &Stage, stages: &BTreeMap<String, Output>, rest: &str) -> Exec {
    let mut text = rest;
    let mut mounts = Vec::new();
    let mut network = Network::Sandbox;
    while let Some((flag, after)) = text
        .split_once(' ')
        .filter(|(flag, _)| flag.starts_with("--"))
    {
        if flag == "--network=none" {
            network = Network::None;
        }
        if let Some(options) = flag.strip_prefix("--mount=") {
            let options: BTreeMap<&str, &str> = options
                .split(',')
                .filter_map(|option| option.split_once('='))
                .collect();
            let from = options.get("from").map(|from| stages.get(*from));
            let target = options["target"].to_owned();
            match from {
                Some(None) => {}
                Some(Some(from)) => mounts.push(Mount {
                    target,
                    kind: MountKind::Bind {
                        input: Some(*from),
                        selector: options.get("source").copied().unwrap_or("/").to_owned(),
                        access: Access::ReadOnly,
                        content_cache: buildkit_llb::ContentCache::Default,
                    },
                }),
                None => mounts.push(Mount::cache("theirs", target, Sharing::Shared)),
            }
        }
        text = after;
    }
    let args = stage.shell.iter().cloned().chain([text.to_owned()]);
    let mut exec = Exec::new(stage.root, args);
    exec.env.clone_from(&stage.env);
    exec.user.clone_from(&stage.user);
    exec.cwd.clone_from(&stage.cwd);
    exec.network = network;
    exec.mounts.extend(mounts);
    exec
}
