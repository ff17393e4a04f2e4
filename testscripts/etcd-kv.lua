-- etcd.get, kv, get_many, wait, set, delete, status: every option of the contract.
local P = PREFIX

-- absent, empty and binary are three things
expect.equal(etcd.get(P .. "none"), nil)
etcd.set(P .. "empty", "")
expect.equal(etcd.get(P .. "empty"), "")
etcd.set(P .. "\0\255", "\0\1\255")
expect.equal(etcd.get(P .. "\0\255"), "\0\1\255")

-- a read returns one value, so that it can stand anywhere
expect.equal(select("#", etcd.get(P .. "none")), 1)
etcd.set(P .. "n", 42)
expect.equal(tonumber(etcd.get(P .. "n")), 42)
etcd.set(P .. "copy", etcd.get(P .. "n"))
local list = {}
table.insert(list, etcd.get(P .. "copy"))
expect.equal(list[1], "42")

-- default, required, revision, serializable, timeout
expect.equal(etcd.get(P .. "none", {default = "d"}), "d")
expect.equal(etcd.get(P .. "none", {default = false}), false)
expect.equal(etcd.get(P .. "n", {default = "d"}), "42")
local err = expect.raises("key_not_found", etcd.get, P .. "none", {required = true})
expect.equal(err.key, P .. "none")
expect.raises("key_not_found", etcd.kv, P .. "none", {required = true})
local r1 = etcd.set(P .. "rev", "one")
local r2 = etcd.set(P .. "rev", "two")
expect.equal(r2 > r1, true) -- other scripts write to the same etcd
expect.equal(etcd.get(P .. "rev", {revision = r1}), "one")
expect.equal(etcd.get(P .. "rev", {serializable = true, timeout = "5s"}), "two")
expect.raises("future_revision", etcd.get, P .. "rev", {revision = r2 + 1000000})
expect.raises("invalid_argument", etcd.get, P .. "rev", {revision = -1})

-- kv
local kv = etcd.kv(P .. "rev")
expect.equal(kv.key, P .. "rev")
expect.equal(kv.value, "two")
expect.equal(kv.version, 2)
expect.equal(kv.create_revision, r1)
expect.equal(kv.mod_revision, r2)
expect.equal(kv.lease, nil)
expect.equal(etcd.kv(P .. "none"), nil)

-- get_many: one revision, missing keys left out, any number, repeated too
local many = etcd.get_many{P .. "rev", P .. "none", P .. "n", P .. "rev"}
expect.equal(many[P .. "rev"], "two")
expect.equal(many[P .. "n"], "42")
expect.equal(many[P .. "none"], nil)
expect.equal(next(etcd.get_many{}), nil)
local keys = {}
for i = 1, 300 do
  keys[i] = P .. "many/" .. i
end
task.map(keys, function(key, i) etcd.set(key, i) end)
local got = etcd.get_many(keys)
for i = 1, 300 do
  expect.equal(got[keys[i]], tostring(i))
end
expect.equal(etcd.get_many({P .. "rev"}, {revision = r1})[P .. "rev"], "one")

-- set: prev, conditions, what is found when they are not met
expect.equal(select(2, etcd.set(P .. "c", "1", {prev = true})), nil)
local rev, prev = etcd.set(P .. "c", "2", {prev = true})
expect.equal(prev.value, "1")
local ok, now = etcd.set(P .. "c", "3", {if_absent = true})
expect.equal(ok, nil)
expect.equal(now.value, "2")
expect.equal(now.mod_revision, rev)
expect.equal(etcd.get(P .. "c"), "2")
ok, now = etcd.set(P .. "new", "3", {if_exists = true})
expect.equal(ok, nil)
expect.equal(now, nil)
assert(etcd.set(P .. "new", "1", {if_absent = true}))
assert(etcd.set(P .. "new", "2", {if_exists = true}))
assert(etcd.set(P .. "new", "3", {if_value = "2"}))
ok, now = etcd.set(P .. "new", "4", {if_value = "2"})
expect.equal(ok, nil)
expect.equal(now.value, "3")
assert(etcd.set(P .. "new", "5", {if_mod_revision = now.mod_revision}))
assert(not etcd.set(P .. "new", "6", {if_mod_revision = now.mod_revision}))
assert(etcd.set(P .. "fresh", "1", {if_mod_revision = 0}))

