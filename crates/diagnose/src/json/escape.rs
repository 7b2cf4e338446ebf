//! Texts with escapes.

use std::io::BufRead;

use super::{Error, Json, TEXT_MAX};

impl<R: BufRead> Json<R> {
    /// A text that begins here, at byte `at` of the input, whose first escape is `clean` bytes on.
    pub(super) fn escaped(&mut self, at: u64, clean: usize) -> Result<&str, Error> {
        self.unescaped.clear();
        self.unescaped.extend_from_slice(&self.window.rest()[1..clean]);
        self.window.pass(clean);
        loop {
            if self.unescaped.len() > TEXT_MAX {
                return Err(Error::Long { at });
            }
            match self.byte()? {
                b'"' => break,
                b'\\' => self.escape()?,
                byte => self.unescaped.push(byte),
            }
        }
        std::str::from_utf8(&self.unescaped).map_err(|_| Error::Unexpected { at, expected: "text in UTF-8" })
    }

    /// The next byte, passed over.
    fn byte(&mut self) -> Result<u8, Error> {
        if self.window.rest().is_empty() && !self.window.more()? {
            return Err(Error::Cut { at: self.offset() });
        }
        let byte = self.window.rest()[0];
        self.window.pass(1);
        Ok(byte)
    }

    fn escape(&mut self) -> Result<(), Error> {
        let byte = match self.byte()? {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'u' => return self.unicode(),
            _ => return Err(self.expected("an escape")),
        };
        self.unescaped.push(byte);
        Ok(())
    }

    /// `uXXXX`, or two of them for what lies beyond 16 bits; halves that stand alone become a replacement character.
    fn unicode(&mut self) -> Result<(), Error> {
        let first = self.hexadecimal()?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) {
            while self.window.rest().len() < 2 && self.window.more()? {}
            if self.window.rest().starts_with(b"\\u") {
                self.window.pass(2);
                let second = self.hexadecimal()?;
                if (0xdc00..0xe000).contains(&second) {
                    code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                } else {
                    self.push(first);
                    code = second;
                }
            }
        }
        self.push(code);
        Ok(())
    }

    fn push(&mut self, code: u32) {
        let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.unescaped.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn hexadecimal(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.byte()?).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.expected("a hexadecimal digit"))?;
        }
        Ok(code)
    }
}
