//! The frontend image, as anyone would build it.

use std::{fs, path::Path};

use larder_e2e::{Engine, Project, unique};

/// What a registry would hold of it, in bytes.
const MOST: u64 = 3 << 20;

/// `EM_AARCH64`, little-endian.
const AARCH64: [u8; 2] = [183, 0];

#[test]
fn it_builds_from_its_dockerfile_is_small_and_works() {
    let engine = Engine::from_env().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = format!("--file={}", root.join("Dockerfile.frontend").display());
    let context = root.display().to_string();
    let image = format!("{}/larder-e2e/frontend-{}:1", engine.registry(), unique());
    let output = format!("--output=type=image,name={image},push=true,oci-mediatypes=true");
    let make = |options: &[&str]| {
        let build = ["buildx", "build", "--provenance=false", &file];
        engine
            .docker_output(&[&build, options, &[&context]].concat())
            .unwrap()
    };
    make(&[&output]);

    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    make(&[&format!("--output=type=oci,dest={}", archive.display())]);
    let bytes = fs::metadata(&archive).unwrap().len();
    assert!(bytes <= MOST, "the image has {bytes} bytes, compressed");

    let spec = "from: scratch\nsteps:\n  - copy: hello.txt\n";
    let project = Project::new(&engine, spec).unwrap();
    project.file("hello.txt", "hello").unwrap();
    let built = engine
        .build(&project)
        .arg("BUILDKIT_SYNTAX", &image)
        .files()
        .succeed()
        .unwrap();
    assert_eq!(built.read("/hello.txt").unwrap(), "hello");

    let arm = folder.path().join("arm64");
    make(&[
        "--platform=linux/arm64",
        "--build-arg=RUST_IMAGE=rust:1-cross",
        "--build-arg=PROFILE=dev",
        &format!("--output=type=local,dest={}", arm.display()),
    ]);
    let program = fs::read(arm.join("larder-frontend")).unwrap();
    assert_eq!(&program[..4], b"\x7fELF");
    assert_eq!(program[18..20], AARCH64, "the machine in the ELF header");
}
