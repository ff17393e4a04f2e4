---@meta

--- The etcd client. Keys and values are byte strings: nil is absent, "" is empty.
--- Functions that talk to etcd wait; other tasks run meanwhile. Each request ends with
--- code `timeout` after its `timeout` option, or after --command-timeout.
---
--- Codes that any of them may raise: `invalid_argument` (before anything is sent),
--- `request_too_large`, `unavailable`, `timeout`, `cancelled`, `no_leader`,
--- `leader_changed`, `too_many_requests`, `permission_denied`, `unauthenticated`,
--- `no_space`. After a write that failed, err.outcome "unknown" says that it may have
--- been applied all the same: read before writing again.
etcd = {}

---@class kv
---@field key string
---@field value string
---@field version integer how often it was written since it was created
---@field create_revision integer
---@field mod_revision integer the revision of the last write
---@field lease? string the lease that it lives on, 16 hexadecimal digits
local KV = {}

---@class event
---@field type "put"|"delete"
---@field key string
---@field value? string nil for a delete
---@field prev? kv what was there before, with option prev
---@field mod_revision integer
---@field version integer 0 for a delete
---@field create_revision? integer
---@field lease? string
---@field initial? boolean an existing key, handed out because of option initial
---@field redelivered? boolean the handler had raised on it before
local Event = {}

---@class query
local Query = {}

---@class watch
local Watch = {}

---@class events
local Events = {}

--- Reads one key. A key that does not exist is nil, or what `default` says.
---@param key string
---@param opts? {revision?: integer, serializable?: boolean, default?: any, required?: boolean, timeout?: duration} required: raise `key_not_found` instead of returning nil; serializable: any member may answer, possibly with an older value
---@return string|nil value
---
---     etcd.set("/demo/a", "1")
---     assert(etcd.get("/demo/a") == "1")
---     assert(etcd.get("/demo/none", {default = "?"}) == "?")
function etcd.get(key, opts) end

--- Reads one key with its revisions.
---@param key string
---@param opts? {revision?: integer, serializable?: boolean, default?: any, required?: boolean, timeout?: duration}
---@return kv|nil
---
---     etcd.set("/demo/a", "1")
---     print(etcd.kv("/demo/a").mod_revision)
function etcd.kv(key, opts) end

--- Reads any number of keys at one revision. Keys that do not exist are left out.
---@param keys string[]
---@param opts? {revision?: integer, serializable?: boolean, timeout?: duration}
---@return table<string, string> values by key
---
---     etcd.set("/demo/a", "1")
---     local v = etcd.get_many{"/demo/a", "/demo/none"}
---     assert(v["/demo/a"] == "1" and v["/demo/none"] == nil)
function etcd.get_many(keys, opts) end

--- Waits until the key exists, and pred(value) is true where one is given. Raises
--- `timeout` when that takes longer than the option timeout; without it there is no limit.
---@param key string
---@param pred? fun(value: string): boolean
---@param opts? {timeout?: duration}
---@return string value
---
---     task.after("10ms", etcd.set, "/demo/ready", "yes")
---     assert(etcd.wait("/demo/ready", function(v) return v == "yes" end, {timeout = 5}) == "yes")
function etcd.wait(key, pred, opts) end

--- Writes a key. Returns the revision of the write; with `prev` also what was there
--- before. When a condition is not met nothing is written, and it returns nil and the
--- kv that is there (nil when there is none).
---@param key string
---@param value string|number|nil nil only with keep_value
---@param opts? {lease?: string, ttl?: integer, prev?: boolean, keep_lease?: boolean, keep_value?: boolean, timeout?: duration, if_absent?: boolean, if_exists?: boolean, if_mod_revision?: integer, if_value?: string} ttl: whole seconds, a lease of its own that nobody keeps alive; if_mod_revision 0: only if the key does not exist
---@return integer|nil revision
---@return kv|nil kv the previous kv with prev; the present one when a condition is not met
---
---     local rev = etcd.set("/demo/b", "1")
---     assert(etcd.set("/demo/b", "2", {if_mod_revision = rev}))
---     local ok, now = etcd.set("/demo/b", "3", {if_mod_revision = rev})
---     assert(ok == nil and now.value == "2")
function etcd.set(key, value, opts) end

