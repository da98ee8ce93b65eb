-- `:Fimble NAME`: one function a name. Each only asks others to do something.
local client = require("fimble.client")
local config = require("fimble.config")

local M = {}

---@class (exact) fimble.Call
---@field args string[]
---@field lines? integer[] First and last line of the range, if one was given.

---@param message string
---@param level? integer
local function say(message, level)
  vim.notify("fimble: " .. message, level)
end

---Give the command line of the program, without `serve` and what follows.
---@return string[]
local function program()
  local words = {}
  for _, word in ipairs(config.current.cmd) do
    if word == "serve" then
      break
    end
    table.insert(words, word)
  end
  return words
end

---Run the program in a window of its own, where its progress shows.
---@param args string[]
local function run_in_window(args)
  vim.cmd("botright 12new")
  vim.fn.jobstart(vim.list_extend(program(), args), { term = true })
end

---Give what any source says of these lines.
---@param first integer
---@param last integer
---@return lsp.Diagnostic[]
local function diagnostics_of(first, last)
  return vim.lsp.diagnostic.from(vim.tbl_filter(function(diagnostic)
    return diagnostic.lnum < last and (diagnostic.end_lnum or diagnostic.lnum) >= first - 1
  end, vim.diagnostic.get(0)))
end

---@type table<string, fun(call: fimble.Call)>
local commands = {
  status = function()
    local status = require("fimble.status")
    local now = status.current
    say(now and now.model and (now.model .. ": " .. status.sentence()) or status.sentence())
  end,
  toggle = function()
    require("fimble.pause").toggle()
  end,
  pause = function(call)
    require("fimble.pause").toggle_pause(tonumber(call.args[1]))
  end,
  explain = function()
    require("fimble.explain").show()
  end,
  action = function(call)
    local cursor_line = vim.api.nvim_win_get_cursor(0)[1]
    local first, last = unpack(call.lines or { cursor_line, cursor_line })
    vim.lsp.buf.code_action({
      -- By itself Neovim tells a server of its own diagnostics only, and fimble has none to fix.
      context = { diagnostics = diagnostics_of(first, last) },
      filter = function(action)
        return vim.list_contains(vim.split(action.kind or "", ".", { plain = true }), "fimble")
      end,
      range = call.lines and { start = { first, 0 }, ["end"] = { last, #vim.fn.getline(last) } } or nil,
    })
  end,
  cancel = function()
    local title = require("fimble.progress").cancel()
    say(title and ("cancelled: " .. title) or "no action runs")
  end,
  log = function()
    vim.cmd.split({ args = { vim.lsp.log.get_filename() } })
    vim.cmd("normal! G")
  end,
  models = function(call)
    run_in_window(vim.list_extend({ "models" }, #call.args > 0 and call.args or { "list" }))
  end,
  doctor = function()
    run_in_window({ "doctor" })
  end,
  restart = function()
    local fimble = require("fimble")
    fimble.teardown()
    fimble.start()
  end,
}

---@param args string[]
---@param lines? integer[]
function M.run(args, lines)
  local name = args[1] or "status"
  local command = commands[name]
  if not command then
    say(("`%s` is no command; there are %s"):format(name, table.concat(M.names(), ", ")), vim.log.levels.ERROR)
    return
  end
  command({ args = vim.list_slice(args, 2), lines = lines })
end

---@return string[]
function M.names()
  local names = vim.tbl_keys(commands)
  table.sort(names)
  return names
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  if line:match("^%s*%S+%s+models%s") then
    return vim.tbl_filter(function(name)
      return vim.startswith(name, lead)
    end, { "list", "pull", "verify", "remove", "path" })
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, M.names())
end

---Say whether a server is there to be asked; complains if not.
---@return vim.lsp.Client?
function M.running()
  local running = client.get()
  if not running then
    say("no server runs; see `:checkhealth fimble`", vim.log.levels.WARN)
  end
  return running
end

return M
