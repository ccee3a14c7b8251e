//! Whether the tool that compares images finds what differs, and nothing else.

use std::{io::Write as _, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use larder_e2e::same::{Image, Layer, Leftover, Leftovers, What, compare, same_result};
use serde_json::{Value, json};
use tar::{EntryType, Header};

/// A tar with each path in it.
struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn put(mut self, path: &str, content: &[u8], change: impl FnOnce(&mut Header)) -> Self {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_entry_type(EntryType::Regular);
        change(&mut header);
        self.0.append_data(&mut header, path, content).unwrap();
        self
    }

    fn file(self, path: &str, content: &str) -> Self {
        self.put(path, content.as_bytes(), |_| {})
    }

    fn dir(self, path: &str) -> Self {
        self.put(path, b"", |header| {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o755);
        })
    }

    fn link(mut self, path: &str, kind: EntryType, to: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        self.0.append_link(&mut header, path, to).unwrap();
        self
    }

    fn attribute(mut self, name: &str, value: &[u8]) -> Self {
        self.0.append_pax_extensions([(name, value)]).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn layer(self) -> Arc<Layer> {
        Arc::new(Layer::tar(&*self.bytes()).unwrap())
    }
}

fn image(layers: Vec<Arc<Layer>>) -> Image {
    Image {
        config: Value::Null,
        annotations: Value::Null,
        layers,
    }
}

fn system() -> Tar {
    Tar::new().dir("etc/").file("etc/one", "1").dir("root/")
}

/// What differs, as lines.
fn differences(first: &Image, second: &Image, leftovers: &Leftovers) -> Vec<String> {
    let found = compare(first, second, leftovers);
    found.iter().map(ToString::to_string).collect()
}

/// What differs between images of one layer.
fn between(first: Tar, second: Tar) -> Vec<String> {
    let [first, second] = [first, second].map(|tar| image(vec![tar.layer()]));
    differences(&first, &second, &Leftovers::default())
}

#[test]
fn times_are_not_compared() {
    let touched = system().file("x", "x");
    let later = system().put("x", b"x", |header| header.set_mtime(1_000_000));
    assert_eq!(between(touched, later), [""; 0]);
}