-- ttl, lease, keep_lease, keep_value
assert(etcd.set(P .. "ttl", "x", {ttl = 60}))
local lease = etcd.kv(P .. "ttl").lease
expect.match(lease, "^" .. ("%x"):rep(16) .. "$")
etcd.set(P .. "same-lease", "y", {lease = lease})
expect.equal(etcd.kv(P .. "same-lease").lease, lease)
etcd.set(P .. "ttl", "z", {keep_lease = true})
expect.equal(etcd.kv(P .. "ttl").lease, lease)
etcd.set(P .. "ttl", nil, {keep_value = true, keep_lease = true})
expect.equal(etcd.get(P .. "ttl"), "z")
etcd.set(P .. "ttl", "z")
expect.equal(etcd.kv(P .. "ttl").lease, nil)
expect.raises("lease_not_found", etcd.set, P .. "x", "1", {lease = "1234"})
err = expect.raises("invalid_argument", etcd.set, P .. "x", "1", {lease = 1234})
expect.match(err.message, "64 bits")
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {lease = "xyz"})
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {ttl = 1.5})
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {ttl = 0})
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {ttl = 5, lease = lease})
expect.raises("key_not_found", etcd.set, P .. "absent", nil, {keep_value = true})
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {keep_value = true})
expect.raises("invalid_argument", etcd.set, P .. "x", "1", {if_absent = true, if_exists = true})
expect.equal(etcd.get(P .. "x"), nil)

-- delete
expect.equal(etcd.delete(P .. "none"), 0)
etcd.set(P .. "d", "1")
local count, deleted = etcd.delete(P .. "d", {prev = true})
expect.equal(count, 1)
expect.equal(deleted[1].value, "1")
etcd.set(P .. "d", "2")
ok, now = etcd.delete(P .. "d", {if_value = "1"})
expect.equal(ok, nil)
expect.equal(now.value, "2")
expect.equal(etcd.delete(P .. "d", {if_mod_revision = now.mod_revision}), 1)

-- wait: what is there, what comes, what does not come
expect.equal(etcd.wait(P .. "n"), "42")
task.after("5ms", etcd.set, P .. "later", "no")
task.after("15ms", etcd.set, P .. "later", "yes")
expect.equal(etcd.wait(P .. "later", function(v) return v == "yes" end, {timeout = 30}), "yes")
err = expect.raises("timeout", etcd.wait, P .. "never", {timeout = "20ms"})
expect.match(err.message, "never")

-- refused before anything is sent
etcd.delete(P .. "k")
expect.raises("invalid_argument", etcd.get, "")
expect.raises("invalid_argument", etcd.set, "", "x")
expect.raises("invalid_argument", etcd.set, P .. "k")
err = expect.raises("invalid_argument", etcd.set, P .. "k", nil)
expect.match(err.hint, "etcd.delete")
expect.raises("invalid_argument", etcd.set, P .. "k", true)
expect.raises("invalid_argument", etcd.set, P .. "k", {})
expect.raises("invalid_argument", etcd.delete, "")
err = expect.raises("request_too_large", etcd.set, P .. "k", ("x"):rep(2 * 1024 * 1024))
expect.match(err.message, "1572864")
err = expect.raises("invalid_argument", etcd.get, P .. "k", {revison = 1})
expect.match(err.message, 'did you mean "revision"')
err = expect.raises("invalid_argument", function() etcd:get(P .. "k") end)
expect.match(err.message, "use a dot")
expect.equal(etcd.get(P .. "k"), nil)

-- an error object
expect.equal(err.code, "invalid_argument")
expect.equal(err.op, "etcd.get")
expect.equal(err.retryable, false)
expect.equal(err.outcome, "none")
expect.match(tostring(err), "etcd%-kv%.lua:%d+: invalid_argument: ")
expect.match("so: " .. err, "^so: ")
expect.match(("%s"):format(err), "invalid_argument")

-- status
local s = etcd.status()
for _, name in ipairs{
  "endpoint", "version", "storage_version", "revision", "db_size", "db_size_in_use", "db_size_quota", "leader",
  "is_leader", "is_learner", "member_id", "cluster_id", "raft_term", "raft_index", "raft_applied_index", "errors",
} do
  assert(s[name] ~= nil, name)
end
expect.equal(s.is_leader, true)
expect.equal(s.leader, s.member_id)
expect.match(s.cluster_id, "^%x+$")
expect.equal(etcd.status(s.endpoint).member_id, s.member_id)
expect.raises("unavailable", etcd.status, "127.0.0.1:1")

-- many tasks at once: each gets its own answer
local results = task.map(keys, function(key) return etcd.get(key) end, {workers = 64})
for i = 1, 300 do
  expect.equal(results[i], tostring(i))
end
