//! A plan for people.

use std::fmt::Write as _;

use larder_inject::CacheMount;
use larder_spec::model::AnnotationLevel;

use crate::lints;
use crate::model::{Action, Base, CopyFrom, Owner, Plan, PlannedRun, PlannedStage};
use crate::names;
use crate::request::{CACHE_CONTEXT, CACHE_CONTEXT_TARGET, platform_name};

/// A tree of stages, steps and mounts, each mount with who owns it and why it is there, and each cache
/// that was recognised and left alone with the reason. `verbose` adds ids, variables and owners.
pub fn show(plan: &Plan, verbose: bool) -> String {
    let mut out = String::new();
    let platform = platform_name(&plan.request.platform);
    let _ = writeln!(out, "{} for {platform}", plan.project);
    if plan.request.cache_context.is_some() {
        let _ = writeln!(
            out,
            "every step sees the context {CACHE_CONTEXT} at {CACHE_CONTEXT_TARGET}"
        );
    }
    for stage in &plan.stages {
        show_stage(&mut out, plan, stage, verbose);
    }
    show_image(&mut out, plan, verbose);
    if !plan.assumed.is_empty() {
        out.push_str("\nassumed, since nobody could look:\n");
        for line in &plan.assumed {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

fn show_stage(out: &mut String, plan: &Plan, stage: &PlannedStage, verbose: bool) {
    let base = match &stage.base {
        Base::Scratch => "scratch".to_owned(),
        Base::Stage(index) => format!("stage {}", plan.stages[*index].name),
        Base::Image(image) => image.reference.clone(),
        Base::Context(name) => name.clone(),
    };
    let _ = writeln!(out, "\nstage {} from {base}", names::line(&stage.name));
    let user = &stage.user;
    let who = if user.written.is_empty() {
        "root"
    } else {
        &user.written
    };
    let _ = writeln!(
        out,
        "  as {who} ({}) in {}",
        ids(user.owner()),
        stage.workdir
    );
    for (index, step) in stage.steps.iter().enumerate() {
        let _ = writeln!(out, "  {}", stage.label(index));
        match &step.action {
            Action::Directories { owner, .. } if verbose => {
                let _ = writeln!(out, "      owned by {}", ids(*owner));
            }
            Action::Account { home, owner, .. } => {
                let _ = writeln!(out, "      {} with home {home}", ids(*owner));
            }
            Action::Copy(copies) if verbose => {
                for copy in copies {
                    let from = match &copy.from {
                        CopyFrom::Context => "the context",
                        CopyFrom::Stage(index) => plan.stages[*index].name.as_str(),
                        CopyFrom::Image(image) => &image.reference,
                        CopyFrom::Named(name) => name,
                        CopyFrom::Source(_) | CopyFrom::Text(_) => "",
                    };
                    let mode = copy.mode.map(|mode| format!(", mode {mode:04o}"));
                    let _ = writeln!(
                        out,
                        "      {} from {from} to {}, owned by {}{}",
                        names::paths(&copy.src),
                        copy.dest,
                        ids(copy.owner),
                        mode.unwrap_or_default()
                    );
                }
            }
            Action::Run(run) => show_run(out, plan, stage, run, verbose),
            Action::Runtime(runtime) => {
                let owner = ids(runtime.owner);
                for path in &runtime.directories {
                    let _ = writeln!(out, "      keeps {path}, {owner} 0755");
                }
                for path in runtime.files.keys() {
                    let _ = writeln!(out, "      keeps {path}");
                }
            }
            Action::Directories { .. } | Action::Copy(_) | Action::Link(_) => {}
        }
    }
}

fn show_run(out: &mut String, plan: &Plan, stage: &PlannedStage, run: &PlannedRun, verbose: bool) {
    if run.account != stage.user {
        let _ = writeln!(
            out,
            "      as {} ({})",
            run.account.written,
            ids(run.account.owner())
        );
    }
    if run.cwd != stage.workdir {
        let _ = writeln!(out, "      in {}", run.cwd);
    }
    if let Some(manifests) = &run.manifests {
        let _ = writeln!(
            out,
            "      with {} at {}, for this step only",
            names::line(&manifests.copied.join(", ")),
            manifests.target
        );
    }
    for mount in &run.decision.mounts {
        show_cache(out, plan, mount, verbose);
    }
    for file in run.decision.files.keys() {
        let _ = writeln!(out, "      file {file}, for this step only");
    }
    for directory in &run.decision.tmpfs {
        let _ = writeln!(out, "      tmpfs {directory}");
    }
    for output in &run.outputs {
        let _ = writeln!(out, "      output {} to {}", output.from, output.to);
    }
    for left in &run.decision.left_alone {
        let _ = writeln!(out, "      no cache {}: {}", left.cache, left.reason);
    }
    for defeat in &run.decision.defeated {
        let _ = writeln!(out, "      ! {}: {}", lints::of(defeat), defeat.hint);
    }
    if let Some(why) = &run.decision.unread {
        let _ = writeln!(out, "      no caches: the command cannot be read: {why}");
    }
    if !verbose {
        return;
    }
    for name in &run.decision.without {
        if run.decision.env.iter().all(|(set, _)| set != name) {
            let _ = writeln!(out, "      without {name} of the base image");
        }
    }
    for (name, value) in &run.decision.env {
        let _ = writeln!(out, "      env {name}={value}");
    }
}

fn show_cache(out: &mut String, plan: &Plan, mount: &CacheMount, verbose: bool) {
    let sharing = mount.sharing.as_str();
    let owner = Owner {
        uid: mount.uid,
        gid: mount.gid,
    };
    let _ = writeln!(
        out,
        "      cache {} at {}, {sharing}, {} {:04o}: {}",
        mount.cache,
        mount.target,
        ids(owner),
        mount.mode,
        mount.reason
    );
    if plan.seeds.contains(&mount.cache) {
        let _ = writeln!(out, "        starts from {CACHE_CONTEXT}/{}", mount.cache);
    }
    if verbose {
        let _ = writeln!(out, "        id {}", mount.id);
    }
}

fn show_image(out: &mut String, plan: &Plan, verbose: bool) {
    let config = &plan.config.config;
    out.push_str("\nimage\n");
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {name} {value}");
        }
    };
    let words = |words: &Option<Vec<String>>| words.as_deref().map(names::words);
    field("entrypoint", words(&config.entrypoint).unwrap_or_default());
    field("cmd", words(&config.cmd).unwrap_or_default());
    field("user", config.user.clone());
    field("workdir", config.working_dir.clone());
    let base = plan.base_config.as_ref();
    let base = base.and_then(|base| base.config.healthcheck.as_ref());
    if let Some(check) = config
        .healthcheck
        .as_ref()
        .filter(|check| Some(*check) != base)
    {
        field("healthcheck", names::words(&check.test));
    }
    let volumes: Vec<&str> = config.volumes.keys().map(String::as_str).collect();
    field("volumes", names::line(&volumes.join(" ")));
    field("stop-signal", names::line(&config.stop_signal));
    field("shell", words(&config.shell).unwrap_or_default());
    for trigger in &config.on_build {
        field("on-build", names::line(trigger));
    }
    let ports: Vec<&str> = config.exposed_ports.keys().map(String::as_str).collect();
    field("expose", names::line(&ports.join(" ")));
    if let Some(created) = plan.config.extra.get("created").and_then(|at| at.as_str()) {
        field("created", created.to_owned());
    }
    for (level, name, value) in &plan.annotations {
        let text = format!("{}:{name}={value}", annotated(*level));
        field("annotation", names::line(&text));
    }
    if verbose {
        for entry in &config.env {
            field("env", names::line(entry));
        }
        for (name, value) in &config.labels {
            field("label", names::line(&format!("{name}={value}")));
        }
    }
}

/// What an annotation is put on, as specs write it.
pub(crate) fn annotated(level: AnnotationLevel) -> &'static str {
    match level {
        AnnotationLevel::Manifest => "manifest",
        AnnotationLevel::ManifestDescriptor => "manifest-descriptor",
        AnnotationLevel::Index => "index",
        AnnotationLevel::IndexDescriptor => "index-descriptor",
    }
}

fn ids(owner: Owner) -> String {
    format!("{}:{}", owner.uid, owner.gid)
}
