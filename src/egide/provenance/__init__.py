"""What a file says about its making: credentials, generation metadata, declarations, watermarks."""
