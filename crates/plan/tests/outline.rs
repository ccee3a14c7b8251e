//! What a build takes, and what can be built.

use buildkit_llb::Platform;
use larder_diagnostic::{SourceFile, Span, Spanned};
use larder_plan::model::{Action, Owner, Plan, PlannedSecret};
use larder_plan::outline::{outline, targets};
use larder_plan::{Facts, Planned, Request, offline_facts, plan};
use larder_spec::model::Spec;

const SPEC: &str = r#"
args:
  VERSION: "1"
  TOKEN:
target: app
stages:
  base:
    from: python:${VERSION}
    args: {MIRROR: "https://$$host", VERSION: "2"}
    steps:
      - run: pip install a
  app:
    from: base
    args: {MODE: "${VERSION}-x"}
    steps:
      - run: pip install b
      - run: npm ci
  other:
    from: alpine
    args: {UNUSED: "x"}
"#;

fn spec() -> Spec {
    let parsed = larder_spec::parse(&SourceFile::new("larder.yaml", SPEC));
    assert_eq!(parsed.diagnostics, []);
    parsed.spec.expect("it is a spec")
}

fn request() -> Request {
    Request::new(Platform::new("linux", "amd64", ""), "test")
}

fn planned(spec: &Spec, request: &Request) -> Plan {
    let mut facts = Facts::default();
    loop {
        match plan(spec, request, &facts) {
            Planned::Plan(plan) => return *plan,
            Planned::Needs(needs) => assert_ne!(offline_facts(&needs, &mut facts), [""; 0]),
            Planned::Mistakes(mistakes) => panic!("{mistakes:?}"),
        }
    }
}

fn at(span: Span) -> &'static str {
    &SPEC[span.start as usize..span.end as usize]
}

#[test]
fn every_stage_is_a_target() {
    let mut spec = spec();
    let described = Spanned::new("What runs.".to_owned(), Span::default());
    spec.stages[1].description = Some(described);
    let targets = targets(&spec);
    let list: Vec<(&str, &str, bool)> = (targets.iter())
        .map(|target| {
            (
                target.name.as_str(),
                target.base.as_str(),
                target.is_default,
            )
        })
        .collect();
    assert_eq!(
        list,
        [
            ("base", "python:${VERSION}", false),
            ("app", "base", true),
            ("other", "alpine", false)
        ]
    );
    assert_eq!(targets[1].description.as_deref(), Some("What runs."));
    assert_eq!((at(targets[1].span), &targets[1].platform), ("app", &None));
    spec.target = None;
    assert!(larder_plan::outline::targets(&spec)[2].is_default);
}

#[test]
fn args_are_those_of_the_stages_of_the_result() {
    let mut request = request();
    request.build_args = [("TOKEN", "t"), ("MODE", "m")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let outline = outline(&planned(&spec(), &request));
    assert_eq!(outline.name, "app");
    let args: Vec<_> = (outline.args.iter())
        .map(|arg| {
            (
                arg.name.as_str(),
                arg.value.as_deref(),
                arg.default.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        args,
        [
            ("VERSION", Some("1"), Some("1")),
            ("TOKEN", Some("t"), None),
            ("MIRROR", Some("https://$host"), Some("https://$$host")),
            ("MODE", Some("m"), Some("${VERSION}-x")),
        ]
    );
    assert_eq!(at(outline.args[3].span), "MODE");
}

#[test]
fn descriptions_of_args_and_stages_are_told() {
    let mut spec = spec();
    let text = |text: &str| Some(Spanned::new(text.to_owned(), Span::default()));
    spec.args[1].description = text("For the registry.");
    spec.stages[2].description = text("Not it.");
    spec.target = text("other");
    let plan = planned(&spec, &request());
    let outline = outline(&plan);
    assert_eq!(outline.description.as_deref(), Some("Not it."));
    let names: Vec<&str> = outline.args.iter().map(|arg| arg.name.as_str()).collect();
    assert_eq!(names, ["VERSION", "TOKEN", "UNUSED"]);
    let described = outline.args[1].description.as_deref();
    assert_eq!(
        (described, &outline.args[1].value),
        (Some("For the registry."), &None)
    );
}

#[test]
fn caches_and_secrets_are_listed_once() {
    let mut plan = planned(&spec(), &request());
    for stage in &mut plan.stages {
        for step in &mut stage.steps {
            if let Action::Run(run) = &mut step.action {
                run.options.secrets.push(PlannedSecret {
                    id: "token".to_owned(),
                    target: Some("/run/secrets/token".to_owned()),
                    env: None,
                    optional: stage.name == "base",
                    owner: Owner::default(),
                    mode: 0o400,
                });
            }
        }
    }
    let outline = outline(&plan);
    let secrets = &outline.secrets;
    assert_eq!((secrets.len(), secrets[0].required), (1, true));
    assert_eq!(at(secrets[0].span), "pip install a");
    assert_eq!(outline.ssh, []);
    let caches: Vec<_> = (outline.caches.iter())
        .map(|cache| (cache.name.as_str(), cache.target.as_str(), at(cache.span)))
        .collect();
    assert_eq!(
        caches,
        [
            ("pip", "/cache/pip", "pip install a"),
            ("npm", "/cache/npm", "npm ci")
        ]
    );
    assert!(outline.caches[0].id.starts_with("/larder/shared/pip/"));
}
