//! DLPack: how arrays go from one library to another without a copy.
//!
//! The layout is that of dlpack.h, versions 0.8 (unversioned) and 1.0 (dmlc/dlpack). A capsule that nobody took over frees its
//! tensor when Python frees the capsule; whoever takes it over renames the capsule and frees the tensor.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::Arc;

use feed::pipeline::{Batch, Type};
use pyo3::prelude::*;
use pyo3::{PyErr, ffi};

/// Type and number of the device.
pub(crate) const MAIN_MEMORY: (i32, i32) = (1, 0);

const PLAIN: &CStr = c"dltensor";
const VERSIONED: &CStr = c"dltensor_versioned";

/// What is handed over.
pub(crate) struct Tensor {
    pub(crate) start: *const u8,
    pub(crate) shape: Vec<i64>,
    pub(crate) number: Type,
    /// Keeps the memory until the tensor is freed.
    pub(crate) owner: Arc<Batch>,
}

#[repr(C)]
struct DlDataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    ndim: i32,
    dtype: DlDataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    tensor: DlTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
}

#[repr(C)]
struct ManagedVersioned {
    major: u32,
    minor: u32,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut ManagedVersioned)>,
    flags: u64,
    tensor: DlTensor,
}

/// What a tensor's pointers point at.
struct Context {
    shape: Box<[i64]>,
    strides: Box<[i64]>,
    _owner: Arc<Batch>,
}

/// A capsule that hands `tensor` over.
pub(crate) fn capsule(py: Python<'_>, tensor: Tensor, is_versioned: bool) -> PyResult<Bound<'_, PyAny>> {
    let (parts, context) = parts(tensor);
    if is_versioned {
        let managed = ManagedVersioned {
            major: 1,
            minor: 0,
            context: Box::into_raw(context).cast(),
            deleter: Some(delete_versioned),
            flags: 0,
            tensor: parts,
        };
        new_capsule(py, Box::into_raw(Box::new(managed)).cast(), VERSIONED, drop_versioned)
    } else {
        let managed = Managed { tensor: parts, context: Box::into_raw(context).cast(), deleter: Some(delete) };
        new_capsule(py, Box::into_raw(Box::new(managed)).cast(), PLAIN, drop_plain)
    }
}

fn parts(tensor: Tensor) -> (DlTensor, Box<Context>) {
    // Without gaps, the last side first. They may be left out, but not for every reader.
    let mut strides = vec![1; tensor.shape.len()];
    for side in (1..tensor.shape.len()).rev() {
        strides[side - 1] = strides[side] * tensor.shape[side].max(1);
    }
    let mut context = Box::new(Context { shape: tensor.shape.into(), strides: strides.into(), _owner: tensor.owner });
    let (code, bits) = match tensor.number {
        Type::U8 => (1, 8),
        Type::I32 => (0, 32),
        Type::I64 => (0, 64),
        Type::F32 => (2, 32),
    };
    let parts = DlTensor {
        data: tensor.start.cast_mut().cast(),
        device_type: MAIN_MEMORY.0,
        device_id: MAIN_MEMORY.1,
        ndim: context.shape.len() as i32,
        dtype: DlDataType { code, bits, lanes: 1 },
        shape: context.shape.as_mut_ptr(),
        strides: context.strides.as_mut_ptr(),
        byte_offset: 0,
    };
    (parts, context)
}

#[expect(unsafe_code, reason = "DLPack is made of pointers")]
fn new_capsule<'py>(
    py: Python<'py>,
    managed: *mut c_void,
    name: &'static CStr,
    destructor: unsafe extern "C" fn(*mut ffi::PyObject),
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the name lives for ever; the destructor is the one for what `managed` points at.
    let capsule = unsafe { ffi::PyCapsule_New(managed, name.as_ptr(), Some(destructor)) };
    if capsule.is_null() {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: a new reference that is ours.
    Ok(unsafe { Bound::from_owned_ptr(py, capsule) })
}

#[expect(unsafe_code, reason = "called by whoever took the tensor over")]
unsafe extern "C" fn delete(managed: *mut Managed) {
    // SAFETY: both were boxed by `capsule`, and the deleter is called once.
    unsafe {
        let managed = Box::from_raw(managed);
        drop(Box::from_raw(managed.context.cast::<Context>()));
    }
}

#[expect(unsafe_code, reason = "called by whoever took the tensor over")]
unsafe extern "C" fn delete_versioned(managed: *mut ManagedVersioned) {
    // SAFETY: both were boxed by `capsule`, and the deleter is called once.
    unsafe {
        let managed = Box::from_raw(managed);
        drop(Box::from_raw(managed.context.cast::<Context>()));
    }
}

#[expect(unsafe_code, reason = "called by Python when the capsule goes")]
unsafe extern "C" fn drop_plain(capsule: *mut ffi::PyObject) {
    // SAFETY: a capsule of this name holds what `capsule` boxed; a renamed one belongs to whoever renamed it.
    unsafe {
        let managed = pointer(capsule, PLAIN);
        if !managed.is_null() {
            delete(managed.cast());
        }
    }
}

#[expect(unsafe_code, reason = "called by Python when the capsule goes")]
unsafe extern "C" fn drop_versioned(capsule: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe {
        let managed = pointer(capsule, VERSIONED);
        if !managed.is_null() {
            delete_versioned(managed.cast());
        }
    }
}

/// What a capsule holds, if it still has its name.
#[expect(unsafe_code, reason = "DLPack is made of pointers")]
unsafe fn pointer(capsule: *mut ffi::PyObject, name: &CStr) -> *mut c_void {
    // SAFETY: Python calls destructors with a capsule.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, name.as_ptr()) == 1 {
            ffi::PyCapsule_GetPointer(capsule, name.as_ptr())
        } else {
            ptr::null_mut()
        }
    }
}
