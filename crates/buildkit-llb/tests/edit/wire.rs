//! Messages written by the wire format alone, and numbers that look random.

/// A message that grows field by field, as Go's protobuf writes it: without defaults.
#[derive(Clone, Default)]
pub(crate) struct Wire(pub(crate) Vec<u8>);

impl Wire {
    pub(crate) fn number(mut self, field: u64, value: i64) -> Self {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value.cast_unsigned());
        }
        self
    }

    pub(crate) fn text(self, field: u64, text: impl AsRef<[u8]>) -> Self {
        if text.as_ref().is_empty() {
            return self;
        }
        self.message(field, text)
    }

    /// Written even if it is empty, as messages and what repeats are.
    pub(crate) fn message(mut self, field: u64, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        self.varint(field << 3 | 2);
        self.varint(content.len() as u64);
        self.0.extend(content);
        self
    }

    pub(crate) fn messages<C: AsRef<[u8]>>(self, field: u64, contents: &[C]) -> Self {
        let all = contents.iter();
        all.fold(self, |wire, content| wire.message(field, content))
    }

    /// Fields that are written already.
    pub(crate) fn then(mut self, fields: &[u8]) -> Self {
        self.0.extend(fields);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

impl AsRef<[u8]> for Wire {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// `SplitMix64`: the same numbers for the same seed.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Less than this, or 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap()
    }

    /// The same, for a field.
    pub(crate) fn number(&mut self, limit: usize) -> i64 {
        i64::try_from(self.below(limit)).unwrap()
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Fields that no message of LLB has, of every kind; mostly none.
    pub(crate) fn noise(&mut self) -> Vec<u8> {
        let mut noise = Wire::default();
        while self.once_in(4) {
            let field = 100 + self.next() % 100;
            let some = self.next().to_le_bytes();
            match self.below(5) {
                0 => noise = noise.number(field, i64::from_le_bytes(some)),
                1 => {
                    noise.varint(field << 3 | 1);
                    noise.0.extend(some);
                }
                2 => {
                    noise.varint(field << 3 | 5);
                    noise.0.extend(&some[..4]);
                }
                3 => {
                    noise.varint(field << 3 | 3);
                    let inner = Self(self.next()).noise();
                    noise = noise.message(1, some).then(&inner);
                    noise.varint(field << 3 | 4);
                }
                _ => noise = noise.message(field, &some[..self.below(9)]),
            }
        }
        noise.0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
