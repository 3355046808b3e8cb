-- Shared by the scenarios: a session with a player's track, Antiphon on it, and a track that records Antiphon's output.
-- Ardour's own `print` appears only when the program ends, so results go to a file, one per line.

local host = {}

host.RATE = 48000 -- samples a second
-- The plug-in's clock counts samples, so running at half speed gives a busy machine more time.
host.SPEED = "Half Speed"
host.BLOCK = 512 -- samples
local TICKS = 1920 -- in a quarter

local report = assert (io.open (assert (arg[1], "the first argument is the path of the report"), "w"))

-- Writes a line to the report, its fields separated by tabs.
function host.say (...)
	local words = {}
	for index, word in ipairs ({ ... }) do words[index] = tostring (word) end
	report:write (table.concat (words, "\t"), "\n")
	report:flush ()
end

-- Waits until `done` returns true; at most two minutes, longer than any scenario takes.
function host.wait (what, done)
	for _ = 1, 12000 do
		if done () then return end
		ARDOUR.LuaAPI.usleep (10000)
	end
	error ("waited in vain for " .. what)
end

-- Starts the transport at a sample.
function host.start_rolling (from)
	Session:request_locate (from, false, ARDOUR.LocateTransportDisposition.MustStop, ARDOUR.TransportRequestSource.TRS_UI)
	host.wait ("the playhead", function () return Session:transport_sample () == from end)
	Session:request_roll (ARDOUR.TransportRequestSource.TRS_UI)
end

-- Waits until the playhead has reached a sample.
function host.reach (sample)
	host.wait ("sample " .. sample, function () return Session:transport_sample () >= sample end)
end

function host.stop ()
	Session:request_stop (false, false, ARDOUR.TransportRequestSource.TRS_UI)
	host.wait ("the stop", function () return Session:transport_stopped () end)
	sleep (0.5) -- Ardour's butler thread puts away what was recorded.
end

-- Arms a track and the session for recording.
function host.arm (track)
	track:rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
	Session:maybe_enable_record (false)
end

function host.disarm (track)
	track:rec_enable_control ():set_value (0, PBD.GroupControlDisposition.NoGroup)
	Session:disable_record (false, true)
end

