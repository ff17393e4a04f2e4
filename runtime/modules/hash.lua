---@meta

--- Digests of bytes, as lower-case hexadecimal text. For the bytes themselves: hex.decode.
hash = {}

--- The SHA-256 digest: 64 digits.
---@param data string
---@return string
---
---     assert(hash.sha256(""):sub(1, 8) == "e3b0c442")
function hash.sha256(data) end

--- The SHA-1 digest: 40 digits. Broken for signatures; for what others have chosen.
---@param data string
---@return string
---
---     assert(hash.sha1("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
function hash.sha1(data) end

--- The MD5 digest: 32 digits. Broken for signatures; for what others have chosen.
---@param data string
---@return string
---
---     assert(hash.md5("abc") == "900150983cd24fb0d6963f7d28e17f72")
function hash.md5(data) end

--- The CRC-32 (IEEE, as zip and gzip have it), a number from 0 to 2^32-1: to spread keys
--- over shards. As text: ("%08x"):format(n).
---@param data string
---@return integer
---
---     local shard = hash.crc32("/jobs/17") % 8
---     assert(shard >= 0 and shard < 8)
function hash.crc32(data) end

--- The keyed digest (RFC 2104) of data.
---@param algorithm "sha256"|"sha1"|"md5"
---@param key string
---@param data string
---@return string
---
---     assert(#hash.hmac("sha256", "secret", "message") == 64)
function hash.hmac(algorithm, key, data) end
