//! The regular expressions by which a tokenizer splits texts, looked at beforehand: the engine gives up on some texts (fancy-regex keeps
//! a million places to go back to), and the library then leaves all that is behind the place as one piece, and says nothing.
//!
//! GPT-2's expression gives up where a million spaces follow each other. Tokens that are not those that a model knows are worse than
//! an error that names the sample.

use fancy_regex::Regex;
use serde_json::Value;

/// Texts of fewer bytes are not looked at: each would have to be a place to go back to four times, and the expressions that language
/// models are trained with keep one for a letter at most.
const LOOKED_AT_MIN: usize = 1 << 18;
/// GPT-2's expression (openai/gpt-2, `encoder.py`), which the splitter `ByteLevel` has unless its file says otherwise.
const BYTE_LEVEL: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// All the expressions of a tokenizer.
#[derive(Debug, Default)]
pub(super) struct Expressions(Vec<Regex>);

impl Expressions {
    /// Of parts of a tokenizer, as they are written in its file.
    pub(super) fn of(parts: &[Value]) -> Expressions {
        let mut written = Vec::new();
        parts.iter().for_each(|part| gather(part, &mut written));
        // What is no expression the library has refused before.
        Expressions(written.iter().filter_map(|expression| Regex::new(expression).ok()).collect())
    }

    /// Whether a text can be split; a clause that says why not.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        if text.len() < LOOKED_AT_MIN {
            return Ok(());
        }
        self.0.iter().try_for_each(|expression| match expression.find_iter(text).find_map(Result::err) {
            None => Ok(()),
            Some(error) => Err(format!(
                "the expression by which its tokenizer splits texts gives up on it ({error}), as on a million spaces behind each other: \
                 cut such runs out of the text, or leave the sample out"
            )),
        })
    }
}

/// Finds the expressions of a part, and of the parts that it is made of.
fn gather(part: &Value, written: &mut Vec<String>) {
    let parts = ["normalizers", "pretokenizers"].into_iter().filter_map(|name| part[name].as_array()).flatten();
    parts.for_each(|part| gather(part, written));
    if let Some(expression) = part["pattern"]["Regex"].as_str() {
        written.push(expression.to_owned());
    }
    if part["type"] == "ByteLevel" && part["use_regex"] == Value::Bool(true) {
        written.push(BYTE_LEVEL.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_on_which_the_engine_gives_up_are_told() {
        let byte_level = json!({"type": "ByteLevel", "use_regex": true});
        let split = json!({"type": "Split", "pattern": {"Regex": r"\s+(?!\S)|."}, "behavior": "Isolated"});
        for part in [byte_level, json!({"type": "Sequence", "pretokenizers": [split]})] {
            let expressions = Expressions::of(&[Value::Null, part]);
            assert_eq!(expressions.0.len(), 1);
            let run = |spaces: usize| expressions.check(&(" ".repeat(spaces) + "x"));
            assert_eq!(run(900_000), Ok(()));
            let said = run(1_100_000).expect_err("there is no room for so many places");
            assert!(said.contains("gives up on it"), "{said}");
        }
        assert!(Expressions::of(&[json!({"type": "ByteLevel", "use_regex": false})]).0.is_empty());
    }
}
