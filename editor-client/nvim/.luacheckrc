std = "luajit"
globals = { "vim" }
max_line_length = 120
-- Generated: a line holds a whole sentence of the settings' documentation.
files["lua/fimble/server_options.lua"] = { max_line_length = false }
