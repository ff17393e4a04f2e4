---@meta

--- The environment variables that the program was started with.
env = {}

--- The value of a variable; the default, or nil, when it is not set. One that is set to
--- nothing is "".
---@param name string
---@param default? any
---@return any
---
---     local region = env.get("REGION", "eu")
---     print(region)
function env.get(name, default) end

--- All variables by name.
---@return table<string, string>
---
---     for name in pairs(env.all()) do print(name) end
function env.all() end
