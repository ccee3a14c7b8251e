use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

/// What `--progress=rawjson` tells of a build.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// In the order in which they are first named.
    pub vertices: Vec<Vertex>,
    /// What steps print, in whole lines, in the order in which these end.
    pub logs: String,
    /// The short text of each warning, and its details.
    pub warnings: Vec<String>,
    /// The first line that each warning is about, counted from 1; 0 where it is about none.
    pub warning_lines: Vec<u32>,
    /// What was not progress: excerpts, and the error.
    pub text: String,
}

/// The last line, not at its end yet, of what an operation prints to a stream.
type Lines = BTreeMap<(String, i64), Vec<u8>>;

/// An operation, as the daemon knows it.
#[derive(Clone, Debug, Default)]
pub struct Vertex {
    /// `sha256:…`.
    pub digest: String,
    /// As shown, without the caches.
    pub name: String,
    /// The caches that the name ends with.
    pub caches: Vec<String>,
    /// Digests of the operations whose results it takes.
    pub inputs: Vec<String>,
    /// Whether it began.
    pub started: bool,
    /// Whether it ended.
    pub completed: bool,
    /// Whether its result was there before.
    pub cached: bool,
    /// Why it failed.
    pub error: Option<String>,
}

impl Progress {
    /// Reads what the docker command printed. One version writes a line of JSON for each piece of
    /// news, another writes it over many.
    pub fn read(printed: &str) -> Self {
        let mut progress = Self::default();
        let mut known = BTreeMap::new();
        let mut lines = BTreeMap::new();
        let mut rest = printed;
        while !rest.is_empty() {
            if rest.starts_with('{') {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<News>();
                if let Some(Ok(news)) = values.next() {
                    rest = rest[values.byte_offset()..].trim_start_matches('\n');
                    progress.add(news, &mut known, &mut lines);
                    continue;
                }
            }
            let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            progress.text.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        for mut line in lines.into_values().filter(|line| !line.is_empty()) {
            line.push(b'\n');
            progress.logs.push_str(&String::from_utf8_lossy(&line));
        }
        progress
    }

    fn add(&mut self, news: News, known: &mut BTreeMap<String, usize>, lines: &mut Lines) {
        for told in news.vertexes.unwrap_or_default() {
            let index = *known.entry(told.digest.clone()).or_insert_with(|| {
                self.vertices.push(Vertex::default());
                self.vertices.len() - 1
            });
            let vertex = &mut self.vertices[index];
            vertex.digest = told.digest;
            (vertex.name, vertex.caches) = split(&told.name);

            vertex.inputs = told.inputs.unwrap_or_default();
            vertex.started |= told.started.is_some();
            vertex.completed |= told.completed.is_some();
            vertex.cached |= told.cached;
            if !told.error.is_empty() {
                vertex.error = Some(told.error);
            }
        }
        for log in news.logs.unwrap_or_default() {
            let line = lines.entry((log.vertex, log.stream)).or_default();
            line.extend(bytes(&log.data));
            if let Some(end) = line.iter().rposition(|&byte| byte == b'\n') {
                let whole: Vec<u8> = line.drain(..=end).collect();
                self.logs.push_str(&String::from_utf8_lossy(&whole));
            }
        }
        for warning in news.warnings.unwrap_or_default() {
            let mut text = decode(&warning.short);
            for line in warning.detail.unwrap_or_default() {
                text.push('\n');
                text.push_str(&decode(&line));
            }
            self.warnings.push(text);
            let first = warning.range.unwrap_or_default().into_iter().next();
            self.warning_lines
                .push(first.map_or(0, |range| range.start.line));
        }
    }

    /// The lines that steps print after a `>`, without it.
    pub fn said(&self) -> Vec<String> {
        let lines = self.logs.lines();
        let said = lines.filter_map(|line| line.strip_prefix('>'));
        said.map(str::to_owned).collect()
    }

    /// What the spec's steps are: neither what BuildKit does to load files and images, nor the images.
    pub fn steps(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.iter().filter(|vertex| {
            let name = vertex.name.as_str();
            !name.starts_with("[internal]")
                && !name.contains("] FROM ")
                && !name.contains("] from ")
                && !name.starts_with("local://")
                && !name.starts_with("docker-image://")
                && !name.starts_with("resolve image config")
                && !name.starts_with("importing cache")
                && !name.starts_with("exporting")
        })
    }

    /// Names of the steps that were carried out.
    pub fn ran(&self) -> Vec<&str> {
        self.steps()
            .filter(|step| step.started && !step.cached)
            .map(|step| &*step.name)
            .collect()
    }

    /// Names of the steps whose result was there.
    pub fn cached(&self) -> Vec<&str> {
        self.steps()
            .filter(|step| step.cached)
            .map(|step| &*step.name)
            .collect()
    }
}

/// A name that ends in ` (cache: NAME)` or ` (caches: NAME, …)`, and the names there.
fn split(name: &str) -> (String, Vec<String>) {
    let parts = name.strip_suffix(')').and_then(|rest| {
        let one = rest.rsplit_once(" (cache: ");
        one.or_else(|| rest.rsplit_once(" (caches: "))
    });
    match parts {
        Some((name, caches)) => {
            let caches = caches.split(", ").map(str::to_owned);
            (name.to_owned(), caches.collect())
        }
        None => (name.to_owned(), Vec::new()),
    }
}

fn decode(data: &str) -> String {
    String::from_utf8_lossy(&bytes(data)).into_owned()
}

fn bytes(data: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(data).unwrap_or_default()
}

#[derive(Deserialize)]
struct News {
    vertexes: Option<Vec<VertexNews>>,
    logs: Option<Vec<LogNews>>,
    warnings: Option<Vec<WarningNews>>,
}

#[derive(Deserialize)]
struct VertexNews {
    digest: String,
    #[serde(default)]
    name: String,
    inputs: Option<Vec<String>>,
    started: Option<String>,
    completed: Option<String>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct LogNews {
    #[serde(default)]
    vertex: String,
    #[serde(default)]
    stream: i64,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct WarningNews {
    #[serde(default)]
    short: String,
    detail: Option<Vec<String>>,
    range: Option<Vec<RangeNews>>,
}

#[derive(Deserialize)]
struct RangeNews {
    start: PositionNews,
}

#[derive(Deserialize)]
struct PositionNews {
    #[serde(default)]
    line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"vertexes":[{"digest":"sha256:1","name":"[1/2] RUN a"},
        {"digest":"sha256:2","name":"[2/2] RUN b","started":"x","completed":"y","cached":true}]}"#;
    const TWO: &str = r#"{"vertexes":[{"digest":"sha256:1","name":"[1/2] RUN a","started":"x"}],
        "logs":[{"vertex":"sha256:1","data":"aGkK"}],
        "warnings":[{"vertex":"sha256:1","short":"aGk=","detail":["eW91"],
            "range":[{"start":{"line":5},"end":{"line":6}}]}]}"#;

