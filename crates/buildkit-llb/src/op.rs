//! An operation of any kind, and where it may run.

use buildkit_proto::pb;

use crate::caps;
use crate::exec::Exec;
use crate::file::File;
use crate::git::Git;
use crate::graph::{Graph, Output};
use crate::platform::Platform;
use crate::source::{Http, Image, Local, OciLayout, Source};

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Brings something in.
    Source(Source),
    /// Runs a program.
    Exec(Exec),
    /// Works on files without a program.
    File(File),
    /// Lays filesystems over one another, the last on top. At least two.
    Merge(Vec<Output>),
    /// What `upper` has that `lower` has not. Nothing stands for the empty filesystem.
    Diff {
        /// What is taken away.
        lower: Option<Output>,
        /// What it is taken from.
        upper: Option<Output>,
    },
}

/// Where an operation may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// The platform; the daemon's own if absent. Operations whose result is the same on every
    /// platform (files, merges, contexts) ignore it, and so are shared between platforms.
    pub platform: Option<Platform>,
    /// Filters that a worker must pass, in containerd's syntax.
    pub worker: Vec<String>,
}

impl Constraints {
    /// On this platform, on any worker.
    pub fn on(platform: Platform) -> Self {
        Self {
            platform: Some(platform),
            worker: Vec::new(),
        }
    }
}

/// What an operation becomes: its inputs, without duplicates, the capabilities that it needs, and
/// its body.
pub(crate) struct Lowering<'a> {
    graph: &'a Graph,
    pub(crate) outputs: Vec<Output>,
    pub(crate) inputs: Vec<pb::Input>,
    pub(crate) caps: Vec<&'static str>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            outputs: Vec::new(),
            inputs: Vec::new(),
            caps: Vec::new(),
        }
    }

    /// The index of an input, the same for the same output.
    pub(crate) fn input(&mut self, output: Output) -> i64 {
        match self.outputs.iter().position(|known| *known == output) {
            Some(index) => signed(index),
            None => self.push_input(output),
        }
    }

    /// The index of an input, or the one that means the empty filesystem.
    pub(crate) fn input_or_scratch(&mut self, output: Option<Output>) -> i64 {
        output.map_or(SCRATCH, |output| self.input(output))
    }

    fn push_input(&mut self, output: Output) -> i64 {
        self.outputs.push(output);
        self.inputs.push(pb::Input {
            digest: self.graph.digest(output.vertex).to_string(),
            index: i64::from(output.index),
        });
        signed(self.inputs.len() - 1)
    }

    pub(crate) fn need(&mut self, cap: &'static str) {
        if !self.caps.contains(&cap) {
            self.caps.push(cap);
        }
    }
}

/// As an input index: the empty filesystem. The wire's default, 0, would be the first input.
pub(crate) const SCRATCH: i64 = -1;
/// As an output index: no output.
pub(crate) const NO_OUTPUT: i64 = -1;

pub(crate) fn signed(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

impl Op {
    /// Whether its result depends on the platform.
    pub(crate) fn has_platform(&self) -> bool {
        matches!(
            self,
            Self::Exec(_) | Self::Source(Source::Image(_) | Source::OciLayout(_))
        )
    }

    pub(crate) fn lower(self, to: &mut Lowering<'_>) -> pb::op::Op {
        match self {
            Self::Source(source) => pb::op::Op::Source(source.lower(to)),
            Self::Exec(exec) => pb::op::Op::Exec(exec.lower(to)),
            Self::File(file) => pb::op::Op::File(file.lower(to)),
            Self::Merge(outputs) => {
                to.need(caps::MERGE);
                // Not without duplicates: the order is the meaning.
                let inputs = outputs
                    .into_iter()
                    .map(|output| to.push_input(output))
                    .map(|input| pb::MergeInput { input })
                    .collect();
                pb::op::Op::Merge(pb::MergeOp { inputs })
            }
            Self::Diff { lower, upper } => {
                to.need(caps::DIFF);
                let lower = to.input_or_scratch(lower);
                let upper = to.input_or_scratch(upper);
                pb::op::Op::Diff(pb::DiffOp {
                    lower: Some(pb::LowerDiffInput { input: lower }),
                    upper: Some(pb::UpperDiffInput { input: upper }),
                })
            }
        }
    }
}

macro_rules! into_op {
    ($($from:ident => |$name:ident| $op:expr;)*) => {
        $(impl From<$from> for Op {
            fn from($name: $from) -> Self {
                $op
            }
        })*
    };
}

into_op! {
    Source => |source| Op::Source(source);
    Image => |image| Op::Source(Source::Image(image));
    Local => |local| Op::Source(Source::Local(local));
    Git => |git| Op::Source(Source::Git(git));
    Http => |http| Op::Source(Source::Http(http));
    OciLayout => |layout| Op::Source(Source::OciLayout(layout));
    Exec => |exec| Op::Exec(exec);
    File => |file| Op::File(file);
}
