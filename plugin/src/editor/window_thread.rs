//! The editor as nice-plug takes it, with a window that leaves no thread behind.
//!
//! On X11 a window has a thread of its own. baseview 0.4.2 means to join it when the window is dropped, but first asks it to show the window
//! once more; since the thread has just been told to stop, that mostly fails, and the thread is left to itself while it still takes OpenGL
//! down. egui-baseview 0.9.0 gives each window a clipboard, whose thread (x11-clipboard 0.9.3) nobody ever joins. A host that unloads the
//! library or ends as soon as it has closed the editor may then crash. So here the threads of a window are waited for. When both are mended,
//! this goes.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{NativeSize, Size};
use nice_plug::editor::{EditorHandle, HostCallbacks, HostMethods, SpawnedEditor};
use nice_plug::prelude::{Editor, Modifiers, ParentWindowHandle, ResizeHint, TrackInfo, VirtualKeyCode};
use nice_plug_egui::{EguiEditorHandle, baseview};
use parking_lot::Mutex;

use super::sizing::{self, Sizing, Unusable};
use super::window::{Opener, Place, RESIZE_HINT};
use crate::os_thread::OsThread;

/// How long each thread may take to end. Then the host goes on without it: that is no worse than not to wait, and a host must not hang, not even
/// if the number of a thread that has ended was given to another one.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the host opens.
pub struct AntiphonEditor {
    opener: Opener,
    sizing: Sizing,
    thread: Opening,
    is_open: Arc<AtomicBool>,
}

impl AntiphonEditor {
    /// An editor whose windows note in `thread` which thread they have.
    pub(super) fn new(opener: Opener, sizing: Sizing, thread: Opening) -> Self {
        Self { opener, sizing, thread, is_open: Arc::default() }
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
        // What the wrapper remembers is what the last window was told.
        self.sizing.look_at_screen();
        let place = if parent.is_some() || wait_for_parent { Place::InHost } else { Place::OnScreen };
        let (is_embedded, opening) = (parent.is_some(), self.sizing.opening());
        let (host, callbacks) = host.map(share).unzip();
        let egui = self.opener.prepare(opening, place)?;
        let scale = opening.fallback_scale.or(fallback_scale_factor);
        let spawned = egui.spawn(parent, wait_for_parent, scale, gui_context, host);
        // A window that could not be opened may have had a thread, too.
        let threads = self.thread.opened();
        let SpawnedEditor { handle, window } = spawned?;
        let size = window.size();
        self.sizing.note(size.physical, size.scale_factor);
        self.is_open.store(true, Ordering::Relaxed);
        let handle = AntiphonHandle { egui: handle, sizing: self.sizing.clone() };
        let is_open = IsOpen(Arc::clone(&self.is_open));
        let window = AntiphonWindow { window, callbacks, is_embedded: is_embedded.into(), _is_open: is_open, threads };
        Ok(SpawnedEditor { handle, window })
    }

    fn size(&self) -> NativeSize<u32> {
        if !self.is_open.load(Ordering::Relaxed) {
            self.sizing.look_at_screen();
        }
        self.sizing.native()
    }

    fn resize_hint(&self) -> ResizeHint {
        RESIZE_HINT
    }

    fn track_info_updated(&self, _info: TrackInfo) {}

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller promises what is to be promised.
        unsafe { baseview::assume_standalone_in_process() };
    }
}

/// The handle of an open window.
pub struct AntiphonHandle {
    egui: EguiEditorHandle,
    sizing: Sizing,
}

/// Why a window does not do what the host asks for.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The windowing system, or the window's thread.
    #[error(transparent)]
    Window(#[from] baseview::Error),
    /// The host.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl AntiphonHandle {
    /// Gives the window this size. Unless it has it already, it is drawn anew.
    fn resize(&self, size: NativeSize<u32>, window: &AntiphonWindow) -> Result<(), WindowError> {
        sizing::check(size)?;
        self.egui.set_size(size, &window.window)?;
        // baseview draws a window that has grown.
        self.egui.state_changed();
        Ok(())
    }
}

impl EditorHandle for AntiphonHandle {
    type Window = AntiphonWindow;
    type Error = WindowError;

