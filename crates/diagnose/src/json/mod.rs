//! JSON read piece by piece, in bounded memory, whatever the file is: profiles are larger than memory, and what is called one may be
//! anything.
//!
//! The caller walks: [`Json::value`] begins a value; of an object, [`Json::next_key`] gives the keys, of a list,
//! [`Json::next_item`] says whether another element comes; [`Json::pass`] passes a value over. Nothing is built up, and no text
//! is copied unless it holds escapes.

mod error;
mod escape;
#[cfg(test)]
mod tests;
mod window;

pub use error::Error;

use std::io::BufRead;

use memchr::memchr2;

use window::Window;

/// The longest text that is read, in bytes.
pub const TEXT_MAX: usize = 1 << 20;

/// The deepest that values are nested.
pub const DEPTH_MAX: usize = 256;

/// JSON being read.
pub struct Json<R> {
    window: Window<R>,
    /// Text that held escapes.
    unescaped: Vec<u8>,
    depth: usize,
    /// Whether the innermost object or list has had an element.
    begun: bool,
    /// Whether a key was given whose value has not been begun.
    keyed: bool,
}

/// A value, or its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An object begins: [`Json::next_key`] follows.
    Object,
    /// A list begins: [`Json::next_item`] follows.
    List,
    /// A text.
    Text(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, and what Python writes for numbers that are none.
    Null,
}

impl Value<'_> {
    /// Whether it is the beginning of an object or a list.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Object | Self::List)
    }
}

impl<R: BufRead> Json<R> {
    /// Begins with the first byte of an input.
    pub fn new(input: R) -> Self {
        Self { window: Window::new(input), unescaped: Vec::new(), depth: 0, begun: false, keyed: false }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Begins the next value.
    ///
    /// # Errors
    /// If there is none, or it is too long or too deep.
    pub fn value(&mut self) -> Result<Value<'_>, Error> {
        match self.first()? {
            b'{' => self.open().map(|()| Value::Object),
            b'[' => self.open().map(|()| Value::List),
            first => {
                self.begun = true;
                match first {
                    b'"' => self.text().map(Value::Text),
                    b'-' | b'0'..=b'9' => self.number().map(Value::Number),
                    b't' => self.word(b"true").map(|()| Value::Bool(true)),
                    b'f' => self.word(b"false").map(|()| Value::Bool(false)),
                    b'n' => self.word(b"null").map(|()| Value::Null),
                    b'N' => self.word(b"NaN").map(|()| Value::Null),
                    b'I' => self.word(b"Infinity").map(|()| Value::Null),
                    _ => Err(self.expected("a value")),
                }
            }
        }
    }

    /// The next key of the object that was begun last; nothing at its end. Its value must be taken or passed over.
    ///
    /// # Errors
    /// If there is neither a key nor the end.
    pub fn next_key(&mut self) -> Result<Option<&str>, Error> {
        if !self.another(b'}', "a comma or `}`")? {
            return Ok(None);
        }
        if self.peek()? != b'"' {
            return Err(self.expected("a key"));
        }
        self.keyed = true;
        self.text().map(Some)
    }

    /// Whether the list that was begun last has another element. It must be taken or passed over.
    ///
    /// # Errors
    /// If there is neither an element nor the end.
    pub fn next_item(&mut self) -> Result<bool, Error> {
        self.another(b']', "a comma or `]`")
    }

    /// Passes the next value over, whatever it is; of long texts nothing is kept.
    ///
    /// # Errors
    /// If there is none, or it is too deep.
    pub fn pass(&mut self) -> Result<(), Error> {
        match self.first()? {
            b'{' | b'[' => self.pass_nested()?,
            b'"' => self.pass_text()?,
            _ => {
                self.value()?;
            }
        }
        self.begun = true;
        Ok(())
    }

