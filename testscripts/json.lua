local encode, decode, null = json.encode, json.decode, json.null

-- Values.
expect.equal(encode(nil), "null")
expect.equal(encode(null), "null")
expect.equal(tostring(null), "null")
expect.equal(encode(true) .. encode(false), "truefalse")
for text, n in pairs{["0"] = 0, ["-1"] = -1, ["0.1"] = 0.1, ["123456789012345"] = 123456789012345,
  ["9007199254740992"] = 2 ^ 53, ["-9007199254740992"] = -2 ^ 53, ["1e+300"] = 1e300, ["5e-324"] = 5e-324} do
  expect.equal(encode(n), text)
  expect.equal(decode(text), n)
end
expect.equal(encode(-0), "0")
expect.equal(encode(2 ^ 60), "1.152921504606847e+18")
expect.equal(decode("1E3"), 1000)
expect.equal(decode(" \t\r\n1 "), 1)

-- Strings: escapes, UTF-8, zero bytes.
expect.equal(encode('"\\/\b\n\r\t\0\31\127ä€😀'), [["\"\\/\u0008\n\r\t\u0000\u001f]] .. '\127ä€😀"')
expect.equal(decode([["\"\\\/\b\f\n\r\t\u0000\u00e4\u20AC\ud83d\ude00ä"]]), '"\\/\b\f\n\r\t\0ä€😀ä')
expect.match(expect.raises("invalid_argument", encode, "\255").hint, "base64")
expect.raises("invalid_argument", encode, {["\255"] = 1})

-- Tables.
expect.equal(encode({}), "{}")
expect.equal(encode(json.array()), "[]")
expect.equal(encode(json.array({})), "[]")
expect.equal(encode({1, {2}, "x"}), '[1,[2],"x"]')
expect.equal(encode({b = 1, a = {d = 1, c = 2}, ["ä"] = 3, [""] = 4}), '{"":4,"a":{"c":2,"d":1},"b":1,"ä":3}')
expect.equal(encode({{a = {}}, json.array()}, {indent = 2}),
  '[\n  {\n    "a": {}\n  },\n  []\n]')
expect.equal(encode({a = 1}, {indent = "\t"}), '{\n\t"a": 1\n}')
expect.equal(encode({1}, {indent = 0}), "[1]")
local shared = {1}
expect.equal(encode({shared, shared}), "[[1],[1]]")
local reversed = {}
for i = 3, 1, -1 do reversed[i] = i end
expect.equal(encode(reversed), "[1,2,3]")

-- What cannot be JSON, and where it is.
local holes = {1, nil, 3}
local cycle = {}
cycle.a = {cycle}
local deep = {}
for _ = 1, 1000 do deep = {deep} end
for pattern, v in pairs{
  ["function"] = print, ["NaN"] = 0 / 0, ["[Ii]nf"] = math.huge, ["holes: 1 of"] = holes, ["contains itself"] = cycle,
  ["nested more than 1000"] = deep, ['the key "n"'] = {1, n = 1}, ['key "a"'] = {a = 1, [5] = 1}, ["%[0%]"] = {[0] = 1},
  ["%[true%]"] = {[true] = 1}, ["thread"] = coroutine.create(print),
  ["value%.a%.b%[3%]"] = {a = {b = {1, 2, print}}}, ["marked as an array"] = json.array({x = 1}),
} do
  expect.match(expect.raises("invalid_argument", encode, v).message, pattern)
end
expect.raises("invalid_argument", encode, task.mutex()) -- an object without fields
expect.raises("invalid_argument", json.array, setmetatable({}, {}))
expect.raises("invalid_argument", json.array, 1)
for _, indent in ipairs{-1, 17, 1.5, "x", true} do
  expect.raises("invalid_argument", encode, 1, {indent = indent})
end
expect.match(expect.raises("invalid_argument", encode, 1, {indnt = 1}).message, '"indent"')
expect.raises("invalid_argument", encode)

-- Shared tables would make a text of 2^40 bytes.
local wide = "xxxxxxxxxxxxxxxx"
for _ = 1, 40 do wide = {wide, wide} end
expect.raises("limit_exceeded", encode, wide)

-- Reading.
expect.equal(decode('{"a": [1, {"b": null}], "c": {}, "a": 2}'), {a = 2, c = {}})
expect.equal(decode("null"), null)
expect.equal(decode('[null]')[1] == null, true)
expect.equal(encode(decode('[[], {}, [[]]]')), "[[],{},[[]]]")
local emptied = decode("[1]")
emptied[1] = nil
expect.equal(encode(emptied), "[]")
expect.equal(decode("\239\187\191[]"), {}) -- a byte order mark
expect.equal(encode(decode(("["):rep(1000) .. ("]"):rep(1000))), ("["):rep(1000) .. ("]"):rep(1000))

for text, pattern in pairs{
  [""] = "line 1, column 1: .*the text ends", ["[1,\n 2,]"] = "line 2, column 4: .*']'", ['{"ä":1 x}'] = "column 8: .*'x'",
  ["[1 2]"] = "comma or %]", ['{"a" 1}'] = "colon", ["{a: 1}"] = "key in quotes", ["1 2"] = "more after",
  ["tru"] = "value is expected", ["True"] = "'T'", ["nul"] = "value is expected", ["NaN"] = "'N'", ["01"] = "more after",
  ["1."] = "digit", ["-"] = "digit", ["1e"] = "digit", [".5"] = "value", ["+1"] = "value", ["1e999"] = "too large",
  ['"a'] = "inside a string", ['"\n"'] = "control character %(0x0a%)", ['"\\x"'] = "no escape", ['"\\u12"'] = "no escape",
  ['"\\ud83d"'] = "surrogate", ['"\\ud83d\\u0041"'] = "surrogate", ['"\\ude00"'] = "surrogate",
  ['"\255"'] = "0xff", ['"\\n\255"'] = "0xff", ["\255"] = "0xff", ["[1"] = "the text ends", ["{"] = "the text ends",
  [("["):rep(1001)] = "nested more than 1000", ["'a'"] = "value is expected", ["[1,]"] = "value is expected",
} do
  expect.match(expect.raises("parse", decode, text).message, pattern)
end

-- A whole number that Lua would change is refused; one that it holds exactly is not.
expect.equal(decode("9007199254740992"), 2 ^ 53)
expect.equal(decode("100000000000000000000"), 1e20)
expect.match(expect.raises("parse", decode, "9007199254740993").message, "2%^53")
expect.raises("parse", decode, '{"id": 9223372036854775807}')
expect.equal(decode("9007199254740993.0"), 2 ^ 53) -- a fraction is rounded, as everywhere
expect.raises("invalid_argument", decode)
expect.raises("invalid_argument", decode, {})
expect.raises("invalid_argument", decode, "1", {big_numbers = "string"}) -- not yet

-- Objects are written with their fields.
etcd.set(PREFIX .. "a", "1")
local kv = etcd.kv(PREFIX .. "a")
local copy = decode(encode({kv = kv})).kv
expect.equal(copy.key, PREFIX .. "a")
expect.equal(copy.value, "1")
expect.equal(copy.mod_revision, kv.mod_revision)
expect.equal(decode(encode(expect.raises("parse", decode, ""))).code, "parse")