local function new_track (name)
	local midi = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
	local tracks = Session:new_midi_track (
		midi, midi, true, ARDOUR.PluginInfo (), nil, nil, 1, name, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
	-- Without the pause a processor is added to a route that is still being set up.
	sleep (1.5)
	return tracks:front ()
end

-- Sends a MIDI message out of a track.
local function send (track, ...)
	local bytes = C.ByteVector ():add ({ ... })
	assert (track:to_midi_track ():write_immediate_event (Evoral.EventType.MIDI_EVENT, 3, bytes:to_array ()))
end

-- Fills a region of a track with the notes of a file: channel, key, velocity, start and length in ticks, one note per line. Ardour's
-- scripts cannot create a region, so one is recorded, from a note that the track `source` sends, and its notes are replaced.
local function write_region (track, source, path, ticks)
	local input, output = track:input ():midi (0), source:output ():midi (0)
	assert (input:connect (output:name ()) == 0)
	host.arm (track)
	host.start_rolling (0)
	send (source, 0x90, 60, 64)
	host.reach (host.RATE // 4)
	send (source, 0x80, 60, 64)
	host.reach (host.RATE // 2)
	host.stop ()
	host.disarm (track)
	assert (input:disconnect (output:name ()) == 0)

	local region
	for recorded in track:playlist ():region_list ():iter () do region = recorded:to_midiregion () end
	assert (region, "Ardour recorded no region")
	region:set_length (Temporal.timecnt_t.from_ticks (ticks))
	local model = region:midi_source (0):model ()
	local command = model:new_note_diff_command ("Exchange the notes")
	for note in ARDOUR.LuaAPI.note_list (model):iter () do command:remove (note) end
	local beats = function (ticks) return Temporal.Beats (ticks // TICKS, ticks % TICKS) end
	for line in io.lines (path) do
		local channel, key, velocity, start, length = line:match ("(%d+) (%d+) (%d+) (%d+) (%d+)")
		command:add (ARDOUR.LuaAPI.new_noteptr (
			tonumber (channel), beats (tonumber (start)), beats (tonumber (length)), tonumber (key), tonumber (velocity)))
	end
	model:apply_command (Session, command)
end

-- Edits the tempo map.
local function edit_map (edit)
	local map = Temporal.TempoMap.write_copy ()
	edit (map)
	Temporal.TempoMap.update (map)
end

-- Sets metre ("7/8") and tempo (quarters per minute) of the song.
local function set_time (metre, tempo)
	local beats, value = metre:match ("(%d+)/(%d+)")
	local start, notes = Temporal.timepos_t.from_ticks (0), tempo * value / 4
	edit_map (function (map)
		map:set_tempo (Temporal.Tempo (notes, notes, tonumber (value)), start)
		map:set_meter (Temporal.Meter (tonumber (beats), tonumber (value)), start)
	end)
end

-- Adds a tempo ramp between two ticks.
function host.set_ramp (from, to, first, last)
	edit_map (function (map)
		local ramp = map:set_tempo (Temporal.Tempo (first, last, 4), Temporal.timepos_t.from_ticks (from))
		map:set_tempo (Temporal.Tempo (last, last, 4), Temporal.timepos_t.from_ticks (to))
		-- Ardour computes a ramp when it is set to ramped, provided a tempo follows.
		map:set_ramped (ramp, false)
		map:set_ramped (ramp, true)
	end)
end

-- Adds a probe behind a plug-in or at a track's input; it lists the MIDI messages that pass.
local function add_probe (track, index)
	local probe = ARDOUR.LuaAPI.new_plugin (Session, "Antiphon test probe", ARDOUR.PluginType.Lua, "")
	assert (not probe:isnil (), "Ardour does not list the probe")
	assert (track:add_processor_by_index (probe, index, nil, true) == 0)
	return probe
end

-- Creates a session in a metre and tempo: a track with a region of `ticks` length containing the notes of the file `notes`, with Antiphon
-- and a probe behind it; and a track that receives Antiphon's MIDI output, with a probe at its input.
function host.create (folder, metre, tempo, notes, ticks)
	local backend = AudioEngine:set_backend ("None (Dummy)", "Antiphon", "")
	assert (not backend:isnil (), "Ardour has no dummy back end")
	assert (backend:set_driver (host.SPEED) == 0 and backend:set_buffer_size (host.BLOCK) == 0)
	assert (create_session (folder, "session", host.RATE), "Ardour made no session")
	set_time (metre, tempo)
	local it = { player = new_track ("Player"), take = new_track ("Take") }
	write_region (it.player, it.take, notes, ticks)
	it.antiphon = ARDOUR.LuaAPI.new_plugin (Session, "Antiphon", ARDOUR.PluginType.VST3, "")
	assert (not it.antiphon:isnil (), "Ardour does not list Antiphon")
	assert (it.player:add_processor_by_index (it.antiphon, 0, nil, true) == 0)
	it.sent = add_probe (it.player, 1)
	it.arrived = add_probe (it.take, 0)
	assert (it.take:input ():midi (0):connect (it.player:output ():midi (0):name ()) == 0)
	-- Ardour plays tracks early by this many samples, to compensate for device latency.
	host.say ("early", it.player:playback_latency (false))
	return it
end

-- Loads a session that `create` made and `save` saved.
function host.load (folder)
	local backend = AudioEngine:set_backend ("None (Dummy)", "Antiphon", "")
	assert (not backend:isnil () and backend:set_driver (host.SPEED) == 0 and backend:set_buffer_size (host.BLOCK) == 0)
	assert (load_session (folder, "session"), "Ardour did not load the session")
	local player, take = Session:route_by_name ("Player"):to_track (), Session:route_by_name ("Take"):to_track ()
	host.say ("early", player:playback_latency (false))
	return { player = player, take = take, antiphon = player:nth_plugin (0), sent = player:nth_plugin (1), arrived = take:nth_plugin (0) }
end

function host.save ()
	assert (Session:save_state ("", false, false, false, false, false) == 0)
end

-- Ends the script; the report records that it completed.
function host.close ()
	host.say ("end")
	close_session ()
	quit ()
end

-- Calls `visit` with index and name of each of Antiphon's visible parameters.
local function each_parameter (antiphon, visit)
	local plugin = antiphon:to_insert ():plugin (0)
	for index = 0, plugin:parameter_count () - 1 do
		local name = plugin:parameter_label (index)
		if name ~= "hidden" then visit (index, name) end
	end
end

-- The control and the automation list of a parameter, found by name.
function host.automation (antiphon, wanted)
	local list, control
	each_parameter (antiphon, function (index, name)
		if name ~= wanted then return end
		local _, points = ARDOUR.LuaAPI.plugin_automation (antiphon, index)
		local parameter = Evoral.Parameter (ARDOUR.AutomationType.PluginAutomation, 0, antiphon:to_insert ():plugin (0):nth_parameter (index, true))
		list, control = points, antiphon:to_automatable ():automation_control (parameter, true)
	end)
	return assert (control), list
end

-- Sets a parameter, found by name.
function host.set (antiphon, wanted, value)
	local done
	each_parameter (antiphon, function (index, name)
		if name == wanted then done = ARDOUR.LuaAPI.set_processor_param (antiphon, index, value) end
	end)
	assert (done, "Antiphon does not take " .. value .. " for " .. wanted)
end

function host.say_parameters (antiphon)
	each_parameter (antiphon, function (index, name)
		host.say ("parameter", name, (ARDOUR.LuaAPI.get_processor_param (antiphon, index, true)))
	end)
end

-- Reports the notes a track recorded, in quarters:ticks of the song.
function host.say_notes (track)
	for region in track:playlist ():region_list ():iter () do
		local from = region:position ():beats () - region:start ():beats ()
		for note in ARDOUR.LuaAPI.note_list (region:to_midiregion ():midi_source (0):model ()):iter () do
			host.say ("note", note:channel (), note:note (), note:velocity (), note:time () + from, note:length ())
		end
	end
end

-- Removes what a track recorded.
function host.clear (track)
	local playlist, recorded = track:playlist (), {}
	for region in playlist:region_list ():iter () do recorded[#recorded + 1] = region end
	for _, region in ipairs (recorded) do playlist:remove_region (region) end
end

-- Layout of the probe's memory; see `probe.lua`.
local HEADER, FIELDS = 2, 3

local function memory (probe)
	return probe:to_insert ():plugin (0):to_luaproc ():shmem ()
end

-- Samples that a probe has processed.
function host.processed (probe)
	return memory (probe):atomic_get_int (1)
end

-- Reports an event, with the number of samples each probe had processed by then.
function host.mark (it, what)
	host.say ("mark", what, host.processed (it.sent), host.processed (it.arrived))
end

-- Number of keys down, as seen by a probe.
function host.keys_down (probe)
	local memory, down, count = memory (probe), {}, 0
	local field = memory:to_int (HEADER):array ()
	for index = 0, memory:atomic_get_int (0) - 1 do
		local packed = field[index * FIELDS + 3]
		local kind, key = packed >> 4 & 15, (packed & 15) << 7 | packed >> 8 & 127
		if kind == 9 then down[key] = true elseif kind == 8 then down[key] = nil end
	end
	for _ in pairs (down) do count = count + 1 end
	return count
end

-- Reports the messages a probe saw: sample of processing, sample of the song, three bytes.
function host.say_messages (label, probe)
	local memory = memory (probe)
	local count, field = memory:atomic_get_int (0), memory:to_int (HEADER):array ()
	host.say ("probe", label, count, memory:atomic_get_int (1))
	for index = 0, count - 1 do
		local processed, song, packed = field[index * FIELDS + 1], field[index * FIELDS + 2], field[index * FIELDS + 3]
		host.say ("message", label, processed, song, packed & 255, packed >> 8 & 255, packed >> 16 & 255)
	end
end

return host
