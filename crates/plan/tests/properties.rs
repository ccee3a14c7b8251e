//! What holds of every spec.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use larder_diagnostic::{SourceFile, render};
use larder_plan::model::{Action, PlannedStage};
use larder_plan::{lower, show};
use proptest::prelude::*;

fn nowhere() -> &'static Path {
    Path::new("/nonexistent")
}

/// A few of the pieces of a spec that are right, and the ones that are wrong if those are wanted too.
fn pick(
    right: &[&'static str],
    wrong: &[&'static str],
    mistakes: bool,
) -> impl Strategy<Value = &'static str> {
    let wrong = if mistakes { wrong } else { &[] };
    prop::sample::select([right, wrong].concat())
}

fn stage(mistakes: bool) -> impl Strategy<Value = String> {
    let from = pick(
        &["debian:13", "node:22", "alpine", "trigger", "${BASE}"],
        &["scratch", "s0", "s1", "s2", "Not/An Image"],
        mistakes,
    );
    let user = pick(
        &[
            "build",
            "root",
            "1000:1000",
            "1001",
            "app",
            "app:staff",
            "0",
            "build:50",
        ],
        &["nobody-knows", "a b"],
        mistakes,
    );
    let step = pick(
        &[
            "run: make",
            "run: apt-get update && apt-get install -y git",
            "{run: pip install flask, user: build}",
            "{run: [go, build], env: {GOFLAGS: -v}, workdir: sub}",
            "{run: cargo build, caches: [none, rust]}",
            "{run: npm ci, caches: [{id: mine, target: /m, uid: 5}]}",
            "{run: pip install --no-cache-dir x}",
            "run: |\n          one\n          two 'unclosed",
            "copy: .",
            "copy: {src: [a, 'b*'], dest: /data/, chown: app, chmod: '0644'}",
            "copy: {from: 'nginx:1', src: /etc, dest: .}",
        ],
        &[
            "copy: ../x",
            "{run: make, caches: nonsense}",
            "copy: {from: s1, src: /x, dest: y/}",
            "install: pip",
            "{install: npm, workdir: web}",
        ],
        mistakes,
    );
    let workdir = if mistakes {
        "[a-z/.$ {}]{0,6}"
    } else {
        "/?[a-z.]{1,6}"
    };
    (
        from,
        prop::option::of(user),
        prop::collection::vec(step, 0..6),
        prop::option::of(workdir),
    )
        .prop_map(|(from, user, steps, workdir)| {
            let mut text = format!("    from: {from}\n");
            if let Some(user) = user {
                let _ = writeln!(text, "    user: \"{user}\"");
            }
            if let Some(workdir) = workdir {
                let _ = writeln!(text, "    workdir: '{workdir}'");
            }
            if !steps.is_empty() {
                text += "    steps:\n";
            }
            for step in steps {
                let _ = writeln!(text, "      - {step}");
            }
            text
        })
}

fn spec() -> impl Strategy<Value = String> {
    any::<bool>().prop_flat_map(spec_with)
}

fn spec_with(mistakes: bool) -> impl Strategy<Value = String> {
    let base = if mistakes {
        "[A-Za-z0-9:/.-]{0,8}"
    } else {
        "[a-z]{1,8}"
    };
    (
        prop::collection::vec(stage(mistakes), 1..4),
        prop::sample::select(vec!["cache", "home"]),
        prop::sample::select(vec!["false", "true", "[python, npm-global]"]),
        base,
    )
        .prop_map(|(stages, layout, runtime, base)| {
            let mut text = format!(
                "name: p\ncache-layout: {layout}\nruntime-caches: {runtime}\n\
                 args:\n  BASE: '{base}'"
            );
            text += "\nstages:\n";
            for (index, stage) in stages.iter().enumerate() {
                let _ = write!(text, "  s{index}:\n{stage}");
            }
            text
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_same_spec_gives_the_same_bytes(text in spec()) {
        let source = SourceFile::new("larder.yaml", text);
        let request = support::request();
        let once = support::plan(&source, &request, nowhere());
        let twice = support::plan(&source, &request, nowhere());
        match (once, twice) {
            (Ok(once), Ok(twice)) => {
                prop_assert_eq!(show(&once, true), show(&twice, true));
                let first = lower(&once, &source).expect("nothing is imported");
                let second = lower(&twice, &source).expect("nothing is imported");
                prop_assert_eq!(first.definition.to_bytes(), second.definition.to_bytes());
                prop_assert_eq!(first.config, second.config);
                prop_assert_eq!(first.base_config, second.base_config);
            }
            (Err(once), Err(twice)) => {
                prop_assert!(once.iter().any(larder_diagnostic::Diagnostic::is_error));
                prop_assert_eq!(render(&once, &source), render(&twice, &source));
            }
            _ => prop_assert!(false, "planned once, and not again"),
        }
    }

    /// A context `larder-cache` fills caches, and makes none.
    #[test]
    fn a_cache_context_changes_no_decision(text in spec()) {
        let source = SourceFile::new("larder.yaml", text);
        let context = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/seeds");
        let plans = [support::request(), support::request_with_cache()]
            .map(|request| support::plan(&source, &request, &context));
        if let [Ok(without), Ok(with)] = &plans {
            prop_assert_eq!(format!("{:?}", without.stages), format!("{:?}", with.stages));
            lower(with, &source).expect("nothing is imported");
        } else {
            prop_assert!(plans.iter().all(Result::is_err));
        }
    }

    /// The target gets one step more, and nothing else changes.
    #[test]
    fn runtime_caches_change_no_decision(text in spec()) {
        let plans = ["false", "true"].map(|value| {
            let (before, after) = text.split_once("runtime-caches: ").expect("it is there");
            let (_, after) = after.split_once('\n').expect("it has a value");
            let source = SourceFile::new("larder.yaml", format!("{before}runtime-caches: {value}\n{after}"));
            support::plan(&source, &support::request(), nowhere())
        });
        if let [Ok(without), Ok(with)] = plans {
            let mut stages = with.stages;
            let last = stages.last_mut().expect("there is a result");
            last.steps.retain(|step| !matches!(step.action, Action::Runtime(_)));
            let shown = |stages: &[PlannedStage]| {
                let steps = stages.iter().flat_map(|stage| &stage.steps);
                steps.map(|step| format!("{} {:?}", step.name, step.action)).collect::<Vec<_>>()
            };
            prop_assert_eq!(shown(&without.stages), shown(&stages));
            for variable in &without.config.config.env {
                let name = variable.split_once('=').map(|(name, _)| name);
                let same = |other: &String| other.split_once('=').map(|(name, _)| name) == name;
                prop_assert!(with.config.config.env.iter().any(same));
            }
        } else {
            prop_assert!(plans.iter().all(Result::is_err));
        }
    }

    /// Names and places in the file are no part of what a build does.
    #[test]
    fn comments_change_no_digest(text in spec()) {
        let plain = SourceFile::new("larder.yaml", text.clone());
        let commented = SourceFile::new("other.yaml", format!("# why\n\n{text}"));
        let request = support::request();
        let plans = [&plain, &commented].map(|source| support::plan(source, &request, nowhere()));
        if let [Ok(first), Ok(second)] = &plans {
            let head = |plan, source| {
                let lowered = lower(plan, source).expect("nothing is imported");
                lowered.definition.head().expect("it is whole")
            };
            prop_assert_eq!(head(first, &plain), head(second, &commented));
        } else {
            prop_assert!(plans.iter().all(Result::is_err));
        }
    }
}
