//! NVIDIA's devices: what NVML tells at once, and on Hopper and later what its performance monitoring (GPM) tells of the time between two
//! scrapes. Not checked beside a device yet: what was checked is that a library which tells little leaves the rest unknown.

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, nvidia};
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError, PcieUtilCounter, TemperatureSensor};
use nvml_wrapper::enum_wrappers::nv_link::ErrorCounter;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::gpm_metrics_get;
use nvml_wrapper::{Device, GpmSample};

use crate::machine::Nvml;

/// The devices of this machine.
#[derive(Debug)]
pub(super) struct Nvidia {
    /// It lives as long as the process: samples of performance monitoring borrow from it, and are kept from one scrape to the next.
    nvml: &'static Nvml,
    devices: Vec<Known>,
    /// How often it was asked.
    scrapes: u64,
}

/// What is kept of a device from one scrape to the next.
#[derive(Debug, Default)]
struct Known {
    sample: Option<GpmSample<'static>>,
    links: Links,
}

/// Links of NVLink.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    active: Option<f64>,
    errors: Option<f64>,
}

/// What performance monitoring tells, in hundredths or in MiB a second.
static MONITORED: &[(&Signal, GpmMetricId, f64)] = &[
    (&nvidia::SM_ACTIVE, GpmMetricId::SmUtil, 0.01),
    (&nvidia::SM_OCCUPANCY, GpmMetricId::SmOccupancy, 0.01),
    (&nvidia::TENSOR_ACTIVE, GpmMetricId::AnyTensorUtil, 0.01),
    (&nvidia::MEMORY_ACTIVE, GpmMetricId::DramBwUtil, 0.01),
    (&nvidia::FP32_ACTIVE, GpmMetricId::Fp32Util, 0.01),
    (&nvidia::NVLINK_RECEIVED, GpmMetricId::NvlinkTotalRxPerSec, MIB),
    (&nvidia::NVLINK_SENT, GpmMetricId::NvlinkTotalTxPerSec, MIB),
];

/// So many links a device has at most (NVML_NVLINK_MAX_LINKS).
const LINKS_MAX: u32 = 18;
/// They are asked once in so many scrapes: three calls for each of them.
const LINKS_EVERY: u64 = 10;

const MIB: f64 = 1_048_576.0;

impl Nvidia {
    pub(super) fn new(nvml: Nvml) -> Self {
        let nvml: &'static Nvml = Box::leak(Box::new(nvml));
        let devices = (0..nvml.count()).map(|_| Known::default()).collect();
        Self { nvml, devices, scrapes: 0 }
    }

    pub(super) fn scrape(&mut self, scrape: &mut Scrape) {
        let ask_links = self.scrapes.is_multiple_of(LINKS_EVERY);
        self.scrapes += 1;
        for (index, known) in (0..).zip(&mut self.devices) {
            let of = Thing::Device(index);
            let Some(device) = self.nvml.device(index) else {
                // It fell off the bus: every signal of it is unknown, and that is news.
                scrape.add(&nvidia::PRESENT, &of, Some(0.0));
                continue;
            };
            scrape.add(&nvidia::PRESENT, &of, Some(1.0));
            state(&device, &of, scrape);
            power(&device, &of, scrape);
            link(&device, &of, scrape);
            if ask_links {
                known.links = links(&device);
            }
            scrape.add(&nvidia::NVLINKS_ACTIVE, &of, known.links.active);
            scrape.add(&nvidia::NVLINK_ERRORS, &of, known.links.errors);
            let before = known.sample.take();
            known.sample = self.nvml.library().and_then(|library| monitored(library, &device, before, &of, scrape));
        }
    }
}

fn known<T>(result: Result<T, NvmlError>, value: impl Fn(T) -> f64) -> Option<f64> {
    result.ok().map(value)
}

fn state(device: &Device<'_>, of: &Thing, scrape: &mut Scrape) {
    let busy = device.utilization_rates().ok();
    scrape.add(&nvidia::BUSY, of, busy.as_ref().map(|busy| f64::from(busy.gpu) / 100.0));
    scrape.add(&nvidia::MEMORY_ACCESSED, of, busy.map(|busy| f64::from(busy.memory) / 100.0));
    let memory = device.memory_info().ok();
    scrape.add(&nvidia::MEMORY_USED, of, memory.as_ref().map(|memory| memory.used as f64));
    scrape.add(&nvidia::MEMORY_TOTAL, of, memory.map(|memory| memory.total as f64));
    let errors = |kind| known(device.total_ecc_errors(kind, EccCounter::Volatile), |count| count as f64);
    scrape.add(&nvidia::ECC_UNCORRECTED, of, errors(MemoryError::Uncorrected));
    scrape.add(&nvidia::ECC_CORRECTED, of, errors(MemoryError::Corrected));
    scrape.add(&nvidia::PROCESSES, of, known(device.running_compute_processes_count(), f64::from));
}

