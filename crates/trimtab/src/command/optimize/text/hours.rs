//! Where the hours went: a table whose parts add up, and what lies over them.

use advise::report::Report;
use advise::waste::{PartGroup, Waterfall};
use fleet::money::Money;

use crate::table::{Align, Table};
use crate::wrap::{self, paragraph};

/// A whole bar.
const BAR: f64 = 20.0;
/// Narrower lines have no bars.
const BARS_FROM: usize = 96;

pub(super) fn section(text: &mut String, report: &Report, width: usize) {
    let account = &report.account;
    wrap::section(text, "Where the hours went");
    if let Some(words) = account.basis_words {
        paragraph(text, width, "  ", &format!("({words})"));
    }
    match &account.capacity {
        Some(capacity) => {
            text.push_str(&table(capacity, width).within(width));
            if capacity.cost.is_none() {
                let words =
                    "Without prices there are hours and no money: a fleet file can state them (price_per_hour).";
                paragraph(text, width, "  ", words);
            }
        }
        None => account.words().iter().for_each(|line| paragraph(text, width, "  ", &format!("- {line}"))),
    }
    let lines: Vec<String> =
        account.unused.iter().map(advise::waste::Unused::words).chain(account.limits.words(account.unit)).collect();
    if account.capacity.is_some() && !lines.is_empty() {
        paragraph(text, width, "  ", "These lie over the parts above and are not added to them:");
        lines.iter().for_each(|line| paragraph(text, width, "  ", &format!("- {line}")));
    }
    for line in account.gaps() {
        paragraph(text, width, "  ", &format!("- {line}"));
    }
}

fn table(capacity: &Waterfall, width: usize) -> Table {
    let mut table = Table::new([
        ("", Align::Left),
        (capacity.unit, Align::Right),
        ("share", Align::Right),
        ("cost", Align::Right),
        ("", Align::Left),
    ]);
    let money = |cost: Option<Money>| cost.map_or_else(String::new, |cost| cost.to_string());
    let mut row = |label: String, hours: advise::hours::Hours, cost: Option<Money>, bar: bool| {
        let share = hours.share_of(capacity.capacity_hours);
        let bar = if bar && width >= BARS_FROM { "█".repeat((share * BAR).round() as usize) } else { String::new() };
        table.row([label, hours.to_string(), super::short::percent(share), money(cost), bar]);
    };
    for group in capacity.groups() {
        row(group.group.words().to_owned(), group.hours, group.cost, true);
        let alone = group.parts.len() == 1 && group.group == PartGroup::Completed;
        for part in group.parts.iter().filter(|_| !alone) {
            row(format!("  {}", part.part.label()), part.hours, part.cost, false);
        }
    }
    row("all there was".to_owned(), capacity.capacity_hours, capacity.cost, false);
    table.without_empty_columns()
}
