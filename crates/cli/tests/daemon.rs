//! `buildkitd-config`: the files that it writes, and what it says of wrong options.
//!
//! `tests/daemon` has what each case writes. With `UPDATE=1` these files are written anew, and those of
//! `deploy/compose`.

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use common::{context, run};

/// A file, and the options that write it.
const CASES: &[(&str, &str)] = &[
    ("plain.toml", "--disk 100GiB"),
    (
        "share.toml",
        "--disk 80% --rootless --snapshotter fuse-overlayfs",
    ),
    ("small.toml", "--disk 2GB --keep-free 0"),
    (
        "containerd.toml",
        "--disk 1.5TB --keep-free 5% --worker containerd --max-parallelism 8 --platform linux/amd64,linux/arm64",
    ),
    (
        "registries.toml",
        "--disk 50GB --mirror http://mirror.example:5000/hub --mirror https://second.example \
         --mirror base.example=https://mirror.example:5001 --insecure-registry old.example \
         --insecure-registry [fd00::1]:5000 --cache-registry cache:5000",
    ),
    (
        "port.toml",
        "--disk 50GB --tcp 0.0.0.0:1234 --tls-ca /certs/ca.pem --tls-cert /certs/cert.pem --tls-key /certs/key.pem",
    ),
    (
        "rootless-port.toml",
        "--disk 50GB --rootless --tcp 127.0.0.1:1234 --without-tls",
    ),
    ("plain.json", "--for dockerd --disk 100GiB"),
    (
        "registries.json",
        "--for dockerd --disk 2GB --keep-free 1GiB --mirror https://mirror.example/hub/ \
         --mirror http://second.example:5000 --insecure-registry old.example --cache-registry cache:5000",
    ),
    (
        "merged.json",
        "--for dockerd --disk 100GiB --keep-free 0 --mirror https://mirror.example --cache-registry cache:5000 \
         --merge before.json",
    ),
];

/// The files of `deploy/compose`; each says the command in its README.
const COMPOSE: &[(&str, &str)] = &[
    (
        "buildkitd.toml",
        "--disk 50GB --cache-registry registry:5000",
    ),
    (
        "buildkitd.tls.toml",
        "--disk 50GB --cache-registry registry:5000 --tcp 0.0.0.0:1234 --tls-ca /certs/ca.pem \
         --tls-cert /certs/cert.pem --tls-key /certs/key.pem",
    ),
];

const BEFORE: &str = r#"{
  "data-root": "/srv/docker",
  "insecure-registries": ["other.example:5000", "cache:5000"],
  "builder": {"entitlements": {"security-insecure": true}}
}
"#;

