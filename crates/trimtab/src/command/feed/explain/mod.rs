//! `trimtab feed explain`.

mod cost;
mod explanation;
mod words;

use ::feed::serve::FOLDER;
use clap::Args;
use fleet::fleet_file::Decimal;
use fleet::money::{Currency, Money};
use serde::Serialize;

use self::cost::Priced;
use self::explanation::Explanation;
pub(super) use self::explanation::shares;
use super::loaders::{self, Which};
use crate::failure::Outcome;
use crate::format::Format;
use crate::printed::print;
use crate::wrap;

/// Say what holds a loader of training data back, who waits for whom, what to change, and what the waiting costs
///
/// What is told is of the last ten seconds or so of a running loader, or of those before its report was saved. Of several loaders, as of
/// several ranks, all are listed, and the one is explained whose consumer waits most: where they train together, all wait for it.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  trimtab feed explain                     # a loader of this user: Loader(..., metrics=True)
  trimtab feed explain 4242                # a process
  trimtab feed explain /run/trimtab --accelerators 8 --price-per-hour 2.50
  trimtab feed explain report.json         # saved with loader.report().to_json()
  trimtab feed explain --format json | jq '.loaders[].remedies'

The folder of this user is the one that {FOLDER} names, else trimtab/feed
in XDG_RUNTIME_DIR, else trimtab-feed-UID in the folder for temporary files.
docs/FEED.md tells how the figures come about."))]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How many accelerators wait while the loader's consumer does
    #[arg(long, value_name = "N", requires = "price_per_hour", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    accelerators: Option<u32>,
    /// What an hour of one costs; instead of what the loader was told
    #[arg(long, value_name = "PRICE", value_parser = price)]
    price_per_hour: Option<Decimal>,
    /// The currency of the price
    #[arg(long, value_name = "CODE", default_value = "USD", value_parser = currency)]
    currency: Currency,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// All that is explained, as JSON has it.
#[derive(Serialize)]
struct Explained {
    version: u32,
    loaders: Vec<Explanation>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let mut loaders = arguments.which.all()?;
    let priced = arguments.priced();
    // Of those that wait as much, the order is that of their processes.
    loaders.sort_by(|a, b| b.told.report.recent.starved.total_cmp(&a.told.report.recent.starved));
    let explained: Vec<Explanation> = loaders.iter().map(|loader| Explanation::of(&loader.told, priced)).collect();
    print(&match arguments.format {
        Format::Json => {
            let explained = Explained { version: 1, loaders: explained };
            serde_json::to_string_pretty(&explained).expect("an explanation is plain data") + "\n"
        }
        Format::Text => {
            let mut text = String::new();
            if loaders.len() > 1 {
                text.push_str(&loaders::list(&loaders));
                text.push_str("\nThe first, whose consumer waits most:\n\n");
            }
            let first = explained.first().expect("at least one loader was found");
            words::explanation(first, wrap::width(), &mut text);
            text
        }
    })
}

impl Arguments {
    fn priced(&self) -> Option<Priced> {
        let price = Money { micros: self.price_per_hour?.micros, currency: self.currency };
        Some(Priced { accelerators: self.accelerators.unwrap_or(1), price })
    }
}

fn price(text: &str) -> Result<Decimal, String> {
    Decimal::parse(text).ok_or_else(|| "expected digits with at most six after the point, such as 2.50".to_owned())
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "expected three capital letters, such as USD or EUR".to_owned())
}
