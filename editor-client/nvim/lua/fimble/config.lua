-- The plugin's own options. The server's are passed on as they are; only their types are looked at here.
local M = {}

---@class (exact) fimble.Keys
---@field accept? string|false
---@field accept_word? string|false
---@field accept_line? string|false
---@field next? string|false
---@field previous? string|false
---@field dismiss? string|false
---@field request? string|false

---@class (exact) fimble.Options
---@field cmd? string[] What starts the server.
---@field keys? fimble.Keys|false Insert-mode keys; false maps none. A key falls back to what it did before.
---@field server? fimble.ServerOptions The server's options.

---@type fimble.Options
local defaults = {
  cmd = { "fimble", "serve" },
  keys = {
    accept = "<Tab>",
    accept_word = "<M-Right>",
    accept_line = "<M-Down>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
    request = "<M-\\>",
  },
  server = {},
}

---@type fimble.Options
M.current = vim.deepcopy(defaults)

---Check the options and take them. Errors: names the option that is wrong.
---@param options fimble.Options
function M.set(options)
  vim.validate("options", options, "table")
  for key in pairs(options) do
    if defaults[key] == nil then
      error(("fimble: unknown option `%s`; the options are cmd, keys and server"):format(key), 0)
    end
  end
  vim.validate("cmd", options.cmd, "table", true)
  vim.validate("keys", options.keys, function(keys)
    return type(keys) == "table" or keys == false
  end, true, "table or false")
  vim.validate("server", options.server, "table", true)
  local known = require("fimble.server_options").types
  for key, value in pairs(options.server or {}) do
    -- One the plugin does not know may be one of a newer server, which says itself what it does not know.
    if known[key] then
      vim.validate("server." .. key, value, known[key])
    end
  end
  for name, lhs in pairs(options.keys or {}) do
    vim.validate("keys." .. name, lhs, function(key)
      return type(key) == "string" or key == false
    end, "string or false")
  end
  M.current = vim.tbl_extend("force", vim.deepcopy(defaults), options)
  if type(options.keys) == "table" then
    M.current.keys = vim.tbl_extend("force", defaults.keys, options.keys)
  end
end

return M
