"""From pictures to people: the stages in order."""
