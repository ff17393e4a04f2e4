-- etcd.watch and etcd.events.
local P = PREFIX

-- collect returns a handler that keeps what it is given, and a function that waits for n of it.
local function collect()
  local ch = task.channel(10000)
  return function(...) ch:send(table.pack(...)) end, function(n)
    local list = {}
    for i = 1, n do
      local item, ok, why = ch:recv(30)
      assert(ok, why)
      list[i] = item
    end
    return list
  end, ch
end

-- created before it returns; puts and deletes; the third parameter
local handler, take = collect()
local w = etcd.watch(P .. "a/", function(key, value, event) handler(key, value, event) end)
local r1 = etcd.set(P .. "a/1", "x")
etcd.delete(P .. "a/1")
etcd.set(P .. "b/1", "not watched")
local got = take(2)
expect.equal(got[1][1], P .. "a/1")
expect.equal(got[1][2], "x")
expect.equal(got[1][3].type, "put")
expect.equal(got[1][3].key, P .. "a/1")
expect.equal(got[1][3].value, "x")
expect.equal(got[1][3].mod_revision, r1)
expect.equal(got[1][3].create_revision, r1)
expect.equal(got[1][3].version, 1)
expect.equal(got[1][3].prev, nil)
expect.equal(got[2][1], P .. "a/1")
expect.equal(got[2][2], nil)
expect.equal(got[2][3].type, "delete")
assert(got[2][3].mod_revision > r1)
expect.equal(w:name(), nil)
w:cancel()
w:wait()
w:cancel()
etcd.set(P .. "a/2", "after the end")

-- a list of prefixes, overlapping: each event once, in the order of revisions
handler, take = collect()
w = etcd.watch({P .. "m/", P .. "m/x/", P .. "n/", P .. "m/"}, handler)
for i = 1, 50 do
  etcd.set(P .. (i % 2 == 0 and "m/x/" or "n/") .. i, i)
end
got = take(50)
for i = 1, 50 do
  expect.equal(got[i][2], tostring(i))
end
w:cancel()

-- exact keys
handler, take = collect()
w = etcd.watch({P .. "e/1", P .. "e/2"}, handler, {exact = true})
etcd.set(P .. "e/10", "no")
etcd.set(P .. "e/2", "yes")
expect.equal(take(1)[1][2], "yes")
w:cancel()

-- prev, filter, from_revision
local start = etcd.set(P .. "p/1", "old")
etcd.set(P .. "p/1", "new")
etcd.delete(P .. "p/1")
handler, take = collect()
w = etcd.watch(P .. "p/", handler, {from_revision = start, prev = true})
got = take(3)
expect.equal(got[1][3].prev, nil)
expect.equal(got[2][3].prev.value, "old")
expect.equal(got[3][3].prev.value, "new")
w:cancel()
handler, take = collect()
w = etcd.watch(P .. "p/", handler, {from_revision = start, filter = "delete"})
expect.equal(take(1)[1][3].type, "delete")
w:cancel()
handler, take = collect()
w = etcd.watch(P .. "p/", handler, {from_revision = start, filter = "put"})
expect.equal(take(2)[2][2], "new")
w:cancel()

-- initial: what is there, then what changes; synced waits for the first part
for i = 1, 5 do
  etcd.set(P .. "i/" .. i, "there")
end
handler, take = collect()
w = etcd.watch(P .. "i/", handler, {initial = true})
w:synced()
etcd.set(P .. "i/6", "new")
got = take(6)
for i = 1, 5 do
  expect.equal(got[i][1], P .. "i/" .. i)
  expect.equal(got[i][3].initial, true)
end
expect.equal(got[6][2], "new")
expect.equal(got[6][3].initial, nil)
w:cancel()

-- batch: all events of a revision together
handler, take = collect()
w = etcd.watch(P .. "t/", handler, {batch = true})
for i = 1, 3 do
  etcd.set(P .. "t/" .. i, i)
