//! Where layers come from and go to: what the spec says, what the operator says, what nobody may see.

mod support;

use std::path::Path;

use larder_diagnostic::{Diagnostic, SourceFile, render};
use larder_plan::Request;
use larder_plan::layers::{CacheEntry, LayerCache, layer_cache};
use larder_spec::parse;
use serde_json::{Value, json};

const SPEC: &str = "\
name: acme/shop
from: debian
registry-cache: {ref: 'registry:5000/spec:main', compression: zstd, export: [{mode: min}, {type: inline}]}
";

fn request(args: &[(&str, &str)]) -> Request {
    let mut request = support::request();
    let args = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    request.build_args = args.collect();
    request
}

/// The cache alone, and what is said of it.
fn asked(text: &str, args: &[(&str, &str)]) -> (LayerCache, Vec<Diagnostic>) {
    let parsed = parse(&SourceFile::new("larder.yaml", text));
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    layer_cache(&parsed.spec.expect("there is one"), &request(args))
}

/// Imports, a bar, and exports, as a client takes them.
fn told(text: &str, args: &[(&str, &str)]) -> String {
    let (cache, said) = asked(text, args);
    assert!(said.is_empty(), "{said:?}");
    let options = |entries: &[CacheEntry]| -> Vec<String> {
        entries.iter().map(CacheEntry::option).collect()
    };
    let (imports, exports) = (options(&cache.imports), options(&cache.exports));
    format!("{} | {}", imports.join(" "), exports.join(" "))
}

/// What is wrong, as it is shown.
fn wrong(text: &str, args: &[(&str, &str)]) -> String {
    let (cache, said) = asked(text, args);
    assert_eq!(cache.exports, []);
    render(&said, &SourceFile::new("larder.yaml", text))
}

#[test]
fn a_reference_does_for_both_directions() {
    let text = "{from: debian, registry-cache: 'registry:5000/shop:main'}";
    assert_eq!(
        told(text, &[]),
        "type=registry,ref=registry:5000/shop:main | \
         type=registry,ignore-error=true,mode=max,ref=registry:5000/shop:main"
    );
    for text in ["from: debian", "{from: debian, registry-cache: none}"] {
        assert_eq!(told(text, &[]), " | ");
    }
    let one = "{from: debian, registry-cache: {ref: 'registry:5000/a', import: none}}";
    assert_eq!(
        told(one, &[]),
        " | type=registry,ignore-error=true,mode=max,ref=registry:5000/a"
    );
    let one = "{from: debian, registry-cache: {ref: 'registry:5000/a', export: []}}";
    assert_eq!(told(one, &[]), "type=registry,ref=registry:5000/a | ");
}

#[test]
fn other_kinds_stand_for_a_direction_or_both() {
    let of = |text: &str| told(&format!("{{from: debian, registry-cache: {text}}}"), &[]);
    assert_eq!(
        of("{type: gha, scope: shop, mode: min}"),
        "type=gha,scope=shop | type=gha,ignore-error=true,mode=min,scope=shop"
    );
    assert_eq!(
        of("{type: local, src: in, dest: out, ignore-error: true}"),
        "type=local,src=in | type=local,dest=out,ignore-error=true,mode=max"
    );
    assert_eq!(of("{type: inline}"), " | type=inline");
    assert_eq!(
        of(
            "{import: {type: azblob, name: a}, export: {type: s3, name: 'a;b,c', use_path_style: true}}"
        ),
        "type=azblob,name=a | type=s3,ignore-error=true,mode=max,\"name=a;b,c\",use_path_style=true"
    );
}

#[test]
fn the_operator_replaces_what_the_spec_says() {
    let spec = "type=registry,ref=registry:5000/spec:main | \
                type=registry,compression=zstd,ignore-error=true,mode=min,ref=registry:5000/spec:main type=inline";
    assert_eq!(told(SPEC, &[]), spec);
    assert_eq!(told(SPEC, &[("CACHE_MODE", "")]), spec);
    assert_eq!(
        told(SPEC, &[("CACHE_MODE", "max")]),
        spec.replace("mode=min", "mode=max")
    );
    assert_eq!(told(SPEC, &[("CACHE_REGISTRY", "")]), " | ");
    for (reference, meant) in [
        ("registry:5000/all", "registry:5000/all:acme-shop"),
        ("registry:5000/all:main", "registry:5000/all:main"),
        ("registry/all", "registry/all:acme-shop"),
    ] {
        assert_eq!(
            told(SPEC, &[("CACHE_REGISTRY", reference)]),
            format!(
                "type=registry,ref={meant} | type=registry,ignore-error=true,mode=max,ref={meant}"
            )
        );
    }
    let both = [("CACHE_REGISTRY", "r:5000/a:b"), ("CACHE_MODE", "min")];
    assert_eq!(
        told("from: debian", &both),
        "type=registry,ref=r:5000/a:b | type=registry,ignore-error=true,mode=min,ref=r:5000/a:b"
    );
}

