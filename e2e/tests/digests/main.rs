//! The digests that we compute for operations are those that the daemon shows.

mod forward;

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    thread,
};

use buildkit_llb::{
    Access, Account, Constraints, Copy, CopyMode, Definition, Exec, ExtraHost, File, FileAction,
    FileInput, FileStep, Git, Graph, Http, Image, ImageName, Local, Meta, Mkdir, Mkfile, Mount,
    MountKind, Network, Op, Owner, Platform, ProgressGroup, ProxyEnv, Rm, SecretEnv, Sharing,
    Source, Symlink, Ulimit, Vertex,
};
use larder_e2e::{Engine, Repository, unique};

use crate::forward::Forward;

/// Builds a definition, vertex by vertex.
struct Builder {
    graph: Graph,
    here: Constraints,
}

impl Builder {
    fn new() -> Self {
        let here = Constraints::on(Platform::parse("linux/amd64").unwrap());
        Self {
            graph: Graph::new(),
            here,
        }
    }

    fn add(&mut self, op: impl Into<Op>) -> Vertex {
        self.graph.add(op, &self.here, Meta::default())
    }

    fn debian(&mut self) -> Vertex {
        self.add(Image::new(&ImageName::parse("debian:trixie-slim").unwrap()))
    }

    fn shell(&mut self, root: Vertex, script: &str, with: impl FnOnce(&mut Exec)) -> Vertex {
        let mut exec = Exec::new(Some(root.only()), ["/bin/sh", "-euxc", script]);
        exec.env.push(format!("ONCE={}", unique()));
        with(&mut exec);
        self.add(exec)
    }
}

#[test]
fn of_programs_and_their_mounts() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let mut build = Builder::new();
    let debian = build.debian();
    let made = build.shell(debian, "mkdir /made; echo hi > /made/file", |exec| {
        exec.env.push("EMPTY=".to_owned());
        exec.cwd = "/tmp".to_owned();
        exec.user = "0:0".to_owned();
    });
    let owned = build.add(File::on(None).mkdir(Mkdir {
        owner: Some(ids(1000, 1000)),
        ..mkdir("/cache")
    }));
    let script = "test -s /bound; test -w /cache; test \"$(cat /secret)\" = hush; \
                  test -z \"$ABSENT\"; test \"$(hostname)\" = named; ulimit -n; touch /out/file; \
                  ! touch /read-only/x; touch /scratch/x; grep elsewhere /etc/hosts";
    let exec = build.shell(debian, script, |exec| {
        exec.mounts.extend([
            Mount::bind(made.only(), "/bound").select("/made/file"),
            Mount::writable(None, "/out"),
            Mount::cache(unique(), "/cache", Sharing::Locked)
                .with_input(owned.only())
                .select("/cache"),
            Mount::cache(unique(), "/private", Sharing::Private),
            Mount::cache(unique(), "/shared", Sharing::Shared),
            Mount::tmpfs("/scratch"),
            Mount::secret("word", "/secret"),
            Mount {
                target: "/read-only".to_owned(),
                kind: MountKind::Bind {
                    input: Some(made.only()),
                    selector: "/made".to_owned(),
                    access: Access::ReadOnly,
                    content_cache: buildkit_llb::ContentCache::default(),
                },
            },
        ]);
        exec.network = Network::None;
        exec.hostname = "named".to_owned();
        exec.proxy_env = Some(ProxyEnv {
            http_proxy: "http://127.0.0.1:1".to_owned(),
            no_proxy: "localhost".to_owned(),
            ..ProxyEnv::default()
        });
        exec.extra_hosts = vec![ExtraHost {
            host: "elsewhere".to_owned(),
            ip: "192.0.2.1".to_owned(),
        }];
        exec.ulimits = vec![Ulimit {
            name: "nofile".to_owned(),
            soft: 512,
            hard: 1024,
        }];
        exec.secret_env = vec![SecretEnv {
            id: "absent".to_owned(),
            name: "ABSENT".to_owned(),
            optional: true,
        }];
    });
    let definition = build.graph.definition(exec.output(1));
    let project = Forward::project(&definition).unwrap();
    let secret = project.file("word", "hush").unwrap();
    let secret = format!("--secret=id=word,src={}", secret.display());
    forward.check(&definition, &project, |build| build.option(secret));
}

