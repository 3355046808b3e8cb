//! The editor as nice-plug takes it, with a window that leaves no thread behind.
//!
//! On X11 a window has a thread of its own. baseview 0.4.2 means to join it when the window is dropped, but first asks it to show the window
//! once more; since the thread has just been told to stop, that mostly fails, and the thread is left to itself while it still takes OpenGL
//! down. egui-baseview 0.9.0 gives each window a clipboard, whose thread (x11-clipboard 0.9.3) nobody ever joins. A host that unloads the
//! library or ends as soon as it has closed the editor may then crash. So here the threads of a window are waited for. When both are mended,
//! this goes.

use std::error::Error;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{EditorHandle, HostMethods, SpawnedEditor};
use nice_plug::prelude::{Editor, Modifiers, ParentWindowHandle, ResizeHint, TrackInfo, VirtualKeyCode};
use nice_plug_egui::baseview;
use nice_plug_egui::{EguiEditor, EguiEditorHandle};
use parking_lot::Mutex;

use super::window::App;
use crate::os_thread::OsThread;

/// How long each thread may take to end. Then the host goes on without it: that is no worse than not to wait, and a host must not hang, not even
/// if the number of a thread that has ended was given to another one.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the host opens.
pub struct AntiphonEditor {
    egui: EguiEditor<App>,
    thread: Opening,
}

impl AntiphonEditor {
    /// nice-plug's editor, whose app notes here which thread its window has.
    pub(super) const fn new(egui: EguiEditor<App>, thread: Opening) -> Self {
        Self { egui, thread }
    }
}

impl Editor for AntiphonEditor {
    type Handle = AntiphonHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<AntiphonHandle>, Box<dyn Error>> {
        let spawned = self.egui.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host);
        // A window that could not be opened may have had a thread, too.
        let threads = self.thread.opened();
        let SpawnedEditor { handle, window } = spawned?;
        Ok(SpawnedEditor { handle: AntiphonHandle(handle), window: AntiphonWindow { window, threads } })
    }

    fn size(&self) -> NativeSize<u32> {
        self.egui.size()
    }

    fn resize_hint(&self) -> ResizeHint {
        self.egui.resize_hint()
    }

    fn track_info_updated(&self, info: TrackInfo) {
        self.egui.track_info_updated(info);
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller promises what is to be promised.
        unsafe { self.egui.assume_standalone_in_process() };
    }
}

/// The handle of an open window.
pub struct AntiphonHandle(EguiEditorHandle);

impl EditorHandle for AntiphonHandle {
    type Window = AntiphonWindow;
    type Error = baseview::Error;

    fn run_until_closed(window: AntiphonWindow) -> Result<(), baseview::Error> {
        let AntiphonWindow { window, threads } = window;
        let closed = EguiEditorHandle::run_until_closed(window);
        drop(threads);
        closed
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &AntiphonWindow) -> Result<(), baseview::Error> {
        self.0.set_parent(parent, window)
    }

    fn show(&self, window: &AntiphonWindow) -> Result<(), baseview::Error> {
        self.0.show(window)
    }

    fn hide(&self, window: &AntiphonWindow) -> Result<(), baseview::Error> {
        self.0.hide(window)
    }

    fn set_size(&self, size: NativeSize<u32>, window: &AntiphonWindow) -> Result<(), baseview::Error> {
        self.0.set_size(size, window)
    }

    fn host_main_thread_callback(&self, window: &AntiphonWindow) {
        self.0.host_main_thread_callback(window);
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &AntiphonWindow) -> Option<NativeSize<u32>> {
        self.0.adjust_size(size, window)
    }

    fn set_fallback_scale_factor(&self, factor: f64, window: &AntiphonWindow) -> Result<(), baseview::Error> {
        self.0.set_fallback_scale_factor(factor, window)
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.0.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.0.state_changed();
    }

    fn param_value_changed(&self, id: &str, value: f32) {
        self.0.param_value_changed(id, value);
    }

    fn param_modulation_changed(&self, id: &str, offset: f32) {
        self.0.param_modulation_changed(id, offset);
    }
}

/// An open window. When it has been dropped, its threads have ended.
pub struct AntiphonWindow {
    /// Dropped before the threads are waited for.
    window: baseview::Window,
    threads: Threads,
}

impl Deref for AntiphonWindow {
    type Target = baseview::Window;

    fn deref(&self) -> &baseview::Window {
        &self.window
    }
}

/// Where a window that is being opened says which thread it has: one at a time, since nice-plug opens them under a lock.
#[derive(Clone, Default)]
pub(super) struct Opening(Arc<Mutex<Option<OsThread>>>);

impl Opening {
    /// On the window's thread, before that starts others.
    pub(super) fn note(&self) {
        // Elsewhere than on X11 it is the host's.
        let thread = OsThread::current();
        if let Some(thread) = &thread {
            thread.mark();
        }
        *self.0.lock() = thread;
    }

    /// When the window has been opened: the threads it has.
    fn opened(&self) -> Threads {
        let thread = self.0.lock().take();
        // What OpenGL starts when the first frame is drawn is its own affair. The window is not shown yet.
        let mut threads = thread.as_ref().map(OsThread::family).unwrap_or_default();
        // It may not have taken the name.
        threads.extend(thread.filter(|thread| !threads.contains(thread)));
        Threads(threads)
    }
}

/// The threads of a window, waited for when this is dropped.
struct Threads(Vec<OsThread>);

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in &self.0 {
            thread.wait(PATIENCE);
        }
    }
}
