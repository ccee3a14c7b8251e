//! The calls of a fake daemon.

use std::collections::BTreeMap;
use std::ops::Range;

use buildkit_llb::Definition;
use buildkit_proto::google::rpc;
use buildkit_proto::moby::buildkit::v1::frontend as wire;
use buildkit_proto::pb::{self, op};
use prost::Message as _;

use super::script::{Call, Files};
use super::{FakeBridge, Returned, State};
use crate::wire::recoded;
use crate::{
    Bridge, Capabilities, Failure, FileStat, FrontendRequest, ImageRequest, Outcome, RawResult,
    Ref, ResolvedImage, SolveRequest, Warning, time,
};

impl FakeBridge {
    pub(super) fn pong(&self) -> wire::PongResponse {
        self.state().script.pong()
    }

    pub(super) fn answer_resolve(
        &self,
        request: &ImageRequest,
    ) -> Result<ResolvedImage, rpc::Status> {
        let mut state = self.state();
        state.seen.resolved.push(request.clone());
        state.script.failure(Call::Resolve, &request.reference)?;
        let Some(image) = state.script.images.get(&request.reference) else {
            return Err(status(5, format!("{}: not found", request.reference)));
        };
        Ok(ResolvedImage {
            reference: request.reference.clone(),
            digest: digest_of(&image.config),
            config: image.config.clone().into_bytes(),
        })
    }

    fn is_silent(&self, reference: &str) -> bool {
        let state = self.state();
        let mut rules = state.script.silent.iter().rev();
        let rule = rules.find(|(text, _)| reference.contains(text.as_str()));
        rule.is_some_and(|(_, silent)| *silent)
    }

    pub(super) fn answer_time(&self, identifier: &str) -> Result<Option<i64>, rpc::Status> {
        let mut state = self.state();
        state.seen.timed.push(identifier.to_owned());
        state.script.failure(Call::Resolve, identifier)?;
        Ok(state.script.times.get(identifier).copied())
    }

    pub(super) fn answer_solve(&self, request: SolveRequest) -> Result<Ref, rpc::Status> {
        let mut state = self.state();
        let definition = request.definition.clone();
        let ops = decode(&definition)?;
        state.seen.solved.push(request);
        state.script.failure(Call::Solve, &format!("{ops:?}"))?;
        if ops.is_empty() {
            return Ok(Ref::default());
        }
        let files = state.files(&ops)?;
        let id = format!("ref-{}", state.seen.solved.len());
        state.refs.insert(id.clone(), files);
        Ok(Ref {
            id,
            definition: Some(definition),
        })
    }

    pub(super) fn answer_frontend(
        &self,
        request: FrontendRequest,
    ) -> Result<wire::Result, rpc::Status> {
        let mut state = self.state();
        let asked = request
            .options
            .get("requestid")
            .cloned()
            .unwrap_or_default();
        let key = (request.frontend.clone(), asked);
        state.seen.forwarded.push(request);
        let (name, asked) = &key;
        state
            .script
            .failure(Call::Frontend, &format!("{name} {asked}"))?;
        match state.script.frontends.get(&key) {
            Some(result) => Ok(result.clone()),
            None => Err(status(2, format!("invalid frontend: {name} {asked}"))),
        }
    }

    pub(super) fn answer_read(
        &self,
        id: &str,
        path: &str,
        range: Range<u64>,
    ) -> Result<Vec<u8>, rpc::Status> {
        let mut state = self.state();
        state.seen.read.push(path.to_owned());
        state.script.failure(Call::Read, path)?;
        let data = state.file(id, path)?;
        let at = |offset: u64| {
            usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(data.len())
        };
        Ok(data[at(range.start)..at(range.end)].to_vec())
    }

    pub(super) fn answer_stat(&self, id: &str, path: &str) -> Result<FileStat, rpc::Status> {
        let state = self.state();
        let data = state.file(id, path)?;
        Ok(stat(path, data))
    }

    pub(super) fn answer_read_dir(
        &self,
        id: &str,
        path: &str,
        pattern: Option<&str>,
    ) -> Vec<FileStat> {
        let state = self.state();
        let prefix = match normal(path) {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let mut found: Vec<FileStat> = Vec::new();
        for (path, data) in state.refs.get(id).into_iter().flatten() {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            let entry = match rest.split_once('/') {
                None => stat(rest, data),
                Some((dir, _)) => FileStat {
                    path: dir.to_owned(),
                    mode: 1 << 31 | 0o755,
                    ..FileStat::default()
                },
            };
            let wanted = pattern.is_none_or(|pattern| matches(pattern, &entry.path));
            if wanted && !found.contains(&entry) {
                found.push(entry);
            }
        }
        found
    }

    pub(super) fn answer_warn(&self, warning: Warning) -> Result<(), rpc::Status> {
        let mut state = self.state();
        state.script.failure(Call::Warn, &warning.short)?;
        state.seen.warnings.push(warning);
        Ok(())
    }

    pub(super) fn answer_inputs(&self) -> BTreeMap<String, Definition> {
        self.state().script.inputs.clone()
    }

    pub(super) fn answer_return(&self, returned: Returned) -> Result<(), rpc::Status> {
        let mut state = self.state();
        if state.seen.returned.is_some() {
            return Err(status(2, "the build has returned already"));
        }
        state.seen.returned = Some(returned);
        Ok(())
    }
}

impl Bridge for FakeBridge {
    async fn ping(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities::from(self.pong()))
    }