#[test]
fn a_spec_may_declare_what_the_operator_says() {
    let text = "args: {CACHE_REGISTRY: 'r:5000/${WHERE:-a}', WHERE: b, CACHE_MODE: min}\nfrom: debian\nname: x\n";
    let text = text.replace("${WHERE:-a}', WHERE: b", "b'");
    let told_of = |args: &[(&str, &str)]| told(&text, args);
    assert_eq!(
        told_of(&[]),
        "type=registry,ref=r:5000/b:x | type=registry,ignore-error=true,mode=min,ref=r:5000/b:x"
    );
    assert_eq!(told_of(&[("CACHE_REGISTRY", "")]), " | ");
    let unset = "args: [CACHE_REGISTRY, CACHE_MODE]\nfrom: debian\nregistry-cache: r:5000/a\n";
    assert_eq!(
        told(unset, &[]),
        "type=registry,ref=r:5000/a | type=registry,ignore-error=true,mode=max,ref=r:5000/a"
    );
}

#[test]
fn mistakes_of_the_operator_name_the_variable() {
    let both = [
        ("CACHE_REGISTRY", "registry:5000/Shop"),
        ("CACHE_MODE", "maxx"),
    ];
    assert_eq!(
        wrong("{from: debian, name: x}", &both),
        "\
error: `CACHE_MODE` takes one of `min`, `max`, not `maxx`
 |
 = help: did you mean `max`?

error: `CACHE_REGISTRY` is `registry:5000/Shop:x`: only the registry and the tag may have upper-case letters
 |
 = help: write a registry, a repository and a tag, as in `registry:5000/shop/cache:main`
"
    );
    assert_eq!(
        wrong("from: debian", &[("CACHE_REGISTRY", "registry:5000")]),
        "\
error: `CACHE_REGISTRY` is `registry:5000`, a registry without a repository
 |
 = help: name a repository in it, as in `registry:5000/cache`
"
    );
    for secret in [
        "me:hunter2@registry:5000/x",
        "ghp_hunter2@r:5000/x",
        "ghp_hunter2@r.example/x/y:z",
    ] {
        let said = wrong("from: debian", &[("CACHE_REGISTRY", secret)]);
        assert_eq!(
        said,
        "\
error: `CACHE_REGISTRY` has credentials in it, which are not shown here
 |
 = help: leave them out: the client sends its own, such as those of `docker login`; and renew them, since others \
may have read this file
"
    );
    }
    let digest = format!("r:5000/a@sha256:{}", "0".repeat(64));
    let said = wrong("from: debian", &[("CACHE_REGISTRY", &digest)]);
    assert!(said.contains("has a digest"), "{said}");
}

#[test]
fn defaults_of_the_spec_are_told_with_their_place() {
    assert_eq!(
        wrong("from: debian\nargs: {CACHE_REGISTRY: 'me:hunter2@r:5000/a', CACHE_MODE: maxx}\n", &[]),
        "\
error: `CACHE_MODE` takes one of `min`, `max`, not `maxx`
 --> larder.yaml:2:59
  |
2 | args: {CACHE_REGISTRY: *********************, CACHE_MODE: maxx}
  |                                                           ^^^^
  |
  = help: did you mean `max`?

error: `CACHE_REGISTRY` has credentials in it, which are not shown here
 --> larder.yaml:2:24
  |
2 | args: {CACHE_REGISTRY: *********************, CACHE_MODE: maxx}
  |                        ^^^^^^^^^^^^^^^^^^^^^
  |
  = help: leave them out: the client sends its own, such as those of `docker login`; and renew them, since others \
may have read this file
"
    );
}

#[test]
fn the_operators_args_are_known() {
    let file = SourceFile::new("larder.yaml", "from: debian\n");
    let args = [("CACHE_REGISTRY", "r:5000/a"), ("CACHE_MODE", "min")];
    let request = Request {
        build_args: request(&args).build_args,
        ..support::request_with_cache()
    };
    let plan = support::plan(&file, &request, Path::new("/nowhere")).expect("it is good");
    assert_eq!(plan.warnings, []);
    assert_eq!(plan.layer_cache.exports.len(), 1);
}

