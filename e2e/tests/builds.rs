//! Images are what specs say.

use std::{fs, os::unix::fs::MetadataExt, path::Path, thread};

use larder_e2e::{Engine, Project, unique};
use serde_json::{Value, json};

#[test]
fn the_config_is_as_written() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: debian:trixie-slim
env: {STAGE: \"1\", BOTH: stage}
workdir: /srv/app
user: daemon
image:
  entrypoint: [/bin/echo, hello]
  cmd: [world]
  env: {BOTH: image, IMAGE: \"${STAGE}2\"}
  expose: [8000, 53/udp]
  labels: {com.example.title: A title, other: \"x y\"}
";
    let project = Project::new(&engine, spec).unwrap();
    let built = engine
        .build(&project)
        .option("--label=given=yes")
        .image()
        .succeed()
        .unwrap();
    let config = built.config().unwrap();
    assert_eq!(config["Entrypoint"], json!(["/bin/echo", "hello"]));
    assert_eq!(config["Cmd"], json!(["world"]));
    assert_eq!(config["WorkingDir"], "/srv/app");
    assert_eq!(config["User"], "daemon");
    assert_eq!(
        config["ExposedPorts"],
        json!({"8000/tcp": {}, "53/udp": {}})
    );
    let labels = json!({"com.example.title": "A title", "other": "x y", "given": "yes"});
    assert_eq!(config["Labels"], labels);
    let env: Vec<&str> = config["Env"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for variable in ["STAGE=1", "BOTH=image", "IMAGE=12"] {
        assert_eq!(
            env.iter().filter(|held| **held == variable).count(),
            1,
            "{env:?}"
        );
    }
    assert!(env.iter().any(|held| held.starts_with("PATH=")), "{env:?}");
    assert!(!env.contains(&"BOTH=stage"), "{env:?}");
    assert_eq!(built.run(&[]).unwrap(), "hello world\n");
    let who = built
        .run_with(&["--entrypoint=sh"], &["-c", "id -un; pwd"])
        .unwrap();
    assert_eq!(who, "daemon\n/srv/app\n");
}

#[test]
fn what_the_ignore_file_names_stays_out() {
    let engine = Engine::from_env().unwrap();
    let spec = "from: scratch\nsteps:\n  - copy: .\n";
    let project = Project::new(&engine, spec).unwrap();
    project
        .file(
            ".dockerignore",
            "# comment\n*.log\nsecret\n!kept.log\n**/deep\nlarder.yaml\n",
        )
        .unwrap();
    for path in [
        "a.txt",
        "b.log",
        "kept.log",
        "secret/key",
        "x/y/deep",
        "x/y/z",
    ] {
        project.file(path, "text").unwrap();
    }
    let built = engine.build(&project).files().succeed().unwrap();
    assert_eq!(
        tree(&built.path("/").unwrap()),
        [".dockerignore", "a.txt", "kept.log", "x/y/z"]
    );

    // One for this spec alone wins.
    project
        .file("larder.yaml.dockerignore", "*\n!a.txt\n")
        .unwrap();
    let built = engine.build(&project).files().succeed().unwrap();
    assert_eq!(tree(&built.path("/").unwrap()), ["a.txt"]);
}

/// The paths of files below a folder, sorted.
fn tree(root: &Path) -> Vec<String> {
    fn walk(dir: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

#[test]
fn copies_have_the_owner_and_mode_asked_for() {
    let engine = Engine::from_env().unwrap();
    let other = engine.base("debian:trixie-slim").unwrap();
    let spec = format!(
        "
stages:
  made:
    from: debian:trixie-slim
    steps:
      - run: mkdir -p /out/sub && echo made > /out/sub/file && ln -s sub/file /out/link && chmod 600 /out/sub/file
  result:
    from: debian:trixie-slim
    user: build
    workdir: /job
    steps:
      - copy: a.txt
      - copy: {{src: [a.txt, b.txt], dest: /many/, chown: \"7:8\", chmod: 0640}}
      - copy: {{from: made, src: /out, dest: ./tree}}
      - copy: {{from: made, src: /out/sub/file, dest: /root-file, chown: root, chmod: \"0444\"}}
      - copy: {{from: {}, src: /etc/larder-e2e, dest: /marks/, chown: \"www-data:daemon\"}}
      - copy: {{src: \"*.txt\", dest: /some/}}
",
        other.name()
    );
    let project = Project::new(&engine, &spec).unwrap();
    project.file_with_mode("a.txt", "a", 0o604).unwrap();
    project.file("b.txt", "b").unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    let script = "stat -c '%n %u:%g:%a' /job /job/a.txt /many/a.txt /many/b.txt /job/tree/sub/file \
                  /root-file /marks/larder-e2e /some/b.txt; readlink /job/tree/link";
    let expected = "\
/job 1000:1000:755
/job/a.txt 1000:1000:604
/many/a.txt 7:8:640
/many/b.txt 7:8:640
/job/tree/sub/file 1000:1000:600
/root-file 0:0:444
/marks/larder-e2e 33:1:644
/some/b.txt 1000:1000:644
sub/file
";
    let said = built
        .run_with(&["--user=root"], &["sh", "-c", script])
        .unwrap();
    assert_eq!(said, expected);
}

#[test]
fn the_build_user_is_made_where_it_is_missing() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: debian:trixie-slim
user: build
workdir: /app
steps:
  - run: id && echo \"$HOME\" && touch here \"$HOME/there\"
";
    let project = Project::new(&engine, spec).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    let said = built
        .run(&[
            "sh",
            "-c",
            "id; stat -c %u:%g:%a ~; echo ~; tail -n1 /etc/passwd",
        ])
        .unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines[0],
        "uid=1000(build) gid=1000(build) groups=1000(build)"
    );
    assert_eq!(lines[1], "1000:1000:755");
    assert_eq!(lines[2], "/home/build");
    assert!(lines[3].starts_with("build:x:1000:1000:"), "{said}");

    // Where there is one, it stays as it is.
    let spec = format!("from: {}\nuser: build\nsteps:\n  - run: id\n", "IMAGE");
    let made = engine.base("debian:trixie-slim").unwrap();
    let project = Project::empty().unwrap();
    let recipe = format!(
        "FROM {}\nRUN useradd --create-home --uid 4321 build\n",
        made.name()
    );
    project.file("Dockerfile", recipe).unwrap();
    let name = format!("larder-e2e/user-{}:1", unique());
    publish(&engine, &project, &name);
    let project = Project::new(&engine, &spec.replace("IMAGE", &name)).unwrap();
    let built = engine.build(&project).image().succeed().unwrap();
    assert_eq!(built.run(&["id", "-u"]).unwrap(), "4321\n");
}

fn publish(engine: &Engine, project: &Project, name: &str) {
    let output = format!(
        "--output=type=image,name={}/{name},push=true,oci-mediatypes=true",
        engine.registry()
    );
    let path = project.path().display().to_string();
    engine
        .docker_output(&["buildx", "build", "--provenance=false", &output, &path])
        .unwrap();
}

#[test]
fn args_are_overridden_and_expanded() {
    let engine = Engine::from_env().unwrap();
    let spec = "
args:
  BASE: trixie
  GREETING: hello
  UNSET:
from: debian:${BASE}-slim
env:
  SAID: ${GREETING}, ${UNSET:-nobody}
steps:
  - run: echo \"$GREETING|$SAID|${UNSET-unset}|$(. /etc/os-release; echo $VERSION_CODENAME)\" > /said
";
    let project = Project::new(&engine, spec).unwrap();
    let built = engine.build(&project).files().succeed().unwrap();
    assert_eq!(
        built.read("/said").unwrap(),
        "hello|hello, nobody|unset|trixie\n"
    );
    let built = engine
        .build(&project)
        .arg("BASE", "forky")
        .arg("GREETING", "good bye")
        .arg("UNSET", "all")
        .files()
        .succeed()
        .unwrap();
    assert_eq!(
        built.read("/said").unwrap(),
        "good bye|good bye, all|all|forky\n"
    );
}

const STAGES: &str = "
name: stages
stages:
  base:
    from: debian:trixie-slim
    steps:
      - run: echo ONCE > /base
  first:
    from: base
    steps:
      - run: echo first > /first
  unused:
    from: base
    steps:
      - run: exit 1
  last:
    from: base
    steps:
      - copy: {from: first, src: /first, dest: /}
      - copy: source.txt
";

#[test]
fn the_target_is_built_and_what_it_needs() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, &STAGES.replace("ONCE", &unique())).unwrap();
    project.file("source.txt", "text").unwrap();
    let built = engine.build(&project).files().succeed().unwrap();
    assert_eq!(built.read("/first").unwrap(), "first\n");
    assert_eq!(built.read("/source.txt").unwrap(), "text");
    let built = engine
        .build(&project)
        .option("--target=base")
        .files()
        .succeed()
        .unwrap();
    assert!(built.path("/base").unwrap().exists());
    assert!(!built.path("/first").unwrap().exists());
    assert_eq!(built.ran(), [""; 0]);
    let text = engine
        .build(&project)
        .option("--target=unused")
        .fail()
        .unwrap();
    assert!(text.contains(">>>       - run: exit 1"), "{text}");
}

#[test]
fn two_builds_at_once_come_to_the_same() {
    let engine = Engine::from_env().unwrap();
    let project = Project::new(&engine, &STAGES.replace("ONCE", &unique())).unwrap();
    project.file("source.txt", "text").unwrap();
    let layers = thread::scope(|scope| {
        let build = || {
            let built = engine.build(&project).image().succeed().unwrap();
            let format = "--format={{json .RootFS.Layers}}";
            engine
                .docker_output(&["image", "inspect", format, built.image().unwrap()])
                .unwrap()
        };
        let other = scope.spawn(build);
        (build(), other.join().unwrap())
    });
    assert_eq!(layers.0, layers.1);
    assert!(layers.0.contains("sha256:"), "{}", layers.0);
}

#[test]
fn a_step_may_have_a_shell_script_or_words() {
    let engine = Engine::from_env().unwrap();
    let spec = "
from: debian:trixie-slim
workdir: /app
env: {A: stage}
steps:
  - run: [sh, -c, 'echo \"$0 $A $(pwd)\" > said', 'two words']
    env: {A: \"step's\"}
  - run: |
      for word in one two; do
        echo $word >> said
      done
      pwd >> said
    workdir: sub
  - run: cat sub/said >> said
";
    let project = Project::new(&engine, spec).unwrap();
    let built = engine.build(&project).files().succeed().unwrap();
    assert_eq!(
        built.read("/app/said").unwrap(),
        "two words step's /app\none\ntwo\n/app/sub\n"
    );
    assert!(
        fs::metadata(built.path("/app/sub").unwrap())
            .unwrap()
            .mode()
            & 0o777
            == 0o755
    );
}

/// Where the client falls over such a result, whatever frontend made it, the daemon must not.
#[test]
fn images_of_nothing_for_two_platforms_leave_the_daemon_up() {
    let engine = Engine::from_env().unwrap();
    let dockerfile = format!("# syntax={}\nFROM scratch\n", engine.frontend());
    let project = Project::new(&engine, "from: scratch\n").unwrap();
    project.file("Dockerfile", dockerfile).unwrap();
    for file in ["larder.yaml", "Dockerfile"] {
        let built = engine
            .build(&project)
            .file(file)
            .option("--platform=linux/amd64,linux/arm64")
            .pushed(&format!("larder-e2e/nothing-{}", unique()))
            .run()
            .unwrap();
        let client = built.text.contains("grpcclient.convertRef");
        assert!(built.succeeded || client, "{file}: {}", built.text);
        engine.docker_output(&["version"]).unwrap();
    }
}
