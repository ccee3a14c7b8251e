//! What a plan becomes.

mod support;

use std::path::Path;

use larder_diagnostic::SourceFile;
use larder_plan::{Context, Lowered, NoCache, Request, lower};
use serde_json::Value;

fn lowered(text: &str, request: &Request) -> Lowered {
    let source = SourceFile::new("larder.yaml", text);
    let context = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/seeds");
    let plan = support::plan(&source, request, &context)
        .unwrap_or_else(|mistakes| panic!("{}", larder_diagnostic::render(&mistakes, &source)));
    lower(&plan, &source).expect("nothing is imported")
}

/// The operations that have a key, such as `exec`.
fn operations(lowered: &Lowered, key: &str) -> Vec<Value> {
    let json = buildkit_llb::inspect::json(&lowered.definition).expect("it is whole");
    let mut json: Value = serde_json::from_str(&json).expect("it is JSON");
    let Value::Array(vertices) = json["vertices"].take() else {
        panic!("no vertices");
    };
    vertices
        .into_iter()
        .filter(|vertex| vertex.get(key).is_some())
        .collect()
}

fn config(lowered: &Lowered) -> Value {
    serde_json::from_slice(&lowered.config).expect("it is JSON")
}

#[test]
fn the_build_user_is_there_before_its_first_step() {
    let text = "from: debian:13\nuser: build\nsteps:\n  - run: pip install x\n";
    let lowered = lowered(text, &support::request());
    let files = operations(&lowered, "file");
    let made = files[0]["file"].to_string();
    assert!(
        made.contains("build:x:1000:1000::/home/build:/bin/sh"),
        "{made}"
    );
    assert!(made.contains("/etc/group"), "{made}");
    let exec = &operations(&lowered, "exec")[0];
    assert_eq!(exec["exec"]["user"], "build");
    let env = exec["exec"]["env"].to_string();
    assert!(env.contains("HOME=/home/build"), "{env}");
    assert!(env.contains("PIP_CACHE_DIR="), "{env}");
    let cache = &exec["exec"]["mounts"][1];
    assert_eq!(cache["selector"], "/cache");
    assert_eq!(cache["target"], "/cache/pip");
    let config = config(&lowered);
    assert_eq!(config["config"]["User"], "build");
    assert_eq!(config["config"]["Healthcheck"]["Test"][0], "NONE");
    assert_eq!(config["created"], Value::Null);
    assert_eq!(config["history"].as_array().map(Vec::len), Some(3));
}

#[test]
fn running_again_keeps_caches() {
    let text = "stages:\n  a:\n    from: debian:13\n    steps: [{run: pip install x}]\n  \
                b:\n    from: a\n    steps: [{run: pip install y}]\n";
    let mut request = support::request();
    request.no_cache = NoCache::Stages {
        names: vec!["b".to_owned()],
        nonce: "7".to_owned(),
    };
    let execs = operations(&lowered(text, &request), "exec");
    let told = |exec: &Value| exec["exec"]["env"].to_string().contains("LARDER_BUILD=7");
    assert_eq!(execs.iter().map(told).collect::<Vec<_>>(), [false, true]);
    assert!(
        execs
            .iter()
            .all(|exec| exec["meta"].get("ignore_cache").is_none())
    );
    request.no_cache = NoCache::All {
        nonce: "8".to_owned(),
    };
    let execs = operations(&lowered(text, &request), "exec");
    assert!(
        execs
            .iter()
            .all(|exec| exec["exec"]["env"].to_string().contains("LARDER_BUILD=8"))
    );
}

