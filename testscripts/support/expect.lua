-- What the scripts in this folder check with. A check that fails raises, at the line that made it.

local M = {}

local function show(v)
  if type(v) == "string" then return ("%q"):format(v) end
  if type(v) ~= "table" then return tostring(v) end
  local parts = {}
  for k, x in pairs(v) do parts[#parts + 1] = "[" .. show(k) .. "] = " .. show(x) end
  table.sort(parts)
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(a, b)
  if a == b or (a ~= a and b ~= b) then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

-- Tables are compared by what is in them, NaN equals itself.
function M.equal(got, want)
  if not same(got, want) then error("got " .. show(got) .. ", want " .. show(want), 2) end
end

function M.match(text, pattern)
  if type(text) ~= "string" or not text:find(pattern) then
    error("got " .. show(text) .. ", which does not match " .. show(pattern), 2)
  end
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("it did not raise", 3) end
  return err
end

-- fn(...) must raise an error object with the code. Returns it.
function M.raises(code, fn, ...)
  local err = failure(fn, ...)
  local got = type(err) == "userdata" and err.code or nil
  if got ~= code then error("it raised " .. tostring(err) .. ", want code " .. code, 2) end
  return err
end

-- fn(...) must raise, as Lua itself does, a string that matches the pattern. Returns it.
function M.fails(pattern, fn, ...)
  local err = failure(fn, ...)
  if type(err) ~= "string" or not err:find(pattern) then
    error("it raised " .. show(err) .. ", want a match of " .. show(pattern), 2)
  end
  return err
end

return M
