"""Every field check that the API server makes, kind by kind; a check returns its errors and raises none."""
