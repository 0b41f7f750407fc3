-- Run by wrk for every cell (wrk.cc starts it): writes what wrk counted to the file that is named in
-- ARCHBENCH_WRK_REPORT. A response() would slow the generator down, so there is none; request() is
-- defined only when ARCHBENCH_WRK_MIX has something to draw from.
--
-- The latencies written here are the corrected ones, as wrk hands them out; wrk.cc undoes that.

local ffi = require("ffi")

-- wrk's histogram, as it lies in memory (stats.h of wrk 4.x).
ffi.cdef([[
  typedef struct { uint64_t count, limit, min, max; uint64_t data[]; } archbench_stats;
]])

local function number(value) return string.format("%.17g", tonumber(value)) end

-- Every (latency, count) pair, read in one pass. wrk's own latency(i) begins at the smallest latency
-- each time: with thousands of starved clients that would take minutes.
local function pairs_in_memory(latency)
  local stats = ffi.cast("archbench_stats **", latency)[0]
  if tonumber(stats.min) ~= latency.min or tonumber(stats.max) ~= latency.max then return nil end
  local out = {}
  for i = latency.min, latency.max do
    local count = stats.data[i]
    if count > 0 then out[#out + 1] = "[" .. number(i) .. "," .. number(count) .. "]" end
  end
  if #out ~= #latency then return nil end
  return out
end

-- The same through wrk's documented interface, should its memory look different one day.
local function pairs_by_index(latency)
  local out = {}
  for i = 1, #latency do
    local value, count = latency(i - 1)
    out[i] = "[" .. number(value) .. "," .. number(count) .. "]"
  end
  return out
end

-- "weight path" lines become requests that are made once and drawn by weight: a number in [0, 1) is
-- looked up in the sums of the weights by halving.
local mix = os.getenv("ARCHBENCH_WRK_MIX")
if mix and mix ~= "" then
  local requests, sums, total = {}, {}, 0

  -- Every thread draws an order of its own, the same in every run.
  local threads = 0
  function setup(thread)
    threads = threads + 1
    thread:set("archbench_seed", threads)
  end

  function init()
    for weight, path in mix:gmatch("(%S+) (%S+)\n") do
      total = total + tonumber(weight)
      sums[#sums + 1] = total
      requests[#requests + 1] = wrk.format("GET", path)
    end
    math.randomseed(archbench_seed)
  end

  function request()
    local draw, low, high = math.random() * total, 1, #sums
    while low < high do
      local middle = math.floor((low + high) / 2)
      if draw < sums[middle] then high = middle else low = middle + 1 end
    end
    return requests[low]
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  local file = assert(io.open(assert(os.getenv("ARCHBENCH_WRK_REPORT")), "w"))
  local list = {}
  if #latency > 0 then list = pairs_in_memory(latency) or pairs_by_index(latency) end
  file:write('{"requests":', number(summary.requests),
    ',"bytes":', number(summary.bytes),
    ',"duration_us":', number(summary.duration),
    ',"errors":{"connect":', number(e.connect), ',"read":', number(e.read),
    ',"write":', number(e.write), ',"status":', number(e.status),
    ',"timeout":', number(e.timeout),
    '},\n"latency_us":[', table.concat(list, ","), "]}\n")
  assert(file:close())
end
