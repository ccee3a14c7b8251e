//! What each filesystem of some definitions is made from, and what is read from it.

use std::collections::BTreeMap;

use buildkit_llb::edit::{Editor, OpId, Port, Seen, SeenAction, SeenChange, SeenExec, SeenInput};
use larder_catalog::{clean, within};

/// Every filesystem, what it is made from before it.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    places: BTreeMap<Port, usize>,
    /// The filesystem that an operation's program leaves in place of its root.
    roots: BTreeMap<OpId, usize>,
}

/// A filesystem.
pub(super) struct Node {
    /// What it is made from, by place among the nodes.
    pub(super) from: Vec<usize>,
    pub(super) by: By,
    pub(super) base: Base,
    /// What is taken out of it.
    pub(super) reads: Vec<Reach>,
    /// Why all of it counts, if so.
    pub(super) result: Option<&'static str>,
}

/// What makes a filesystem from what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A program whose root it is.
    Run(OpId),
    /// Work on files.
    Files(OpId),
    /// Something that neither adds to nor hides what is there.
    Layers,
    /// Something else.
    Other,
}

/// What is at the bottom of a filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing; the first operation on it.
    Scratch(OpId),
    /// An image; the operation that brings it in.
    Image(OpId),
    /// Something that is no image, or several things.
    Unknown(OpId),
}

/// The paths that a path with wildcards may stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Clean; what is before the first wildcard, if there is one.
    start: String,
    exact: bool,
}

impl Tree {
    /// Linear in the operations.
    pub(super) fn of(editor: &Editor) -> Tree {
        let mut tree = Tree {
            nodes: Vec::new(),
            places: BTreeMap::new(),
            roots: BTreeMap::new(),
        };
        for op in editor.ops() {
            match editor.see(op) {
                Seen::Exec(exec) => tree.exec(op, exec),
                Seen::File(actions) => tree.files(op, actions),
                Seen::Source { identifier, .. } => {
                    let image = ["docker-image://", "oci-layout://"];
                    let base = if image.iter().any(|scheme| identifier.starts_with(scheme)) {
                        Base::Image(op)
                    } else {
                        Base::Unknown(op)
                    };
                    tree.add(Some(Port { op, index: 0 }), Vec::new(), By::Other, base);
                }
                Seen::Merge(inputs) => {
                    let from: Vec<usize> = inputs.iter().map(|port| tree.node(*port)).collect();
                    let bases = from.iter().map(|at| tree.nodes[*at].base);
                    let base = bases.reduce(|a, b| join(a, b, op));
                    let base = base.unwrap_or(Base::Scratch(op));
                    tree.add(Some(Port { op, index: 0 }), from, By::Layers, base);
                }
                Seen::Diff { lower, upper } => {
                    let inputs = lower.iter().chain(upper);
                    let from = inputs.map(|port| tree.node(*port)).collect();
                    let (port, base) = (Port { op, index: 0 }, Base::Unknown(op));
                    tree.add(Some(port), from, By::Other, base);
                }
                Seen::Other(inputs) => {
                    for port in inputs {
                        let at = tree.node(*port);
                        tree.nodes[at].result = Some(READ);
                    }
                }
                _ => {}
            }
        }
        for port in editor.heads().iter().flatten() {
            let at = tree.node(*port);
            tree.nodes[at].result = Some(RESULT);
        }
        tree.mark();
        tree
    }

    /// The filesystem that a program leaves, and sees before it runs.
    pub(super) fn root(&self, op: OpId) -> Option<usize> {
        self.roots.get(&op).copied()
    }

    fn exec(&mut self, op: OpId, exec: &SeenExec) {
        for mount in &exec.mounts {
            let is_root = clean(&mount.target).as_deref() == Some("/");
            let reach = Reach::of(&mount.selector);
            let from: Vec<usize> = mount
                .input
                .map(|port| self.node(port))
                .into_iter()
                .collect();
            let base = match from.first() {
                _ if !reach.is_whole() => Base::Unknown(op),
                Some(at) => self.nodes[*at].base,
                None => Base::Scratch(op),
            };
            if !is_root || !reach.is_whole() {
                for at in &from {
                    self.read(*at, reach.clone());
                }
            }
            let port = mount.output.map(|index| Port { op, index });
            if is_root {
                let at = self.add(port, from, By::Run(op), base);
                self.roots.insert(op, at);
            } else if port.is_some() {
                self.add(port, from, By::Other, Base::Unknown(op));
            }
        }
    }

