"""The routes of the API and the shapes of what goes over them."""
