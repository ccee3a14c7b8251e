//! YAML as a tree in which everything has its place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};
use larder_diagnostic::{Diagnostic, Span, quote};

use crate::report::Report;
use crate::secrets;
use crate::yaml_error;

/// How deep lists and mappings may be nested, aliases followed.
pub const MAX_DEPTH: usize = 64;
/// How many values there may be, aliases followed.
pub const MAX_NODES: usize = 250_000;

/// A value.
#[derive(Debug)]
pub(crate) struct Node<'src> {
    pub(crate) span: Span,
    pub(crate) kind: Kind<'src>,
}

#[derive(Debug)]
pub(crate) enum Kind<'src> {
    /// Anything that is not a list or a mapping.
    Scalar {
        text: Cow<'src, str>,
        style: ScalarStyle,
    },
    List(Vec<Node<'src>>),
    Mapping(Vec<(Node<'src>, Node<'src>)>),
    /// What an anchor or an alias stands for.
    Shared(Rc<Node<'src>>),
}

impl<'src> Node<'src> {
    /// The value that an alias stands for, or else the node.
    pub(crate) fn resolve(&self) -> &Node<'src> {
        let mut node = self;
        while let Kind::Shared(target) = &node.kind {
            node = target;
        }
        node
    }

    /// Whether nothing is written, or one of YAML's words for it.
    pub(crate) fn is_null(&self) -> bool {
        matches!(
            &self.resolve().kind,
            Kind::Scalar { text, style: ScalarStyle::Plain }
                if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL")
        )
    }

    /// The text of a scalar.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.resolve().kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Reads the first document. `None` if the text is not YAML, or there is too much of it; what is
/// wrong is reported.
pub(crate) fn read<'src>(text: &'src str, report: &mut Report) -> Option<Node<'src>> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder {
        text,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                report.push(yaml_error::explain(&error, text));
                return None;
            }
        };
        match builder.event(event, &place, report) {
            Ok(true) => {}
            Ok(false) => break,
            Err(diagnostic) => {
                report.push(diagnostic);
                return None;
            }
        }
    }
    builder.root
}

/// What a node costs, aliases followed.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

/// A list or mapping whose end has not come.
struct Open<'src> {
    start: u32,
    anchor: usize,
    flow: bool,
    mapping: bool,
    /// In a mapping, keys and values by turns.
    children: Vec<Node<'src>>,
    size: Size,
}

struct Builder<'src> {
    text: &'src str,
    open: Vec<Open<'src>>,
    /// Finished nodes that have an anchor.
    anchors: BTreeMap<usize, (Rc<Node<'src>>, Size)>,
    /// All so far, aliases followed.
    nodes: usize,
    root: Option<Node<'src>>,
    documents: usize,
}

impl<'src> Builder<'src> {
    /// Whether to go on.
    fn event(
        &mut self,
        event: Event<'src>,
        place: &granit_parser::Span,
        report: &mut Report,
    ) -> Result<bool, Diagnostic> {
        let at = in_bytes(place);
        if let Some(tag) = event.tag() {
            let at = place.tag_span().as_ref().map_or(at, in_bytes);
            let tag = tag.original();
            let message = if secrets::in_reference(&tag) {
                report.hide(at);
                "a YAML tag".to_owned()
            } else {
                format!("a YAML tag, {}", quote(&tag))
            };
            report.push(
                Diagnostic::error(at, message)
                    .hint("remove it, or put quotes around text that begins with `!`"),
            );
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    report.push(
                        Diagnostic::error(at, "a second document")
                            .hint("write one spec in a file, without `---` between parts"),
                    );
                    return Ok(false);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.scalar_span(at, style);
                // `!keep` was meant as text: it is reported above, and read on as such.
                let (text, span) = match tag {
                    Some(tag) if text.is_empty() && style == ScalarStyle::Plain => {
                        let span = place.tag_span().as_ref().map_or(span, in_bytes);
                        (Cow::Owned(tag.original().clone()), span)
                    }
                    _ => (text, span),
                };
                let node = Node {
                    span,
                    kind: Kind::Scalar { text, style },
                };
                self.finish(node, anchor, Size { nodes: 1, depth: 0 })?;
            }
            Event::SequenceStart(style, anchor, _) => self.start(at, anchor, style, false)?,
            Event::MappingStart(style, anchor, _) => self.start(at, anchor, style, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(at)?,
            Event::Alias(anchor) => self.alias(anchor, at)?,
            _ => {}
        }
        Ok(true)
    }

