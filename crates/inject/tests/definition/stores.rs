//! Stores: what later operations read, and what gets into what is built.

use crate::{World, dockerfile, in_debian, reasons, shown, wish};

/// The stage before the result, and what its programs get.
const CASES: &[(&str, &[&str])] = &[
    (
        "RUN go mod download\nCOPY . .\nRUN go build -o /x",
        &[
            "go mod download: go-mod=/root/go/pkg/mod",
            "go build -o /x: go-build=/.larder/go/build go-mod=/root/go/pkg/mod",
        ],
    ),
    // What may call go gets it as well.
    (
        "RUN go mod download\nRUN make",
        &[
            "go mod download: go-mod=/root/go/pkg/mod",
            "make: go-build=/.larder/go/build go-mod=/root/go/pkg/mod",
        ],
    ),
    (
        "ENV GOPATH=/go\nRUN go mod download",
        &["go mod download: go-mod=/go/pkg/mod"],
    ),
    (
        "RUN mvn package",
        &["mvn package: maven=/root/.m2/repository"],
    ),
    // BuildKit would make `/home/gopher/go` root's, where go puts programs.
    (
        "RUN useradd gopher\nUSER gopher\nENV GOPATH=/home/gopher/go\nRUN go install",
        &[
            "useradd gopher:",
            "go install: go-build=/.larder/go/build go-mod!",
        ],
    ),
    (
        "ENV CARGO_HOME=/usr/local/cargo\nRUN cargo build",
        &[
            "cargo build: cargo-git=/usr/local/cargo/git cargo-registry=/usr/local/cargo/registry cargo-target!",
        ],
    ),
    // Somebody of the stage cannot have it, or makes do with what is there.
    (
        "RUN go mod download\nRUN --network=none go build",
        &[
            "go mod download: go-mod!",
            "--network=none go build: go-build=/.larder/go/build go-mod!",
        ],
    ),
    (
        "RUN go mod download\nUSER 5:5\nRUN make",
        &["go mod download: go-mod!", "make:"],
    ),
    (
        "RUN go mod download\nRUN echo 'x",
        &["go mod download: go-mod!", "echo 'x:"],
    ),
    (
        "RUN go mod download\nENV GOPROXY=off\nRUN go vet",
        &[
            "go mod download: go-mod!",
            "go vet: go-build=/.larder/go/build go-mod!",
        ],
    ),
    (
        "RUN mvn dependency:go-offline\nRUN mvn -o package",
        &[
            "mvn dependency:go-offline: maven!",
            "mvn -o package: maven!",
        ],
    ),
    (
        "RUN cargo fetch\nRUN cargo build --frozen",
        &[
            "cargo fetch: cargo-git! cargo-registry!",
            "cargo build --frozen: cargo-git! cargo-registry! cargo-target!",
        ],
    ),
    (
        "RUN dotnet restore\nRUN dotnet build --no-restore",
        &[
            "dotnet restore: nuget-http=/.larder/nuget/http nuget!",
            "dotnet build --no-restore: nuget-http=/.larder/nuget/http nuget!",
        ],
    ),
    (
        "RUN --no-cache go mod download",
        &["--no-cache go mod download: go-mod!"],
    ),
    // Somebody of the stage knows where it is.
    (
        "RUN go mod download\nRUN cp -r /root/go/pkg/mod /m",
        &["go mod download: go-mod!", "cp -r /root/go/pkg/mod /m:"],
    ),
    (
        "RUN go mod download\nRUN ls $GOMODCACHE",
        &["go mod download: go-mod!", "ls $GOMODCACHE:"],
    ),
    (
        "RUN mvn package\nRUN cp -r ~/.m2 /m",
        &["mvn package: maven!", "cp -r ~/.m2 /m:"],
    ),
    (
        "COPY m2 /root/.m2/repository/\nRUN mvn package",
        &["mvn package: maven!"],
    ),
    (
        "COPY --link m2 /root/\nRUN mvn package",
        &["mvn package: maven!"],
    ),
    (
        "COPY settings.xml /root/.m2/\nRUN mvn package",
        &["mvn package: maven!"],
    ),
    (
        "COPY --link . /src\nRUN mvn package",
        &["mvn package: maven=/root/.m2/repository"],
    ),
    (
        "RUN ./setup.sh\nRUN mvn package",
        &[
            "./setup.sh: maven=/root/.m2/repository",
            "mvn package: maven=/root/.m2/repository",
        ],
    ),
    (
        "RUN --mount=type=cache,target=/root/.m2 mvn package",
        &["--mount=type=cache,target=/root/.m2 mvn package: maven!"],
    ),
];

