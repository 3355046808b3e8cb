//! An instance in either format, and its editor.

use antiphon_tests::stage::Stage;
use antiphon_tests::{ClapHost, Class, Setup, Vst3Editor, Vst3Host};

/// A plug-in format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Clap, Self::Vst3];
}

/// An instance in its host.
pub(crate) enum Instance {
    Clap(ClapHost),
    /// The host keeps the instance that the editor is of.
    Vst3(Vst3Editor, #[expect(dead_code, reason = "kept for as long as its editor")] Vst3Host),
}

impl Instance {
    /// From the built library.
    pub(crate) fn loaded(format: Format) -> Self {
        match format {
            Format::Clap => Self::Clap(ClapHost::loaded(Class::Instrument, Setup::default())),
            Format::Vst3 => Self::vst3(Vst3Host::loaded(Class::Instrument, Setup::default())),
        }
    }

    /// One whose musician the test plays.
    pub(crate) fn by_hand(format: Format) -> Self {
        match format {
            Format::Clap => Self::Clap(ClapHost::by_hand(Class::Instrument, Setup::default())),
            Format::Vst3 => Self::vst3(Vst3Host::by_hand(Class::Instrument, Setup::default())),
        }
    }

    fn vst3(host: Vst3Host) -> Self {
        Self::Vst3(host.editor().unwrap(), host)
    }

    /// Opens the editor in a window of the size that it says.
    pub(crate) fn open(&mut self) -> Stage {
        let open = |width, height| Stage::open("Host", width, height);
        match self {
            Self::Clap(host) => host
                .open_editor(|width, height| {
                    let stage = open(width, height)?;
                    let window = stage.window();
                    Ok((stage, window))
                })
                .unwrap(),
            Self::Vst3(editor, _) => {
                let (width, height) = editor.size().unwrap();
                let stage = open(width, height).unwrap();
                editor.open(stage.window()).unwrap();
                stage
            }
        }
    }

    pub(crate) fn close(&mut self) {
        match self {
            Self::Clap(host) => host.close_editor(),
            Self::Vst3(editor, _) => editor.close().unwrap(),
        }
    }

    /// How large the editor says it is, in pixels.
    pub(crate) fn size(&mut self) -> (u32, u32) {
        match self {
            Self::Clap(host) => host.editor_size().unwrap(),
            Self::Vst3(editor, _) => editor.size().unwrap(),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "VST3's scales are f32")]
    pub(crate) fn set_scale(&mut self, scale: f64) {
        match self {
            Self::Clap(host) => host.scale_editor(scale).unwrap(),
            Self::Vst3(editor, _) => editor.set_scale(scale as f32).unwrap(),
        }
    }

    pub(crate) fn resize(&mut self, size: (u32, u32)) {
        match self {
            Self::Clap(host) => host.resize_editor(size).unwrap(),
            Self::Vst3(editor, _) => editor.resize(size).unwrap(),
        }
    }

    /// What hosts do all the time while an editor is open.
    pub(crate) fn idle(&mut self) {
        if let Self::Clap(host) = self {
            host.idle();
        }
    }
}