    async fn resolve_image(&self, request: &ImageRequest) -> Result<ResolvedImage, Failure> {
        let answer = self.answer_resolve(request);
        if self.is_silent(&request.reference) {
            std::future::pending::<()>().await;
        }
        answer.map_err(failure)
    }

    async fn source_time(&self, of: &Definition, _: &str) -> Result<Option<i64>, Failure> {
        match time::only_source(of) {
            Some(source) => self.answer_time(&source.identifier).map_err(failure),
            None => Ok(None),
        }
    }

    async fn solve(&self, request: SolveRequest) -> Result<Ref, Failure> {
        self.answer_solve(request).map_err(failure)
    }

    async fn solve_frontend(&self, request: FrontendRequest) -> Result<RawResult, Failure> {
        let result = self.answer_frontend(request).map_err(failure)?;
        Ok(RawResult::new(recoded(&result)))
    }

    async fn read_range(
        &self,
        from: &Ref,
        path: &str,
        range: Range<u64>,
    ) -> Result<Vec<u8>, Failure> {
        self.answer_read(&from.id, path, range).map_err(failure)
    }

    async fn stat_file(&self, from: &Ref, path: &str) -> Result<FileStat, Failure> {
        self.answer_stat(&from.id, path).map_err(failure)
    }

    async fn read_dir(
        &self,
        from: &Ref,
        path: &str,
        pattern: Option<&str>,
    ) -> Result<Vec<FileStat>, Failure> {
        Ok(self.answer_read_dir(&from.id, path, pattern))
    }

    async fn warn(&self, warning: Warning) -> Result<(), Failure> {
        self.answer_warn(warning).map_err(failure)
    }

    async fn inputs(&self) -> Result<BTreeMap<String, Definition>, Failure> {
        Ok(self.answer_inputs())
    }

    async fn return_outcome(&self, outcome: Outcome) -> Result<(), Failure> {
        let returned = Returned::Outcome(Box::new(recoded(&outcome.into_wire())));
        self.answer_return(returned).map_err(failure)
    }

    async fn return_failure(&self, failure_to_return: &Failure) -> Result<(), Failure> {
        self.answer_return(Returned::Error(failure_to_return.to_status()))
            .map_err(failure)
    }
}

impl State {
    /// What the sources of a definition hold, all of them together.
    fn files(&self, ops: &[pb::Op]) -> Result<Files, rpc::Status> {
        let mut files = Files::new();
        for op in ops {
            let Some(op::Op::Source(source)) = &op.op else {
                continue;
            };
            let identifier = source.identifier.as_str();
            let image = identifier.strip_prefix("docker-image://");
            let image = image.map(|name| name.split_once('@').map_or(name, |(name, _)| name));
            let known = match image {
                Some(name) => self.script.images.get(name).map(|image| &image.files),
                None => self.script.sources.get(identifier),
            };
            let Some(known) = known else {
                return Err(status(5, format!("{identifier}: not found")));
            };
            let patterns: Vec<String> = ["local.followpaths", "local.includepattern"]
                .iter()
                .filter_map(|key| source.attrs.get(*key))
                .filter_map(|json| serde_json::from_str::<Vec<String>>(json).ok())
                .flatten()
                .collect();
            let sent = known.iter().filter(|(path, _)| {
                patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, path))
            });
            files.extend(sent.map(|(path, data)| (path.clone(), data.clone())));
        }
        Ok(files)
    }

    fn file(&self, id: &str, path: &str) -> Result<&Vec<u8>, rpc::Status> {
        let files = self.refs.get(id);
        files
            .and_then(|files| files.get(normal(path)))
            .ok_or_else(|| {
                status(
                    2,
                    format!("open /{}: no such file or directory", normal(path)),
                )
            })
    }
}

fn decode(definition: &Definition) -> Result<Vec<pb::Op>, rpc::Status> {
    let definition = definition.clone().into_proto();
    definition
        .def
        .iter()
        .map(|bytes| pb::Op::decode(bytes.as_slice()))
        .collect::<Result<_, _>>()
        .map_err(|error| status(3, error.to_string()))
}

fn stat(path: &str, data: &[u8]) -> FileStat {
    FileStat {
        path: normal(path).to_owned(),
        mode: 0o644,
        size: data.len() as u64,
        ..FileStat::default()
    }
}

fn normal(path: &str) -> &str {
    path.trim_start_matches("./").trim_matches('/')
}

/// `*` is any part of one path segment; a directory matches all that is in it.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (normal(pattern), normal(path));
    let mut segments = path.split('/');
    pattern
        .split('/')
        .all(|wanted| segments.next().is_some_and(|segment| glob(wanted, segment)))
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&at| rest.is_char_boundary(at))
                .any(|at| glob(after, &rest[at..]))
        }),
    }
}

/// Different for different configs, and of the right form.
fn digest_of(text: &str) -> String {
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("sha256:{sum:064x}")
}

fn status(code: i32, message: impl Into<String>) -> rpc::Status {
    rpc::Status {
        code,
        message: message.into(),
        details: Vec::new(),
    }
}

fn failure(status: rpc::Status) -> Failure {
    Failure::Daemon(Box::new(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("a/*/c.toml", "a/b/c.toml"));
        assert!(matches("a", "a/b/c"));
        assert!(matches("./req*.txt", "requirements.txt"));
        assert!(!matches("a/*", "a"));
        assert!(!matches("*.txt", "a/b.txt"));
    }
}
