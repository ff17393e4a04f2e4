#!/usr/bin/env -S etcdlua run --
-- A tour of etcdlua: every step of working with etcd once, in order.
-- Run it:  etcdlua run scripts/tour.lua        (without an endpoint: on a throw-away etcd)
-- It writes and deletes keys under /cf/ and /foo/ only.

-- Status
local status = etcd.status()
print("etcd " .. status.version .. " at revision " .. status.revision)

-- Get value by key: a key that does not exist is nil
local value = etcd.get("/cf/foo")
if value then
  print("value=" .. value)
else
  print("no such key =(")
end

-- Set a value for a bunch of keys: each write returns its revision
for i = 0, 2 do
  local revision = etcd.set("/cf/foo0" .. i, "woa;)")
  print("value set, revision=" .. revision)
end

-- Keys and values are bytes: nothing is encoded, nothing is lost
etcd.set("/cf/bytes", "\0\255")
assert(etcd.get("/cf/bytes") == "\0\255")

-- Delete a single key: how many were deleted
print("deleted " .. etcd.delete("/cf/foo02"))

-- Iterate over a range of keys
for key, v in etcd.range("/cf/foo01", "/cf/foo05") do
  print("range: key=" .. key .. ": " .. v)
end

-- Iterate over the keys with a prefix; the third variable has the revisions
for key, v, kv in etcd.prefix("/cf/foo0") do
  print("prefix: key=" .. key .. ": " .. v .. " (version " .. kv.version .. ")")
end

-- A write that depends on a read: only if nobody was quicker
local kv = etcd.kv("/cf/foo00")
print("changed=" .. tostring(etcd.set(kv.key, "new", {if_mod_revision = kv.mod_revision}) ~= nil))
local done, now = etcd.set(kv.key, "late", {if_mod_revision = kv.mod_revision})
print("changed=" .. tostring(done ~= nil) .. ", it is " .. now.value)

-- Watch keys for changes: the callback runs for every one, on prefixes of your choice
local seen = task.channel(16)
local watch = etcd.watch({"/cf/", "/foo/"}, function(key, v)
  print("watch callback fired for key " .. key .. ": " .. tostring(v))
  seen:send(key)
end)

-- Another task writes meanwhile: what waits never blocks the rest
task.spawn(function()
  etcd.set("/cf/foo03", "one")
  etcd.set("/foo/bar", "two")
  etcd.delete("/foo/bar")
end)
for _ = 1, 3 do
  seen:recv()
end

-- Watch for a while, then stop watching
print("watching ..")
task.sleep("200ms")
watch:cancel()

-- Errors are objects with a code
local ok, err = pcall(etcd.get, "")
print("error: " .. err.code .. " (" .. tostring(ok) .. ")")

print("deleted " .. (etcd.prefix("/cf/"):delete() + etcd.prefix("/foo/"):delete()) .. " keys, done")