#[test]
fn only_paths_that_steps_use_are_sent() {
    let mut request = support::request();
    request.context = Context::Local {
        name: "context".to_owned(),
        session: Some("s".to_owned()),
        exclude: vec!["*.log".to_owned()],
    };
    let some = "from: scratch\nsteps: [{copy: {src: [b, a/], dest: /x/}}]\n";
    let source = operations(&lowered(some, &request), "source")[0]["source"].to_string();
    assert!(source.contains(r#"[\"a\",\"b\"]"#), "{source}");
    assert!(source.contains("*.log"), "{source}");
    let all = "from: scratch\nsteps: [{copy: a}, {copy: .}]\n";
    let source = operations(&lowered(all, &request), "source")[0]["source"].to_string();
    assert!(!source.contains("followpaths"), "{source}");
    let none = "from: debian:13\nsteps: [{run: id}]\n";
    let sources = operations(&lowered(none, &request), "source");
    assert_eq!(sources.len(), 1, "{sources:?}");
}

const SEEDED: &str = "from: debian:13\nsteps:\n  - run: pip install x && npm ci\n  \
                      - run: pip install y\n    user: app\n  - run: id\n";

fn mount<'m>(exec: &'m Value, target: &str) -> &'m Value {
    let mounts = exec["exec"]["mounts"].as_array().expect("there are mounts");
    let found = mounts.iter().find(|mount| mount["target"] == target);
    found.unwrap_or_else(|| panic!("nothing at {target}: {exec:#}"))
}

#[test]
fn every_step_sees_the_cache_context() {
    let lowered = lowered(SEEDED, &support::request_with_cache());
    let execs = operations(&lowered, "exec");
    assert_eq!(execs.len(), 3);
    for exec in &execs {
        let mount = mount(exec, "/larder-cache");
        assert_eq!(mount["read_only"], true, "{mount}");
    }
    let locals = operations(&lowered, "source");
    let local = |source: &&Value| {
        source["source"]
            .to_string()
            .contains("local://larder-cache")
    };
    assert_eq!(locals.iter().filter(local).count(), 1);
}

#[test]
fn caches_start_from_directories_of_their_name() {
    let lowered = lowered(SEEDED, &support::request_with_cache());
    let copies: Vec<String> = operations(&lowered, "file")
        .iter()
        .map(|file| file["file"].to_string())
        .collect();
    let [root, app] = copies.as_slice() else {
        panic!("one for each owner: {copies:?}");
    };
    for (file, uid, gid) in [(root, 0, 0), (app, 1001, 1002)] {
        assert!(file.contains("\"/pip\""), "{file}");
        assert!(!file.contains("npm"), "{file}");
        let (uid, gid) = (format!("\"user\":{uid}"), format!("\"group\":{gid}"));
        for owner in [uid, gid] {
            assert_eq!(file.matches(&owner).count(), 2, "{file}");
        }
    }
    let execs = operations(&lowered, "exec");
    assert_eq!(mount(&execs[0], "/cache/pip")["selector"], "/cache");
    // A file of that name is no directory.
    assert_eq!(mount(&execs[0], "/cache/npm").get("input"), None);
}

#[test]
fn without_a_cache_context_nothing_is_of_it() {
    let plain = lowered(SEEDED, &support::request());
    assert!(
        !buildkit_llb::inspect::json(&plain.definition)
            .expect("it is whole")
            .contains("larder-cache")
    );
    // Of a context without directories of their names, caches are the same.
    let npm = "from: debian:13\nuser: app\nsteps: [{run: npm ci}]\n";
    let cache = |request| {
        let exec = operations(&lowered(npm, &request), "exec").remove(0);
        let number = mount(&exec, "/cache/npm")["input"]
            .as_u64()
            .expect("a number");
        let number = usize::try_from(number).expect("it is small");
        (
            mount(&exec, "/cache/npm")["cache"].clone(),
            exec["inputs"][number].clone(),
        )
    };
    assert_eq!(
        cache(support::request()),
        cache(support::request_with_cache())
    );
}

#[test]
fn a_cache_context_may_be_a_part_of_a_source() {
    let mut request = support::request();
    let git = buildkit_llb::Git::new("https://example.org/x.git");
    request.cache_context = Some(Context::Source {
        source: Box::new(buildkit_llb::Source::Git(git)),
        archive: false,
        subdir: "deps".to_owned(),
    });
    let lowered = lowered(SEEDED, &request);
    let execs = operations(&lowered, "exec");
    assert_eq!(mount(&execs[2], "/larder-cache")["selector"], "/deps");
    let copy = operations(&lowered, "file")[0]["file"].to_string();
    assert!(copy.contains("\"/deps/pip\""), "{copy}");
}

