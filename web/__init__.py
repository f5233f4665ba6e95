"""Transport, widget and command line: carries conversations between customers and the bot."""
