"""live_view: one page in the browser with what the node sees, says and can be told."""
