"""A CRM's account on the wire: contracts have a module each, all others are derived."""
