//! Definitions as JSON, which BuildKit's frontend of Dockerfiles answers with when it is asked for LLB
//! (`frontend.convertllb`).

mod schema;

use std::collections::{BTreeMap, BTreeSet};

use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

use crate::definition::{Definition, decode, read_input};
use crate::digest::Digest;
use crate::import::ImportError;
use schema::{Fields, Kind, METADATA, OP, OPS, SOURCE};

impl Definition {
    /// From what `docker buildx build --call=convertllb,format=json` prints.
    ///
    /// Each operation is named by its digest there. One that this does not know to the last field would
    /// have another, and is an error. A file's own origin is lost, which nothing depends on.
    pub fn from_json(text: &[u8]) -> Result<Definition, ImportError> {
        let json: Value = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        let part = |name: &str| json.get(name).and_then(Value::as_object);
        let ops = part("def").ok_or_else(|| wrong("it has no `def`"))?;
        let mut out = Vec::new();
        for op in in_order(ops)? {
            push_bytes(&mut out, 1, &op);
        }
        for (digest, said) in part("metadata").into_iter().flatten() {
            let said = message(METADATA, said).map_err(wrong)?;
            let mut entry = Vec::new();
            push_bytes(&mut entry, 1, digest.as_bytes());
            push_bytes(&mut entry, 2, &said);
            push_bytes(&mut out, 2, &entry);
        }
        if let Some(source) = json.get("source").filter(|source| !source.is_null()) {
            push_bytes(&mut out, 3, &message(SOURCE, source).map_err(wrong)?);
        }
        Definition::from_bytes(&out)
    }
}

fn wrong(reason: impl Into<String>) -> ImportError {
    ImportError::NotADefinition(reason.into())
}

/// The bytes of every operation, inputs first, and of what names the output, last.
fn in_order(ops: &Map<String, Value>) -> Result<Vec<Vec<u8>>, ImportError> {
    let mut known = BTreeMap::new();
    let mut heads = Vec::new();
    for (name, op) in ops {
        let digest: Digest = name.parse().map_err(ImportError::InvalidDigest)?;
        let not_one = |reason| ImportError::NotAnOperation { digest, reason };
        let bytes = message(OP, op).map_err(not_one)?;
        if Digest::of(&bytes) != digest {
            let reason = "there is more to it than is known here".to_owned();
            return Err(not_one(reason));
        }
        let inputs = decode(&bytes)?.inputs;
        let inputs = inputs.iter().map(|input| Ok(read_input(input)?.0));
        let inputs = inputs.collect::<Result<Vec<Digest>, ImportError>>()?;
        if OPS.iter().all(|name| op.get(name).is_none()) {
            heads.push(digest);
        }
        known.insert(digest, (bytes, inputs));
    }
    let head = match heads.as_slice() {
        [head] => *head,
        [] if known.is_empty() => return Ok(Vec::new()),
        _ => return Err(ImportError::NoHead),
    };
    let mut out = Vec::new();
    let mut done = BTreeSet::new();
    // No operation can be among its own inputs, since they are in what its digest is made of.
    let mut path = vec![(head, 0)];
    while let Some((digest, next)) = path.last_mut() {
        let digest = *digest;
        let (bytes, inputs) = known
            .get(&digest)
            .ok_or(ImportError::MissingInput(digest))?;
        if let Some(input) = inputs.get(*next) {
            *next += 1;
            if !done.contains(input) {
                path.push((*input, 0));
            }
            continue;
        }
        if done.insert(digest) {
            out.push(bytes.clone());
        }
        path.pop();
    }
    Ok(out)
}

fn message(fields: Fields, json: &Value) -> Result<Vec<u8>, String> {
    let json = json
        .as_object()
        .ok_or_else(|| format!("`{json}` is no object"))?;
    let known = |name: &String| fields.iter().any(|(known, ..)| known == name);
    if let Some(name) = json.keys().find(|name| !known(name)) {
        return Err(format!("`{name}` is not known here"));
    }
    let mut out = Vec::new();
    for (name, number, kind) in fields {
        if let Some(value) = json.get(*name) {
            field(&mut out, *number, *kind, value).map_err(|reason| format!("{name}: {reason}"))?;
        }
    }
    Ok(out)
}

fn field(out: &mut Vec<u8>, number: u32, kind: Kind, json: &Value) -> Result<(), String> {
    let is_no = |what: &str| format!("`{json}` is no {what}");
    match kind {
        Kind::Text => {
            let text = json.as_str().ok_or_else(|| is_no("text"))?;
            push_bytes(out, number, text.as_bytes());
        }
        Kind::Bytes => {
            let bytes = json.as_str().and_then(base64);
            push_bytes(out, number, &bytes.ok_or_else(|| is_no("base 64"))?);
        }
        Kind::Bool => {
            let yes = json.as_bool().ok_or_else(|| is_no("truth value"))?;
            push_int(out, number, u64::from(yes));
        }
        Kind::Int => push_int(out, number, int(json).ok_or_else(|| is_no("number"))?),
        Kind::Enum(names) => {
            let at = names.iter().position(|name| json == name);
            let value = at
                .and_then(|at| u64::try_from(at).ok())
                .or_else(|| int(json));
            push_int(
                out,
                number,
                value.ok_or_else(|| is_no("name that is known here"))?,
            );
        }
        Kind::Message(fields) => push_bytes(out, number, &message(fields, json)?),
        Kind::Many(kind) => {
            for one in json.as_array().ok_or_else(|| is_no("list"))? {
                field(out, number, *kind, one)?;
            }
        }
        Kind::Ints => {
            let mut packed = Vec::new();
            for one in json.as_array().ok_or_else(|| is_no("list"))? {
                encode_varint(
                    int(one).ok_or_else(|| is_no("list of numbers"))?,
                    &mut packed,
                );
            }
            push_bytes(out, number, &packed);
        }
        Kind::Map(kind) => {
            let entries = json.as_object().ok_or_else(|| is_no("object"))?;
            let sorted: BTreeMap<&String, &Value> = entries.iter().collect();
            for (key, value) in sorted {
                let mut entry = Vec::new();
                push_bytes(&mut entry, 1, key.as_bytes());
                field(&mut entry, 2, *kind, value)?;
                push_bytes(out, number, &entry);
            }
        }
        Kind::Dropped => {}
    }
    Ok(())
}

/// A number as a varint has it; negative ones take all bits.
fn int(json: &Value) -> Option<u64> {
    let text = match json {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let signed = text.parse::<i64>().map(i64::cast_unsigned);
    signed.or_else(|_| text.parse::<u64>()).ok()
}

fn push_int(out: &mut Vec<u8>, number: u32, value: u64) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

fn push_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// The bytes that a text in base 64 stands for.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}