    fn start(
        &mut self,
        at: Span,
        anchor: usize,
        style: StructureStyle,
        mapping: bool,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.open.push(Open {
            start: at.start,
            anchor,
            flow: matches!(style, StructureStyle::Flow),
            mapping,
            children: Vec::new(),
            size: Size { nodes: 1, depth: 0 },
        });
        Ok(())
    }

    fn end(&mut self, at: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        // The end of a block is where something else begins: take that of its last value.
        let end = match open.children.last() {
            Some(last) if !open.flow => last.span.end,
            _ => at.end,
        };
        let span = Span::new(open.start, end.max(open.start));
        let kind = if open.mapping {
            let mut children = open.children.into_iter();
            let mut pairs = Vec::with_capacity(children.len() / 2);
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                pairs.push((key, value));
            }
            Kind::Mapping(pairs)
        } else {
            Kind::List(open.children)
        };
        self.finish(Node { span, kind }, open.anchor, open.size)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Diagnostic> {
        let Some((target, size)) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::error(at, "an alias inside what it stands for")
                .hint("write the value out"));
        };
        let (target, size) = (Rc::clone(target), *size);
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
        let node = Node {
            span: at,
            kind: Kind::Shared(target),
        };
        self.add(node, size)
    }

    /// A node is complete: remembers it if it has an anchor, and gives it to its parent.
    fn finish(&mut self, node: Node<'src>, anchor: usize, size: Size) -> Result<(), Diagnostic> {
        if anchor == 0 {
            return self.add(node, size);
        }
        let span = node.span;
        let node = Rc::new(node);
        self.anchors.insert(anchor, (Rc::clone(&node), size));
        let kind = Kind::Shared(node);
        self.add(Node { span, kind }, size)
    }

    fn add(&mut self, node: Node<'src>, size: Size) -> Result<(), Diagnostic> {
        // Lists and mappings are counted through what is in them.
        self.nodes += match node.kind {
            Kind::List(_) | Kind::Mapping(_) => 1,
            Kind::Scalar { .. } | Kind::Shared(_) => size.nodes,
        };
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} values, with aliases followed");
            return Err(Diagnostic::error(node.span, message).hint("use fewer aliases"));
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.size.nodes = parent.size.nodes.saturating_add(size.nodes);
                parent.size.depth = parent.size.depth.max(size.depth + 1);
                parent.children.push(node);
            }
            None => self.root = Some(node),
        }
        Ok(())
    }

    /// Block text is reported with the white space around it; an element that is not written is
    /// at its dash.
    fn scalar_span(&self, at: Span, style: ScalarStyle) -> Span {
        let (start, end) = (at.start as usize, at.end as usize);
        let Some(written) = self.text.get(start..end) else {
            return at;
        };
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let body = written.trim_end();
                let lead = body.len() - body.trim_start().len();
                span(start + lead, start + body.len().max(lead))
            }
            _ if written.is_empty() => {
                let before = self.text[..start].trim_end();
                match before.strip_suffix('-') {
                    Some(dash) => span(dash.len(), before.len()),
                    None => at,
                }
            }
            _ => span(start, start + written.trim_end().len()),
        }
    }
}

fn too_deep(at: Span) -> Diagnostic {
    let message = format!("nested more than {MAX_DEPTH} levels deep");
    Diagnostic::error(at, message).hint("a spec needs fewer than ten levels")
}

fn in_bytes(place: &granit_parser::Span) -> Span {
    let range = place.byte_range().unwrap_or(0..0);
    span(range.start, range.end)
}

/// A place in bytes. Files are smaller than 4 GiB.
pub(crate) fn span(start: usize, end: usize) -> Span {
    let offset = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    Span::new(offset(start), offset(end))
}
