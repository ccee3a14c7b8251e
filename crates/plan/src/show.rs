//! A plan for people.

mod layers;

use std::fmt::Write as _;

use buildkit_llb::{Network, Security};
use larder_inject::CacheMount;
use larder_spec::model::AnnotationLevel;

use crate::lints;
use crate::model::{
    Action, Base, CopyFrom, Owner, Plan, PlannedCopy, PlannedMountKind, PlannedRun, PlannedSeed,
    PlannedStage,
};
use crate::names;
use crate::request::{CACHE_CONTEXT, CACHE_CONTEXT_TARGET, platform_name};
use crate::web;

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
    layers::show(&mut out, &plan.layer_cache);
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
        Base::Context(key) => format!("context {}", crate::from::shown(key)),
    };
    let base = match &stage.platform {
        Some(platform) => format!("{base} for {}", platform_name(platform)),
        None => base,
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
            Action::Copy(copies) if verbose => show_copies(out, plan, copies),
            Action::Link(copies) => {
                let how = if plan.request.able.merge {
                    "a layer of its own"
                } else {
                    "no layer of its own: the daemon cannot lay one over another"
                };
                let _ = writeln!(out, "      {how}");
                if verbose {
                    show_copies(out, plan, copies);
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
            Action::Directories { .. } | Action::Copy(_) => {}
        }
    }
}

/// What files come from.
fn files<'p>(plan: &'p Plan, from: &'p CopyFrom) -> &'p str {
    match from {
        CopyFrom::Context => "the context",
        CopyFrom::Stage(index) => plan.stages[*index].name.as_str(),
        CopyFrom::Image(image) => &image.reference,
        CopyFrom::Named(key) => crate::from::shown(key),
        CopyFrom::Source(_) | CopyFrom::Text(_) => "",
    }
}

fn show_copies(out: &mut String, plan: &Plan, copies: &[PlannedCopy]) {
    for copy in copies {
        let sources = names::paths(&copy.src);
        let what = match &copy.from {
            CopyFrom::Source(source) => web::shown_source(source),
            CopyFrom::Text(text) => format!("{} bytes", text.len()),
            from => format!("{sources} from {}", files(plan, from)),
        };
        let _ = write!(
            out,
            "      {what} to {}, owned by {}",
            copy.dest,
            ids(copy.owner)
        );
        if let Some(mode) = copy.mode {
            let _ = write!(out, ", mode {mode:04o}");
        }
        if copy.parents {
            out.push_str(", with the directories above");
        }
        if copy.unpack {
            out.push_str(", archives unpacked");
        }
        if !copy.exclude.is_empty() {
            let _ = write!(out, ", without {}", names::line(&copy.exclude.join(" ")));
        }
        out.push('\n');
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
    show_options(out, plan, run);
    for mount in &run.decision.mounts {
        show_cache(out, plan, run.seeds.get(&mount.cache), mount, verbose);
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

fn show_options(out: &mut String, plan: &Plan, run: &PlannedRun) {
    let options = &run.options;
    let own = run.account.owner();
    let whose = |owner: Owner, mode: u32, usual: u32| {
        if owner == own && mode == usual {
            String::new()
        } else {
            format!(", {} {mode:04o}", ids(owner))
        }
    };
    let maybe = |optional| if optional { ", if there is one" } else { "" };
    for secret in &options.secrets {
        let maybe = maybe(secret.optional);
        if let Some(target) = &secret.target {
            let whose = whose(secret.owner, secret.mode, crate::options::SECRET_MODE);
            let _ = writeln!(out, "      secret {} at {target}{whose}{maybe}", secret.id);
        }
        if let Some(env) = &secret.env {
            let _ = writeln!(out, "      secret {} in ${env}{maybe}", secret.id);
        }
    }
    for ssh in &options.ssh {
        let whose = whose(ssh.owner, ssh.mode, crate::options::SSH_MODE);
        let maybe = maybe(ssh.optional);
        let _ = writeln!(out, "      ssh {} at {}{whose}{maybe}", ssh.id, ssh.target);
    }
    for mount in &options.mounts {
        let target = &mount.target;
        let _ = match &mount.kind {
            PlannedMountKind::Tmpfs { size: None } => writeln!(out, "      tmpfs {target}"),
            PlannedMountKind::Tmpfs { size: Some(size) } => {
                writeln!(out, "      tmpfs {target} of {size} bytes")
            }
            PlannedMountKind::Bind {
                from,
                source,
                writable,
            } => {
                let access = if *writable { ", writes are lost" } else { "" };
                let from = files(plan, from);
                writeln!(out, "      /{source} of {from} at {target}{access}")
            }
        };
    }
    match options.network {
        Some(Network::Host) => {
            out.push_str("      network host, which the build must allow: network.host\n");
        }
        Some(Network::None) => out.push_str("      network none\n"),
        Some(Network::Sandbox) => out.push_str("      network of its own\n"),
        None => {}
    }
    if options.security == Security::Insecure {
        out.push_str("      insecure, which the build must allow: security.insecure\n");
    }
}

fn show_cache(
    out: &mut String,
    plan: &Plan,
    seed: Option<&PlannedSeed>,
    mount: &CacheMount,
    verbose: bool,
) {
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
    if let Some(seed) = seed {
        let from = files(plan, &seed.from);
        let _ = writeln!(out, "        starts from /{} of {from}", seed.source);
    } else if plan.seeds.contains(&mount.cache) {
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
