//! Every file of `tests/good` with what it says, one thing on a line.
//!
//! `UPDATE_GOLDEN=1` rewrites the expectations.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use larder_diagnostic::{SourceFile, Spanned};
use larder_spec::model::{
    Arg, CacheBackend, CacheChoice, CacheEntry, Command, Content, EnvVar, Image, MountKind,
    RunOptions, Spec, StepKind,
};
use larder_spec::parse;
use larder_spec::template::Template;

#[test]
fn good_files_say_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).expect("a text file");
        let file = SourceFile::new("larder.yaml", text);
        let parsed = parse(&file);
        assert_eq!(parsed.diagnostics, [], "{}", path.display());
        let shown = show(&parsed.spec.expect("a spec"), &file);
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &shown).expect("the folder can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(shown, expected, "{}", path.display());
    }
    assert_eq!(count, 12);
}

#[expect(clippy::too_many_lines, reason = "a line for each field")]
fn show(spec: &Spec, file: &SourceFile) -> String {
    let mut out = String::new();
    line(&mut out, "name", spec.name.as_ref().map(|n| &n.value));
    args(&mut out, "", &spec.args);
    line(&mut out, "user", spec.user.as_ref().map(|u| &u.value));
    caches(&mut out, "", spec.caches.as_ref());
    let _ = writeln!(
        out,
        "{:?} {:?} {:?}",
        spec.layout, spec.cache_ids, spec.scope
    );
    if let Some(runtime) = &spec.runtime_caches {
        let names = runtime.named.iter().map(|name| name.value.as_str());
        let names: Vec<&str> = names.collect();
        let _ = writeln!(out, "runtime caches {names:?}");
    }
    if let Some(cache) = &spec.registry_cache {
        layers(&mut out, "import", &cache.import, file);
        layers(&mut out, "export", &cache.export, file);
    }
    line(&mut out, "target", spec.target.as_ref().map(|t| &t.value));
    for stage in &spec.stages {
        let at = file.line_of(stage.name.span.start);
        let _ = writeln!(
            out,
            "stage {} (line {at}) from {}",
            stage.name.value, stage.from
        );
        let about = stage.description.as_ref().map(|text| &text.value);
        line(&mut out, "  for", about);
        line(
            &mut out,
            "  platform",
            stage.platform.as_ref().map(|p| &p.value),
        );
        shell(&mut out, "  shell", stage.shell.as_ref());
        args(&mut out, "  ", &stage.args);
        env(&mut out, "  ", &stage.env);
        line(&mut out, "  workdir", stage.workdir.as_ref());
        line(&mut out, "  user", stage.user.as_ref().map(|u| &u.value));
        caches(&mut out, "  ", stage.caches.as_ref());
        for step in &stage.steps {
            let lines = file.lines(step.span);
            let _ = writeln!(out, "  step (lines {lines:?})");
            line(&mut out, "    name", step.name.as_ref());
            match &step.kind {
                StepKind::Run(run) => {
                    command(&mut out, "    run", Some(&run.command), file);
                    line(&mut out, "    user", run.user.as_ref().map(|u| &u.value));
                    line(&mut out, "    workdir", run.workdir.as_ref());
                    env(&mut out, "    ", &run.env);
                    caches(&mut out, "    ", run.caches.as_ref());
                    shell(&mut out, "    shell", run.shell.as_ref());
                    options(&mut out, &run.options);
                    for output in &run.outputs {
                        let _ = writeln!(out, "    output {} to {}", output.from, output.to);
                    }
                }
                StepKind::Install(install) => {
                    let _ = writeln!(out, "    install {:?}", install.tool.value);
                    line(
                        &mut out,
                        "    user",
                        install.user.as_ref().map(|u| &u.value),
                    );
                    line(&mut out, "    workdir", install.workdir.as_ref());
                    env(&mut out, "    ", &install.env);
                    caches(&mut out, "    ", install.caches.as_ref());
                    options(&mut out, &install.options);
                }
                StepKind::Copy(copy) => {
                    let src: Vec<String> = copy.src.iter().map(ToString::to_string).collect();
                    let _ = writeln!(out, "    copy {src:?} to {}", copy.dest);
                    line(&mut out, "    from", copy.from.as_ref());
                    line(&mut out, "    chown", copy.chown.as_ref().map(|u| &u.value));
                    mode(&mut out, "    chmod", copy.chmod.map(|m| m.value));
                    templates(&mut out, "    exclude", &copy.exclude);
                    flags(&mut out, &[("parents", copy.parents), ("link", copy.link)]);
                }
                StepKind::Add(add) => {
                    let src: Vec<String> = add.src.iter().map(ToString::to_string).collect();
                    let _ = writeln!(out, "    add {src:?} to {}", add.dest);
                    let value = |text: &Option<Spanned<Template>>| {
                        text.as_ref().map(|text| text.value.to_string())
                    };
                    line(&mut out, "    checksum", value(&add.checksum));
                    line(&mut out, "    ref", value(&add.reference));
                    line(&mut out, "    subdir", add.subdir.as_ref());
                    line(&mut out, "    unpack", add.unpack);
                    line(&mut out, "    chown", value(&add.chown));
                    mode(&mut out, "    chmod", add.chmod.map(|m| m.value));
                    templates(&mut out, "    exclude", &add.exclude);
                    flags(&mut out, &[("keep-git", add.keep_git), ("link", add.link)]);
                }
                StepKind::File(one) => {
                    let content = match &one.content {
                        Content::Plain(text) => format!("plain {text:?}"),
                        Content::Expanded(text) => format!("expanded {:?}", text.to_string()),
                    };
                    let _ = writeln!(out, "    file {} {content}", one.dest);
                    line(&mut out, "    chown", one.chown.as_ref().map(|u| &u.value));
                    mode(&mut out, "    chmod", one.chmod.map(|m| m.value));
                }
            }
        }
        image(&mut out, &stage.image, file);
    }
    out
}

