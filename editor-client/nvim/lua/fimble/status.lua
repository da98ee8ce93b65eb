-- What fimble is doing: remembers what was said last, and says it in a word or in full. Asks nobody.
local M = {}

---@class (exact) fimble.Status
---@field state string
---@field message? string
---@field hint? string
---@field model? string
---@field progress? number
---@field version? string
---@field documents? integer

---@type fimble.Status?
M.current = nil
---Set while a pause lasts: when it ends, as `os.time()` counts.
---@type integer?
M.paused_until_s = nil

local WORDS = { ready = "", loading = "loading", unloaded = "loading", off = "off", missing = "no model" }

---@param value any
---@return any
local function or_nil(value)
  if value == vim.NIL then
    return nil
  end
  return value
end

---@param status table
function M.set(status)
  M.current = vim.tbl_map(or_nil, status)
  vim.api.nvim_exec_autocmds("User", { pattern = "FimbleStatus", modeline = false, data = M.current })
  vim.cmd.redrawstatus({ bang = true })
end

---Remember that there is no server to ask, and say once what helps.
---@param command string
function M.set_missing_command(command)
  local message = ("the command `%s` was not found"):format(command)
  local hint = "install fimble (`pip install fimble`), or see `:checkhealth fimble`"
  M.set({ state = "failed", message = message, hint = hint })
  vim.notify("fimble: " .. M.sentence(), vim.log.levels.WARN)
end

function M.clear()
  M.current = nil
  M.paused_until_s = nil
end

---Give state, message and hint as one sentence.
---@return string
function M.sentence()
  local now = M.current
  if not now then
    return "not started"
  end
  local parts = { now.message or now.state }
  if M.paused_until_s then
    parts = { "paused until " .. os.date("%H:%M", M.paused_until_s) }
  elseif now.hint then
    table.insert(parts, now.hint)
  end
  return table.concat(parts, "; ")
end

---@return string
function M.statusline()
  if not M.current then
    return ""
  end
  if M.paused_until_s then
    return "fimble: paused"
  end
  local word = WORDS[M.current.state] or "error"
  if word == "loading" and M.current.progress then
    word = ("loading %d%%%%"):format(math.floor(M.current.progress * 100))
  end
  return word == "" and "fimble" or ("fimble: " .. word)
end

return M
