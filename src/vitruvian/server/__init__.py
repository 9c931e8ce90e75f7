"""The web server: the page, the API, accounts, jobs and storage. Needs the extra ``server``."""
