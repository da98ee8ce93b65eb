"""The daemon's model over HTTP, for tools that speak no LSP. Loaded only where `http_port` is set; needs `[http]`."""
