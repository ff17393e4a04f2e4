---@meta

--- Files and folders. All of it waits for the disk, and raises `io` naming path and cause.
--- Relative paths are from the folder that the program was started in.
fs = {}

---@class fs.info
---@field name string the last part of the path
---@field size integer bytes
---@field mode string permissions: "0644"
---@field modified number seconds since the epoch
---@field is_dir boolean
---@field is_link boolean a symbolic link; the rest is about what it leads to, unless that is missing

--- The content of a file, any bytes, up to 256 MiB.
---@param path string
---@return string
---
---     fs.write("greeting", "hello")
---     assert(fs.read("greeting") == "hello")
function fs.read(path) end

--- Makes data the content of a file, whole or not at all: it is written beside it, synced,
--- and moved over it. A file that was there keeps its mode; a link stays a link.
---@param path string
---@param data string any bytes
---@param opts? {mode?: string} permissions, as "0600"; default those of the old file, or what the umask leaves
---
---     fs.write("secret", "x", {mode = "0600"})
function fs.write(path, data, opts) end

--- Adds data to the end of a file, which is made when it is not there.
---@param path string
---@param data string any bytes
---
---     fs.append("journal", "a line\n")
function fs.append(path, data) end

--- Whether there is something of that name. A link that leads nowhere is not.
---@param path string
---@return boolean
---
---     assert(not fs.exists("no such file"))
function fs.exists(path) end

--- What is known about a file or folder; nil when there is none.
---@param path string
---@return fs.info|nil
---
---     assert(fs.stat(".").is_dir)
---     assert(fs.stat("no such file") == nil)
function fs.stat(path) end

--- The names of what is in a folder, sorted.
---@param path string
---@return string[]
---
---     for _, name in ipairs(fs.list(".")) do print(name) end
function fs.list(path) end

--- Makes a folder, and those above it that are missing. One that is there is left as it is.
---@param path string
---
---     fs.mkdir("a/b/c")
function fs.mkdir(path) end

--- Removes a file or an empty folder, with `recursive` a folder and all that is in it.
--- Returns whether there was anything.
---@param path string
---@param opts? {recursive?: boolean}
---@return boolean
---
---     fs.mkdir("old/stuff")
---     assert(fs.remove("old", {recursive = true}))
---     assert(not fs.remove("old"))
function fs.remove(path, opts) end

--- Gives a file or folder another name, in place of a file of that name.
---@param from string
---@param to string
---
---     fs.write("draft", "x")
---     fs.rename("draft", "final")
function fs.rename(from, to) end

--- Makes a folder of the script's own, which is removed when the program ends, however it ends.
---@return string path
---
---     local dir = fs.temp_dir()
---     fs.write(dir .. "/x", "1")
function fs.temp_dir() end
