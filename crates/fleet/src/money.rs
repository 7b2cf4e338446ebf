//! Money in millionths of its currency. Sums of different currencies are refused, never converted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::quantity::Millis;

/// An ISO 4217 code, such as `USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollar, the currency of most price lists.
    pub const USD: Self = Self(*b"USD");

    /// Reads three upper-case letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code as text.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency code is ASCII by construction")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a currency code such as USD")))
    }
}

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the currency's unit.
    pub micros: i64,
    /// Which currency.
    pub currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { micros: 0, currency }
    }

    /// The sum, or nothing at all where the currencies differ.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let micros = self.micros.checked_add(other.micros)?;
        (self.currency == other.currency).then_some(Self { micros, currency: self.currency })
    }

    /// What `milli_units` thousandths of a thing at this price per hour cost over `time`. Exact to the millionth, rounded
    /// towards zero; products are taken in 128 bits.
    #[must_use]
    pub fn per_hour_for(self, milli_units: u64, time: Millis) -> Self {
        let product = i128::from(self.micros) * i128::from(milli_units) * i128::from(time.0);
        let micros = product / (3_600_000 * 1_000);
        Self { micros: i64::try_from(micros).unwrap_or(i64::MAX), currency: self.currency }
    }

    /// Units as a decimal number, for showing only.
    #[must_use]
    pub fn as_units(self) -> f64 {
        self.micros as f64 / 1e6
    }
}

/// Shows whole units with thousands apart above 100, else two decimals: `USD 12,345`, `USD 3.07`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.as_units();
        let text = if units.abs() < 100.0 {
            format!("{} {units:.2}", self.currency)
        } else {
            format!("{} {}", self.currency, grouped(units.round() as i64))
        };
        f.pad(&text)
    }
}

/// A whole number with its thousands set apart by commas.
#[must_use]
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if value < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_per_hour_is_multiplied_exactly() {
        let price = Money { micros: 2_500_000, currency: Currency::USD };
        assert_eq!(price.per_hour_for(8_000, Millis::minutes(90)).micros, 30_000_000);
        assert_eq!(price.per_hour_for(250, Millis::hours(1)).micros, 625_000);
    }

    #[test]
    fn currencies_do_not_mix() {
        let euro = Currency::parse("EUR").expect("a code");
        assert!(Money::zero(Currency::USD).checked_add(Money::zero(euro)).is_none());
        assert!(Currency::parse("usd").is_none());
    }

    #[test]
    fn large_sums_are_grouped() {
        let sum = Money { micros: 1_234_567_890_000, currency: Currency::USD };
        assert_eq!(sum.to_string(), "USD 1,234,568");
        assert_eq!(grouped(-1_000), "-1,000");
        assert_eq!(grouped(999), "999");
    }
}
