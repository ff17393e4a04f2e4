local all = {}
for i = 0, 255 do all[#all + 1] = string.char(i) end
local bytes = table.concat(all)

expect.equal(base64.encode(""), "")
expect.equal(base64.decode(""), "")
expect.equal(base64.encode("f"), "Zg==")
expect.equal(base64.decode("Zm9vYmFy"), "foobar")
expect.equal(base64.decode("Zm9v\r\nYmFy\n"), "foobar") -- as the shell's base64 wraps it
for n = 0, 256, 7 do
  local part = bytes:sub(1, n)
  expect.equal(base64.decode(base64.encode(part)), part)
  expect.equal(base64.decode(base64.encode(part, {url = true}), {url = true}), part)
end
expect.equal(base64.encode("\255\254\253", {url = true}), "__79")
expect.equal(base64.decode("Zg==", {url = true}), "f")

expect.match(expect.raises("parse", base64.decode, "Zm9%").message, "byte 4, '%%'")
expect.match(expect.raises("parse", base64.decode, "Zm9").message, "ends too early")
expect.raises("parse", base64.decode, "Zh==") -- its last bits are not zero
expect.match(expect.raises("parse", base64.decode, "__79").hint, "url = true")
expect.match(expect.raises("parse", base64.decode, "//79", {url = true}).hint, "standard")
expect.raises("invalid_argument", base64.encode)
expect.raises("invalid_argument", base64.encode, {})
expect.match(expect.raises("invalid_argument", base64.encode, "", {urls = true}).message, '"url"')
expect.match(expect.raises("invalid_argument", base64.encode, base64, "x").message, "use a dot")
