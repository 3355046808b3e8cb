"""A GTK 3 window that accepts files: prints its centre once it is a drop target, and the URIs dropped.

With --busy it blocks for a minute before it reports the drop as finished, like a DAW that imports.
"""

import sys
import time

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def report(*words):
    print(*words, flush=True)


def received(_widget, context, _x, _y, data, _info, now):
    for uri in data.get_uris():
        report("dropped", uri)
    if "--busy" in sys.argv:
        time.sleep(60)
    Gtk.drag_finish(context, True, False, now)


def ready(window):
    _, x, y = window.get_window().get_origin()
    width, height = window.get_size()
    report("ready", x + width // 2, y + height // 2)


window = Gtk.Window(title="Target")
window.set_default_size(200, 200)
window.move(400, 200)
window.drag_dest_set(Gtk.DestDefaults.ALL, [], Gdk.DragAction.COPY)
window.drag_dest_add_uri_targets()
window.connect("drag-data-received", received)
window.connect("map-event", lambda *_: GLib.timeout_add(200, ready, window) and False)
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
