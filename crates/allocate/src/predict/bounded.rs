//! A table that remembers a bounded number of things by key, and forgets what was used least recently among those whose keys
//! fall into the same set, as a processor's cache does. No order of iteration exists, so none can leak.

/// Places in a set. More would make every look-up slower, fewer would forget what is in use.
const WAYS: usize = 8;

/// What identifies a thing: its facts mixed into 64 bits. Two things with one key are taken for one; among a million things
/// that happens to any with a chance of one in ten million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// The key of some facts, in this order. (Mixing as in splitmix64: Steele, Lea, Flood, OOPSLA 2014, figure 17.)
    pub(super) fn of(facts: &[u64]) -> Self {
        let mut mixed = 0x9E37_79B9_7F4A_7C15_u64;
        for &fact in facts {
            mixed = mixed.rotate_left(5) ^ fact.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
        }
        Self(mixed)
    }
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    /// Index into the values; `EMPTY` where there is none yet.
    value: u32,
    used: u64,
}

const EMPTY: u32 = u32::MAX;
const NO_PLACE: Place = Place { key: Key(0), value: EMPTY, used: 0 };

/// At most `SETS × WAYS` values.
#[derive(Clone, Debug)]
pub(super) struct Bounded<V, const SETS: usize> {
    places: Vec<[Place; WAYS]>,
    values: Vec<V>,
    uses: u64,
}

impl<V: Default, const SETS: usize> Default for Bounded<V, SETS> {
    fn default() -> Self {
        const { assert!(SETS.is_power_of_two()) };
        Self { places: vec![[NO_PLACE; WAYS]; SETS], values: Vec::new(), uses: 0 }
    }
}

impl<V: Default, const SETS: usize> Bounded<V, SETS> {
    /// The value of a key, if it is remembered.
    pub(super) fn get(&self, key: Key) -> Option<&V> {
        let set = &self.places[key.0 as usize & (SETS - 1)];
        let place = set.iter().find(|place| place.value != EMPTY && place.key == key)?;
        Some(&self.values[place.value as usize])
    }

    /// The value of a key; an empty one is put in the place of the longest unused where the set is full.
    pub(super) fn entry(&mut self, key: Key) -> &mut V {
        self.uses += 1;
        let set = &mut self.places[key.0 as usize & (SETS - 1)];
        let found = set.iter().position(|place| place.value != EMPTY && place.key == key);
        let way = found.unwrap_or_else(|| {
            // Places never used have `used` 0, so they are taken first.
            (0..WAYS).min_by_key(|&way| set[way].used).expect("a set has places")
        });
        let place = &mut set[way];
        if found.is_none() {
            if place.value == EMPTY {
                place.value = self.values.len() as u32;
                self.values.push(V::default());
            } else {
                self.values[place.value as usize] = V::default();
            }
            place.key = key;
        }
        place.used = self.uses;
        &mut self.values[place.value as usize]
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_memory_is_bounded() {
        let mut table: Bounded<u64, 16> = Bounded::default();
        for fact in 0..10_000 {
            *table.entry(Key::of(&[fact])) = fact;
            assert_eq!(table.get(Key::of(&[fact])), Some(&fact));
        }
        assert_eq!(table.len(), 16 * WAYS);
    }

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let mut table: Bounded<u64, 1> = Bounded::default();
        let used = Key::of(&[0]);
        *table.entry(used) = 7;
        for fact in 1..100 {
            *table.entry(Key::of(&[fact])) = fact;
            table.entry(used);
        }
        assert_eq!(table.get(used), Some(&7));
        assert_eq!(table.get(Key::of(&[1])), None);
    }

    #[test]
    fn the_order_of_facts_matters() {
        assert_ne!(Key::of(&[1, 2]), Key::of(&[2, 1]));
        assert_ne!(Key::of(&[0]), Key::of(&[0, 0]));
    }
}
