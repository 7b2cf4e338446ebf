//! One event of a trace.

use std::io::BufRead;

use crate::json::{Error, Json, Value};

/// What is read of an event; what is absent is nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Event {
    /// What happened.
    pub(super) name: String,
    pub(super) category: Category,
    /// When it began.
    pub(super) start: Option<Moment>,
    /// How long it took.
    pub(super) length: Option<Moment>,
    /// The stream of a device, for what runs there.
    pub(super) stream: Option<i64>,
    /// The number that a launch and what it launched have in common.
    pub(super) correlation: Option<i64>,
    /// The process that it is of; for what runs on a device, the device.
    pub(super) process: Option<i64>,
    /// The thread, where it has a number.
    pub(super) thread: Option<i64>,
    /// The device, where it says.
    pub(super) device: Option<i64>,
    /// Of what waits for a CUDA event: the stream in which that was recorded.
    pub(super) waits_for_stream: Option<i64>,
    /// Likewise, the number of the call that recorded it.
    pub(super) waits_for_record: Option<i64>,
    /// Whether something stands where a name, a moment or a length should, and is none.
    pub(super) wrong: bool,
}

/// What kind of event it is, as far as that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Category {
    /// It names none.
    #[default]
    None,
    /// Work of a device: a kernel, a copy, a memset.
    Device,
    /// An operator on the host.
    Operator,
    /// A call of the host to the device's runtime or driver.
    Call,
    /// That something waits for a device, or on it.
    Sync,
    /// What a person marked on the host.
    Annotation,
    /// The profiler's own span, which is no event of the work.
    Profiler,
    /// Any other.
    Other,
}

impl Category {
    fn of(name: &str) -> Self {
        match name {
            // Of Kineto today, of older ones, and of Meta's accelerators.
            "kernel" | "Kernel" | "gpu_memset" | "Memset" | "gpu_memcpy" | "Memcpy" | "mtia_ccp_events" => Self::Device,
            "cpu_op" | "Operator" => Self::Operator,
            // AMD's runtime goes by the same name.
            "cuda_runtime" | "cuda_driver" | "Runtime" => Self::Call,
            "cuda_sync" => Self::Sync,
            "user_annotation" => Self::Annotation,
            "Trace" => Self::Profiler,
            _ => Self::Other,
        }
    }
}

/// A moment or a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// In nanoseconds; traces write microseconds, with or without decimals.
    pub(super) ns: i64,
    /// Whether it was written as a whole number of microseconds.
    pub(super) whole: bool,
}

impl Moment {
    /// From microseconds as they are written; nothing where that is no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (digits, negative) = text.strip_prefix('-').map_or((text, false), |digits| (digits, true));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
            let us: f64 = text.parse().ok().filter(|us: &f64| us.abs() < 9e15)?;
            return Some(Self { ns: (us * 1_000.0).round() as i64, whole: us.fract() == 0.0 });
        }
        let mut ns: i64 = whole.parse().ok()?;
        let mut decimals = decimals.bytes();
        for _ in 0..3 {
            let digit = decimals.next().map_or(0, |byte| i64::from(byte - b'0'));
            ns = ns.checked_mul(10)?.checked_add(digit)?;
        }
        // 12.0 is a number with decimals in the eyes of those who read it.
        Some(Self { ns: if negative { -ns } else { ns }, whole: whole.len() == digits.len() })
    }
}

impl Event {
    /// Reads the event that comes next.
    pub(super) fn read(&mut self, json: &mut Json<impl BufRead>) -> Result<(), Error> {
        self.name.clear();
        *self = Self { name: std::mem::take(&mut self.name), ..Self::default() };
        if json.value()? != Value::Object {
            return Err(json.wrong("an event"));
        }
        loop {
            match json.next_key()? {
                None => return Ok(()),
                Some("name") => {
                    let name = &mut self.name;
                    plain(json, &mut self.wrong, |text| name.push_str(text))?;
                }
                Some("cat") => {
                    self.category = plain(json, &mut self.wrong, Category::of)?.unwrap_or(Category::None);
                }
                Some("ts") => self.start = moment(json, &mut self.wrong)?,
                Some("dur") => self.length = moment(json, &mut self.wrong)?,
                Some("pid") => self.process = whole(json)?,
                Some("tid") => self.thread = whole(json)?,
                Some("args") => self.arguments(json)?,
                Some(_) => json.pass()?,
            }
        }
    }

    fn arguments(&mut self, json: &mut Json<impl BufRead>) -> Result<(), Error> {
        match json.value()? {
            Value::Object => {}
            Value::List => return Err(json.wrong("arguments by their names")),
            _ => return Ok(()),
        }
        loop {
            match json.next_key()? {
                None => return Ok(()),
                Some("stream") => self.stream = whole(json)?,
                Some("correlation") => self.correlation = whole(json)?,
                Some("device") => self.device = whole(json)?,
                Some("wait_on_stream") => self.waits_for_stream = whole(json)?,
                Some("wait_on_cuda_event_record_corr_id") => self.waits_for_record = whole(json)?,
                Some(_) => json.pass()?,
            }
        }
    }
}

fn moment(json: &mut Json<impl BufRead>, wrong: &mut bool) -> Result<Option<Moment>, Error> {
    let moment = plain(json, wrong, Moment::parse)?;
    *wrong |= moment == Some(None);
    Ok(moment.flatten())
}

/// A whole number; nothing where there is none, whatever else stands there.
fn whole(json: &mut Json<impl BufRead>) -> Result<Option<i64>, Error> {
    Ok(plain(json, &mut false, |text| text.parse().ok())?.flatten())
}

/// What becomes of a text, or of a number as it is written: some writers quote theirs. Nothing where there is neither; where several
/// values stand in the place of one, that is wrong.
fn plain<T>(json: &mut Json<impl BufRead>, wrong: &mut bool, take: impl FnOnce(&str) -> T) -> Result<Option<T>, Error> {
    match json.value()? {
        Value::Number(text) | Value::Text(text) => return Ok(Some(take(text))),
        Value::Object => {
            *wrong = true;
            while json.next_key()?.is_some() {
                json.pass()?;
            }
        }
        Value::List => {
            *wrong = true;
            while json.next_item()? {
                json.pass()?;
            }
        }
        _ => {}
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_nanoseconds() {
        for (text, expected) in [
            ("12", Some((12_000, true))),
            ("12.5", Some((12_500, false))),
            ("4458676983543.183", Some((4_458_676_983_543_183, false))),
            ("0.0019", Some((1, false))),
            ("68.0", Some((68_000, false))),
            ("-3", Some((-3_000, true))),
            ("1e3", Some((1_000_000, true))),
            ("", None),
            ("x", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(Moment::parse(text).map(|moment| (moment.ns, moment.whole)), expected, "{text}");
        }
    }

    #[test]
    fn an_event_is_read_whatever_the_order_of_its_keys() {
        let text = r#"{"args": {"stream": 7, "grid": [1, 2], "correlation": 9}, "ph": "X", "dur": 3, "name": "k", "cat": "kernel",
            "ts": 5.25, "pid": 1, "tid": {"a": []}}"#;
        let mut event = Event { stream: Some(1), name: "old".into(), ..Event::default() };
        event.read(&mut Json::new(text.as_bytes())).unwrap();
        let expected = Event {
            name: "k".into(),
            category: Category::Device,
            start: Some(Moment { ns: 5_250, whole: false }),
            length: Some(Moment { ns: 3_000, whole: true }),
            stream: Some(7),
            correlation: Some(9),
            process: Some(1),
            ..Event::default()
        };
        assert_eq!(event, expected);
    }
}
