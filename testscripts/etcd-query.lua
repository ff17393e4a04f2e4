-- etcd.range, etcd.prefix and the query object.
local P = PREFIX

local function fill(under, n, value)
  local keys = {}
  for i = 1, n do
    keys[i] = ("%s%05d"):format(under, i)
  end
  task.map(keys, function(key) etcd.set(key, value or key) end, {workers = 64})
  return keys
end

local function walk(query)
  local keys = {}
  for key in query do
    keys[#keys + 1] = key
  end
  return keys
end

-- a loop of one, two and three variables
local keys = fill(P .. "a/", 10)
local n = 0
for key, value, kv in etcd.prefix(P .. "a/") do
  n = n + 1
  expect.equal(key, keys[n])
  expect.equal(value, key)
  expect.equal(kv.key, key)
  expect.equal(kv.value, value)
  expect.equal(kv.version, 1)
  expect.equal(kv.lease, nil)
  assert(kv.mod_revision == kv.create_revision)
end
expect.equal(n, 10)

-- a kv of a loop can be walked and encoded
local first
for _, _, kv in etcd.prefix(P .. "a/", {limit = 1}) do
  first = kv
end
local fields = {}
for name, v in pairs(first) do
  fields[name] = v
end
expect.equal(fields.key, keys[1])
expect.equal(json.decode(json.encode(first)).version, 1)

-- range: [from, to), from on, empty
expect.equal(#walk(etcd.range(keys[2], keys[5])), 3)
expect.equal(#walk(etcd.range(keys[9], P .. "b")), 2)
expect.equal(#walk(etcd.range(keys[5], keys[5])), 0)
expect.equal(#walk(etcd.range(keys[5], keys[2])), 0)
expect.equal(etcd.range(keys[9], {limit = 1}):first().key, keys[9])
expect.raises("invalid_argument", etcd.range, "a", "")

-- prefixes of any bytes
for _, name in ipairs{"\255", "\255\255", "x\255", "x\255\255", "x\0"} do
  local prefix = P .. name
  etcd.set(prefix, "itself")
  etcd.set(prefix .. "\0", "below")
  etcd.set(prefix .. "\255", "last")
  local found = {}
  for key in etcd.prefix(prefix) do
    found[key] = true
    expect.equal(key:sub(1, #prefix), prefix)
  end
  assert(found[prefix] and found[prefix .. "\0"] and found[prefix .. "\255"])
end

-- used many times, nested, left by break, from several tasks
local q = etcd.prefix(P .. "a/")
expect.equal(#walk(q), 10)
expect.equal(#walk(q), 10)
local pairs_seen = 0
for _ in q do
  for _ in q do
    pairs_seen = pairs_seen + 1
  end
end
expect.equal(pairs_seen, 100)
for _ = 1, 30 do
  for _ in q do -- luacheck: ignore 512
    break
  end
end
expect.equal(#walk(q), 10)
local counts = task.map({1, 2, 3, 4}, function() return #walk(q) end)
for i = 1, 4 do
  expect.equal(counts[i], 10)
end

-- list, map, keys, first, count, revision, iter
expect.equal(q:list()[3].key, keys[3])
expect.equal(q:list()[3].value, keys[3])
expect.equal(q:map()[keys[4]], keys[4])
expect.equal(q:keys()[5], keys[5])
expect.equal(#q:keys(), 10)
expect.equal(q:first().key, keys[1])
expect.equal(q:count(), 10)
local nothing = etcd.prefix(P .. "nothing/")
expect.equal(nothing:first(), nil)
expect.equal(nothing:count(), 0)
expect.equal(#nothing:list(), 0)
expect.equal(next(nothing:map()), nil)
expect.equal(etcd.prefix(P):revision(), nil)
local fresh = etcd.prefix(P .. "a/")
fresh:first()
assert(fresh:revision() > 0)
local next_pair = q:iter()
expect.equal(next_pair(), keys[1])
expect.equal((next_pair()), keys[2])

-- lazy: it reads when it is walked
local lazy = etcd.prefix(P .. "lazy/")
etcd.set(P .. "lazy/1", "x")
expect.equal(lazy:count(), 1)

-- many pages, all at one revision whatever is written meanwhile
local many = fill(P .. "many/", 2500, "old")
local seen = 0
for key, value in etcd.prefix(P .. "many/", {page_size = 100}) do
  seen = seen + 1
  expect.equal(key, many[seen])
  expect.equal(value, "old")
  if seen == 50 then
    etcd.set(many[2000], "new")
    etcd.delete(many[2100])
  end
end
expect.equal(seen, 2500)
expect.equal(#etcd.prefix(P .. "many/"):keys(), 2499)

-- options: limit, revision, keys_only, order, filters
expect.equal(#etcd.prefix(P .. "many/", {limit = 1500, page_size = 100}):list(), 1500)
expect.equal(etcd.prefix(P .. "many/", {limit = 7}):count(), 7)
local rev = etcd.set(P .. "o/1", "c")
etcd.set(P .. "o/2", "a")
local last = etcd.set(P .. "o/3", "b")
expect.equal(#etcd.prefix(P .. "o/", {revision = rev}):list(), 1)
expect.equal(etcd.prefix(P .. "o/", {keys_only = true}):first().value, "")
local function order(how)
  local out = {}
  for key in etcd.prefix(P .. "o/", {order = how}) do
    out[#out + 1] = key:sub(-1)
  end
  return table.concat(out)
end
expect.equal(order("key"), "123")
expect.equal(order("key desc"), "321")
expect.equal(order("value"), "231")
expect.equal(order("value desc"), "132")
expect.equal(order("mod_revision desc"), "321")
expect.equal(order("create_revision"), "123")
expect.equal(order("version"):len(), 3)
expect.equal(etcd.prefix(P .. "many/", {order = "key desc"}):first().key, many[2500])
expect.equal(#etcd.prefix(P .. "many/", {order = "key desc", page_size = 300}):list(), 2499)
expect.equal(#etcd.prefix(P .. "o/", {min_mod_revision = last}):list(), 1)
expect.equal(#etcd.prefix(P .. "o/", {max_mod_revision = rev}):list(), 1)
expect.equal(#etcd.prefix(P .. "o/", {min_create_revision = rev + 1, limit = 1}):list(), 1)
local err = expect.raises("invalid_argument", etcd.prefix, P, {order = "size"})
expect.match(err.message .. tostring(err.hint), "mod_revision")
expect.raises("invalid_argument", etcd.prefix, P, {limit = 0})
expect.raises("invalid_argument", etcd.prefix, P, {page_size = -1})
expect.raises("invalid_argument", etcd.prefix, P, {orderr = "key"})

-- an order other than by key over too many keys is refused, not tried (the bound is 100,000;
-- limit and sort_all lift it)
expect.equal(#etcd.prefix(P .. "many/", {order = "value", sort_all = true, limit = 3}):list(), 3)

-- delete
err = expect.raises("guarded", function() etcd.prefix(P .. "many/"):delete{max = 10} end)
expect.match(err.message, "2499")
expect.equal(etcd.prefix(P .. "many/"):count(), 2499)
expect.equal(etcd.prefix(P .. "many/"):delete{max = 2499}, 2499)
local count, deleted = etcd.prefix(P .. "o/"):delete{prev = true}
expect.equal(count, 3)
expect.equal(deleted[1].value, "c")
expect.raises("guarded", function() etcd.prefix(""):delete() end)
expect.raises("guarded", function() etcd.range(""):delete() end)
expect.raises("invalid_argument", function() etcd.prefix(P .. "a/", {limit = 1}):delete() end)
expect.equal(etcd.prefix(P .. "a/"):count(), 10)

-- the wrong mark
err = expect.raises("invalid_argument", function() return q.list() end)
expect.match(err.message, "use a colon")
err = expect.raises("invalid_argument", function() return q:list(5) end)
expect.match(err.message, "too many arguments")

-- watch and events of a query
local got = task.channel(4)
local w = etcd.range(P .. "w/b", P .. "w/d"):watch(function(key) got:send(key) end)
for _, name in ipairs{"a", "b", "c", "d"} do
  etcd.set(P .. "w/" .. name, "x")
end
expect.equal(got:recv(), P .. "w/b")
expect.equal(got:recv(), P .. "w/c")
w:cancel()
expect.raises("invalid_argument", function() etcd.prefix(P, {limit = 1}):watch(print) end)
local events = etcd.prefix(P .. "w/"):events()
etcd.set(P .. "w/z", "1")
expect.equal(events().key, P .. "w/z")
events:close()
