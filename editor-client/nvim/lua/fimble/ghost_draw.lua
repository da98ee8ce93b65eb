-- Ghost text on the screen, by extmarks. What is drawn was decided elsewhere.
local ghost_text = require("fimble.ghost_text")

local M = { namespace = vim.api.nvim_create_namespace("fimble") }

---@param bufnr integer
function M.clear(bufnr)
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  end
end

---Draw `remaining` from the cursor on; takes away what was drawn before.
---@param bufnr integer
---@param row integer
---@param col integer
---@param remaining string
---@param tail string
---@param count string? Which of how many, such as "2/3".
function M.show(bufnr, row, col, remaining, tail, count)
  M.clear(bufnr)
  local lines = vim.split(remaining, "\n", { plain = true })
  for _, piece in ipairs(ghost_text.around(lines[1], tail)) do
    vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, col + piece.offset, {
      virt_text = { { piece.text, "FimbleGhost" } },
      virt_text_pos = "inline",
      hl_mode = "combine",
    })
  end
  local below = vim.tbl_map(function(line)
    return { { line, "FimbleGhost" } }
  end, vim.list_slice(lines, 2))
  if #below > 0 then
    vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, col, { virt_lines = below })
  end
  if count then
    vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, col, {
      virt_text = { { count, "FimbleGhostCount" } },
      virt_text_pos = "eol",
    })
  end
end

function M.define_highlights()
  vim.api.nvim_set_hl(0, "FimbleGhost", { link = "Comment", default = true })
  vim.api.nvim_set_hl(0, "FimbleGhostCount", { link = "NonText", default = true })
end

return M
