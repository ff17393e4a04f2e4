-- Counts how often it was loaded. The count is kept where all loads of it see it.
local key = "support.counter's loads"
package.loaded[key] = (package.loaded[key] or 0) + 1
return {loads = package.loaded[key]}
