//! What was opened and closed is gone.

use std::fs;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use super::instance::{Format, Instance};
use super::{alone, wait_until, wait_until_drawn};

/// Openings, half of them in each format.
const OPENINGS: usize = 200;
/// Those after which what is made once is there: OpenGL's caches, nice-plug's threads.
const FIRST: usize = 4;

/// What an editor could leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    files: usize,
    windows: usize,
}

impl Held {
    fn now(server: &RustConnection) -> Self {
        let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
        let windows = server.setup().roots.iter().map(|screen| below(server, screen.root)).sum();
        Self { threads: entries("/proc/self/task"), files: entries("/proc/self/fd"), windows }
    }
}

/// The windows in a window. One may go while they are counted.
fn below(server: &RustConnection, window: Window) -> usize {
    let tree = server.query_tree(window).unwrap().reply();
    tree.map_or(0, |tree| tree.children.into_iter().map(|child| 1 + below(server, child)).sum())
}

fn open_and_close_again_and_again() {
    let (server, _) = x11rb::connect(None).unwrap();
    let mut instances = Format::ALL.map(Instance::loaded);
    let mut held = None;
    for opening in 0..OPENINGS {
        let instance = &mut instances[opening % 2];
        let stage = instance.open();
        wait_until_drawn(&stage);
        instance.close();
        drop(stage);
        match held {
            None if opening + 1 == FIRST => held = Some(Held::now(&server)),
            None => {}
            // The server takes a moment to clean up after a client that has gone.
            Some(held) => wait_until(&format!("after opening {opening} no more is held than {held:?}"), || Held::now(&server) == held),
        }
    }
}

#[test]
fn two_hundred_openings_leave_nothing_behind() {
    let test = "growth::two_hundred_openings_leave_nothing_behind";
    alone(test, (1200, 800), |_| (), open_and_close_again_and_again);
}