end
etcd.prefix(P .. "t/"):delete()
got = take(4)
expect.equal(#got[1][1], 1)
expect.equal(#got[4][1], 3)
expect.equal(got[4][2], got[4][1][1].mod_revision)
expect.equal(got[4][1][3].key, P .. "t/3")
w:cancel()

-- revision and lag
handler, take = collect()
w = etcd.watch(P .. "r/", handler)
local rev = etcd.set(P .. "r/1", "x")
take(1)
etcd.set(P .. "elsewhere", "y")
for _ = 1, 1000 do
  if w:lag() == 0 then
    break
  end
  task.sleep("10ms")
end
expect.equal(w:lag(), 0)
assert(w:revision() > rev)
w:cancel()

-- a handler may do whatever a script may, and cancel its own watch
local done = task.channel(1)
w = etcd.watch(P .. "h/", function(key, value)
  etcd.set(P .. "copy", value)
  task.sleep("1ms")
  local inner = etcd.watch(P .. "inner/", print)
  inner:cancel()
  local sum = task.all{function() return etcd.get(P .. "copy") end}
  w:cancel()
  done:send(sum[1] .. key)
end)
etcd.set(P .. "h/1", "v")
expect.equal(done:recv(), "v" .. P .. "h/1")
w:wait()

-- a handler that raises is called again, then the watch fails with its error
local calls, redelivered = 0, nil
w = etcd.watch(P .. "f/", function(_, _, event)
  calls = calls + 1
  redelivered = event.redelivered
  if calls < 3 then
    error("not yet")
  end
  done:send("handled")
end, {retry = {attempts = 3, min = "1ms", max = "2ms"}})
etcd.set(P .. "f/1", "x")
expect.equal(done:recv(), "handled")
expect.equal(calls, 3)
expect.equal(redelivered, true)
w:cancel()
w = etcd.watch(P .. "g/", function() error({code = "mine"}) end, {retry = {attempts = 1}})
local waiter = task.spawn(pcall, w.wait, w)
task.yield()
etcd.set(P .. "g/1", "x")
local ok, err = waiter:join()
expect.equal(ok, false)
expect.equal(err.code, "mine")

-- many events to a slow handler within a small backlog: nothing is lost
local n, expected = 0, 3000
w = etcd.watch(P .. "s/", function(_, value)
  n = n + 1
  expect.equal(value, tostring(n))
  if n % 500 == 0 then
    task.sleep("5ms")
  end
  if n == expected then
    done:send("all")
  end
end, {max_backlog = 100})
local writer = task.spawn(function()
  for i = 1, expected do
    etcd.set(P .. "s/" .. i % 7, i)
  end
end)
expect.equal(done:recv(), "all")
writer:join()
w:cancel()

-- a cancelled scope ends its watches
task.with_timeout(10, function()
  etcd.watch(P .. "scope/", print)
end)

-- events: pulled, closed from elsewhere, not keeping the program alive
local events = etcd.events({P .. "v/", P .. "w/"}, {prev = true})
etcd.set(P .. "v/1", "1")
etcd.set(P .. "w/1", "2")
local seen = {}
for event in events do
  seen[#seen + 1] = event.value
  if #seen == 2 then
    events:close()
  end
end
expect.equal(table.concat(seen), "12")
events = etcd.events(P .. "none/")
task.after("5ms", function() events:close() end)
for _ in events do
  error("there is no event")
end
etcd.events(P .. "left open/")

-- refused
expect.raises("invalid_argument", etcd.watch, {}, print)
expect.raises("invalid_argument", etcd.watch, P)
expect.raises("invalid_argument", etcd.watch, P, "print")
expect.raises("invalid_argument", etcd.watch, P, print, {filter = "puts"})
expect.raises("invalid_argument", etcd.watch, P, print, {from_revision = -1})
expect.raises("invalid_argument", etcd.watch, P, print, {initial = true, from_revision = 5})
expect.raises("invalid_argument", etcd.watch, "", print, {exact = true})
expect.raises("invalid_argument", etcd.watch, P, print, {retry = {attempts = 0}})
err = expect.raises("invalid_argument", etcd.watch, P, print, {retry = {atempts = 1}})
expect.match(err.message, 'did you mean "attempts"')
