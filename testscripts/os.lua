local dir = fs.temp_dir()
local function path(name) return dir .. "/" .. name end

-- Commands: 0, the exit code, or 128 and the signal.
expect.equal(os.execute("true"), 0)
expect.equal(os.execute("exit 3"), 3)
expect.equal(os.execute("kill -9 $$"), 137)
expect.equal(os.execute(), 1)
expect.equal(os.execute("echo x > " .. path("made")), 0)
expect.equal(fs.read(path("made")), "x\n")
expect.raises("timeout", task.with_timeout, "50ms", os.execute, "sleep 600; true")
local gate = path("gate")
local t = task.spawn(os.execute, "while [ ! -e " .. gate .. " ]; do sleep 0.01; done; exit 4")
task.yield()
fs.write(gate, "")
expect.equal(t:join(), 4)

-- Files.
expect.equal(os.rename(path("made"), path("moved")), true)
expect.equal({os.rename(path("made"), path("moved"))}, {nil, path("made") .. ": No such file or directory", 2})
expect.equal(os.remove(path("moved")), true)
expect.equal({os.remove(path("moved"))}, {nil, path("moved") .. ": No such file or directory", 2})
fs.mkdir(path("full/x"))
expect.equal({os.remove(path("full"))}, {nil, path("full") .. ": Directory not empty", 39})
expect.equal(os.remove(path("full/x")), true)
local name = os.tmpname()
expect.equal(fs.exists(name), true)
os.remove(name)

expect.equal(type(os.getenv("PATH")), "string")
expect.equal(os.getenv("ETCDLUA_NO_SUCH_VARIABLE"), nil)

-- Time.
expect.equal(math.abs(os.time() - time.now()) < 2, true)
expect.equal(os.time() % 1, 0)
local noon = {year = 2026, month = 11, day = 23}
expect.equal(os.date("%Y-%m-%d %H:%M:%S", os.time(noon)), "2026-11-23 12:00:00")
expect.equal(os.date("%F %T", os.time{year = 2026, month = 14, day = -3, hour = 25, min = 61, sec = "61"}),
  "2027-01-29 02:02:01")
local full = os.date("*t", os.time(noon))
expect.equal({full.year, full.month, full.day, full.hour, full.min, full.sec, full.wday, full.yday},
  {2026, 11, 23, 12, 0, 0, 2, 327})
expect.equal(type(full.isdst), "boolean")
expect.equal(os.time(full), os.time(noon))
for _, missing in ipairs{"year", "month", "day"} do
  local date = {year = 2026, month = 1, day = 1}
  date[missing] = nil
  expect.match(expect.raises("invalid_argument", os.time, date).message, missing)
end
expect.raises("invalid_argument", os.time, {year = 2026, month = 1.5, day = 1})
expect.equal(os.difftime(5, 3), 2)
local used = os.clock()
for _ = 1, 1e5 do used = used + 0 end
expect.equal(os.clock() >= used, true)

-- Dates: every conversion of C, in UTC. 2026-01-04 is a Sunday.
local sunday = 1767503045 -- 2026-01-04 05:04:05
expect.equal(os.date("!%a %A %b %B %h|%d %e %j|%H %I %M %p %S|%m %y %Y %C", sunday),
  "Sun Sunday Jan January Jan|04  4 004|05 05 04 AM 05|01 26 2026 20")
expect.equal(os.date("!%c|%D|%F|%r|%R|%T|%x|%X", sunday),
  "Sun Jan  4 05:04:05 2026|01/04/26|2026-01-04|05:04:05 AM|05:04|05:04:05|01/04/26|05:04:05")
expect.equal(os.date("!%u %w|%U %W %V %G %g|%z %Z|%s|%n%t%%", sunday), "7 0|01 00 01 2026 26|+0000 UTC|1767503045|\n\t%")
expect.equal(os.date("!%Ey %Od", sunday), "26 04")
expect.equal(os.date("!%V %G %g %U %W", 1767225599), "01 2026 26 52 52") -- 2025-12-31
expect.equal(os.date("!", sunday), "")
expect.equal(os.date("!%c", 0), "Thu Jan  1 00:00:00 1970")
expect.equal(os.date("!%F %T", -1.5), "1969-12-31 23:59:58")
local utc = os.date("!*t", sunday)
expect.equal(utc, {year = 2026, month = 1, day = 4, hour = 5, min = 4, sec = 5, wday = 1, yday = 4, isdst = false})
for _, format in ipairs{"%", "%Q", "x%", "%E", "%é"} do
  expect.raises("invalid_argument", os.date, format)
end
expect.raises("invalid_argument", os.date, "%c", 1e300)
expect.raises("invalid_argument", os.date, "%c", "now")
