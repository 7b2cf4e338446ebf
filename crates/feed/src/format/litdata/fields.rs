//! The fields of LitData's samples: which there are, what each is called, and how it is stored.

use serde::Deserialize;
use serde_json::Value;

use super::Config;
use crate::format::Encoding;
use crate::format::mds::Column;

/// The fields of all samples.
pub(super) struct Fields {
    /// In the order in which they are stored.
    all: Vec<Field>,
}

/// A field.
pub(super) struct Field {
    /// Its name: keys of dictionaries and places in lists, with dots between; empty where the sample is one thing.
    pub(super) name: String,
    /// How it is stored; or how, where that is not read, and why not.
    pub(super) stored: Result<Stored, Unread>,
}

/// How a field is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// As what it is: a file, text, or the numbers of an array.
    Plain,
    /// A whole number.
    Integer {
        /// Whether its highest bit is a sign.
        is_signed: bool,
    },
    /// A floating-point number of 64 bits.
    Float,
    /// The numbers of an array behind its type and its shape.
    Array(Header),
}

/// How an array's type and shape are told: the number of its type, how many sides it has, and each of them, of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Least byte first, with NumPy's types.
    Numpy,
    /// Most significant byte first, with torch's types.
    Torch,
}

/// A field that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// How it is stored, in the library's words.
    serializer: String,
    why: &'static str,
}

impl Fields {
    /// The fields that an index tells of.
    pub(super) fn of(config: &Config) -> Result<Fields, String> {
        let stored = config.data_format.as_deref().unwrap_or_default();
        let names = match &config.data_spec {
            Some(spec) => names(spec)?,
            None if stored.len() == 1 => vec![String::new()],
            None => (0..stored.len()).map(|place| place.to_string()).collect(),
        };
        if names.len() != stored.len() || names.is_empty() {
            let (names, stored) = (names.len(), stored.len());
            return Err(format!("its data_spec has {names} fields, and its data_format tells how {stored} are stored"));
        }
        let fields = names.into_iter().zip(stored);
        let all: Vec<Field> = fields.map(|(name, stored)| Field { name, stored: how_stored(stored) }).collect();
        let fields = Fields { all };
        if fields.read().next().is_none() {
            return Err(format!("no field of its samples can be read{}", fields.told_unread()));
        }
        Ok(fields)
    }

    /// The same as columns of shards of MDS, which lie in chunks as they do there, each with a size in front.
    pub(super) fn columns(&self) -> Vec<Column> {
        let column = |field: &Field| Column { name: field.name.clone(), encoding: Encoding::Plain, size: None };
        self.all.iter().map(column).collect()
    }

    /// Those that can be read, with their places.
    pub(super) fn read(&self) -> impl Iterator<Item = (usize, &Field, Stored)> {
        self.all.iter().enumerate().filter_map(|(place, field)| Some((place, field, *field.stored.as_ref().ok()?)))
    }

    /// The place of the first that has one of some names. Where samples are one thing without a name, any name is theirs, and none.
    pub(super) fn find(&self, names: &[String]) -> Option<(usize, Stored)> {
        let is_one_thing = matches!(&self.all[..], [one] if one.name.is_empty());
        if is_one_thing {
            return self.read().map(|(place, _, stored)| (place, stored)).next();
        }
        let find = |name: &String| self.read().find(|(_, field, _)| field.name == *name);
        names.iter().find_map(find).map(|(place, _, stored)| (place, stored))
    }

    /// What is to be said where no sample has a field of any of some names that can be read.
    pub(super) fn lacks(&self, names: &[String]) -> Option<String> {
        if names.is_empty() || self.find(names).is_some() {
            return None;
        }
        let unread = self.all.iter().filter(|field| names.contains(&field.name));
        if let Some((name, Unread { serializer, why })) =
            unread.filter_map(|field| Some((&field.name, field.stored.as_ref().err()?))).next()
        {
            return Some(format!("its field {name} is stored by LitData's serializer {serializer}: {why}"));
        }
        let known: Vec<&str> = self.read().map(|(_, field, _)| field.name.as_str()).collect();
        Some(format!(
            "it has no field {}; its fields are {}{}",
            names.join(" or "),
            known.join(", "),
            self.told_unread()
        ))
    }

    fn told_unread(&self) -> String {
        let unread = self.all.iter().filter_map(|field| Some((field, field.stored.as_ref().err()?)));
        let told: Vec<String> = unread
            .map(|(Field { name, .. }, Unread { serializer, .. })| match name.as_str() {
                "" => serializer.clone(),
                name => format!("{name} ({serializer})"),
            })
            .collect();
        if told.is_empty() {
            String::new()
        } else {
            format!("; those stored in ways that are not read are {}", told.join(", "))
        }
    }
}

