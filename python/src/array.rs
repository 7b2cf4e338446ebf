//! A column of a batch, as NumPy, torch, JAX and CuPy can take it over without a copy.

use std::sync::Arc;

use feed::pipeline::{Batch, Joined, Made, Type};
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::dlpack;

/// A column of a batch, or one sample's bytes of it. Its memory stays the batch's until nothing refers to it any more.
#[pyclass(frozen, module = "trimtab._native")]
pub(crate) struct Array {
    batch: Arc<Batch>,
    column: usize,
    /// Which part of the column it is; none where it is the column itself.
    part: Option<Part>,
    shape: Vec<i64>,
    number: Type,
}

/// A part of a column.
enum Part {
    /// The array of that place, of those that it was joined to.
    Joined(usize),
    /// The bytes of that sample.
    Sample(usize),
}

impl Array {
    /// The bytes of a sample, of the column of that place, which is made of bytes.
    pub(crate) fn of_sample(batch: &Arc<Batch>, column: usize, sample: usize) -> Array {
        let part = Some(Part::Sample(sample));
        let mut array = Array { batch: Arc::clone(batch), column, part, shape: Vec::new(), number: Type::U8 };
        array.shape.push(array.cell(sample).len() as i64);
        array
    }

    /// The column of that place, which is made of numbers.
    pub(crate) fn new(batch: &Arc<Batch>, column: usize, number: Type, shape: &[usize]) -> Array {
        let shape = [batch.samples as i64].into_iter().chain(shape.iter().map(|side| *side as i64)).collect();
        Array { batch: Arc::clone(batch), column, part: None, shape, number }
    }

    /// The array of that place, of those that a column was joined to.
    pub(crate) fn joined(batch: &Arc<Batch>, column: usize, place: usize, array: &Joined) -> Array {
        let shape = array.shape.iter().map(|side| *side as i64).collect();
        Array { batch: Arc::clone(batch), column, part: Some(Part::Joined(place)), shape, number: array.number }
    }

    /// Where its numbers begin.
    fn start(&self) -> *const u8 {
        match self.part {
            None => self.made().numbers().expect("the column is made of numbers").as_ptr(),
            Some(Part::Joined(place)) => self.made().joined()[place].bytes().as_ptr(),
            Some(Part::Sample(sample)) => self.cell(sample).as_ptr(),
        }
    }

    fn cell(&self, sample: usize) -> &[u8] {
        &self.made().cells().expect("the column is made of bytes")[sample]
    }

    fn made(&self) -> &Made {
        self.batch.columns().nth(self.column).expect("the column is one of the batch's").made
    }

    /// Whether its memory may be that of others, too: then nobody writes to it.
    fn is_read_only(&self) -> bool {
        matches!(self.part, Some(Part::Sample(_)))
    }
}

#[pymethods]
impl Array {
    /// Its sides; samples first.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }

    /// NumPy's description of memory.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape(py)?)?;
        interface.set_item("typestr", typestr(self.number))?;
        // Numbers may be written to: the memory is nobody else's until it is let go.
        interface.set_item("data", (self.start() as usize, self.is_read_only()))?;
        Ok(interface)
    }

    /// The device, as DLPack counts them: 1 is main memory.
    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::MAIN_MEMORY
    }

    /// A capsule of DLPack.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if stream.is_some() {
            return Err(PyBufferError::new_err("main memory has no streams"));
        }
        if dl_device.is_some_and(|device| device != dlpack::MAIN_MEMORY) || copy == Some(true) {
            return Err(PyBufferError::new_err("a batch lies in main memory, and is not copied from here"));
        }
        let tensor = dlpack::Tensor {
            start: self.start(),
            shape: self.shape.clone(),
            number: self.number,
            owner: Arc::clone(&self.batch),
        };
        dlpack::capsule(py, tensor, max_version.is_some_and(|(major, _)| major >= 1))
    }
}

/// NumPy's name for a type of number.
fn typestr(number: Type) -> &'static str {
    match number {
        Type::U8 => "|u1",
        Type::I32 => "<i4",
        Type::I64 => "<i8",
        Type::F32 => "<f4",
    }
}
