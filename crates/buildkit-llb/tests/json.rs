//! `dockerfile.llb` and `dockerfile.json` are what BuildKit's frontend of Dockerfiles makes of the
//! `Dockerfile` beside them, as LLB and as the answer to `frontend.convertllb`.

use std::collections::BTreeSet;

use buildkit_llb::{Definition, ImportError};
use serde_json::{Value, json};

const LLB: &[u8] = include_bytes!("json/dockerfile.llb");
const JSON: &str = include_str!("json/dockerfile.json");

/// What there is in a definition, in any order.
fn parts(definition: Definition) -> BTreeSet<String> {
    let proto = definition.into_proto();
    let ops = proto.def.iter().map(|op| format!("{op:?}"));
    let said = proto.metadata.iter().map(|said| format!("{said:?}"));
    let source = proto.source.into_iter().flat_map(|source| {
        let files = source.infos.iter().map(|file| {
            let name = (&file.filename, &file.language);
            format!("{name:?} {}", String::from_utf8_lossy(&file.data))
        });
        let places = source.locations.iter().map(|place| format!("{place:?}"));
        files.chain(places).collect::<Vec<_>>()
    });
    ops.chain(said).chain(source).collect()
}

fn json() -> Value {
    serde_json::from_str(JSON).expect("it is JSON")
}

fn read(json: &Value) -> Result<Definition, ImportError> {
    Definition::from_json(json.to_string().as_bytes())
}

#[test]
fn json_is_the_same_definition() {
    let from_bytes = Definition::from_bytes(LLB).expect("it is LLB");
    let from_json = read(&json()).expect("it is LLB");
    assert_eq!(from_json.head(), from_bytes.head());
    assert!(from_json.vertices().count() > 12);
    assert_eq!(parts(from_json), parts(from_bytes));
}

#[test]
fn inputs_come_first() {
    let definition = read(&json()).expect("it is LLB");
    let mut seen = BTreeSet::new();
    for op in Definition::into_proto(definition).def {
        let text = format!("{op:?}");
        assert!(seen.insert(text), "an operation is there twice");
    }
    let definition = read(&json()).expect("it is LLB");
    let mut graph = buildkit_llb::Graph::new();
    let output = graph.import(&definition).expect("it is whole");
    assert!(output.is_some());
}

#[test]
fn nothing_is_nothing() {
    let empty = json!({"def": {}, "metadata": {}, "source": null});
    assert!(read(&empty).expect("it is LLB").is_scratch());
}

#[test]
fn what_is_not_known_is_an_error() {
    let whole = json();
    let ops = whole["def"].as_object().expect("there are some");
    let mut execs = ops.iter().filter(|(_, op)| op.get("exec").is_some());
    let (exec, _) = execs.next().expect("there is one");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut json = whole.clone();
        change(&mut json);
        read(&json).expect_err("it is no LLB").to_string()
    };
    let unknown = with(&|json| json["def"][exec]["exec"]["later"] = json!(1));
    assert!(
        unknown.contains("exec: `later` is not known here"),
        "{unknown}"
    );
    let other = with(&|json| json["def"][exec]["exec"]["meta"]["cwd"] = json!("/other"));
    assert!(
        other.contains("there is more to it than is known here"),
        "{other}"
    );
    let kind = with(&|json| json["def"][exec]["exec"]["mounts"] = json!("none"));
    assert!(kind.contains("mounts: `\"none\"` is no list"), "{kind}");
    let missing = with(&|json| {
        json["def"]
            .as_object_mut()
            .expect("there are some")
            .remove(exec);
    });
    assert!(missing.contains("lacks the operation sha256:"), "{missing}");
    assert!(with(&|json| json["def"] = json!([])).contains("it has no `def`"));
    assert!(Definition::from_json(b"{").is_err());
}
