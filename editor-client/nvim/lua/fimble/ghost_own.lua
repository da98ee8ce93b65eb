-- Ghost text for Neovim 0.11: asks as the user types, keeps what still fits, puts in what is taken.
local client = require("fimble.client")
local draw = require("fimble.ghost_draw")
local ghost_text = require("fimble.ghost_text")

local M = {}

local INVOKED, AUTOMATIC = 1, 2
local GROUP = "fimble.ghost"

---@class (exact) fimble.Shown
---@field bufnr integer
---@field items fimble.Suggestion[]
---@field index integer
---@field is_counted boolean Whether "2/3" is shown.

local shown ---@type fimble.Shown?
local pending_id ---@type integer?

---@return integer bufnr, integer row, integer col, string line
local function place()
  local cursor = vim.api.nvim_win_get_cursor(0)
  return vim.api.nvim_get_current_buf(), cursor[1] - 1, cursor[2], vim.api.nvim_get_current_line()
end

local function clear()
  if shown then
    draw.clear(shown.bufnr)
    shown = nil
  end
end

---Give the suggestion and what is still to come of it at the cursor.
---@return fimble.Suggestion?, string?
local function current()
  local bufnr, row, col, line = place()
  if not shown or shown.bufnr ~= bufnr then
    return nil
  end
  local suggestion = shown.items[shown.index]
  local remaining = ghost_text.remaining(suggestion, line, row, col)
  if not remaining or remaining == "" then
    return nil
  end
  return suggestion, remaining
end

---Draw what still fits, or nothing.
local function refresh()
  local suggestion, remaining = current()
  if not suggestion or not shown or not remaining or vim.fn.pumvisible() == 1 then
    clear()
    return
  end
  local _, row, col = place()
  local count = shown.is_counted and ("%d/%d"):format(shown.index, #shown.items) or nil
  draw.show(shown.bufnr, row, col, remaining, suggestion.tail, count)
end

---@param item lsp.InlineCompletionItem
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@param row integer
---@param col integer
---@param line string
---@return fimble.Suggestion?
local function suggestion_of(item, encoding, row, col, line)
  local insert = item.insertText
  local text = (type(insert) == "table" and insert.value or insert --[[@as string]]):gsub("\r\n?", "\n")
  local start_col, end_col = col, col
  if item.range then
    if item.range.start.line ~= row or item.range["end"].line ~= row then
      return nil
    end
    start_col = vim.str_byteindex(line, encoding, item.range.start.character, false)
    end_col = vim.str_byteindex(line, encoding, item.range["end"].character, false)
  end
  if start_col > col or end_col < col then
    return nil
  end
  return {
    text = text,
    row = row,
    start_col = start_col,
    rest = line:sub(col + 1),
    tail = line:sub(col + 1, end_col),
    command = item.command,
  }
end

---@param result lsp.InlineCompletionList|lsp.InlineCompletionItem[]|nil
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@param select_index integer
local function receive(result, encoding, select_index)
  local bufnr, row, col, line = place()
  local items = {}
  for _, item in ipairs(result and (result.items or result) or {}) do
    local suggestion = suggestion_of(item, encoding, row, col, line)
    if suggestion and (ghost_text.remaining(suggestion, line, row, col) or "") ~= "" then
      table.insert(items, suggestion)
    end
  end
  if #items == 0 then
    clear()
    return
  end
  shown = { bufnr = bufnr, items = items, index = math.min(select_index, #items), is_counted = select_index > 1 }
  refresh()
end

---@param trigger_kind integer
---@param select_index? integer
local function ask(trigger_kind, select_index)
  local bufnr, row, col = place()
  local running = client.get(bufnr)
  if not running or not running.initialized then
    return
  end
  if pending_id then
    running:cancel_request(pending_id)
  end
  local params = vim.lsp.util.make_position_params(0, running.offset_encoding)
  ---@diagnostic disable-next-line: inject-field
  params.context = { triggerKind = trigger_kind }
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  local _, request_id = running:request(client.method, params, function(err, result)
    pending_id = nil
    local now_bufnr, now_row, now_col = place()
    local is_stale = now_bufnr ~= bufnr or tick ~= vim.api.nvim_buf_get_changedtick(bufnr)
    -- A stale answer is for nobody: the change that made it so has asked anew.
    if err or is_stale or now_row ~= row or now_col ~= col or not vim.startswith(vim.api.nvim_get_mode().mode, "i") then
      return
    end
    receive(result, running.offset_encoding, select_index or 1)
  end, bufnr)
  pending_id = request_id
end

---Put `piece` in at the cursor; the rest stays shown, and taking all of it counts as acceptance.
---@param piece string
local function take(piece)
  local suggestion, remaining = current()
  if not suggestion or not remaining then
    return
  end
  local bufnr, row, col = place()
  local is_whole = piece == remaining
  local n_replaced = is_whole and #suggestion.tail or ghost_text.n_replaced(piece, suggestion.tail)
  -- A step of its own in the undo history, apart from what was typed before.
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels
  local lines = vim.split(piece, "\n", { plain = true })
  vim.api.nvim_buf_set_text(bufnr, row, col, row, col + n_replaced, lines)
  local end_row = row + #lines - 1
  local end_col = #lines == 1 and col + #piece or #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { end_row + 1, end_col })
  if is_whole then
    clear()
    local running = client.get(bufnr)
    if suggestion.command and running then
      running:exec_cmd(suggestion.command, { bufnr = bufnr })
    end
    return
  end
  suggestion.text, suggestion.row, suggestion.start_col = remaining:sub(#piece + 1), end_row, end_col
  suggestion.rest = suggestion.rest:sub(n_replaced + 1)
  suggestion.tail = suggestion.tail:sub(n_replaced + 1)
  refresh()
end

---@param step integer
local function turn(step)
  if not shown then
    return
  end
  if #shown.items < 2 then
    -- While typing only one is asked for: alternatives cost the model time.
    ask(INVOKED, 2)
    return
  end
  shown.index = (shown.index - 1 + step) % #shown.items + 1
  shown.is_counted = true
  refresh()
end

function M.enable()
  draw.define_highlights()
  local group = vim.api.nvim_create_augroup(GROUP, { clear = true })
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end
  on({ "TextChangedI", "TextChangedP" }, function()
    refresh()
    ask(AUTOMATIC)
  end)
  on("CursorMovedI", refresh)
  on("InsertEnter", function()
    -- The cursor has not arrived yet.
    vim.schedule(function()
      ask(AUTOMATIC)
    end)
  end)
  on({ "InsertLeave", "BufLeave" }, clear)
  on("ColorScheme", draw.define_highlights)
end

function M.disable()
  pcall(vim.api.nvim_del_augroup_by_name, GROUP)
  clear()
end

function M.is_shown()
  return (current()) ~= nil
end

function M.accept()
  local _, remaining = current()
  take(remaining or "")
end

function M.accept_word()
  local _, remaining = current()
  take(ghost_text.word(remaining or ""))
end

function M.accept_line()
  local _, remaining = current()
  take(ghost_text.line(remaining or ""))
end

function M.next()
  turn(1)
end

function M.previous()
  turn(-1)
end

M.dismiss = clear

function M.request()
  ask(INVOKED)
end

return M
