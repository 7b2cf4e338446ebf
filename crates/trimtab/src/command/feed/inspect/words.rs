//! What is inside training data, in sentences and tables.

use std::fmt::Write;

use ::feed::format::ShardKind;
use ::feed::inspect::{
    Balance, Ended, FieldReport, FormatReport, Inspection, KindCount, Problem, ProblemKind, Problems, ShardReport,
    Spread,
};
use fleet::quantity::Bytes;

use super::count;
use crate::shown;
use crate::table::{Align, Table};
use crate::wrap::{paragraph, section};

/// So many rows of a table are shown, and shards listed; JSON has all.
const ROWS_MAX: usize = 24;
/// Of more shards, so many of the largest and of the smallest.
const EXTREMES: usize = 5;
/// So many problems of a kind are shown.
const PROBLEMS_SHOWN: usize = 10;

/// The whole report, in lines of `width` letters.
pub(super) fn report(found: &Inspection, width: usize) -> String {
    let mut text = String::new();
    let folder = common_folder(&found.shards);
    head(found, &folder, width, &mut text);
    for format in &found.formats {
        let of = if found.formats.len() > 1 { format!(": {}", format.format) } else { String::new() };
        fields(format, &of, width, &mut text);
        images(format, &of, &mut text);
        if format.shards > 1 {
            shards(format, &of, (&found.shards, &folder), &mut text);
            balance(format, &of, width, &mut text);
        }
    }
    problems(found, &folder, width, &mut text);
    text
}

fn head(found: &Inspection, folder: &str, width: usize, text: &mut String) {
    let bold = anstyle::Style::new().bold();
    if found.ended == Ended::Interrupted {
        let seen = format!("{} of {} samples were looked at", count(found.samples_surveyed), count(found.samples));
        let read = found.samples_checked.map(|checked| format!(", and {} read whole", count(checked)));
        let _ = writeln!(text, "{bold}Interrupted: this is not all.{bold:#}");
        paragraph(text, width, "  ", &format!("{seen}{}.", read.unwrap_or_default()));
        text.push('\n');
    }
    let samples = quantity(found.samples, "sample");
    let bytes = Bytes(found.bytes);
    match &found.formats[..] {
        [only] => {
            let _ = writeln!(text, "{bold}{samples}{bold:#} in {}, {bytes}", named(only, &found.shards, folder));
        }
        several => {
            let shards = shown::count(found.shards.len(), "shard");
            let _ = writeln!(text, "{bold}{samples}{bold:#} in {shards}, {bytes}");
            for format in several {
                let (samples, bytes) = (quantity(format.samples, "sample"), Bytes(format.bytes));
                let words = format!("{samples} in {}, {bytes}", named(format, &found.shards, folder));
                paragraph(text, width, "  ", &words);
            }
        }
    }
    if !folder.is_empty() {
        paragraph(text, width, "  ", &format!("in {folder}"));
    }
}

/// The shards of a format; one is told by its name.
fn named(format: &FormatReport, shards: &[ShardReport], folder: &str) -> String {
    match shards.iter().find(|shard| shard.format == format.format) {
        Some(only) if format.shards == 1 => format!("{}, {}", within(&only.name, folder), format.format),
        _ => format!("{} of {}", quantity(format.shards, "shard"), format.format),
    }
}

fn fields(format: &FormatReport, of: &str, width: usize, text: &mut String) {
    section(text, &format!("Fields{of}"));
    let mut table = Table::new([
        ("field", Align::Left),
        ("samples", Align::Right),
        ("missing in", Align::Right),
        ("together", Align::Right),
        ("smallest", Align::Right),
        ("median", Align::Right),
        ("largest", Align::Right),
    ]);
    for field in format.fields.iter().take(ROWS_MAX) {
        let sizes = field.sizes.unwrap_or_default();
        table.row([
            called(format, field),
            count(field.samples),
            if field.missing == 0 { String::new() } else { count(field.missing) },
            Bytes(field.bytes).to_string(),
            Bytes(sizes.smallest).to_string(),
            Bytes(sizes.median).to_string(),
            Bytes(sizes.largest).to_string(),
        ]);
    }
    text.push_str(&table.without_empty_columns().within(width));
    more(format.fields.len().saturating_sub(ROWS_MAX), text);
    if format.fields_untold > 0 {
        let untold = format!("{} fields of samples have still other names", count(format.fields_untold));
        paragraph(text, width, "  ", &untold);
    }
}

