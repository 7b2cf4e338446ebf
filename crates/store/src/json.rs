//! Bodies: JSON of what the crate `fleet` calls it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Fault;

/// A value as text.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Io { error: error.into() })
}

/// A value from text of the file. `what` says whose text it is.
pub(crate) fn read<T: DeserializeOwned>(text: &str, what: impl FnOnce() -> String) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Corrupt { what: format!("{} cannot be read: {error}", what()) })
}
