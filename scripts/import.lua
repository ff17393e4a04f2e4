#!/usr/bin/env -S etcdlua run --
-- Writes keys from JSON lines, as scripts/export.lua makes them.
--
--   etcdlua run scripts/import.lua [--dry-run] [FILE]
--
-- Reads FILE, or standard input. Keys that already have the value are left alone, so that
-- it can be run again. With --dry-run nothing is written: it prints what would be, a line a
-- key: + created, ~ changed. Keys that are not in the file are never touched.

local dry_run, path = false, nil
for _, arg in ipairs(args) do
  if arg == "--dry-run" then
    dry_run = true
  elseif arg:sub(1, 2) == "--" or path then
    io.stderr:write("usage: etcdlua run import.lua [--dry-run] [FILE]\n")
    os.exit(2)
  else
    path = arg
  end
end

local function bytes(object, name, line)
  local plain, encoded = object[name], object[name .. "_base64"]
  if type(plain) == "string" then
    return plain
  elseif type(encoded) == "string" then
    local ok, decoded = pcall(base64.decode, encoded)
    if not ok then
      error(("line %d: %s_base64 is not base64"):format(line, name), 0)
    end
    return decoded
  end
  error(("line %d: there is neither %q nor %q"):format(line, name, name .. "_base64"), 0)
end

local function parse(text, line)
  local ok, object = pcall(json.decode, text)
  if not ok or type(object) ~= "table" then
    error(("line %d is no JSON object: %s"):format(line, tostring(object)), 0)
  end
  return bytes(object, "key", line), bytes(object, "value", line)
end

local created, changed, same = 0, 0, 0

local function show(sign, key)
  print(sign .. " " .. (utf8.len(key) and key or "base64:" .. base64.encode(key)))
end

-- Many keys are read at once, and written by several tasks side by side.
local function flush(batch)
  local keys = {}
  for i, item in ipairs(batch) do
    keys[i] = item.key
  end
  local current = etcd.get_many(keys)
  task.map(batch, function(item)
    local before = current[item.key]
    if before == item.value then
      same = same + 1
      return
    end
    if before == nil then
      created = created + 1
    else
      changed = changed + 1
    end
    if dry_run then
      show(before == nil and "+" or "~", item.key)
    else
      etcd.set(item.key, item.value)
    end
  end, {workers = dry_run and 1 or 32})
end

local function open()
  if not path or path == "-" then
    return io.stdin
  end
  local file, why = io.open(path, "rb")
  if not file then
    error(why, 0)
  end
  return file
end

-- A batch holds a key once: written side by side, two values of one could swap places.
local batch, size, held, number = {}, 0, {}, 0
local function next_batch()
  flush(batch)
  batch, size, held = {}, 0, {}
end

for text in open():lines() do
  number = number + 1
  if text:find("%S") then
    local key, value = parse(text, number)
    if held[key] then
      next_batch()
    end
    held[key] = true
    batch[#batch + 1] = {key = key, value = value}
    size = size + #key + #value
    if #batch == 100 or size > 256 * 1024 then
      next_batch()
    end
  end
end
flush(batch)

local verb = dry_run and "would create %d, change %d, leave %d as they are\n"
  or "created %d, changed %d, left %d as they were\n"
io.stderr:write(verb:format(created, changed, same))