#[test]
fn args_that_come_to_one_reference_make_one_of_two() {
    let text = "\
args: {BRANCH: main}
from: debian
registry-cache:
  import: ['r:5000/a:${BRANCH}', 'r:5000/a:main', 'r:5000/b', 'r:5000/b:latest']
  export: ['r:5000/a:${BRANCH}', 'r:5000/a:main']
";
    assert_eq!(
        told(text, &[]),
        "type=registry,ref=r:5000/a:main type=registry,ref=r:5000/b | \
         type=registry,ignore-error=true,mode=max,ref=r:5000/a:main"
    );
    let (cache, _) = asked(text, &[("BRANCH", "next")]);
    assert_eq!((cache.imports.len(), cache.exports.len()), (3, 2));
}

#[test]
fn the_plan_says_it_to_people_and_programs() {
    let file = SourceFile::new("larder.yaml", SPEC);
    let plan =
        support::plan(&file, &support::request(), Path::new("/nowhere")).expect("it is good");
    let shown = larder_plan::show(&plan, false);
    assert!(
        shown.starts_with(
            "acme/shop for linux/amd64\n\
             layers from registry:5000/spec:main\n\
             layers to registry:5000/spec:main, compression zstd, ignore-error true, mode min\n\
             layers to the image itself\n\nstage"
        ),
        "{shown}"
    );
    let said: Value = serde_json::from_str(&larder_plan::json([&plan], &file)).expect("it is JSON");
    assert_eq!(
        said["plans"][0]["layerCache"],
        json!({
            "imports": [{"type": "registry", "ref": "registry:5000/spec:main"}],
            "exports": [
                {
                    "type": "registry",
                    "ref": "registry:5000/spec:main",
                    "compression": "zstd",
                    "ignore-error": "true",
                    "mode": "min",
                },
                {"type": "inline"},
            ],
        })
    );
}

/// A mistake elsewhere in the same line does not show it either.
#[test]
fn credentials_stay_hidden_whatever_is_wrong() {
    let values = [
        "me:hunter2@registry:5000/x",
        "https://me:hunter2@registry/x",
        "https://registry/?sig=hunter2",
        "${WHO}:hunter2@registry:5000/x",
        "${WHO:-hunter2}:x@registry:5000/x",
        "${ALL}@registry:5000/x",
        "ghp_hunter2@r.example/x/y:z",
        "${TOKEN}@registry:5000/x",
    ];
    let places = [
        "registry-cache: 'V'",
        "registry-cache: {ref: 'V', mode: min, compresion: x}",
        "registry-cache: {import: ['V', {ref: 'V', insecure: '${NO}'}], export: {type: local, dest: 'V'}}",
        "registry-cache: {type: s3, endpoint_url: 'V', bucket: '${NO}', mode: '${NO}'}",
        "registry-cache: {type: azblob, account_url: 'V', mode: medium}",
        "registry-cache: {type: gha, url: 'V', timeout: soon}",
        "registry-cache: {tipe: x, ref: 'V', no: 'V', password: hunter2}",
        "registry-cache: {type: 'V'}",
        "registry-cache: {import: [{type: no, ref: 'V'}, none]}",
        "registry-cache: {'V': 'V'}",
        "registry-cache: ['V']",
        "registry-cache: {ref: ['V'], export: {a: 'V'}}",
        "registry-cache: {import: [[{'V': 'V'}]]}",
        "registry-cache: {ref: 'r:5000/x', mode: '${MODE}'}",
        "registry-cache: '${MODE}'",
    ];
    for value in values {
        for place in places {
            let place = place.replace('V', value);
            let text = format!(
                "args: {{WHO: me, ALL: 'me:hunter2', TOKEN: ghp_hunter2, MODE: 'ghp_hunter2@r/x'}}\n\n\n{place}\n\n\nfrom: debian\n"
            );
            let file = SourceFile::new("larder.yaml", text);
            let said = support::plan(&file, &support::request(), Path::new("/nowhere"));
            let said = said.expect_err(&place);
            let shown = render(&said, &file);
            assert!(!shown.contains("hunter2"), "{shown}");
            for one in &said {
                let alone = render(std::slice::from_ref(one), &file);
                assert!(!alone.contains("hunter2"), "{alone}");
            }
        }
    }
}
