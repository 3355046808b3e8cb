-- Opens the session saved by `play.lua` and interrupts Antiphon while its plan plays, in every way a user can.
-- Arguments: report path, session folder, samples at which to press Play and at which the plan begins, samples per bar.
local host = dofile (debug.getinfo (1, "S").source:match ("^@(.*/)") .. "host.lua")
local _, folder, press, start, bar = table.unpack (arg)
press, start, bar = tonumber (press), tonumber (start), tonumber (bar)

local it = host.load (folder)

-- Has the plan played; returns while some of its keys are down.
local function press_play ()
	host.reach (press)
	host.set (it.antiphon, "Play", 1)
	host.reach (start)
	host.wait ("a note of the plan", function () return host.keys_down (it.sent) > 0 end)
end

-- Just before the last two bars of the region, where none of its notes is sounding.
local before = start - 2 * bar - host.RATE // 80

-- Plays these bars until the plan is sounding.
local function sound ()
	host.set (it.antiphon, "Play", 0)
	host.start_rolling (before)
	press_play ()
end

-- Lets this many samples be processed.
local function pass (samples)
	local now = host.processed (it.arrived)
	host.wait ("some blocks", function () return host.processed (it.arrived) >= now + samples end)
end

-- Marks an interruption, performs it, and lets half a second pass.
local function interrupt (what, act)
	host.mark (it, what)
	act ()
	pass (host.RATE // 2)
	host.mark (it, "after " .. what)
	if not Session:transport_stopped () then host.stop () end
	pass (host.RATE // 10)
	host.mark (it, "stopped after " .. what)
end

local function locate (sample)
	Session:request_locate (sample, false, ARDOUR.LocateTransportDisposition.MustRoll, ARDOUR.TransportRequestSource.TRS_UI)
end

-- The loop is the last bar of the region and one of the plan; its end cuts off sounding notes. It is played twice.
assert (Session:locations ():auto_loop_location (), "the session has no loop")
host.set (it.antiphon, "Play", 0)
host.start_rolling (before)
host.reach (start - 3 * bar // 2)
Session:request_play_loop (true, true)
press_play ()
interrupt ("loop", function () pass (4 * bar) end)
Session:request_play_loop (false, false)

sound ()
interrupt ("locate", function () locate (start + 6 * bar) end)

sound ()
interrupt ("bypass", function () it.antiphon:to_insert ():enable (false) end)
it.antiphon:to_insert ():enable (true)

sound ()
interrupt ("deactivation", function () it.antiphon:deactivate () end)
it.antiphon:activate ()

sound ()
interrupt ("removal", function () assert (it.player:remove_processor (it.antiphon, nil, true) == 0) end)

host.say_messages ("sent", it.sent)
host.say_messages ("arrived", it.arrived)
host.close ()
