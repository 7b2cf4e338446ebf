//! What reports call a loader by. They leave the process: what names have of secrets does not.

use crate::meter::Given;
use crate::spec::Spec;

/// Letters of a name, at most.
const NAME_MAX: usize = 200;

pub(super) fn given(spec: &Spec) -> Given {
    Given {
        data: data(&spec.data_of_sources().flatten().map(String::as_str).collect::<Vec<&str>>()),
        rank: spec.rank,
        world_size: spec.world,
        price_per_hour: spec.price_per_hour.clone(),
    }
}

/// The first name, and how many more there are.
fn data(names: &[&str]) -> String {
    let Some(first) = names.first() else { return String::new() };
    let name = shortened(&without_secrets(first));
    if names.len() > 1 { format!("{name} and {} more", names.len() - 1) } else { name }
}

/// An address without the user and the password before its host, and without what is behind a question mark.
fn without_secrets(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let path = if is_web { path.split(['?', '#']).next().unwrap_or(path) } else { path };
    format!("{scheme}://{host}{path}")
}

/// Its end, where it is long: that tells names of one folder apart.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_MAX {
        return name.to_owned();
    }
    std::iter::once('…').chain(name.chars().skip(length - NAME_MAX + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_without_secrets() {
        for (name, expected) in [
            ("train-{000..127}.tar", "train-{000..127}.tar"),
            ("data/a?.tar", "data/a?.tar"),
            ("s3://bucket/a*", "s3://bucket/a*"),
            ("https://me:secret@host:9000/a/b.tar", "https://host:9000/a/b.tar"),
            ("https://host/a.tar?X-Amz-Signature=secret", "https://host/a.tar"),
            ("http://me@host", "http://host"),
        ] {
            assert_eq!(data(&[name]), expected);
        }
        let long = format!("{}/train.tar", "x".repeat(400));
        let name = data(&[&long, "b", "c"]);
        assert!(name.starts_with('…') && name.ends_with("/train.tar and 2 more"), "{name}");
        assert_eq!(name.chars().count(), NAME_MAX + " and 2 more".len());
    }
}
