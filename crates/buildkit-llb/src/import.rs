//! Definitions made by others.

use std::collections::BTreeMap;
use std::fmt;

use buildkit_proto::pb;
use prost::{DecodeError, Message as _};

use crate::definition::{Definition, decode, read_input};
use crate::digest::{Digest, InvalidDigest};
use crate::graph::{Graph, Output, Vertex};
use crate::meta::Said;
use crate::source_map::SourceId;
use crate::wire::RawDefinition;

/// Why a definition cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are not a definition.
    NotADefinition(String),
    /// An entry is not an operation.
    NotAnOperation {
        /// The entry's digest.
        digest: Digest,
        /// What is wrong.
        reason: String,
    },
    /// The last entry does not name one output.
    NoHead,
    /// An operation takes the output of one that is not there.
    MissingInput(Digest),
    /// An operation takes an output with a negative number, or a huge one.
    InvalidIndex(i64),
    /// An operation takes the output of something that is not named by digest.
    InvalidDigest(InvalidDigest),
    /// A location in a source file that is not there.
    InvalidLocation(i32),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADefinition(reason) => write!(f, "not an LLB definition: {reason}"),
            Self::NotAnOperation { digest, reason } => {
                write!(f, "{digest} is not an LLB operation: {reason}")
            }
            Self::NoHead => {
                f.write_str("the last entry of the LLB definition does not name one output")
            }
            Self::MissingInput(digest) => {
                write!(f, "the LLB definition lacks the operation {digest}")
            }
            Self::InvalidIndex(index) => write!(f, "an LLB operation has no output {index}"),
            Self::InvalidDigest(error) => error.fmt(f),
            Self::InvalidLocation(index) => {
                write!(f, "the LLB definition has no source file {index}")
            }
        }
    }
}

impl std::error::Error for ImportError {}

impl Graph {
    /// Adds the operations of a definition that somebody else made, and says its output; nothing
    /// for an empty filesystem.
    ///
    /// Operations stay as they are, byte for byte, whatever is in them. What is said of them and
    /// where they stand in source files comes along. After an error the graph may have some of the
    /// operations, which does no harm. An operation that stands somewhere already stays there.
    pub fn import(&mut self, definition: &Definition) -> Result<Option<Output>, ImportError> {
        let Some((head, index)) = definition.head_input()? else {
            return Ok(None);
        };
        let mut pending = BTreeMap::new();
        for (digest, bytes) in definition.operations() {
            let op = decode(bytes)?;
            let inputs = op.inputs.iter().map(|input| Ok(read_input(input)?.0));
            let inputs = inputs.collect::<Result<Vec<Digest>, ImportError>>()?;
            pending.insert(digest, Pending { bytes, inputs });
        }
        let import = Import {
            graph: self,
            definition: definition.raw(),
            pending,
            known: BTreeMap::new(),
        };
        let vertex = import.run(head)?;
        Ok(Some(vertex.output(index)))
    }
}

struct Pending<'a> {
    bytes: &'a [u8],
    inputs: Vec<Digest>,
}

struct Import<'a> {
    graph: &'a mut Graph,
    definition: &'a RawDefinition,
    pending: BTreeMap<Digest, Pending<'a>>,
    known: BTreeMap<Digest, Vertex>,
}

impl Import<'_> {
    /// Adds what the head needs, inputs first. No operation can be among its own inputs, since
    /// they are in what its digest is made of.
    fn run(mut self, head: Digest) -> Result<Vertex, ImportError> {
        // An operation, and how many of its inputs are known.
        let mut path = vec![(head, 0)];
        while let Some((digest, next)) = path.last_mut() {
            let digest = *digest;
            let Some(op) = self.pending.get(&digest) else {
                return Err(ImportError::MissingInput(digest));
            };
            if let Some(input) = op.inputs.get(*next) {
                *next += 1;
                if !self.known.contains_key(input) {
                    path.push((*input, 0));
                }
                continue;
            }
            let inputs = op.inputs.iter().map(|input| self.known[input]).collect();
            let said = self.definition.metadata.get(&digest.to_string());
            let said = Said::decode(said.cloned().unwrap_or_default());
            let vertex =
                self.graph
                    .insert(op.bytes, inputs, said.map_err(|error| not_one(&error))?);
            self.known.insert(digest, vertex);
            path.pop();
        }
        self.locate()?;
        Ok(self.known[&head])
    }

    fn locate(&mut self) -> Result<(), ImportError> {
        let Some(source) = &self.definition.source else {
            return Ok(());
        };
        let infos = source.infos.iter().cloned();
        let files: Vec<SourceId> = infos.map(|info| self.graph.add_file(info)).collect();
        for (digest, vertex) in &self.known {
            let Some(bytes) = source.locations.get(&digest.to_string()) else {
                continue;
            };
            let here = pb::Locations::decode(bytes.as_slice());
            let here = here.map_err(|error| not_one(&error))?;
            let known = self.graph.locations(*vertex);
            if !known.is_empty() {
                continue;
            }
            for mut location in here.locations {
                let index = location.source_index;
                let file = usize::try_from(index).ok().and_then(|at| files.get(at));
                let file = file.ok_or(ImportError::InvalidLocation(index))?;
                location.source_index = i32::try_from(file.0).unwrap_or(i32::MAX);
                known.push(location);
            }
        }
        Ok(())
    }
}

fn not_one(error: &DecodeError) -> ImportError {
    ImportError::NotADefinition(error.to_string())
}
