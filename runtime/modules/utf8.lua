---@meta

--- UTF-8, as Lua 5.3 has it; positions count bytes. Strings in Lua are bytes: #s is their
--- number, and string.upper changes only ASCII. Halves of surrogate pairs are not characters.
utf8 = {}

--- The string of the characters with these codes.
---@param ... integer
---@return string
---
---     assert(utf8.char(72, 228, 8364) == "Hä€")
function utf8.char(...) end

--- Iterates over the characters: position and code of each. Bytes that are not UTF-8
--- raise `parse`.
---@param s string
---@return function, string, integer
---
---     for position, code in utf8.codes("h€") do print(position, code) end
function utf8.codes(s) end

--- Counts the characters that begin from byte i to byte j; both may count from the end.
--- Returns nil and the position of the first byte that is not UTF-8, if there is one.
---@param s string
---@param i? integer default 1
---@param j? integer default -1
---@return integer|nil count
---@return integer? position
---
---     assert(utf8.len("h€") == 2 and #"h€" == 4)
---     local n, at = utf8.len("ab\255")
---     assert(n == nil and at == 3)
function utf8.len(s, i, j) end
