//! What `rocm-smi --json` prints, with `-a` or some of what that stands for.

use std::collections::BTreeMap;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};

use super::device::Device;
use crate::json::{Error, Json, Value};
use crate::pci;

/// So many cards, and values of one, are kept.
const CARDS_MAX: usize = 1_024;
const VALUES_MAX: usize = 4_096;

/// Whether a file that begins so is such a list.
#[must_use]
pub fn is_list(head: &str) -> bool {
    head.trim_start().starts_with('{')
        && head.contains("\"card")
        && (head.contains("GPU ID") || head.contains("Device ID"))
        || head.contains("\"Temperature (Sensor edge) (C)\"")
}

/// Reads a list. What is cut off or broken is told among the problems; cards that were whole before are kept.
///
/// # Errors
/// If there is none.
pub fn read(input: impl BufRead, file: &str) -> Result<(Vec<Device>, Problems), Problem> {
    let mut devices = Vec::new();
    let mut problems = Problems::default();
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    match walk(&mut Json::new(input), &mut devices) {
        Ok(()) if devices.is_empty() => Err(problem("it lists no card".to_owned())),
        Ok(()) => Ok((devices, problems)),
        Err(error) if devices.is_empty() => Err(problem(error.to_string())),
        Err(error) => {
            problems.add(problem(format!("reading stopped after {} cards: {error}", devices.len())));
            Ok((devices, problems))
        }
    }
}

fn walk(json: &mut Json<impl BufRead>, devices: &mut Vec<Device>) -> Result<(), Error> {
    if json.value()? != Value::Object {
        return Err(json.wrong("cards by their names"));
    }
    loop {
        let Some(name) = json.next_key()?.map(str::to_owned) else { return Ok(()) };
        // `system` is the driver.
        if !name.starts_with("card") || devices.len() == CARDS_MAX {
            json.pass()?;
            continue;
        }
        if json.value()? != Value::Object {
            return Err(json.wrong("the values of a card"));
        }
        let mut values = BTreeMap::<String, String>::new();
        while let Some(key) = json.next_key()?.map(str::to_owned) {
            let at = json.offset();
            match json.value()? {
                Value::Text(text) | Value::Number(text) if values.len() < VALUES_MAX => {
                    values.insert(key, text.to_owned());
                }
                Value::Object | Value::List => return Err(Error::Unexpected { at, expected: "a plain value" }),
                _ => {}
            }
        }
        devices.push(device(&name, &Values(values)));
    }
}

struct Values(BTreeMap<String, String>);

impl Values {
    fn text(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.0.get(*key)).map(String::as_str).filter(|text| *text != "N/A")
    }

    fn number(&self, keys: &[&str]) -> Option<f64> {
        self.text(keys)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }
}

fn device(name: &str, values: &Values) -> Device {
    let place = values.text(&["PCI Bus"]).and_then(pci::place);
    // `0 (16.0GT/s x16)`: the lanes that the link has now.
    let link = values.text(&["pcie clock level"]);
    let width = link.and_then(|link| link.rsplit_once(" x")?.1.trim_end_matches(')').parse().ok());
    // `(1402Mhz)`.
    let clock = values.text(&["sclk clock speed:"]);
    let clock = clock
        .and_then(|clock| clock.trim_matches(['(', ')']).to_ascii_lowercase().trim_end_matches("mhz").parse().ok());
    Device {
        name: place.unwrap_or_else(|| name.to_owned()),
        model: values.text(&["Card series", "Card Series", "Card model", "Card Model"]).map(str::to_owned),
        busy_percent: values.number(&["GPU use (%)"]),
        memory_bytes: values.number(&["VRAM Total Memory (B)"]),
        memory_used_bytes: values.number(&["VRAM Total Used Memory (B)"]),
        power_watts: values
            .number(&["Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)"]),
        power_limit_watts: values.number(&["Max Graphics Package Power (W)"]),
        temperature_c: values.number(&["Temperature (Sensor junction) (C)", "Temperature (Sensor edge) (C)"]),
        clock_mhz: clock,
        link_width: width,
        replays: values.number(&["PCIe Replay Count"]).map(|count| count as u64),
        ..Device::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_read() {
        let text = r#"{"card0": {"Device ID": "0x738c", "PCI Bus": "0000:83:00.0", "GPU use (%)": "99", "sclk clock speed:": "(300Mhz)",
            "VRAM Total Memory (B)": "34342961152", "pcie clock level": "0 (16.0GT/s x16)", "Serial Number": "N/A",
            "Temperature (Sensor junction) (C)": "55.0"}, "system": {"Driver version": "6"}}"#;
        assert!(is_list(text));
        let (devices, problems) = read(text.as_bytes(), "x").unwrap();
        assert_eq!((devices.len(), problems.count()), (1, 0));
        let device = &devices[0];
        assert_eq!(
            (device.name.as_str(), device.busy_percent, device.link_width),
            ("0000:83:00", Some(99.0), Some(16))
        );
        assert_eq!((device.clock_mhz, device.temperature_c, device.uncorrected), (Some(300.0), Some(55.0), None));
        assert!(read(&b"{}"[..], "x").is_err());
    }
}