    fn run_until_closed(window: AntiphonWindow) -> Result<(), WindowError> {
        let AntiphonWindow { window, threads, .. } = window;
        let closed = EguiEditorHandle::run_until_closed(window);
        drop(threads);
        Ok(closed?)
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &AntiphonWindow) -> Result<(), WindowError> {
        self.egui.set_parent(parent, window)?;
        window.is_embedded.set(true);
        Ok(())
    }

    fn show(&self, window: &AntiphonWindow) -> Result<(), WindowError> {
        Ok(self.egui.show(window)?)
    }

    fn hide(&self, window: &AntiphonWindow) -> Result<(), WindowError> {
        Ok(self.egui.hide(window)?)
    }

    fn set_size(&self, size: NativeSize<u32>, window: &AntiphonWindow) -> Result<(), WindowError> {
        self.resize(size, window)
    }

    fn host_main_thread_callback(&self, window: &AntiphonWindow) {
        self.egui.host_main_thread_callback(window);
    }

    /// At the scale that is in force, which baseview does not know.
    fn adjust_size(&self, size: NativeSize<u32>, _window: &AntiphonWindow) -> Option<NativeSize<u32>> {
        Some(RESIZE_HINT.adjust_size(size, self.sizing.native(), self.sizing.scale()))
    }

    /// A larger scale makes a larger window: the host is asked for it, once it has one to enlarge.
    fn set_fallback_scale_factor(&self, factor: f64, window: &AntiphonWindow) -> Result<(), WindowError> {
        self.sizing.set_host_scale(factor)?;
        let size = self.sizing.native();
        self.egui.set_fallback_scale_factor(factor, &window.window)?;
        self.resize(size, window)?;
        window.ask_host_for(size, self.sizing.scale());
        Ok(())
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.egui.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.egui.state_changed();
    }

    fn param_value_changed(&self, id: &str, value: f32) {
        self.egui.param_value_changed(id, value);
    }

    fn param_modulation_changed(&self, id: &str, offset: f32) {
        self.egui.param_modulation_changed(id, offset);
    }
}

/// An open window. When it has been dropped, its threads have ended.
pub struct AntiphonWindow {
    /// Dropped before the threads are waited for.
    window: baseview::Window,
    /// `None` without a host.
    callbacks: Option<Callbacks>,
    /// Whether it lies in a window of the host's.
    is_embedded: Cell<bool>,
    _is_open: IsOpen,
    threads: Threads,
}

impl AntiphonWindow {
    /// Asks the host to give the editor this room. One that does not shows what there is room for.
    fn ask_host_for(&self, size: NativeSize<u32>, scale: f64) {
        let Some(callbacks) = self.callbacks.as_ref().filter(|_| self.is_embedded.get()) else { return };
        // A host may answer by asking back; then it knows already.
        if let Ok(mut callbacks) = callbacks.0.try_borrow_mut() {
            let _ = callbacks.request_resize(size.into(), scale);
        }
    }
}

impl Deref for AntiphonWindow {
    type Target = baseview::Window;

    fn deref(&self) -> &baseview::Window {
        &self.window
    }
}

/// The host's callbacks, for baseview and for ourselves. Of the host's main thread.
#[derive(Clone)]
struct Callbacks(Rc<RefCell<Box<dyn HostCallbacks>>>);

impl HostCallbacks for Callbacks {
    fn request_resize(&mut self, size: Size, scale: f64) -> Result<(), Box<dyn Error>> {
        self.0.try_borrow_mut()?.request_resize(size, scale)
    }

    fn destroyed(&mut self) {
        if let Ok(mut callbacks) = self.0.try_borrow_mut() {
            callbacks.destroyed();
        }
    }
}

/// The host's methods as baseview takes them, and its callbacks once more.
fn share(host: HostMethods) -> (HostMethods, Callbacks) {
    let callbacks = Callbacks(Rc::new(RefCell::new(host.callbacks)));
    (HostMethods { callbacks: Box::new(callbacks.clone()), ..host }, callbacks)
}

/// Says that no window is open any more when this is dropped.
struct IsOpen(Arc<AtomicBool>);

impl Drop for IsOpen {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
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
