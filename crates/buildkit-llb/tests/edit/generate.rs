//! Models that look random.

use std::collections::BTreeSet;

use buildkit_proto::pb;
use prost::Message as _;

use crate::added::Change;
use crate::model::{Asked, Body, Changes, Exec, Meta, Model, Op};
use crate::wire::{Random, Wire};

/// A model and what to add to its operations.
pub(crate) fn generate(seed: u64) -> (Model, Changes) {
    let mut random = Random::new(seed);
    let scrambled = random.once_in(3);
    let mut ops = Vec::new();
    for _ in 0..=random.below(8) {
        let op = op(&ops, scrambled, &mut random);
        ops.push(op);
    }
    let asked = (0..=random.below(3)).map(|_| asked(&ops, scrambled, &mut random));
    let asked: Vec<Asked> = asked.collect();
    let mut changes = Changes::new();
    for at in needed(&ops, asked.iter().filter_map(|asked| asked.head)) {
        let change = Change::random(&mut random);
        if matches!(ops[at].body, Body::Exec(_)) && random.once_in(2) && !change.is_empty() {
            changes.insert(at, change);
        }
    }
    (Model { seed, ops, asked }, changes)
}

/// What these outputs need.
pub(crate) fn needed(ops: &[Op], heads: impl IntoIterator<Item = (usize, i64)>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<usize> = heads.into_iter().map(|(op, _)| op).collect();
    while let Some(op) = waiting.pop() {
        if found.insert(op) {
            waiting.extend(ops[op].inputs.iter().map(|(input, _, _)| *input));
        }
    }
    found
}

fn asked(ops: &[Op], scrambled: bool, random: &mut Random) -> Asked {
    if random.once_in(16) {
        return Asked {
            head: None,
            order: Vec::new(),
            scrambled,
            files: Vec::new(),
        };
    }
    let head = (random.below(ops.len()), random.number(3));
    let also = random.once_in(8).then(|| (random.below(ops.len()), 0));
    let order = needed(ops, [head].into_iter().chain(also));
    let mut order: Vec<usize> = order.into_iter().collect();
    if scrambled {
        random.shuffle(&mut order);
    }
    let mut files: Vec<usize> = (0..3).collect();
    random.shuffle(&mut files);
    files.truncate(random.below(4));
    Asked {
        head: Some(head),
        order,
        scrambled,
        files,
    }
}

fn op(earlier: &[Op], scrambled: bool, random: &mut Random) -> Op {
    let owner = |number| {
        let is_it = |op: &Op| matches!(op.body, Body::Owner(owner) if owner == number);
        earlier.iter().position(is_it)
    };
    if random.once_in(5) {
        let (number, inputs) = match (owner(0), random.below(2)) {
            (Some(first), 0) => (2, vec![(first, 0, Vec::new())]),
            (None, 0) => (0, Vec::new()),
            _ => (1, Vec::new()),
        };
        if owner(number).is_none() {
            return Op {
                inputs,
                body: Body::Owner(number),
                front: Vec::new(),
                place: Vec::new(),
                back: Vec::new(),
            };
        }
    }
    let mut inputs = Vec::new();
    while !earlier.is_empty() && inputs.len() < 3 && !random.once_in(3) {
        let op = random.below(earlier.len());
        inputs.push((op, random.number(2), random.noise()));
    }
    // No two operations are the same.
    let unique = Wire::default().text(1, format!("id=={}", earlier.len()));
    let platform = Wire::default()
        .text(1, "amd64")
        .text(2, "linux")
        .then(&random.noise());
    let place = Wire::default().message(10, platform).message(11, unique);
    let exec = random.once_in(2);
    let front = if scrambled {
        random.noise()
    } else {
        Vec::new()
    };
    let body = if exec {
        // Where what is added belongs is only certain behind others, among fields in any order.
        if scrambled && inputs.is_empty() && !earlier.is_empty() {
            inputs.push((0, 0, random.noise()));
        }
        Body::Exec(self::exec(earlier.len(), inputs.len(), scrambled, random))
    } else {
        other(earlier.len(), inputs.len(), random)
    };
    let front_fits = !inputs.is_empty();
    Op {
        inputs,
        body,
        front: if front_fits { front } else { Vec::new() },
        place: place.0,
        back: random.noise(),
    }
}