    #[test]
    fn caches_are_no_part_of_the_name() {
        let of = |name: &str| split(name);
        let own = |name: &str, caches: &[&str]| {
            let caches = caches.iter().map(|cache| (*cache).to_owned());
            (name.to_owned(), caches.collect())
        };
        assert_eq!(
            of("[a 1/2] run x (cache: pip)"),
            own("[a 1/2] run x", &["pip"])
        );
        assert_eq!(of("run (caches: a, b)"), own("run", &["a", "b"]));
        assert_eq!(of("run (echo a)"), own("run (echo a)", &[]));
    }

    #[test]
    fn lines_of_steps_side_by_side_are_kept_apart() {
        let log = |vertex: &str, data: &str| {
            format!(r#"{{"logs":[{{"vertex":"{vertex}","stream":1,"data":"{data}"}}]}}"#)
        };
        // `>on`, `>t`, `e\n`, `wo\n`, `>last`
        let news = [
            log("a", "Pm9u"),
            log("b", "PnQ="),
            log("a", "ZQo="),
            log("b", "d28K"),
            log("a", "Pmxhc3Q="),
        ];
        let progress = Progress::read(&news.join("\n"));
        assert_eq!(progress.said(), ["one", "two", "last"]);
    }

    #[test]
    fn news_of_one_vertex_is_put_together() {
        let progress = Progress::read(&format!("{ONE}\n{TWO}\nERROR: {{x}}\n{{not json\n"));
        assert_eq!(progress.ran(), ["[1/2] RUN a"]);
        assert_eq!(progress.cached(), ["[2/2] RUN b"]);
        assert_eq!(progress.logs, "hi\n");
        assert_eq!(progress.warnings, ["hi\nyou"]);
        assert_eq!(progress.warning_lines, [5]);
        assert_eq!(progress.text, "ERROR: {x}\n{not json\n");
    }

    #[test]
    fn lines_and_pretty_printed_values_are_the_same() {
        let value: serde_json::Value = serde_json::from_str(TWO).unwrap();
        let lines = Progress::read(&format!("{value}\n{value}\n"));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let pretty = Progress::read(&format!("{pretty}\n{pretty}\n"));
        assert_eq!(lines.logs, "hi\nhi\n");
        assert_eq!(format!("{lines:?}"), format!("{pretty:?}"));
    }
}
