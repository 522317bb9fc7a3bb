"""What each CRM's examples name, by its own ids. ``sample.py`` has the defaults of a CRM without a module."""
