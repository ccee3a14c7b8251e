//! What a client says of the definitions that it gives beside the options.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Options;
use crate::Failure;

/// What the config of an image is called among what is said of it.
const CONFIG: &str = "containerimage.config";

impl Options {
    /// JSON of the config of an input that is an image; nothing if the client does not say that it is.
    pub fn input_config(&self, input: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(json) = self.input_metadata.get(input) else {
            return Ok(None);
        };
        let wrong = |message: String| Failure::option(format!("input-metadata:{input}"), message);
        let said: BTreeMap<String, Option<String>> = serde_json::from_str(json)
            .map_err(|error| wrong(format!("not the JSON of metadata: {error}")))?;
        let Some(config) = said.get(CONFIG).and_then(Option::as_deref) else {
            return Ok(None);
        };
        let config = STANDARD
            .decode(config)
            .map_err(|error| wrong(format!("the config is not base64: {error}")))?;
        Ok(Some(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Result<Option<Vec<u8>>, String> {
        let given = [("input-metadata:base".to_owned(), json.to_owned())];
        let options = Options::read(&given.into()).unwrap();
        assert_eq!(options.input_config("other"), Ok(None));
        let config = options.input_config("base");
        config.map_err(|failure| failure.to_string())
    }

    #[test]
    fn configs_of_inputs() {
        let said = config(r#"{"containerimage.config":"e30=","other":"AA=="}"#);
        assert_eq!(said, Ok(Some(b"{}".to_vec())));
        assert_eq!(config("{}"), Ok(None));
        for json in ["{", r#"{"containerimage.config":"?"}"#] {
            let error = config(json).unwrap_err();
            assert!(
                error.starts_with("option `input-metadata:base`: "),
                "{error}"
            );
        }
    }
}