fn layers(out: &mut String, way: &str, places: &[CacheBackend], file: &SourceFile) {
    for place in places {
        let at = file.line_of(place.span.start);
        let _ = write!(out, "{way} {} (line {at})", place.kind.name());
        for (name, value) in &place.options {
            let _ = write!(out, " {}={value}", name.value);
        }
        out.push('\n');
    }
}

fn image(out: &mut String, image: &Image, file: &SourceFile) {
    command(out, "  entrypoint", image.entrypoint.as_ref(), file);
    command(out, "  cmd", image.cmd.as_ref(), file);
    env(out, "  image ", &image.env);
    templates(out, "  expose", &image.expose);
    for (name, value) in &image.labels {
        let _ = writeln!(out, "  label {} {value}", name.value);
    }
    for annotation in &image.annotations {
        let (level, value) = (annotation.level, annotation.value.to_string());
        let _ = writeln!(
            out,
            "  annotation {level:?} {} {value:?}",
            annotation.name.value
        );
    }
    line(out, "  image user", image.user.as_ref().map(|u| &u.value));
    line(out, "  image workdir", image.workdir.as_ref());
    if let Some(check) = &image.healthcheck {
        match &check.test {
            None => out.push_str("  healthcheck none\n"),
            test => command(out, "  healthcheck", test.as_ref(), file),
        }
        line(out, "    interval", check.interval);
        line(out, "    timeout", check.timeout);
        line(out, "    start-period", check.start_period);
        line(out, "    start-interval", check.start_interval);
        line(out, "    retries", check.retries);
    }
    templates(out, "  volume", &image.volumes);
    line(
        out,
        "  stop-signal",
        image.stop_signal.as_ref().map(|s| &s.value),
    );
    shell(out, "  image shell", image.shell.as_ref());
    for instruction in &image.on_build {
        let _ = writeln!(out, "  on-build {:?}", instruction.value);
    }
}

