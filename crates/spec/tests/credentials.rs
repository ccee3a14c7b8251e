//! What looks like credentials near `registry-cache` is never shown, whatever is wrong.

use std::slice::from_ref;

use larder_diagnostic::{SourceFile, render};
use larder_spec::parse;
use proptest::prelude::*;

const SECRETS: [&str; 6] = [
    "me:hunter2@registry:5000/x",
    "ghp_hunter2@r.example/x/y:z",
    "ghp_hunter2@r:5000/x",
    "https://me:hunter2@registry/x",
    "https://registry/?sig=hunter2",
    "hunter2@sha256:00@r/x",
];

/// Everything that is wrong, together and one by one.
fn told(text: &str) -> String {
    let file = SourceFile::new("larder.yaml", text);
    let found = parse(&file).diagnostics;
    assert!(!found.is_empty(), "{text}");
    let each: String = found
        .iter()
        .map(|one| render(from_ref(one), &file))
        .collect();
    render(&found, &file) + &each
}

#[test]
fn they_are_in_no_shape_shown() {
    let shapes = [
        "registry-cache: 'V'\nno: 1",
        "registry-cache: ['V']",
        "registry-cache: {ref: ['V']}",
        "registry-cache: {ref: {a: 'V'}}",
        "registry-cache: {ref: {'V': a}}",
        "registry-cache: {import: [['V']], export: {mode: 'V'}}",
        "registry-cache: {'V': a, 'V': b}",
        "registry-cache: {? ['V'] : a}",
        "registry-cache: {scope: 'V', mode: [x], type: gha}",
        "registry-cache: {ref: a, password: [hunter2], token: {x: hunter2}}",
        "registry-cache: r:5000/x\nregistry-cache: 'V'",
        "registry_cache: ['V']",
        "cache-to: {ref: 'V'}",
        "stages: {a: {from: x, registry-cache: ['V']}}",
        "registry-cache: {ref: 'V'",
        "registry-cache: {ref: V}}",
        "registry-cache: !V x",
        "x-it: &it ['V']\nregistry-cache: *it",
        "args: {REF: 'V', B: [x]}\nregistry-cache: '${REF}'",
        "args: [REF=V, [x]]\nregistry-cache: '${REF}'",
        "args: {CACHE_REGISTRY: 'V', B: [x]}",
        "args: [CACHE_REGISTRY=V, [x]]",
        "args: {CACHE_REGISTRY: '${W}@r/x', W: hunter2, B: [x]}",
        "args: {WORD: hunter2, B: [x]}\nregistry-cache: 'me:${WORD}@r:5000/x'",
        "args: {WORD: {default: hunter2, b: x}}\nregistry-cache: ['${WORD}@r/x']",
    ];
    for shape in shapes {
        for secret in SECRETS {
            let text = format!("from: debian\n{}\n", shape.replace('V', secret));
            let told = told(&text);
            assert!(!told.contains("hunter2"), "{text}\n{told}");
        }
    }
}

#[test]
fn what_is_innocent_is_shown() {
    let told = told(
        "args: {MAIL: me@example.com, B: [x]}\nfrom: debian\nregistry-cache: {type: gha, scope: '@acme/shop', \
         mode: medium}\n",
    );
    assert!(told.contains("args: {MAIL: me@example.com"), "{told}");
    assert!(told.contains("not `medium`"), "{told}");
    assert!(!told.contains("credentials"), "{told}");
}

/// YAML with the secret somewhere in it.
fn shapes() -> impl Strategy<Value = String> {
    let secret = proptest::sample::select(&SECRETS[..]).prop_map(|secret| format!("'{secret}'"));
    let key = proptest::sample::select(vec![
        "ref",
        "import",
        "export",
        "type",
        "mode",
        "scope",
        "insecure",
        "name",
        "src",
        "url",
        "other",
        "compression-level",
        "ignore-error",
        "registry-cache",
    ]);
    let more = proptest::sample::select(vec!["x", "gha", "[]", "none", "{a: b}", "s3", "''", "~"]);
    secret.prop_recursive(6, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), more.clone()).prop_map(|(one, more)| format!("[{more}, {one}]")),
            (key.clone(), inner.clone()).prop_map(|(key, one)| format!("{{{key}: {one}}}")),
            (key.clone(), more.clone(), key.clone(), inner.clone())
                .prop_map(|(a, more, b, one)| format!("{{{a}: {more}, {b}: {one}}}")),
            inner.clone().prop_map(|one| format!("{{? {one} : x}}")),
            (more.clone(), inner)
                .prop_map(|(more, one)| format!("{{type: {more}, ? {one} : {one}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_are_never_shown(shape in shapes(), cut in 0..3_usize) {
        let whole = format!("from: debian\nregistry-cache: {shape}\nno: 1\n");
        let text = match cut {
            0 => whole.replacen('}', "", 1),
            _ => whole,
        };
        let told = told(&text);
        prop_assert!(!told.contains("hunter2"), "{}\n{}", text, told);
    }
}
