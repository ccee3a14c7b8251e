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
RUN pip download --help >/dev/null && cat /proc/sys/kernel/random/uuid > /random && echo \">$(cat /random)\"
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
    let folder = Project::empty().unwrap();
    let archive = folder.path().join("image.tar");
    let built = engine
        .build(&project)
        .file("Dockerfile")
        .option(format!("--sbom=generator={generator}"))
        .option(format!("--output=type=oci,dest={}", archive.display()))
        .succeed()
        .unwrap();
    let ran = built.said();
    let [random] = ran.as_slice() else {
        panic!("the step ran {} times", ran.len());
    };
    // Unlike layers, an SBOM is not compressed.
    let archive = fs::read(archive).unwrap();
    let name = format!("\"{random}\"");
    assert!(
        archive
            .windows(name.len())
            .any(|part| part == name.as_bytes())
    );
}
