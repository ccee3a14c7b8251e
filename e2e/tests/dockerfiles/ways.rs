//! Ways of building the same Dockerfile: whichever is taken, the image is that without Larder.

use std::{fs, fs::File, path::Path, process::Command};

use larder_e2e::{
    Engine, Project, Repository,
    same::{Images, Leftovers, compare},
    unique,
};
use serde_json::Value;

const DOCKERFILE: &str = "\
FROM BASE AS packages
WORKDIR /app
RUN pip install --no-compile six==1.17.0
FROM packages
COPY . .
LABEL what=way
RUN pip list > list
";

/// One compiler for two platforms; nothing of the second is run.
const PLATFORMS: &str = "\
FROM --platform=$BUILDPLATFORM BASE AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app .
FROM scratch
COPY --from=build /app /app
ENV ARCH=$TARGETARCH
ENTRYPOINT [\"/app\"]
";

/// A build, by either frontend.
struct Way<'a> {
    engine: &'a Engine,
    project: &'a Project,
    dockerfile: String,
    images: Images,
}

impl<'a> Way<'a> {
    fn new(engine: &'a Engine, project: &'a Project, dockerfile: &str, base: &str) -> Self {
        Self {
            engine,
            project,
            dockerfile: dockerfile.replace("BASE", base),
            images: Images::new(engine.registry()),
        }
    }

    /// Holds that a command of buildx, given a Dockerfile outside the context, builds the same image
    /// without Larder and with it. Which platforms it has.
    fn same(&self, command: impl Fn(&mut Command, &Path)) -> Vec<String> {
        let syntax = format!("# syntax={}\n", self.engine.frontend());
        let [plain, larder] = ["", &syntax].map(|first| {
            let digest = self.digest(&format!("{first}{}", self.dockerfile), &command);
            self.images.pull(&digest).unwrap()
        });
        let platforms: Vec<String> = plain.keys().cloned().collect();
        assert!(platforms.iter().eq(larder.keys()), "{:?}", larder.keys());
        for (platform, image) in &plain {
            let found = compare(image, &larder[platform], &Leftovers::default());
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, [""; 0], "{platform}");
        }
        platforms
    }

    fn digest(&self, dockerfile: &str, command: &impl Fn(&mut Command, &Path)) -> String {
        let work = Project::empty().unwrap();
        let file = work.file("Dockerfile", dockerfile).unwrap();
        let metadata = work.path().join("metadata.json");
        let mut docker = self.engine.docker(&["buildx"]);
        docker.current_dir(self.project.path());
        command(&mut docker, &file);
        docker.arg("--metadata-file").arg(&metadata);
        let said = docker.output().unwrap();
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        let told: Value = serde_json::from_str(&fs::read_to_string(metadata).unwrap()).unwrap();
        // A bake tells of each target.
        let digest = |told: &Value| Some(told["containerimage.digest"].as_str()?.to_owned());
        let digest = digest(&told).or_else(|| told.as_object()?.values().find_map(digest));
        digest.unwrap_or_else(|| panic!("nothing was pushed: {told}"))
    }

    fn output(&self) -> String {
        format!(
            "type=image,name={}/{}:{},push=true,oci-mediatypes=true",
            self.engine.registry(),
            self.images.repository(),
            unique()
        )
    }

    /// What `docker buildx build` needs but for the Dockerfile.
    fn build(&self, docker: &mut Command, context: &str) {
        docker.args(["build", "--output", &self.output(), context]);
    }
}

fn project() -> Project {
    let project = Project::empty().unwrap();
    project.file("main.py", "import six\n").unwrap();
    project.file("ignored/x", "x").unwrap();
    project
}

#[test]
fn options_of_a_build() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    let way = Way::new(&engine, &project, DOCKERFILE, base.name());
    for options in [
        &["--provenance=false", "--no-cache"][..],
        &["--provenance=mode=max", "--no-cache-filter=packages"],
        &[
            "--provenance=false",
            "--build-arg=SOURCE_DATE_EPOCH=1700000000",
        ],
        &[
            "--add-host=some:10.1.2.3",
            "--shm-size=8m",
            "--ulimit=nofile=512",
            "--label=a=b",
        ],
        &["--build-arg=BUILDKIT_MULTI_PLATFORM=1"],
        &[
            "--build-context=packages-of=docker-image://python:3.13-slim",
            "--pull",
        ],
    ] {
        way.same(|docker, file| {
            docker.args(["build", "--output", &way.output(), ".", "--file"]);
            docker.arg(file).args(options);
        });
    }
}

#[test]
fn a_dockerfile_on_standard_input() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    project.file(".dockerignore", "ignored\n").unwrap();
    let way = Way::new(&engine, &project, DOCKERFILE, base.name());
    way.same(|docker, file| {
        way.build(docker, ".");
        docker
            .args(["--file", "-"])
            .stdin(File::open(file).unwrap());
    });
}

#[test]
fn a_dockerfile_with_what_it_ignores_beside_it() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    let way = Way::new(&engine, &project, DOCKERFILE, base.name());
    way.same(|docker, file| {
        fs::write(file.with_extension("dockerignore"), "ignored\n").unwrap();
        way.build(docker, ".");
        docker.arg("--file").arg(file);
    });
}