fn exec(unique: usize, inputs: usize, scrambled: bool, random: &mut Random) -> Exec {
    let mut exec = Exec {
        back: random.noise(),
        ..Exec::default()
    };
    if scrambled || !random.once_in(8) {
        let mut meta = Meta {
            args: vec![format!("run {unique}")],
            back: Wire::default().text(3, "/").then(&random.noise()).0,
            ..Meta::default()
        };
        while (scrambled && meta.env.is_empty()) || random.once_in(2) {
            meta.env
                .push(["PATH=/bin", "EMPTY", "A=b=c"][random.below(3)].into());
        }
        if scrambled {
            meta.front = random.noise();
        }
        exec.meta = Some(meta);
    }
    let mut outputs = 0;
    while (scrambled && exec.mounts.is_empty()) || exec.mounts.len() < 3 && !random.once_in(3) {
        let mount = mount(exec.mounts.len(), inputs, &mut outputs, random);
        exec.mounts.push(mount);
    }
    if scrambled {
        exec.front = random.noise();
    } else {
        let more = Wire::default().number(3, random.number(3));
        exec.back = more.then(&exec.back).0;
    }
    exec
}

fn mount(
    number: usize,
    inputs: usize,
    outputs: &mut i64,
    random: &mut Random,
) -> (i64, i64, Vec<u8>) {
    let input = random.number(inputs + 1) - 1;
    let output = if random.once_in(2) {
        // Perhaps with a gap before it.
        *outputs += 1 + random.number(2);
        *outputs - 1
    } else {
        -1
    };
    let mount = Wire::default()
        .number(1, input)
        .text(3, format!("/{number}"));
    let mount = mount.number(4, output).number(5, random.number(2));
    let mount = match random.below(4) {
        0 => mount.number(6, 3).message(
            20,
            Wire::default()
                .text(1, "theirs")
                .number(2, random.number(3)),
        ),
        1 => mount.number(6, 4),
        // A kind that nobody knows yet.
        2 => mount.number(6, 17),
        _ => mount,
    };
    (input, output, mount.then(&random.noise()).0)
}

/// What is never changed, with inputs that it has.
fn other(unique: usize, inputs: usize, random: &mut Random) -> Body {
    let input = |random: &mut Random| random.number(inputs + 1) - 1;
    let (number, body) = match random.below(8) {
        0 => {
            let attr = Wire::default().text(1, "key").text(2, "value");
            let source = Wire::default().text(1, format!("docker-image://{unique}"));
            (3, source.message(2, attr).0)
        }
        1 | 2 => {
            let copy = pb::FileActionCopy {
                src: format!("/{unique}"),
                dest: "/b".into(),
                ..pb::FileActionCopy::default()
            };
            let action = Wire::default()
                .number(1, input(random))
                .number(2, input(random));
            let action = action
                .message(4, copy.encode_to_vec())
                .then(&random.noise());
            (4, Wire::default().message(2, action).0)
        }
        3 => (5, Wire::default().number(1, -1).0),
        4 if inputs > 1 => {
            let layer = |at| Wire::default().message(1, Wire::default().number(1, at)).0;
            (6, [layer(0), layer(1)].concat())
        }
        5 => {
            let side = |at| Wire::default().number(1, at);
            let lower = Wire::default().message(1, side(input(random)));
            (7, lower.message(2, side(input(random))).0)
        }
        6 => return Body::None,
        // A kind that nobody knows yet.
        _ => (8, unique.to_le_bytes().to_vec()),
    };
    let noise = random.noise();
    Body::Other(number, [body, noise].concat())
}
