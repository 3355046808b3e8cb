//! The plug-in as nice-plug's program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use antiphon_plugin::class::Class;
use antiphon_plugin::shell::Shell;
use nice_plug::prelude::*;

use crate::backend::Time;
use crate::contexts::Forwarded;
use crate::project;
use crate::status::ReportingSession;
use crate::transport::correct;
use crate::window::ProgramWindow;

/// Whether nice-plug has created a program.
static MADE: AtomicBool = AtomicBool::new(false);

/// Whether a program was created, which requires working devices.
pub(crate) fn was_made() -> bool {
    MADE.load(Ordering::Relaxed)
}

/// The class as hosts load it.
type Inside<C> = Shell<C, ReportingSession>;

/// A class of the plug-in as a stand-alone program.
pub(crate) struct Program<C: Class>(Inside<C>);

impl<C: Class> Default for Program<C> {
    fn default() -> Self {
        MADE.store(true, Ordering::Relaxed);
        Self(Inside::default())
    }
}

impl<C: Class> Plugin for Program<C> {
    const NAME: &'static str = Inside::<C>::NAME;
    const VENDOR: &'static str = Inside::<C>::VENDOR;
    const URL: &'static str = Inside::<C>::URL;
    const EMAIL: &'static str = Inside::<C>::EMAIL;
    const VERSION: &'static str = Inside::<C>::VERSION;
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = Inside::<C>::AUDIO_IO_LAYOUTS;
    const MIDI_INPUT: MidiConfig = Inside::<C>::MIDI_INPUT;
    const MIDI_OUTPUT: MidiConfig = Inside::<C>::MIDI_OUTPUT;
    const SAMPLE_ACCURATE_AUTOMATION: bool = Inside::<C>::SAMPLE_ACCURATE_AUTOMATION;
    const INPUT_EVENT_CAPACITY: usize = Inside::<C>::INPUT_EVENT_CAPACITY;

    type Editor = ProgramWindow;
    type SysExMessage = ();
    type BackgroundTask = <Inside<C> as Plugin>::BackgroundTask;

    fn params(&self) -> Arc<dyn Params> {
        self.0.params()
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        // The plug-in has no tasks to run here.
        self.0
            .editor(AsyncExecutor::new(Arc::new(|_| ()), Arc::new(|_| ())))
            .map(|editor| ProgramWindow { editor, params: self.0.parameters() })
    }

    fn filter_state(chunk: &mut PluginState) {
        Inside::<C>::filter_state(chunk);
    }

    fn activate(&mut self, audio: &AudioIOLayout, config: &BufferConfig, context: &mut impl ActivateContext<Self>) -> bool {
        self.0.activate(audio, config, &mut Forwarded::<_, Self>::new(context, Transport::new(config.sample_rate)))
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        project::count_block();
        let transport = correct(context.transport(), Time::of_program());
        self.0.process(buffer, aux, &mut Forwarded::<_, Self>::new(context, transport))
    }

    fn deactivate(&mut self) {
        self.0.deactivate();
    }
}
