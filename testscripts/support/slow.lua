-- Lets others run while it is being loaded.
local key = "support.slow's loads"
package.loaded[key] = (package.loaded[key] or 0) + 1
task.sleep(0.001)
return {loads = package.loaded[key]}
