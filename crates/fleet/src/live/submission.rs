//! What someone hands in.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::named::{check_name, check_time_limit};
use crate::ids::WorkloadId;
use crate::node::Resources;
use crate::quantity::{MilliDevice, Millis};

/// The queue of whoever names none. It is there without anybody having set it.
pub const DEFAULT_QUEUE: &str = "default";

/// What to run, and what it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    /// The directory it starts in; an absolute path.
    pub directory: String,
    /// Its environment; nothing is inherited but what is set here and the few variables that the runner sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it waits.
    #[serde(default = "default_queue")]
    pub queue: String,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Higher goes first within its queue.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// What it asks for.
    #[serde(default)]
    pub request: Resources,
    /// Device models it is tied to; none: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The longest it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<Millis>,
    /// How long it has, once asked to stop, to write a checkpoint before it is killed.
    #[serde(default = "default_grace", rename = "grace_ms")]
    pub grace: Millis,
    /// What must have completed before it may start. If one of these ends otherwise, it never starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<WorkloadId>,
    /// How often it is tried again after it failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Its place in an array, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<ArrayPlace>,
}

/// A place in an array of workloads that were handed in together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayPlace {
    /// Which one it is, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

/// What is wrong with a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what was expected.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}`: {}", self.field, self.reason)
    }
}

impl std::error::Error for Invalid {}

impl Submission {
    /// The most bytes that command and environment may have together: Linux takes 128 KiB for one argument and, with its usual
    /// stack, 2 MiB for all (execve(2)); half of that leaves room for what is added.
    pub const WORDS_MAX: usize = 1 << 20;
    /// The most bytes of one argument or variable (`MAX_ARG_STRLEN`, execve(2)).
    pub const WORD_MAX: usize = (128 << 10) - 1;
    /// The most characters of a name, a queue or a user.
    pub const NAME_MAX: usize = 200;
    /// The most retries.
    pub const RETRIES_MAX: u32 = 1_000;
    /// The most workloads it may wait for.
    pub const DEPENDS_MAX: usize = 1_000;
    /// The longest time limit: ten years, far from where moments overflow.
    pub const TIME_LIMIT_MAX: Millis = Millis::hours(10 * 366 * 24);
    /// The most members of an array.
    pub const ARRAY_MAX: u32 = 100_000;

    /// Whether it can be taken in at all; whether it can ever run here is asked elsewhere.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self) -> Result<(), Invalid> {
        self.check_command()?;
        for (field, name) in [("name", &self.name), ("user", &self.user)] {
            name.as_deref().map_or(Ok(()), |name| check_name(field, name))?;
        }
        check_name("queue", &self.queue)?;
        self.models.iter().try_for_each(|model| check_name("models", model))?;
        if self.models.len() > Self::DEPENDS_MAX || self.depends_on.len() > Self::DEPENDS_MAX {
            return Err(invalid("depends_on", format!("more than {} are listed", Self::DEPENDS_MAX)));
        }
        let devices = self.request.devices.0;
        if devices > MilliDevice::WHOLE && !devices.is_multiple_of(MilliDevice::WHOLE) {
            return Err(invalid("request", "more than one device must be whole devices: thousands of devices_milli"));
        }
        self.time_limit_ms.map_or(Ok(()), |limit| check_time_limit("time_limit_ms", limit))?;
        if !(0..=Millis::hours(24).0).contains(&self.grace.0) {
            return Err(invalid("grace_ms", "the time to stop is between 0 and 24 hours"));
        }
        if self.retries > Self::RETRIES_MAX {
            return Err(invalid("retries", format!("at most {} retries", Self::RETRIES_MAX)));
        }
        match self.array {
            Some(ArrayPlace { index, count }) if index >= count || count > Self::ARRAY_MAX => {
                Err(invalid("array", format!("an array has at most {} members, counted from 0", Self::ARRAY_MAX)))
            }
            _ => Ok(()),
        }
    }

    fn check_command(&self) -> Result<(), Invalid> {
        if self.command.first().is_none_or(String::is_empty) {
            return Err(invalid("command", "it names no program"));
        }
        if !self.directory.starts_with('/') {
            return Err(invalid("directory", "an absolute path is expected"));
        }
        let pairs = self.environment.iter();
        let words = self.command.iter().chain([&self.directory]).chain(pairs.flat_map(|(name, value)| [name, value]));
        let mut sum = 0;
        for word in words {
            if word.contains('\0') {
                return Err(invalid("command", "no argument, path or variable may hold a zero byte"));
            }
            if word.len() > Self::WORD_MAX {
                return Err(invalid("command", format!("an argument has more than {} bytes", Self::WORD_MAX)));
            }
            sum += word.len() + 1;
        }
        if sum > Self::WORDS_MAX {
            let most = Self::WORDS_MAX;
            return Err(invalid("command", format!("command and environment have more than {most} bytes together")));
        }
        match self.environment.keys().find(|name| name.is_empty() || name.contains('=')) {
            Some(name) => Err(invalid("environment", format!("`{name}` is no name of a variable"))),
            None => Ok(()),
        }
    }
}

pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Invalid {
    Invalid { field, reason: reason.into() }
}

fn default_queue() -> String {
    DEFAULT_QUEUE.into()
}

fn default_grace() -> Millis {
    Millis::seconds(30)
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Submission {
        let text = r#"{"command": ["python3", "train.py"], "directory": "/work"}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn little_needs_to_be_said() {
        let submission = good();
        assert_eq!(submission.check(), Ok(()));
        assert_eq!((submission.queue.as_str(), submission.grace), ("default", Millis::seconds(30)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |field: &str, change: &dyn Fn(&mut Submission)| {
            let mut submission = good();
            change(&mut submission);
            assert_eq!(submission.check().unwrap_err().field, field, "{submission:?}");
        };
        check("command", &|submission| submission.command.clear());
        check("command", &|submission| submission.command[0].clear());
        check("command", &|submission| submission.command.push("a\0b".into()));
        check("command", &|submission| submission.command.push("x".repeat(Submission::WORD_MAX + 1)));
        check("command", &|submission| submission.command.resize(20, "x".repeat(100_000)));
        check("directory", &|submission| submission.directory = "here".into());
        check("environment", &|submission| drop(submission.environment.insert("A=B".into(), "c".into())));
        check("name", &|submission| submission.name = Some("a\u{1b}[2J".into()));
        check("name", &|submission| submission.name = Some("n".repeat(201)));
        check("queue", &|submission| submission.queue.clear());
        check("request", &|submission| submission.request.devices = MilliDevice(1_500));
        check("time_limit_ms", &|submission| submission.time_limit_ms = Some(Millis(0)));
        check("grace_ms", &|submission| submission.grace = Millis(-1));
        check("retries", &|submission| submission.retries = 1_001);
        check("array", &|submission| submission.array = Some(ArrayPlace { index: 2, count: 2 }));
    }
}
