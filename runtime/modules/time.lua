---@meta

--- Times are numbers: seconds since the epoch (1970-01-01 UTC), with a fraction. To wait:
--- task.sleep.
time = {}

---@alias layout
---| "RFC3339" # 2026-11-23T17:04:05Z
---| "RFC3339Nano" # 2026-11-23T17:04:05.123456Z
---| "RFC1123" # Mon, 23 Nov 2026 17:04:05 UTC (HTTP)
---| "DateTime" # 2026-11-23 17:04:05
---| "DateOnly" # 2026-11-23
---| "TimeOnly" # 17:04:05
---| string Go's reference time written out: "2006-01-02 15:04:05.000 -0700", "Jan 2"; or another of Go's names

--- The time now, exact to the microsecond.
---@return number seconds
---
---     assert(time.now() > 1.7e9)
function time.now() end

--- Writes a time out, in UTC unless a zone is named.
---@param t number seconds since the epoch
---@param layout layout
---@param zone? string a name of the tz database, or "Local" for the machine's
---@return string
---
---     assert(time.format(0, "RFC3339") == "1970-01-01T00:00:00Z")
---     assert(time.format(0.25, "15:04:05.000") == "00:00:00.250")
function time.format(t, layout, zone) end

--- Reads a time; one that names no zone is UTC. Raises `parse` when s is not of the layout.
---@param s string
---@param layout layout
---@return number seconds since the epoch
---
---     assert(time.parse("1970-01-02", "DateOnly") == 86400)
function time.parse(s, layout) end

--- Seconds since the program started, on a clock that nobody sets: for measuring.
---@return number seconds
---
---     local start = time.monotonic()
---     print(("took %.3f s"):format(time.monotonic() - start))
function time.monotonic() end
