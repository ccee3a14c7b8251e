//! What builders and clients are told and asked.

use super::common::{larder, texts};
use super::{DOCKER, SPEC, Scene};

#[test]
fn docker_with_the_containerd_store_writes_some_kinds() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    scene.file(
        "bin/inspect",
        "Driver: docker\nLabels:\n org.mobyproject.buildkit.worker.snapshotter: overlayfs\n",
    );
    let why = "Docker's own builder can only write `type=registry`, `local`, `inline` and `gha`; make another with \
               `docker buildx create --use`, or name one with --builder\n";
    let exports = "[{type: s3, bucket: b, region: x}, {type: local, dest: layers}, {type: azblob, account_url: \
                   'https://a.test'}]";
    let spec = format!("{SPEC}registry-cache: {{export: {exports}}}\n");
    scene.file("app/larder.yaml", &spec);
    let (code, _, stderr) = scene.run(&[]);
    let kinds = "type=s3, type=azblob";
    let warning = format!("warning: the layer cache `{kinds}` is not written: {why}");
    assert_eq!((code, stderr), (0, warning));
    assert_eq!(
        scene.last(),
        "docker buildx build --cache-to type=local,dest=layers,mode=max --file app/larder.yaml app"
    );
    scene.file("app/larder.yaml", SPEC);
    let (code, _, stderr) = scene.cached(&["--cache-to", "type=gha"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let last = scene.last();
    assert!(
        last.contains(" --cache-to type=gha --cache-to type=registry,"),
        "{last}"
    );
    assert!(!scene.log().contains("--bootstrap"), "{}", scene.log());

    scene.file("bin/log", "");
    let secret = "type=s3,bucket=b,secret_access_key=hunter2";
    let error = scene.mistake(&["--cache-to", secret]);
    assert_eq!(error, format!("error: --cache-to type=s3: {why}"));
}

#[test]
fn a_cold_builder_is_started_before_it_is_asked() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    scene.file("bin/boot", "booting buildkit\n");
    let (code, stdout, stderr) = scene.cached(&["--builder", "far"]);
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (0, "", "booting buildkit\n")
    );
    let log = scene.log();
    let words = |line: &str| line.split(' ').take(5).collect::<Vec<_>>().join(" ");
    let asked: Vec<String> = log.lines().map(words).collect();
    assert_eq!(
        asked,
        [
            "docker buildx inspect far",
            "docker buildx inspect --bootstrap far",
            "docker buildx build --print=layercache,format=json --builder",
            "docker buildx build --builder far"
        ]
    );
    // Nothing is asked of it.
    let (_, _, stderr) = scene.run(&["--cache-to", "type=local,dest=x"]);
    assert_eq!(stderr, "");
}

#[test]
fn a_spec_without_a_name_is_called_as_its_folder() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let registry = |spec: &str, value: &str| {
        scene.file("app/larder.yaml", spec);
        let mut command = scene.command(&["--dry-run"]);
        if !value.is_empty() {
            command.env("CACHE_REGISTRY", value);
        }
        let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
        assert_eq!((code, stderr.as_str()), (0, ""));
        let lines = stdout
            .lines()
            .map(|line| line.trim().trim_end_matches(" \\"));
        let ours = |line: &&str| line.contains("CACHE_REGISTRY") || line.contains("--cache-to");
        lines.filter(ours).collect::<Vec<_>>().join("\n")
    };
    let told = |arg: &str, reference: &str| {
        format!(
            "--build-arg CACHE_REGISTRY={arg}\n--cache-to \
             type=registry,ignore-error=true,mode=max,ref={reference}"
        )
    };
    let given = "r.test/cache";
    let whole = "r.test/cache:app";
    assert_eq!(registry(SPEC, given), told(whole, whole));
    let named = format!("{SPEC}name: shop\n");
    assert_eq!(registry(&named, given), told(given, "r.test/cache:shop"));
    let own = format!("{SPEC}args: {{CACHE_REGISTRY: r.test/cache}}\n");
    assert_eq!(registry(&own, ""), told(whole, whole));
    let none = format!("{SPEC}args: {{CACHE_REGISTRY: }}\nregistry-cache: r.test/own\n");
    let export = "--cache-to type=registry,ignore-error=true,mode=max,ref=r.test/own";
    assert_eq!(registry(&none, ""), export);
    // As `larder bake` says it.
    scene.file("app/larder.yaml", SPEC);
    let mut bake = larder(scene.0.path());
    bake.args(["bake", "app"]).env("CACHE_REGISTRY", given);
    let (_, stdout, _) = texts(&bake.output().expect("it starts"));
    assert!(
        stdout.contains(&format!("\"CACHE_REGISTRY\": \"{whole}\"")),
        "{stdout}"
    );
}

#[test]
fn platforms_of_the_environment() {
    let scene = Scene::new(&[("docker", DOCKER)]);
    let spec = format!("{SPEC}registry-cache: 'r.test/a:${{TARGETARCH}}'\n");
    scene.file("app/larder.yaml", &spec);
    let mut command = scene.command(&["--dry-run"]);
    command.env("DOCKER_DEFAULT_PLATFORM", "linux/amd64,linux/arm64");
    let (code, stdout, stderr) = texts(&command.output().expect("it starts"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    for arch in ["amd64", "arm64"] {
        assert!(stdout.contains(&format!("ref=r.test/a:{arch}")), "{stdout}");
    }
}

#[test]
fn buildctl_is_told_which_platform_is_local() {
    let scene = Scene::new(&[]);
    let args = [
        "--client=buildctl",
        "--dry-run",
        "--platform=local,linux/riscv64",
    ];
    let (code, stdout, stderr) = scene.run(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let told = stdout
        .lines()
        .find(|line| line.contains("platform="))
        .expect("it is told");
    assert!(
        told.contains("--opt platform=linux/") && told.contains(",linux/riscv64"),
        "{told}"
    );
}

#[test]
fn values_of_options_are_not_shown() {
    let scene = Scene::new(&[]);
    for (option, value) in [
        ("--cache-to", "\"hunter2"),
        ("--cache-from", "a\"hunter2"),
        ("--output", "type=s3,hunter2"),
        ("--output", "secret=hunter2"),
        ("--output", "type=docker,secret=hunter2"),
    ] {
        let error = scene.mistake(&["--client=buildctl", option, value]);
        assert!(error.starts_with(&format!("error: {option}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
