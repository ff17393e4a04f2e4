-- A program, its arguments, its streams.
local r = exec.run{"sh", "-c", 'printf %s "$1"; printf err >&2', "sh", "a b'\"$x"}
expect.equal(r, {code = 0, stdout = "a b'\"$x", stderr = "err"})
expect.equal(exec.run{"cat"}.stdout, "") -- standard input is empty
expect.equal(exec.run{"cat", stdin = "in\0\255"}.stdout, "in\0\255")
expect.equal(exec.run{"echo", 42}.stdout, "42\n")
local big = ("x"):rep(1024 * 1024)
expect.equal(exec.run{"cat", stdin = big}.stdout == big, true)
expect.equal(exec.run{"true", stdin = big}.code, 0) -- a program need not read what it is given

-- Folder and variables.
local dir = fs.temp_dir()
expect.equal(exec.run{"sh", "-c", "pwd -P", dir = dir}.stdout, exec.run{"realpath", dir}.stdout)
local env = exec.run{"sh", "-c", 'echo "$A,$HOME,$B"', env = {A = "1", B = 2}}.stdout
expect.equal(env, "1," .. (os.getenv("HOME") or "") .. ",2\n")

-- How it ends.
local err = expect.raises("exit_status", exec.run, {"sh", "-c", "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3"})
expect.match(err.message, "^exec.run: sh ended with exit code 3: line 3\n")
expect.match(err.message, "line 7$")
expect.equal(err.key, "sh")
expect.equal(exec.run{"sh", "-c", "exit 3", check = false}.code, 3)
expect.equal(exec.run{"sh", "-c", "kill -9 $$", check = false}.code, 137)
expect.match(expect.raises("exit_status", exec.run, {"sh", "-c", "kill $$"}).message, "143")

-- What does not start.
expect.match(expect.raises("not_found", exec.run, {"etcdlua-no-such-program"}).message, "etcdlua%-no%-such%-program")
expect.raises("not_found", exec.run, {"./no-such-program"})
expect.match(expect.raises("io", exec.run, {dir .. "/../"}).message, "[Pp]ermission")
expect.match(expect.raises("io", exec.run, {"true", dir = dir .. "/missing"}).message, "is not a folder")
fs.write(dir .. "/plain", "")
expect.raises("io", exec.run, {dir .. "/plain"})

-- Bad calls.
expect.raises("invalid_argument", exec.run)
expect.match(expect.raises("invalid_argument", exec.run, {}).hint, "exec.run{")
expect.raises("invalid_argument", exec.run, {""})
expect.raises("invalid_argument", exec.run, "ls -l")
expect.raises("invalid_argument", exec.run, {"echo", {}})
expect.raises("invalid_argument", exec.run, {"echo", "a\0b"})
expect.raises("invalid_argument", exec.run, {"echo", nil, "x"})
expect.match(expect.raises("invalid_argument", exec.run, {"true", timeuot = 1}).message, '"timeout"')
expect.raises("invalid_argument", exec.run, {"true", on_line = print}) -- not yet
expect.raises("invalid_argument", exec.run, {"true", [1.5] = 1})
expect.raises("invalid_argument", exec.run, {"true", env = {1}})
expect.raises("invalid_argument", exec.run, {"true", env = {A = {}}})

-- Others run meanwhile: the program waits for a file that another task makes.
local gate = dir .. "/gate"
local waiter = task.spawn(exec.run, {"sh", "-c", 'while [ ! -e "$0" ]; do sleep 0.01; done; echo through', gate})
task.yield()
fs.write(gate, "")
expect.equal(waiter:join().stdout, "through\n")

-- A timeout and a cancel end the program and what it started.
local function pids() return fs.read(dir .. "/pids") end
local function alive() -- those of pids that run; who has ended may wait for its new parent to notice
  local list = {}
  for pid in pids():gmatch("%d+") do
    local ok, stat = pcall(fs.read, "/proc/" .. pid .. "/stat")
    if ok and not stat:match("%) Z") then list[#list + 1] = pid end
  end
  return #list > 0
end
local function await_death() -- KILL takes its moment
  while alive() do task.sleep("5ms") end
end
local forks = 'sleep 600 & echo $! > "$0/pids"; echo $$ >> "$0/pids"; touch "$0/up"; wait'
err = expect.raises("timeout", exec.run, {"sh", "-c", forks, dir, timeout = "200ms"})
expect.match(err.message, "sh did not end within 200ms")
expect.match(pids(), "%d+\n%d+\n")
await_death()

fs.remove(dir .. "/up")
local t = task.spawn(exec.run, {"sh", "-c", forks, dir})
while not fs.exists(dir .. "/up") do task.sleep("5ms") end
t:cancel()
expect.raises("cancelled", t.join, t)
await_death()

-- One that does not heed TERM is killed; so is what still holds the output of a program that ended.
local stubborn = 'trap "" TERM; echo $$ > "$0/pids"; while :; do sleep 0.05; done'
expect.raises("timeout", exec.run, {"sh", "-c", stubborn, dir, timeout = "200ms"})
await_death()
local left = 'sleep 600 & echo $! > "$0/pids"; echo done'
expect.equal(exec.run{"sh", "-c", left, dir}.stdout, "done\n")
await_death()

-- One that never stops writing is stopped.
expect.raises("limit_exceeded", exec.run, {"cat", "/dev/zero"})
