"""How to talk to a CRM: values in, values out; no models, no ORM."""
