//! Memory of this module, and what it asks of the C library's.

#[cfg(target_os = "linux")]
mod by_pages;

/// What the C library keeps of freed memory goes back to the system: Python's copies of large samples are such.
pub(crate) fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "it is a function of C")]
    // SAFETY: it may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
