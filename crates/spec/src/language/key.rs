//! How keys are written in the tables.

/// A [`Key`](super::Key): its name, what it takes, what it means, an example, what holds without it.
macro_rules! key {
    (required $name:literal: $takes:expr, $doc:literal, $example:literal) => {
        $crate::language::Key {
            name: $name,
            takes: $takes,
            required: true,
            doc: $doc,
            default: "",
            example: $example,
        }
    };
    ($name:literal: $takes:expr, $doc:literal, $example:literal) => {
        key!($name: $takes, $doc, $example, default "")
    };
    ($name:literal: $takes:expr, $doc:literal, $example:literal, default $default:literal) => {
        $crate::language::Key {
            name: $name,
            takes: $takes,
            required: false,
            doc: $doc,
            default: $default,
            example: $example,
        }
    };
}
