//! Endpoints that are looked up while Strait serves: started when a configuration has some, followed ever after.

use crate::operator::say;
use crate::reload::Reloader;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, Weak};
use std::time::Duration;
use strait_compile::Compiler;
use strait_config::spec::AddressFamily;
use strait_config::{Diagnostics, Snapshot};
use strait_control::discover::{Discovery, Family, Finds};
use strait_plan::{Lookup, Plan};

/// The discovery of this process, once it is needed.
#[derive(Default)]
pub(crate) struct Lookups {
    discovery: Option<Discovery>,
    /// What changes, until somebody follows it.
    changes: Option<Receiver<Lookup>>,
    /// Who follows it.
    reloader: Weak<Mutex<Reloader>>,
}

impl Lookups {
    /// A plan with what its look-ups find, within `wait`. What is found later is published then.
    ///
    /// # Errors
    /// What forbids to speak to what was found.
    pub(crate) fn fill(
        &mut self,
        compiler: &mut Compiler,
        snapshot: &Snapshot,
        plan: Arc<Plan>,
        wait: Duration,
    ) -> Result<Arc<Plan>, Diagnostics> {
        let lookups = plan.lookups();
        if lookups.is_empty() && self.discovery.is_none() {
            return Ok(plan);
        }
        let finds = self.adopt(snapshot, lookups.clone(), wait);
        let filled = compiler.discovered(snapshot, &plan, finds)?.unwrap_or(plan);
        for lookup in lookups {
            let of_lookup = |one: &&Arc<strait_plan::Upstream>| one.lookups.contains(&lookup);
            if filled.upstreams.iter().filter(of_lookup).all(|upstream| upstream.endpoints.is_empty()) {
                say(&format!("`{lookup}` finds nothing yet; its requests are answered with 503 until it does"));
            }
        }
        Ok(filled)
    }

    /// Makes these look-ups from now on; what they find within `wait`.
    pub(crate) fn adopt(&mut self, snapshot: &Snapshot, lookups: Vec<Lookup>, wait: Duration) -> Finds {
        if self.discovery.is_none() {
            let servers = snapshot.spec.resolver.servers.iter().filter_map(|server| server.value.socket());
            match Discovery::start(&servers.collect::<Vec<_>>(), family(snapshot)) {
                Ok((discovery, changes)) => (self.discovery, self.changes) = (Some(discovery), Some(changes)),
                Err(error) => say(&format!("discovery: {error}")),
            }
            self.listen();
        }
        self.discovery.as_ref().map_or_else(Finds::new, |discovery| discovery.adopt(lookups, wait))
    }

    /// What is known of these.
    pub(crate) fn known(&self, lookups: BTreeSet<Lookup>) -> Finds {
        let Some(discovery) = &self.discovery else { return Finds::new() };
        lookups.into_iter().filter_map(|lookup| Some((lookup.clone(), discovery.known(&lookup)?))).collect()
    }

    /// Lets this one know of changes from now on.
    pub(crate) fn follow(&mut self, reloader: Weak<Mutex<Reloader>>) {
        self.reloader = reloader;
        self.listen();
    }

    /// Passes changes on, as soon as there can be some and somebody follows.
    fn listen(&mut self) {
        if self.reloader.strong_count() == 0 {
            return;
        }
        let (Some(changes), reloader) = (self.changes.take(), self.reloader.clone()) else { return };
        let followed = std::thread::Builder::new().name("endpoints".into()).spawn(move || {
            while let Ok(first) = changes.recv() {
                // Whatever else has changed meanwhile goes into the same plan.
                let lookups = std::iter::once(first).chain(changes.try_iter()).collect();
                let Some(reloader) = reloader.upgrade() else { return };
                if let Ok(mut reloader) = reloader.lock() {
                    reloader.discovered(lookups);
                }
            }
        });
        if let Err(error) = followed {
            say(&format!("discovery: endpoints that change are not followed: {error}"));
        }
    }
}

fn family(snapshot: &Snapshot) -> Family {
    match snapshot.spec.resolver.family {
        AddressFamily::PreferIpv4 => Family::PreferIpv4,
        AddressFamily::PreferIpv6 => Family::PreferIpv6,
        AddressFamily::Both => Family::Both,
    }
}
