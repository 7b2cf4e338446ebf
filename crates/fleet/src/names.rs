//! Tables that turn names into dense ids and back.

use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Names in order of first appearance; an id is the position. Ids are stable while the table lives.
#[derive(Clone, Debug)]
pub struct Names<Id> {
    list: Vec<String>,
    index: BTreeMap<String, u32>,
    kind: PhantomData<Id>,
}

impl<Id: From<u32>> Names<Id> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self { list: Vec::new(), index: BTreeMap::new(), kind: PhantomData }
    }

    /// The id of `name`, given out now if it is new.
    pub fn intern(&mut self, name: &str) -> Id {
        if let Some(&id) = self.index.get(name) {
            return Id::from(id);
        }
        let id = u32::try_from(self.list.len()).expect("a table holds fewer than 2^32 names");
        self.list.push(name.to_owned());
        self.index.insert(name.to_owned(), id);
        Id::from(id)
    }

    /// The id of `name`, if it was seen before.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Id> {
        self.index.get(name).map(|&id| Id::from(id))
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether no name was given an id yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All names, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }

    /// The name at a position of the table.
    #[must_use]
    pub fn name(&self, index: usize) -> &str {
        &self.list[index]
    }
}

impl<Id: From<u32>> Default for Names<Id> {
    fn default() -> Self {
        Self::new()
    }
}
