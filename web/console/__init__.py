"""The staff console: pages in the browser, one module a page."""
