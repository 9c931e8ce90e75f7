"""People with real measures, their silhouettes, and networks that read measures from them."""
