//! Does nothing, in as little code as possible: what a step costs when its plugin costs nothing.
//!
//! Without the standard library it is 4 KB instead of 55, and imports nothing at all.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

/// The contract, as `wit-bindgen` writes it.
mod bindings {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "plugin",
        generate_all,
        disable_custom_section_link_helpers: true,
    });
}

use bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct Noop;

impl Guest for Noop {
    fn describe() -> Description {
        Description {
            name: "noop".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "Does nothing.".into(),
            with_schema: "{}".into(),
            capabilities: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

bindings::export!(Noop with_types_in bindings);

/// What the standard library would bring: memory that is only taken, which is enough for one call, and a trap.
///
/// It begins with what the last page of the data leaves over, as C's allocators do: to grow memory is a system call.
mod bare {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32;
    use core::cell::Cell;

    const PAGE: usize = 64 << 10;

    unsafe extern "C" {
        /// Where the linker says that the data ends.
        static __heap_base: u8;
    }

    struct Bump {
        next: Cell<usize>,
        /// Zero before the first use.
        end: Cell<usize>,
    }

    // An instance has one thread.
    unsafe impl Sync for Bump {}

    #[global_allocator]
    static MEMORY: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if self.end.get() == 0 {
                self.next.set(&raw const __heap_base as usize);
                self.end.set(wasm32::memory_size::<0>() * PAGE);
            }
            let mut at = self.next.get().next_multiple_of(layout.align());
            if at + layout.size() > self.end.get() {
                let pages = layout.size().div_ceil(PAGE).max(1);
                let first = wasm32::memory_grow::<0>(pages);
                if first == usize::MAX {
                    return core::ptr::null_mut();
                }
                at = first * PAGE;
                self.end.set(at + pages * PAGE);
            }
            self.next.set(at + layout.size());
            at as *mut u8
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    /// Where the host puts strings that it passes in.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
        unsafe {
            let new = MEMORY.alloc(Layout::from_size_align_unchecked(size, align));
            if new.is_null() {
                wasm32::unreachable();
            }
            if old_size > 0 {
                core::ptr::copy_nonoverlapping(old, new, old_size.min(size));
            }
            new
        }
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        wasm32::unreachable()
    }
}
