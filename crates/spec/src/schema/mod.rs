//! The language as a JSON Schema, which editors complete and check specs by.
//!
//! It knows what the decoder knows of keys, words and kinds of values. What depends on other values of a
//! spec, such as whether a stage is there, is left to `larder check`.

mod shape;

use serde_json::{Map, Value, json};

use crate::language::{ALL, IGNORED, ONE_STAGE, SPEC};

/// Where the schema is in the repository.
pub const SCHEMA_PATH: &str = "docs/larder.schema.json";

/// The schema of a spec, of draft 2020-12. Always the same.
pub fn schema() -> Value {
    let defs: Map<String, Value> = ALL
        .iter()
        .filter(|mapping| mapping.name != SPEC.name)
        .map(|mapping| (mapping.name.to_owned(), shape::mapping(mapping)))
        .collect();
    let mut out = shape::mapping(&SPEC);
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    out["title"] = "Build spec of Larder".into();
    out["$defs"] = defs.into();
    out["patternProperties"] = json!({shape::anchored(IGNORED): {}});
    // A spec without stages would build nothing.
    out["properties"]["stages"]["minProperties"] = 1.into();
    let beside: Map<String, Value> = ONE_STAGE
        .iter()
        .map(|key| ((*key).to_owned(), Value::Bool(false)))
        .collect();
    out["if"] = json!({"required": ["stages"]});
    out["then"] = json!({"properties": beside});
    out["else"] = json!({"required": ["from"]});
    out
}
