"""One module a command or group of commands; everything heavy is imported inside them."""