#[test]
fn a_stage_that_no_result_is_made_from_gets_its_stores() {
    for (stage, expected) in CASES {
        let text = format!("FROM base AS build\n{stage}\nFROM scratch\nCOPY --from=build /x /x");
        let injected = in_debian(&text);
        assert_eq!(
            shown(&injected),
            *expected,
            "{text}\n{}",
            reasons(&injected)
        );
    }
}

#[test]
fn a_store_that_the_image_has_is_left_alone() {
    for (text, why) in [
        (
            "FROM a\nRUN mvn package",
            "the image is made from this filesystem",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM b",
            "the image is made from this filesystem",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nCOPY --from=b / /",
            "reads all of this filesystem",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nCOPY --from=b /* /",
            "reads all of this filesystem",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nRUN --mount=from=b,target=/b ls",
            "reads all of this filesystem",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nCOPY --from=b /root /root",
            "something else reads",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nCOPY --from=b /root/.m2/repository/x /x",
            "something else reads",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nCOPY --from=b /root/.m*/ /x",
            "something else reads",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM b AS c\nRUN echo\nFROM a\nCOPY --from=c /root/.m2 /x",
            "something else reads",
        ),
        (
            "FROM a AS b\nRUN mvn package\nFROM a\nRUN --mount=from=b,target=/b,source=/root/.m2 ls",
            "something else reads",
        ),
        // What the stage stands on belongs to the image.
        (
            "FROM a AS b\nRUN mvn install\nFROM b AS c\nRUN mvn package\nFROM b\nCOPY --from=c /x /x",
            "the image is made from this filesystem",
        ),
    ] {
        let injected = in_debian(text);
        let mounts = injected.execs.iter().flat_map(|exec| &exec.decision.mounts);
        assert_eq!(mounts.count(), 0, "{text}");
        assert!(
            reasons(&injected).contains(why),
            "{text}\n{}",
            reasons(&injected)
        );
    }
}

#[test]
fn every_definition_counts() {
    let build = "FROM a AS b\nRUN mvn package";
    let image = format!("{build}\nFROM scratch\nCOPY --from=b /x /x");
    let definitions = [image.as_str(), build].map(dockerfile::definition);
    let injected = World::debian().inject(&definitions[..1], &wish());
    assert_eq!(
        shown(&injected),
        ["mvn package: maven=/root/.m2/repository"]
    );
    let injected = World::debian().inject(&definitions, &wish());
    assert_eq!(shown(&injected), ["mvn package: maven!"]);
    let bytes = |definition: &buildkit_llb::Definition| definition.to_bytes();
    assert!(
        injected
            .definitions
            .iter()
            .map(bytes)
            .eq(definitions.iter().map(bytes))
    );
}

#[test]
fn stages_beside_each_other_do_not_matter() {
    let text = "FROM a AS b\nRUN mvn package\nFROM a AS c\nRUN mvn -o package\nFROM scratch\nCOPY --from=b /x /x\nCOPY --from=c /x /y";
    let injected = in_debian(text);
    assert_eq!(
        shown(&injected),
        [
            "mvn package: maven=/root/.m2/repository",
            "mvn -o package: maven!"
        ]
    );
}

#[test]
fn what_the_base_image_has_is_not_hidden() {
    let text = "FROM a AS b\nRUN mvn package\nFROM scratch\nCOPY --from=b /x /x";
    let mut world = World::debian();
    world.filled.push("/root/.m2/repository");
    let injected = world.inject(&[dockerfile::definition(text)], &wish());
    assert_eq!(shown(&injected), ["mvn package: maven!"]);
    assert!(reasons(&injected).contains("the base image has something in `/root/.m2/repository`"));
    assert_eq!(world.asked, ["/root/.m2/repository"]);
}

#[test]
fn nobody_can_look() {
    use larder_inject::definition::{Facts, ImageFact, Injection, inject};
    let text = "FROM a AS b\nUSER node\nRUN pip install x\nUSER root\nRUN mvn package\nFROM scratch\nCOPY --from=b /x /x";
    let definition = dockerfile::definition(text);
    let Ok(Injection::Needs(needs)) =
        inject(std::slice::from_ref(&definition), &wish(), &Facts::new())
    else {
        panic!("nothing to ask");
    };
    let assumed = ImageFact {
        assumed: true,
        ..ImageFact::default()
    };
    let facts: Facts = needs
        .keys()
        .map(|digest| (*digest, assumed.clone()))
        .collect();
    let Ok(Injection::Done(injected)) = inject(&[definition], &wish(), &facts) else {
        panic!("it still asks");
    };
    assert_eq!(
        shown(&injected),
        [
            "pip install x: pip=/.larder/pip",
            "mvn package: maven=/root/.m2/repository"
        ]
    );
    assert!(
        injected.execs[0].decision.mounts[0]
            .id
            .contains("/distribution:unknown/")
    );
    let reason = &injected.execs[1].decision.mounts[0].reason;
    assert_eq!(reason, "`mvn`, if the base image has nothing there");
}
