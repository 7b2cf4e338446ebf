//! Operations laid out for simulation: what a step is made of is the same in each step and for each data-parallel rank.
//!
//! A [`Slot`] is one operation of a step (its stage, kind and number there); a lane is one data-parallel rank in one step.
//! Every slot has a moment and a length in every lane: steps in which something is missing or doubled are left out, and
//! that is told.

use std::collections::BTreeMap;

use super::operation::{Kind, Operation};

/// One operation of a step, whichever step and data-parallel rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its stage.
    pub stage: u32,
    /// What it does.
    pub kind: Kind,
    /// Its number among those of its stage and kind.
    pub sequence: u32,
    /// Its model chunk within the stage.
    pub chunk: Option<u32>,
    /// Its model chunk within the model.
    pub model_chunk: Option<u32>,
}

/// A trace laid out.
#[derive(Clone, Debug)]
pub struct Trace {
    /// How many data-parallel ranks there are.
    pub dp_ranks: usize,
    /// How many stages.
    pub stages: u32,
    /// How many chunks the model is cut into: stages, times the chunks of each.
    pub model_chunks: u32,
    /// The steps, in their order.
    pub steps: Vec<u64>,
    /// What a step is made of.
    pub slots: Vec<Slot>,
    /// The global rank of a stage's worker: `ranks[stage * dp_ranks + dp_rank]`.
    pub ranks: Vec<u32>,
    /// The slots of each stage.
    of_stage: Vec<Vec<usize>>,
    /// Steps that were left out, and why.
    pub left_out: Vec<(u64, Lack)>,
    /// `[slot * lanes + lane]`, in seconds from the beginning of the lane's step.
    start: Vec<f64>,
    seconds: Vec<f64>,
}

impl Trace {
    /// Lays operations out.
    ///
    /// # Errors
    /// If no step is whole; says what the first lacks.
    pub fn of(operations: &[Operation]) -> Result<Self, String> {
        let shape = Shape::of(operations)?;
        let index = Index::of(operations, &shape)?;
        let whole = index.slots.len() * shape.dp_ranks;
        let mut steps = BTreeMap::<u64, Filling>::new();
        for operation in operations {
            let filling = steps.entry(operation.step).or_default();
            filling.begin_seconds = filling.begin_seconds.min(operation.start_seconds);
            filling.rows += 1;
            filling.is_strange |= index.slot(operation).is_none();
        }
        // Only steps of the right size are laid out: so that takes no more room than what was read.
        let is_whole = |filling: &Filling| filling.rows == whole && !filling.is_strange;
        for (place, filling) in steps.values_mut().filter(|filling| is_whole(filling)).enumerate() {
            filling.place = Some(place);
        }
        Self::fill(operations, shape, index, steps)
    }

    fn fill(
        operations: &[Operation],
        shape: Shape,
        index: Index,
        mut steps: BTreeMap<u64, Filling>,
    ) -> Result<Self, String> {
        let lanes = steps.values().filter(|filling| filling.place.is_some()).count() * shape.dp_ranks;
        let mut start = vec![f64::NAN; index.slots.len() * lanes];
        let mut seconds = start.clone();
        let mut ranks = vec![0; shape.stages as usize * shape.dp_ranks];
        for operation in operations {
            let filling = steps.get_mut(&operation.step).expect("every step is there");
            let (Some(place), Some(slot)) = (filling.place, index.slot(operation)) else { continue };
            let cell = slot * lanes + place * shape.dp_ranks + operation.dp_rank as usize;
            // As many rows as there are cells, and one twice: another is not there.
            filling.is_doubled |= !start[cell].is_nan();
            start[cell] = operation.start_seconds - filling.begin_seconds;
            seconds[cell] = operation.seconds;
            ranks[operation.stage as usize * shape.dp_ranks + operation.dp_rank as usize] = operation.rank;
        }
        let mut of_stage = vec![Vec::new(); shape.stages as usize];
        for (at, slot) in index.slots.iter().enumerate() {
            of_stage[slot.stage as usize].push(at);
        }
        let chunks = index.slots.iter().filter_map(|slot| slot.chunk).max().map_or(1, |last| last + 1);
        let mut trace = Self {
            of_stage,
            model_chunks: shape.stages.saturating_mul(chunks),
            dp_ranks: shape.dp_ranks,
            stages: shape.stages,
            steps: Vec::new(),
            slots: index.slots,
            ranks,
            left_out: Vec::new(),
            start,
            seconds,
        };
        trace.keep_whole(&steps);
        match trace.left_out.first() {
            Some((step, lack)) if trace.steps.is_empty() => {
                Err(format!("no step is whole; of step {step}, {}", trace.told(*lack)))
            }
            _ => Ok(trace),
        }
    }

