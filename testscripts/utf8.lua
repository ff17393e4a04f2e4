expect.equal(utf8.char(), "")
expect.equal(utf8.char(72, 0xe4, 0x20ac, 0x1f600), "Hä€😀")
expect.equal(utf8.char(0), "\0")
for _, code in ipairs{-1, 0xd800, 0xdfff, 0x110000, 1.5} do
  expect.raises("invalid_argument", utf8.char, code)
end
expect.raises("invalid_argument", utf8.char, "x")

local function codes(s)
  local list = {}
  for at, code in utf8.codes(s) do list[#list + 1] = {at, code} end
  return list
end
expect.equal(codes(""), {})
expect.equal(codes("aä€😀b"), {{1, 97}, {2, 0xe4}, {4, 0x20ac}, {7, 0x1f600}, {11, 98}})
expect.equal(codes("\239\191\189"), {{1, 0xfffd}}) -- the character itself is no error
expect.match(expect.raises("parse", codes, "ab\255").message, "byte 3")
expect.raises("parse", codes, "\128")
expect.raises("parse", codes, "\226\130") -- cut off
expect.raises("parse", codes, "\192\128") -- too long for what it is
expect.raises("parse", codes, "\237\160\128") -- half of a pair

expect.equal(utf8.len(""), 0)
expect.equal(utf8.len("aä€😀b"), 5)
expect.equal(utf8.len("aä€😀b", 4), 3)
expect.equal(utf8.len("aä€😀b", 2, 4), 2)
expect.equal(utf8.len("aä€😀b", -1), 1)
expect.equal(utf8.len("abc", 4), 0)
expect.equal(utf8.len("abc", 3, 2), 0)
expect.equal({utf8.len("ab\255cd")}, {nil, 3})
expect.equal({utf8.len("aä", 3)}, {nil, 3}) -- in the middle of a character
expect.raises("invalid_argument", utf8.len, "abc", 5)
expect.raises("invalid_argument", utf8.len, "abc", -4)
expect.raises("invalid_argument", utf8.len, "abc", 1, 4)
expect.raises("invalid_argument", utf8.len)
