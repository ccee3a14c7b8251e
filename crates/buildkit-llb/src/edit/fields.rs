//! Messages changed on the wire, so that all that is not known in them stays as it stands.
//!
//! Known fields go where Go's protobuf writes them: by number, and those that repeat in their order.

use prost::{decode_length_delimiter, encode_length_delimiter};

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// Its number; the highest for what is no field.
    pub(super) number: usize,
    /// All of it, with its number.
    pub(super) whole: &'a [u8],
    /// What is in it, if it is text, bytes or a message.
    pub(super) content: Option<&'a [u8]>,
}

/// The fields of a message in their order. What cannot be read is one last field without content:
/// put together, they always are the message.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let here = rest;
        let (number, content) = field(&mut rest).unwrap_or_else(|| {
            rest = &[];
            (usize::MAX, None)
        });
        Some(Field {
            number,
            whole: &here[..here.len() - rest.len()],
            content,
        })
    })
}

const VARINT: usize = 0;
const FIXED64: usize = 1;
const LENGTH_DELIMITED: usize = 2;
const GROUP: usize = 3;
const GROUP_END: usize = 4;
const FIXED32: usize = 5;

fn field<'a>(rest: &mut &'a [u8]) -> Option<(usize, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let content = match key & 7 {
        LENGTH_DELIMITED => Some(delimited(rest)?),
        kind => {
            skip(kind, rest)?;
            None
        }
    };
    Some((key >> 3, content))
}

fn skip(kind: usize, rest: &mut &[u8]) -> Option<()> {
    let mut open = 0_usize;
    let mut kind = kind;
    loop {
        match kind {
            // Any number, also one that is no length on this machine.
            VARINT => drop(take(rest, rest.iter().position(|byte| *byte < 0x80)? + 1)?),
            FIXED64 => drop(take(rest, 8)?),
            FIXED32 => drop(take(rest, 4)?),
            LENGTH_DELIMITED => drop(delimited(rest)?),
            GROUP => open += 1,
            GROUP_END => open = open.checked_sub(1)?,
            _ => return None,
        }
        if open == 0 {
            return Some(());
        }
        kind = varint(rest)? & 7;
    }
}

fn delimited<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = varint(rest)?;
    take(rest, length)
}

fn varint(rest: &mut &[u8]) -> Option<usize> {
    decode_length_delimiter(&mut *rest).ok()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// Writes a field with text, bytes or a message.
pub(super) fn put(to: &mut Vec<u8>, number: usize, content: &[u8]) {
    for varint in [number << 3 | LENGTH_DELIMITED, content.len()] {
        // Fails only for a buffer that cannot grow.
        let _ = encode_length_delimiter(varint, to);
    }
    to.extend_from_slice(content);
}

/// What the last field with this number has: the one that counts where one is expected.
pub(super) fn last(message: &[u8], number: usize) -> Option<&[u8]> {
    let all = fields(message).filter(|field| field.number == number);
    all.filter_map(|field| field.content).last()
}

/// The message with more fields of one number, behind those that it has.
pub(super) fn append<C: AsRef<[u8]>>(message: &[u8], number: usize, more: &[C]) -> Vec<u8> {
    let mut fields = Vec::new();
    for content in more {
        put(&mut fields, number, content.as_ref());
    }
    insert(message, place(message, number), &fields)
}

/// The message with something at this byte of it.
pub(super) fn insert(message: &[u8], at: usize, more: &[u8]) -> Vec<u8> {
    [&message[..at], more, &message[at..]].concat()
}

/// Where one more field with this number belongs: behind the last one; if there is none, before
/// what has a higher number.
pub(super) fn place(message: &[u8], number: usize) -> usize {
    let mut at = 0;
    let (mut behind, mut before) = (None, None);
    for field in fields(message) {
        if field.number > number {
            before = before.or(Some(at));
        }
        at += field.whole.len();
        if field.number == number {
            behind = Some(at);
        }
    }
    behind.or(before).unwrap_or(at)
}

/// The message with something else in the last field with this number; with one more field if it
/// has none.
pub(super) fn change_last(
    message: &[u8],
    number: usize,
    change: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let is_it = |field: &Field<'_>| field.number == number && field.content.is_some();
    let count = fields(message).filter(is_it).count();
    let Some(before) = count.checked_sub(1) else {
        return append(message, number, &[change(&[])]);
    };
    let mut change = Some(change);
    let mut nth = 0;
    rewrite(message, number, |content| {
        nth += 1;
        let change = change.take_if(|_| nth > before)?;
        Some(change(content))
    })
}

/// The message with something else in those fields of one number for which there is something.
pub(super) fn rewrite(
    message: &[u8],
    number: usize,
    mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut changed = Vec::with_capacity(message.len());
    for field in fields(message) {
        let content = field.content.filter(|_| field.number == number);
        match content.and_then(&mut change) {
            Some(content) => put(&mut changed, number, &content),
            None => changed.extend_from_slice(field.whole),
        }
    }
    changed
}