    /// Drops the lanes of steps in which something stands twice, and notes which steps are there and which are not.
    fn keep_whole(&mut self, steps: &BTreeMap<u64, Filling>) {
        let laid_out: Vec<bool> =
            steps.values().filter(|filling| filling.place.is_some()).map(|filling| !filling.is_doubled).collect();
        if laid_out.contains(&false) {
            for values in [&mut self.start, &mut self.seconds] {
                let of_steps = values.chunks_exact(self.dp_ranks).zip(laid_out.iter().cycle());
                *values = of_steps.filter(|(_, kept)| **kept).flat_map(|(lanes, _)| lanes).copied().collect();
            }
        }
        for (step, filling) in steps {
            match filling.lack() {
                None => self.steps.push(*step),
                Some(lack) => self.left_out.push((*step, lack)),
            }
        }
    }

    /// What a step lacks, in words.
    #[must_use]
    pub fn told(&self, lack: Lack) -> String {
        let whole = self.slots.len() * self.dp_ranks;
        match lack {
            Lack::Rows(rows) => format!("it has {rows} operations where others have {whole}"),
            Lack::Strange => "it has operations that others have not".to_owned(),
            Lack::Doubled => "an operation stands twice".to_owned(),
        }
    }

    /// How many lanes there are: data-parallel ranks times steps. Lane `step * dp_ranks + dp_rank`.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.steps.len() * self.dp_ranks
    }

    /// The moments at which a slot began, lane by lane.
    #[must_use]
    pub fn starts(&self, slot: usize) -> &[f64] {
        &self.start[slot * self.lanes()..][..self.lanes()]
    }

    /// How long it took, lane by lane.
    #[must_use]
    pub fn lengths(&self, slot: usize) -> &[f64] {
        &self.seconds[slot * self.lanes()..][..self.lanes()]
    }

    /// When a slot began in the first lane, which stands for the order of all.
    #[must_use]
    pub fn first_start(&self, slot: usize) -> f64 {
        self.start[slot * self.lanes()]
    }

    /// And when it ended.
    #[must_use]
    pub fn first_end(&self, slot: usize) -> f64 {
        self.first_start(slot) + self.seconds[slot * self.lanes()]
    }

    /// How long each step took as recorded, from the first start to the last end.
    #[must_use]
    pub fn step_seconds(&self) -> Vec<f64> {
        let mut spans = vec![(f64::INFINITY, f64::NEG_INFINITY); self.steps.len()];
        for slot in 0..self.slots.len() {
            for (lane, (start, length)) in self.starts(slot).iter().zip(self.lengths(slot)).enumerate() {
                let (first, last) = &mut spans[lane / self.dp_ranks];
                *first = first.min(*start);
                *last = last.max(start + length);
            }
        }
        spans.into_iter().map(|(first, last)| last - first).collect()
    }
}

/// How many there are.
struct Shape {
    dp_ranks: usize,
    stages: u32,
}

impl Shape {
    fn of(operations: &[Operation]) -> Result<Self, String> {
        let dp_ranks = operations.iter().map(|operation| operation.dp_rank + 1).max();
        let stages = operations.iter().map(|operation| operation.stage + 1).max();
        let (Some(dp_ranks), Some(stages)) = (dp_ranks, stages) else {
            return Err("it holds no operation".to_owned());
        };
        // Each worker does something, so that a slip in a number does not ask for memory.
        if u64::from(dp_ranks) * u64::from(stages) > operations.len() as u64 {
            return Err(format!(
                "{dp_ranks} data-parallel ranks of {stages} stages are more than its {} operations",
                operations.len()
            ));
        }
        Ok(Self { dp_ranks: dp_ranks as usize, stages })
    }
}

/// What is known of a step while it is being laid out.
struct Filling {
    begin_seconds: f64,
    rows: usize,
    is_strange: bool,
    is_doubled: bool,
    /// Its place among those that are laid out.
    place: Option<usize>,
}

impl Default for Filling {
    fn default() -> Self {
        Self { begin_seconds: f64::INFINITY, rows: 0, is_strange: false, is_doubled: false, place: None }
    }
}

impl Filling {
    fn lack(&self) -> Option<Lack> {
        match self.place {
            Some(_) => self.is_doubled.then_some(Lack::Doubled),
            None if self.is_strange => Some(Lack::Strange),
            None => Some(Lack::Rows(self.rows)),
        }
    }
}

