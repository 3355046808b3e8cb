-- Opens the session saved by `play.lua`, waits, then plays the region again.
-- Arguments: report path, session folder, samples at which to press Play and to stop.
local host = dofile (debug.getinfo (1, "S").source:match ("^@(.*/)") .. "host.lua")
local _, folder, press, last = table.unpack (arg)

local it = host.load (folder)
-- Two seconds of blocks with the transport stopped.
host.wait ("two seconds", function () return host.processed (it.sent) >= 2 * host.RATE end)
host.say_parameters (it.antiphon)
host.mark (it, "roll")
host.set (it.antiphon, "Play", 0)
host.start_rolling (0)
host.reach (tonumber (press))
host.set (it.antiphon, "Play", 1)
host.reach (tonumber (last))
host.stop ()
host.say_messages ("sent", it.sent)
host.save ()
host.close ()
