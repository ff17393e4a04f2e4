#!/usr/bin/env -S etcdlua run --
-- Writes the keys under a prefix as JSON lines, at one revision, for scripts/import.lua.
--
--   etcdlua run scripts/export.lua [PREFIX] > keys.jsonl
--
-- One line a key: {"key": …, "value": …}. A key or value that is no UTF-8 text is written
-- as key_base64 or value_base64. Without PREFIX it is every key. Leases are not exported.

local prefix = args[1] or ""
if prefix:sub(1, 2) == "--" or args[2] then
  io.stderr:write("usage: etcdlua run export.lua [PREFIX]\n")
  os.exit(2)
end

local function put_text(object, name, bytes)
  if utf8.len(bytes) then
    object[name] = bytes
  else
    object[name .. "_base64"] = base64.encode(bytes)
  end
end

local query = etcd.prefix(prefix)
local count = 0
for key, value in query do
  local object = {}
  put_text(object, "key", key)
  put_text(object, "value", value)
  io.write(json.encode(object), "\n")
  count = count + 1
end
io.stderr:write(("exported %d keys at revision %d\n"):format(count, query:revision()))