#[test]
fn a_step_knows_its_lines() {
    let text = "from: debian:13\nsteps:\n  - run: |\n      one\n      two\n  - run: three\n    user: app\n";
    let execs = operations(&lowered(text, &support::request()), "exec");
    let lines = |exec: &Value| exec["locations"][0]["lines"][0].to_string();
    assert_eq!(lines(&execs[1]), "[6,6]");
    let script = lines(&execs[0]);
    assert!(["[3,5]", "[4,5]"].contains(&script.as_str()), "{script}");
    assert_eq!(execs[0]["exec"]["args"][2], "set -e\none\ntwo\n");
    assert_eq!(execs[1]["exec"]["args"][2], "three");
    assert_eq!(execs[1]["exec"]["user"], "app");
}

#[test]
fn nothing_on_scratch_is_nothing() {
    let lowered = lowered("from: scratch\n", &support::request());
    assert!(lowered.definition.is_scratch());
    assert_eq!(lowered.base_config, None);
    assert_eq!(config(&lowered)["architecture"], "amd64");
}

#[test]
fn an_entrypoint_drops_the_arguments_of_the_base() {
    let base = "from: node:22\n";
    let with = |image: &str| {
        let lowered = lowered(&format!("{base}{image}"), &support::request());
        let config = config(&lowered)["config"].clone();
        (config["Entrypoint"].clone(), config["Cmd"].clone())
    };
    let list = |words: &[&str]| Value::from(words.to_vec());
    assert_eq!(with(""), (list(&["docker-entrypoint.sh"]), list(&["node"])));
    assert_eq!(
        with("image: {entrypoint: [x]}\n"),
        (list(&["x"]), Value::Null)
    );
    assert_eq!(
        with("image: {cmd: [y]}\n"),
        (list(&["docker-entrypoint.sh"]), list(&["y"]))
    );
    assert_eq!(
        with("image: {entrypoint: [x], cmd: z 1}\n"),
        (list(&["x"]), list(&["/bin/sh", "-c", "z 1"]))
    );
}

const RUNTIME: &str = "\
stages:
  base:
    from: debian:13
    user: build
    steps: [{run: pip install x}]
  production:
    from: debian:13
    steps: [{copy: {from: tools, src: /usr/bin/x, dest: /usr/bin/x}}]
  tools:
    from: base
    steps: [{run: npm ci}]
    image: {env: {pip_cache_dir: /data}}
";

/// What a build of a target has of `/cache` outside of mounts: names of operations, and variables.
fn kept(option: &str, target: &str) -> (Vec<String>, Vec<String>) {
    let mut request = support::request();
    request.target = Some(target.to_owned());
    let lowered = lowered(&format!("{option}{RUNTIME}"), &request);
    let names = lowered.definition.vertices().map(|(_, name)| name);
    let names = names.filter(|name| name.contains("runtime")).collect();
    let env = config(&lowered)["config"]["Env"].clone();
    let env = env.as_array().expect("there are variables");
    let env = env.iter().filter_map(Value::as_str);
    let env = env.filter(|entry| entry.contains("/cache"));
    (names, env.map(str::to_owned).collect())
}

#[test]
fn the_target_keeps_caches_where_it_is_asked_to() {
    let (names, env) = kept("runtime-caches: true\n", "tools");
    assert_eq!(names, ["[tools 2/2] runtime caches npm pip"]);
    assert_eq!(env, ["NPM_CONFIG_CACHE=/cache/npm"]);
    let (names, env) = kept("runtime-caches: true\n", "base");
    assert_eq!(names, ["[base 3/3] runtime caches pip"]);
    assert_eq!(env, ["PIP_CACHE_DIR=/cache/pip"]);
}

#[test]
fn nothing_else_keeps_any() {
    let nothing = (Vec::new(), Vec::new());
    for option in ["", "runtime-caches: false\n"] {
        for target in ["base", "tools", "production"] {
            assert_eq!(kept(option, target), nothing);
        }
    }
    assert_eq!(kept("runtime-caches: true\n", "production"), nothing);
}

