-- Where the base library differs from stock gopher-lua, and what Lua promises all the same.

-- assert and error keep objects
local obj = setmetatable({}, {__tostring = function() return "an object" end})
local function raised(...) return (select(2, pcall(...))) end
expect.equal(raised(assert, nil, obj) == obj, true)
expect.match(raised(assert, false, nil), "assertion failed!$")
expect.equal(raised(error, obj) == obj, true)
expect.equal(raised(error, nil), nil)
expect.equal({assert(1, 2, 3)}, {1, 2, 3})
expect.equal({pcall(assert, nil, "plain")}, {false, "plain"})
expect.match(raised(function() error("here") end), "^lang.lua:12: here$")
expect.equal(raised(function() error("bare", 0) end), "bare")
local err = expect.raises("parse", function() json.decode("") end)
expect.equal(raised(assert, nil, err) == err, true)
expect.match(tostring(err), "^lang.lua:14: parse: json.decode: ")
expect.match("joined: " .. err, "^joined: lang.lua:14: parse")

-- pcall hands everything through, whatever it calls
expect.equal({pcall(function() return 1, nil, 3 end)}, {true, 1, nil, 3})
expect.equal({pcall(function(...) return ... end, 1, 2)}, {true, 1, 2})
expect.equal({pcall(function(a, b) return b, a end, 1, 2)}, {true, 2, 1})
expect.equal({pcall(function(a) return tostring(a) end, 1)}, {true, "1"}) -- a tail call
expect.equal({pcall(function() end)}, {true})
expect.equal({pcall(pcall, function() return "x" end)}, {true, true, "x"})
expect.equal({pcall(select, 2, "a", "b", "c")}, {true, "b", "c"})
expect.equal({xpcall(function() return 1, 2 end, print)}, {true, 1, 2})
for i = 1, 50 do expect.equal({pcall(function(x) return x, i end, 0)}, {true, 0, i}) end

-- xpcall: arguments, callables, debug.traceback
expect.equal({xpcall(function(...) return ... end, print, 1, nil, 3)}, {true, 1, nil, 3})
expect.equal({xpcall(error, setmetatable({}, {__call = function(_, e) return "handled " .. e end}), "x", 0)},
  {false, "handled x"})
local function fail() error("deep") end
local ok, text = xpcall(function() fail() end, debug.traceback)
expect.equal(ok, false)
expect.match(text, "^lang.lua:34: deep\nstack traceback:\n.*lang.lua:34: in .*'fail'")
expect.equal(select(2, xpcall(error, debug.traceback, obj)) == obj, true)
expect.match(raised(pcall), "value expected")
expect.match(raised(nil), "attempt to call a nil value")

-- collectgarbage
expect.equal(collectgarbage("count") > 100, true)
expect.equal(collectgarbage(), 0)
expect.fails("invalid option", collectgarbage, "no such")