    /// Nothing but space may follow.
    ///
    /// # Errors
    /// If something does.
    pub fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            Err(Error::Cut { .. }) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(self.expected("the end of the file")),
        }
    }

    /// The error of a caller for whom what was read last is not what it expected.
    #[must_use]
    pub fn wrong(&self, expected: &'static str) -> Error {
        self.expected(expected)
    }

    fn expected(&self, expected: &'static str) -> Error {
        Error::Unexpected { at: self.offset(), expected }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Result<u8, Error> {
        loop {
            let rest = self.window.rest();
            match rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
                Some(at) => {
                    let byte = rest[at];
                    self.window.pass(at);
                    return Ok(byte);
                }
                None => {
                    self.window.pass(rest.len());
                    if !self.window.more()? {
                        return Err(Error::Cut { at: self.offset() });
                    }
                }
            }
        }
    }

    /// The first byte of a value, after the colon of its key.
    fn first(&mut self) -> Result<u8, Error> {
        if self.keyed {
            if self.peek()? != b':' {
                return Err(self.expected("a colon"));
            }
            self.window.pass(1);
            self.keyed = false;
        }
        self.peek()
    }

    fn open(&mut self) -> Result<(), Error> {
        if self.depth == DEPTH_MAX {
            return Err(Error::Deep { at: self.offset() });
        }
        self.depth += 1;
        self.begun = false;
        self.window.pass(1);
        Ok(())
    }

    /// Whether another element comes before `close`, whose comma is then passed over.
    fn another(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        let byte = self.peek()?;
        if byte == close {
            self.depth -= 1;
            self.begun = true;
            self.window.pass(1);
            return Ok(false);
        }
        if self.begun {
            if byte != b',' {
                return Err(self.expected(expected));
            }
            self.window.pass(1);
        }
        Ok(true)
    }

    /// The bytes of a number: as many as may belong to one.
    fn number(&mut self) -> Result<&str, Error> {
        let mut length = 0;
        loop {
            let rest = &self.window.rest()[length..];
            let more = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
            let count = more.count();
            length += count;
            if count < rest.len() || !self.window.more()? {
                break;
            }
        }
        // Python's minus infinity.
        if self.window.rest()[..length] == *b"-" && self.window.rest().get(length) == Some(&b'I') {
            self.window.pass(1);
            self.word(b"Infinity")?;
            return Ok("nan");
        }
        self.window.pass(length);
        Ok(std::str::from_utf8(self.window.behind(length)).expect("digits are UTF-8"))
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Error> {
        while self.window.rest().len() < word.len() {
            if !self.window.more()? {
                return Err(Error::Cut { at: self.offset() });
            }
        }
        if !self.window.rest().starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.window.pass(word.len());
        Ok(())
    }

    /// A text, which begins here.
    fn text(&mut self) -> Result<&str, Error> {
        let at = self.offset();
        let mut length = 1;
        let escaped = loop {
            let rest = self.window.rest();
            match memchr2(b'"', b'\\', &rest[length..]) {
                Some(found) => {
                    length += found;
                    break rest[length] == b'\\';
                }
                None => {
                    length = rest.len();
                    if length > TEXT_MAX {
                        return Err(Error::Long { at });
                    }
                    if !self.window.more()? {
                        return Err(Error::Cut { at: at + length as u64 });
                    }
                }
            }
        };
        if escaped {
            return self.escaped(at, length);
        }
        self.window.pass(length + 1);
        let text = &self.window.behind(length)[..length - 1];
        std::str::from_utf8(text).map_err(|_| Error::Unexpected { at, expected: "text in UTF-8" })
    }

    fn pass_text(&mut self) -> Result<(), Error> {
        self.window.pass(1);
        loop {
            let rest = self.window.rest();
            match memchr2(b'"', b'\\', rest) {
                Some(at) if rest[at] == b'"' => {
                    self.window.pass(at + 1);
                    return Ok(());
                }
                Some(at) if at + 1 < rest.len() => self.window.pass(at + 2),
                found => {
                    self.window.pass(found.unwrap_or(rest.len()));
                    if !self.window.more()? {
                        return Err(Error::Cut { at: self.offset() });
                    }
                }
            }
        }
    }

    /// Objects and lists are passed over by their brackets alone: what is not looked at is not judged.
    fn pass_nested(&mut self) -> Result<(), Error> {
        let mut open = 0;
        loop {
            let rest = self.window.rest();
            let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')) else {
                self.window.pass(rest.len());
                if !self.window.more()? {
                    return Err(Error::Cut { at: self.offset() });
                }
                continue;
            };
            let byte = rest[at];
            self.window.pass(at);
            match byte {
                b'"' => {
                    self.pass_text()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                _ => open -= 1,
            }
            if self.depth + open > DEPTH_MAX {
                return Err(Error::Deep { at: self.offset() });
            }
            self.window.pass(1);
            if open == 0 {
                return Ok(());
            }
        }
    }
}
