//! How steps look in the progress display.

use buildkit_llb::Platform;
use larder_diagnostic::SourceFile;
use larder_plan::model::{Action, Manifests, Plan};
use larder_plan::{Facts, Planned, Request, lower, offline_facts, plan};
use serde_json::Value;

fn planned(source: &SourceFile) -> Plan {
    let spec = larder_spec::parse(source).spec.expect("it is a spec");
    let request = Request::new(Platform::new("linux", "amd64", ""), "test");
    let mut facts = Facts::default();
    loop {
        match plan(&spec, &request, &facts) {
            Planned::Plan(plan) => return *plan,
            Planned::Needs(needs) => assert_ne!(offline_facts(&needs, &mut facts), [""; 0]),
            Planned::Mistakes(mistakes) => panic!("{mistakes:?}"),
        }
    }
}

#[test]
fn the_name_of_a_step_says_which_caches_it_has() {
    let text =
        "from: debian:13\nsteps:\n  - run: apt-get update\n  - run: pip install x\n  - run: make\n";
    let source = SourceFile::new("larder.yaml", text);
    let lowered = lower(&planned(&source), &source).expect("nothing is imported");
    let names: Vec<String> = (lowered.definition.vertices())
        .map(|(_, name)| name)
        .filter(|name| name.contains("] run "))
        .collect();
    assert_eq!(
        names,
        [
            "[default 1/3] run apt-get update (caches: apt, apt-lists)",
            "[default 2/3] run pip install x (cache: pip)",
            "[default 3/3] run make",
        ]
    );
}

#[test]
fn what_is_there_for_one_step_alone_is_shown_as_a_part_of_it() {
    let source = SourceFile::new(
        "larder.yaml",
        "from: debian:13\nsteps:\n  - run: pip install x\n  - run: make\n",
    );
    let groups = |arg: &str| {
        let mut plan = planned(&source);
        let Action::Run(run) = &mut plan.stages[0].steps[0].action else {
            panic!("no program");
        };
        run.args.push(arg.to_owned());
        run.manifests = Some(Manifests {
            target: "/src".to_owned(),
            copied: Vec::new(),
            stubs: [("go.mod".to_owned(), String::new())].into(),
            writable: false,
        });
        let lowered = lower(&plan, &source).expect("nothing is imported");
        let json = buildkit_llb::inspect::json(&lowered.definition).expect("it is whole");
        let json: Value = serde_json::from_str(&json).expect("it is JSON");
        let vertices = json["vertices"].as_array().expect("there are some");
        let group = |vertex: &Value| vertex["meta"]["progress_group"].clone();
        let groups: Vec<Value> = vertices.iter().map(group).collect();
        groups
            .into_iter()
            .filter(|group| !group.is_null())
            .collect()
    };
    let found: Vec<Value> = groups("a");
    assert_eq!(found.len(), 2, "{found:?}");
    let name = "[default 1/2] run pip install x (cache: pip)";
    for group in &found {
        assert_eq!(group["name"], name);
        assert_eq!(group["id"], found[0]["id"]);
    }
    assert_eq!(
        (&found[0]["weak"], &found[1]["weak"]),
        (&true.into(), &Value::Null)
    );
    assert_ne!(groups("b")[0]["id"], found[0]["id"]);
}
