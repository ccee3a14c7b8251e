//! What is said of an image beside it.

use std::fs;

use larder_e2e::{Engine, Project, unique};

/// A program that says what an image is made of: what a file of it holds.
const SCANNER: &str = "\
FROM debian:trixie-slim
COPY --chmod=755 <<\"EOF\" /scan
#!/bin/sh -e
cat > \"$BUILDKIT_SCAN_DESTINATION/all.spdx.json\" <<JSON
{\"_type\": \"https://in-toto.io/Statement/v0.1\", \"predicateType\": \"https://spdx.dev/Document\",
 \"predicate\": {\"name\": \"$(cat \"$BUILDKIT_SCAN_SOURCE/random\")\"}}
JSON
EOF
ENTRYPOINT [\"/scan\"]
";

/// What no two runs of it leave the same.
const DOCKERFILE: &str = "\
FROM python:3.13-slim
ENV ONCE=NOW
RUN pip download --help >/dev/null && cat /proc/sys/kernel/random/uuid > /random
";

#[test]
fn an_sbom_is_of_the_image_with_caches() {
    let engine = Engine::from_env().unwrap();
    let scanner = Project::empty().unwrap();
    scanner.file("Dockerfile", SCANNER).unwrap();
    let generator = format!("{}/larder-e2e/scanner:{}", engine.registry(), unique());
    let folder = scanner.path().to_string_lossy().into_owned();
    let output = format!("--output=type=image,name={generator},push=true");
    let options = ["buildx", "build", "--provenance=false", &output, &folder];
    engine.docker_output(&options).unwrap();

    let project = Project::empty().unwrap();
    let dockerfile = DOCKERFILE.replace("NOW", &unique());
    let text = format!("# syntax={}\n{dockerfile}", engine.frontend());
    project.file("Dockerfile", text).unwrap();
    let built = Project::empty().unwrap();
    let context = project.path().to_string_lossy().into_owned();
    let sbom = format!("--sbom=generator={generator}");
    let output = format!("--output=type=local,dest={}", built.path().display());
    engine
        .docker_output(&["buildx", "build", &sbom, &output, &context])
        .unwrap();
    let random = fs::read_to_string(built.path().join("random")).unwrap();
    let files = fs::read_dir(built.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.contains("spdx")).collect();
    let [name] = names.as_slice() else {
        panic!("SBOMs: {names:?}");
    };
    let said = fs::read_to_string(built.path().join(name)).unwrap();
    assert!(said.contains(random.trim()), "{random} is not in {said}");
}
