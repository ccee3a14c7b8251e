//! Rendered manifests, and what is asked of them.

use serde_json::{Map, Value};

/// All objects of an overlay.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) objects: Vec<Value>,
}

/// Pods that something starts.
pub(crate) struct Pods<'a> {
    /// As `StatefulSet/buildkitd`.
    pub(crate) name: String,
    pub(crate) kind: &'a str,
    pub(crate) replicas: u64,
    pub(crate) labels: &'a Map<String, Value>,
    pub(crate) spec: &'a Value,
}

/// A container, whether it starts before the others or not.
pub(crate) struct Container<'a> {
    /// As `StatefulSet/buildkitd: state`.
    pub(crate) name: String,
    pub(crate) first: bool,
    pub(crate) spec: &'a Value,
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

impl Set {
    pub(crate) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |one| one["kind"] == kind)
    }

    pub(crate) fn has(&self, kind: &str, called: &str) -> bool {
        self.of(kind).any(|one| name(one) == called)
    }

    pub(crate) fn pods(&self) -> Vec<Pods<'_>> {
        self.objects.iter().filter_map(pods).collect()
    }

    pub(crate) fn containers(&self) -> Vec<Container<'_>> {
        self.pods().iter().flat_map(Pods::containers).collect()
    }
}

fn pods(object: &Value) -> Option<Pods<'_>> {
    let template = match text(&object["kind"]) {
        "StatefulSet" | "Deployment" | "Job" => &object["spec"]["template"],
        "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
        _ => return None,
    };
    Some(Pods {
        name: format!("{}/{}", text(&object["kind"]), name(object)),
        kind: text(&object["kind"]),
        replicas: object["spec"]["replicas"].as_u64().unwrap_or(1),
        labels: template["metadata"]["labels"].as_object()?,
        spec: &template["spec"],
    })
}

impl<'a> Pods<'a> {
    /// Whether they are to run for as long as nobody ends them.
    pub(crate) fn serve(&self) -> bool {
        matches!(self.kind, "StatefulSet" | "Deployment")
    }

    pub(crate) fn containers(&self) -> Vec<Container<'a>> {
        let of = |key: &str, first| {
            list(&self.spec[key]).iter().map(move |spec| Container {
                name: format!("{}: {}", self.name, text(&spec["name"])),
                first,
                spec,
            })
        };
        of("initContainers", true)
            .chain(of("containers", false))
            .collect()
    }

    /// Whether a selector of labels means them; one that says nothing means all.
    pub(crate) fn selected(&self, selector: &Value) -> bool {
        let wanted = selector.as_object();
        (wanted.into_iter().flatten()).all(|(key, value)| self.labels.get(key) == Some(value))
    }

    /// The ports that they listen on, with their names.
    pub(crate) fn ports(&self) -> Vec<(&'a str, u64)> {
        self.containers()
            .iter()
            .flat_map(|one| list(&one.spec["ports"]))
            .map(|port| {
                let number = port["containerPort"].as_u64().unwrap_or_default();
                (text(&port["name"]), number)
            })
            .collect()
    }
}
