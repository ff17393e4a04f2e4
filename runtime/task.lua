---@meta

--- Tasks, timers, groups, channels. One piece of Lua runs at a time; control changes
--- hands only in functions that wait.
task = {}

---@class task
local Task = {}

---@class channel
local Channel = {}

---@class mutex
local Mutex = {}

---@alias duration number|string seconds, or a string such as "250ms" or "1h30m"

--- Runs fn(...) as a task. It starts when the caller next waits. If it fails while
--- nobody joins it, the program ends with exit code 1.
---@param fn function
---@param ... any arguments of fn
---@return task
---
---     local t = task.spawn(function(name) return "hello " .. name end, "etcd")
---     print(t:join())
function task.spawn(fn, ...) end

--- Waits. Other tasks run meanwhile. Raises `cancelled` when the task is cancelled.
---@param duration duration
---
---     task.sleep(0.01)
function task.sleep(duration) end

--- Lets the other tasks that are ready run first.
---
---     task.yield()
function task.yield() end

--- Runs fn(...) once, after the duration, as a task.
---@param duration duration
---@param fn function
---@param ... any arguments of fn
---@return task
---
---     task.after("10ms", print, "later"):join()
function task.after(duration, fn, ...) end

--- Runs fn every interval, one call after the other; a turn that was missed is not
--- made up for. A failure of fn ends the task, and the program.
---@param interval duration
---@param fn function
---@param opts? {jitter?: duration, overlap?: boolean} jitter: up to so much later each time; overlap: start the next call even while one runs
---@return task
---
---     local n = 0
---     local t
---     t = task.every("1ms", function() n = n + 1; if n == 3 then t:cancel() end end)
function task.every(interval, fn, opts) end

--- Runs fn by a cron schedule: five fields (minute hour day month weekday), six with
--- seconds first, or a descriptor such as @hourly or @every 90s.
---@param spec string
---@param fn function
---@param opts? {zone?: string} zone: a name of the tz database; default the machine's
---@return task
---
---     local t = task.cron("30 3 * * *", function() print("half past three") end, {zone = "UTC"})
---     t:cancel()
function task.cron(spec, fn, opts) end

--- Runs functions and waits for them and for tasks, side by side. Returns the first
--- result of each, in order, with n. The first error cancels the rest and is raised
--- when all have ended.
---@param list (function|task)[]
---@return table results
---
---     local r = task.all{function() return 1 end, function() return 2 end}
---     assert(r.n == 2 and r[2] == 2)
function task.all(list) end

--- Returns the first result of the first that succeeds, and cancels the rest. When
--- all fail, the first failure is raised.
---@param list (function|task)[]
---@return any
---
---     local v = task.any{function() task.sleep(1) return "slow" end, function() return "quick" end}
---     assert(v == "quick")
function task.any(list) end

--- Calls fn(item, index) for each item, at most `workers` side by side. Returns the
--- results in the order of the items, with n. The first error cancels the rest.
---@param list any[]
---@param fn fun(item: any, index: integer): any
---@param opts? {workers?: integer} default 16
---@return table results
---
---     local r = task.map({1, 2, 3}, function(x) return x * x end)
---     assert(r[3] == 9)
function task.map(list, fn, opts) end

--- Runs fn(...) in a scope that is stopped after the duration: it then raises
--- `timeout`. Tasks spawned in the scope end with it.
---@param timeout duration
---@param fn function
---@param ... any arguments of fn
---@return any ... what fn returned
---
---     local ok, err = pcall(task.with_timeout, "10ms", task.sleep, 60)
---     assert(not ok and err.code == "timeout")
function task.with_timeout(timeout, fn, ...) end

--- Makes a channel that holds up to `capacity` values; with 0 (the default) a send
--- waits for its receiver. `for v in ch do … end` receives until it is closed.
---@param capacity? integer
---@return channel
---
---     local ch = task.channel(1)
---     ch:send("x")
---     assert(ch:recv() == "x")
function task.channel(capacity) end

--- Makes a mutex.
---@return mutex
---
---     local m = task.mutex()
---     m:with(function() task.yield() end)
function task.mutex() end

--- Runs fn when the current scope ends, however it ends, newest first: the task, or
--- the function of with_timeout. It has a context of its own with the grace time, so it
--- may wait even when the task was cancelled.
---@param fn function
---
---     task.with_timeout(1, function() task.finally(function() print("cleaned up") end) end)
function task.finally(fn) end

--- Runs fn when the program ends, however it ends, in reverse order, within the grace time.
---@param fn function
---
---     task.on_exit(function() print("bye") end)
function task.on_exit(fn) end

--- Waits until the task has ended. Returns what its function returned, or raises its error.
---@return any ...
---
---     local a, b = task.spawn(function() return 1, 2 end):join()
function Task:join() end

--- Stops the task: what it waits for returns, and it raises `cancelled` until it has
--- ended. Only task.finally runs after that.
---
---     task.spawn(task.sleep, 60):cancel()
function Task:cancel() end

--- Where the task stands.
---@return "running"|"done"|"failed"|"cancelled"
---
---     assert(task.spawn(task.sleep, 0):status() == "running")
function Task:status() end

--- Sends a value; waits while the channel is full. Raises `closed`. nil cannot be sent.
---@param value any
---
---     local ch = task.channel(1)
---     ch:send(42)
function Channel:send(value) end

--- Takes the next value; waits while there is none. Returns nil, false and "closed" at
--- the end of a closed channel, nil, false and "timeout" when nothing came in time.
---@param timeout? duration
---@return any value
---@return boolean ok
---@return "closed"|"timeout"|nil why
---
---     local v, ok, why = task.channel():recv("1ms")
---     assert(not ok and why == "timeout")
function Channel:recv(timeout) end

--- Closes the channel. What is in it can still be received.
---
---     task.channel():close()
function Channel:close() end

--- Runs fn(...) while the mutex is held; waits for it, in the order of coming.
---@param fn function
---@param ... any arguments of fn
---@return any ... what fn returned
---
---     print(task.mutex():with(function() return "alone" end))
function Mutex:with(fn, ...) end
