-- A suggestion against the line it is for. Pure: text in, text out, no buffer.
local M = {}

---@class (exact) fimble.Suggestion
---@field text string What stands in the place of the range, with LF line ends.
---@field row integer Line of the range, counted from 0.
---@field start_col integer Byte where the range starts.
---@field rest string The line after the cursor, which must not change while this is shown.
---@field tail string The first part of `rest`: what the range takes away.
---@field command? lsp.Command

---Give what is still to come when the cursor is at `col`, or nil if the line says something else by now.
---@param suggestion fimble.Suggestion
---@param line string
---@param row integer
---@param col integer
---@return string?
function M.remaining(suggestion, line, row, col)
  if row ~= suggestion.row or col < suggestion.start_col or line:sub(col + 1) ~= suggestion.rest then
    return nil
  end
  local typed = line:sub(suggestion.start_col + 1, col)
  if not vim.startswith(suggestion.text, typed) then
    return nil
  end
  return suggestion.text:sub(#typed + 1)
end

---Lay the first line to come around the text that it replaces: a bracket that the editor has closed already stays
---where it is. Gives pieces with their distance from the cursor in bytes.
---@param first string
---@param tail string
---@return { offset: integer, text: string }[]
function M.around(first, tail)
  local pieces, from = {}, 1
  for n = 1, #tail do
    local found = first:find(tail:sub(n, n), from, true)
    if not found then
      return { { offset = 0, text = first } }
    end
    table.insert(pieces, { offset = n - 1, text = first:sub(from, found - 1) })
    from = found + 1
  end
  table.insert(pieces, { offset = #tail, text = first:sub(from) })
  return vim.tbl_filter(function(piece)
    return piece.text ~= ""
  end, pieces)
end

---Give how many bytes of `tail` a taken piece brings along itself.
---@param piece string
---@param tail string
---@return integer
function M.n_replaced(piece, tail)
  local n_bytes, from = 0, 1
  while n_bytes < #tail do
    local found = piece:find(tail:sub(n_bytes + 1, n_bytes + 1), from, true)
    if not found then
      break
    end
    n_bytes, from = n_bytes + 1, found + 1
  end
  return n_bytes
end

---Give the next word, with the white space before it.
---@param text string
---@return string
function M.word(text)
  -- Bytes from 128 on are parts of characters outside ASCII: never split one.
  return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w%s_\128-\255]+") or text
end

---Give the rest of the line, or the next line if this one is complete.
---@param text string
---@return string
function M.line(text)
  return text:match("^\n?[^\n]*")
end

return M
