//! What is said of findings: as JSON for programs, and as text for people. Pure.

use fleet::kept_finding::KeptFinding;
use fleet::notice::{News, Turn};
use serde_json::{Value, json};

/// A notice tells of so many findings; the next tells of the rest.
pub const NEWS_MAX: usize = 50;
/// A text tells of so many in words, and counts the rest.
const IN_WORDS_MAX: usize = 10;
/// Of a verdict, so many letters are said.
const LETTERS_MAX: usize = 500;

/// All of it: `{"version": 1, "from": NODE, "text": …, "news": [{"what": "opened" | "returned" | "closed", "id": …, …}]}`.
#[must_use]
pub fn json(from: &str, news: &[News]) -> Value {
    json!({ "version": 1, "from": from, "text": text(from, news), "news": news.iter().map(one).collect::<Vec<_>>() })
}

fn one(news: &News) -> Value {
    let kept = &news.kept;
    json!({
        "what": news.turn.name(),
        "id": kept.id.0,
        "workload": kept.workload.map(|id| id.0),
        "since_ms": kept.since().0,
        "opened_ms": kept.opened.0,
        "closed_ms": kept.closed.map(|at| at.0),
        "returns": kept.returns,
        "device_hours_a_day": news.device_hours_a_day,
        "cost_a_day": news.cost_a_day.map(|money| money.to_string()),
        "finding": kept.finding,
    })
}

/// What chats take: `{"text": …}`.
#[must_use]
pub fn chat(from: &str, news: &[News]) -> Value {
    json!({ "text": escaped(&text(from, news)) })
}

/// In words, a line for each and the first thing to do.
#[must_use]
pub fn text(from: &str, news: &[News]) -> String {
    let mut text = format!("Trimtab on {from}: ");
    let counts: Vec<String> = [(Turn::Opened, "found"), (Turn::Returned, "back"), (Turn::Closed, "over")]
        .into_iter()
        .filter_map(|(turn, word)| {
            let count = news.iter().filter(|one| one.turn == turn).count();
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect();
    text.push_str(&counts.join(", "));
    for one in news.iter().take(IN_WORDS_MAX) {
        text.push_str(&format!("\n• {}", line(one)));
        if one.turn != Turn::Closed
            && let Some(advice) = one.kept.finding.advice.first()
        {
            text.push_str(&format!("\n  → {}", cut(advice)));
        }
    }
    if news.len() > IN_WORDS_MAX {
        text.push_str(&format!("\nand {} more: trimtab findings --all", news.len() - IN_WORDS_MAX));
    }
    text
}

fn line(news: &News) -> String {
    let KeptFinding { id, finding, .. } = &news.kept;
    let word = match news.turn {
        Turn::Opened => "",
        Turn::Returned => "back: ",
        Turn::Closed => "over: ",
    };
    let since = match news.kept.closed {
        Some(closed) => format!("{} to {closed}", news.kept.since()),
        None => format!("since {}", news.kept.since()),
    };
    let cost = match (news.device_hours_a_day, news.cost_a_day) {
        _ if news.turn == Turn::Closed => String::new(),
        (Some(hours), Some(money)) => format!("; costs {hours:.1} device-hours a day, {money}"),
        (Some(hours), None) => format!("; costs {hours:.1} device-hours a day"),
        _ => String::new(),
    };
    // The node of an agent elsewhere.
    let node = finding.place("node").map_or_else(String::new, |node| format!(" on {}", cut(node)));
    format!("{word}{} ({}{node}, {since}{cost}; trimtab findings {})", cut(&finding.verdict), finding.rule, id.0)
}

fn cut(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Slack's escapes of what would else be marks: a job's name addresses nobody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use fleet::finding::{Finding, Place};
    use fleet::ids::{FindingId, WorkloadId};
    use fleet::money::{Currency, Money};
    use fleet::time::Timestamp;

    use super::*;

    fn news(turn: Turn, verdict: &str) -> News {
        let mut finding = Finding::new("hang", verdict);
        finding.advice = vec!["Look at rank 1.".into(), "Restart it.".into()];
        let kept = KeptFinding {
            id: FindingId(12),
            finding,
            workload: Some(WorkloadId(3)),
            opened: Timestamp(60_000),
            seen: Timestamp(60_000),
            closed: (turn == Turn::Closed).then_some(Timestamp(120_000)),
            returns: 0,
            mute: None,
        };
        let money = Money { micros: 96_000_000, currency: Currency::USD };
        News { turn, kept, device_hours_a_day: Some(96.0), cost_a_day: Some(money) }
    }

    #[test]
    fn people_read_what_where_since_when_what_it_costs_and_what_to_do() {
        let all = [news(Turn::Opened, "Job a hangs"), news(Turn::Closed, "Job b\nhangs")];
        assert_eq!(
            text("gpu1", &all),
            "Trimtab on gpu1: 1 found, 1 over\n\
             • Job a hangs (hang, since 1970-01-01T00:01:00Z; costs 96.0 device-hours a day, USD 96.00; trimtab findings 12)\n  \
             → Look at rank 1.\n\
             • over: Job b hangs (hang, 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z; trimtab findings 12)"
        );
        let mut elsewhere = news(Turn::Opened, "Job c hangs");
        elsewhere.kept.finding.places = vec![Place::new("node", "gpu7")];
        assert!(text("gpu1", &[elsewhere]).contains("Job c hangs (hang on gpu7, since"));
        let many: Vec<News> = (0..12).map(|_| news(Turn::Returned, &"x".repeat(900))).collect();
        let said = text("gpu1", &many);
        assert!(said.contains("12 back") && said.ends_with("and 2 more: trimtab findings --all"), "{said}");
        assert!(said.len() < 8_000, "{}", said.len());
    }

    #[test]
    fn programs_get_all_of_it_and_chats_nothing_that_addresses_anybody() {
        let all = [news(Turn::Opened, "Job <!channel> & co hangs")];
        let json = json("gpu1", &all);
        assert_eq!((&json["version"], &json["from"]), (&Value::from(1), &Value::from("gpu1")));
        let one = &json["news"][0];
        assert_eq!(
            (&one["what"], &one["id"], &one["workload"]),
            (&Value::from("opened"), &Value::from(12), &Value::from(3))
        );
        assert_eq!(one["finding"]["verdict"], "Job <!channel> & co hangs");
        assert_eq!(one["cost_a_day"], "USD 96.00");
        let chat = chat("gpu1", &all);
        assert!(chat["text"].as_str().unwrap().contains("&lt;!channel&gt; &amp; co"), "{chat}");
        assert_eq!(chat.as_object().unwrap().len(), 1);
    }
}