-- table.pack, table.unpack, unpack of many
expect.equal(table.pack(), {n = 0})
expect.equal(table.pack(1, nil), {1, nil, n = 2})
expect.equal({table.unpack({1, 2, 3}, 2)}, {2, 3})
local many = {}
for i = 1, 100000 do many[i] = i end
expect.equal(select("#", unpack(many)), 100000)
expect.equal(select(100000, unpack(many)), 100000)
expect.equal(#table.concat(many, ","), 588894)
expect.equal((("x"):rep(5000):gsub("x", "yy")), ("yy"):rep(5000))

-- numbers
expect.equal(math.huge, 1 / 0)
expect.equal(-math.huge < -1e308, true)

-- a clean stack overflow, and recursion that is deep enough
local function forever(n) return 1 + forever(n + 1) end
for _ = 1, 3 do expect.fails("^lang.lua:%d+: stack overflow", forever, 1) end
local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end
expect.equal(down(1000), 1000)
local function nest(n) return n == 0 and "bottom" or select(2, pcall(nest, n - 1)) end
expect.equal(nest(100), "bottom")
local function nestForever() return pcall(nestForever) end
nestForever()
expect.equal(pcall(down, 1000), true) -- all is well after it
-- luacheck: push ignore 143 113
-- what is not there
expect.equal({module, newproxy, _printregs, os.setenv, package.loaders, package.loadlib, channel}, {})
-- luacheck: pop
expect.equal(package.loaded.json == nil or package.loaded.json == json, true)

-- load, loadstring, loadfile, dofile
expect.equal(load("return ... + 1")(1), 2)
expect.equal(loadstring("return 2")(), 2)
local pieces = {"return ", "'from ", "pieces'"}
expect.equal(load(function() return table.remove(pieces, 1) end)(), "from pieces")
local chunk, why = load("x = = 1", "=named")
expect.equal(chunk, nil)
expect.match(why, "^named:1:5: parse: ")
expect.equal(load("return x", "chunk", "t", {x = "from env"})(), "from env")
expect.raises("not_supported", load, "x", "x", "b")
expect.raises("invalid_argument", load, 1)
expect.raises("invalid_argument", load)
local dir = fs.temp_dir()
fs.write(dir .. "/chunk.lua", "#!/usr/bin/env -S etcdlua run\nreturn 'loaded', ...")
expect.equal({loadfile(dir .. "/chunk.lua")(1)}, {"loaded", 1})
expect.equal({dofile(dir .. "/chunk.lua")}, {"loaded"})
fs.write(dir .. "/bad.lua", "local x = (1\nprint(x) end")
chunk, why = loadfile(dir .. "/bad.lua")
expect.equal(chunk, nil)
expect.match(why, "bad.lua:2:%d+: parse")
expect.raises("parse", dofile, dir .. "/bad.lua")
expect.match(select(2, loadfile(dir .. "/none.lua")), "there is no such file")
expect.raises("io", dofile, dir .. "/none.lua")
expect.match(select(2, load(("{"):rep(300))), "nested more than 200 deep")
expect.match(select(2, load("return " .. ("#"):rep(1e6) .. "x")), "nested more than 200 deep")
expect.match(select(2, load("\27Lua")), "parse")

-- require: built-in modules, files of the script's folder, once each
expect.equal(require("json"), json)
expect.equal(require("task"), task)
local counter = require "./support/counter"
expect.equal(counter.loads, 1)
expect.equal(require("support.counter").loads, 2) -- by another name it is another module, as in Lua
expect.equal(require("./support/counter") == counter, true)
expect.equal(package.loaded["./support/counter"] == counter, true)
expect.match(expect.raises("not_found", require, "jsn").hint, '"json"')
expect.raises("not_found", require, "./support/none")
expect.match(expect.raises("invalid_argument", require, "./support/cycle_a").message, "require each other")
expect.raises("invalid_argument", require)
-- two tasks that need the same file get the same module
local one, other = unpack(task.map({1, 2}, function() return require "./support/slow" end))
expect.equal(one == other and one.loads, 1)

-- string.format and friends with objects
expect.equal(("%s|%10s|%q"):format(obj, nil, "a\nb"), 'an object|       nil|"a\\\nb"')
for _, s in ipairs{"", '"\\', "a\r\n\0001\255", "é"} do
  expect.equal(load("return " .. ("%q"):format(s))(), s)
end
expect.match(("%s"):format(err), "parse: json.decode")
expect.equal(("%d%%|%5.2f|%x|%-5d|"):format(3, 1.5, 255, 7), "3%| 1.50|ff|7    |")
expect.fails("number expected", string.format, "%d", "x")
expect.fails("", string.format, "%d")
expect.raises("limit_exceeded", string.rep, "x", 1e12)
expect.equal(tostring(obj), "an object")

-- closures keep their variables after an error was caught
local x = 0
local function inc() x = x + 1 end
pcall(error, "boom")
inc()
expect.equal(x, 1)
xpcall(error, function() end, "boom")
inc()
expect.equal(x, 2)
local escaped
xpcall(function()
  local y = 10
  escaped = function() y = y + 1 return y end
  error("boom")
end, function() return "handled" end)
local _ = {1, 2, 3, ("x"):rep(10)} -- whatever uses the stack
expect.equal({escaped(), escaped()}, {11, 12})
local co = coroutine.wrap(function()
  local z = 1
  escaped = function() z = z + 1 return z end
  pcall(error, "boom")
  coroutine.yield()
end)
co()
expect.equal({escaped(), escaped()}, {2, 3})

-- tables written out: the last named field may be a call, and any number of entries before it
local function two() return "first", "second" end
expect.equal({"a", named = two()}, {"a", named = "first"})
expect.equal(#{"a", "b", named = two()}, 2)

-- loops whose body begins with a jump
local function empty(t) for _ in pairs(t) do do return false end end return true end -- luacheck: ignore 512
expect.equal({empty({}), empty({1})}, {true, false})
local count = 0
while true do break end -- luacheck: ignore 512
for _ = 1, 3 do count = count + 1 end
expect.equal(count, 3)

-- coroutines
co = coroutine.create(function(a)
  local b = coroutine.yield(a + 1)
  task.yield() -- waiting is not yielding
  return b * 2
end)
expect.equal({coroutine.resume(co, 1)}, {true, 2})
expect.equal({coroutine.resume(co, 21)}, {true, 42})
expect.equal(coroutine.status(co), "dead")
expect.equal((coroutine.resume(co)), false)
-- one that is active is not resumed again, from wherever; one that raised has ended
local outer
outer = coroutine.create(function()
  expect.equal({coroutine.resume(outer)}, {false, "cannot resume non-suspended coroutine"})
  local inner = coroutine.create(function()
    return coroutine.status(outer), coroutine.resume(outer)
  end)
  expect.equal({coroutine.resume(inner)},
    {true, "normal", false, "cannot resume non-suspended coroutine"})
  pcall(function()
    expect.equal(coroutine.status(outer), "running")
    expect.equal((coroutine.resume(outer)), false)
  end)
  return "end"
end)
expect.equal({coroutine.resume(outer)}, {true, "end"})
expect.equal({coroutine.resume(outer)}, {false, "cannot resume dead coroutine"})
local wrapped
wrapped = coroutine.wrap(function()
  coroutine.yield((pcall(wrapped)))
  error("boom", 0)
end)
expect.equal(wrapped(), false)
expect.equal({pcall(wrapped)}, {false, "boom"})
expect.fails("dead coroutine", wrapped)
expect.fails("outside a coroutine", coroutine.yield)
expect.equal(args, {"one", "two"})
