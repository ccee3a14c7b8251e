//! What holds for every graph.

use buildkit_llb::{
    Account, Constraints, Copy, CopyMode, Definition, Digest, Exec, File, Git, Graph, Http, Image,
    ImageName, Local, Meta, Mkdir, Mkfile, Mount, Op, Output, Owner, Platform, Rm, Sharing,
    Symlink, Vertex, inspect,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// An operation on the outputs of earlier ones, chosen by number.
#[derive(Clone, Debug)]
struct Recipe {
    kind: u8,
    text: String,
    picks: Vec<prop::sample::Index>,
    flag: bool,
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let picks = vec(any::<prop::sample::Index>(), 1..4);
    (0..8_u8, "[a-c\u{e9}\"/ ]{0,3}", picks, any::<bool>()).prop_map(|(kind, text, picks, flag)| {
        Recipe {
            kind,
            text,
            picks,
            flag,
        }
    })
}

impl Recipe {
    fn op(&self, earlier: &[Vertex]) -> Op {
        let pick = |at: &prop::sample::Index| {
            let some = (!earlier.is_empty()).then(|| *at.get(earlier));
            some.map(Vertex::only)
        };
        let inputs: Vec<Output> = self.picks.iter().filter_map(pick).collect();
        let first = inputs.first().copied();
        let text = self.text.clone();
        match self.kind {
            0 => Image::new(&ImageName::parse("alpine").unwrap().clone()).into(),
            1 => Local {
                exclude: vec![text],
                ..Local::new("context")
            }
            .into(),
            2 => Git {
                keep_git_dir: self.flag,
                ..Git::new(text)
            }
            .into(),
            3 => Http {
                filename: text,
                ..Http::new("https://example.com/a")
            }
            .into(),
            4 => self.exec(&inputs),
            5 => self.file(&inputs),
            6 if inputs.len() > 1 => Op::Merge(inputs),
            _ => Op::Diff {
                lower: first,
                upper: inputs.last().copied(),
            },
        }
    }

    fn exec(&self, inputs: &[Output]) -> Op {
        let mut exec = Exec::new(inputs.first().copied(), ["sh", "-c", &self.text]);
        exec.env.push(format!("A={}", self.text));
        for (number, input) in inputs.iter().enumerate() {
            exec.mounts
                .push(Mount::bind(*input, format!("/in/{number}")).select(&self.text));
            let cache = Mount::cache(&self.text, format!("/cache/{number}"), Sharing::Locked);
            exec.mounts.push(if self.flag {
                cache.with_input(*input)
            } else {
                cache
            });
        }
        exec.mounts.push(Mount::tmpfs("/tmp"));
        exec.into()
    }

    fn file(&self, inputs: &[Output]) -> Op {
        let path = format!("/{}", self.text);
        let account = match inputs.first() {
            Some(lookup) => Account::Name {
                name: self.text.clone(),
                lookup: *lookup,
            },
            None => Account::Id(0),
        };
        let owner = self.flag.then_some(Owner {
            user: Some(account),
            group: None,
        });
        let mut file = File::on(inputs.first().copied())
            .mkdir(Mkdir {
                path: path.clone(),
                mode: 0o755,
                parents: true,
                owner: owner.clone(),
                time: Some(0),
            })
            .mkfile(Mkfile {
                path: path.clone(),
                mode: 0,
                data: Vec::new(),
                owner: owner.clone(),
                time: None,
            })
            .symlink(Symlink {
                to: path.clone(),
                path: path.clone(),
                owner: owner.clone(),
                time: None,
            })
            .rm(Rm {
                path: path.clone(),
                allow_missing: true,
                allow_wildcard: self.flag,
            });
        for input in inputs {
            file = file.copy(Copy {
                owner: owner.clone(),
                mode: self.flag.then(|| CopyMode::Symbolic(self.text.clone())),
                ..Copy::new(*input, &path, &path)
            });
        }
        file.into()
    }
}

fn on() -> Constraints {
    Constraints::on(Platform::new("linux", "amd64", ""))
}

fn build(recipes: &[Recipe]) -> (Graph, Vec<Vertex>) {
    let mut graph = Graph::new();
    let mut vertices = Vec::new();
    for recipe in recipes {
        let op = recipe.op(&vertices);
        vertices.push(graph.add(op, &on(), Meta::named(&recipe.text)));
    }
    (graph, vertices)
}

proptest! {
    #[test]
    fn the_same_graph_has_the_same_bytes(recipes in vec(recipe(), 1..20)) {
        let (graph, vertices) = build(&recipes);
        let (again, _) = build(&recipes);
        let last = vertices.last().unwrap().only();
        prop_assert_eq!(graph.definition(last).to_bytes(), again.definition(last).to_bytes());
    }

    #[test]
    fn equal_operations_are_one(recipes in vec(recipe(), 1..20)) {
        let (mut graph, vertices) = build(&recipes);
        let count = graph.len();
        for (at, recipe) in recipes.iter().enumerate() {
            let again = graph.add(recipe.op(&vertices[..at]), &on(), Meta::default());
            prop_assert_eq!(again, vertices[at]);
        }
        prop_assert_eq!(graph.len(), count);
    }

    #[test]
    fn digests_and_definitions_do_not_depend_on_what_was_added_before(
        unrelated in vec(recipe(), 0..10),
        recipes in vec(recipe(), 1..20),
    ) {
        let (graph, vertices) = build(&recipes);
        // Operations that stand elsewhere already, without anything said of them.
        let mut other = Graph::new();
        let mut known = Vec::new();
        for recipe in &unrelated {
            known.push(other.add(recipe.op(&known), &on(), Meta::default()));
        }
        let mut moved = Vec::new();
        for recipe in &recipes {
            let op = recipe.op(&moved);
            moved.push(other.add(op, &on(), Meta::named(&recipe.text)));
        }
        for (here, there) in vertices.iter().zip(&moved) {
            prop_assert_eq!(graph.digest(*here), other.digest(*there));
            let here = graph.definition(here.only()).into_proto().def;
            let there = other.definition(there.only()).into_proto().def;
            prop_assert_eq!(here, there);
        }
    }

    #[test]
    fn every_definition_is_read_back(recipes in vec(recipe(), 1..20)) {
        let (graph, vertices) = build(&recipes);
        let last = *vertices.last().unwrap();
        let definition = graph.definition(last.only());
        let read = Definition::from_bytes(&definition.to_bytes()).unwrap();
        prop_assert_eq!(&read, &definition);
        prop_assert_eq!(read.head(), Ok(Some(graph.digest(last))));
        inspect::json(&read).unwrap();
        inspect::dot(&read).unwrap();
        let mut seen = Vec::new();
        for bytes in &read.clone().into_proto().def {
            let op = <buildkit_proto::pb::Op as prost::Message>::decode(bytes.as_slice()).unwrap();
            for input in &op.inputs {
                prop_assert!(seen.contains(&input.digest), "inputs come first");
            }
            seen.push(Digest::of(bytes).to_string());
        }
    }

    #[test]
    fn importing_keeps_every_byte(recipes in vec(recipe(), 1..20)) {
        let (graph, vertices) = build(&recipes);
        let definition = graph.definition(vertices.last().unwrap().only());
        let mut other = Graph::new();
        let output = other.import(&definition).unwrap().unwrap();
        prop_assert_eq!(other.definition(output).to_bytes(), definition.to_bytes());
        prop_assert_eq!(other.import(&definition), Ok(Some(output)));
    }

    #[test]
    fn no_bytes_make_it_panic(
        recipes in vec(recipe(), 1..6),
        noise in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let (graph, vertices) = build(&recipes);
        let mut bytes = graph.definition(vertices.last().unwrap().only()).to_bytes();
        for (at, value) in noise {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(definition) = Definition::from_bytes(&bytes) {
            let _ = Graph::new().import(&definition);
            let _ = inspect::json(&definition);
            let _ = inspect::dot(&definition);
            definition.vertices().for_each(drop);
        }
    }
}
