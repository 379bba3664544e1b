//! Signals of the operating system as calls.

use std::io;
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What signals ask for. The calls are made on a thread of their own, one after the other.
pub struct SignalHooks {
    /// The first SIGTERM or SIGINT: finish, and accept nothing new.
    pub drain: Box<dyn FnOnce() + Send>,
    /// Every further one: stop at once.
    pub stop: Box<dyn FnMut() + Send>,
    /// SIGHUP: read the configuration anew.
    pub reload: Box<dyn FnMut() + Send>,
    /// SIGUSR1: open the access log anew.
    pub reopen: Box<dyn FnMut() + Send>,
    /// SIGCHLD: a child has ended, or an orphan that the first process of a container has inherited.
    pub reap: Box<dyn FnMut() + Send>,
}

/// Listens for signals from now until the process ends. Until it is called, they do what the system's defaults say.
///
/// # Errors
/// What the system says when a signal cannot be listened for, or the thread not be started.
pub fn watch(hooks: SignalHooks) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let signals = Signals::new(&runtime)?;
    thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(signals.call(hooks)))?;
    Ok(())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: Signal,
    child: Signal,
}

impl Signals {
    fn new(runtime: &Runtime) -> io::Result<Self> {
        let _entered = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
            child: signal(SignalKind::child())?,
        })
    }

    async fn call(mut self, hooks: SignalHooks) {
        let SignalHooks { drain, mut stop, mut reload, mut reopen, mut reap } = hooks;
        let mut drain = Some(drain);
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => end(&mut drain, &mut stop),
                Some(()) = self.interrupt.recv() => end(&mut drain, &mut stop),
                Some(()) = self.hangup.recv() => reload(),
                Some(()) = self.user.recv() => reopen(),
                Some(()) = self.child.recv() => reap(),
                else => return,
            }
        }
    }
}

fn end(drain: &mut Option<Box<dyn FnOnce() + Send>>, stop: &mut impl FnMut()) {
    match drain.take() {
        Some(drain) => drain(),
        None => stop(),
    }
}