#[test]
fn each_property_of_a_path_is_compared() {
    let with = |change: fn(&mut Header)| system().put("x", b"x", change);
    let found = between(with(|_| {}), with(|header| header.set_mode(0o4600)));
    assert_eq!(found, ["/x: mode: 0644 | 4600"]);
    let found = between(with(|_| {}), with(|header| header.set_uid(1000)));
    assert_eq!(found, ["/x: owner: 0:0 | 1000:0"]);
    let found = between(with(|_| {}), with(|header| header.set_gid(7)));
    assert_eq!(found, ["/x: owner: 0:0 | 0:7"]);
    let found = between(system().file("x", "a"), system().file("x", "b"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("/x: content: ca978112"), "{found:?}");
    let link = |to| system().link("l", EntryType::Symlink, to);
    let found = between(link("one"), link("two"));
    assert_eq!(found, ["/l: link: one | two"]);
    let found = between(system().dir("x"), system().file("x", ""));
    assert!(
        found.contains(&"/x: type: directory | file".to_owned()),
        "{found:?}"
    );
    let found = between(
        system()
            .attribute("SCHILY.xattr.user.a", b"\x01")
            .file("x", "x"),
        system().file("x", "x"),
    );
    assert_eq!(found, ["/x: extended attributes: {\"user.a\": [1]} | {}"]);
}

#[test]
fn paths_of_one_side_are_found_all_at_once() {
    let stub = system().dir(".larder").dir(".larder/pip");
    let found = between(system().file("etc/two", "2"), stub);
    let expected = [
        "/.larder: there: missing | directory",
        "/.larder/pip: there: missing | directory",
        "/etc/two: there: file | missing",
    ];
    assert_eq!(found, expected);
}

#[test]
fn hard_links_have_what_they_link_to() {
    let hard = system()
        .file("x", "x")
        .link("y", EntryType::Link, "x")
        .layer();
    let copy = |content| system().file("x", "x").file("y", content).layer();
    let leftovers = Leftovers::default();
    let hard = image(vec![hard]);
    let found = differences(&hard, &image(vec![copy("x")]), &leftovers);
    assert_eq!(found, ["/y: link: /x | "]);
    let found = differences(&hard, &image(vec![copy("z")]), &leftovers);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn later_layers_change_what_is_below() {
    let base = Tar::new()
        .dir("a/")
        .file("a/gone", "x")
        .dir("a/b/")
        .file("a/b/c", "x")
        .dir("d/")
        .file("d/old", "x")
        .dir("e/")
        .file("e/f", "x")
        .layer();
    let change = Tar::new()
        .file("a/.wh.gone", "")
        .file("a/.wh.b", "")
        .dir("d/")
        .file("d/new", "y")
        .file("d/.wh..wh..opq", "")
        .file("e", "a file")
        .layer();
    let flat = Tar::new()
        .dir("a/")
        .dir("d/")
        .file("d/new", "y")
        .file("e", "a file")
        .layer();
    let found = differences(
        &image(vec![base, change]),
        &image(vec![flat]),
        &Leftovers::default(),
    );
    assert_eq!(found, ["config: layers: 2 | 1"]);
}

#[test]
fn compressed_layers_are_the_same_and_broken_ones_an_error() {
    let tar = system().file("x", "x").bytes();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).unwrap();
    let gzip = gzip.finish().unwrap();
    let [plain, compressed] =
        [Layer::tar(&*tar), Layer::gzip(&*gzip)].map(|layer| image(vec![Arc::new(layer.unwrap())]));
    let found = differences(&plain, &compressed, &Leftovers::default());
    assert_eq!(found, [""; 0]);
    assert!(Layer::gzip(&gzip[..gzip.len() / 2]).is_err());
}

#[test]
fn the_config_and_the_history_are_compared_without_times() {
    let config = |created: &str, change: fn(&mut Value)| {
        let mut config = json!({
            "architecture": "amd64",
            "created": created,
            "rootfs": {"diff_ids": [created]},
            "config": {"Env": ["PATH=/bin"], "User": "app", "Labels": {"a": "b"}},
            "history": [
                {"created": created, "created_by": "RUN true", "comment": "c"},
                {"created": created, "created_by": "CMD x", "empty_layer": true},
            ],
        });
        change(&mut config);
        Image {
            config,
            annotations: Value::Null,
            layers: Vec::new(),
        }
    };
    let against = |change| {
        let first = config("2020", |_| {});
        differences(&first, &config("2021", change), &Leftovers::default())
    };
    assert_eq!(against(|_| {}), [""; 0]);
    let found =
        against(|config| config["config"]["Env"] = json!(["PATH=/bin", "PIP_CACHE_DIR=/x"]));
    assert_eq!(
        found,
        [r#"config/config/Env/1: value: missing | "PIP_CACHE_DIR=/x""#]
    );
    let found = against(|config| config["config"]["User"] = json!("root"));
    assert_eq!(found, [r#"config/config/User: value: "app" | "root""#]);
    let found = against(|config| config["config"]["Labels"]["c"] = json!("d"));
    assert_eq!(found, [r#"config/config/Labels/c: value: missing | "d""#]);
    let found = against(|config| config["history"][0]["created_by"] = json!("RUN false"));
    assert_eq!(
        found,
        [r#"config/history/0/created_by: value: "RUN true" | "RUN false""#]
    );
    let found = against(|config| config["history"][0]["empty_layer"] = json!(true));
    assert_eq!(
        found,
        ["config/history/0/empty_layer: value: missing | true"]
    );
    let found = against(|config| config["variant"] = json!("v8"));
    assert_eq!(found, [r#"config/variant: value: missing | "v8""#]);
}

#[test]
fn caches_may_be_missing_from_the_second_image_only() {
    let cached = || {
        system()
            .dir("root/.cache/")
            .dir("root/.cache/pip/")
            .file("root/.cache/pip/x", "x")
    };
    assert_eq!(between(cached(), system()), [""; 0]);
    assert_eq!(
        between(cached(), system().dir("root/.cache/")),
        [""; 0],
        "what held the cache may stay"
    );
    assert_eq!(
        between(system(), cached()),
        [
            "/root/.cache: there: missing | directory",
            "/root/.cache/pip: there: missing | directory",
            "/root/.cache/pip/x: there: missing | file",
        ]
    );
    let other = system()
        .dir("root/.cache/")
        .dir("root/.cache/pip/")
        .file("root/.cache/pip/x", "y");
    assert_eq!(between(cached(), other), [""; 0]);
}

#[test]
fn directories_with_more_than_caches_in_them_stay() {
    let more = || {
        system()
            .dir("root/.cache/")
            .dir("root/.cache/pip/")
            .file("root/.cache/mine", "x")
    };
    assert_eq!(
        between(more(), system()),
        [
            "/root/.cache: there: directory | missing",
            "/root/.cache/mine: there: file | missing",
        ]
    );
    // Nothing says that it was there for a cache.
    assert_eq!(
        between(system().dir("root/.cache/"), system()),
        ["/root/.cache: there: directory | missing"]
    );
    let closed = system()
        .dir("root/.cache/")
        .put("root/.cache/pip/", b"", |header| {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o700);
        });
    let open = system().dir("root/.cache/").dir("root/.cache/pip/");
    assert_eq!(
        between(closed, open),
        ["/root/.cache/pip: mode: 0700 | 0755"],
        "a cache's directory is no leftover where both have it"
    );
}

#[test]
fn homes_and_places_can_be_added() {
    let cached = || {
        image(vec![
            system()
                .dir("h/")
                .dir("h/.npm/")
                .dir("opt/")
                .dir("opt/c/")
                .layer(),
        ])
    };
    let bare = || image(vec![system().dir("h/").dir("opt/").layer()]);
    let leftovers = Leftovers::default().home("/h");
    assert_eq!(
        differences(&cached(), &bare(), &leftovers),
        ["/opt/c: there: directory | missing"]
    );
    let leftovers = leftovers.and(Leftover {
        place: "/opt/c".to_owned(),
        what: What::Cache,
        reason: "the author's own".to_owned(),
    });
    assert_eq!(differences(&cached(), &bare(), &leftovers), [""; 0]);
}

#[test]
fn records_of_times_may_be_on_either_side() {
    let log = |name: &str, text| {
        system()
            .dir("home/")
            .dir("home/a/")
            .dir("home/a/.npm/")
            .dir("home/a/.npm/_logs/")
            .file(&format!("home/a/.npm/_logs/{name}"), text)
    };
    assert_eq!(between(log("1.log", "x"), log("2.log", "y")), [""; 0]);
    let dpkg = |text| {
        system()
            .dir("var/")
            .dir("var/log/")
            .file("var/log/dpkg.log", text)
    };
    assert_eq!(between(dpkg("2020"), dpkg("2021")), [""; 0]);
}

#[test]
fn bytecode_differs_by_more_than_its_sources_time() {
    let code = |flags: u8, time: u8, code: &[u8]| {
        let mut bytes = vec![0xf3, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0];
        bytes.extend([time, 0, 0, 0, 9, 0, 0, 0]);
        bytes.extend(code);
        system().put("x.pyc", &bytes, |_| {})
    };
    assert_eq!(between(code(0, 1, b"abc"), code(0, 2, b"abc")), [""; 0]);
    assert_eq!(between(code(0, 1, b"abc"), code(0, 2, b"abd")).len(), 1);
    assert_eq!(
        between(code(1, 1, b"abc"), code(1, 2, b"abc")).len(),
        1,
        "that by hash holds no time"
    );
}

#[test]
fn of_two_ways_to_an_image_only_the_result_counts() {
    let one = Image {
        config: json!({"config": {"Cmd": ["a"]}, "history": [{"created_by": "RUN"}]}),
        annotations: json!({"a": "b"}),
        layers: vec![system().layer(), Tar::new().file("etc/two", "2").layer()],
    };
    let mut other = Image {
        config: json!({"config": {"Cmd": ["a"], "ArgsEscaped": true}, "created": "2020"}),
        annotations: json!({"a": "b"}),
        layers: vec![system().file("etc/two", "2").layer()],
    };
    assert_eq!(same_result(&one, &other), []);
    other.config["config"]["Cmd"] = json!(["b"]);
    other.annotations = Value::Null;
    other.layers = vec![system().layer()];
    let found = same_result(&one, &other);
    let places: Vec<&str> = found.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["/etc/two", "annotations", "config/config/Cmd/0"]);
}
