---@meta

--- Bytes as base64 text, and back.
base64 = {}

--- Encodes bytes: the standard alphabet with padding, or with `url` the alphabet that is
--- safe in URLs and file names, without padding.
---@param data string any bytes
---@param opts? {url?: boolean}
---@return string
---
---     assert(base64.encode("a\0b") == "YQBi")
---     assert(base64.encode("\255\255", {url = true}) == "__8")
function base64.encode(data, opts) end

--- Decodes base64 text. Line breaks are skipped; anything else that is not of the alphabet,
--- and missing padding, raises `parse`. With `url` the padding may be there or not.
---@param text string
---@param opts? {url?: boolean}
---@return string data
---
---     assert(base64.decode("YQBi") == "a\0b")
function base64.decode(text, opts) end
