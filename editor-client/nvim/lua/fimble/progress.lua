-- The line that a long action is writing, in a small window that takes no focus; and its cancellation.
local client = require("fimble.client")

local M = {}

local GROUP = "fimble.progress"
local WIDTH = 60

---@class (exact) fimble.Running
---@field token integer|string
---@field title string
---@field bufnr integer
---@field window? integer

---The actions that run, the newest last.
local running = {} ---@type fimble.Running[]

---@param token integer|string
---@return integer?
local function index_of(token)
  for n, one in ipairs(running) do
    if one.token == token then
      return n
    end
  end
end

---@param token integer|string
---@param title string
local function open(token, title)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = "wipe"
  local one = { token = token, title = title, bufnr = bufnr }
  table.insert(running, one)
  one.window = vim.api.nvim_open_win(bufnr, false, {
    relative = "editor",
    anchor = "SE",
    row = vim.o.lines - 1,
    col = vim.o.columns,
    width = math.min(WIDTH, vim.o.columns - 4),
    height = 1,
    style = "minimal",
    border = "rounded",
    title = (" %s "):format(title),
    footer = " :Fimble cancel ",
    focusable = false,
    noautocmd = true,
  })
end

---@param index integer
local function close(index)
  local one = table.remove(running, index)
  if one.window and vim.api.nvim_win_is_valid(one.window) then
    vim.api.nvim_win_close(one.window, true)
  end
end

---@param params lsp.ProgressParams
local function receive(params)
  local value = params.value
  -- The model's loading cannot be cancelled; the status line has it.
  if value.kind == "begin" and value.cancellable then
    open(params.token, value.title)
  end
  local index = index_of(params.token)
  if not index then
    return
  end
  if value.kind == "end" then
    close(index)
  elseif value.message then
    vim.api.nvim_buf_set_lines(running[index].bufnr, 0, -1, false, { (value.message:gsub("\n", " ")) })
  end
end

function M.enable()
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup(GROUP, { clear = true }),
    callback = function(event)
      local sender = vim.lsp.get_client_by_id(event.data.client_id)
      if sender and sender.name == client.name then
        receive(event.data.params)
      end
    end,
  })
  -- A server that is gone ends nothing any more.
  vim.api.nvim_create_autocmd("LspDetach", {
    group = GROUP,
    callback = function(event)
      local sender = vim.lsp.get_client_by_id(event.data.client_id)
      if sender and sender.name == client.name and sender:is_stopped() then
        M.clear()
      end
    end,
  })
end

function M.clear()
  while #running > 0 do
    close(#running)
  end
end

function M.disable()
  pcall(vim.api.nvim_del_augroup_by_name, GROUP)
  M.clear()
end

---Cancel the action that was started last. Gives its title, or nil if none runs.
---@return string?
function M.cancel()
  local one, server = running[#running], client.get()
  if not one or not server then
    return nil
  end
  server:notify("window/workDoneProgress/cancel", { token = one.token })
  return one.title
end

return M
