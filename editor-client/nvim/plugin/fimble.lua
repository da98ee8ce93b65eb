-- What exists before anything is set up: the command, the <Plug> mappings and a start with defaults.
if vim.g.loaded_fimble then
  return
end
vim.g.loaded_fimble = true

vim.api.nvim_create_user_command("Fimble", function(call)
  require("fimble.command").run(call.fargs, call.range > 0 and { call.line1, call.line2 } or nil)
end, {
  nargs = "*",
  range = true,
  desc = "Status, pause, explanation, models and actions of fimble",
  complete = function(lead, line)
    return require("fimble.command").complete(lead, line)
  end,
})

for name, desc in pairs({
  accept = "Take the suggestion",
  ["accept-word"] = "Take the suggestion's next word",
  ["accept-line"] = "Take the suggestion's next line",
  next = "Show the next suggestion",
  previous = "Show the previous suggestion",
  dismiss = "Send the suggestion away",
  request = "Ask for a suggestion now",
}) do
  vim.keymap.set("i", ("<Plug>(fimble-%s)"):format(name), function()
    require("fimble.ghost")[name:gsub("-", "_")]()
  end, { desc = "fimble: " .. desc })
end

-- `setup()` is optional. Whoever calls it in their configuration has done so by now; for the rest the defaults hold.
if vim.v.vim_did_enter == 1 then
  require("fimble").start()
else
  vim.api.nvim_create_autocmd("VimEnter", {
    once = true,
    callback = function()
      require("fimble").start()
    end,
  })
end