/// What a field is called; what has no name is told by what it is.
fn called(format: &FormatReport, field: &FieldReport) -> String {
    match format.format {
        ShardKind::Text => "(the line)".to_owned(),
        ShardKind::Tokens => "(the tokens)".to_owned(),
        _ if field.name.is_empty() => "(no name)".to_owned(),
        _ => field.name.clone(),
    }
}

fn images(format: &FormatReport, of: &str, text: &mut String) {
    let mut table = Table::new([
        ("field", Align::Left),
        ("images", Align::Left),
        ("in pixels", Align::Left),
        ("smallest", Align::Right),
        ("5 %", Align::Right),
        ("median", Align::Right),
        ("95 %", Align::Right),
        ("largest", Align::Right),
    ]);
    for field in &format.fields {
        let Some(images) = &field.images else { continue };
        let kinds = [(images.jpeg, "JPEG"), (images.png, "PNG"), (images.webp, "WebP")];
        let kinds =
            kinds.iter().filter(|(images, _)| *images > 0).map(|(images, kind)| format!("{} {kind}", count(*images)));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let rows = [("width", images.width), ("height", images.height), ("in all", images.pixels)];
        for (number, (what, Spread { smallest, p5, median, p95, largest })) in rows.into_iter().enumerate() {
            let once = |words: &str| if number == 0 { words.to_owned() } else { String::new() };
            let [smallest, p5, median, p95, largest] = [smallest, p5, median, p95, largest].map(count);
            table.row([once(&field.name), once(&kinds), what.to_owned(), smallest, p5, median, p95, largest]);
        }
    }
    if !table.is_empty() {
        section(text, &format!("Images{of}"));
        let _ = write!(text, "{table}");
    }
}

fn shards(format: &FormatReport, of: &str, (all, folder): (&[ShardReport], &str), text: &mut String) {
    let mut own: Vec<&ShardReport> = all.iter().filter(|shard| shard.format == format.format).collect();
    let has_all = |shard: &ShardReport| shard.fields.len() == format.fields.len();
    let fields = |shard: &ShardReport| {
        let names: Vec<&str> = shard.fields.iter().map(|field| field.name.as_str()).collect();
        if has_all(shard) { String::new() } else { names.join(", ") }
    };
    let mut table = Table::new([
        ("shard", Align::Left),
        ("samples", Align::Right),
        ("bytes", Align::Right),
        ("only the fields", Align::Left),
    ]);
    let mut row = |shard: &ShardReport| {
        table.row([
            within(&shard.name, folder).to_owned(),
            count(shard.samples),
            Bytes(shard.bytes).to_string(),
            fields(shard),
        ]);
    };
    if own.len() <= ROWS_MAX {
        section(text, &format!("Shards{of}"));
        own.iter().for_each(|shard| row(shard));
    } else {
        section(text, &format!("Shards{of}: the {EXTREMES} with fewest samples and the {EXTREMES} with most"));
        // Of those with as many samples, the order is that of the data.
        own.sort_by_key(|shard| (shard.samples, shard.bytes));
        own[..EXTREMES].iter().chain(&own[own.len() - EXTREMES..]).for_each(|shard| row(shard));
    }
    let _ = write!(text, "{}", table.without_empty_columns());
    if own.len() > ROWS_MAX {
        more(own.len() - 2 * EXTREMES, text);
    }
}

fn balance(format: &FormatReport, of: &str, width: usize, text: &mut String) {
    let Some(Balance { samples, bytes, ranks }) = &format.balance else { return };
    section(text, &format!("How even the shards are{of}"));
    let even = if samples.smallest == samples.largest {
        format!("Each shard has {}", quantity(samples.largest, "sample"))
    } else {
        let (smallest, largest) = (count(samples.smallest), quantity(samples.largest, "sample"));
        format!("A shard has {smallest} to {largest}, {} in the mean", count(samples.mean.round() as u64))
    };
    let mean = Bytes(bytes.mean.round() as u64);
    let sizes = format!("{} to {}, {mean} in the mean", Bytes(bytes.smallest), Bytes(bytes.largest));
    paragraph(text, width, "  ", &format!("{even}; {sizes}."));
    paragraph(
        text,
        width,
        "  ",
        "Trimtab's loader deals out samples, so uneven shards make no rank wait. Where whole shards are dealt to ranks in turn, as other \
         loaders do, an epoch lasts as long as the rank with most samples takes:",
    );
    text.push('\n');
    let mut table = Table::new([
        ("ranks", Align::Right),
        ("without a shard", Align::Right),
        ("most samples", Align::Right),
        ("over the mean", Align::Right),
    ]);
    for share in ranks {
        table.row([
            count(share.ranks),
            if share.without_shard == 0 { String::new() } else { count(share.without_shard) },
            count(share.most_samples),
            percent(share.over_mean_percent),
        ]);
    }
    let _ = write!(text, "{}", table.without_empty_columns());
}