fn options(out: &mut String, options: &RunOptions) {
    for secret in &options.secrets {
        let _ = writeln!(
            out,
            "    secret {} required={}",
            secret.id.value, secret.required
        );
        line(out, "      target", secret.target.as_ref());
        line(
            out,
            "      env",
            secret.env.as_ref().map(|name| &name.value),
        );
        line(out, "      uid", secret.uid);
        line(out, "      gid", secret.gid);
        mode(out, "      mode", secret.mode);
    }
    for agent in &options.ssh {
        let _ = writeln!(
            out,
            "    ssh {} required={}",
            agent.id.value, agent.required
        );
        line(out, "      target", agent.target.as_ref());
        line(out, "      uid", agent.uid);
        line(out, "      gid", agent.gid);
        mode(out, "      mode", agent.mode);
    }
    for mount in &options.mounts {
        match &mount.kind {
            MountKind::Bind(bind) => {
                let _ = writeln!(out, "    bind {} writable={}", mount.target, bind.writable);
                line(out, "      from", bind.from.as_ref());
                line(out, "      source", bind.source.as_ref());
            }
            MountKind::Tmpfs { size } => {
                let _ = writeln!(out, "    tmpfs {} {size:?}", mount.target);
            }
        }
    }
    let network = options.network.as_ref().map(|n| format!("{:?}", n.value));
    line(out, "    network", network);
    let security = options.security.as_ref().map(|s| format!("{:?}", s.value));
    line(out, "    security", security);
}

fn shell(out: &mut String, what: &str, shell: Option<&Spanned<Vec<String>>>) {
    line(out, what, shell.map(|words| format!("{:?}", words.value)));
}

fn mode(out: &mut String, what: &str, mode: Option<u32>) {
    line(out, what, mode.map(|mode| format!("{mode:04o}")));
}

fn templates(out: &mut String, what: &str, templates: &[Template]) {
    for template in templates {
        line(out, what, Some(template));
    }
}

fn flags(out: &mut String, flags: &[(&str, bool)]) {
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        let _ = writeln!(out, "    {name}");
    }
}

fn line<T: ToString>(out: &mut String, what: &str, value: Option<T>) {
    if let Some(value) = value {
        let _ = writeln!(out, "{what} {}", value.to_string());
    }
}

fn args(out: &mut String, indent: &str, args: &[Arg]) {
    for arg in args {
        let default = arg.default.as_ref().map(ToString::to_string);
        let _ = writeln!(out, "{indent}arg {} {default:?}", arg.name.value);
        let about = arg.description.as_ref().map(|text| &text.value);
        line(out, &format!("{indent}  for"), about);
    }
}

fn env(out: &mut String, indent: &str, env: &[EnvVar]) {
    for variable in env {
        let value = variable.value.to_string();
        let _ = writeln!(out, "{indent}env {} {value:?}", variable.name.value);
    }
}

fn caches(out: &mut String, indent: &str, choice: Option<&CacheChoice>) {
    let Some(choice) = choice else { return };
    let _ = writeln!(out, "{indent}caches auto={}", choice.auto);
    for entry in &choice.entries {
        let _ = match entry {
            CacheEntry::Named(name) => writeln!(out, "{indent}  {}", name.value),
            CacheEntry::Own(own) => {
                let _ = writeln!(
                    out,
                    "{indent}  own {} {} {:?} {:?} {:?} {:?}",
                    own.id.value, own.target, own.sharing, own.uid, own.gid, own.mode
                );
                line(out, &format!("{indent}    from"), own.from.as_ref());
                line(out, &format!("{indent}    source"), own.source.as_ref());
                Ok(())
            }
        };
    }
}

fn command(out: &mut String, what: &str, command: Option<&Command>, file: &SourceFile) {
    let _ = match command {
        None => Ok(()),
        Some(Command::Shell(text)) => {
            let lines = file.lines(text.span);
            writeln!(out, "{what} shell {:?} (lines {lines:?})", text.value)
        }
        Some(Command::Exec(words)) => {
            let words: Vec<&str> = words.iter().map(|w| w.value.as_str()).collect();
            writeln!(out, "{what} words {words:?}")
        }
    };
}
