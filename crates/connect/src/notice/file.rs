//! The file that says who is told of findings. Pure, but for secrets, which are in files of their own.

use std::path::{Path, PathBuf};

use fleet::finding::Confidence;
use fleet::notice::Wants;
use fleet::quantity::Millis;
use serde::Deserialize;

use super::{Destination, Form, Secret, To};
use crate::http::is_loopback;

/// No file tells of more destinations.
const DESTINATIONS_MAX: usize = 64;
/// Nothing is told later than this after it was found.
const AFTER_MAX: Millis = Millis::hours(24);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    destination: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    url: Option<String>,
    url_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    form: Option<FormName>,
    program: Option<Vec<String>>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    confidence: Option<Confidence>,
    after_seconds: Option<u32>,
    ends: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormName {
    Json,
    Chat,
}

/// Reads who is told. `rules` are those there are; `secret` reads a file that holds one.
///
/// # Errors
/// What is wrong and where, in words; nothing of a secret.
pub fn parse(
    text: &str,
    rules: &[&str],
    secret: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Vec<Destination>, String> {
    let file: File = toml::from_str(text).map_err(|error| at(text, &error))?;
    if file.destination.is_empty() {
        return Err("it names no [[destination]]".into());
    }
    if file.destination.len() > DESTINATIONS_MAX {
        return Err(format!("it names more than {DESTINATIONS_MAX} destinations"));
    }
    let mut all: Vec<Destination> = Vec::new();
    for (index, entry) in file.destination.into_iter().enumerate() {
        let place = format!("[[destination]] {}, `{}`", index + 1, entry.name.escape_debug());
        if entry.name.is_empty() || entry.name.len() > 64 {
            return Err(format!("[[destination]] {}: `name` has 1 to 64 bytes", index + 1));
        }
        if all.iter().any(|before| before.name == entry.name) {
            return Err(format!("{place}: another has this name"));
        }
        all.push(destination(entry, rules, secret).map_err(|what| format!("{place}: {what}"))?);
    }
    Ok(all)
}

/// What is wrong with TOML, with its line.
fn at(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .map(|span| text.as_bytes()[..span.start.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1);
    line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()))
}

