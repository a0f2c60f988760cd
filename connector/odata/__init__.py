"""OData V4 as a wire format; no HTTP, no knowledge of any table."""
