-- The last request in a floating window: what the server says of it, as it says it.
local M = {}

---@param lines string[]
local function open_window(lines)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].bufhidden = "wipe"
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  vim.api.nvim_open_win(bufnr, true, {
    relative = "cursor",
    row = 1,
    col = 0,
    width = math.min(width, vim.o.columns - 4),
    height = math.min(#lines, vim.o.lines - 4),
    style = "minimal",
    border = "rounded",
    title = " fimble: the last request ",
  })
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr })
  vim.keymap.set("n", "<Esc>", "<Cmd>close<CR>", { buffer = bufnr })
end

function M.show()
  local running = require("fimble.command").running()
  if not running then
    return
  end
  local params = { command = "fimble.explain", arguments = { vim.uri_from_bufnr(0) } }
  running:request("workspace/executeCommand", params, function(err, result)
    if err then
      vim.notify("fimble: " .. err.message, vim.log.levels.ERROR)
      return
    end
    open_window(vim.split(vim.trim(result.text), "\n", { plain = true }))
  end)
end

return M