fn expect(path: &Path, text: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(path, text).expect("written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

fn written(options: &str) -> String {
    let directory = context(&[("before.json", BEFORE)]);
    let args: Vec<&str> = ["buildkitd-config"]
        .into_iter()
        .chain(options.split_whitespace())
        .collect();
    let (code, stdout, stderr) = run(directory.path(), &args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{options}");
    stdout
}

/// What a wrong call says.
fn said(files: &[(&str, &str)], args: &[&str]) -> String {
    let directory = context(files);
    let (code, stdout, stderr) = run(directory.path(), &[&["buildkitd-config"], args].concat());
    assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
    stderr
}

#[test]
fn files_are_as_expected() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon");
    for (name, options) in CASES {
        let text = written(options);
        assert_eq!(text, written(options), "{name}: two calls write the same");
        expect(&directory.join(name), &text);
    }
    let mut there: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("there are cases")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    there.sort();
    assert_eq!(
        there.len(),
        CASES.len(),
        "each file is of a case: {there:?}"
    );
}

#[test]
fn compose_has_what_the_command_writes() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/compose");
    let readme = fs::read_to_string(directory.join("README.md")).expect("there is one");
    let words: Vec<&str> = readme
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    let readme = words.join(" ");
    for (name, options) in COMPOSE {
        expect(&directory.join(name), &written(options));
        let command = format!("larder buildkitd-config {options} > {name}");
        assert!(readme.contains(&command), "README.md has no `{command}`");
    }
}

#[test]
fn every_mistake_is_said_at_once() {
    let args = [
        "--disk=100",
        "--keep-free=much",
        "--mirror=ftp://mirror.example",
        "--mirror=https://me:hunter2@mirror.example",
        "--mirror=https://same.example",
        "--mirror=https://same.example/",
        "--mirror=other.example=http://same.example",
        "--insecure-registry=https://old.example",
        "--cache-registry=cache:5000",
        "--cache-registry=cache:5000",
        "--snapshotter=Over Lay",
        "--max-parallelism=0",
        "--platform=linux/amd64,linux/amd64,beos",
        "--tcp=0.0.0.0",
        "--tls-cert=cert.pem",
        "--merge=daemon.json",
    ];
    assert_eq!(
        said(&[], &args),
        "\
error: --disk 100: it has no unit; write a number with MB, GB, TB, MiB, GiB, TiB or %, such as 100GB
error: --keep-free much: it is no size; write a number with MB, GB, TB, MiB, GiB, TiB or %, such as 100GB
error: --mirror ftp://mirror.example: a URL starts with https:// or http://; write URL for a mirror of Docker Hub, or HOST=URL
error: --mirror (number 2): a mirror's URL must have no user name or password; clients log in with `docker login`, and a mirror that is asked by a daemon has to answer without
error: --mirror https://same.example/: this mirror of docker.io is given twice
error: --mirror other.example=http://same.example: same.example is given with http:// and https://
error: --insecure-registry https://old.example: a host has no scheme; write HOST or HOST:PORT
error: --cache-registry cache:5000: this registry is given twice
error: --snapshotter Over Lay: this is no snapshotter's name; overlayfs, native, fuse-overlayfs and stargz are
error: --max-parallelism 0: give a number from 1 to 10000
error: --platform linux/amd64: it is given twice
error: --platform beos: `beos` is not a platform: expected `os/architecture` or `os/architecture/variant`, such as `linux/amd64`
error: --tls-cert cert.pem: give a full path, from / on
error: --tcp 0.0.0.0: `0.0.0.0` has no port; write HOST:PORT, such as 0.0.0.0:1234
error: --tcp 0.0.0.0: with --tls-ca and --tls-key missing, the daemon cannot both show its certificate and ask clients for one that the CA signed; give all three files
error: --merge: only daemon.json can be merged, with --for dockerd
"
    );
}

#[test]
fn a_disk_is_asked_for() {
    assert_eq!(
        said(&[], &[]),
        "error: --disk is missing: how much of the disk may BuildKit use? Give a size such as 100GB, or, for \
         buildkitd, a share such as 80%\n"
    );
    for (disk, reason) in [
        ("1999MB", "too small"),
        ("0", "too small"),
        ("9%", "too small"),
        ("99999999PB", "no disk is that large"),
        ("ten", "it is no size"),
    ] {
        let text = said(&[], &["--disk", disk]);
        assert!(text.contains(reason), "{disk}: {text}");
    }
    let text = said(&[], &["--disk=80%", "--keep-free=30%"]);
    assert_eq!(
        text,
        "error: --keep-free 30%: with --disk 80% this is more than the whole disk\n"
    );
}

#[test]
fn a_port_without_tls_is_refused() {
    let (disk, port) = ("--disk=50GB", "--tcp=127.0.0.1:1234");
    assert_eq!(
        said(&[], &[disk, port]),
        "error: --tcp 127.0.0.1:1234: whoever reaches this port could run whatever they like on the machine; \
         give --tls-ca, --tls-cert and --tls-key, or --without-tls if only trusted programs reach it\n"
    );
    let half = ["--tls-cert=/c", "--tls-key=/k"];
    let text = said(&[], &[&[disk, port], &half[..]].concat());
    assert!(text.contains("with --tls-ca missing, "), "{text}");
    let text = said(&[], &[&[disk], &half[..]].concat());
    assert!(text.contains("this needs a --tcp HOST:PORT"), "{text}");
}

#[test]
fn dockerd_is_asked_for_nothing_it_lacks() {
    let args = [
        "--for=dockerd",
        "--disk=80%",
        "--mirror=base.example=https://mirror.example",
        "--rootless",
        "--max-parallelism=2",
    ];
    assert_eq!(
        said(&[], &args),
        "\
error: --disk 80%: dockerd takes no percentages; give a size
error: --mirror base.example=…: dockerd has mirrors of Docker Hub alone
error: --rootless: this is for buildkitd; daemon.json has no such setting, or it is not one of builds
error: --max-parallelism: this is for buildkitd; daemon.json has no such setting, or it is not one of builds
"
    );
}

#[test]
fn what_a_daemon_json_says_differently_is_a_mistake() {
    for (file, expected) in [
        (
            r#"{"builder": {"GC": {"enabled": false}}}"#,
            "daemon.json: `builder.gc` is there already, with other values; remove it from the file",
        ),
        (
            r#"{"registry-mirrors": "https://mirror.example"}"#,
            "daemon.json: `registry-mirrors` is there already, and is not what dockerd takes there",
        ),
        ("[]", "daemon.json: it is no JSON object"),
        (
            "{\n  \"debug\": yes\n}",
            "daemon.json:2:12: it is no JSON: expected value",
        ),
    ] {
        let args = "--for dockerd --disk 50GB --mirror https://mirror.example --merge daemon.json";
        let args: Vec<&str> = args.split(' ').collect();
        let text = said(&[("daemon.json", file)], &args);
        assert_eq!(text, format!("error: {expected}\n"));
    }
    let text = said(&[], &["--for=dockerd", "--disk=50GB", "--merge=no.json"]);
    assert!(text.starts_with("error: no.json: "), "{text}");
}

#[test]
fn merging_twice_changes_nothing() {
    let options = [
        "--for=dockerd",
        "--disk=50GB",
        "--cache-registry=cache:5000",
    ];
    let args = [&["buildkitd-config"], &options[..]].concat();
    let empty = context(&[("daemon.json", "")]);
    let merge = [&args[..], &["--merge", "daemon.json"]].concat();
    let (code, once, stderr) = run(empty.path(), &merge);
    assert_eq!(code, 0, "{stderr}");
    let again = context(&[("daemon.json", &once)]);
    assert_eq!(run(again.path(), &merge).1, once);
    assert_eq!(run(empty.path(), &args).1, once);
}
