local dir = fs.temp_dir()
local function path(name) return dir .. "/" .. name end
local bytes = "a\0b\255\n"

-- Whole files.
fs.write(path("a"), bytes)
expect.equal(fs.read(path("a")), bytes)
fs.write(path("a"), "")
expect.equal(fs.read(path("a")), "")
fs.append(path("a"), "1")
fs.append(path("a"), "2")
expect.equal(fs.read(path("a")), "12")
fs.append(path("new"), "x")
expect.equal(fs.read(path("new")), "x")
expect.equal(#fs.read("/proc/self/status") > 0, true) -- says that its size is 0

-- Modes: the old file's, or what is asked for.
fs.write(path("m"), "1", {mode = "0600"})
expect.equal(fs.stat(path("m")).mode, "0600")
fs.write(path("m"), "2")
expect.equal(fs.stat(path("m")).mode, "0600")
fs.write(path("m"), "3", {mode = 644})
expect.equal(fs.stat(path("m")).mode, "0644")
for _, mode in ipairs{"0999", "rw-r--r--", "01777", -1, true} do
  expect.raises("invalid_argument", fs.write, path("m"), "x", {mode = mode})
end
expect.equal(fs.read(path("m")), "3")

-- A link stays a link; nothing is left beside the file.
exec.run{"ln", "-s", "m", path("link")}
fs.write(path("link"), "through")
expect.equal(fs.read(path("m")), "through")
expect.equal(fs.stat(path("link")).is_link, true)
expect.equal(fs.stat(path("link")).size, 7)
expect.equal(fs.list(dir), {"a", "link", "m", "new"})

-- What cannot be written leaves what was there.
expect.match(expect.raises("io", fs.write, dir, "x").message, "is a directory")
expect.match(expect.raises("io", fs.write, path("no/such"), "x").message, "no such file")
expect.match(expect.raises("io", fs.write, "/dev/null", "x").message, "plain file")
expect.raises("io", fs.append, dir, "x")

-- Whether and what.
expect.equal(fs.exists(path("a")), true)
expect.equal(fs.exists(dir), true)
expect.equal(fs.exists(path("none")), false)
expect.equal(fs.exists(path("a/below a file")), false)
exec.run{"ln", "-s", "nowhere", path("dangling")}
expect.equal(fs.exists(path("dangling")), false)
expect.equal(fs.stat(path("dangling")).is_link, true)
expect.equal(fs.stat(path("none")), nil)
local info = fs.stat(path("a"))
expect.equal({info.name, info.size, info.is_dir, info.is_link}, {"a", 2, false, false})
expect.equal(math.abs(info.modified - time.now()) < 60, true)
expect.equal(fs.stat(dir).is_dir, true)

-- Folders.
fs.mkdir(path("d/e/f"))
fs.mkdir(path("d/e/f"))
fs.write(path("d/e/x"), "")
expect.equal(fs.list(path("d/e")), {"f", "x"})
expect.equal(fs.list(path("d/e/f")), {})
expect.raises("io", fs.mkdir, path("a"))
expect.raises("io", fs.list, path("none"))
expect.raises("io", fs.list, path("a"))

-- Removing.
expect.match(expect.raises("io", fs.remove, path("d")).hint, "recursive")
expect.equal(fs.exists(path("d/e/x")), true)
expect.equal(fs.remove(path("d"), {recursive = true}), true)
expect.equal(fs.remove(path("d"), {recursive = true}), false)
expect.equal(fs.remove(path("link")), true) -- the link, not what it leads to
expect.equal(fs.exists(path("m")), true)
expect.equal(fs.remove(path("dangling")), true)
expect.equal(fs.remove(path("none")), false)
expect.match(expect.raises("invalid_argument", fs.remove, "/", {recursive = true}).message, "whole file system")
expect.raises("invalid_argument", fs.remove, "/tmp/..", {recursive = true})

-- Renaming.
fs.rename(path("a"), path("new"))
expect.equal(fs.read(path("new")), "12")
expect.equal(fs.exists(path("a")), false)
expect.match(expect.raises("io", fs.rename, path("a"), path("b")).message, "a to .*b: no such file")

-- Errors name function, path and cause.
local err = expect.raises("io", fs.read, path("none"))
expect.equal(err.message, "fs.read: " .. path("none") .. ": no such file or directory")
expect.equal({err.op, err.key}, {"fs.read", path("none")})
expect.match(expect.raises("io", fs.read, dir).message, "is a directory")
for _, f in ipairs{fs.read, fs.exists, fs.stat, fs.list, fs.mkdir, fs.remove} do
  expect.raises("invalid_argument", f)
  expect.raises("invalid_argument", f, "")
  expect.raises("invalid_argument", f, {})
end
expect.raises("invalid_argument", fs.write, path("x"))
expect.match(expect.raises("invalid_argument", fs.write, path("x"), "", {mod = 1}).message, '"mode"')
expect.raises("invalid_argument", fs.rename, "", path("x"))
expect.raises("invalid_argument", fs.rename, path("x"), "")
expect.match(expect.raises("invalid_argument", fs.read, fs, "x").message, "use a dot")

-- A named pipe is read as it is written to, and a read of one ends with its task.
exec.run{"mkfifo", path("pipe")}
local reader = task.spawn(fs.read, path("pipe"))
task.yield()
exec.run{"sh", "-c", 'echo through > "$0"', path("pipe")}
expect.equal(reader:join(), "through\n")
expect.raises("timeout", task.with_timeout, "20ms", fs.read, path("pipe"))
expect.raises("timeout", task.with_timeout, "20ms", fs.append, path("pipe"), "x")
local full = task.spawn(fs.append, path("pipe"), ("x"):rep(1024 * 1024)) -- more than a pipe holds
local slow = assert(io.open(path("pipe")))
expect.equal(slow:read(1), "x")
full:cancel()
expect.raises("cancelled", full.join, full)
slow:close()
