//! The steps of a rank, one after the other, in step with the other ranks.

use std::fs::File;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::checkpoint;
use super::clock::Clock;
use super::device::Device;
use super::loader::Loader;
use super::model::Model;
use super::ring::Ring;
use super::teller::Teller;
use super::work::Blocks;
use crate::control::{Checkpoints, Control};
use crate::phase::Phase;
use crate::plan::{Plan, TRUTH};
use crate::shape::{Loss, Writers};

/// How often a rank that is stuck looks whether it still is.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A rank that trains.
#[derive(Debug)]
pub(super) struct Trainer {
    plan: Plan,
    loader: Loader,
    ring: Option<Ring>,
    clock: Clock,
    device: Device,
    model: Model,
    blocks: Blocks,
    truth: File,
    control: Control,
    /// When the first step began.
    began: Option<Instant>,
}

impl Trainer {
    pub(super) fn new(plan: Plan, loader: Loader, ring: Option<Ring>, clock: Clock) -> anyhow::Result<Self> {
        let path = plan.folder.join(TRUTH);
        let truth = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self {
            device: Device::new(&plan.shape, plan.rank, plan.seed),
            model: Model::new(plan.shape.parameters as usize),
            blocks: Blocks::new(),
            control: Control::default(),
            began: None,
            plan,
            loader,
            ring,
            clock,
            truth,
        })
    }

    /// Trains until the run is over.
    pub(super) fn train(mut self, teller: Option<Teller>) -> anyhow::Result<()> {
        for number in 0.. {
            let over = self.step(number)?;
            let step = self.clock.end_step();
            self.truth.write_all(step.line().as_bytes())?;
            if let Some(teller) = &teller {
                teller.step(&step);
            }
            if over {
                break;
            }
        }
        writeln!(self.truth, "weights {}", self.model.digest())?;
        if let Some(ring) = self.ring {
            ring.leave();
        }
        if let Some(teller) = teller {
            teller.end();
        }
        Ok(())
    }

    /// A step; whether the run is over with it.
    fn step(&mut self, number: u64) -> anyhow::Result<bool> {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.clock.begin_step(number);
        self.control = Control::read(&self.plan.folder)?;
        self.device.begin_step(number, &self.plan.shape, self.control.device_factor);

        self.enter(Phase::DataWait)?;
        let batch = self.loader.next()?;

        self.enter(Phase::HostToDevice)?;
        self.device.copy(&batch);
        self.loader.give_back(batch);

        self.enter(Phase::Forward)?;
        let launched = self.device.launch(self.plan.shape.device_forward_ms);
        self.blocks.load(self.device.memory());
        let activation = self.blocks.multiply(self.plan.work.forward_products);
        launched.wait();

        self.enter(Phase::Backward)?;
        let launched = self.device.launch(self.plan.shape.device_backward_ms);
        self.blocks.multiply(self.plan.work.backward_products);
        self.model.differentiate(self.device.memory(), activation);
        self.model.vote(self.plan.rank == 0 && self.is_last(number, began));
        launched.wait();

        self.enter(Phase::Communication)?;
        self.all_reduce()?;

        self.enter(Phase::Optimizer)?;
        self.model.update(self.plan.shape.ranks);

        if let Some(bytes) = self.checkpoint_due(number) {
            self.enter(Phase::Checkpoint)?;
            checkpoint::write(&self.plan.folder, &self.model, bytes)?;
        }
        Ok(self.model.is_over())
    }

    /// Enters a phase, and does not leave it while this rank is told to be stuck there.
    fn enter(&mut self, phase: Phase) -> anyhow::Result<()> {
        self.clock.enter(phase);
        while self.control.stuck_in == Some(phase) {
            sleep(LOOK_AGAIN);
            self.control = Control::read(&self.plan.folder)?;
        }
        Ok(())
    }

    fn is_last(&self, number: u64, began: Instant) -> bool {
        let limit = &self.plan.limit;
        limit.steps.is_some_and(|steps| number + 1 >= steps)
            || limit.seconds.is_some_and(|seconds| began.elapsed().as_secs_f64() >= seconds)
    }

    fn all_reduce(&mut self) -> anyhow::Result<()> {
        let Some(ring) = &mut self.ring else { return Ok(()) };
        let reduced = ring.all_reduce(&mut self.model.gradients);
        match (reduced, self.plan.shape.on_loss) {
            (Err(error), Loss::Wait) => {
                eprintln!("rank {} waits for ever: {error:#}", self.plan.rank);
                loop {
                    sleep(Duration::from_secs(3600));
                }
            }
            (reduced, _) => reduced,
        }
    }

    /// How many bytes are to be kept after this step, where any are.
    fn checkpoint_due(&self, number: u64) -> Option<u64> {
        let shape = &self.plan.shape;
        let of_shape = Checkpoints { every: shape.checkpoint_every, bytes: shape.checkpoint_bytes };
        let Checkpoints { every, bytes } = self.control.checkpoints.unwrap_or(of_shape);
        let writes = shape.checkpoint_by == Writers::All || self.plan.rank == 0;
        (writes && (number + 1).is_multiple_of(every.max(1))).then_some(bytes)
    }
}
