---@meta

--- Structured log lines on standard error, text on a terminal, JSON with --log-format json.
--- Each says where in the script it was written (`at`). A message is anything: what is no
--- string is logged as tostring shows it. Fields are a table; bytes that are no text are
--- logged as base64, objects as their text.
log = {}

--- Logs a message that is shown with --log-level debug only.
---@param message any
---@param fields? table<string, any>
---
---     log.debug("looked", {key = "/a"})
function log.debug(message, fields) end

--- Logs a message.
---@param message any
---@param fields? table<string, any>
---
---     log.info("started", {workers = 4})
function log.info(message, fields) end

--- Logs what may need a look.
---@param message any
---@param fields? table<string, any>
---
---     local ok, err = pcall(error, "no luck")
---     log.warn("trying again", {error = err})
function log.warn(message, fields) end

--- Logs what went wrong. The script goes on.
---@param message any
---@param fields? table<string, any>
---
---     log.error("gave up", {attempts = 5})
function log.error(message, fields) end
