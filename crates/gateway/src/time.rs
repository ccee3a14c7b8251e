//! When sources were made.

use buildkit_llb::Definition;
use buildkit_proto::moby::buildkit::v1::frontend::ResolveSourceMetaResponse;
use buildkit_proto::pb::{self, op};
use prost::Message as _;

/// The source of a definition that has exactly one.
pub(crate) fn only_source(definition: &Definition) -> Option<pb::SourceOp> {
    let definition = definition.clone().into_proto();
    let ops = definition.def.iter();
    let mut sources = ops.filter_map(|bytes| match pb::Op::decode(bytes.as_slice()).ok()?.op {
        Some(op::Op::Source(source)) => Some(source),
        _ => None,
    });
    let only = sources.next()?;
    sources.next().is_none().then_some(only)
}

/// What a daemon says of when a source was made, in seconds since 1970.
pub(crate) fn of_answer(answer: &ResolveSourceMetaResponse) -> Option<i64> {
    let commit = answer.git.as_ref().map(|git| git.commit_object.as_slice());
    let changed = || Some(answer.http.as_ref()?.last_modified.as_ref()?.seconds);
    commit.and_then(committed).or_else(changed)
}

/// When a commit was committed, by its object: `committer NAME <ADDRESS> SECONDS ZONE`.
fn committed(object: &[u8]) -> Option<i64> {
    let headers = object
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.is_empty());
    let mut found = headers.filter_map(|line| line.strip_prefix(b"committer "));
    let line = found.next()?;
    let end = line.iter().rposition(|&byte| byte == b'>')?;
    let times = std::str::from_utf8(line.get(end + 1..)?).ok()?;
    times.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Constraints, File, Graph, Http, Local, Meta, Mkdir, Source};

    use super::*;

    #[test]
    fn a_commit_says_when_it_was_committed() {
        let commit = b"tree 1\nparent 2\nauthor A <a@b> 5 +0000\n\
            committer \xff> C <c@d> 1704067200 +0100\ngpgsig x\n y\n\ncommitter no <x> 9 +0000\n";
        assert_eq!(committed(commit), Some(1_704_067_200));
        for wrong in [
            &b""[..],
            b"tree 1\n\ncommitter C <c@d> 7 +0000\n",
            b"committer C c@d 7 +0000\n",
            b"committer C <c@d>\n",
            b"committer C <c@d> x\n",
        ] {
            assert_eq!(committed(wrong), None);
        }
    }

    #[test]
    fn of_several_sources_none_is_the_one() {
        let mut graph = Graph::new();
        let any = Constraints::default();
        let mut add = |source| graph.add(source, &any, Meta::default()).only();
        let web = add(Source::Http(Http::new("https://example.org/a")));
        let local = add(Source::Local(Local::new("context")));
        let directory = Mkdir {
            path: "/a".to_owned(),
            mode: 0o755,
            parents: false,
            owner: None,
            time: None,
        };
        let file = File::on(Some(web)).mkdir(directory);
        let one = graph.add(file.clone(), &any, Meta::default()).only();
        let copied = buildkit_llb::Copy::new(Some(local), "/", "/");
        let two = graph.add(file.copy(copied), &any, Meta::default()).only();
        let found = only_source(&graph.definition(one)).map(|source| source.identifier);
        assert_eq!(found.as_deref(), Some("https://example.org/a"));
        assert_eq!(only_source(&graph.definition(two)), None);
        assert_eq!(only_source(&Definition::scratch()), None);
    }
}
