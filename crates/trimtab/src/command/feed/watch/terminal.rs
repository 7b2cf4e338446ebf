//! The terminal, taken while the view is there, and given back as it was: also where the program panics.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::Sender;
use std::thread;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Event;
use crate::failure::{Failure, Outcome};

/// Another screen, from which nothing stays; and no cursor. Understood by whatever calls itself xterm, screen, tmux, linux or the like.
const TAKE: &str = "\x1b[?1049h\x1b[?25l";
const GIVE_BACK: &str = "\x1b[?25h\x1b[?1049l";
/// Where nothing is known of the terminal.
const SIZE: (usize, usize) = (80, 24);

/// A terminal that shows the view.
pub(super) struct Terminal {
    /// How what is typed was treated before; none where nobody types.
    before: Option<Termios>,
    has_colour: bool,
}

/// Sets text in a style, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) has_colour: bool,
}

impl Paint {
    pub(super) fn set(self, style: Style, text: &str) -> String {
        if self.has_colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

impl Terminal {
    /// Takes it, where standard output is one; what is typed there is sent from then on.
    pub(super) fn take(keys: Sender<Event>) -> Outcome<Option<Terminal>> {
        let is_simple = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if !io::stdout().is_terminal() || is_simple {
            return Ok(None);
        }
        // Decided as for all other output, NO_COLOR and the like included.
        let has_colour = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let mut terminal = Terminal { before: None, has_colour };
        if io::stdin().is_terminal() {
            let failed = |error: rustix::io::Errno| Failure::outside(format!("the terminal cannot be read: {error}"));
            let before = tcgetattr(io::stdin()).map_err(failed)?;
            let mut typed = before.clone();
            // Keys come at once, unseen; and Ctrl-C as a key, so that it ends the view as q does.
            typed.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
            tcsetattr(io::stdin(), OptionalActions::Now, &typed).map_err(failed)?;
            terminal.before = Some(before);
            thread::spawn(move || {
                let typed = io::stdin().lock().bytes().map_while(Result::ok);
                for key in typed {
                    if keys.send(Event::Key(key)).is_err() {
                        break;
                    }
                }
            });
        }
        write(TAKE)?;
        Ok(Some(terminal))
    }

    /// Draws lines that are made for its width. What does not fit below is left out.
    pub(super) fn draw(&self, lines: impl FnOnce(usize, Paint) -> Vec<String>) -> Outcome {
        let seen = terminal_size::terminal_size_of(io::stdout());
        let (width, height) =
            seen.map_or(SIZE, |(width, height)| (usize::from(width.0).max(1), usize::from(height.0).max(1)));
        let lines = lines(width, Paint { has_colour: self.has_colour });
        let mut text = String::from("\x1b[H");
        for (number, line) in lines.iter().take(height).enumerate() {
            text.push_str(if number == 0 { "" } else { "\r\n" });
            text.push_str(line);
            // What was there before, to the end of the line.
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        write(&text)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody is left to be told where the terminal is gone.
        let _written = write(GIVE_BACK);
        if let Some(before) = &self.before {
            let _set = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Past `anstream`, which takes away what moves the cursor together with colours.
fn write(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::writing("standard output", &error))
}
