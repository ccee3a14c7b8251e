//! The frontend of `examples/forward.rs`, as an image.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use buildkit_llb::{Constraints, Definition, Digest, File, Graph, Meta, Op, Rm};
use larder_e2e::{Build, Built, Engine, Project, Vertex};

/// Solves definitions as they are.
pub(crate) struct Forward<'a> {
    engine: &'a Engine,
    image: String,
}

impl<'a> Forward<'a> {
    /// Compiles the frontend, and publishes its image.
    pub(crate) fn new(engine: &'a Engine) -> Result<Self> {
        let test = env::current_exe()?;
        let profile = test
            .parent()
            .and_then(Path::parent)
            .context("tests are in a folder")?;
        let compiled = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package=larder-e2e",
                "--example=forward",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        ensure!(compiled.success(), "the example `forward` does not compile");
        let project = Project::empty()?;
        fs::copy(
            profile.join("examples/forward"),
            project.path().join("forward"),
        )?;
        project.file(
            "Dockerfile",
            "FROM debian:trixie-slim\nCOPY forward /\nENTRYPOINT [\"/forward\"]\n",
        )?;
        let image = format!("{}/larder-e2e/forward:1", engine.registry());
        engine.docker_output(&[
            "buildx",
            "build",
            "--provenance=false",
            &format!("--output=type=image,name={image},push=true,oci-mediatypes=true"),
            &project.path().display().to_string(),
        ])?;
        Ok(Self { engine, image })
    }

    /// A project whose file to build is a definition.
    pub(crate) fn project(definition: &Definition) -> Result<Project> {
        let project = Project::empty()?;
        project.file("definition", definition.to_bytes())?;
        Ok(project)
    }

    /// A build of such a project.
    pub(crate) fn build<'b>(&'b self, project: &'b Project) -> Build<'b> {
        self.engine
            .build(project)
            .file("definition")
            .arg("BUILDKIT_SYNTAX", &self.image)
    }

    /// Builds it, and holds the digests of the definition against those that the daemon shows.
    pub(crate) fn check<'b>(
        &'b self,
        definition: &Definition,
        project: &'b Project,
        with: impl FnOnce(Build<'b>) -> Build<'b>,
    ) {
        let built = with(self.build(project)).succeed().unwrap();
        for vertex in shown(definition, &built) {
            assert!(vertex.completed && vertex.error.is_none(), "{vertex:?}");
        }
    }

    /// Holds the digests against those that the daemon shows, and does not let it run anything for
    /// long.
    pub(crate) fn check_names(&self, definition: &Definition) {
        let mut graph = Graph::new();
        let definition_output = graph.import(definition).unwrap().unwrap();
        let missing = Rm {
            path: "/missing".to_owned(),
            allow_missing: false,
            allow_wildcard: false,
        };
        let nothing = Constraints::default();
        let failing = graph.add(File::on(None).rm(missing), &nothing, Meta::default());
        let both = Op::Merge(vec![failing.only(), definition_output]);
        let both = graph.add(both, &nothing, Meta::default());
        let project = Self::project(&graph.definition(both.only())).unwrap();
        let built = self.build(&project).run().unwrap();
        assert!(!built.succeeded);
        shown(definition, &built);
    }
}

/// What the daemon tells of each operation.
fn shown<'a>(definition: &Definition, built: &'a Built<'_>) -> Vec<&'a Vertex> {
    let known = |(digest, name): (Digest, String)| {
        let digest = digest.to_string();
        let found = built.vertices.iter().find(|vertex| vertex.digest == digest);
        found.unwrap_or_else(|| {
            panic!(
                "the daemon knows no {digest} ({name}), but {:#?}\n{}",
                built.vertices, built.text
            )
        })
    };
    definition.vertices().map(known).collect()
}
