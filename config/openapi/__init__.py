"""The OpenAPI document beyond what views and serializers say of themselves.

document.py  what the document says as a whole: servers, tags, who needs no token, and where examples go
about.py     what it says first: which ids a rule wants, what a rule costs
quiz.py      the quiz of the examples and of the demo
examples/    a body for every operation, a module for each part of the API
"""
