local dir = fs.temp_dir()
local function path(name) return dir .. "/" .. name end

-- Standard input: what testscripts_test.go gives.
expect.equal(io.read(), "first line")
expect.equal({io.read("n", "*n", "n")}, {42, 31})
expect.equal(io.read(1), "n") -- what is no number is left
expect.equal(io.read("l"), "onsense")
expect.equal(io.read("L"), "the\n")
expect.equal(io.read(0), "")
expect.equal(io.stdin:read("a"), "rest")
expect.equal(io.read(0), nil)
expect.equal(io.read("l"), nil)
expect.equal(io.read("a"), "")

-- Opening, as Lua says it.
expect.equal({io.open(path("none"))}, {nil, path("none") .. ": No such file or directory", 2})
expect.equal({io.open(dir)}, {nil, dir .. ": Is a directory", 21})
expect.equal({io.open(path("no/such"), "w")}, {nil, path("no/such") .. ": No such file or directory", 2})
expect.match(expect.raises("invalid_argument", io.open, path("x"), "rw").hint, "r, w, a")
expect.raises("invalid_argument", io.open, path("x"), "b")
expect.raises("invalid_argument", io.open)
expect.raises("invalid_argument", io.open, "x", "r", "more")

-- Writing and reading back.
local f = assert(io.open(path("a"), "wb"))
expect.equal(io.type(f), "file")
expect.match(tostring(f), "^file %(0x")
expect.equal(getmetatable(f), "file")
expect.equal(f:write("one\n", 2, "\nthree\n\0\255"), f)
expect.equal(f:seek(), 14)
expect.equal({f:read()}, {nil, path("a") .. ": Bad file descriptor", 9})
expect.equal(f:close(), true)
expect.equal(io.type(f), "closed file")
expect.equal(tostring(f), "file (closed)")
for _, method in ipairs{"read", "write", "close", "flush", "lines", "seek"} do
  expect.raises("closed", f[method], f)
end
expect.raises("invalid_argument", f.read) -- a dot instead of a colon
expect.raises("invalid_argument", f.read, {})
expect.equal(io.type(42), nil)
expect.equal(fs.read(path("a")), "one\n2\nthree\n\0\255")

f = assert(io.open(path("a")))
expect.equal({f:read("l", "n", "L", "l", "a", "a")}, {"one", 2, "\n", "three", "\0\255", ""})
expect.equal({f:read("l", "l")}, {nil})
expect.equal(f:seek("set"), 0)
expect.equal(f:read(5), "one\n2")
expect.equal(f:seek("cur"), 5)
expect.equal(f:seek("cur", -2), 3)
expect.equal(f:read(3, 0, 100, 0), "\n2\n")
expect.equal(f:seek("end", -2), 12)
expect.equal(f:read("a"), "\0\255")
expect.equal({f:seek("set", -1)}, {nil, path("a") .. ": Invalid argument", 22})
expect.raises("invalid_argument", f.seek, f, "start")
expect.raises("invalid_argument", f.seek, f, "set", 1.5)
expect.raises("invalid_argument", f.read, f, "x")
expect.raises("invalid_argument", f.read, f, -1)
expect.equal({f:write("x")}, {nil, path("a") .. ": Bad file descriptor", 9})
expect.raises("invalid_argument", f.write, f, {})
f:close()

-- Both ways in one file: each follows on where the other was.
f = assert(io.open(path("a"), "r+"))
expect.equal(f:read(), "one")
f:write("TWO")
f:seek("set")
expect.equal(f:read("a"), "one\nTWOhree\n\0\255")
f:close()
f = assert(io.open(path("a"), "a+"))
expect.equal(f:read(), "one")
f:write("end")
f:close()
expect.match(fs.read(path("a")), "\255end$")
f = assert(io.open(path("a"), "w+"))
f:write("new")
f:seek("set", 1)
expect.equal(f:read("a"), "ew")
f:close()

