//! Adding up what the test runners of many test programs print.

/// Tests counted over every program that `cargo test` ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Tests that passed, those that returned early included.
    pub(super) passed: u64,
    /// Tests that failed.
    pub(super) failed: u64,
}

impl Tally {
    /// Takes a line of output; those that close a test program count, all others do nothing.
    pub(super) fn observe(&mut self, line: &str) {
        let plain = without_colour(line);
        let Some(rest) = plain.trim().strip_prefix("test result: ") else {
            return;
        };
        // `ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s`
        let counts = rest.split_once(". ").map_or(rest, |(_verdict, counts)| counts);
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }

    /// How many tests ran to a verdict.
    pub(super) fn executed(&self) -> u64 {
        self.passed + self.failed
    }
}

/// A line without terminal colours (`ESC [ … m`).
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], passed: u64, failed: u64) {
        let mut tally = Tally::default();
        for line in lines {
            tally.observe(line);
        }
        assert_eq!(tally, Tally { passed, failed }, "{lines:?}");
    }

    #[test]
    fn programs_are_added_up() {
        check(
            &[
                "running 12 tests\n",
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.10s\n",
            ],
            15,
            2,
        );
    }

    #[test]
    fn colours_do_not_hide_the_verdict() {
        check(&["test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 7 passed; 0 failed; 0 ignored; finished in 1s\n"], 7, 0);
    }

    #[test]
    fn other_lines_do_not_count() {
        check(&["4 passed; 1 failed\n", "test result\n", "note: test result: ok. 4 passed;\n"], 0, 0);
    }
}
