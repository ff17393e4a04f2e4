---@meta

--- Bytes as hexadecimal text, and back.
hex = {}

--- Encodes bytes as lower-case digits, two for each.
---@param data string any bytes
---@return string
---
---     assert(hex.encode("a\255") == "61ff")
function hex.encode(data) end

--- Decodes digits of either case. Anything else, and an odd number of them, raises `parse`.
---@param text string
---@return string data
---
---     assert(hex.decode("61FF") == "a\255")
function hex.decode(text) end
