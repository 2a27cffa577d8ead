"""One module a family of tools: what each writes into its pictures, read back."""
