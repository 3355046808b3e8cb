-- Plays the region to Antiphon, presses Play before the region ends, and records Antiphon's output.
-- Arguments: report path, session folder, metre, tempo, note file, ticks of the region, samples at which to press Play and to stop; for a
-- tempo ramp also its first and last tick and its final tempo.
local host = dofile (debug.getinfo (1, "S").source:match ("^@(.*/)") .. "host.lua")
local _, folder, metre, tempo, notes, ticks, press, last, ramp_from, ramp_to, ramp_tempo = table.unpack (arg)

local it = host.create (folder, metre, tonumber (tempo), notes, tonumber (ticks))
if ramp_from then host.set_ramp (tonumber (ramp_from), tonumber (ramp_to), tonumber (tempo), tonumber (ramp_tempo)) end
-- None has its default value, so that a project which loses its settings is noticed.
host.set (it.antiphon, "Seed", 7)
host.set (it.antiphon, "Bars ahead", 5)
host.set (it.antiphon, "Adventurousness", 0.25)
host.set (it.antiphon, "Preview sound", 0)
host.arm (it.take)
host.start_rolling (0)
host.reach (tonumber (press))
host.set (it.antiphon, "Play", 1)
host.reach (tonumber (last))
host.stop ()
host.disarm (it.take)
host.say_parameters (it.antiphon)
host.say_notes (it.take)
host.say_messages ("sent", it.sent)
host.clear (it.take) -- Otherwise what it plays is among what arrives there.
host.save ()
host.close ()
