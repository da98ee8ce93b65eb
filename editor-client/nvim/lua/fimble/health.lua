-- `:checkhealth fimble`: each line says what is, and if it is not well, what to do.
local M = {}

local MINIMUM = "0.11"

local function check_editor()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-" .. MINIMUM) == 0 then
    vim.health.error("Neovim is older than " .. MINIMUM, { "Install Neovim " .. MINIMUM .. " or later" })
  elseif require("fimble.ghost").is_native() then
    vim.health.ok("Ghost text is drawn by Neovim itself (`vim.lsp.inline_completion`)")
  else
    vim.health.ok("Ghost text is drawn by the plugin; from 0.12 on Neovim does it")
  end
end

local function check_command()
  vim.health.start("Server")
  local config = require("fimble.config")
  local command = config.current.cmd[1]
  if vim.fn.executable(command) == 0 then
    vim.health.error(("`%s` cannot be run"):format(command), {
      "Install it: `pip install fimble`",
      'or say where it is: `require("fimble").setup({ cmd = { "/path/to/fimble", "serve" } })`',
    })
    return
  end
  vim.health.ok(("`%s` is %s"):format(command, vim.fn.exepath(command)))
  local status = require("fimble.status")
  local now = status.current
  if not require("fimble.client").get() then
    vim.health.warn("No server runs", { "Open a file; if nothing happens, see `:Fimble log`" })
  elseif now and (now.state == "ready" or now.state == "loading" or now.state == "unloaded") then
    vim.health.ok(("Running, version %s, model %s: %s"):format(now.version or "?", now.model or "?", status.sentence()))
  else
    vim.health.warn(status.sentence(), now and now.hint and { now.hint } or nil)
  end
end

local function check_keys()
  vim.health.start("Keys")
  local keys = require("fimble.config").current.keys
  if not keys then
    vim.health.info("No keys are mapped; map `<Plug>(fimble-accept)` and the others yourself")
    return
  end
  for name, lhs in vim.spairs(keys) do
    local mapping = lhs and vim.fn.maparg(lhs, "i", false, true) or {}
    if lhs and vim.startswith(mapping.desc or "", "fimble: ") then
      vim.health.ok(("%s: `%s`"):format(name, lhs))
    elseif lhs then
      vim.health.warn(("%s: `%s` is mapped to something else"):format(name, lhs), {
        "Another plugin took the key later: load fimble after it, or choose another key",
      })
    end
  end
end

function M.check()
  check_editor()
  check_command()
  check_keys()
end

return M
