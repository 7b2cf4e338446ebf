//! Bytes written and read in order. Pure.
//!
//! Whoever reads trusts nothing: a length is held against what is there before anything is set aside for it.

/// Why bytes are not what this code writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// Appends a number, seven bits a byte, the lowest first; all but the last byte have their highest bit set.
pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is not read yet.
pub(crate) struct Rest<'b>(pub(crate) &'b [u8]);

impl<'b> Rest<'b> {
    /// A number that [`put`] wrote.
    pub(crate) fn number(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Broken("a number has more than 64 bits"))
    }

    /// As [`Rest::number`], where more than `most` cannot be.
    pub(crate) fn number_up_to(&mut self, most: usize) -> Result<usize, Broken> {
        let number = self.number()?;
        usize::try_from(number).ok().filter(|number| *number <= most).ok_or(Broken("a number is larger than it can be"))
    }

    /// The next so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Broken("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next bytes, of a number that the place of use knows.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Broken("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Broken> {
        if self.0.is_empty() { Ok(()) } else { Err(Broken("more is there than it says")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number: u64) {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            let mut rest = Rest(&bytes);
            prop_assert_eq!(rest.number(), Ok(number));
            prop_assert_eq!(rest.end(), Ok(()));
            prop_assert_eq!(Rest(&bytes[..bytes.len() - 1]).number(), Err(Broken("it is cut off")));
        }
    }

    #[test]
    fn a_number_that_is_too_long_is_refused() {
        let long = [&[0xff; 9][..], &[2]].concat();
        assert_eq!(Rest(&long).number(), Err(Broken("a number has more than 64 bits")));
        assert_eq!(Rest(&[0x80; 11]).number(), Err(Broken("a number has more than 64 bits")));
        assert_eq!(Rest(&[9]).number_up_to(8), Err(Broken("a number is larger than it can be")));
    }
}
