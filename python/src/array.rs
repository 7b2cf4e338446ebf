//! A column of a batch, as NumPy, torch, JAX and CuPy can take it over without a copy.

use std::sync::Arc;

use feed::pipeline::{Batch, Joined, Type};
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::dlpack;

/// A column of a batch. Its memory stays the batch's until nothing refers to it any more.
#[pyclass(frozen, module = "trimtab._native")]
pub(crate) struct Array {
    batch: Arc<Batch>,
    column: usize,
    /// Which of the arrays that the column was joined to; none where it is one itself.
    joined: Option<usize>,
    shape: Vec<i64>,
    number: Type,
}

impl Array {
    /// The column of that place, which is made of numbers.
    pub(crate) fn new(batch: &Arc<Batch>, column: usize, number: Type, shape: &[usize]) -> Array {
        let shape = [batch.samples as i64].into_iter().chain(shape.iter().map(|side| *side as i64)).collect();
        Array { batch: Arc::clone(batch), column, joined: None, shape, number }
    }

    /// The array of that place, of those that a column was joined to.
    pub(crate) fn joined(batch: &Arc<Batch>, column: usize, place: usize, array: &Joined) -> Array {
        let shape = array.shape.iter().map(|side| *side as i64).collect();
        Array { batch: Arc::clone(batch), column, joined: Some(place), shape, number: array.number }
    }

    /// Where its numbers begin.
    fn start(&self) -> *const u8 {
        let column = self.batch.columns().nth(self.column).expect("the column is one of the batch's");
        match self.joined {
            Some(place) => column.made.joined()[place].bytes().as_ptr(),
            None => column.made.numbers().expect("the column is made of numbers").as_ptr(),
        }
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
        // Whoever has the array may write to it: the memory is nobody else's until it is let go.
        interface.set_item("data", (self.start() as usize, false))?;
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