#[test]
fn what_is_kept_is_the_users_of_the_image() {
    let text = "runtime-caches: [r-library]\nfrom: debian:13\nimage: {user: app}\n";
    let lowered = lowered(text, &support::request());
    let last = operations(&lowered, "file").pop().expect("there is one");
    let actions = last["file"].as_array().expect("there are actions");
    let made: Vec<String> = actions
        .iter()
        .filter_map(|action| {
            let (kind, of) = action
                .as_object()?
                .iter()
                .find(|(key, _)| key.starts_with("mk"))?;
            Some(format!(
                "{kind} {} {} {}:{}",
                of["path"], of["mode"], of["user"], of["group"]
            ))
        })
        .collect();
    assert_eq!(
        made,
        [
            r#"mkdir "/cache" "0755" 1001:1002"#,
            r#"mkdir "/cache/r/library" "0755" 1001:1002"#,
            r#"mkdir "/cache/r/tmp" "0755" 1001:1002"#,
            r#"mkdir "/etc/R" "0755" 0:0"#,
            r#"mkfile "/etc/R/Renviron.site" "0644" 0:0"#,
            r#"mkdir "/home/app" "0755" 1001:1002"#,
            r#"mkfile "/home/app/.Rprofile" "0644" 1001:1002"#,
        ]
    );
}

#[test]
fn the_client_sets_the_ids_of_the_build_user() {
    let text = "from: debian:13\nuser: build\nsteps:\n  - run: pip install x\n";
    let mut request = support::request();
    let ids = [("USER_UID", "1234"), ("USER_GID", "2345")];
    request.build_args = ids
        .map(|(name, id)| (name.to_owned(), id.to_owned()))
        .into();
    let good = lowered(text, &request);
    let made = operations(&good, "file")[0]["file"].to_string();
    assert!(made.contains("build:x:1234:2345::"), "{made}");
    let cache = &operations(&good, "exec")[0]["exec"]["mounts"][1].to_string();
    assert!(cache.contains("owner:1234.2345"), "{cache}");
    for wrong in ["", "me", "-1", "4294967296", "1e3"] {
        request
            .build_args
            .insert("USER_UID".to_owned(), wrong.to_owned());
        let source = SourceFile::new("larder.yaml", text);
        let mistakes = support::plan(&source, &request, Path::new("/nonexistent"))
            .expect_err("it is no number");
        let said = larder_diagnostic::render(&mistakes, &source);
        assert!(
            said.contains("`USER_UID`") && said.contains("--build-arg"),
            "{said}"
        );
    }
}

#[test]
fn outputs_are_copied_by_the_shell_that_runs_the_command() {
    let text = "from: trigger\nuser: root\nworkdir: /app\nsteps:\n  - run: make all\n    \
                outputs: [target/app]\n  - run: [make, \"a b\"]\n    \
                outputs: [{from: /m/x, to: \"/it's/\"}]\n";
    let execs = operations(&lowered(text, &support::request()), "exec");
    let args = |exec: &Value| -> Vec<String> {
        serde_json::from_value(exec["exec"]["args"].clone()).expect("a list of words")
    };
    let script = "set -e\n\"$@\"\nmkdir -p -- '/app'\ncp -aT -- '/app/target/app' '/app/app'";
    let shell = ["/bin/bash", "-o", "pipefail", "-c"];
    assert_eq!(
        args(&execs[0]),
        [&shell[..], &[script, "outputs"], &shell[..], &["make all"]].concat()
    );
    let script = "set -e\n\"$@\"\nmkdir -p -- '/it'\\''s'\ncp -aT -- '/m/x' '/it'\\''s/x'";
    assert_eq!(
        args(&execs[1]),
        [&shell[..], &[script, "outputs", "make", "a b"]].concat()
    );
}

