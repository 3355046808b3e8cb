//! The editor as nice-plug takes it, with a window that leaves no threads behind.
//!
//! On X11 a window has a thread of its own. baseview 0.4.2 tries to join it when the window is dropped, but first asks it to show the
//! window once more; since the thread was just told to stop, that usually fails, and the thread is detached while it still shuts OpenGL
//! down. egui-baseview 0.9.0 gives each window a clipboard, whose thread (x11-clipboard 0.9.3) is never joined. A host that unloads the
//! library or exits right after closing the editor may then crash. So this module waits for the threads of a window. Remove it when both
//! are fixed.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::marker::PhantomData;
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

use super::sizing::{self, InvalidSize, Sizing};
use super::window::{Place, RESIZE_HINT, WindowFactory};
use crate::os_thread::OsThread;

/// How long to wait for each thread. After that the host continues without it: no worse than not waiting, and a host must not hang, not
/// even if the thread's id was reused.
const THREAD_TIMEOUT: Duration = Duration::from_secs(5);

/// The editor that the host opens.
pub struct AntiphonEditor {
    factory: WindowFactory,
    sizing: Sizing,
    thread: WindowThread,
    is_open: Arc<AtomicBool>,
}

impl AntiphonEditor {
    /// An editor whose windows record their thread in `thread`.
    pub(super) fn new(factory: WindowFactory, sizing: Sizing, thread: WindowThread) -> Self {
        Self { factory, sizing, thread, is_open: Arc::default() }
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
        // The wrapper remembers the size of the last window.
        self.sizing.read_settings();
        let place = if parent.is_some() || wait_for_parent { Place::InHost } else { Place::OnScreen };
        let (is_embedded, options) = (parent.is_some(), self.sizing.window_options());
        let (host, callbacks) = host.map(share).unzip();
        let egui = self.factory.prepare(options, place)?;
        let scale = options.fallback_scale.or(fallback_scale_factor);
        let spawned = egui.spawn(parent, wait_for_parent, scale, gui_context, host);
        // Also for a window that failed to open.
        let threads = self.thread.opened();
        let SpawnedEditor { handle, window } = spawned?;
        let size = window.size();
        self.sizing.window_resized(size.physical, size.scale_factor);
        self.is_open.store(true, Ordering::Relaxed);
        let handle = AntiphonHandle { egui: handle, sizing: self.sizing.clone(), window_loop: PhantomData };
        let is_open = IsOpen(Arc::clone(&self.is_open));
        let window = AntiphonWindow { window, callbacks, is_embedded: is_embedded.into(), _is_open: is_open, threads };
        Ok(SpawnedEditor { handle, window })
    }

    fn size(&self) -> NativeSize<u32> {
        if !self.is_open.load(Ordering::Relaxed) {
            self.sizing.read_settings();
        }
        self.sizing.native()
    }

    fn resize_hint(&self) -> ResizeHint {
        RESIZE_HINT
    }

    fn track_info_updated(&self, _info: TrackInfo) {}

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller's contract is the same.
        unsafe { baseview::assume_standalone_in_process() };
    }
}

/// What runs a window that no host embeds, until it is closed.
pub trait WindowLoop: 'static {
    /// Shows the window and returns once it is closed.
    ///
    /// # Errors
    /// If the window system fails.
    fn run(window: AntiphonWindow) -> Result<(), WindowError>;
}

/// The loop of egui's own window.
pub struct EguiLoop;

impl WindowLoop for EguiLoop {
    fn run(window: AntiphonWindow) -> Result<(), WindowError> {
        let AntiphonWindow { window, threads, .. } = window;
        let closed = EguiEditorHandle::run_until_closed(window);
        drop(threads);
        Ok(closed?)
    }
}

/// Handle of an open window.
pub struct AntiphonHandle<L: WindowLoop = EguiLoop> {
    egui: EguiEditorHandle,
    sizing: Sizing,
    window_loop: PhantomData<fn() -> L>,
}

