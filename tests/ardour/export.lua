-- Opens the session that `play.lua` left and plays or exports it, the Play parameter pressed by automation.
-- Arguments: report, the session's folder, "play" or "export", samples at which to press Play and to end.
local host = dofile (debug.getinfo (1, "S").source:match ("^@(.*/)") .. "host.lua")
local _, folder, way, press, last = table.unpack (arg)
press, last = tonumber (press), tonumber (last)

local it = host.load (folder)
local play, points = host.automation (it.antiphon, "Play")
points:add (Temporal.timepos_t (0), 0, false, true)
points:add (Temporal.timepos_t (press), 1, false, true)
play:set_automation_state (ARDOUR.AutoState.Play)

if way == "export" then
	local export = Session:simple_export ()
	export:set_range (0, last)
	assert (export:run_export (), "Ardour did not export")
else
	host.start_rolling (0)
	host.reach (last)
	host.stop ()
end
host.say_messages ("sent", it.sent)
host.close ()