#[test]
fn outputs_keep_the_status_of_the_command_and_leave_nothing_out() {
    let folder = std::env::temp_dir().join(format!("larder-outputs-{}", std::process::id()));
    let at = |path: &str| folder.join(path).display().to_string();
    std::fs::create_dir_all(folder.join("cache/dir")).expect("a folder can be made");
    std::fs::write(folder.join("cache/dir/file"), "text").expect("a file can be written");
    let run = |command: &str| {
        let text = format!(
            "from: debian\nsteps:\n  - run: {command}\n    outputs:\n      \
             - {{from: '{}', to: \"{}\"}}\n      - {{from: '{}', to: '{}'}}\n",
            at("cache/dir"),
            at("it's/copy"),
            at("cache/dir/file"),
            at("into/"),
        );
        let execs = operations(&lowered(&text, &support::request()), "exec");
        let args: Vec<String> =
            serde_json::from_value(execs[0]["exec"]["args"].clone()).expect("a list of words");
        let status = std::process::Command::new(&args[0])
            .args(&args[1..])
            .status();
        status.expect("there is a shell").code()
    };
    assert_eq!(run("exit 7"), Some(7));
    assert!(!folder.join("into").exists());
    assert_eq!(run("[sh, -c, 'exit 8']"), Some(8));
    assert_eq!(run("false; exit 0"), Some(0));
    assert_eq!(run("[\"true\", a b]"), Some(0));
    for copy in ["it's/copy/file", "into/file"] {
        let read = std::fs::read_to_string(folder.join(copy));
        assert_eq!(read.ok().as_deref(), Some("text"), "{copy}");
    }
    std::fs::remove_dir_all(&folder).expect("it can be removed");
}

#[test]
fn a_cache_s_directory_is_made_as_dockerfile_makes_it() {
    let text = "cache-ids: dockerfile\ncache-layout: home\nfrom: debian:13\nuser: build\nsteps:\n  \
                - run: pip install x\n  - run: pip install x\n    user: root\n";
    let mut request = support::request();
    request.cache_namespace = Some("team".to_owned());
    let lowered = lowered(text, &request);
    // llb.Scratch().File(llb.Mkdir("/cache", 0755, llb.WithUIDGID(1000, 1000))), as Go encodes it.
    let digest = "sha256:14a9ce1c7e5131f82ba903789ca9ec8d50fd9eb3f05df2753208d34da25bd42a";
    let made = operations(&lowered, "file");
    let digests: Vec<_> = made.iter().map(|made| made["digest"].clone()).collect();
    assert!(digests.contains(&Value::from(digest)), "{made:?}");
    let execs = operations(&lowered, "exec");
    let mounts = |at: usize| execs[at]["exec"]["mounts"][1].clone();
    assert_eq!(mounts(0)["id"], "team//home/build/.cache/pip");
    assert_eq!(mounts(0)["selector"], "/cache");
    // Root's, without `uid`, `gid` and `mode`, starts from nothing.
    assert_eq!(mounts(1)["id"], "team//root/.cache/pip");
    assert_eq!(mounts(1)["selector"], Value::Null);
}

#[test]
fn variables_of_the_image_that_defeat_a_cache_are_left_out_of_the_step() {
    let spec = "
stages:
  base:
    from: quiet
    steps:
      - run: pip install x
      - run: go build ./...
      - run: echo PIP_NO_CACHE_DIR
  chosen:
    from: base
    env: {PIP_NO_CACHE_DIR: \"1\"}
    steps:
      - run: pip install y
  result:
    from: chosen
    steps:
      - run: pip install z
";
    let lowered = lowered(spec, &support::request());
    let env: Vec<String> = operations(&lowered, "exec")
        .iter()
        .map(|exec| exec["exec"]["env"].to_string())
        .collect();
    let has: Vec<bool> = env
        .iter()
        .map(|env| env.contains("\"PIP_NO_CACHE_DIR=1\""))
        .collect();
    assert_eq!(has, [false, true, true, true, true], "{env:?}");
    assert!(env[1].contains("\"GOFLAGS=-v\"") && env[2].contains("\"GOFLAGS=-a -v\""));
    let image = config(&lowered)["config"]["Env"].to_string();
    assert!(
        image.contains("PIP_NO_CACHE_DIR=1") && image.contains("GOFLAGS=-a -v"),
        "{image}"
    );
}
