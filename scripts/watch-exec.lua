#!/usr/bin/env -S etcdlua run --
-- Runs a command for each change under a prefix, with the event as JSON on its stdin.
--
--   etcdlua run scripts/watch-exec.lua PREFIX COMMAND [ARG…]
--
-- ETCD_KEY, ETCD_EVENT (put or delete) and ETCD_REVISION are in the command's environment.
-- A value that is no UTF-8 text comes as value_base64. A command that fails is reported,
-- and the next change is handled as usual. Ctrl-C ends it.

local prefix = args[1]
if not prefix or not args[2] then
  io.stderr:write("usage: etcdlua run watch-exec.lua PREFIX COMMAND [ARG…]\n")
  os.exit(2)
end

local function put_text(object, name, bytes)
  if bytes == nil then
    return
  end
  if utf8.len(bytes) then
    object[name] = bytes
  else
    object[name .. "_base64"] = base64.encode(bytes)
  end
end

local function to_json(event)
  local object = {type = event.type, mod_revision = event.mod_revision, version = event.version}
  put_text(object, "key", event.key)
  put_text(object, "value", event.value)
  return json.encode(object)
end

local function handle(_, _, event)
  local command = {
    stdin = to_json(event) .. "\n",
    check = false,
    env = {ETCD_EVENT = event.type, ETCD_REVISION = tostring(event.mod_revision)},
  }
  if not event.key:find("\0", 1, true) then -- an environment cannot hold it
    command.env.ETCD_KEY = event.key
  end
  for i = 2, #args do
    command[#command + 1] = args[i]
  end
  local ok, result = pcall(exec.run, command)
  if not ok then
    log.error("the command could not be run", {key = event.key, error = tostring(result)})
    return
  end
  io.write(result.stdout)
  io.stderr:write(result.stderr)
  if result.code ~= 0 then
    log.warn("the command failed", {key = event.key, code = result.code})
  end
end

etcd.watch(prefix, handle)
log.info("watching", {prefix = prefix})
