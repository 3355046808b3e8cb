//! The audio thread's path through one block. Nothing here allocates, locks, waits or logs.

use crate::params::AntiphonParams;
use crate::port::{Event, Outlet, Port};
use crate::thru::{Batch, Thru};

/// What lives on the audio thread.
#[derive(Debug)]
pub struct RealTime {
    thru: Thru,
    batch: Batch,
    outlet: Outlet,
}

impl RealTime {
    /// At rest, with all the room it will ever need.
    #[must_use]
    pub fn new() -> Self {
        Self { thru: Thru::new(), batch: Batch::new(), outlet: Outlet::default() }
    }

    /// One block of host time.
    pub fn process(&mut self, params: &AntiphonParams, port: &mut impl Port) {
        self.outlet.settle(port);
        self.thru.set_open(params.thru.value() || params.bypass.value(), &mut self.outlet, port);
        let mut next = port.next();
        while let Some(first) = next {
            next = self.play_sample(first, port);
        }
    }

    /// Everything that happens at the sample of this event; the first event of the next one.
    fn play_sample(&mut self, first: Event, port: &mut impl Port) -> Option<Event> {
        let sample = first.timing();
        let mut next = Some(first);
        while let Some(event) = next.filter(|event| event.timing() <= sample && !self.batch.is_full()) {
            self.batch.push(event);
            next = port.next();
        }
        for &event in self.batch.offs().iter().chain(self.batch.rest()) {
            self.thru.pass(event, &mut self.outlet, port);
        }
        self.batch.clear();
        next
    }
}

impl Default for RealTime {
    fn default() -> Self {
        Self::new()
    }
}
