//! The last ends of a group, as they were. A life table is slow to believe in run times it was not told to expect; the longest of
//! the last forty is just there.

/// Ends in a window.
const ENDS: usize = 40;

/// Positions of the last ends of a group; a ring.
#[derive(Clone, Debug)]
pub(super) struct Window {
    positions: [u16; ENDS],
    ends: u8,
    next: u8,
}

impl Default for Window {
    fn default() -> Self {
        Self { positions: [0; ENDS], ends: 0, next: 0 }
    }
}

impl Window {
    /// Notes an end.
    pub(super) fn ended(&mut self, position: u64) {
        self.positions[usize::from(self.next)] = position as u16;
        self.next = (self.next + 1) % ENDS as u8;
        self.ends = (self.ends + 1).min(ENDS as u8);
    }

    /// The position that nine of ten do not pass, and the longest.
    pub(super) fn summary(&self) -> Option<[u64; 2]> {
        let mut positions = self.positions;
        let positions = &mut positions[..usize::from(self.ends)];
        let last = positions.len().checked_sub(1)?;
        let (_, &mut high, above) = positions.select_nth_unstable(last * 9 / 10);
        let longest = above.iter().copied().max().unwrap_or(high);
        Some([high, longest].map(u64::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_ends_are_forgotten() {
        let mut window = Window::default();
        assert_eq!(window.summary(), None);
        for position in 0..1_000 {
            window.ended(1_000 - position);
        }
        assert_eq!(window.summary(), Some([36, 40]));
    }
}