    fn files(&mut self, op: OpId, actions: &[SeenAction]) {
        // What each action stands on in the end.
        let mut grounds: Vec<Option<usize>> = Vec::with_capacity(actions.len());
        for action in actions {
            let ground = self.ground(action.on, &grounds);
            if let SeenChange::Copy { from, src, .. } = &action.change
                && let Some(at) = self.ground(*from, &grounds)
            {
                self.read(at, Reach::of(src));
            }
            grounds.push(ground);
            if let Some(index) = action.output {
                let base = ground.map_or(Base::Scratch(op), |at| self.nodes[at].base);
                let from = ground.into_iter().collect();
                self.add(Some(Port { op, index }), from, By::Files(op), base);
            }
        }
    }

    fn ground(&mut self, input: SeenInput, grounds: &[Option<usize>]) -> Option<usize> {
        match input {
            SeenInput::Scratch => None,
            SeenInput::Of(port) => Some(self.node(port)),
            SeenInput::Action(number) => {
                let number = usize::try_from(number).ok()?;
                grounds.get(number).copied().flatten()
            }
        }
    }

    fn read(&mut self, at: usize, reach: Reach) {
        if reach.is_whole() {
            self.nodes[at].result.get_or_insert(READ);
        } else {
            self.nodes[at].reads.push(reach);
        }
    }

    fn node(&mut self, port: Port) -> usize {
        match self.places.get(&port) {
            Some(at) => *at,
            None => self.add(Some(port), Vec::new(), By::Other, Base::Unknown(port.op)),
        }
    }

    fn add(&mut self, port: Option<Port>, from: Vec<usize>, by: By, base: Base) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node {
            from,
            by,
            base,
            reads: Vec::new(),
            result: None,
        });
        if let Some(port) = port {
            self.places.insert(port, at);
        }
        at
    }

    /// What a result is made from counts like the result.
    fn mark(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            let Some(result) = self.nodes[at].result else {
                continue;
            };
            for from in 0..self.nodes[at].from.len() {
                let from = self.nodes[at].from[from];
                self.nodes[from].result.get_or_insert(result);
            }
        }
    }
}

const RESULT: &str = "the image is made from this filesystem";
const READ: &str = "something else reads all of this filesystem";

fn join(a: Base, b: Base, op: OpId) -> Base {
    match (a, b) {
        (Base::Scratch(_), other) | (other, Base::Scratch(_)) => other,
        (a, b) if a == b => a,
        _ => Base::Unknown(op),
    }
}

impl Reach {
    /// Of a path from the root, with or without a slash before it.
    pub(super) fn of(path: &str) -> Reach {
        let wild = path.find(['*', '?', '[', '\\']);
        let start = clean(&format!("/{}", &path[..wild.unwrap_or(path.len())]));
        let mut start = start.unwrap_or_else(|| "/".to_owned());
        // Where the name of a directory ends matters.
        if wild.is_some_and(|wild| path[..wild].ends_with('/')) && start != "/" {
            start.push('/');
        }
        Reach {
            start,
            exact: wild.is_none(),
        }
    }

    fn is_whole(&self) -> bool {
        self.start == "/"
    }

    /// Whether one of the paths is another, above it or below it.
    pub(super) fn touches(&self, place: &str) -> bool {
        self.below(place) || self.above(place)
    }

    /// Whether one of the paths is in a directory.
    pub(super) fn below(&self, place: &str) -> bool {
        within(&self.start, place) || (!self.exact && place.starts_with(&self.start))
    }

    fn above(&self, place: &str) -> bool {
        if self.exact {
            within(place, &self.start)
        } else {
            place.starts_with(&self.start)
        }
    }

    /// Whether one of the paths is in a directory, or above it without being there for other reasons.
    pub(super) fn misses(&self, place: &str, home: Option<&str>) -> bool {
        let others = |path: &str| {
            larder_catalog::is_system(path)
                || path.starts_with("/home/") && path.matches('/').count() == 2
                || home.is_some_and(|home| within(home, path))
        };
        let start = self.start.trim_end_matches('/');
        self.below(place) || (self.above(place) && !(self.exact && others(start)))
    }
}
