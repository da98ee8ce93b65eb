-- Off for a while, or until switched on again. The server is told; nothing is hidden behind its back.
local client = require("fimble.client")
local status = require("fimble.status")

local M = {}

local DURATION_MS = 10 * 60 * 1000
local timer ---@type uv.uv_timer_t?
local is_off = false

local function stop_timer()
  if timer then
    timer:stop()
    timer:close()
    timer = nil
  end
  status.paused_until_s = nil
end

local function send()
  client.send_options((is_off or status.paused_until_s) and { enabled = false } or nil)
  vim.cmd.redrawstatus({ bang = true })
end

---Pause for some minutes, or go on if it is paused.
---@param minutes? integer
function M.toggle_pause(minutes)
  if timer then
    stop_timer()
  else
    local duration_ms = minutes and minutes * 60 * 1000 or DURATION_MS
    timer = assert(vim.uv.new_timer())
    status.paused_until_s = os.time() + math.floor(duration_ms / 1000)
    timer:start(
      duration_ms,
      0,
      vim.schedule_wrap(function()
        stop_timer()
        send()
      end)
    )
  end
  send()
  vim.notify("fimble: " .. (timer and status.sentence() or "goes on"))
end

---Switch ghost text off or on in this Neovim.
function M.toggle()
  is_off = not is_off
  stop_timer()
  send()
  vim.notify("fimble: ghost text is " .. (is_off and "off" or "on"))
end

---Forget pause and switch; the server that is started next is on.
function M.forget()
  stop_timer()
  is_off = false
end

return M
