//! The machine that runs a pickle.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use super::{Error, Node, Pickle};

/// So many values are kept, and so many places of values in lists, on the stack and in the memo together.
pub const KEPT_MAX: usize = 8 << 20;

/// So many bytes of text.
pub const TEXT_MAX: usize = 256 << 20;

/// A line of the instructions that are written as lines is at most so long.
const LINE_MAX: u64 = 1 << 16;

struct Machine<R> {
    input: R,
    at: u64,
    made: Pickle,
    stack: Vec<u32>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u32, u32>,
    kept: usize,
}

/// Runs a pickle to its end.
pub(super) fn run(input: impl BufRead) -> Result<Pickle, Error> {
    let mut machine = Machine {
        input,
        at: 0,
        made: Pickle::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        kept: 0,
    };
    loop {
        let at = machine.at;
        let instruction = machine.byte()?;
        if instruction == b'.' {
            machine.made.root = machine.pop(at)?;
            return Ok(machine.made);
        }
        machine.step(instruction, at)?;
    }
}

impl<R: BufRead> Machine<R> {
    fn step(&mut self, instruction: u8, at: u64) -> Result<(), Error> {
        match instruction {
            // The protocol, and how long a frame is, which helps those who read it as a whole.
            0x80 => self.byte().map(drop),
            0x95 => self.bytes::<8>().map(drop),
            b'(' => {
                self.keep(1)?;
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop(at).map(drop),
            b'1' => self.since_mark(at).map(drop),
            b'2' => {
                let top = *self.stack.last().ok_or(Error::Unfit { at })?;
                self.push(top)
            }
            b'N' => self.make(Node::Nothing),
            0x88 => self.make(Node::Bool(true)),
            0x89 => self.make(Node::Bool(false)),
            b'J' | b'K' | b'M' | b'I' | b'L' | 0x8a | 0x8b | b'F' | b'G' => self.number(instruction, at),
            b'X' | 0x8c | 0x8d | b'S' | b'T' | b'U' | b'V' => self.text(instruction, at),
            b'B' | b'C' | 0x8e | 0x96 => {
                let length = self.length(instruction)?;
                self.pass(length)?;
                self.make(Node::Other)
            }
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.remember(instruction, at),
            _ => self.gather(instruction, at),
        }
    }

    /// What is made of other values.
    fn gather(&mut self, instruction: u8, at: u64) -> Result<(), Error> {
        match instruction {
            b']' | b')' => self.make(Node::List(Vec::new())),
            b'}' => self.make(Node::Dictionary(Vec::new())),
            0x8f => self.make(Node::Other),
            b'l' | b't' => {
                let items = self.since_mark(at)?;
                self.make(Node::List(items))
            }
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(instruction - 0x84));
                let from = from.filter(|from| *from >= self.floor()).ok_or(Error::Unfit { at })?;
                let items = self.stack.split_off(from);
                self.make(Node::List(items))
            }
            b'd' => {
                let pairs = self.since_mark(at)?;
                if pairs.len() % 2 == 1 {
                    return Err(Error::Unfit { at });
                }
                self.make(Node::Dictionary(pairs))
            }
            b'a' => {
                let item = self.pop(at)?;
                self.extend(&[item], at)
            }
            b'e' => {
                let items = self.since_mark(at)?;
                self.extend(&items, at)
            }
            b's' => {
                let (value, key) = (self.pop(at)?, self.pop(at)?);
                self.extend(&[key, value], at)
            }
            b'u' => {
                let pairs = self.since_mark(at)?;
                self.extend(&pairs, at)
            }
            // Sets: what is in them does not matter to anyone here.
            0x90 => self.since_mark(at).map(drop),
            0x91 => {
                self.since_mark(at)?;
                self.make(Node::Other)
            }
            _ => Err(Error::Unknown { instruction, at }),
        }
    }

    /// Adds to the list or the dictionary that lies on top.
    fn extend(&mut self, more: &[u32], at: u64) -> Result<(), Error> {
        self.keep(more.len())?;
        let top = self.stack.last().copied().filter(|_| self.stack.len() > self.floor());
        let top = top.ok_or(Error::Unfit { at })?;
        match &mut self.made.nodes[top as usize] {
            Node::List(items) => items.extend(more),
            Node::Dictionary(pairs) if more.len().is_multiple_of(2) => pairs.extend(more),
            _ => return Err(Error::Unfit { at }),
        }
        Ok(())
    }

    fn number(&mut self, instruction: u8, at: u64) -> Result<(), Error> {
        let node = match instruction {
            b'J' => Node::Whole(i64::from(i32::from_le_bytes(self.bytes()?))),
            b'K' => Node::Whole(i64::from(self.byte()?)),
            b'M' => Node::Whole(i64::from(u16::from_le_bytes(self.bytes()?))),
            b'G' => {
                self.bytes::<8>()?;
                Node::Other
            }
            b'F' => {
                self.line(at)?;
                Node::Other
            }
            b'I' | b'L' => match self.line(at)?.as_str() {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                digits => digits.trim_end_matches('L').parse().map_or(Node::Other, Node::Whole),
            },
            _ => {
                let length = if instruction == 0x8a { u64::from(self.byte()?) } else { self.length(b'X')? };
                self.long(length)?
            }
        };
        self.make(node)
    }

    /// A whole number of so many bytes, the least first, the sign in the last.
    fn long(&mut self, length: u64) -> Result<Node, Error> {
        if length > 8 {
            self.pass(length)?;
            return Ok(Node::Other);
        }
        let mut bytes = [0; 8];
        let used = length as usize;
        self.input.read_exact(&mut bytes[..used])?;
        self.at += length;
        if used > 0 && bytes[used - 1] & 0x80 != 0 {
            bytes[used..].fill(0xff);
        }
        Ok(Node::Whole(i64::from_le_bytes(bytes)))
    }

    fn text(&mut self, instruction: u8, at: u64) -> Result<(), Error> {
        let start = self.made.text.len();
        if matches!(instruction, b'S' | b'V') {
            let line = self.line(at)?;
            self.made.text.push_str(line.trim_matches(['\'', '"']));
        } else {
            let length = self.length(instruction)?;
            if length > (TEXT_MAX - start) as u64 {
                return Err(Error::Large);
            }
            let mut bytes = Vec::new();
            let read = self.input.by_ref().take(length).read_to_end(&mut bytes)? as u64;
            self.at += read;
            if read < length {
                return Err(Error::Cut);
            }
            self.made.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        // What is no text may grow threefold by being made one.
        let length = self.made.text.len() - start;
        if self.made.text.len() > TEXT_MAX {
            return Err(Error::Large);
        }
        self.make(Node::Text(start as u32, length as u32))
    }

    /// How long what follows is, by the instruction that says so.
    fn length(&mut self, instruction: u8) -> Result<u64, Error> {
        Ok(match instruction {
            0x8c | b'U' | b'C' => u64::from(self.byte()?),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.bytes()?),
            _ => u64::from(u32::from_le_bytes(self.bytes()?)),
        })
    }

    /// The memo: values by numbers, to be had again.
    fn remember(&mut self, instruction: u8, at: u64) -> Result<(), Error> {
        let number = match instruction {
            b'q' | b'h' => u32::from(self.byte()?),
            b'r' | b'j' => u32::from_le_bytes(self.bytes()?),
            0x94 => self.memo.len() as u32,
            _ => self.line(at)?.parse().map_err(|_| Error::Unfit { at })?,
        };
        if matches!(instruction, b'g' | b'h' | b'j') {
            let value = *self.memo.get(&number).ok_or(Error::Unfit { at })?;
            return self.push(value);
        }
        let top = *self.stack.last().ok_or(Error::Unfit { at })?;
        self.keep(1)?;
        self.memo.insert(number, top);
        Ok(())
    }

    fn make(&mut self, node: Node) -> Result<(), Error> {
        let place = self.made.nodes.len() as u32;
        self.keep(1)?;
        self.made.nodes.push(node);
        self.push(place)
    }

    fn push(&mut self, place: u32) -> Result<(), Error> {
        self.keep(1)?;
        self.stack.push(place);
        Ok(())
    }

    /// Counts what is kept; what is dropped again counts as well, so that a long file of little does not go on for ever.
    fn keep(&mut self, more: usize) -> Result<(), Error> {
        self.kept += more;
        // Each value counts when it is made, when it comes onto the stack, and when it goes into a list.
        if self.kept > 3 * KEPT_MAX { Err(Error::Large) } else { Ok(()) }
    }

    /// What lies below the last mark is not for those above it.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self, at: u64) -> Result<u32, Error> {
        if self.stack.len() <= self.floor() {
            return Err(Error::Unfit { at });
        }
        self.stack.pop().ok_or(Error::Unfit { at })
    }

    fn since_mark(&mut self, at: u64) -> Result<Vec<u32>, Error> {
        let mark = self.marks.pop().ok_or(Error::Unfit { at })?;
        Ok(self.stack.split_off(mark))
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn pass(&mut self, length: u64) -> Result<(), Error> {
        let passed = std::io::copy(&mut self.input.by_ref().take(length), &mut std::io::sink())?;
        self.at += passed;
        if passed < length { Err(Error::Cut) } else { Ok(()) }
    }

    /// A line, without its end.
    fn line(&mut self, at: u64) -> Result<String, Error> {
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? as u64;
        self.at += read;
        match bytes.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned()),
            _ if read == LINE_MAX => Err(Error::Unfit { at }),
            _ => Err(Error::Cut),
        }
    }
}
