//! Objects of JSON, and nothing else, where a struct is read.
//!
//! A derived `Deserialize` takes a list of the fields' values for the struct as well, and `deny_unknown_fields` says nothing against it:
//! `[]` would be read as "every field as if absent". Nobody means that who sends it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A value that was an object.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wanted<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Wanted<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Wanted(PhantomData)).map(Self)
    }
}

/// For fields.
pub(crate) fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// For fields that may be absent or null.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<Object<T>>::deserialize(deserializer).map(|value| value.map(|Object(value)| value))
}

/// For lists.
pub(crate) fn all<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let all = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(all.into_iter().map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        a: u32,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        #[serde(deserialize_with = "one")]
        one: Inner,
        #[serde(deserialize_with = "some")]
        some: Option<Inner>,
        #[serde(deserialize_with = "all")]
        all: Vec<Inner>,
    }

    fn check(text: &str, good: bool) {
        assert_eq!(serde_json::from_str::<Object<Outer>>(text).is_ok(), good, "{text}");
    }

    #[test]
    fn a_list_is_no_object() {
        check("{}", true);
        check(r#"{"one": {"a": 1}, "some": null, "all": [{}]}"#, true);
        check(r#"{"some": {"a": 1}}"#, true);
        for text in ["[]", "null", r#"{"one": []}"#, r#"{"one": [1]}"#, r#"{"some": []}"#, r#"{"all": [[1]]}"#] {
            check(text, false);
        }
    }
}