#[test]
fn contexts_that_are_named() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    let dockerfile = "FROM python:3.13-slim AS packages\nRUN pip install --no-compile six==1.17.0\n\
                      FROM start\nCOPY --from=packages /usr/local/lib /usr/local/lib\n\
                      COPY --from=extra x /\n";
    let way = Way::new(&engine, &project, dockerfile, "");
    let image = format!("docker-image://{}", base.name());
    way.same(|docker, file| {
        way.build(docker, ".");
        docker.arg("--file").arg(file);
        docker.arg("--build-context=extra=ignored");
        docker.arg(format!("--build-context=start={image}"));
        docker.arg(format!("--build-context=python:3.13-slim={image}"));
    });
}

#[test]
fn a_repository() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    let way = Way::new(&engine, &project, DOCKERFILE, base.name());
    let files = [
        ("part/Dockerfile", way.dockerfile.as_str()),
        ("part/x", "x"),
    ];
    let repository = Repository::serve(&files).unwrap();
    let larder = format!("--build-arg=BUILDKIT_SYNTAX={}", engine.frontend());
    let [plain, larder] = [None, Some(larder)].map(|more| {
        let build = |docker: &mut Command, _: &Path| {
            way.build(docker, &format!("{}#main:part", repository.url));
            docker.args(&more);
        };
        let digest = way.digest("", &build);
        let (_, image) = way.images.pull(&digest).unwrap().pop_first().unwrap();
        image
    });
    let found = compare(&plain, &larder, &Leftovers::default());
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_bake() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("python:3.13-slim").unwrap();
    let project = project();
    project.file("more/main.py", "import six, sys\n").unwrap();
    let way = Way::new(&engine, &project, DOCKERFILE, base.name());
    way.same(|docker, file| {
        let recipe = format!(
            "variable \"WHAT\" {{ default = \"baked\" }}\n\
             target \"packages\" {{\n  dockerfile = \"{file}\"\n  target = \"packages\"\n}}\n\
             target \"app\" {{\n  dockerfile = \"{file}\"\n  context = \"more\"\n  \
             contexts = {{ packages = \"target:packages\" }}\n  \
             labels = {{ what = WHAT }}\n}}\n",
            file = file.display()
        );
        let bake_file = file.with_file_name("docker-bake.hcl");
        fs::write(&bake_file, recipe).unwrap();
        docker.args(["bake", "app", "--file"]).arg(bake_file);
        docker.args(["--set", &format!("app.output={}", way.output())]);
    });
}

#[test]
fn two_platforms() {
    let engine = Engine::from_env().unwrap();
    let base = engine.base("golang:1.24").unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let project = Project::copied(&fixtures.join("go-small/first")).unwrap();
    let way = Way::new(&engine, &project, PLATFORMS, base.name());
    let platforms = way.same(|docker, file| {
        way.build(docker, ".");
        docker.arg("--file").arg(file);
        docker.arg("--platform=linux/amd64,linux/arm64");
    });
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
}

#[test]
fn what_is_asked_of_a_dockerfile_without_building_it() {
    let engine = Engine::from_env().unwrap();
    let project = Project::empty().unwrap();
    let dockerfile = "# What it is for.\nARG WHAT=thing\nFROM debian:trixie-slim AS first\n\
                      # The last of them.\nFROM first AS last\nARG WHAT\nRUN echo $WHAT\n";
    for question in ["outline", "targets"] {
        let [plain, larder] = [
            "# A comment.".to_owned(),
            format!("# syntax={}", engine.frontend()),
        ]
        .map(|first| {
            project
                .file("Dockerfile", format!("{first}\n{dockerfile}"))
                .unwrap();
            let mut docker = engine.question(question).unwrap();
            let said = docker.arg(project.path()).output().unwrap();
            assert!(
                said.status.success(),
                "{}",
                String::from_utf8_lossy(&said.stderr)
            );
            String::from_utf8(said.stdout).unwrap()
        });
        assert!(
            plain.to_lowercase().contains("last") || plain.contains("WHAT"),
            "{plain}"
        );
        assert_eq!(larder, plain, "{question}");
    }
}

#[test]
fn warnings_without_a_build() {
    const REFUSAL: &str = "unsupported request frontend.lint";
    let engine = Engine::from_env().unwrap();
    let project = Project::empty().unwrap();
    let dockerfile = "from debian:trixie-slim\nRUN pip install --no-cache-dir flask\n";
    let [plain, larder] = [
        "# A comment.".to_owned(),
        format!("# syntax={}", engine.frontend()),
    ]
    .map(|first| {
        project
            .file("Dockerfile", format!("{first}\n{dockerfile}"))
            .unwrap();
        let mut docker = engine.question("lint").unwrap();
        let said = docker.arg(project.path()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    });
    assert_eq!(larder.0, plain.0, "{}{}", larder.1, larder.2);
    if plain.2.contains(REFUSAL) {
        let refusal = |stderr: &str| {
            let last = stderr.lines().rev().find(|line| line.contains(REFUSAL));
            last.map(str::to_owned)
        };
        assert_eq!(refusal(&larder.2), refusal(&plain.2), "{}", larder.2);
        return;
    }
    assert!(plain.1.contains("WARNING: ConsistentInstructionCasing"));
    assert!(!plain.1.contains("Larder"), "{}", plain.1);
    for rule in ["ConsistentInstructionCasing", "LarderCacheDefeated"] {
        let warning = format!("WARNING: {rule}");
        assert!(larder.1.contains(&warning), "{}", larder.1);
    }
}
