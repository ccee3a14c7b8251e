//! Installs with apt-get that could be one.

use std::collections::BTreeSet;

use larder_catalog::{Command, RunsAs, read};
use larder_diagnostic::Diagnostic;

use super::{Found, Run};
use crate::model::{Action, PlannedStage};

/// What an install asks for.
#[derive(Default)]
struct Install {
    flags: BTreeSet<String>,
    packages: BTreeSet<String>,
}

pub(super) fn check(stage: &PlannedStage, runs: &[Run<'_>], found: &mut Vec<Found>) {
    let mut group: Vec<(&Run<'_>, Install)> = Vec::new();
    for run in runs {
        let follows = group.last().is_some_and(|(last, _)| {
            let between = &stage.steps[last.index + 1..run.index];
            let made = |action: &Action| matches!(action, Action::Directories { .. });
            between.iter().all(|step| made(&step.action))
                && last.planned.account == run.planned.account
                && last.planned.env == run.planned.env
        });
        let installed = install(run);
        if !follows || installed.is_none() {
            tell(&std::mem::take(&mut group), found);
        }
        group.extend(installed.map(|install| (run, install)));
    }
    tell(&group, found);
}

fn tell(group: &[(&Run<'_>, Install)], found: &mut Vec<Found>) {
    let [(first, _), .., (last, _)] = group else {
        return;
    };
    let mut diagnostic = Diagnostic::warning(
        last.span,
        format!("{} steps in a row only install with apt-get", group.len()),
    )
    .lint("split-apt-install")
    .label(first.span, "the first of them");
    let all = |of: fn(&Install) -> &BTreeSet<String>| {
        let words: BTreeSet<&str> = group
            .iter()
            .flat_map(|(_, install)| of(install))
            .map(String::as_str)
            .collect();
        words.into_iter().collect::<Vec<_>>().join(" ")
    };
    let words = [all(|it| &it.flags), all(|it| &it.packages)].join(" ");
    diagnostic = diagnostic.hint(format!(
        "write one step: `apt-get update && apt-get install {}`",
        words.trim_start()
    ));
    found.push(last.found(diagnostic));
}

/// What a step installs, if it does nothing else.
fn install(run: &Run<'_>) -> Option<Install> {
    let mut install = Install::default();
    if run.planned.args.iter().all(|word| !word.contains("apt")) {
        return None;
    }
    for command in &read(&run.planned.args).commands {
        add(command, &mut install)?;
    }
    (!install.packages.is_empty()).then_some(install)
}

fn add(command: &Command, install: &mut Install) -> Option<()> {
    let words: Vec<&str> = command
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let (program, rest) = words.split_first()?;
    let mut paths = rest.iter().filter(|word| !word.starts_with('-'));
    let of_apt =
        |path: &&str| path.starts_with("/var/lib/apt/") || path.starts_with("/var/cache/apt/");
    match *program {
        "set" | "export" => return Some(()),
        "rm" if paths.all(of_apt) => return Some(()),
        "apt" | "apt-get" => {}
        _ => return None,
    }
    if command.runs_as != RunsAs::Step || command.words.iter().any(|word| !word.certain) {
        return None;
    }
    // An option with a value of its own may be about some packages and not others.
    let plain = |word: &&&str| !word.starts_with("-o") && !word.starts_with("-t");
    if rest.len() != rest.iter().filter(plain).count() {
        return None;
    }
    let (flags, names): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|word| word.starts_with('-'));
    match names.split_first()? {
        (&("update" | "clean" | "autoclean"), _) => {}
        (&"install", packages) => {
            install
                .flags
                .extend(flags.iter().map(|&flag| flag.to_owned()));
            let packages = packages.iter().map(|&package| package.to_owned());
            install.packages.extend(packages);
        }
        _ => return None,
    }
    Some(())
}
