---@meta

--- JSON. Objects and arrays are tables, null is json.null (nil cannot stand in a table).
--- Strings are UTF-8 text: bytes that are no text go through base64.encode.
json = {}

--- JSON's null: a value of its own, which prints as "null" and, like everything but nil and
--- false, counts as true. Compare: `v == json.null`.
---
---     local t = json.decode('{"a": null}')
---     assert(t.a == json.null)
json.null = nil

--- Writes a value as JSON, keys sorted, so that the same value is always the same text. A table
--- with the entries 1 to n is an array, one with strings as keys an object; an empty one is
--- {} unless json.array has marked it. nil is null; a kv, an event or an error object is
--- written with its fields. Raises `invalid_argument`, naming the place, for what
--- JSON cannot hold: functions, NaN, infinity, a list with holes, a table that contains
--- itself or is nested more than 1,000 deep, a string that is not UTF-8.
---@param value any
---@param opts? {indent?: integer|string} spaces for each level, as their number or themselves
---@return string
---
---     assert(json.encode({b = {1, 2}, a = "x"}) == '{"a":"x","b":[1,2]}')
---     print(json.encode({a = json.array()}, {indent = 2}))
function json.encode(value, opts) end

--- Reads JSON. An array keeps its kind: an empty one is written as [] again. Of a key that
--- comes twice the last one counts. Raises `parse` with line and column; also for a whole
--- number that Lua would change (beyond 2^53): an id off by one is worse than an error.
---@param text string
---@return any
---
---     local t = json.decode('{"list": [1, 2.5, "x"], "on": true}')
---     assert(t.list[2] == 2.5 and t.on)
function json.decode(text) end

--- Marks a table as an array, so that it is written as [] even when it is empty. Returns it;
--- without one, a new table.
---@generic T: table
---@param t? T
---@return T
---
---     assert(json.encode(json.array({})) == "[]")
function json.array(t) end
