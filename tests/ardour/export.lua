-- Opens the session saved by `play.lua` and exports it, with Play pressed by automation.
-- Arguments: report path, session folder, block size in samples, samples at which to press Play and to end.
local host = dofile (debug.getinfo (1, "S").source:match ("^@(.*/)") .. "host.lua")
local _, folder, block, press, last = table.unpack (arg)

host.BLOCK = tonumber (block)
local it = host.load (folder)
local play, points = host.automation (it.antiphon, "Play")
points:add (Temporal.timepos_t (0), 0, false, true)
points:add (Temporal.timepos_t (tonumber (press)), 1, false, true)
play:set_automation_state (ARDOUR.AutoState.Play)

local export = Session:simple_export ()
export:set_range (0, tonumber (last))
assert (export:run_export (), "Ardour did not export")
host.say_messages ("sent", it.sent)
host.close ()