/// Why a step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It has so many operations.
    Rows(usize),
    /// It has operations that others have not.
    Strange,
    /// One stands twice.
    Doubled,
}

/// Where an operation lies.
struct Index {
    slots: Vec<Slot>,
    /// `[stage * kinds + kind]`, then by number.
    places: Vec<Vec<Option<usize>>>,
}

impl Index {
    /// The slots of data-parallel rank 0 in the step that stands for the others: the first of those with as many operations
    /// as most steps have.
    fn of(operations: &[Operation], shape: &Shape) -> Result<Self, String> {
        let mut rows = BTreeMap::<u64, usize>::new();
        for operation in operations {
            *rows.entry(operation.step).or_default() += 1;
        }
        let mut by_rows = BTreeMap::<usize, usize>::new();
        for count in rows.values() {
            *by_rows.entry(*count).or_default() += 1;
        }
        let usual = by_rows.into_iter().max_by_key(|&(rows, steps)| (steps, rows)).map_or(0, |(rows, _)| rows);
        let step = rows.into_iter().find(|&(_, rows)| rows == usual).map_or(0, |(step, _)| step);
        let first = || operations.iter().filter(|operation| operation.step == step && operation.dp_rank == 0);
        let mut places = vec![Vec::new(); shape.stages as usize * Kind::ALL.len()];
        for operation in first() {
            places[place(operation)].push(None);
        }
        let mut index = Self { slots: Vec::new(), places };
        for operation in first() {
            index.add(operation).map_err(|reason| format!("of step {step}, {reason}"))?;
        }
        if index.slots.is_empty() {
            return Err(format!("step {step} holds no operation of data-parallel rank 0"));
        }
        Ok(index)
    }

    fn add(&mut self, operation: &Operation) -> Result<(), String> {
        let Operation { stage, kind, sequence, chunk, model_chunk, .. } = *operation;
        let places = &mut self.places[place(operation)];
        let count = places.len();
        let Some(free) = places.get_mut(sequence as usize) else {
            return Err(format!("{} is one of {count}; expected numbers from 0 to {}", named(operation), count - 1));
        };
        if free.replace(self.slots.len()).is_some() {
            return Err(format!("{} stands twice", named(operation)));
        }
        self.slots.push(Slot { stage, kind, sequence, chunk, model_chunk });
        Ok(())
    }

    fn slot(&self, operation: &Operation) -> Option<usize> {
        self.places[place(operation)].get(operation.sequence as usize).copied().flatten()
    }
}

fn place(operation: &Operation) -> usize {
    operation.stage as usize * Kind::ALL.len() + operation.kind as usize
}

fn named(operation: &Operation) -> String {
    let Operation { dp_rank, stage, kind, sequence, .. } = operation;
    format!("{} {sequence} of stage {stage}, data-parallel rank {dp_rank},", kind.name())
}

/// The order of the first lane, which stands for all.
impl Trace {
    /// The slots of a stage that are of these kinds, in the order in which they began.
    #[must_use]
    pub fn of_kinds(&self, stage: u32, kinds: &[Kind]) -> Vec<usize> {
        let of_stage = self.of_stage[stage as usize].iter().copied();
        let mut slots: Vec<usize> = of_stage.filter(|&slot| kinds.contains(&self.slots[slot].kind)).collect();
        slots.sort_by(|&a, &b| {
            let then = |slot: usize| (self.slots[slot].sequence, self.slots[slot].kind);
            self.first_start(a).total_cmp(&self.first_start(b)).then(then(a).cmp(&then(b)))
        });
        slots
    }

    /// The computations of a stage, in the order in which they began.
    #[must_use]
    pub fn computations(&self, stage: u32) -> Vec<usize> {
        self.of_kinds(stage, &[Kind::ForwardCompute, Kind::BackwardCompute])
    }

    /// The slots of a stage and kind, by their numbers.
    #[must_use]
    pub fn by_number(&self, stage: u32, kind: Kind) -> Vec<usize> {
        let mut slots = self.of_kinds(stage, &[kind]);
        slots.sort_by_key(|&slot| self.slots[slot].sequence);
        slots
    }

    /// One of a stage and kind.
    #[must_use]
    pub fn numbered(&self, stage: u32, kind: Kind, sequence: u32) -> Option<usize> {
        let wanted = |slot: &usize| (self.slots[*slot].kind, self.slots[*slot].sequence) == (kind, sequence);
        self.of_stage[stage as usize].iter().copied().find(wanted)
    }
}
