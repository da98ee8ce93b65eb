-- The server's life as Neovim's own LSP client runs it. Ghost text is not known here.
local config = require("fimble.config")
local status = require("fimble.status")

local M = { name = "fimble", method = "textDocument/inlineCompletion" }

local starts_at_ms = {} ---@type integer[]
local is_leaving = false

---Three starts within a minute, then the user decides; waits grow so that a machine under load recovers.
local RESTART_DELAYS_MS = { 250, 1000, 4000 }
local RESTART_WINDOW_MS = 60000

---Of LSP's message types: error, warning, information, log.
local LEVELS = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.DEBUG }

---@param bufnr integer
---@return boolean
local function is_for_typing(bufnr)
  return vim.bo[bufnr].buftype == "" and vim.bo[bufnr].modifiable
end

---An empty Lua table would be sent as a list.
---@param overrides? table<string, any>
---@return table<string, any>
local function server_options(overrides)
  local options = vim.tbl_extend("force", config.current.server, overrides or {})
  return next(options) and options or vim.empty_dict()
end

---@return vim.lsp.Config
local function server_config()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  -- Neovim 0.11 knows the method, but does not say so.
  capabilities.textDocument.inlineCompletion = capabilities.textDocument.inlineCompletion
    or { dynamicRegistration = false }
  return {
    cmd = config.current.cmd,
    capabilities = capabilities,
    init_options = server_options(),
    settings = { fimble = server_options() },
    -- A function without filetypes: every buffer that a person types into, whatever its language.
    root_dir = function(bufnr, on_dir)
      if is_for_typing(bufnr) then
        on_dir(vim.fs.root(bufnr, { ".git" }) or vim.fn.getcwd())
      end
    end,
    reuse_client = function(client)
      return client.name == M.name and not client:is_stopped()
    end,
    handlers = {
      ["fimble/statusChanged"] = function(_, result)
        status.set(result)
      end,
      -- Neovim's own handler echoes, and what does not fit into a line stops the user with "Press ENTER".
      ["window/showMessage"] = function(_, result)
        vim.notify(result.message, LEVELS[result.type])
      end,
    },
    on_init = function(client)
      client:request("fimble/status", vim.empty_dict(), function(err, result)
        if not err then
          status.set(result)
        end
      end)
    end,
    on_exit = function(code, signal)
      vim.schedule(function()
        M.ended(code, signal)
      end)
    end,
  }
end

---Start the server for the buffers that are open and for those to come.
function M.enable()
  is_leaving = false
  starts_at_ms = {}
  if vim.fn.executable(config.current.cmd[1]) == 0 then
    status.set_missing_command(config.current.cmd[1])
    return
  end
  status.set({ state = "loading", message = "the server is starting" })
  vim.lsp.config(M.name, server_config())
  vim.lsp.enable(M.name)
end

function M.disable()
  is_leaving = true
  vim.lsp.enable(M.name, false)
  local client = M.get()
  if client then
    client:stop()
  end
  status.clear()
end

---Give the client that runs, of a buffer or at all.
---@param bufnr? integer
---@return vim.lsp.Client?
function M.get(bufnr)
  return vim.lsp.get_clients({ name = M.name, bufnr = bufnr })[1]
end

---Send the server's options as they are, with others over them.
---@param overrides? table<string, any>
function M.send_options(overrides)
  local client = M.get()
  if not client then
    return
  end
  client.settings = { fimble = server_options(overrides) }
  client:notify("workspace/didChangeConfiguration", { settings = client.settings })
end

---Start again after a crash, later each time, or say that this does not help.
---@param code integer
---@param signal integer
function M.ended(code, signal)
  if is_leaving or vim.v.exiting ~= vim.NIL or (code == 0 and signal == 0) then
    return
  end
  local now_ms = vim.uv.now()
  starts_at_ms = vim.tbl_filter(function(at_ms)
    return now_ms - at_ms < RESTART_WINDOW_MS
  end, starts_at_ms)
  local delay_ms = RESTART_DELAYS_MS[#starts_at_ms + 1]
  if not delay_ms then
    status.set({ state = "failed", message = "the server ended again and again", hint = "see `:Fimble log`" })
    vim.notify("fimble: the server ended again and again; see `:Fimble log`", vim.log.levels.ERROR)
    return
  end
  table.insert(starts_at_ms, now_ms)
  status.set({ state = "loading", message = "the server ended and starts again" })
  vim.defer_fn(function()
    if not is_leaving then
      M.attach_all()
    end
  end, delay_ms)
end

---Attach every open buffer, as `vim.lsp.enable` does for those that are opened from now on.
function M.attach_all()
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) and is_for_typing(bufnr) then
      vim.lsp.start(vim.lsp.config[M.name], { bufnr = bufnr, reuse_client = vim.lsp.config[M.name].reuse_client })
    end
  end
end

return M
