//! An instance in either format, with its editor.

use antiphon_tests::host_window::HostWindow;
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
    /// The host owns the instance of the editor.
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

    /// An instance whose session is driven by the test.
    pub(crate) fn with_manual_session(format: Format) -> Self {
        match format {
            Format::Clap => Self::Clap(ClapHost::with_manual_session(Class::Instrument, Setup::default())),
            Format::Vst3 => Self::vst3(Vst3Host::with_manual_session(Class::Instrument, Setup::default())),
        }
    }

    fn vst3(host: Vst3Host) -> Self {
        Self::Vst3(host.editor().unwrap(), host)
    }

    /// Opens the editor in a window of the size it reports.
    pub(crate) fn open(&mut self) -> HostWindow {
        let open = |width, height| HostWindow::open("Host", width, height);
        match self {
            Self::Clap(host) => host
                .open_editor(|width, height| {
                    let host_window = open(width, height)?;
                    let window = host_window.window();
                    Ok((host_window, window))
                })
                .unwrap(),
            Self::Vst3(editor, _) => {
                let (width, height) = editor.size().unwrap();
                let host_window = open(width, height).unwrap();
                editor.open(host_window.window()).unwrap();
                host_window
            }
        }
    }

    pub(crate) fn close(&mut self) {
        match self {
            Self::Clap(host) => host.close_editor(),
            Self::Vst3(editor, _) => editor.close().unwrap(),
        }
    }

    /// Size reported by the editor, in pixels.
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

    /// Runs main-thread callbacks, as hosts do continuously while an editor is open.
    pub(crate) fn idle(&mut self) {
        if let Self::Clap(host) = self {
            host.idle();
        }
    }
}
