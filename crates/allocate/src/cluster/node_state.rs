//! What is free on one node, and taking and giving it back.

use fleet::action::Slot;
use fleet::node::{Node, Resources};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice};

/// What is free on one node.
#[derive(Clone, Debug)]
pub(crate) struct NodeState {
    pub(crate) class: u32,
    /// Its place among the members of its class.
    pub(crate) member: u32,
    pub(crate) cpu: MilliCpu,
    pub(crate) memory: Bytes,
    /// Devices nobody uses any part of.
    pub(crate) whole: u64,
    /// Devices used in part: index and what is left, ascending by index.
    pub(crate) shared: Vec<(u8, u16)>,
    pub(crate) standing: Standing,
}

/// Whether a node may be given work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Up,
    Drained,
    Lost,
}

impl NodeState {
    pub(crate) fn empty(spec: &Node, class: u32, member: u32) -> Self {
        Self {
            class,
            member,
            cpu: spec.cpu,
            memory: spec.memory,
            whole: if spec.devices == 64 { u64::MAX } else { (1 << spec.devices) - 1 },
            shared: Vec::new(),
            standing: Standing::Up,
        }
    }

    /// How many tasks of this request fit, at most `most`.
    pub(crate) fn room(&self, request: &Resources, most: u32) -> u32 {
        let whole = MilliDevice::whole(u64::from(self.whole.count_ones()));
        let Some(share) = share_of(request) else {
            let free = Resources { cpu: self.cpu, memory: self.memory, devices: whole };
            return request.times_within(free).min(u64::from(most)) as u32;
        };
        let host = Resources { devices: MilliDevice::ZERO, ..*request };
        let host = host.times_within(Resources { cpu: self.cpu, memory: self.memory, devices: whole });
        let parts: u64 = self.shared.iter().map(|&(_, left)| u64::from(left / share)).sum();
        let devices = parts + u64::from(self.whole.count_ones()) * (MilliDevice::WHOLE / u64::from(share));
        host.min(devices).min(u64::from(most)) as u32
    }

    /// Takes one share of a device: of the one used in part with the least left that does, else of a whole one.
    /// Gives the device.
    pub(crate) fn take_share(&mut self, share: u16) -> u8 {
        let tightest =
            self.shared.iter_mut().filter(|(_, left)| *left >= share).min_by_key(|(device, left)| (*left, *device));
        if let Some((device, left)) = tightest {
            *left -= share;
            return *device;
        }
        assert_ne!(self.whole, 0, "a share is only taken where there is room");
        let device = self.whole.trailing_zeros() as u8;
        self.whole &= self.whole - 1;
        self.begin_sharing(device, share);
        device
    }

    /// Takes the devices that a slot names, and what belongs beside them, if all of it is free.
    pub(crate) fn take_exactly(&mut self, request: &Resources, slot: &Slot) -> bool {
        let (cpu, memory) = (request.cpu.times(slot.tasks), request.memory.times(slot.tasks));
        if slot.tasks == 0 || self.cpu < cpu || self.memory < memory || !self.take_devices(request, slot) {
            return false;
        }
        self.cpu -= cpu;
        self.memory -= memory;
        true
    }

    fn take_devices(&mut self, request: &Resources, slot: &Slot) -> bool {
        let Some(share) = share_of(request) else {
            let asked = request.devices.times(slot.tasks).0 / MilliDevice::WHOLE;
            let free = self.whole & slot.devices == slot.devices && u64::from(slot.devices.count_ones()) == asked;
            if free {
                self.whole &= !slot.devices;
            }
            return free;
        };
        if slot.tasks != 1 || slot.devices.count_ones() != 1 {
            return false;
        }
        let device = slot.devices.trailing_zeros() as u8;
        if self.whole & slot.devices != 0 {
            self.whole &= !slot.devices;
            self.begin_sharing(device, share);
            return true;
        }
        let used = self.shared.iter_mut().find(|(other, left)| *other == device && *left >= share);
        used.map(|(_, left)| *left -= share).is_some()
    }

    /// A device nobody used any part of is used in part from now on.
    fn begin_sharing(&mut self, device: u8, share: u16) {
        let at = self.shared.partition_point(|&(other, _)| other < device);
        self.shared.insert(at, (device, MilliDevice::WHOLE as u16 - share));
    }

    pub(crate) fn give_share(&mut self, device: u8, share: u16) {
        let at = self.shared.binary_search_by_key(&device, |&(other, _)| other).expect("the device is used in part");
        self.shared[at].1 += share;
        assert!(self.shared[at].1 <= MilliDevice::WHOLE as u16, "no more is given back than was taken");
        if self.shared[at].1 == MilliDevice::WHOLE as u16 {
            self.shared.remove(at);
            self.whole |= 1 << device;
        }
    }

    /// Takes `count` whole devices, lowest first, and gives them as a bit set.
    pub(crate) fn take_whole(&mut self, count: u32) -> u64 {
        assert!(self.whole.count_ones() >= count, "devices are only taken where there is room");
        let mut taken = 0;
        for _ in 0..count {
            let bit = self.whole & self.whole.wrapping_neg();
            taken |= bit;
            self.whole &= !bit;
        }
        taken
    }

    pub(crate) fn give_whole(&mut self, devices: u64) {
        assert_eq!(self.whole & devices, 0, "no device is given back twice");
        self.whole |= devices;
    }

    /// All that is free, in whatever pieces.
    pub(crate) fn free(&self) -> Resources {
        Resources { cpu: self.cpu, memory: self.memory, devices: self.free_devices() }
    }

    /// Device thousandths that are free.
    pub(crate) fn free_devices(&self) -> MilliDevice {
        let shared: u64 = self.shared.iter().map(|&(_, left)| u64::from(left)).sum();
        MilliDevice(u64::from(self.whole.count_ones()) * MilliDevice::WHOLE + shared)
    }
}

/// The share of one device that a task asks for, if it asks for less than one.
pub(crate) fn share_of(request: &Resources) -> Option<u16> {
    let share = request.devices.0 % MilliDevice::WHOLE;
    (share != 0).then_some(share as u16)
}
