//! Opening and closing the editor leaks nothing.

use std::fs;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use super::instance::{Format, Instance};
use super::{in_child_process, wait_until, wait_until_drawn};

/// Number of openings, half of them in each format.
const OPENINGS: usize = 200;
/// Openings after which one-time resources exist: OpenGL's caches, nice-plug's threads.
const WARM_UP: usize = 4;

/// Resources an editor could leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Resources {
    threads: usize,
    files: usize,
    windows: usize,
}

impl Resources {
    fn now(server: &RustConnection) -> Self {
        let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
        let windows = server.setup().roots.iter().map(|screen| below(server, screen.root)).sum();
        Self { threads: entries("/proc/self/task"), files: entries("/proc/self/fd"), windows }
    }
}

/// Number of windows below a window. Windows may disappear while they are counted.
fn below(server: &RustConnection, window: Window) -> usize {
    let tree = server.query_tree(window).unwrap().reply();
    tree.map_or(0, |tree| tree.children.into_iter().map(|child| 1 + below(server, child)).sum())
}

fn open_and_close_again_and_again() {
    let (server, _) = x11rb::connect(None).unwrap();
    let mut instances = Format::ALL.map(Instance::loaded);
    let mut baseline = None;
    for opening in 0..OPENINGS {
        let instance = &mut instances[opening % 2];
        let host_window = instance.open();
        wait_until_drawn(&host_window);
        instance.close();
        drop(host_window);
        match baseline {
            None if opening + 1 == WARM_UP => baseline = Some(Resources::now(&server)),
            None => {}
            // The server takes a moment to clean up after a disconnected client.
            Some(baseline) => wait_until(&format!("after opening {opening} the resources are back to {baseline:?}"), || {
                Resources::now(&server) == baseline
            }),
        }
    }
}

#[test]
fn two_hundred_openings_leak_nothing() {
    let test = "leaks::two_hundred_openings_leak_nothing";
    in_child_process(test, (1200, 800), |_| (), open_and_close_again_and_again);
}
