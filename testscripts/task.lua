-- Order is made with channels, yields and joins; durations only say that something is long.

-- spawn, join, status
local log = {}
local t = task.spawn(function(...) log[#log + 1] = "ran" return ... end, 1, nil, 3)
expect.equal(log, {}) -- it starts when the spawner waits
expect.equal(t:status(), "running")
expect.equal(table.pack(t:join()), {1, nil, 3, n = 3})
expect.equal(t:status(), "done")
expect.equal(table.pack(t:join()), {1, nil, 3, n = 3}) -- again
expect.match(tostring(t), "^task: ")
local callable = setmetatable({}, {__call = function(_, x) return x + 1 end})
expect.equal(task.spawn(callable, 1):join(), 2)

local failing = task.spawn(error, {code = "mine"})
local ok, err = pcall(failing.join, failing)
expect.equal({ok, err.code, failing:status()}, {false, "mine", "failed"})
failing = task.spawn(json.decode, "")
expect.raises("parse", failing.join, failing)
expect.equal({task.spawn(pcall, error, "kept for later", 0):join()}, {false, "kept for later"})

local order = {}
for i = 1, 3 do task.spawn(function() order[#order + 1] = i end) end
task.yield()
expect.equal(order, {1, 2, 3})

expect.raises("invalid_argument", task.spawn)
expect.raises("invalid_argument", task.spawn, 1)
expect.match(expect.raises("invalid_argument", task.spawn, task, print).message, "use a dot")
expect.match(expect.raises("invalid_argument", t.join).message, "use a colon")
local self
self = task.spawn(function() return self:join() end)
expect.raises("invalid_argument", self.join, self)

-- cancel: sticky, in pcall too; finally still runs, and may wait
local seen = {}
t = task.spawn(function()
  task.finally(function() task.sleep(0.001) seen[#seen + 1] = "outer" end)
  task.finally(function() seen[#seen + 1] = "inner" end)
  pcall(task.sleep, 600)
  seen[#seen + 1] = "went on after a cancel"
end)
task.yield()
t:cancel()
t:cancel()
expect.raises("cancelled", t.join, t)
expect.equal(t:status(), "cancelled")
expect.equal(seen, {"inner", "outer"})
t = task.spawn(function() seen = "ran" end)
t:cancel() -- before it began
expect.raises("cancelled", t.join, t)
expect.equal(seen, {"inner", "outer"})
t = task.spawn(function() t:cancel() seen = "ran" end) -- itself
expect.raises("cancelled", t.join, t)
expect.equal(seen, {"inner", "outer"})

-- sleep, durations
local start = time.monotonic()
task.sleep(0.002)
task.sleep("2ms")
task.sleep(0)
expect.equal(time.monotonic() - start >= 0.004, true)
for _, bad in ipairs{-1, "1x", "", true, 0 / 0} do
  expect.raises("invalid_argument", task.sleep, bad)
end
expect.raises("invalid_argument", task.sleep)
expect.raises("invalid_argument", task.sleep, 1, 2)

-- after
expect.raises("invalid_argument", task.after, 0.001)
expect.raises("invalid_argument", task.after, -1, print)
local got
task.after("1ms", function(...) got = {...} end, "a", "b"):join()
expect.equal(got, {"a", "b"})
t = task.after(600, function() got = "ran" end)
t:cancel()
expect.raises("cancelled", t.join, t)
expect.equal(got, {"a", "b"})

-- every: one call after the other, or side by side
local n, running, most = 0, 0, 0
local function tick()
  running = running + 1
  most = math.max(most, running)
  task.sleep("3ms")
  running = running - 1
  n = n + 1
end
t = task.every("1ms", tick)
while n < 3 do task.yield() end
t:cancel()
expect.raises("cancelled", t.join, t)
expect.equal(most, 1)
n, running, most = 0, 0, 0
local enough = task.channel()
t = task.every("1ms", function()
  running = running + 1
  most = math.max(most, running)
  if running == 2 then enough:close() end
  if running < 2 then enough:recv() end
end, {overlap = true, jitter = "1ms"})
while most < 2 do task.sleep("1ms") end
t:cancel()
t = task.every("1ms", error)
expect.equal(pcall(t.join, t), false) -- a failure ends it
expect.raises("invalid_argument", task.every, 0, print)
expect.raises("invalid_argument", task.every, 1)
expect.match(expect.raises("invalid_argument", task.every, 1, print, {jiter = 1}).message, '"jitter"')

-- cron
t = task.cron("* * * * * *", function() end)
expect.equal(t:status(), "running")
t:cancel()
task.cron("@hourly", print, {zone = "Europe/Berlin"}):cancel()
task.cron("@every 90s", print):cancel()
expect.match(expect.raises("invalid_argument", task.cron, "* * *", print).hint, "five fields")
expect.raises("invalid_argument", task.cron, "0 0 30 2 *", print)
expect.raises("invalid_argument", task.cron, "61 * * * *", print)
expect.match(expect.raises("invalid_argument", task.cron, "@daily", print, {zone = "Berlin"}).message, "zone")
expect.raises("invalid_argument", task.cron, "@daily")

-- all: the first result of each, in order; the first error cancels the rest
local function value(v) return function() task.yield() return v, "second" end end
local r = task.all{value("a"), value(nil), task.spawn(value("c"))}
expect.equal(r, {"a", nil, "c", n = 3})
expect.equal(task.all{}, {n = 0})
local other = task.spawn(task.sleep, 600)
local cleaned = false
ok, err = pcall(task.all, {
  function() task.finally(function() cleaned = true end) task.sleep(600) end,
  other,
  function() task.yield() error("first", 0) end,
})
expect.equal({ok, err, cleaned, other:status()}, {false, "first", true, "cancelled"})
expect.raises("invalid_argument", task.all)
expect.raises("invalid_argument", task.all, {1})
expect.raises("invalid_argument", task.all, {print, list = 1}, 1)

-- any: the first that succeeds; the rest is cancelled; all failed: the first failure
cleaned = false
expect.equal(task.any{
  function() error("not this one") end,
  function() task.finally(function() cleaned = true end) task.sleep(600) end,
  value("quick"),
}, "quick")
expect.equal(cleaned, true)
ok, err = pcall(task.any, {function() error("one", 0) end, function() task.yield() error("two", 0) end})
expect.equal({ok, err}, {false, "one"})
expect.raises("invalid_argument", task.any, {})
expect.raises("invalid_argument", task.any, {print, "x"})

-- map: in order, at most so many side by side
running, most = 0, 0
r = task.map({1, 2, 3, 4, 5, 6}, function(x, i)
  running = running + 1
  most = math.max(most, running)
  task.sleep("1ms")
  running = running - 1
  return x * i
end, {workers = 2})
expect.equal(r, {1, 4, 9, 16, 25, 36, n = 6})
expect.equal(most, 2)
expect.equal(task.map({}, print), {n = 0})
expect.equal(task.map({1, nil, 3, n = 3}, function(x) return x == nil end), {false, true, false, n = 3})
ok, err = pcall(task.map, {1, 2}, function(x) error("at " .. x, 0) end)
expect.equal({ok, err}, {false, "at 1"})
expect.raises("invalid_argument", task.map, {1}, print, {workers = 0})
expect.raises("invalid_argument", task.map, {1})

-- with_timeout: the scope ends with all that was spawned in it
expect.equal({task.with_timeout(600, function(...) return ... end, 1, 2)}, {1, 2})
local inner
err = expect.raises("timeout", task.with_timeout, "2ms", function()
  inner = task.spawn(task.sleep, 600)
  task.sleep(600)
end)
expect.equal(err.retryable, true)
expect.equal(inner:status(), "cancelled")
task.with_timeout(600, function() inner = task.spawn(task.sleep, 600) end)
expect.equal(inner:status(), "cancelled")
expect.raises("timeout", task.with_timeout, "1ms", function() while true do end end)
expect.raises("parse", task.with_timeout, 600, json.decode, "")
seen = {}
task.with_timeout(600, function()
  task.finally(function() seen[#seen + 1] = 1 end)
  task.finally(function() seen[#seen + 1] = 2 end)
end)
expect.equal(seen, {2, 1})
expect.raises("invalid_argument", task.with_timeout, print)
expect.raises("invalid_argument", task.with_timeout, 1)
expect.raises("invalid_argument", task.finally)
expect.raises("invalid_argument", task.finally, 1)
expect.raises("invalid_argument", task.on_exit, nil)

-- channels
local ch = task.channel()
local sender = task.spawn(function()
  for i = 1, 3 do ch:send(i) end
  ch:close()
end)
seen = {}
for v in ch do seen[#seen + 1] = v end
expect.equal(seen, {1, 2, 3})
expect.equal(sender:status() ~= "failed", true)
expect.equal({ch:recv()}, {nil, false, "closed"})
expect.raises("closed", ch.send, ch, 1)
ch:close()

ch = task.channel(2)
ch:send("a")
ch:send("b")
expect.equal(#ch, 2)
sender = task.spawn(ch.send, ch, "c") -- waits for room
task.yield()
expect.equal(sender:status(), "running")
expect.equal({ch:recv()}, {"a", true})
sender:join()
expect.equal({ch:recv(), (ch:recv())}, {"b", "c"})
expect.equal({ch:recv("1ms")}, {nil, false, "timeout"})
expect.equal({ch:recv(0)}, {nil, false, "timeout"})
ch:send("kept")
ch:close()
expect.equal({ch:recv()}, {"kept", true}) -- what is in it can still be had
expect.raises("invalid_argument", ch.send, task.channel(1), nil)
expect.raises("invalid_argument", ch.send, task.channel(1))
expect.raises("invalid_argument", task.channel, -1)
expect.raises("invalid_argument", task.channel, 1.5)
expect.raises("invalid_argument", ch.recv)
ch = task.channel()
sender = task.spawn(pcall, ch.send, ch, 1)
task.yield()
ch:close()
ok, err = sender:join()
expect.equal({ok, err.code}, {false, "closed"})
ch = task.channel()
expect.raises("timeout", task.with_timeout, "1ms", ch.recv, ch) -- a waiter that is cancelled takes nothing
task.spawn(ch.send, ch, "for the next")
expect.equal(ch:recv(), "for the next")

-- mutex: in the order of coming; released when fn raises or is cancelled
local m = task.mutex()
order = {}
local holders = {}
for i = 1, 3 do
  holders[i] = task.spawn(m.with, m, function(x)
    order[#order + 1] = x
    task.yield()
    order[#order + 1] = x
    return x
  end, i)
end
expect.equal(task.all(holders), {1, 2, 3, n = 3})
expect.equal(order, {1, 1, 2, 2, 3, 3})
expect.equal({m:with(function(...) return ... end, 1, 2)}, {1, 2})
expect.equal(pcall(m.with, m, error), false)
t = task.spawn(m.with, m, task.sleep, 600)
task.yield()
local waiting = task.spawn(m.with, m, function() return "mine now" end)
task.yield()
t:cancel()
expect.equal(waiting:join(), "mine now")
m:with(function() expect.raises("busy", m.with, m, print) end)
expect.raises("invalid_argument", m.with, m)
expect.raises("invalid_argument", m.with)

-- on_exit: in reverse order, after everything else
task.on_exit(function() expect.equal(seen, "second") end)
task.on_exit(function() seen = "second" end)
