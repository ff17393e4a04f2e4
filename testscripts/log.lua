-- What the lines look like is tested in Go; here: what can be logged, and what cannot.
local tree = {deep = {deeper = {}}}
tree.deep.deeper.again = tree -- logging it comes to an end
local _, err = pcall(json.decode, "")
for _, level in ipairs{"debug", "info", "warn", "error"} do
  local line = log[level]
  line("message")
  line("bytes \255\0", {key = "\255"})
  line(42)
  line(nil)
  line(err, {error = err, tree = tree, list = {1, 2}, on = true, null = json.null})
  expect.raises("invalid_argument", line)
  expect.raises("invalid_argument", line, "message", "fields")
  expect.raises("invalid_argument", line, "message", {}, "more")
  expect.match(expect.raises("invalid_argument", line, log, "message").message, "use a dot")
end
