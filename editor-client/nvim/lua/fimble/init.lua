-- The way in: setup, start, teardown. What is drawn and what is asked lies in the other modules.
local M = {}

local started = false

---Take options and start, or start anew with other options.
---@param options? fimble.Options
function M.setup(options)
  require("fimble.config").set(options or {})
  M.teardown()
  M.start()
end

---Start with the options there are; does nothing if it has started.
function M.start()
  if started then
    return
  end
  started = true
  require("fimble.client").enable()
  require("fimble.ghost").enable()
  require("fimble.keys").enable()
  require("fimble.progress").enable()
end

---Undo all that `start` did: the server ends, the mappings and the ghost text go.
function M.teardown()
  if not started then
    return
  end
  started = false
  require("fimble.pause").forget()
  require("fimble.progress").disable()
  require("fimble.keys").disable()
  require("fimble.ghost").disable()
  require("fimble.client").disable()
end

---Give a short text for a status line: empty while all is well and nothing is to be said.
---@return string
function M.statusline()
  return require("fimble.status").statusline()
end

return M
