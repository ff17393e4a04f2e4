-- The globals that etcdlua gives to scripts; luacheck over scripts/ and testscripts/ knows no others.
std = "lua51"
max_line_length = 100
read_globals = {
  "args", "base64", "bit", "env", "etcd", "exec", "fs", "hash", "hex", "json", "log", "task", "time", "utf8",
  table = {fields = {"pack", "unpack"}},
  coroutine = {fields = {"isyieldable"}},
}
files["testscripts/*.lua"] = {max_line_length = 126, read_globals = {"PREFIX", "expect"}}
