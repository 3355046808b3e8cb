//! The plug-in linked into the test, with a session that the test drives, or with the real session under observation.
//!
//! Instances are created through nice-plug's own wrappers, as by the exported entry points. The session hands its ports to the thread that
//! activated the instance ([`take_ports`]), or the shared state the editor uses ([`take_observer`]).

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use antiphon_engine::session::SharedSnapshot;
use antiphon_engine::session::{CommandSender, SessionStatus};
use antiphon_plugin::class::{Instrument, NoteFx};
use antiphon_plugin::meters::Meters;
use antiphon_plugin::planning_session::{PlanningPorts, PlanningSession};
use antiphon_plugin::session::Session;
use antiphon_plugin::shell::Shell;
use antiphon_plugin::state::State;
use antiphon_plugin::vst3::Component;
use nice_plug::prelude::ClapPlugin;
use nice_plug::wrapper::clap::{
    CLAP_PLUGIN_FACTORY_ID, CLAP_VERSION, PluginDescriptor, Wrapper, clap_host, clap_plugin, clap_plugin_descriptor, clap_plugin_entry,
    clap_plugin_factory,
};
use parking_lot::Mutex;
use vst3::ComWrapper;
use vst3::Steinberg::Vst::IComponent;

use crate::Class;

thread_local! {
    static PORTS: RefCell<Option<PlanningPorts>> = const { RefCell::new(None) };
    static WAIT_COUNT: Cell<u32> = const { Cell::new(0) };
    static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
}

/// A session that hands its ports to the test.
pub struct ManualSession;

impl PlanningSession for ManualSession {
    fn spawn(ports: PlanningPorts) -> Self {
        PORTS.set(Some(ports));
        Self
    }

    fn wait_for(&mut self, _sent: u64) {
        WAIT_COUNT.set(WAIT_COUNT.get() + 1);
    }
}

/// Number of blocks that waited for a manual session, since the last call on this thread.
#[must_use]
pub fn take_wait_count() -> u32 {
    WAIT_COUNT.take()
}

/// The ports of the instance this thread activated last.
///
/// # Panics
/// If there is none, or they were taken.
#[must_use]
pub fn take_ports() -> PlanningPorts {
    PORTS.take().expect("an instance was activated on this thread")
}

/// State that an instance shares with the editor, and the session's progress.
pub struct Observer {
    /// The session's snapshots.
    pub snapshot: Arc<SharedSnapshot>,
    /// State saved with the project.
    pub state: Arc<State>,
    /// The audio thread's counters.
    pub meters: Arc<Meters>,
    /// The session's progress.
    pub status: Arc<Mutex<SessionStatus>>,
    /// The window's end of the command channel.
    pub commands: CommandSender,
}

/// The real session, which also hands out an [`Observer`].
pub struct ObservedSession {
    session: Session,
}

impl PlanningSession for ObservedSession {
    fn spawn(ports: PlanningPorts) -> Self {
        let (snapshot, state, meters) = (Arc::clone(&ports.snapshot), Arc::clone(&ports.state), Arc::clone(&ports.meters));
        let commands = ports.commands.sender();
        let session = Session::spawn(ports);
        OBSERVER.set(Some(Observer { snapshot, state, meters, status: session.status(), commands }));
        Self { session }
    }

    fn wait_for(&mut self, sent: u64) {
        self.session.wait_for(sent);
    }
}

/// The observer of the instance this thread activated last.
///
/// # Panics
/// If there is none, or it was taken.
#[must_use]
pub fn take_observer() -> Observer {
    OBSERVER.take().expect("an instance was activated on this thread")
}

/// The VST3 component of a class.
pub(crate) fn vst3_component<M: PlanningSession>(class: Class) -> vst3::ComPtr<IComponent> {
    let component = match class {
        Class::Instrument => ComWrapper::new(Component::<Shell<Instrument, M>>::new()).to_com_ptr(),
        Class::NoteFx => ComWrapper::new(Component::<Shell<NoteFx, M>>::new()).to_com_ptr(),
    };
    component.expect("the wrapper is a component")
}

/// The CLAP entry point for a class.
pub(crate) fn clap_entry<M: PlanningSession>(class: Class) -> &'static clap_plugin_entry {
    match class {
        Class::Instrument => Linked::<Shell<Instrument, M>>::ENTRY,
        Class::NoteFx => Linked::<Shell<NoteFx, M>>::ENTRY,
    }
}

/// An entry point with a single plug-in.
struct Linked<P>(std::marker::PhantomData<P>);

impl<P: ClapPlugin> Linked<P> {
    const ENTRY: &'static clap_plugin_entry =
        &clap_plugin_entry { clap_version: CLAP_VERSION, init: Some(init), deinit: Some(deinit), get_factory: Some(Self::factory) };

    const FACTORY: &'static clap_plugin_factory = &clap_plugin_factory {
        get_plugin_count: Some(count),
        get_plugin_descriptor: Some(Self::descriptor),
        create_plugin: Some(Self::create),
    };

    unsafe extern "C" fn factory(id: *const c_char) -> *const c_void {
        // SAFETY: CLAP passes a C string.
        let id = unsafe { CStr::from_ptr(id) };
        if id == CLAP_PLUGIN_FACTORY_ID { std::ptr::from_ref(Self::FACTORY).cast() } else { std::ptr::null() }
    }

    unsafe extern "C" fn descriptor(_factory: *const clap_plugin_factory, index: u32) -> *const clap_plugin_descriptor {
        if index != 0 {
            return std::ptr::null();
        }
        // CLAP requires it to live as long as the library; one leak per test is acceptable.
        Box::leak(Box::new(PluginDescriptor::for_plugin::<P>())).clap_plugin_descriptor()
    }

    unsafe extern "C" fn create(_factory: *const clap_plugin_factory, host: *const clap_host, _id: *const c_char) -> *const clap_plugin {
        // SAFETY: the host outlives its plug-ins. The wrapper's `destroy` takes back the reference released here.
        unsafe { (*Arc::into_raw(Wrapper::<P>::new(host))).clap_plugin.as_ptr() }
    }
}

unsafe extern "C" fn init(_path: *const c_char) -> bool {
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn count(_factory: *const clap_plugin_factory) -> u32 {
    1
}
