//! nice-plug's contexts, forwarded to the plug-in inside.

use std::marker::PhantomData;

use nice_plug::context::process::SendEventError;
use nice_plug::prelude::{ActivateContext, Plugin, PluginApi, PluginNoteEvent, ProcessContext, Transport};

/// A context of the plug-in `P`, which has no system exclusive messages, forwarded to an inner plug-in with the same tasks.
pub(crate) struct Forwarded<'a, X, P> {
    pub(crate) context: &'a mut X,
    /// Replaces the context's transport.
    pub(crate) transport: Transport,
    outer: PhantomData<P>,
}

impl<'a, X, P> Forwarded<'a, X, P> {
    pub(crate) const fn new(context: &'a mut X, transport: Transport) -> Self {
        Self { context, transport, outer: PhantomData }
    }
}

impl<X, P, I> ActivateContext<I> for Forwarded<'_, X, P>
where
    X: ActivateContext<P>,
    P: Plugin<BackgroundTask = I::BackgroundTask>,
    I: Plugin,
{
    fn plugin_api(&self) -> PluginApi {
        self.context.plugin_api()
    }

    fn execute(&self, task: I::BackgroundTask) {
        self.context.execute(task);
    }

    fn set_latency_samples(&self, samples: u32) {
        self.context.set_latency_samples(samples);
    }

    fn set_current_voice_capacity(&self, capacity: u32) {
        self.context.set_current_voice_capacity(capacity);
    }
}

impl<X, P, I> ProcessContext<I> for Forwarded<'_, X, P>
where
    X: ProcessContext<P>,
    P: Plugin<SysExMessage = (), BackgroundTask = I::BackgroundTask>,
    I: Plugin<SysExMessage = ()>,
{
    fn plugin_api(&self) -> PluginApi {
        self.context.plugin_api()
    }

    fn execute_background(&self, task: I::BackgroundTask) {
        self.context.execute_background(task);
    }

    fn execute_gui(&self, task: I::BackgroundTask) {
        self.context.execute_gui(task);
    }

    fn transport(&self) -> &Transport {
        &self.transport
    }

    fn next_event(&mut self) -> Option<PluginNoteEvent<I>> {
        self.context.next_event()
    }

    fn try_send_event(&mut self, event: PluginNoteEvent<I>) -> Result<(), (PluginNoteEvent<I>, SendEventError)> {
        self.context.try_send_event(event)
    }

    fn set_latency_samples(&self, samples: u32) {
        self.context.set_latency_samples(samples);
    }

    fn request_restart(&self) {
        self.context.request_restart();
    }

    fn set_current_voice_capacity(&self, capacity: u32) {
        self.context.set_current_voice_capacity(capacity);
    }
}