fn power(device: &Device<'_>, of: &Thing, scrape: &mut Scrape) {
    let watts = |milliwatts| f64::from(milliwatts) / 1e3;
    scrape.add(&nvidia::POWER, of, known(device.power_usage(), watts));
    scrape.add(&nvidia::POWER_LIMIT, of, known(device.enforced_power_limit(), watts));
    scrape.add(&nvidia::ENERGY, of, known(device.total_energy_consumption(), |millijoules| millijoules as f64 / 1e3));
    scrape.add(&nvidia::TEMPERATURE, of, known(device.temperature(TemperatureSensor::Gpu), f64::from));
    let hertz = |mhz| f64::from(mhz) * 1e6;
    scrape.add(&nvidia::SM_CLOCK, of, known(device.clock_info(Clock::SM), hertz));
    scrape.add(&nvidia::SM_CLOCK_MAX, of, known(device.max_clock_info(Clock::SM), hertz));
    let reasons = device.current_throttle_reasons().ok();
    for (signal, which) in [
        (&nvidia::THROTTLE_POWER, ThrottleReasons::SW_POWER_CAP),
        (&nvidia::THROTTLE_THERMAL, ThrottleReasons::SW_THERMAL_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN),
        (&nvidia::THROTTLE_HARDWARE, ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN),
    ] {
        scrape.add(signal, of, reasons.map(|reasons| f64::from(u8::from(reasons.intersects(which)))));
    }
}

fn link(device: &Device<'_>, of: &Thing, scrape: &mut Scrape) {
    scrape.add(&nvidia::PCIE_GENERATION, of, known(device.current_pcie_link_gen(), f64::from));
    scrape.add(&nvidia::PCIE_GENERATION_MAX, of, known(device.max_pcie_link_gen(), f64::from));
    scrape.add(&nvidia::PCIE_WIDTH, of, known(device.current_pcie_link_width(), f64::from));
    scrape.add(&nvidia::PCIE_WIDTH_MAX, of, known(device.max_pcie_link_width(), f64::from));
    scrape.add(&nvidia::PCIE_REPLAYS, of, known(device.pcie_replay_counter(), f64::from));
    // NVML counts for 20 ms, and says so in KB a second.
    let rate = |which| known(device.pcie_throughput(which), |kb| f64::from(kb) * 1e3);
    scrape.add(&nvidia::PCIE_RECEIVED, of, rate(PcieUtilCounter::Receive));
    scrape.add(&nvidia::PCIE_SENT, of, rate(PcieUtilCounter::Send));
}

/// A device without NVLink answers for none.
fn links(device: &Device<'_>) -> Links {
    let states = (0..LINKS_MAX).filter_map(|link| {
        let link = device.link_wrapper_for(link);
        Some((link.is_active().ok()?, link))
    });
    let (mut active, mut known, mut errors) = (0_u32, false, None);
    for (is_active, link) in states {
        known = true;
        active += u32::from(is_active);
        for counter in [ErrorCounter::DlReplay, ErrorCounter::DlRecovery] {
            if let Some(count) = link.error_counter(counter).ok().filter(|_| is_active) {
                errors = Some(errors.unwrap_or(0.0) + count as f64);
            }
        }
    }
    Links { active: known.then(|| f64::from(active)), errors }
}

/// Figures of the time since the sample before; gives the sample of now. A device before Hopper has none.
fn monitored(
    library: &'static nvml_wrapper::Nvml,
    device: &Device<'static>,
    before: Option<GpmSample<'static>>,
    of: &Thing,
    scrape: &mut Scrape,
) -> Option<GpmSample<'static>> {
    let now = device.gpm_support().is_ok_and(|supported| supported).then(|| device.gpm_sample().ok()).flatten();
    let ids: Vec<GpmMetricId> = MONITORED.iter().map(|&(_, id, _)| id).collect();
    let results = before.zip(now.as_ref()).and_then(|(before, now)| gpm_metrics_get(library, &before, now, &ids).ok());
    let mut results = results.into_iter().flatten();
    for &(signal, _, unit) in MONITORED {
        let value = results.next().and_then(Result::ok).map(|result| result.value * unit);
        scrape.add(signal, of, value);
    }
    now
}