--- Deletes one key. Returns how many keys were deleted, 0 or 1; with `prev` also a list
--- of what was deleted. When a condition is not met it returns nil and the kv that is there.
---@param key string
---@param opts? {prev?: boolean, if_mod_revision?: integer, if_value?: string, timeout?: duration}
---@return integer|nil count
---@return kv[]|kv|nil kvs
---
---     etcd.set("/demo/c", "1")
---     assert(etcd.delete("/demo/c") == 1)
function etcd.delete(key, opts) end

--- A query of the keys from `from` on, before `to`; without `to` there is no upper end.
--- It is lazy: see query. Option revision reads at that revision; order is "key" (the
--- default), "version", "create_revision", "mod_revision" or "value", each optionally
--- with " desc".
---@param from string
---@param to? string
---@param opts? {revision?: integer, limit?: integer, order?: string, sort_all?: boolean, keys_only?: boolean, serializable?: boolean, page_size?: integer, min_mod_revision?: integer, max_mod_revision?: integer, min_create_revision?: integer, max_create_revision?: integer, timeout?: duration} timeout: of each request, not of the whole reading
---@return query
---
---     for key, value in etcd.range("/demo/a", "/demo/f") do print(key, value) end
function etcd.range(from, to, opts) end

--- A query of the keys that begin with the prefix. Right for any bytes; the empty
--- prefix is every key. Options as those of etcd.range.
---@param prefix string
---@param opts? {revision?: integer, limit?: integer, order?: string, sort_all?: boolean, keys_only?: boolean, serializable?: boolean, page_size?: integer, min_mod_revision?: integer, max_mod_revision?: integer, min_create_revision?: integer, max_create_revision?: integer, timeout?: duration}
---@return query
---
---     for key, value, kv in etcd.prefix("/demo/") do print(key, value, kv.mod_revision) end
function etcd.prefix(prefix, opts) end

--- What one member says of itself: the one at the endpoint, or the first that answers.
--- Sizes are bytes; ids are hexadecimal.
---@param endpoint? string
---@return {endpoint: string, version: string, storage_version: string, revision: integer, db_size: integer, db_size_in_use: integer, db_size_quota: integer, leader: string, is_leader: boolean, is_learner: boolean, member_id: string, cluster_id: string, raft_term: integer, raft_index: integer, raft_applied_index: integer, errors: string[]}
---
---     print(etcd.status().version)
function etcd.status(endpoint) end

--- Calls fn(key, value, event) for each change of the keys that begin with a prefix;
--- value is nil for a delete. It returns when the server has made the watch: a write
--- after that is handed out. The handler runs on a task of its own, one call after the
--- other, and may do whatever a script may. The program runs until the watch is cancelled.
---
--- Per prefix changes come in the order of revisions, whole revisions, each once; a
--- lost connection is resumed without loss. A handler that raises is called again after
--- a growing pause, `retry.attempts` times in all (5; errors of etcd that pass by
--- themselves do not count), then the watch fails with its error. A position that was
--- compacted away fails the watch with `compacted`.
---@param prefixes string|string[]
---@param fn fun(key: string, value: string|nil, event: event)
---@param opts? {exact?: boolean, from_revision?: integer, initial?: boolean, prev?: boolean, filter?: "put"|"delete", batch?: boolean, retry?: {attempts?: integer, min?: duration, max?: duration}, max_backlog?: integer} exact: keys instead of prefixes; initial: the existing keys first, then changes, no gap; batch: fn(events, revision), all events of a revision together; max_backlog: events held for a slow handler
---@return watch
---
---     local w = etcd.watch({"/demo/", "/other/"}, function(key, value) print(key, value) end)
---     etcd.set("/demo/x", "1")
---     w:cancel()
function etcd.watch(prefixes, fn, opts) end

