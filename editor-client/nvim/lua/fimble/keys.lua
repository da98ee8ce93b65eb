-- Insert-mode keys that act on ghost text and else do what they did before.
local config = require("fimble.config")
local ghost = require("fimble.ghost")

local M = {}

---@class (exact) fimble.Mapped
---@field lhs string
---@field before table<string, any> What `maparg` said; empty if the key had no mapping.

local mapped = {} ---@type fimble.Mapped[]

---Do what the key did without us: run its mapping, or type it.
---@param lhs string
---@param before table<string, any>
---@return string
local function fall_back(lhs, before)
  if before.callback then
    if before.expr == 1 then
      return before.callback() or ""
    end
    vim.schedule(before.callback)
    return ""
  end
  if before.rhs then
    return before.expr == 1 and vim.api.nvim_eval(before.rhs) or before.rhs
  end
  return lhs
end

function M.enable()
  local keys = config.current.keys
  if not keys then
    return
  end
  for name, lhs in pairs(keys) do
    if lhs then
      local before = vim.fn.maparg(lhs, "i", false, true)
      table.insert(mapped, { lhs = lhs, before = before })
      vim.keymap.set("i", lhs, function()
        -- Asking makes sense just when nothing is shown.
        if name == "request" or ghost.is_shown() then
          return ("<Cmd>lua require('fimble.ghost').%s()<CR>"):format(name)
        end
        return fall_back(lhs, before)
      end, { expr = true, desc = "fimble: " .. name:gsub("_", " ") .. ", or what the key did before" })
    end
  end
end

function M.disable()
  for _, key in ipairs(mapped) do
    pcall(vim.keymap.del, "i", key.lhs)
    if not vim.tbl_isempty(key.before) then
      vim.fn.mapset("i", false, key.before)
    end
  end
  mapped = {}
end

return M
