---@meta

--- Bitwise operations on 32 bits, as LuaBitOp has them: whole numbers are taken modulo 2^32,
--- results are signed, from -2^31 to 2^31-1. Unsigned: result % 2^32.
bit = {}

--- And.
---@param x integer
---@param ... integer
---@return integer
---
---     assert(bit.band(0xff, 0x3c, 0x0f) == 0x0c)
function bit.band(x, ...) end

--- Or.
---@param x integer
---@param ... integer
---@return integer
---
---     assert(bit.bor(1, 2, 4) == 7)
function bit.bor(x, ...) end

--- Exclusive or.
---@param x integer
---@param ... integer
---@return integer
---
---     assert(bit.bxor(5, 1) == 4)
function bit.bxor(x, ...) end

--- Not.
---@param x integer
---@return integer
---
---     assert(bit.bnot(0) == -1)
---     assert(bit.bnot(0) % 2^32 == 0xffffffff)
function bit.bnot(x) end

--- Shifts left, zeros come in. Only the low five bits of n count.
---@param x integer
---@param n integer
---@return integer
---
---     assert(bit.lshift(1, 4) == 16)
function bit.lshift(x, n) end

--- Shifts right, zeros come in. Only the low five bits of n count.
---@param x integer
---@param n integer
---@return integer
---
---     assert(bit.rshift(-1, 28) == 15)
function bit.rshift(x, n) end
