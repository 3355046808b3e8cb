//! The plug-in linked into the test, with a musician that the test plays by hand, or with the real one looked over its shoulder.
//!
//! The instances are made through nice-plug's own wrappers, as the exported entry points make them. The musician leaves its seat to the
//! thread that activated the instance ([`take_seat`]), or what the editor sees of it ([`take_view`]).

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use antiphon_plugin::board::Board;
use antiphon_plugin::class::{Instrument, NoteFx};
use antiphon_plugin::meters::Meters;
use antiphon_plugin::musician::{Musician, Seat};
use antiphon_plugin::session::{Pace, Session};
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
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
    static WAITS: Cell<u32> = const { Cell::new(0) };
    static VIEW: RefCell<Option<View>> = const { RefCell::new(None) };
}

/// A musician that leaves its seat to the test.
pub struct ByHand;

impl Musician for ByHand {
    fn sit(seat: Seat) -> Self {
        SEAT.set(Some(seat));
        Self
    }

    fn attend(&mut self, _told: u64) {
        WAITS.set(WAITS.get() + 1);
    }
}

/// How many blocks were asked to wait for a musician that is played by hand, since this was asked on this thread.
#[must_use]
pub fn take_waits() -> u32 {
    WAITS.take()
}

/// The seat of the instance that this thread activated last.
///
/// # Panics
/// If there is none, or it was taken.
#[must_use]
pub fn take_seat() -> Seat {
    SEAT.take().expect("an instance was activated on this thread")
}

/// What the editor sees of an instance, and how its session fares.
pub struct View {
    /// What the musician shows.
    pub board: Arc<Board>,
    /// What the project keeps.
    pub state: Arc<State>,
    /// How the audio thread fares.
    pub meters: Arc<Meters>,
    /// How far the session has come.
    pub pace: Arc<Mutex<Pace>>,
}

/// The real musician, looked over its shoulder.
pub struct Watched {
    _session: Session,
}

impl Musician for Watched {
    fn sit(seat: Seat) -> Self {
        let (board, state, meters) = (Arc::clone(&seat.board), Arc::clone(&seat.state), Arc::clone(&seat.meters));
        let session = Session::sit(seat);
        VIEW.set(Some(View { board, state, meters, pace: session.pace() }));
        Self { _session: session }
    }
}

/// What the editor sees of the instance that this thread activated last.
///
/// # Panics
/// If there is none, or it was taken.
#[must_use]
pub fn take_view() -> View {
    VIEW.take().expect("an instance was activated on this thread")
}

/// The VST3 component of a class.
pub(crate) fn vst3_component<M: Musician>(class: Class) -> vst3::ComPtr<IComponent> {
    let component = match class {
        Class::Instrument => ComWrapper::new(Component::<Shell<Instrument, M>>::new()).to_com_ptr(),
        Class::NoteFx => ComWrapper::new(Component::<Shell<NoteFx, M>>::new()).to_com_ptr(),
    };
    component.expect("the wrapper is a component")
}

/// The CLAP entry point for a class.
pub(crate) fn clap_entry<M: Musician>(class: Class) -> &'static clap_plugin_entry {
    match class {
        Class::Instrument => Linked::<Shell<Instrument, M>>::ENTRY,
        Class::NoteFx => Linked::<Shell<NoteFx, M>>::ENTRY,
    }
}

/// An entry point with one plug-in.
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
        // SAFETY: CLAP passes a string.
        let id = unsafe { CStr::from_ptr(id) };
        if id == CLAP_PLUGIN_FACTORY_ID { std::ptr::from_ref(Self::FACTORY).cast() } else { std::ptr::null() }
    }

    unsafe extern "C" fn descriptor(_factory: *const clap_plugin_factory, index: u32) -> *const clap_plugin_descriptor {
        if index != 0 {
            return std::ptr::null();
        }
        // CLAP wants it to live as long as the library: one per test is little.
        Box::leak(Box::new(PluginDescriptor::for_plugin::<P>())).clap_plugin_descriptor()
    }

    unsafe extern "C" fn create(_factory: *const clap_plugin_factory, host: *const clap_host, _id: *const c_char) -> *const clap_plugin {
        // SAFETY: the host outlives its plug-ins. The wrapper's `destroy` takes back the reference that is let go of here.
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
