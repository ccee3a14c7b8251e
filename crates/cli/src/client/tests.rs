use std::path::Path;

use super::{BuildOptions, Frontend, Wish, buildctl, buildx};

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn wish<'a>(options: &'a BuildOptions, rest: &'a [String]) -> Wish<'a> {
    Wish {
        context: "app".to_owned(),
        file: "app/larder.yaml".to_owned(),
        directory: "app".to_owned(),
        frontend: Frontend::FirstLine("larder/frontend:1".to_owned()),
        build_args: Vec::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        options,
        rest,
    }
}

/// Everything that both clients know.
fn everything() -> BuildOptions {
    let directory = env!("CARGO_MANIFEST_DIR");
    BuildOptions {
        target: Some("api".to_owned()),
        build_contexts: strings(&[
            "base=docker-image://debian:13",
            &format!("larder-cache={directory}"),
            "old=oci-layout://layout@sha256:00",
        ]),
        platforms: strings(&["linux/amd64", "linux/arm64"]),
        tags: strings(&["r.test/shop:1", "r.test/shop:new"]),
        push: true,
        secrets: strings(&["id=token,env=TOKEN"]),
        ssh: strings(&["default"]),
        labels: strings(&["a=b c", "empty"]),
        annotations: strings(&["index,manifest[linux/arm64]:k=v", "plain=w"]),
        no_cache_filter: strings(&["one", "two"]),
        pull: true,
        progress: Some("plain".to_owned()),
        metadata_file: Some("told.json".into()),
        cache_from: strings(&["r.test/old,r.test/older"]),
        cache_to: strings(&["type=registry,ref=r.test/own", "r.test/short"]),
        sbom: Some("true".to_owned()),
        provenance: Some("mode=max".to_owned()),
        ..BuildOptions::default()
    }
}

fn layered<'a>(options: &'a BuildOptions, rest: &'a [String]) -> Wish<'a> {
    let mut wish = wish(options, rest);
    wish.frontend = Frontend::Named("r.test/larder:2".to_owned());
    wish.build_args = strings(&["GREETING=it's", "CACHE_REGISTRY=r.test/cache"]);
    wish.imports = strings(&["type=local,src=layers"]);
    wish.exports = strings(&[
        "type=registry,ignore-error=true,mode=max,ref=r.test/cache",
        "type=registry,ref=r.test/own",
    ]);
    wish
}

