//! NVIDIA's accelerators, through the library that comes with their driver (NVML). It is opened while running.

use std::ffi::OsStr;
use std::fmt;

use fleet::quantity::Bytes;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml as Library};

use super::accelerator::{Accelerator, Reading};
use crate::machine::visible::Vendor;

/// The library under the name that the driver installs; the plain name is there for those who build programs only.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// NVML, or the reason why there is none.
pub struct Nvml(Result<Library, NvmlError>);

impl Nvml {
    /// Opens the library of this machine.
    #[must_use]
    pub fn open() -> Self {
        Self::open_at(OsStr::new(LIBRARY))
    }

    /// Opens the library at a path.
    #[must_use]
    pub fn open_at(path: &OsStr) -> Self {
        Self(Library::builder().lib_path(path).init())
    }

    /// The devices in the order of their place on the bus. Without the library there are none; where it is there and fails, a
    /// notice says so.
    pub(super) fn devices(&self, notices: &mut Vec<String>) -> Vec<Accelerator> {
        let library = match &self.0 {
            Ok(library) => library,
            Err(NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded | NvmlError::LibraryNotFound) => {
                return Vec::new();
            }
            Err(error) => {
                notices.push(format!("NVIDIA's library {LIBRARY} is there but fails: {error}; does nvidia-smi work?"));
                return Vec::new();
            }
        };
        let count = library.device_count().unwrap_or_else(|error| {
            notices.push(format!("NVIDIA's library does not count its devices: {error}; does nvidia-smi work?"));
            0
        });
        (0..count).map(|index| describe(index, library.device_by_index(index).ok().as_ref())).collect()
    }

    /// How many devices there are, as far as the library tells.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.as_ref().ok().and_then(|library| library.device_count().ok()).unwrap_or(0)
    }

    /// The library, where there is one.
    pub(in crate::machine) fn library(&self) -> Option<&Library> {
        self.0.as_ref().ok()
    }

    /// The device with this index.
    pub(in crate::machine) fn device(&self, index: u32) -> Option<Device<'_>> {
        self.0.as_ref().ok()?.device_by_index(index).ok()
    }

    /// How the device with this index is used now.
    pub(super) fn reading(&self, index: u32) -> Reading {
        let device = self.device(index);
        let busy = device.as_ref().and_then(|device| device.utilization_rates().ok());
        let memory = device.as_ref().and_then(|device| device.memory_info().ok());
        Reading {
            busy_milli: busy.map(|busy| u64::from(busy.gpu) * 10),
            memory_used: memory.map(|memory| Bytes(memory.used)),
        }
    }
}

/// A device that cannot be asked keeps its index: those behind it must not move up.
fn describe(index: u32, device: Option<&Device<'_>>) -> Accelerator {
    Accelerator {
        vendor: Vendor::Nvidia,
        model: device.and_then(|device| device.name().ok()),
        memory: device.and_then(|device| device.memory_info().ok()).map(|memory| Bytes(memory.total)),
        visible_name: device.and_then(|device| device.uuid().ok()).unwrap_or_else(|| index.to_string()),
        bus: device.and_then(|device| device.pci_info().ok()).map(|pci| pci.bus_id),
        folder: None,
    }
}

impl fmt::Debug for Nvml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_ok() { "Nvml(open)" } else { "Nvml(absent)" })
    }
}