fn destination(
    entry: Entry,
    rules: &[&str],
    secret: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Destination, String> {
    for name in entry.rules.iter().chain(&entry.except) {
        if !rules.contains(&name.as_str()) {
            return Err(format!("there is no rule `{}`; docs/rules.md lists them", name.escape_debug()));
        }
    }
    let after = Millis::seconds(i64::from(entry.after_seconds.unwrap_or(0)));
    if after > AFTER_MAX {
        return Err(format!("`after_seconds` is at most {}", AFTER_MAX.0 / 1_000));
    }
    let wants = Wants {
        rules: entry.rules,
        except: entry.except,
        least: entry.confidence.unwrap_or(Confidence::Possible),
        after,
        ends: entry.ends.unwrap_or(true),
    };
    let read = |path: &PathBuf| secret(path).map(|text| text.trim().to_owned());
    let to = match (entry.url, entry.url_file, entry.program) {
        (Some(url), None, None) => url_of(url, entry.form, entry.token_file.as_ref().map(read).transpose()?)?,
        (None, Some(path), None) => url_of(read(&path)?, entry.form, entry.token_file.as_ref().map(read).transpose()?)?,
        (None, None, Some(words)) => {
            if entry.form.is_some() || entry.token_file.is_some() {
                return Err("`form` and `token_file` go with a URL; a program is given JSON".into());
            }
            let mut words = words.into_iter();
            let path = PathBuf::from(words.next().ok_or("`program` is empty; its first word is the program")?);
            if !path.is_absolute() {
                return Err("`program` begins with the whole path of a program, such as /usr/local/bin/page".into());
            }
            To::Program { path, arguments: words.collect() }
        }
        _ => return Err("it has one of `url`, `url_file` and `program`".into()),
    };
    Ok(Destination { name: entry.name, to, wants })
}

fn url_of(url: String, form: Option<FormName>, token: Option<String>) -> Result<To, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && plain(rest)) {
        return Err("its URL begins with https:// or http://, and a host follows, without spaces".into());
    }
    if token.is_some() && url.starts_with("http://") && !url.parse().is_ok_and(|uri| is_loopback(&uri)) {
        return Err("http would carry the token through the network for all to read: name an address of https".into());
    }
    if token.as_ref().is_some_and(|token| token.is_empty() || !plain(token)) {
        return Err("the token is one line of visible ASCII".into());
    }
    let form = match form {
        None | Some(FormName::Json) => Form::Json,
        Some(FormName::Chat) => Form::Chat,
    };
    Ok(To::Url { url: Secret(url), form, token: token.map(Secret) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Destination>, String> {
        let secret = |path: &Path| match path.to_str() {
            Some("hook") => Ok("https://chat.example/hooks/T0/SECRET\n".to_owned()),
            Some("token") => Ok("t0ken".to_owned()),
            _ => Err(format!("cannot read {}", path.display())),
        };
        parse(text, &["hang", "crash"], &secret)
    }

    #[test]
    fn who_is_told_of_what_is_read_and_secrets_are_not_shown() {
        let all = read(
            "[[destination]]\nname = \"chat\"\nurl_file = \"hook\"\nform = \"chat\"\ntoken_file = \"token\"\n\
             [[destination]]\nname = \"pager\"\nprogram = [\"/bin/page\", \"--team\", \"a b\"]\nrules = [\"hang\"]\n\
             confidence = \"certain\"\nafter_seconds = 30\nends = false\n",
        )
        .unwrap();
        let token = Some(Secret("t0ken".into()));
        let url = Secret("https://chat.example/hooks/T0/SECRET".into());
        assert_eq!(all[0].to, To::Url { url, form: Form::Chat, token });
        assert_eq!(all[0].wants, Wants::default());
        let program = To::Program { path: "/bin/page".into(), arguments: vec!["--team".into(), "a b".into()] };
        assert_eq!(all[1].to, program);
        let wants = Wants {
            rules: vec!["hang".into()],
            except: Vec::new(),
            least: Confidence::Certain,
            after: Millis::seconds(30),
            ends: false,
        };
        assert_eq!(all[1].wants, wants);
        let shown = format!("{all:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("t0ken"), "{shown}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let check = |text: &str, expected: &str| {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("SECRET"), "{error}");
        };
        let one = |rest: &str| format!("[[destination]]\nname = \"a\"\n{rest}\n");
        check("", "no [[destination]]");
        check("[[destination]]\nname = 1\n", "line 2");
        check("[[destination]]\nname = \"\"\nurl = \"http://a\"\n", "[[destination]] 1: `name`");
        check(&one(""), "[[destination]] 1, `a`: it has one of `url`, `url_file` and `program`");
        check(&one("url = \"http://a\"\nprogram = [\"/a\"]"), "one of");
        check(&one("url = \"ftp://SECRET\""), "begins with https://");
        check(&one("url = \"http:///SECRET\""), "a host follows");
        check(&one("url = \"http://a b\""), "without spaces");
        check(&one("url_file = \"none\""), "cannot read none");
        check(&one("url = \"http://gpu1/SECRET\"\ntoken_file = \"token\""), "name an address of https");
        check(&one("program = [\"page\"]"), "whole path");
        check(&one("program = []"), "is empty");
        check(&one("program = [\"/a\"]\nform = \"chat\""), "go with a URL");
        check(&one("url = \"http://a\"\nrules = [\"hung\"]"), "no rule `hung`");
        check(&one("url = \"http://a\"\nafter_seconds = 100000"), "at most 86400");
        check(&one("url = \"http://a\"\nconfidence = \"sure\""), "line 4: ");
        check(&one("url = \"http://a\"\nother = 1"), "line 4: ");
        check(
            &(one("url = \"http://a\"") + &one("url = \"http://b\"")),
            "[[destination]] 2, `a`: another has this name",
        );
    }
}
