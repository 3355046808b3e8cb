//! The editor as the program's window: closing it ends the program, and a signal closes it.

use std::error::Error;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_plugin::editor::window_thread::{AntiphonEditor, AntiphonHandle, AntiphonWindow, EguiLoop, WindowError, WindowLoop};
use antiphon_plugin::params::AntiphonParams;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{Editor, HostMethods, ParentWindowHandle, ResizeHint, SpawnedEditor};
use nice_plug_egui::baseview;

use crate::project;

/// Log target of nice-plug's message that its own signal handler was not installed. It logs nothing else.
pub(crate) const SIGNAL_HANDLER_LOG: &str = "nice_plug::wrapper::standalone::wrapper";

/// Interval at which an open window checks for closing.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Timeout for closing, and for a window that does not respond: if the JACK server is gone, the audio thread never ends.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Exit status that shells use for a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Whether a signal requested the end of the program.
static QUIT: AtomicBool = AtomicBool::new(false);

/// Closes the window on SIGINT or SIGTERM; a second signal ends the program at once. nice-plug's own handler would swallow the signal.
pub(crate) fn close_on_signals() {
    let handled = ctrlc::set_handler(|| {
        if QUIT.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        // On these systems a window cannot be closed from another thread.
        if cfg!(any(windows, target_os = "macos")) {
            project::save();
            process::exit(INTERRUPTED);
        }
    });
    if let Err(error) = handled {
        eprintln!("Ctrl-C will not close the window cleanly: {error}");
    }
}

/// The editor of the stand-alone program.
pub(crate) struct ProgramWindow {
    pub(crate) editor: AntiphonEditor,
    pub(crate) params: Arc<AntiphonParams>,
}

impl Editor for ProgramWindow {
    type Handle = AntiphonHandle<ProgramLoop>;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        project::attach(&self.params, &gui_context);
        let SpawnedEditor { handle, window } = self.editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)?;
        Ok(SpawnedEditor { handle: handle.run_by(), window })
    }

    fn size(&self) -> NativeSize<u32> {
        self.editor.size()
    }

    fn resize_hint(&self) -> ResizeHint {
        self.editor.resize_hint()
    }
}

/// Shows the window. A window closed before that no longer responds (baseview 0.4.2), which is no error.
fn show(window: &AntiphonWindow) -> Result<(), baseview::Error> {
    let began = Instant::now();
    let shown = window.show();
    while shown.is_err() && window.is_open() {
        if began.elapsed() > TIMEOUT {
            return shown;
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// The program's loop: it saves the project, and ends on a signal.
pub(crate) struct ProgramLoop;

impl WindowLoop for ProgramLoop {
    fn run(window: AntiphonWindow) -> Result<(), WindowError> {
        // On X11 the window has its own thread, so this one can watch for the end.
        if cfg!(not(any(windows, target_os = "macos"))) {
            show(&window)?;
            while window.is_open() && !QUIT.load(Ordering::Relaxed) {
                window.host_main_thread_callback();
                project::save_if_due();
                thread::sleep(POLL_INTERVAL);
            }
        }
        let closed = if QUIT.load(Ordering::Relaxed) {
            drop(window);
            Ok(())
        } else {
            EguiLoop::run(window)
        };
        project::save();
        thread::spawn(|| {
            thread::sleep(TIMEOUT);
            eprintln!("The audio server no longer responds; exiting without it.");
            process::exit(1);
        });
        closed
    }
}
