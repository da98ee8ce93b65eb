-- Ghost text behind one set of commands: Neovim's own from 0.12 on, the plugin's before.
local M = {}

---@class fimble.Ghost
---@field enable fun()
---@field disable fun()
---@field is_shown fun(): boolean
---@field accept fun()
---@field accept_word fun()
---@field accept_line fun()
---@field next fun()
---@field previous fun()
---@field dismiss fun()
---@field request fun()

---@return boolean
function M.is_native()
  return vim.lsp.inline_completion ~= nil
end

---@return fimble.Ghost
local function implementation()
  return require(M.is_native() and "fimble.ghost_native" or "fimble.ghost_own")
end

for _, name in ipairs({
  "enable",
  "disable",
  "is_shown",
  "accept",
  "accept_word",
  "accept_line",
  "next",
  "previous",
  "dismiss",
  "request",
}) do
  M[name] = function()
    return implementation()[name]()
  end
end

return M
