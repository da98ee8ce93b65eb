"""Ghost text: policy, cache and the one service that orchestrates a request. No protocol, no model library."""
