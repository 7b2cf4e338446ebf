//! Large pieces of memory come from the system and go back to it at once, so that what a loader uses is what it counts. The C library
//! would keep what is freed, up to tens of megabytes for each thread, and measure the next request by it.

#![expect(unsafe_code, reason = "what allocates memory is unsafe by its nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

/// From this size on. Smaller ones are made and freed often: among them what comes over the network, in pieces of up to 408 KiB.
const LARGE: usize = 1 << 20;
/// What the system aligns to.
const PAGE: usize = 4096;

/// Memory of this module. Python's own is not touched by it.
struct ByPages;

#[global_allocator]
static MEMORY: ByPages = ByPages;

fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= PAGE
}

fn map(bytes: usize) -> *mut u8 {
    // SAFETY: a new mapping, at a place that the system chooses, harms nobody.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED { ptr::null_mut() } else { start.cast() }
}

// SAFETY: what is large is a mapping of its own, and everything else the system allocator's; the layout, which callers must tell as it
// was, says which. A mapping is zeroed, and aligned to a page.
unsafe impl GlobalAlloc for ByPages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the allocator's rules.
        if is_large(layout) { map(layout.size()) } else { unsafe { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the allocator's rules.
        if is_large(layout) { map(layout.size()) } else { unsafe { System.alloc_zeroed(layout) } }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if is_large(layout) {
            // SAFETY: it was mapped with this size, and nobody uses it any more.
            let outcome = unsafe { libc::munmap(start.cast(), layout.size()) };
            debug_assert_eq!(outcome, 0, "what is given back was a mapping");
        } else {
            // SAFETY: the caller keeps the allocator's rules.
            unsafe { System.dealloc(start, layout) }
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller asks for no more than a layout can have.
        let new = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        match (is_large(layout), is_large(new)) {
            // SAFETY: the caller keeps the allocator's rules.
            (false, false) => unsafe { System.realloc(start, layout, bytes) },
            (true, true) => {
                // SAFETY: it was mapped with this size; where it moves, nobody uses the old place any more.
                let moved = unsafe { libc::mremap(start.cast(), layout.size(), bytes, libc::MREMAP_MAYMOVE) };
                if moved == libc::MAP_FAILED { ptr::null_mut() } else { moved.cast() }
            }
            _ => {
                // SAFETY: the new memory is another than the old one, and both have the bytes that are copied.
                unsafe {
                    let moved = self.alloc(new);
                    if !moved.is_null() {
                        ptr::copy_nonoverlapping(start, moved, layout.size().min(bytes));
                        self.dealloc(start, layout);
                    }
                    moved
                }
            }
        }
    }
}