#[test]
fn of_file_operations() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let mut build = Builder::new();
    let debian = build.debian();
    let context = build.add(Source::Local(Local {
        include: vec!["**/*.txt".to_owned()],
        exclude: vec!["skipped.txt".to_owned()],
        shared_key_hint: unique(),
        ..Local::new("context")
    }));
    let named = Owner {
        user: Some(Account::Name {
            name: "www-data".to_owned(),
            lookup: debian.only(),
        }),
        group: None,
    };
    let files = build.add(
        File::on(Some(debian.only()))
            .mkdir(Mkdir {
                mode: 0o750,
                ..mkdir("/made/deep")
            })
            .mkfile(Mkfile {
                mode: 0o600,
                time: Some(1_000_000_000),
                owner: Some(ids(1, 2)),
                ..mkfile("/made/file", "text")
            })
            .mkfile(mkfile("/made/empty", ""))
            .copy(Copy {
                owner: Some(named),
                mode: Some(CopyMode::Bits(0o640)),
                create_target: true,
                allow_wildcard: true,
                allow_empty_wildcard: true,
                follow_symlink: true,
                contents_only: true,
                ..copy(context, "/*", "/copied/")
            })
            .copy(Copy {
                contents_only: true,
                create_target: true,
                exclude: vec!["b.txt".to_owned()],
                ..copy(context, "/", "/whole/")
            })
            .rm(Rm {
                path: "/made/empty".to_owned(),
                allow_missing: false,
                allow_wildcard: false,
            })
            .rm(Rm {
                path: "/nothing*".to_owned(),
                allow_missing: true,
                allow_wildcard: true,
            }),
    );
    // Actions that are no chain.
    let mut file = File::default();
    let first = file.push(FileStep {
        input: FileInput::Scratch,
        action: FileAction::Mkfile(mkfile("/first", "1")),
    });
    file.push(FileStep {
        input: FileInput::Output(files.only()),
        action: FileAction::Copy(Box::new(Copy {
            from: FileInput::Action(first),
            ..copy(files, "/first", "/second")
        })),
    });
    let last = build.add(file);
    let upper = Some(last.only());
    let diff = build.add(Op::Diff {
        lower: Some(debian.only()),
        upper,
    });
    let alone = build.add(File::on(None).mkfile(mkfile("/alone", &unique())));
    let merged = build.add(Op::Merge(vec![debian.only(), alone.only(), diff.only()]));
    let script = "test \"$(stat -c %a:%u:%g /made/file)\" = 600:1:2; test ! -e /made/empty; \
                  test \"$(stat -c %U:%a /copied/a.txt)\" = www-data:640; test ! -e /whole/b.txt; test -e /whole/a.txt; \
                  test ! -e /copied/skipped.txt; test -e /second; test -e /alone";
    let tested = build.shell(merged, script, |_| ());
    let definition = build.graph.definition(tested.only());
    let project = Forward::project(&definition).unwrap();
    for name in ["a.txt", "b.txt", "skipped.txt", "other"] {
        project.file(name, "text").unwrap();
    }
    forward.check(&definition, &project, |build| build);
}

#[test]
fn of_what_older_daemons_refuse() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let mut build = Builder::new();
    let debian = build.debian();
    let linked = build.add(File::on(Some(debian.only())).symlink(Symlink {
        to: "etc".to_owned(),
        path: "/linked".to_owned(),
        owner: Some(ids(1, 2)),
        time: None,
    }));
    let tested = build.shell(linked, "test -e /linked/passwd; exit 7", |exec| {
        exec.valid_exit_codes = vec![7];
    });
    let definition = build.graph.definition(tested.only());
    let project = Forward::project(&definition).unwrap();
    if let Err(error) = forward.build(&project).succeed() {
        assert!(
            error.to_string().contains("unknown API capability"),
            "{error}"
        );
        return;
    }
    forward.check(&definition, &project, |build| build);
}

#[test]
fn of_the_examples() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for example in ["go", "node", "python", "rust", "shop"] {
        let compiled = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package=larder", "--", "compile"])
            .arg(root.join("examples").join(example))
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let definition = Definition::from_bytes(&compiled.stdout).unwrap();
        assert!(definition.vertices().count() > 3);
        forward.check_names(&definition);
    }
}

#[test]
fn of_what_is_said_of_operations() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let mut build = Builder::new();
    let debian = build.debian();
    let group = ProgressGroup {
        id: "g".to_owned(),
        name: "a group".to_owned(),
        weak: true,
    };
    let meta = Meta {
        ignore_cache: true,
        progress_group: Some(group),
        description: [("com.example.key".to_owned(), "value".to_owned())].into(),
        ..Meta::named("a name")
    };
    let exec = Exec::new(Some(debian.only()), ["true"]);
    let vertex = build.graph.add(exec, &build.here, meta);
    let definition = build.graph.definition(vertex.only());
    let project = Forward::project(&definition).unwrap();
    forward.check(&definition, &project, |build| build);
}

#[test]
fn of_files_on_the_web_and_repositories() {
    let engine = Engine::from_env().unwrap();
    let forward = Forward::new(&engine).unwrap();
    let served = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = served.local_addr().unwrap();
    thread::spawn(move || {
        for stream in served.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    let repository = Repository::serve(&[("part/file", &unique())]).unwrap();
    let mut build = Builder::new();
    let web = build.add(Source::Http(Http {
        checksum: Some(
            "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
        ),
        filename: "greeting".to_owned(),
        mode: Some(0o640),
        uid: 3,
        gid: 4,
        ..Http::new(format!("http://{address}/{}", unique()))
    }));
    let whole = build.add(Source::Git(Git {
        keep_git_dir: true,
        ..Git::new(&repository.url)
    }));
    let part = build.add(Source::Git(Git {
        reference: "main".to_owned(),
        subdir: "part".to_owned(),
        ..Git::new(&repository.url)
    }));
    let debian = build.debian();
    let script = "test \"$(stat -c %a:%u:%g:%s /web/greeting)\" = 640:3:4:5; test -e /whole/.git; \
                  test -e /part/file";
    let tested = build.shell(debian, script, |exec| {
        exec.mounts.extend([
            Mount::bind(web.only(), "/web"),
            Mount::bind(whole.only(), "/whole"),
            Mount::bind(part.only(), "/part"),
        ]);
    });
    let definition = build.graph.definition(tested.only());
    let project = Forward::project(&definition).unwrap();
    forward.check(&definition, &project, |build| build);
}

fn mkdir(path: &str) -> Mkdir {
    Mkdir {
        path: path.to_owned(),
        mode: 0o755,
        parents: true,
        owner: None,
        time: None,
    }
}

fn mkfile(path: &str, data: &str) -> Mkfile {
    Mkfile {
        path: path.to_owned(),
        mode: 0o644,
        data: data.into(),
        owner: None,
        time: None,
    }
}

fn copy(from: Vertex, source: &str, target: &str) -> Copy {
    Copy::new(FileInput::Output(from.only()), source, target)
}

fn ids(user: u32, group: u32) -> Owner {
    Owner {
        user: Some(Account::Id(user)),
        group: Some(Account::Id(group)),
    }
}
