//! The two plug-in classes: same engine and state, packaged as an instrument and as a note effect, since hosts route the two differently.

use nice_plug::prelude::{AudioIOLayout, ClapFeature, NonZeroU32, Vst3SubCategory};

/// What differs between the two classes.
///
/// Both have an audio output: Live and REAPER 6 reject or break plug-ins without one, and wrappers may never call `process()` on them.
pub trait Class: Send + 'static {
    /// Plug-in name shown by hosts.
    const NAME: &'static str;
    /// CLAP identifier. Must never change: projects store it.
    const CLAP_ID: &'static str;
    /// One line for the plug-in browser.
    const DESCRIPTION: &'static str;
    /// CLAP categories.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// VST3 class identifier. Must never change: projects store it.
    const VST3_CLASS_ID: [u8; 16];
    /// VST3 categories.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
    /// The only audio port layout.
    const AUDIO: &'static [AudioIOLayout];
    /// Whether the class has the preview synth, which is then on by default.
    const PREVIEW: bool;
}

/// Loaded in an instrument slot.
#[derive(Debug, Clone, Copy)]
pub struct Instrument;

/// Loaded as a note effect before an instrument.
#[derive(Debug, Clone, Copy)]
pub struct NoteFx;

impl Class for Instrument {
    const NAME: &'static str = "Antiphon";
    const CLAP_ID: &'static str = "org.antiphon.antiphon";
    const DESCRIPTION: &'static str = "Listens to your playing and always has the next phrase ready";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::Instrument, ClapFeature::NoteEffect];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonPhraseIn";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Instrument, Vst3SubCategory::Tools];
    const AUDIO: &'static [AudioIOLayout] =
        &[AudioIOLayout { main_input_channels: None, main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() }];
    const PREVIEW: bool = true;
}

impl Class for NoteFx {
    const NAME: &'static str = "Antiphon Note FX";
    const CLAP_ID: &'static str = "org.antiphon.antiphon-note-fx";
    const DESCRIPTION: &'static str = "Listens to your playing and always has the next phrase ready; audio goes through as it is";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::NoteEffect, ClapFeature::Utility];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonPhraseFx";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::Tools];
    const AUDIO: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: NonZeroU32::new(2),
        main_output_channels: NonZeroU32::new(2),
        ..AudioIOLayout::const_default()
    }];
    const PREVIEW: bool = false;
}
