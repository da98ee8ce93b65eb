-- Ghost text by Neovim's own module, 0.12 and later. Nothing is drawn here.
local client = require("fimble.client")
local ghost_text = require("fimble.ghost_text")

local M = {}

---@param is_on boolean
local function switch(is_on)
  vim.lsp.inline_completion.enable(is_on)
end

function M.enable()
  switch(true)
end

function M.disable()
  switch(false)
end

---Neovim does not say whether something is shown; its extmarks do.
---@return boolean
function M.is_shown()
  local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

function M.accept()
  vim.lsp.inline_completion.get()
end

---Put in only what `cut` takes of the text to come. Neovim asks anew, and the rest is shown again.
---@param cut fun(text: string): string
local function accept_part(cut)
  vim.lsp.inline_completion.get({
    on_accept = function(item)
      local text = type(item.insert_text) == "table" and item.insert_text.value or item.insert_text
      local row, col = unpack(vim.api.nvim_win_get_cursor(0))
      local before = vim.api.nvim_get_current_line():sub(1, col)
      local n_typed = math.min(#before, #text)
      while n_typed > 0 and before:sub(-n_typed) ~= text:sub(1, n_typed) do
        n_typed = n_typed - 1
      end
      local lines = vim.split(cut(text:sub(n_typed + 1)), "\n", { plain = true })
      vim.api.nvim_buf_set_text(0, row - 1, col, row - 1, col, lines)
      local end_col = #lines == 1 and col + #lines[1] or #lines[#lines]
      vim.api.nvim_win_set_cursor(0, { row + #lines - 1, end_col })
      return nil
    end,
  })
end

function M.accept_word()
  accept_part(ghost_text.word)
end

function M.accept_line()
  accept_part(ghost_text.line)
end

function M.next()
  vim.lsp.inline_completion.select({ count = 1 })
end

function M.previous()
  vim.lsp.inline_completion.select({ count = -1 })
end

function M.dismiss()
  switch(false)
  switch(true)
end

---With nothing shown, Neovim's `get` asks the server.
function M.request()
  if client.get(0) and not M.is_shown() then
    vim.lsp.inline_completion.get()
  end
end

return M
