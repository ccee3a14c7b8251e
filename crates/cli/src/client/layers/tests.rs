use std::collections::BTreeMap;

use larder_diagnostic::SourceFile;
use larder_plan::Request;
use larder_plan::layers::{CacheEntry, LayerCache};
use larder_spec::model::BackendKind;

use super::{Layers, of_spec};
use crate::client::Client;
use crate::client::ask::{Answer, Builder};

fn entry(kind: BackendKind, options: &[(&str, &str)]) -> CacheEntry {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    CacheEntry {
        kind,
        options: options.iter().map(owned).collect::<BTreeMap<_, _>>(),
        span: None,
    }
}

#[test]
fn clients_are_told_what_the_frontend_cannot_do() {
    let cache = LayerCache {
        imports: BackendKind::ALL.map(|kind| entry(kind, &[])).to_vec(),
        exports: BackendKind::ALL.map(|kind| entry(kind, &[])).to_vec(),
    };
    let told = |client, in_github| {
        let layers = Layers::for_client(cache.clone(), client, in_github);
        (layers.imports().join(" "), layers.exports().join(" "))
    };
    let (imports, exports) = told(Client::Buildx, false);
    assert_eq!(imports, "type=local type=gha type=s3");
    let all = "type=registry type=inline type=local type=gha type=s3 type=azblob";
    assert_eq!(exports, all);
    assert_eq!(told(Client::Buildctl, true), (imports, exports));
    let (imports, exports) = told(Client::Buildctl, false);
    assert_eq!(imports, "type=local type=s3");
    assert_eq!(exports, all.replace(" type=gha", ""));
}

fn exporting(entries: &[CacheEntry]) -> Layers {
    Layers {
        imports: Vec::new(),
        exports: entries.to_vec(),
    }
}

#[test]
fn exports_that_would_wait_for_ever_are_left_out() {
    let deaf = entry(
        BackendKind::Registry,
        &[("ref", "deaf.test/a"), ("mode", "max")],
    );
    let good = entry(BackendKind::Registry, &[("ref", "good.test/a")]);
    let files = entry(BackendKind::Local, &[("dest", "layers")]);
    let known: Answer = Answer::Known(
        serde_json::from_str(
            r#"[{"reference": "deaf.test/a", "answers": false, "reason": "no answer in 5 s\nmore"},
                {"option": "type=registry,ref=good.test/a", "answers": true}]"#,
        )
        .unwrap(),
    );
    let all = [deaf.clone(), good, files];
    let mut layers = exporting(&all);
    let warnings = layers.answered(&known).unwrap();
    assert_eq!(
        warnings,
        ["the layer cache `deaf.test/a` is not written: no answer in 5 s"]
    );
    assert_eq!(
        layers.exports(),
        ["type=registry,ref=good.test/a", "type=local,dest=layers"]
    );

    let mut layers = exporting(&all);
    assert_eq!(layers.answered(&Answer::Failed).unwrap(), [""; 0]);
    assert_eq!(
        layers.exports(),
        [
            "type=registry,ignore-error=true,mode=max,ref=deaf.test/a",
            "type=registry,ignore-error=true,ref=good.test/a",
            "type=local,dest=layers"
        ]
    );

    let mut layers = exporting(&all);
    let warnings = layers.answered(&Answer::Late).unwrap();
    assert_eq!(warnings.len(), 2);
    assert_eq!(
        warnings[0],
        "the layer cache `deaf.test/a` is not written: the builder did not say in time whether the registry \
         answers"
    );
    assert_eq!(layers.exports(), ["type=local,dest=layers"]);

    let mut strict = deaf;
    strict
        .options
        .insert("ignore-error".to_owned(), "false".to_owned());
    let error = exporting(&[strict]).answered(&known).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the layer cache `deaf.test/a` cannot be written, and its `ignore-error` is false: no answer in 5 s"
    );
}

#[test]
fn a_builder_that_writes_only_images_keeps_inline() {
    let inline = entry(BackendKind::Inline, &[]);
    let registry = entry(BackendKind::Registry, &[("ref", "r.test/a")]);
    let mut layers = exporting(&[registry, inline.clone()]);
    assert!(layers.needs_exporter() && layers.needs_registry());
    assert_eq!(
        layers.only(Builder::InlineOnly).unwrap(),
        "the layer cache `r.test/a` is not written: Docker's own builder can only write `type=inline`, as it \
          is without the containerd image store; make another with `docker buildx create --use`, name one with \
          --builder, or turn that store on"
    );
    assert_eq!(layers, exporting(&[inline]));
    assert!(!layers.needs_exporter() && !layers.needs_registry());
    assert_eq!(layers.only(Builder::InlineOnly), None);
}

#[test]
fn docker_with_the_containerd_store_writes_some_kinds() {
    let all = BackendKind::ALL.map(|kind| entry(kind, &[("ref", "r.test/a")]));
    let mut layers = exporting(&all);
    assert_eq!(layers.only(Builder::Able), None);
    assert_eq!(layers, exporting(&all));
    assert_eq!(
        layers.only(Builder::Stored).unwrap(),
        "the layer cache `type=s3, type=azblob` is not written: Docker's own builder can only write \
         `type=registry`, `local`, `inline` and `gha`; make another with `docker buildx create --use`, or name \
         one with --builder"
    );
    assert_eq!(layers, exporting(&all[..4]));
}

fn cache_of(text: &str, platforms: &[&str], args: &[(&str, &str)]) -> Result<LayerCache, String> {
    let source = SourceFile::new("larder.yaml", text);
    let request = |platform: &&str| {
        let platform = buildkit_llb::Platform::parse(platform).unwrap();
        let mut request = Request::new(platform, "default");
        for (name, value) in args {
            let (name, value) = ((*name).to_owned(), (*value).to_owned());
            request.build_args.insert(name, value);
        }
        request
    };
    let requests: Vec<Request> = platforms.iter().map(request).collect();
    let told = of_spec(&source, &requests).map(|(cache, _)| cache);
    told.map_err(|mistakes| larder_diagnostic::render(&mistakes, &source))
}

#[test]
fn every_platform_has_its_say_once() {
    let args = [("CACHE_REGISTRY", "r.test/cache:a"), ("CACHE_MODE", "min")];
    let two = ["linux/amd64", "linux/arm64"];
    let cache = cache_of("from: debian\n", &two, &args).unwrap();
    let exports: Vec<String> = cache.exports.iter().map(CacheEntry::option).collect();
    assert_eq!(exports.len(), 1, "{exports:?}");
    assert!(exports[0].contains("mode=min"), "{exports:?}");
    // What is wrong elsewhere is for the frontend to say.
    for text in ["stages: 1\n", "from: [\n", "FROM debian\n", ""] {
        cache_of(text, &two, &args).unwrap();
    }
    assert_eq!(
        cache_of("from: debian\n", &two, &[]).unwrap(),
        LayerCache::default()
    );
}