--- An iterator of events, pulled by the loop that asks for the next. It does not keep
--- the program alive. Left by break, it is to be closed.
---@param prefixes string|string[]
---@param opts? {exact?: boolean, from_revision?: integer, initial?: boolean, prev?: boolean, filter?: "put"|"delete", max_backlog?: integer}
---@return events
---
---     local events = etcd.events("/demo/")
---     etcd.set("/demo/y", "1")
---     for event in events do
---       print(event.type, event.key, event.value)
---       events:close()
---     end
function etcd.events(prefixes, opts) end

--- Reads everything into a list.
---@return kv[]
---
---     print(#etcd.prefix("/demo/"):list())
function Query:list() end

--- Reads everything into a table of values by key.
---@return table<string, string>
---
---     for k, v in pairs(etcd.prefix("/demo/"):map()) do print(k, v) end
function Query:map() end

--- Reads the keys only.
---@return string[]
---
---     print(table.concat(etcd.prefix("/demo/"):keys(), " "))
function Query:keys() end

--- Reads the first one, nil when there is none.
---@return kv|nil
---
---     print(etcd.prefix("/demo/", {order = "mod_revision desc"}):first())
function Query:first() end

--- Counts on the server.
---@return integer
---
---     print(etcd.prefix("/demo/"):count())
function Query:count() end

--- The revision that it read at, once it has read; nil before.
---@return integer|nil
---
---     local q = etcd.prefix("/demo/")
---     q:count()
---     print(q:revision())
function Query:revision() end

--- A fresh iterator of key, value, kv.
---@return fun(): string, string, kv
---
---     local next_pair = etcd.prefix("/demo/"):iter()
---     print(next_pair())
function Query:iter() end

--- Deletes the interval, at one revision. Returns how many keys were deleted; with
--- `prev` also a list of them. With `max` nothing is deleted and `guarded` raised when
--- there are more. The empty prefix needs all = true.
---@param opts? {prev?: boolean, max?: integer, all?: boolean, timeout?: duration}
---@return integer count
---@return kv[]|nil
---
---     print(etcd.prefix("/demo/"):delete{max = 100})
function Query:delete(opts) end

--- Watches the interval: as etcd.watch.
---@param fn fun(key: string, value: string|nil, event: event)
---@param opts? table as those of etcd.watch
---@return watch
---
---     etcd.range("/demo/a", "/demo/f"):watch(print):cancel()
function Query:watch(fn, opts) end

--- An iterator of the interval's events: as etcd.events.
---@param opts? table as those of etcd.events
---@return events
---
---     etcd.prefix("/demo/"):events():close()
function Query:events(opts) end

--- Ends the watch. A call of the handler that is running comes to its end; none follows.
---
---     etcd.watch("/demo/", print):cancel()
function Watch:cancel() end

--- Waits for the end of the watch: returns after cancel, raises what the watch failed with.
---
---     local w = etcd.watch("/demo/", print)
---     task.after("10ms", w.cancel, w)
---     w:wait()
function Watch:wait() end

--- Waits until the existing keys of option initial were handled.
---
---     local w = etcd.watch("/demo/", print, {initial = true})
---     w:synced()
---     w:cancel()
function Watch:synced() end

--- The revision up to which the handler has finished everything.
---@return integer
---
---     local w = etcd.watch("/demo/", print)
---     print(w:revision())
---     w:cancel()
function Watch:revision() end

--- How many revisions the handler is behind the store. Asks etcd.
---@return integer
---
---     local w = etcd.watch("/demo/", print)
---     print(w:lag())
---     w:cancel()
function Watch:lag() end

--- The name of a watch that has one, else nil.
---@return string|nil
---
---     local w = etcd.watch("/demo/", print)
---     assert(w:name() == nil)
---     w:cancel()
function Watch:name() end

--- Ends the iterator: a loop over it ends.
---
---     etcd.events("/demo/"):close()
function Events:close() end
