//! What planning asks for, and in which order.

use std::collections::BTreeSet;

use buildkit_llb::Platform;
use larder_diagnostic::SourceFile;
use larder_plan::{
    AccountFiles, Facts, ImageConfig, ImageFact, ImageId, ImageNeed, Needs, Plan, Planned, Request,
    offline_facts, plan,
};
use larder_spec::model::Spec;

const DEBIAN: &str = "docker.io/library/debian:13";

fn debian() -> ImageId {
    ImageId::new(DEBIAN)
}

fn spec(text: &str) -> Spec {
    let parsed = larder_spec::parse(&SourceFile::new("larder.yaml", text));
    assert_eq!(parsed.diagnostics, []);
    parsed.spec.expect("it is a spec")
}

fn request() -> Request {
    Request::new(Platform::new("linux", "amd64", ""), "test")
}

fn needs(text: &str, facts: &Facts) -> Needs {
    match plan(&spec(text), &request(), facts) {
        Planned::Needs(needs) => needs,
        other => panic!("{other:?}"),
    }
}

fn planned(text: &str, facts: &Facts) -> Plan {
    match plan(&spec(text), &request(), facts) {
        Planned::Plan(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn with_config(user: &str) -> Facts {
    let config = format!(r#"{{"config":{{"User":"{user}"}}}}"#);
    let mut facts = Facts::default();
    facts.images.insert(
        debian(),
        ImageFact {
            config: ImageConfig::from_json(config.as_bytes()).expect("it is JSON"),
            ..ImageFact::default()
        },
    );
    facts
}

#[test]
fn files_of_an_image_are_read_only_where_they_matter() {
    let ask = |text: &str, facts: &Facts| needs(text, facts).images[&debian()];
    let root = "from: debian:13\nsteps: [{run: make}]\n";
    assert_eq!(ask(root, &Facts::default()), ImageNeed::Config);
    planned(root, &with_config(""));
    // The image's own user is not root.
    assert_eq!(ask(root, &with_config("app")), ImageNeed::Accounts);
    // A user is named: asked for at once.
    let user = "from: debian:13\nuser: app\nsteps: [{run: make}]\n";
    assert_eq!(ask(user, &Facts::default()), ImageNeed::Accounts);
    // The id of the cache depends on the distribution.
    let cache = "from: debian:13\nsteps: [{run: apt-get update}]\n";
    assert_eq!(ask(cache, &Facts::default()), ImageNeed::Config);
    assert_eq!(ask(cache, &with_config("")), ImageNeed::Accounts);
    let none = "from: debian:13\ncaches: none\nsteps: [{run: apt-get update}]\n";
    planned(none, &with_config(""));
}

#[test]
fn what_the_result_does_not_need_is_not_asked_for() {
    let text = "stages:\n  other:\n    from: alpine\n    steps: [{install: pip}]\n  \
                last:\n    from: debian:13\n";
    let needs = needs(text, &Facts::default());
    assert_eq!(needs.images.keys().collect::<Vec<_>>(), [&debian()]);
    assert!(needs.files.is_empty());
}

#[test]
fn manifests_lead_to_others() {
    let text = "from: debian:13\nsteps: [{install: pip}]\n";
    let mut facts = with_config("");
    let files = |facts: &Facts| needs(text, facts).files.into_iter().collect::<Vec<_>>();
    assert_eq!(files(&facts), ["pyproject.toml", "requirements.txt"]);
    facts.files.asked.extend(files(&facts));
    let found = [("requirements.txt".to_owned(), "-r deps/a.txt\n".to_owned())];
    facts.files.found.extend(found);
    assert_eq!(files(&facts), ["deps/a.txt"]);
}

#[test]
fn directories_of_the_cache_context_matter_where_there_are_caches() {
    let ask = |text: &str, facts: &Facts| {
        let mut request = request();
        request.cache_context = Some(request.context.clone());
        match plan(&spec(text), &request, facts) {
            Planned::Needs(needs) => Err(needs.cache_directories),
            Planned::Plan(plan) => Ok(plan.seeds),
            other @ Planned::Mistakes(_) => panic!("{other:?}"),
        }
    };
    let mut facts = with_config("");
    let pip = "from: debian:13\nsteps: [{run: npm ci}, {run: id, caches: [{id: x, target: /x}]}]\n";
    planned("from: debian:13\nsteps: [{run: id}]\n", &facts);
    assert_eq!(
        ask("from: debian:13\nsteps: [{run: id}]\n", &facts),
        Ok(BTreeSet::new())
    );
    facts
        .images
        .get_mut(&debian())
        .expect("it is there")
        .accounts = Some(AccountFiles::default());
    assert_eq!(ask(pip, &facts), Err(true));
    facts.cache_directories = Some(BTreeSet::new());
    assert_eq!(ask(pip, &facts), Ok(BTreeSet::new()));
    let names = ["pip", "x", "y"].map(str::to_owned);
    facts.cache_directories = Some(names.into());
    assert_eq!(ask(pip, &facts), Ok(BTreeSet::from(["x".to_owned()])));
}

#[test]
fn without_a_daemon_defaults_stand_in_and_are_told() {
    let text =
        "from: debian:13\nuser: build\nsteps: [{run: apt-get update}, {run: id, user: web}]\n";
    let mut facts = Facts::default();
    let needs = needs(text, &facts);
    assert_eq!(
        offline_facts(&needs, &mut facts),
        [format!(
            "{DEBIAN}: user root, directory /, the usual PATH, distribution not known"
        )]
    );
    let plan = planned(text, &facts);
    assert_eq!(
        plan.assumed,
        [
            "debian:13: user build is 1000:1000, home /home/build",
            "debian:13: user web is 1000:1000, home /home/web"
        ]
    );
    // Files that nobody saw are not overwritten.
    let shown = format!("{plan:?}");
    assert!(shown.contains("passwd: None, group: None"), "{shown}");
    assert_eq!(plan.config.config.user, "1000:1000");
}

#[test]
fn accounts_may_be_absent_altogether() {
    let text = "from: debian:13\nuser: build\n";
    let mut facts = with_config("");
    let fact = facts.images.get_mut(&debian()).expect("it is there");
    fact.accounts = Some(AccountFiles::default());
    let shown = format!("{:?}", planned(text, &facts));
    assert!(
        shown.contains(r#"passwd: Some("build:x:1000:1000::/home/build:/bin/sh\n")"#),
        "{shown}"
    );
}

#[test]
fn build_args_that_nothing_declares_are_pointed_out() {
    let text = "args: {VERSION: 1, HTTP_PROXY: }\nfrom: debian:13\n";
    let mut request = request();
    for name in ["VERSIN", "http_proxy", "BUILDKIT_INLINE_CACHE", "OTHER"] {
        request.build_args.insert(name.to_owned(), "x".to_owned());
    }
    let Planned::Plan(plan) = plan(&spec(text), &request, &with_config("")) else {
        panic!("it is right");
    };
    let said: Vec<String> = plan
        .warnings
        .iter()
        .map(|warning| {
            format!(
                "{}: {}",
                warning.message,
                warning.hint.as_deref().unwrap_or("")
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "the spec declares no arg called `OTHER`: declare `OTHER` under `args`, or leave it out",
            "the spec declares no arg called `VERSIN`: did you mean `--build-arg VERSION=…`?",
        ]
    );
}
