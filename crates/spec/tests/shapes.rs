//! Every file of `tests/good` with what it says, one thing on a line.
//!
//! `UPDATE_GOLDEN=1` rewrites the expectations.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use larder_diagnostic::SourceFile;
use larder_spec::model::{Arg, CacheChoice, CacheEntry, Command, EnvVar, Spec, StepKind};
use larder_spec::parse;

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
    assert_eq!(count, 7);
}

fn show(spec: &Spec, file: &SourceFile) -> String {
    let mut out = String::new();
    line(&mut out, "name", spec.name.as_ref().map(|n| &n.value));
    args(&mut out, "", &spec.args);
    line(&mut out, "user", spec.user.as_ref().map(|u| &u.value));
    caches(&mut out, "", spec.caches.as_ref());
    let _ = writeln!(out, "{:?} {:?}", spec.layout, spec.scope);
    if let Some(runtime) = &spec.runtime_caches {
        let names = runtime.named.iter().map(|name| name.value.as_str());
        let names: Vec<&str> = names.collect();
        let _ = writeln!(out, "runtime caches {names:?}");
    }
    line(&mut out, "target", spec.target.as_ref().map(|t| &t.value));
    for stage in &spec.stages {
        let at = file.line_of(stage.name.span.start);
        let _ = writeln!(
            out,
            "stage {} (line {at}) from {}",
            stage.name.value, stage.from
        );
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
                }
                StepKind::Install(install) => {
                    let _ = writeln!(out, "    install {:?}", install.tool.value);
                    line(&mut out, "    workdir", install.workdir.as_ref());
                    env(&mut out, "    ", &install.env);
                }
                StepKind::Copy(copy) => {
                    let src: Vec<String> = copy.src.iter().map(ToString::to_string).collect();
                    let _ = writeln!(out, "    copy {src:?} to {}", copy.dest);
                    line(&mut out, "    from", copy.from.as_ref());
                    line(&mut out, "    chown", copy.chown.as_ref().map(|u| &u.value));
                    let mode = copy.chmod.map(|m| format!("{:04o}", m.value));
                    line(&mut out, "    chmod", mode);
                }
                StepKind::Add(add) => {
                    let src: Vec<String> = add.src.iter().map(ToString::to_string).collect();
                    let _ = writeln!(out, "    add {src:?} to {}", add.dest);
                }
                StepKind::File(one) => {
                    let _ = writeln!(out, "    file {} {:?}", one.dest, one.content);
                }
            }
        }
        command(
            &mut out,
            "  entrypoint",
            stage.image.entrypoint.as_ref(),
            file,
        );
        command(&mut out, "  cmd", stage.image.cmd.as_ref(), file);
        env(&mut out, "  image ", &stage.image.env);
        for port in &stage.image.expose {
            line(&mut out, "  expose", Some(port));
        }
        for (name, value) in &stage.image.labels {
            let _ = writeln!(out, "  label {} {value}", name.value);
        }
        line(
            &mut out,
            "  image user",
            stage.image.user.as_ref().map(|u| &u.value),
        );
        line(&mut out, "  image workdir", stage.image.workdir.as_ref());
    }
    out
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
            CacheEntry::Own(own) => writeln!(
                out,
                "{indent}  own {} {} {:?} {:?} {:?} {:?}",
                own.id.value, own.target, own.sharing, own.uid, own.gid, own.mode
            ),
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