fn here(text: &str) -> String {
    text.replace("HERE", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn little_is_said_where_little_is_asked() {
    let options = BuildOptions::default();
    let expected = "docker buildx build \\\n  --file app/larder.yaml \\\n  app\n";
    assert_eq!(buildx::build(&wish(&options, &[])).to_string(), expected);
    let expected = "\
buildctl build \\
  --frontend gateway.v0 \\
  --opt source=larder/frontend:1 \\
  --local context=app \\
  --local dockerfile=app \\
  --opt filename=larder.yaml
";
    let line = buildctl::build(&wish(&options, &[])).unwrap();
    assert_eq!(line.to_string(), expected);
}

#[test]
fn everything_for_buildx() {
    let mut options = everything();
    options.builder = Some("far".to_owned());
    options.load = true;
    options.outputs = strings(&["type=local,dest=out"]);
    let rest = strings(&["--add-host", "a:10.0.0.1"]);
    let expected = here(
        r"docker buildx build \
  --builder far \
  --build-arg BUILDKIT_SYNTAX=r.test/larder:2 \
  --build-arg 'GREETING=it'\''s' \
  --build-arg CACHE_REGISTRY=r.test/cache \
  --target api \
  --platform linux/amd64,linux/arm64 \
  --build-context base=docker-image://debian:13 \
  --build-context larder-cache=HERE \
  --build-context old=oci-layout://layout@sha256:00 \
  --tag r.test/shop:1 \
  --tag r.test/shop:new \
  --push \
  --load \
  --output type=local,dest=out \
  --secret id=token,env=TOKEN \
  --ssh default \
  --label 'a=b c' \
  --label empty \
  --annotation 'index,manifest[linux/arm64]:k=v' \
  --annotation plain=w \
  --no-cache-filter one \
  --no-cache-filter two \
  --pull \
  --sbom true \
  --provenance mode=max \
  --cache-from r.test/old,r.test/older \
  --cache-from type=local,src=layers \
  --cache-to type=registry,ref=r.test/own \
  --cache-to r.test/short \
  --cache-to type=registry,ignore-error=true,mode=max,ref=r.test/cache \
  --progress plain \
  --metadata-file told.json \
  --add-host a:10.0.0.1 \
  --file app/larder.yaml \
  app
",
    );
    assert_eq!(
        buildx::build(&layered(&options, &rest)).to_string(),
        expected
    );
}

#[test]
fn everything_for_buildctl() {
    let options = everything();
    let rest = strings(&["--allow", "network.host"]);
    let expected = here(
        r#"buildctl build \
  --frontend gateway.v0 \
  --opt source=r.test/larder:2 \
  --local context=app \
  --local dockerfile=app \
  --opt filename=larder.yaml \
  --opt target=api \
  --opt 'build-arg:GREETING=it'\''s' \
  --opt build-arg:CACHE_REGISTRY=r.test/cache \
  --opt platform=linux/amd64,linux/arm64 \
  --opt context:base=docker-image://debian:13 \
  --local larder-cache=HERE \
  --opt context:larder-cache=local:larder-cache \
  --oci-layout old=layout \
  --opt context:old=oci-layout://old@sha256:00 \
  --opt 'label:a=b c' \
  --opt label:empty= \
  --opt no-cache=one,two \
  --opt image-resolve-mode=pull \
  --opt attest:sbom= \
  --opt attest:provenance=mode=max \
  --output 'type=image,push=true,"name=r.test/shop:1,r.test/shop:new",annotation-index.k=v,annotation-manifest[linux/arm64].k=v,annotation.plain=w' \
  --secret id=token,env=TOKEN \
  --ssh default \
  --import-cache type=registry,ref=r.test/old \
  --import-cache type=registry,ref=r.test/older \
  --import-cache type=local,src=layers \
  --export-cache type=registry,ref=r.test/own \
  --export-cache type=registry,ref=r.test/short \
  --export-cache type=registry,ignore-error=true,mode=max,ref=r.test/cache \
  --progress plain \
  --metadata-file told.json \
  --allow network.host
"#,
    );
    let line = buildctl::build(&layered(&options, &rest)).unwrap();
    assert_eq!(line.to_string(), expected);
}

#[test]
fn the_question_has_what_the_answer_hangs_on() {
    let options = everything();
    let wish = layered(&options, &[]);
    let expected = "\
docker buildx build --print=layercache,format=json \\
  --build-arg BUILDKIT_SYNTAX=r.test/larder:2 \\
  --build-arg 'GREETING=it'\\''s' \\
  --build-arg CACHE_REGISTRY=r.test/cache \\
  --target api \\
  --platform linux/amd64,linux/arm64 \\
  --metadata-file answer \\
  --file app/larder.yaml \\
  app
";
    let line = buildx::question(&wish, Path::new("answer"));
    assert_eq!(line.to_string(), expected);
    let expected = "\
buildctl build \\
  --frontend gateway.v0 \\
  --opt source=r.test/larder:2 \\
  --local context=app \\
  --local dockerfile=app \\
  --opt filename=larder.yaml \\
  --opt target=api \\
  --opt 'build-arg:GREETING=it'\\''s' \\
  --opt build-arg:CACHE_REGISTRY=r.test/cache \\
  --opt platform=linux/amd64,linux/arm64 \\
  --opt requestid=frontend.layercache \\
  --opt frontend.caps=moby.buildkit.frontend.subrequests \\
  --metadata-file answer
";
    let line = buildctl::question(&wish, Path::new("answer")).unwrap();
    assert_eq!(line.to_string(), expected);
}

fn outputs(outputs: &[&str], tags: &[&str], push: bool) -> Result<Vec<String>, String> {
    let options = BuildOptions {
        outputs: strings(outputs),
        tags: strings(tags),
        push,
        ..BuildOptions::default()
    };
    let line = buildctl::build(&wish(&options, &[])).map_err(|error| error.to_string())?;
    let words: Vec<&str> = line.words().collect();
    let values = words.windows(2).filter(|pair| pair[0] == "--output");
    Ok(values.map(|pair| pair[1].to_owned()).collect())
}

#[test]
fn outputs_of_buildctl_are_those_of_buildx() {
    for (given, tags, push, expected) in [
        (&[][..], &[][..], false, &[][..]),
        (&[], &["a", "b"], false, &["type=image,\"name=a,b\""]),
        (&[], &["a"], true, &["type=image,push=true,name=a"]),
        (&["out"], &["a"], false, &["type=local,dest=out"]),
        (
            &["out"],
            &["a"],
            true,
            &["type=local,dest=out", "type=image,push=true,name=a"],
        ),
        (&["-"], &[], false, &["type=tar,dest=-"]),
        (&["type=cacheonly"], &["a"], false, &[]),
        (
            &["type=registry"],
            &["a"],
            false,
            &["type=image,push=true,name=a"],
        ),
        (
            &["type=image,name=x,push=false", "type=oci,dest=x.tar"],
            &[],
            true,
            &["type=image,name=x,push=true", "type=oci,dest=x.tar"],
        ),
        (
            &["type=docker,dest=x.tar"],
            &["a"],
            false,
            &["type=docker,dest=x.tar,name=a"],
        ),
    ] {
        assert_eq!(outputs(given, tags, push).unwrap(), expected, "{given:?}");
    }
}

#[test]
fn what_buildctl_cannot_do_is_told() {
    const LOAD: &str = "buildctl puts nothing into Docker; write the image to a file with `--output \
                        type=docker,dest=image.tar` and run `docker load --input image.tar`, or build with \
                        --client buildx";
    let error = |options: BuildOptions| {
        let error = buildctl::build(&wish(&options, &[])).unwrap_err();
        error.to_string()
    };
    let none = BuildOptions::default;
    let load = BuildOptions {
        load: true,
        ..none()
    };
    assert_eq!(error(load), format!("--load: {LOAD}"));
    for (output, expected) in [
        ("type=docker", format!("--output type=docker: {LOAD}")),
        ("dest=x", "--output: it has no type=…".to_owned()),
        (
            "type=local,x",
            "--output type=local: field 2 is no NAME=VALUE".to_owned(),
        ),
    ] {
        assert_eq!(outputs(&[output], &[], false).unwrap_err(), expected);
    }
    let annotated = BuildOptions {
        annotations: strings(&["a=b"]),
        ..none()
    };
    assert_eq!(
        error(annotated),
        "--annotation: no image comes of this build; name it with --tag, or its place with --output"
    );
    for (context, expected) in [
        (
            "a=nowhere",
            "--build-context a=nowhere: there is no directory `nowhere`",
        ),
        (
            "a=oci-layout://dir:tag",
            "--build-context a=oci-layout://dir:tag: for buildctl, name the image in the layout by its \
             digest: oci-layout://DIR@sha256:…",
        ),
    ] {
        let options = BuildOptions {
            build_contexts: strings(&[context]),
            ..none()
        };
        assert_eq!(error(options), expected);
    }
    let builder = BuildOptions {
        builder: Some("b".to_owned()),
        ..none()
    };
    assert_eq!(
        error(builder),
        "buildctl knows no --builder; name its daemon with the variable BUILDKIT_HOST"
    );
}

#[test]
fn the_frontend_that_a_file_names() {
    for (text, expected) in [
        (
            "# syntax=larder/frontend:1\nfrom: x\n",
            Some("larder/frontend:1"),
        ),
        ("\u{feff}#syntax = a --x \r\n", Some("a --x")),
        ("#!/bin/x\n# check=skip=all\n# SYNTAX=a\n", Some("a")),
        ("# syntax=\nfrom: x\n", None),
        ("# a comment\n# syntax=a\n", None),
        ("# other=1\n# syntax=a\n", None),
        ("from: x\n# syntax=a\n", None),
        ("", None),
    ] {
        let found = Frontend::of_first_lines(text);
        assert_eq!(found.as_deref(), expected, "{text}");
    }
    let options = BuildOptions::default();
    let mut wish = wish(&options, &[]);
    wish.frontend = Frontend::FirstLine("a --x".to_owned());
    let line = buildctl::build(&wish).unwrap().to_string();
    assert!(
        line.contains("--opt source=a \\\n  --opt 'cmdline=a --x' \\\n"),
        "{line}"
    );
    wish.frontend = Frontend::Argument(String::new());
    let error = buildctl::build(&wish).unwrap_err().to_string();
    assert_eq!(error, "--build-arg BUILDKIT_SYNTAX: it names no image");
}
