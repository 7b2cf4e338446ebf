//! A table by id, for what is looked up all the time: hashed, and never iterated, since no order may come from a hash. There is no
//! method that could.

use std::hash::Hash;
use std::ops::Index;

use rustc_hash::FxHashMap;

/// Values by id.
#[derive(Clone, Debug)]
pub(crate) struct ById<K, V>(FxHashMap<K, V>);

impl<K, V> Default for ById<K, V> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Hash + Eq, V> ById<K, V> {
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }
}

/// What must be there.
impl<K: Hash + Eq, V> Index<&K> for ById<K, V> {
    type Output = V;
    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}