fn problems(found: &Inspection, folder: &str, width: usize, text: &mut String) {
    section(text, "Problems");
    let Problems { count: problems, kinds, first } = &found.problems;
    for KindCount { kind, count: of_kind } in kinds {
        paragraph(text, width, "  ", &format!("{} {}", count(*of_kind), told(*kind, *of_kind)));
        let own = first.iter().filter(|problem| problem.kind == *kind);
        for problem in own.clone().take(PROBLEMS_SHOWN) {
            paragraph(text, width, "    ", &format!("- {}", sentence(problem, folder)));
        }
        let hidden = of_kind.saturating_sub(PROBLEMS_SHOWN as u64);
        if hidden > 0 {
            let _ = writeln!(text, "    … and {} more; --format json has the first {}", count(hidden), own.count());
        }
    }
    let none = if *problems == 0 { "None was found. " } else { "" };
    let read = match found.samples_checked {
        Some(1) => "1 sample was read whole.".to_owned(),
        Some(checked) => format!("{} samples were read whole.", count(checked)),
        None => "Only names and sizes were looked at; --check reads everything.".to_owned(),
    };
    paragraph(text, width, "  ", &format!("{none}{read}"));
    if let Some(names) = found.names_across_shards.filter(|names| *names > 0) {
        let are = if names == 1 { "1 sample is".to_owned() } else { format!("{} samples are", count(names)) };
        let same = "named as one of another shard: no mistake where each shard counts its own; else samples were packed twice.";
        paragraph(text, width, "  ", &format!("{are} {same}"));
    }
}

/// What so many problems of a kind are.
fn told(kind: ProblemKind, count: u64) -> &'static str {
    let (one, several) = match kind {
        ProblemKind::File => ("file cannot be read", "files cannot be read"),
        ProblemKind::Sample => ("sample cannot be read", "samples cannot be read"),
        ProblemKind::Image => ("image does not decode", "images do not decode"),
        ProblemKind::Json => ("field of JSON is none", "fields of JSON are none"),
        ProblemKind::Text => ("text is no UTF-8", "texts are no UTF-8"),
        ProblemKind::MissingField => ("field is missing", "fields are missing"),
        ProblemKind::RepeatedField => ("field stands twice in its sample", "fields stand twice in their samples"),
        ProblemKind::RepeatedName => ("sample is named as one before it", "samples are named as one before them"),
    };
    if count == 1 { one } else { several }
}

fn sentence(problem: &Problem, folder: &str) -> String {
    let Problem { file, sample, field, reason, .. } = problem;
    let place = [Some(within(file, folder)), sample.as_deref(), field.as_deref()];
    let place = place.into_iter().flatten().map(|part| part.replace(char::is_control, "\u{fffd}"));
    format!("{}: {}", place.collect::<Vec<_>>().join(", "), reason.replace(char::is_control, "\u{fffd}"))
}

/// The folder that all shards lie in.
fn common_folder(shards: &[ShardReport]) -> String {
    let folder = |shard: &ShardReport| shard.name.rfind('/').map_or("", |slash| &shard.name[..slash]).to_owned();
    let Some(mut common) = shards.first().map(folder) else { return String::new() };
    while !shards.iter().all(|shard| within(&shard.name, &common) != shard.name) && !common.is_empty() {
        common.truncate(common.rfind('/').unwrap_or(0));
    }
    common
}

/// A name without the folder that all have in common.
fn within<'a>(name: &'a str, folder: &str) -> &'a str {
    name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

fn more(rows: usize, text: &mut String) {
    if rows > 0 {
        let _ = writeln!(text, "  … and {rows} more; --format json has all");
    }
}

fn quantity(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Never rounds something to nothing.
fn percent(percent: f64) -> String {
    match percent {
        _ if percent <= 0.0 => "–".to_owned(),
        _ if percent < 0.1 => "< 0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}
