//! A world to plan in: images, and a context from a folder.

use std::path::{Path, PathBuf};

use buildkit_llb::Platform;
use larder_diagnostic::{Diagnostic, SourceFile};
use larder_plan::{
    AccountFiles, ContextFact, Facts, ImageConfig, ImageFact, ImageNeed, Needs, Plan, Planned,
    Request,
};

/// The directory with what stands in for the context `larder-cache`.
pub(crate) fn cache_context(context: &Path) -> PathBuf {
    context.with_extension("larder-cache")
}

/// Plans the text of a spec; mistakes of both the parser and the planner are the error.
pub(crate) fn plan(
    file: &SourceFile,
    request: &Request,
    context: &Path,
) -> Result<Plan, Vec<Diagnostic>> {
    let parsed = larder_spec::parse(file);
    let mut mistakes = parsed.diagnostics;
    let Some(spec) = parsed.spec else {
        return Err(mistakes);
    };
    let mut facts = Facts::default();
    let ignore = std::fs::read_to_string(context.join(".dockerignore"));
    facts.files.ignore = larder_plan::ignore::parse(&ignore.unwrap_or_default());
    for _ in 0..20 {
        match larder_plan::plan(&spec, request, &facts) {
            Planned::Plan(plan) if mistakes.iter().any(Diagnostic::is_error) => {
                mistakes.extend(plan.warnings);
                return Err(mistakes);
            }
            Planned::Plan(plan) => return Ok(*plan),
            Planned::Mistakes(more) => {
                mistakes.extend(more);
                mistakes.sort_by_key(|mistake| mistake.span);
                return Err(mistakes);
            }
            Planned::Needs(needs) => {
                assert!(!needs.is_empty());
                let before = format!("{facts:?}");
                answer(&needs, &mut facts, context);
                assert_ne!(before, format!("{facts:?}"), "asked twice: {needs:?}");
            }
        }
    }
    panic!("planning asks without end");
}

/// A request for `linux/amd64`.
pub(crate) fn request() -> Request {
    Request::new(Platform::new("linux", "amd64", ""), "test")
}

/// The same, with a context `larder-cache`.
pub(crate) fn request_with_cache() -> Request {
    Request {
        cache_context: Some(larder_plan::Context::Local {
            name: "larder-cache".to_owned(),
            session: None,
            exclude: Vec::new(),
        }),
        ..request()
    }
}

fn answer(needs: &Needs, facts: &mut Facts, context: &Path) {
    for (id, need) in &needs.images {
        let reference = id.reference.as_str();
        let fact = facts
            .images
            .entry(id.clone())
            .or_insert_with(|| image(reference));
        if *need == ImageNeed::Accounts {
            fact.accounts = Some(accounts(reference));
        }
    }
    for key in &needs.contexts {
        let fact = ContextFact {
            accounts: accounts(key),
            assumed: false,
        };
        facts.contexts.insert(key.clone(), fact);
    }
    for pattern in &needs.files {
        for (path, contents) in walk(context, "") {
            let ignored = larder_plan::ignore::is_ignored(&facts.files.ignore, &path);
            if !ignored && larder_plan::ignore::matches(pattern, &path) {
                facts.files.found.insert(path, contents);
            }
        }
        facts.files.asked.insert(pattern.clone());
    }
    if needs.cache_directories {
        let entries = std::fs::read_dir(cache_context(context)).expect("the folder is there");
        let entries = entries.map(|entry| entry.expect("the folder can be read"));
        let directories = entries.filter(|entry| entry.path().is_dir());
        let names = directories.map(|entry| entry.file_name().to_string_lossy().into_owned());
        facts.cache_directories = Some(names.collect());
    }
}

fn walk(folder: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("the folder can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(walk(&entry.path(), &format!("{name}/")));
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            found.push((name, text));
        }
    }
    found
}

/// Images are told apart by a word in their name.
fn image(reference: &str) -> ImageFact {
    let config = if reference.contains("node") {
        r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin","NODE_VERSION=22"],
            "Entrypoint":["docker-entrypoint.sh"],"Cmd":["node"]},"history":[{"created_by":"node"}]}"#
    } else if reference.contains("pwsh") {
        r#"{"config":{"Shell":["pwsh","-Command"]}}"#
    } else if reference.contains("quiet") {
        r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin","PIP_NO_CACHE_DIR=1","GOFLAGS=-a -v"]}}"#
    } else if reference.contains("trigger") {
        r#"{"config":{"OnBuild":["COPY . /app","RUN make"],"User":"app:staff","WorkingDir":"/srv","Shell":["/bin/bash","-o","pipefail","-c"]}}"#
    } else {
        r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"],
            "Cmd":["python3"],"Healthcheck":{"Test":["NONE"]}},"created":"2026-01-01T00:00:00Z","history":[{"created_by":"base"}]}"#
    };
    ImageFact {
        config: ImageConfig::from_json(config.as_bytes()).expect("it is JSON"),
        digest: Some(format!("sha256:{}", "0123456789abcdef".repeat(4))),
        accounts: None,
        assumed: false,
    }
}

fn accounts(reference: &str) -> AccountFiles {
    let alpine = reference.contains("alpine");
    let more = if reference.contains("node") {
        "node:x:1000:1000::/home/node:/bin/bash\n"
    } else {
        ""
    };
    AccountFiles {
        passwd: Some(format!(
            "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
             app:x:1001:1002::/home/app:/bin/sh\n{more}"
        )),
        group: Some("root:x:0:\nstaff:x:50:\nwww-data:x:33:\napp:x:1002:\n".to_owned()),
        os_release: Some(
            if alpine {
                "ID=alpine\nVERSION_ID=3.22.1\n"
            } else {
                "ID=debian\nVERSION_ID=\"13\"\n"
            }
            .to_owned(),
        ),
    }
}