-- What is written is held back until it is many, flushed or closed; setvbuf says otherwise.
f = assert(io.open(path("b"), "w"))
f:write("x")
expect.equal(fs.read(path("b")), "")
expect.equal(f:flush(), f)
expect.equal(fs.read(path("b")), "x")
expect.equal(f:setvbuf("line"), true)
f:write("y")
f:write("z\nw")
expect.equal(fs.read(path("b")), "xyz\nw")
f:setvbuf("no")
f:write("!")
expect.equal(fs.read(path("b")), "xyz\nw!")
f:setvbuf("full", 1024)
f:write(("k"):rep(70000))
expect.equal(#fs.read(path("b")), 70006)
expect.raises("invalid_argument", f.setvbuf, f, "some")
f:close()

-- Numbers.
fs.write(path("n"), " 10 -0.5e1\n+3.\t.25 0x1p4 0xA.8 1e400 nan 12abc")
f = assert(io.open(path("n")))
expect.equal({f:read("n", "n", "n", "n", "n", "n", "n")}, {10, -5, 3, 0.25, 16, 10.5, math.huge})
expect.equal({f:read("n")}, {nil})
f:close()

-- Lines, also longer than any buffer, and one without an end.
local long = ("x"):rep(300000)
fs.write(path("l"), "a\n\n" .. long .. "\nlast")
local lines = {}
for line in io.lines(path("l")) do lines[#lines + 1] = line end
expect.equal(lines, {"a", "", long, "last"})
lines = {}
for a, b in io.lines(path("l"), 1, "L") do lines[#lines + 1] = {a, b and #b} end
expect.equal(lines, {{"a", 1}, {"\n", 300001}, {"l", 3}})
f = assert(io.open(path("l")))
for line in f:lines() do
  if line == "" then break end
end
expect.equal(#f:read("a"), 300005)
f:close()
expect.raises("closed", f.lines, f)
expect.match(expect.raises("io", io.lines, path("none")).message, "none: no such file")
expect.match(expect.raises("io", io.open(path("new"), "w"):lines()).message, "Bad file descriptor")

-- The default files.
expect.equal(io.input(), io.stdin)
expect.equal(io.output(), io.stdout)
expect.equal(io.type(io.stderr), "file")
expect.equal({io.stdout:close()}, {nil, "cannot close standard file"})
expect.equal({io.stdout:seek()}, {nil, "stdout: Illegal seek", 29})
expect.equal({io.stdout:read()}, {nil, "stdout: Bad file descriptor", 9})
expect.equal({io.stdin:write("x")}, {nil, "stdin: Bad file descriptor", 9})
io.output(path("o"))
io.write("by ", "default", 1, "\n")
expect.equal(io.output(), io.output())
io.close()
expect.raises("closed", io.write, "x")
io.output(io.stdout)
io.input(path("o"))
expect.equal(io.read("a"), "by default1\n")
io.close(io.input())
io.input(io.stdin)
expect.raises("io", io.input, path("none"))
expect.raises("invalid_argument", io.output, 1)

-- Commands.
f = assert(io.popen("echo out; cat; exit 3"))
expect.equal(f:read(), "out")
expect.equal(f:read("a"), "")
expect.equal({f:close()}, {nil, "exit", 3})
f = io.popen("cat > " .. path("p"), "w")
f:write("to the command")
expect.equal({f:close()}, {true, "exit", 0})
expect.equal(fs.read(path("p")), "to the command")
expect.equal({io.popen("kill -9 $$"):close()}, {nil, "exit", 137})
expect.raises("invalid_argument", io.popen, "true", "rw")

-- Others run while one waits for a command; tasks that share a file take turns at it.
local ticks = 0
local ticker = task.every("1ms", function() ticks = ticks + 1 end)
f = io.popen("while [ ! -e " .. path("gate") .. " ]; do sleep 0.01; done; echo 1")
task.spawn(function()
  while ticks < 3 do task.sleep("1ms") end
  fs.write(path("gate"), "")
end)
expect.equal(f:read("n"), 1)
f:close()
ticker:cancel()
f = io.popen("i=0; while [ $i -lt 4000 ]; do i=$((i + 1)); echo $i; done")
local sums = task.map({1, 2, 3, 4}, function()
  local sum = 0
  for _ = 1, 1000 do sum = sum + f:read("n") end
  return sum
end)
expect.equal(sums[1] + sums[2] + sums[3] + sums[4], 4000 * 4001 / 2)
f:close()

-- A cancel ends a read, and the file can still be read.
f = io.popen("read x; echo $x", "r")
expect.raises("timeout", task.with_timeout, "20ms", f.close, io.popen("sleep 600"))
f:close()
exec.run{"mkfifo", path("pipe")}
f = assert(io.open(path("pipe"), "r+")) -- with a writer, so that it does not end
expect.raises("timeout", task.with_timeout, "20ms", f.read, f)
exec.run{"sh", "-c", "echo later > " .. path("pipe")}
expect.equal(f:read(), "later")
exec.run{"mkfifo", path("nobody")}
expect.raises("timeout", task.with_timeout, "20ms", io.open, path("nobody"))
expect.raises("timeout", task.with_timeout, "20ms", io.open, path("nobody"), "w")

-- What a script leaves open is written and closed at its end; a command is ended.
assert(io.open(path("left"), "w")):write("left open")
io.popen("sleep 600")
