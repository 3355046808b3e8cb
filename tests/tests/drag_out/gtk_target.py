"""A GTK 3 window that takes files: says where it is when it can be dropped on, and what is dropped.

With --busy it works on what it got, as a DAW that imports, and does not say for a minute that it has finished.
"""

import sys
import time

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def say(*words):
    print(*words, flush=True)


def received(_widget, context, _x, _y, data, _info, now):
    for uri in data.get_uris():
        say("dropped", uri)
    if "--busy" in sys.argv:
        time.sleep(60)
    Gtk.drag_finish(context, True, False, now)


def ready(window):
    _, x, y = window.get_window().get_origin()
    width, height = window.get_size()
    say("ready", x + width // 2, y + height // 2)


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
