//! The two classes of the library: the same engine and state, in the two shapes hosts know how to route.

use nice_plug::prelude::{AudioIOLayout, ClapFeature, NonZeroU32, Vst3SubCategory};

/// What tells the two classes apart.
///
/// Neither is without audio output: Live and REAPER 6 refuse or break such a plug-in, and a host's wrapper then never calls it.
pub trait Class: Send + 'static {
    /// The name hosts list.
    const NAME: &'static str;
    /// The identifier in CLAP; never changes.
    const CLAP_ID: &'static str;
    /// One line for the plug-in browser.
    const DESCRIPTION: &'static str;
    /// Where CLAP hosts list it.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// The identifier in VST3; never changes.
    const VST3_CLASS_ID: [u8; 16];
    /// Where VST3 hosts list it.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
    /// Its one arrangement of audio ports.
    const AUDIO: &'static [AudioIOLayout];
    /// Whether it has a sound of its own, which is on until the player says otherwise.
    const PREVIEW: bool;
}

/// Sits where an instrument sits.
#[derive(Debug, Clone, Copy)]
pub struct Instrument;

/// Sits in front of an instrument.
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
