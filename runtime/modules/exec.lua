---@meta

--- Runs other programs.
exec = {}

---@class exec.command
---@field [integer] string the program, looked up in PATH, and its arguments; there is no shell in between
---@field stdin? string what it reads; default nothing
---@field env? table<string, string> variables beside those of this program
---@field dir? string the folder to run it in
---@field timeout? duration after which it is stopped, and `timeout` raised
---@field check? boolean false: a failure is returned, not raised; default true

---@class exec.result
---@field code integer exit code; 128 and the signal's number when a signal ended it
---@field stdout string what it wrote, any bytes
---@field stderr string

--- Runs a program to its end; waits. Exit codes other than 0 raise `exit_status` with the last
--- lines of its standard error, unless check = false. Raises `not_found` when there is no such
--- program, `limit_exceeded` when it writes more than 64 MiB. On a timeout or a cancel its
--- process group is sent TERM, and KILL two seconds later. What it left running that still
--- holds its output two seconds after its end is killed; a program that is to stay must
--- give its output away.
---@param command exec.command
---@return exec.result
---
---     local r = exec.run{"sort", stdin = "b\na\n"}
---     assert(r.stdout == "a\nb\n")
---     assert(exec.run{"sh", "-c", "exit 3", check = false}.code == 3)
function exec.run(command) end
