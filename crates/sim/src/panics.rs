//! Panics of tasks, which a runtime catches and a test must see.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Collects this thread's panics from its beginning on.
pub(crate) struct Watch(());

impl Watch {
    pub(crate) fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                let watched = SEEN.with_borrow_mut(|seen| seen.as_mut().map(|seen| seen.push(info.to_string())));
                if watched.is_none() {
                    usual(info);
                }
            }));
        });
        SEEN.set(Some(Vec::new()));
        Self(())
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        SEEN.take().unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        SEEN.set(None);
    }
}
