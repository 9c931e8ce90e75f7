"""The commands of the command line, one thin module each; ``vitruvian.commands.cli`` lists them."""
