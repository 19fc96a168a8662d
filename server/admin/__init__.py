"""Commands of the operator, spoken over DIR/admin.sock (or run here, when nobody serves the directory)."""
