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

#[cfg(test)]
mod tests {
    use super::{append, change_last, fields, last, place, put, rewrite};

    /// Fields of every kind: 1 a number, 2 text, 3 a group with a group in it, 4 and 5 of fixed size.
    const ALL: &[u8] = &[
        0x08, 0xff, 0x01, 0x12, 1, b'a', 0x1b, 0x0b, 0x08, 1, 0x0c, 0x1c, 0x21, 1, 2, 3, 4, 5, 6,
        7, 8, 0x2d, 1, 2, 3, 4,
    ];

    #[test]
    fn fields_of_every_kind_are_told_apart() {
        let seen: Vec<_> = fields(ALL)
            .map(|field| (field.number, field.whole.len(), field.content))
            .collect();
        let content: Option<&[u8]> = Some(b"a");
        let expected = [
            (1, 3, None),
            (2, 3, content),
            (3, 6, None),
            (4, 9, None),
            (5, 5, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_cannot_be_read_stays_as_one_field() {
        for length in 0..=ALL.len() {
            let message = &ALL[..length];
            let whole: Vec<u8> = fields(message).flat_map(|f| f.whole.to_vec()).collect();
            assert_eq!(whole, message);
            assert_eq!(rewrite(message, 9, |_| None), message);
        }
        for broken in [&[0x12, 2, b'a'][..], &[0x0c], &[0x0f], &[0xff; 11]] {
            let message = [ALL, broken].concat();
            let rest = fields(&message).last().unwrap();
            assert_eq!((rest.number, rest.whole), (usize::MAX, broken));
            assert_eq!(place(&message, 7), ALL.len(), "before it");
        }
    }

    #[test]
    fn fields_go_where_they_belong() {
        assert_eq!(place(ALL, 2), 6, "behind the last one");
        assert_eq!(place(&ALL[3..], 1), 0, "before what has a higher number");
        assert_eq!(place(ALL, 7), ALL.len());
        let none: [&[u8]; 0] = [];
        assert_eq!(append(ALL, 2, &none), ALL);
        let two = append(&[], 2, &["a", "b"]);
        assert_eq!(two, [0x12, 1, b'a', 0x12, 1, b'b']);
        assert_eq!(last(&two, 2), Some(&b"b"[..]));
        assert_eq!(last(&two, 1), None);
    }

    #[test]
    fn only_the_last_of_several_is_changed() {
        let mut message = Vec::new();
        for (number, content) in [(2, "a"), (2, "b"), (3, "c")] {
            put(&mut message, number, content.as_bytes());
        }
        let longer = |content: &[u8]| content.repeat(200);
        let changed = change_last(&message, 2, longer);
        let contents: Vec<_> = fields(&changed)
            .map(|field| field.content.unwrap())
            .collect();
        assert_eq!(contents, [&b"a"[..], &b"b".repeat(200), b"c"]);
        let added = change_last(&message, 1, |content| [content, b"new"].concat());
        assert_eq!(added, [&[0x0a, 3, b'n', b'e', b'w'], &*message].concat());
    }
}
