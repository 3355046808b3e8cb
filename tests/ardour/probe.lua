-- Records every MIDI message that passes on a track, for the test to read afterwards.
ardour {
	["type"]    = "dsp",
	name        = "Antiphon test probe",
	category    = "Utility",
	license     = "MIT",
	author      = "The Antiphon developers",
	description = [[Passes everything on and keeps a list of the MIDI messages in shared memory]],
}

-- The memory, in 32-bit integers: a header, then the messages. `host.lua` reads it.
local HEADER = 2        -- messages so far; samples processed so far
local FIELDS = 3        -- sample of processing; sample of the song; the bytes, the first lowest
local CAPACITY = 16384  -- messages; what comes after is counted and not kept

local outputs

function dsp_ioconfig ()
	return { { midi_in = 1, midi_out = 1, audio_in = -1, audio_out = -1 } }
end

function dsp_init (rate)
	self:shmem ():allocate (HEADER + FIELDS * CAPACITY)
	self:shmem ():atomic_set_int (0, 0)
	self:shmem ():atomic_set_int (1, 0)
end

function dsp_configure (ins, outs)
	outputs = outs
end

function dsp_runmap (bufs, in_map, out_map, n_samples, offset)
	ARDOUR.DSP.process_map (bufs, outputs, in_map, out_map, n_samples, offset)
	local memory = self:shmem ()
	local count = memory:atomic_get_int (0)
	local processed = memory:atomic_get_int (1)
	local input = in_map:get (ARDOUR.DataType ("midi"), 0)
	if input ~= ARDOUR.ChanMapping.Invalid then
		local song = Session:transport_sample ()
		local field = memory:to_int (HEADER):array ()
		for _, event in pairs (bufs:get_midi (input):table ()) do
			-- Ardour may run a plug-in for parts of a block. Each part has the messages of the whole block, timed from its start.
			local time = event:time () - offset
			if 0 <= time and time < n_samples then
				if count < CAPACITY then
					local bytes, packed = event:buffer ():array (), 0
					for index = math.min (event:size (), 3), 1, -1 do
						packed = packed << 8 | bytes[index]
					end
					field[count * FIELDS + 1] = processed + time
					field[count * FIELDS + 2] = song + event:time ()
					field[count * FIELDS + 3] = packed
				end
				count = count + 1
			end
		end
	end
	memory:atomic_set_int (0, count)
	memory:atomic_set_int (1, processed + n_samples)
end
