//! The allocator, and how it gives memory back.
#![allow(unsafe_code, reason = "mi_collect, which the crate of the allocator does not wrap")]

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Returns to the kernel what this thread holds free. Costs a look at each of the thread's pages.
pub(crate) fn give_back() {
    #[cfg(feature = "mimalloc")]
    // SAFETY: it takes no pointer, may be called on any thread at any time, and touches free memory only.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