/// What a serializer's name says; behind a colon, it tells what it found.
fn how_stored(serializer: &str) -> Result<Stored, Unread> {
    const PICKLE: &str =
        "pickle is never read, for it runs whatever the file says; store it as text, numbers, bytes or an array";
    let (name, detail) = serializer.split_once(':').unwrap_or((serializer, ""));
    let why = match (name, detail) {
        ("str" | "text" | "bytes" | "jpeg" | "image" | "file" | "tifffile" | "tiff", _) => return Ok(Stored::Plain),
        ("video" | "audio" | "nifti" | "mesh" | "pdf", _) => return Ok(Stored::Plain),
        ("int", _) => return Ok(Stored::Integer { is_signed: true }),
        ("bool", _) => return Ok(Stored::Integer { is_signed: false }),
        ("float", _) => return Ok(Stored::Float),
        // Arrays of Python's objects: what is stored is where they were in memory.
        ("no_header_numpy", "14") => "it is of Python's objects, which are not in the file",
        ("no_header_numpy" | "no_header_tensor", _) => return Ok(Stored::Plain),
        ("numpy", _) => return Ok(Stored::Array(Header::Numpy)),
        ("tensor", _) => return Ok(Stored::Array(Header::Torch)),
        ("pickle" | "graph", _) => PICKLE,
        ("pil", _) => {
            "pixels that are not compressed are not read; store the image's file, as LitData's JPEG or Image do"
        }
        _ => "what it writes is not read; store it as text, numbers, bytes or an array",
    };
    Err(Unread { serializer: serializer.to_owned(), why })
}

/// A node of the tree that samples were flattened from, as torch writes it (`torch.utils._pytree`). One without a type is a field.
#[derive(Deserialize)]
struct Node {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    children_spec: Vec<Node>,
}

/// The names of the fields, in order, of a tree in JSON: its version, and its root. JSON as deep as would hurt is refused by its reader.
fn names(spec: &str) -> Result<Vec<String>, String> {
    let wrong = |problem: String| format!("its data_spec cannot be read: {problem}");
    let (version, root): (u64, Node) = serde_json::from_str(spec).map_err(|error| wrong(error.to_string()))?;
    if version != 1 {
        return Err(wrong(format!("it is of version {version}, and 1 is read")));
    }
    let mut names = Vec::new();
    walk(&root, String::new(), &mut names);
    Ok(names)
}

fn walk(node: &Node, name: String, names: &mut Vec<String>) {
    if node.kind.is_none() {
        return names.push(name);
    }
    let keys = keys(node);
    for (place, child) in node.children_spec.iter().enumerate() {
        let key = keys.get(place).cloned().unwrap_or_else(|| place.to_string());
        walk(child, if name.is_empty() { key } else { format!("{name}.{key}") }, names);
    }
}

/// The keys of a dictionary, which stand in its context as JSON within JSON; none where it is a list, or has others.
fn keys(node: &Node) -> Vec<String> {
    let Some("builtins.dict" | "collections.OrderedDict") = node.kind.as_deref() else { return Vec::new() };
    let told = node.context.as_str().and_then(|context| serde_json::from_str::<Vec<Value>>(context).ok());
    let keys = told.filter(|keys| keys.len() == node.children_spec.len()).unwrap_or_default();
    keys.iter().map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(format: &[&str], spec: Option<&str>) -> Config {
        Config {
            compression: None,
            compression_level: None,
            data_format: Some(format.iter().map(|name| (*name).to_owned()).collect()),
            data_spec: spec.map(str::to_owned),
            encryption: None,
            item_loader: None,
        }
    }

    const LEAF: &str = r#"{"type": null, "context": null, "children_spec": []}"#;

    fn node(kind: &str, context: &str, children: &[&str]) -> String {
        let context = serde_json::to_string(context).expect("text is JSON");
        format!(r#"{{"type": "{kind}", "context": {context}, "children_spec": [{}]}}"#, children.join(", "))
    }

    #[test]
    fn fields_are_called_by_where_they_stand() {
        let list = node("builtins.tuple", "null", &[LEAF, LEAF]);
        let dict = node("builtins.dict", r#"["a", 7]"#, &[&list, LEAF]);
        let other = node("collections.defaultdict", r#"{"some": "thing"}"#, &[LEAF]);
        for (spec, expected) in [
            (LEAF.to_owned(), vec![""]),
            (list, vec!["0", "1"]),
            (dict.clone(), vec!["a.0", "a.1", "7"]),
            (node("builtins.list", "null", &[&dict, &other]), vec!["0.a.0", "0.a.1", "0.7", "1.0"]),
            // Keys that are too few are none.
            (node("builtins.dict", r#"["a"]"#, &[LEAF, LEAF]), vec!["0", "1"]),
        ] {
            assert_eq!(names(&format!("[1, {spec}]")).unwrap(), expected, "{spec}");
        }
        let deep = format!("[1, {}{}]", r#"{"type": "x", "children_spec": ["#.repeat(9999), "]}".repeat(9999));
        for (spec, expected) in
            [("[2, {\"type\": null}]", "of version 2"), ("{}", "invalid type"), (&deep, "recursion")]
        {
            let said = names(spec).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let spec = format!("[1, {}]", node("builtins.dict", r#"["a", "b", "c"]"#, &[LEAF, LEAF, LEAF]));
        let fields = Fields::of(&config(&["int", "pickle", "pil"], Some(&spec))).ok().unwrap();
        let lacks = |name: &str| fields.lacks(&[name.to_owned()]);
        assert_eq!(lacks("a"), None);
        let said = lacks("b").unwrap();
        assert!(
            said.starts_with("its field b is stored by LitData's serializer pickle: pickle is never read"),
            "{said}"
        );
        let said = lacks("d").unwrap();
        let expected =
            "it has no field d; its fields are a; those stored in ways that are not read are b (pickle), c (pil)";
        assert_eq!(said, expected);
        let said = Fields::of(&config(&["pickle"], None)).err().unwrap();
        assert_eq!(said, "no field of its samples can be read; those stored in ways that are not read are pickle");
        let said = Fields::of(&config(&["int"], Some(&spec))).err().unwrap();
        assert_eq!(said, "its data_spec has 3 fields, and its data_format tells how 1 are stored");
    }
}
