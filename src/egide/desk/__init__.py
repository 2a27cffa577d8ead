"""The desk: notices, cases, decisions, and the record of them."""