/// Why a window did not do what the host requested.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The window system, or the window's thread.
    #[error(transparent)]
    Window(#[from] baseview::Error),
    /// A request out of range.
    #[error(transparent)]
    InvalidSize(#[from] InvalidSize),
}

impl<L: WindowLoop> AntiphonHandle<L> {
    /// The handle of a window that another loop runs.
    pub fn run_by<M: WindowLoop>(self) -> AntiphonHandle<M> {
        AntiphonHandle { egui: self.egui, sizing: self.sizing, window_loop: PhantomData }
    }

    /// Resizes the window, and redraws it if the size changed.
    fn resize(&self, size: NativeSize<u32>, window: &AntiphonWindow) -> Result<(), WindowError> {
        sizing::check(size)?;
        self.egui.set_size(size, &window.window)?;
        // baseview draws a window that has grown.
        self.egui.state_changed();
        Ok(())
    }
}

impl<L: WindowLoop> EditorHandle for AntiphonHandle<L> {
    type Window = AntiphonWindow;
    type Error = WindowError;

    fn run_until_closed(window: AntiphonWindow) -> Result<(), WindowError> {
        L::run(window)
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

    /// Uses the actual scale, which baseview does not know.
    fn adjust_size(&self, size: NativeSize<u32>, _window: &AntiphonWindow) -> Option<NativeSize<u32>> {
        Some(RESIZE_HINT.adjust_size(size, self.sizing.native(), self.sizing.scale()))
    }

    /// A larger scale needs a larger window, so the host is asked to resize its own.
    fn set_fallback_scale_factor(&self, factor: f64, window: &AntiphonWindow) -> Result<(), WindowError> {
        self.sizing.set_host_scale(factor)?;
        let size = self.sizing.native();
        self.egui.set_fallback_scale_factor(factor, &window.window)?;
        self.resize(size, window)?;
        window.request_host_size(size, self.sizing.scale());
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

/// An open window. Dropping it waits for its threads.
pub struct AntiphonWindow {
    /// Dropped before `threads` waits.
    window: baseview::Window,
    /// `None` without a host.
    callbacks: Option<Callbacks>,
    /// Whether it is embedded in a host window.
    is_embedded: Cell<bool>,
    _is_open: IsOpen,
    threads: Threads,
}

impl AntiphonWindow {
    /// Asks the host for this size. If it refuses, the editor is clipped.
    fn request_host_size(&self, size: NativeSize<u32>, scale: f64) {
        let Some(callbacks) = self.callbacks.as_ref().filter(|_| self.is_embedded.get()) else { return };
        // A host that answers by calling back already knows the size.
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

/// The host's callbacks, shared by baseview and this module. Main thread only.
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

/// The host's methods for baseview, and a second handle on its callbacks.
fn share(host: HostMethods) -> (HostMethods, Callbacks) {
    let callbacks = Callbacks(Rc::new(RefCell::new(host.callbacks)));
    (HostMethods { callbacks: Box::new(callbacks.clone()), ..host }, callbacks)
}

/// Marks the window as closed when dropped.
struct IsOpen(Arc<AtomicBool>);

impl Drop for IsOpen {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Records the thread of the window being opened. One at a time, since nice-plug opens windows under a lock.
#[derive(Clone, Default)]
pub(super) struct WindowThread(Arc<Mutex<Option<OsThread>>>);

impl WindowThread {
    /// Called on the window's thread, before it starts others.
    pub(super) fn record(&self) {
        // Except on X11 that is the host's thread.
        let thread = OsThread::current();
        if let Some(thread) = &thread {
            thread.mark();
        }
        *self.0.lock() = thread;
    }

    /// The window's threads, once it is open.
    fn opened(&self) -> Threads {
        let thread = self.0.lock().take();
        // Threads that OpenGL starts with the first frame are not ours. The window is not shown yet.
        let mut threads = thread.as_ref().map(OsThread::with_descendants).unwrap_or_default();
        // The rename may have failed.
        threads.extend(thread.filter(|thread| !threads.contains(thread)));
        Threads(threads)
    }
}

/// Threads of a window; dropping this waits for them.
struct Threads(Vec<OsThread>);

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in &self.0 {
            thread.wait(THREAD_TIMEOUT);
        }
    }
}
