"""The commands of the command line, one thin module each; ``vitruvian.cli`` lists them."""
